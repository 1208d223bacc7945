#ifndef SDX_WINOGRAD_ROWS_H
#define SDX_WINOGRAD_ROWS_H
/// Convolution of a plain tensor of few channels with a kernel of 5 to 8 columns, as networks begin, into a channel-blocked
/// one ([n][k / 8][d][h][w][8]), by Winograd's minimal filtering along rows: 13 multiplications for four outputs and 7
/// taps, where the direct form has 28.
///
/// y[n, k, o] = act( Σ x[n, c, o · stride + t - pad_begin] · w[k, c, t] + bias[k] + residual[n, k, o] ), x is 0 outside.
///
/// Tensors need no alignment beyond a float's; packed weights and workspaces are fastest at 64 bytes. y may overlap no
/// input, except that `residual` may be exactly y. Nothing beyond the tensors is read or written. Every sum runs in an
/// order fixed by the shapes and the ISA. Error before the activation, for normally distributed values: at most 1e-5 ·
/// √(mean of x² · largest Σ w² of an output channel), some 2.5e-6 of the largest |y| of a map (measured: 1.0e-6 as
/// residual networks begin, 1.1e-6 with 7 × 7 × 7). A NaN or an infinity in x spoils the four outputs of a row that are
/// made at once, with NaN in place of infinities.
#include "sdx_conv.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// Whether these kernels can do it: one group, k a multiple of 8, a kernel of 5 to 8 columns and at most 16 rows and
/// slices, channels of x times rows times slices at most 512, dilation 1, stride 1 or 2 along rows, in front less padding
/// than the kernel is long, no pixels that repeat. The other functions require it (byte queries: else SIZE_MAX).
int sdx_winograd_rows_f32_supported(const sdx_conv_params *p);
/// Bytes of the packed weights, for the ISA in use.
size_t sdx_winograd_rows_f32_packed_bytes(const sdx_conv_params *p);
/// Transforms (in double) and packs w [k, c, kernel], for the ISA in use; n, in and out are not read.
void sdx_winograd_rows_f32_pack(const sdx_conv_params *p, const sdx_unaligned_f32 *w, float *packed);
/// Bytes of scratch for a run on a pool of `workers` threads: about 1.75 times x, and 100 to 200 KB a worker.
size_t sdx_winograd_rows_f32_workspace_bytes(const sdx_conv_params *p, int workers);
/// Computes y. `bias` has k values or is NULL; `residual` has y's shape or is NULL.
void sdx_winograd_rows_f32_run(
    sdx_pool *_Nullable pool, const sdx_conv_params *p, const float *x, const float *packed,
    const float *_Nullable bias, const float *_Nullable residual, float *y, void *_Nullable workspace);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
#endif
