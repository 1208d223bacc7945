#ifndef SDX_NORMALIZATION_H
#define SDX_NORMALIZATION_H
/// Normalisations of f32. Statistics are two-pass over blocks in cache, combined in double in an order fixed by the
/// shape. For all of them y may be x, or must not overlap it. Results do not depend on the pool.
/// `act` is SDX_ACTIVATION_NONE, _RELU, _LEAKY_RELU (slope `leaky`) or _SILU; others trap.
#include "sdx_activation.h"
#include "sdx_pool.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// y[o, a, i] = e^(x[o, a, i] − m) / Σₐ e^(x − m), m = maxₐ x. [outer, axis, inner]. |error| <= (4 + |x − m|) ULP: the
/// difference is rounded to float first. A slice with a NaN or +inf, or all −inf, gives NaN there, as numpy.
void sdx_softmax_f32(sdx_pool *_Nullable pool, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner);

/// y = x − m − ln Σₐ e^(x − m). |error| <= 3 · 2⁻²⁴ · max(|y|, |x − m|, ln axis).
void sdx_log_softmax_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner);

/// Both over the channels, x and y in the channel-blocked layout [batch, channels / 8, pixels, 8]; the same bounds.
void sdx_softmax_c8_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels);
void sdx_log_softmax_c8_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels);

/// y[r, i] = (x[r, i] − mean[r]) · inv_std[r] · scale[i] + bias[i], inv_std = 1/√(variance + epsilon). x: [rows, n];
/// scale, bias: [n] or NULL; mean, inv_std: [rows] outputs or NULL.
void sdx_layer_norm_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t rows, int64_t n, const float *_Nullable scale,
    const float *_Nullable bias, float epsilon, float *_Nullable mean, float *_Nullable inv_std);

/// y[r, i] = x[r, i] · inv_rms[r] · scale[i], inv_rms = 1/√(Σx²/n + epsilon). scale: [n] or NULL; inv_rms: [rows]
/// output or NULL.
void sdx_rms_norm_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t rows, int64_t n, const float *_Nullable scale,
    float epsilon, float *_Nullable inv_rms);

/// y[b, g, c, s] = act((x[b, g, c, s] − mean[b, g]) · inv_std[b, g] · scale[k] + bias[k]), where
/// k = g·channels_per_group + c. x: [batch, groups, channels_per_group, spatial]; scale, bias:
/// [groups · channels_per_group] or NULL. Instance norm is channels_per_group = 1.
void sdx_group_norm_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t batch, int64_t groups, int64_t channels_per_group,
    int64_t spatial, const float *_Nullable scale, const float *_Nullable bias, float epsilon, sdx_activation_kind act,
    float leaky);

/// The same with x and y in the channel-blocked layout [batch, channels / 8, pixels, 8]: groups · channels_per_group is
/// a multiple of 8, channels_per_group may be any. All activations.
void sdx_group_norm_c8_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t batch, int64_t groups, int64_t channels_per_group,
    int64_t pixels, const float *_Nullable scale, const float *_Nullable bias, float epsilon, sdx_activation act);

/// y[r, i] = (x[r, i] − mean[r]) / (std[r] + epsilon): ONNX's MeanVarianceNormalization (epsilon 1e-9) on merged axes.
/// [rows, n].
void sdx_mean_variance_norm_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t rows, int64_t n, float epsilon);

/// y[b, c, s] = act(x[b, c, s] · scale[c] + shift[c]): batch normalisation with folded parameters.
/// x: [batch, channels, spatial].
void sdx_scale_shift_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t spatial,
    const float *scale, const float *shift, sdx_activation_kind act, float leaky);

/// The same with x and y in the channel-blocked layout [batch, channels / 8, pixels, 8]. All activations.
void sdx_scale_shift_c8_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels,
    const float *scale, const float *shift, sdx_activation act);

/// y = act((x − mean[c]) / √(variance[c] + epsilon) · scale[c] + bias[c]), first folded to x · s + t in double.
void sdx_batch_norm_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t spatial,
    const float *scale, const float *bias, const float *mean, const float *variance, float epsilon,
    sdx_activation_kind act, float leaky);

/// y[b, c, s] = x[b, c, s] / (bias + alpha/size · Σⱼ x[b, j, s]²)^beta, j in c − ⌊(size−1)/2⌋ ... c + ⌈(size−1)/2⌉
/// within 0 ..< channels. x: [batch, channels, spatial]. y must not be x. 4 ULP for beta 0.75, 0.5 and 1, else 2 more.
void sdx_lrn_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t spatial, int64_t size,
    float alpha, float beta, float bias);

/// The same, x and y in the channel-blocked layout [batch, channels / 8, pixels, 8]; y may be x. Traps where it is not
/// supported: more than 2,048 channels, or a size beyond 32.
int sdx_lrn_c8_supported(int64_t channels, int64_t size);
void sdx_lrn_c8_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels, int64_t size,
    float alpha, float beta, float bias);

/// y[o, a, i] = x[o, a, i] / (Σₐ |x|ᵖ)^(1/p), 0 where the norm is 0. p is 1 or 2. [outer, axis, inner].
void sdx_lp_norm_f32(
    sdx_pool *_Nullable pool, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner, int p);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
