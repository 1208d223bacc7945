#ifndef SDX_WINOGRAD_H
#define SDX_WINOGRAD_H
/// Convolution with a kernel of 3 × 3 or 3 × 3 × 3, stride 1 or 2 in the plane and dilation 1, by Winograd's minimal
/// filtering: about a quarter of the multiplications of the direct form (a sixth in 3D), with stride 2 at least 9/16.
/// Tensors are channel-blocked: [n][c / 8][d][h][w][8]. Which form costs least says `sdx_conv_choice`.
///
/// y[n, k, o] = act( Σ x[n, c, o · stride + t - pad_begin] · w[k, c, t] + bias[k] + residual[n, k, o] ), x is 0 outside.
///
/// Tensors need no alignment beyond a float's; packed weights and workspaces are fastest at 64 bytes. y may overlap no
/// input, except that `residual` may be exactly y. Nothing beyond the tensors is read or written. Every sum runs in an
/// order fixed by the shapes and the ISA, at most 256 terms at a time, whose sums then add up. Error before the
/// activation, for normally distributed values, rectified or not: at most 1.5e-5 · √(mean of x² · largest Σ w² of an
/// output channel) with tiles of 4 × 4, 5e-6 with 2 × 2, of any depth up to 4096 channels. That is 4e-6 of the largest
/// |y| of a map, and 1.2e-6 (measured with 512 channels and 4 × 4: 2.2e-6 in 2D, 3.0e-6 in 3D; with 2 × 2: 0.6e-6 and
/// 0.9e-6; with stride 2: 1.3e-6 and 0.6e-6). Beyond 4096 channels times √(channels / 4096). A NaN or an infinity in x
/// spoils the whole tiles of y whose windows meet it (4 × 4 outputs each, in two slices in 3D), with NaN in place of
/// infinities.
#include "sdx_conv.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// How it is done: m × m outputs of a plane a tile, m being 2 or 4; in depth the products of the taps are summed, or
/// ("deep", for a kernel of 3 in depth) pairs of slices are made at once by F(2, 3).
typedef enum sdx_winograd_form {
    SDX_WINOGRAD_2 = 4,
    SDX_WINOGRAD_2_DEEP = 5,
    SDX_WINOGRAD_4 = 8,
    SDX_WINOGRAD_4_DEEP = 9,
} sdx_winograd_form;

/// Whether these kernels can do it: kernel 1 or 3 in depth and 3 × 3 in the plane, dilation and groups 1, stride 1 or 2
/// in the plane (the same along both axes) and any in depth, c and k multiples of 8, padding 0 to 2 in front, pixels that
/// repeat up to 8 times in the plane, any `out` whose scratch has a size; deep forms only with 3 in depth and stride 1.
/// The other functions require it (byte queries: else SIZE_MAX).
int sdx_winograd_c8_f32_supported(const sdx_conv_params *p, sdx_winograd_form form);
/// Bytes of the packed weights, for the ISA in use.
size_t sdx_winograd_c8_f32_packed_bytes(const sdx_conv_params *p, sdx_winograd_form form);
/// Transforms (in double) and packs w [k, c, kernel], for the ISA in use; n, in and out are not read.
void sdx_winograd_c8_f32_pack(
    const sdx_conv_params *p, sdx_winograd_form form, const sdx_unaligned_f32 *w, float *packed);
/// Bytes of scratch for a run on a pool of `workers` threads: about a megabyte a worker on large maps (with hundreds of
/// channels several, for the fewest tiles that fill a register tile); on small ones
/// the transformed input (2.25 times x, 4.5 times in 3D; with stride 2 up to 1.56 times) and as much for y.
size_t sdx_winograd_c8_f32_workspace_bytes(const sdx_conv_params *p, sdx_winograd_form form, int workers);
/// Computes y. `bias` has k values or is NULL; `residual` has y's shape or is NULL.
void sdx_winograd_c8_f32_run(
    sdx_pool *_Nullable pool, const sdx_conv_params *p, sdx_winograd_form form, const float *x, const float *packed,
    const float *_Nullable bias, const float *_Nullable residual, float *y, void *_Nullable workspace);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
#endif
