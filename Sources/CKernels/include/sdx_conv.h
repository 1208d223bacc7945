#ifndef SDX_CONV_H
#define SDX_CONV_H
/// Convolution and transposed convolution of float tensors in N C D H W order, contiguous.
///
/// Two-dimensional maps have D = 1, one-dimensional ones D = H = 1 (kernel 1, stride 1, dilation 1, padding 0 there).
/// Tensors need no alignment beyond a float's; packed weights and workspaces are fastest at 64 bytes. y may overlap no
/// input, except that `residual` may be exactly y in `sdx_conv_f32_run`: the sums then start from it. Any kernel,
/// stride, dilation and padding >= 0 is right, padding beyond the input and empty tensors too. Nothing beyond the
/// tensors is read or written. Every sum runs in an order fixed by the shapes and the ISA. Error: at most (terms + 3) ·
/// 2⁻²⁴ · Σ|x·w| + 2⁻²² · |y|, plus the activation's own.
#include <stddef.h>
#include <stdint.h>
#include "sdx_activation.h"
#include "sdx_pool.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// The shape of a convolution. Arrays are D, H, W.
typedef struct sdx_conv_params {
    int64_t n;          ///< batch
    int64_t c;          ///< channels of x
    int64_t k;          ///< channels of y
    int64_t groups;     ///< divides c and k
    int64_t in[3];      ///< of x
    int64_t out[3];     ///< of y; outputs whose window lies outside x altogether are act(bias)
    int64_t kernel[3];
    int64_t stride[3];
    int64_t dilation[3];
    int64_t pad_begin[3]; ///< zeros before x (convolution), outputs cut off in front (transposed); out gives the end
    sdx_activation activation;
    /// Times that each pixel of x counts along an axis, as if nearest upsampling had come before: x has in / repeats
    /// pixels, which divides. 0 is 1. More than 1: convolutions of channel-blocked tensors and Winograd's only; the
    /// results have the bits that an x of `in` pixels gives.
    int64_t repeats[3];
} sdx_conv_params;

/// A float at any address, as model files hold them.
typedef float sdx_unaligned_f32 __attribute__((aligned(1)));

/// Whether the parameters are consistent and every size fits 63 bits; the other functions require it (the byte queries
/// return SIZE_MAX otherwise, and where a function takes no repeats).
int sdx_conv_params_valid(const sdx_conv_params *p);

// y[n, k, o] = act( Σ x[n, c, o·stride + t·dilation - pad_begin] · w[k, c, t] + bias[k] + residual[n, k, o] ),
// over the c of k's group and all taps t; x is 0 outside.

/// Bytes of the packed weights.
size_t sdx_conv_f32_packed_bytes(const sdx_conv_params *p);
/// Packs w [k, c / groups, kernel] for the ISA in use; n, in and out are not read.
void sdx_conv_f32_pack(const sdx_conv_params *p, const float *w, float *packed);
/// Bytes of scratch for a run on a pool of `workers` threads.
size_t sdx_conv_f32_workspace_bytes(const sdx_conv_params *p, int workers);
/// Computes y. `bias` has k values or is NULL; `residual` has y's shape or is NULL.
void sdx_conv_f32_run(
    sdx_pool *_Nullable pool, const sdx_conv_params *p, const float *x, const float *packed,
    const float *_Nullable bias, const float *_Nullable residual, float *y, void *_Nullable workspace);

// Channel-blocked ("c8"): a tensor [n, c, d, h, w] with c % 8 == 0 lies as [n, c / 8, d, h, w, 8].

/// Which operands of a convolution are channel-blocked.
typedef enum sdx_conv_layout {
    SDX_CONV_PLAIN_TO_C8 = 1,
    SDX_CONV_C8_TO_C8 = 2,
    SDX_CONV_C8_TO_PLAIN = 3,
} sdx_conv_layout;

/// Whether the convolution can run so. C8_TO_C8: the channels of a group are multiples of 8, of x and of y, or it is
/// depthwise (c == k == groups, a multiple of 8). PLAIN_TO_C8: one group, k % 8 == 0. C8_TO_PLAIN: one group,
/// c % 8 == 0. Any of them may be refused where a dilation is so huge that its rows would fill more than 64 MB a
/// worker.
/// The other functions require it (the byte queries return SIZE_MAX otherwise).
int sdx_conv_c8_f32_supported(const sdx_conv_params *p, sdx_conv_layout layout);
/// Bytes of the packed weights.
size_t sdx_conv_c8_f32_packed_bytes(const sdx_conv_params *p, sdx_conv_layout layout);
/// Packs w [k, c / groups, kernel], which is plain, for the ISA in use; n, in, out and activation are not read.
void sdx_conv_c8_f32_pack(
    const sdx_conv_params *p, sdx_conv_layout layout, const sdx_unaligned_f32 *w, float *packed);
/// Bytes of scratch for a run on a pool of `workers` threads.
size_t sdx_conv_c8_f32_workspace_bytes(const sdx_conv_params *p, sdx_conv_layout layout, int workers);
/// Computes y as `sdx_conv_f32_run` does; x and y lie as `layout` says, `residual` as y.
void sdx_conv_c8_f32_run(
    sdx_pool *_Nullable pool, const sdx_conv_params *p, sdx_conv_layout layout, const float *x, const float *packed,
    const float *_Nullable bias, const float *_Nullable residual, float *y, void *_Nullable workspace);

// Transposed: y[n, k, o] = act( Σ x[n, c, i] · w[c, k, t] + bias[k] ),
// over all i, t with i·stride + t·dilation - pad_begin = o.

/// Bytes of the packed weights.
size_t sdx_conv_transpose_f32_packed_bytes(const sdx_conv_params *p);
/// Packs w [c, k / groups, kernel] for the ISA in use; n, in and out are not read.
void sdx_conv_transpose_f32_pack(const sdx_conv_params *p, const float *w, float *packed);
/// Bytes of scratch for a run on a pool of `workers` threads.
size_t sdx_conv_transpose_f32_workspace_bytes(const sdx_conv_params *p, int workers);
/// Computes y. `bias` has k values or is NULL.
void sdx_conv_transpose_f32_run(
    sdx_pool *_Nullable pool, const sdx_conv_params *p, const float *x, const float *packed,
    const float *_Nullable bias, float *y, void *_Nullable workspace);

// The same from layout c8, [n][c / 8][d][h][w][8], to [n][k / 8][d][h][w][8], or to plain [n][k][d][h][w] where k is 1 ... 7; w is
// [c, k, kernel] as above.

/// Whether the kernel serves the shape: groups is 1, c is a multiple of 8 and k too, or at most 7, strides at most 8, kernels at
/// most 16 an axis and 512 taps in all, and windows that a worker can hold. The byte queries return SIZE_MAX otherwise, the
/// other functions require it.
int sdx_conv_transpose_c8_f32_supported(const sdx_conv_params *p);
/// Bytes of the packed weights.
size_t sdx_conv_transpose_c8_f32_packed_bytes(const sdx_conv_params *p);
/// Packs w for the ISA in use; n, in and out are not read.
void sdx_conv_transpose_c8_f32_pack(const sdx_conv_params *p, const float *w, float *packed);
/// Bytes of scratch for a run on a pool of `workers` threads.
size_t sdx_conv_transpose_c8_f32_workspace_bytes(const sdx_conv_params *p, int workers);
/// Computes y. `bias` has k values or is NULL.
void sdx_conv_transpose_c8_f32_run(
    sdx_pool *_Nullable pool, const sdx_conv_params *p, const float *x, const float *packed,
    const float *_Nullable bias, float *y, void *_Nullable workspace);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
#endif
