/// Softmax and log-softmax over the channels of a channel-blocked tensor: sdx_softmax_c8_f32, sdx_log_softmax_c8_f32.
#include <math.h>

#include "../include/sdx_normalization.h"
#define SDX_SELF "../Normalization/BlockedSoftmax.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Elementwise/Blocked.h"


/// Each lane that of the pixel whose number differs in bit d.
#if SDX_V == 16
#define SWAPPED(v, d)                                                                                                  \
    __builtin_shufflevector(                                                                                           \
        v, v, 0 ^ d, 1 ^ d, 2 ^ d, 3 ^ d, 4 ^ d, 5 ^ d, 6 ^ d, 7 ^ d, 8 ^ d, 9 ^ d, 10 ^ d, 11 ^ d, 12 ^ d, 13 ^ d,    \
        14 ^ d, 15 ^ d)
#elif SDX_V == 8
#define SWAPPED(v, d) __builtin_shufflevector(v, v, 0 ^ d, 1 ^ d, 2 ^ d, 3 ^ d, 4 ^ d, 5 ^ d, 6 ^ d, 7 ^ d)
#else
#define SWAPPED(v, d) __builtin_shufflevector(v, v, 0 ^ d, 1 ^ d, 2 ^ d, 3 ^ d)
#endif

/// Joins a unit's lanes within each pixel, so that all of them have the result, in a fixed order.
#define JOIN_LANES(type, unit, join)                                                                                   \
    {                                                                                                                  \
        type all = SDX_UNIT_VECTORS == 2 ? join(unit[0], unit[SDX_UNIT_VECTORS - 1])                                   \
                                         : join(unit[0], SWAPPED(unit[0], 4 % SDX_V));                                 \
        all = join(all, SWAPPED(all, 2));                                                                              \
        all = join(all, SWAPPED(all, 1));                                                                              \
        for (int k = 0; k < SDX_UNIT_VECTORS; k++) unit[k] = all;                                                      \
    }
#define PLUS(a, b) (a + b)

/// One unit of pixels, or with n = 8 the first of two; x and y are `blocks` blocks, `stride` floats apart.
SDX_INLINE void SDX_FN(softmax_unit)(
    const float *x, float *y, int64_t blocks, int64_t stride, int64_t n, int logarithm) {
    vf m[SDX_UNIT_VECTORS];
    vdw sum[SDX_UNIT_VECTORS];
#define PART(p) (n == SDX_UNIT ? vload((p) + k * SDX_V) : vload_first((p) + k * SDX_V, 8))
#define PUT(p, v)                                                                                                      \
    do {                                                                                                               \
        if (n == SDX_UNIT) vstore((p) + k * SDX_V, (v));                                                               \
        else vstore_first((p) + k * SDX_V, 8, (v));                                                                    \
    } while (0)
    // A NaN may be left out of the maximum: its own distance makes the sum NaN.
    for (int k = 0; k < SDX_UNIT_VECTORS; k++) m[k] = PART(x);
    for (int64_t b = 1; b < blocks; b++)
        for (int k = 0; k < SDX_UNIT_VECTORS; k++) m[k] = vmax(m[k], PART(x + b * stride));
    JOIN_LANES(vf, m, vmax)
    for (int k = 0; k < SDX_UNIT_VECTORS; k++) sum[k] = (vdw)(0.0);
    for (int64_t b = 0; b < blocks; b++)
        for (int k = 0; k < SDX_UNIT_VECTORS; k++) {
            const vf e = vexp(PART(x + b * stride) - m[k]);
            sum[k] += __builtin_convertvector(e, vdw);
            if (!logarithm) PUT(y + b * stride, e);
        }
    JOIN_LANES(vdw, sum, PLUS)
    const vdw all = sum[0];
    if (logarithm) {
        const vf l = vlog(__builtin_convertvector(all, vf));
        for (int64_t b = 0; b < blocks; b++)
            for (int k = 0; k < SDX_UNIT_VECTORS; k++) PUT(y + b * stride, PART(x + b * stride) - m[k] - l);
        return;
    }
    const vf r = __builtin_convertvector(1.0 / all, vf);
    for (int64_t b = 0; b < blocks; b++)
        for (int k = 0; k < SDX_UNIT_VECTORS; k++) PUT(y + b * stride, PART(y + b * stride) * r);
#undef PUT
#undef PART
}
#undef PLUS
#undef JOIN_LANES
#undef SWAPPED

static void SDX_FN(softmax_pixels)(
    const float *x, float *y, int64_t blocks, int64_t stride, int64_t pixels, int logarithm) {
    int64_t i = 0, n = pixels * 8;
    for (; i + SDX_UNIT <= n; i += SDX_UNIT)
        SDX_FN(softmax_unit)(x + i, y + i, blocks, stride, SDX_UNIT, logarithm);
    if (SDX_V > 8 && i < n) SDX_FN(softmax_unit)(x + i, y + i, blocks, stride, 8, logarithm);
}

#else

SDX_TABLE(softmax_pixels, (const float *, float *, int64_t, int64_t, int64_t, int))

typedef struct {
    const float *x;
    float *y;
    int64_t blocks, pixels, strip, strips;
    int logarithm;
} softmax_job;

static void softmax_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const softmax_job *j = ctx;
    int64_t p = chunk % j->strips * j->strip, at = (chunk / j->strips * j->blocks * j->pixels + p) * 8;
    int64_t n = j->pixels - p < j->strip ? j->pixels - p : j->strip;
    SDX_CALL(softmax_pixels)(j->x + at, j->y + at, j->blocks, j->pixels * 8, n, j->logarithm);
}

static void softmax(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels, int logarithm) {
    if (batch <= 0 || channels <= 0 || pixels <= 0) return;
    softmax_job job = {.x = x, .y = y, .blocks = channels / 8, .pixels = pixels, .logarithm = logarithm};
    job.strip = 16384 / channels / 2 * 2 + 2; // even: whole units
    job.strips = (pixels - 1) / job.strip + 1;
    sdx_parallel_for(pool, batch * job.strips, softmax_chunk, &job);
}

void sdx_softmax_c8_f32(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels) {
    softmax(pool, x, y, batch, channels, pixels, 0);
}

void sdx_log_softmax_c8_f32(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels) {
    softmax(pool, x, y, batch, channels, pixels, 1);
}
#endif
