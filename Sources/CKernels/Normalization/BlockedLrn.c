/// Local response normalisation across the channels of a channel-blocked tensor: sdx_lrn_c8_f32.
#include <math.h>

#include "../include/sdx_normalization.h"
#define SDX_SELF "../Normalization/BlockedLrn.c"
#include "../Isa/EachIsa.h"

#ifndef SDX_BLOCKED_LRN_LIMITS
#define SDX_BLOCKED_LRN_LIMITS
/// Pixels taken together; the most channels, and the widest window.
enum { LRN_PIXELS = 4, LRN_CHANNELS = 2048, LRN_SIZE = 32 };
#endif

#if SDX_ISA_PASS
#include "../Elementwise/Blocked.h"

/// A pixel's squares stand in a row of channels between zeros, so that a window's sum is that of shifted vectors.
static void SDX_FN(lrn_pixels)(
    const float *x, float *y, int64_t channels, int64_t pixels, int64_t count, int64_t size, float alpha, float beta,
    float bias) {
    const int64_t before = (size - 1) / 2, stride = pixels * 8;
    const vf a = vsplat(alpha / (float)size), b = vsplat(bias);
    float squares[LRN_PIXELS][LRN_CHANNELS + LRN_SIZE];
    for (int i = 0; i < LRN_PIXELS; i++) {
        memset(squares[i], 0, (size_t)before * sizeof(float));
        memset(squares[i] + before + channels, 0, (size_t)(size - 1 - before) * sizeof(float));
    }
    for (int64_t p = 0; p < count; p += LRN_PIXELS) {
        const int64_t n = count - p < LRN_PIXELS ? count - p : LRN_PIXELS;
        for (int64_t c = 0; c < channels; c += 8)
            for (int64_t i = 0; i < n; i++) {
                const v8 v = v8load(x + c / 8 * stride + (p + i) * 8);
                v8store(squares[i] + before + c, v * v);
            }
        for (int64_t i = 0; i < n; i++)
            for (int64_t c = 0; c < channels; c += SDX_UNIT) {
                const int64_t m = channels - c < SDX_UNIT ? 8 : SDX_UNIT; // floats: a unit may be two blocks
                for (int k = 0; k < SDX_UNIT_VECTORS; k++) {
                    const float *s = squares[i] + c + k * SDX_V, *at = x + c / 8 * stride + (p + i) * 8 + k * SDX_V;
                    float *to = y + c / 8 * stride + (p + i) * 8 + k * SDX_V;
                    vf sum = {0}, v;
                    for (int64_t q = 0; q < size; q++) sum += m == SDX_UNIT ? vload(s + q) : vload_first(s + q, 8);
                    vf t = vfma(a, sum, b);
                    if (beta == 0.75f) t = vsqrt(t) * vsqrt(vsqrt(t));
                    else if (beta == 0.5f) t = vsqrt(t);
                    else if (beta != 1.0f) t = vpow(t, vsplat(beta));
#if SDX_V == 16
                    const v8 low = v8load(at), high = m == SDX_UNIT ? v8load(at + stride) : low;
                    v = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) / t;
                    v8store(to, v.lo);
                    if (m == SDX_UNIT) v8store(to + stride, v.hi);
#else
                    v = vload(at) / t;
                    vstore(to, v);
#endif
                }
            }
    }
}

#else

SDX_TABLE(lrn_pixels, (const float *, float *, int64_t, int64_t, int64_t, int64_t, float, float, float))

typedef struct {
    const float *x;
    float *y;
    int64_t channels, pixels, strip, strips, size;
    float alpha, beta, bias;
} lrn_job;

static void lrn_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const lrn_job *j = ctx;
    int64_t p = chunk % j->strips * j->strip, at = chunk / j->strips * j->channels * j->pixels + p * 8;
    int64_t n = j->pixels - p < j->strip ? j->pixels - p : j->strip;
    SDX_CALL(lrn_pixels)(j->x + at, j->y + at, j->channels, j->pixels, n, j->size, j->alpha, j->beta, j->bias);
}

int sdx_lrn_c8_supported(int64_t channels, int64_t size) {
    return channels % 8 == 0 && channels <= LRN_CHANNELS && size >= 1 && size <= LRN_SIZE;
}

void sdx_lrn_c8_f32(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels, int64_t size,
    float alpha, float beta, float bias) {
    if (!sdx_lrn_c8_supported(channels, size)) __builtin_trap();
    if (batch <= 0 || channels <= 0 || pixels <= 0) return;
    lrn_job job = {.x = x, .y = y, .channels = channels, .pixels = pixels, .size = size, .alpha = alpha, .beta = beta,
                   .bias = bias};
    job.strip = (16384 / channels / LRN_PIXELS + 1) * LRN_PIXELS;
    job.strips = (pixels - 1) / job.strip + 1;
    sdx_parallel_for(pool, batch * job.strips, lrn_chunk, &job);
}
#endif
