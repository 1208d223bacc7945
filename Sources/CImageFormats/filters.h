// PNG's filters: a row as its differences from what is known of it.
#ifndef SARDONYX_FILTERS_H
#define SARDONYX_FILTERS_H

#include <stddef.h>
#include <stdint.h>

enum {
    FILTERS = 5,
    // A row is worked on in blocks of so many bytes: that many zeros stand before it, and there is room for all of its
    // last block.
    FILTER_BLOCK = 16
};

// Writes a row of `count` bytes through one of the filters, `pixel` (at most FILTER_BLOCK) bytes being its left
// neighbours' distance and `before` the row above; the sum of what comes out, as signed bytes. Where that is going to
// be above `limit`, the rest may be left out.
uint64_t filter_row(
    int filter, const uint8_t *restrict row, const uint8_t *restrict before, size_t count, size_t pixel,
    uint64_t limit, uint8_t *restrict to);

#endif
