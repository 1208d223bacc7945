#ifndef SDX_RESIZE_H
#define SDX_RESIZE_H
/// Resizing with tables made by the caller (one set a plan), layout [planes, d, h, w] with planes = N · C. 2D and 1D
/// problems put an axis of in = out = 1 in front. All rounding of coordinates is the caller's, in the tables.
#include "sdx_pool.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// y[p, d, h, w] = x[p, index[0][d], index[1][h], index[2][w]], or *extrapolation where an index is −1. index[k]
/// has out[k] values in −1 ..< in[k]. elem_size: 1, 2, 4 or 8 bytes. No overlap. Fast for whole rows, and for w tables
/// that repeat each index 2 times.
void sdx_resize_nearest(
    sdx_pool *_Nullable pool, int elem_size, const void *x, void *y, int64_t planes, const int64_t in[_Nonnull 3],
    const int64_t out[_Nonnull 3], const int32_t *_Nonnull const index[_Nonnull 3], const void *extrapolation);

/// One axis of a separable resampling. Output o takes Σₜ weights[o · taps + t] · x[first[o] + t], t in 0 ..< count[o].
typedef struct sdx_resize_axis {
    int64_t in, out;
    /// The row length of `weights`: the largest count.
    int64_t taps;
    /// [out]: the first input, with 0 <= first and first + count <= in. The caller clips, and folds clamped taps into
    /// the border's.
    const int32_t *first;
    /// [out]: the number of inputs, 0 ... taps; 0 makes the output *extrapolation*. NULL: `taps` everywhere.
    const int32_t *_Nullable count;
    /// [out, taps].
    const float *weights;
} sdx_resize_axis;

/// y[p, d, h, w] = Σ Σ Σ wd·wh·ww · x: linear, cubic, antialiased, any separable filter. The rows are mixed first
/// (weights wd·wh rounded once), then columns along w, each Σ in order of t. No overlap, no workspace.
/// |error| <= (taps in all + 3)·2⁻²⁴·Σ|w·x|.
void sdx_resize_separable_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, const sdx_resize_axis axes[_Nonnull 3],
    float extrapolation);

// The same in layout c8: [planes][d][h][w][8], where planes = N · C / 8.

/// sdx_resize_nearest of floats in layout c8.
void sdx_resize_nearest_c8_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, const int64_t in[_Nonnull 3],
    const int64_t out[_Nonnull 3], const int32_t *_Nonnull const index[_Nonnull 3], float extrapolation);

/// sdx_resize_separable_f32 in layout c8. Its sums differ from the plain ones by rounding only: all taps of an output
/// are added in one order, d, then h, then w, with the weights wd·wh rounded once. Same bound.
void sdx_resize_separable_c8_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, const sdx_resize_axis axes[_Nonnull 3],
    float extrapolation);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
