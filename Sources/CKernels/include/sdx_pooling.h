#ifndef SDX_POOLING_H
#define SDX_POOLING_H
/// Pooling of f32 over up to three spatial dimensions, layout [planes, d, h, w] with planes = N · C.
#include "sdx_pool.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// A window. 1D and 2D problems put 1 (in, out, kernel, stride, dilation) and 0 (pads) into the leading dimensions.
/// Output (o) covers inputs o·stride − pad_begin + k·dilation, k in 0 ..< kernel; those outside 0 ..< in are padding.
/// `out` is the caller's (floor or ceil mode); a window may reach beyond in + pad_end.
typedef struct sdx_pool_window {
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
} sdx_pool_window;

/// y = max over the window's inputs; NaN if any is NaN; −inf for a window of padding only. y: [planes, out]. indices,
/// if not NULL, receives the position of the (first) maximum, or NaN, in the whole of x as ONNX counts:
/// plane · in[0]·in[1]·in[2] + (d·in[1] + h)·in[2] + w. With column_major (storage_order 1) the spatial part is
/// h + in[1]·w for spatial_rank 2, d + in[0]·(h + in[1]·w) for 3. −1 for padding only. No overlap.
void sdx_max_pool_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t *_Nullable indices, int64_t planes,
    const sdx_pool_window *window, int column_major, int spatial_rank);

/// y = Σ window / count: the inputs within the tensor, or with count_include_pad the window's positions within the
/// padded extent (0 ..< in + pad_begin + pad_end), never those beyond (ceil mode). NaN for a count of 0. No overlap.
void sdx_average_pool_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, const sdx_pool_window *window,
    int count_include_pad);

/// y = (Σ |x|ᵖ)^(1/p) over the window, p >= 1. No overlap.
void sdx_lp_pool_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, const sdx_pool_window *window, int64_t p);

/// y[plane] = mean (max, Lp norm) of x[plane, 0 ..< spatial]: sdx_reduction.h has the error bounds.
void sdx_global_average_pool_f32(sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, int64_t spatial);
void sdx_global_max_pool_f32(sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, int64_t spatial);
void sdx_global_lp_pool_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, int64_t spatial, int64_t p);

/// The same as their plain forms, x and y in the channel-blocked layout [n, c / 8, d, h, w, 8], planes = n · c with c a
/// multiple of 8. Windows of more than 64 rows or columns are averaged in double. No overlap.
void sdx_max_pool_c8_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, const sdx_pool_window *window);
void sdx_average_pool_c8_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t planes, const sdx_pool_window *window,
    int count_include_pad);

/// y[i, c] = the mean (max) over the pixels of x [n, c / 8, pixels, 8]; c a multiple of 8. Bounds of sdx_reduction.h.
void sdx_global_average_pool_c8_f32(
    sdx_pool *_Nullable pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y);
void sdx_global_max_pool_c8_f32(
    sdx_pool *_Nullable pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
