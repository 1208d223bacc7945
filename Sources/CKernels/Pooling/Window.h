#ifndef SDX_POOLING_WINDOW_H
#define SDX_POOLING_WINDOW_H
/// Which of a window's taps are within the tensor. Include before EachIsa.h: no target attribute belongs here.
#include "../include/sdx_pooling.h"

/// The taps first ..< end (first <= end) of output o's window along dimension k that are within the tensor, or with
/// `padded` within the padded extent.
static inline void pool_taps(
    const sdx_pool_window *w, int k, int64_t o, int padded, int64_t *first, int64_t *end) {
    int64_t d = w->dilation[k], start = o * w->stride[k] - w->pad_begin[k];
    int64_t low = padded ? -w->pad_begin[k] : 0, high = w->in[k] + (padded ? w->pad_end[k] : 0);
    int64_t from = start < low ? low - start : 0, to = high <= start ? 0 : high - start;
    if (d > 1) { // a division only where it is needed: this runs for each output at a border
        from = (from + d - 1) / d;
        to = (to + d - 1) / d;
    }
    if (to > w->kernel[k]) to = w->kernel[k];
    *first = from < to ? from : to;
    *end = to;
}

/// How many they are.
static inline int64_t pool_count(const sdx_pool_window *w, int k, int64_t o, int padded) {
    int64_t first, end;
    pool_taps(w, k, o, padded, &first, &end);
    return end - first;
}
#endif
