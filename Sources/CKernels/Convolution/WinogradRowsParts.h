#ifndef SDX_WINOGRAD_ROWS_PARTS_H
#define SDX_WINOGRAD_ROWS_PARTS_H
/// How the taps of a row are cut for WinogradRows.h.
#include <stdint.h>
#include "sdx_conv.h"

/// Points of F(4, 4), its outputs, and its taps; parts of a row of taps.
enum { ROWS_POINTS = 7, ROWS_TILE = 4, ROWS_PART = 4, ROWS_PARTS = 2 };

/// The taps of part 0 or 1 of a row of 5 to 8: with stride 2 the even or the odd ones, with stride 1 the first four or
/// the rest.
static inline int64_t winograd_rows_taps(int64_t columns, int64_t stride, int64_t part) {
    if (stride == 2) return (columns - part + 1) / 2;
    return part == 0 ? ROWS_PART : columns - ROWS_PART;
}

/// The parts of four taps, which have a value at infinity.
static inline int winograd_rows_at_infinity(const sdx_conv_params *p) {
    int count = 0;
    for (int64_t part = 0; part < ROWS_PARTS; part++) count += winograd_rows_taps(p->kernel[2], p->stride[2], part) == ROWS_PART;
    return count;
}
#endif
