/// Binary operators of a channel-blocked tensor and a value a channel: sdx_channel_binary_c8_f32.
#include <math.h>

#include "../include/sdx_elementwise.h"
#define SDX_SELF "../Elementwise/BlockedBinary.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "Blocked.h"

#define RUN(expression)                                                                                                \
    SDX_EACH_UNIT(x, y, n, vmax(low, (expression)))                                                                    \
    return;

/// n floats of a block, a multiple of 8: y = max(lowest, x op b), lowest −inf where nothing follows.
static void SDX_FN(block_binary)(
    sdx_binary_op op, const float *x, const float *b, float *y, int64_t n, float lowest) {
    const vf low = vsplat(lowest);
    vf w[SDX_UNIT_VECTORS];
    unit_spread(b, w);
    switch (op) {
    case SDX_BINARY_ADD: RUN(v + w[k])
    case SDX_BINARY_SUB: RUN(v - w[k])
    case SDX_BINARY_MUL: RUN(v * w[k])
    case SDX_BINARY_DIV: RUN(v / w[k])
    case SDX_BINARY_MAX: RUN(vmax_nan(v, w[k]))
    case SDX_BINARY_MIN: RUN(vmin_nan(v, w[k]))
    case SDX_BINARY_PRELU: RUN(v < 0.0f ? v * w[k] : v)
    default: return;
    }
}
#undef RUN

static void SDX_FN(block_activate)(sdx_activation act, float *y, int64_t n) { activate_floats(act, y, n); }

#else

SDX_TABLE(block_binary, (sdx_binary_op, const float *, const float *, float *, int64_t, float))
SDX_TABLE(block_activate, (sdx_activation, float *, int64_t))

// Floats of a chunk, and of a piece that is activated while it is in the first cache.
enum { CHUNK = 32768, PIECE = 4096 };

typedef struct {
    const float *x, *b;
    float *y;
    int64_t blocks, block, b_stride, total;
    sdx_binary_op op;
    sdx_activation act;
} channel_binary_job;

static void channel_binary_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const channel_binary_job *j = ctx;
    int64_t begin = chunk * CHUNK, end = begin + CHUNK < j->total ? begin + CHUNK : j->total;
    int second = j->act.kind > SDX_ACTIVATION_RELU;
    float lowest = j->act.kind == SDX_ACTIVATION_RELU ? 0 : -INFINITY;
    for (int64_t i = begin; i < end;) {
        int64_t at = i / j->block, stop = (at + 1) * j->block < end ? (at + 1) * j->block : end;
        if (second && stop - i > PIECE) stop = i + PIECE;
        const float *b = j->b + at / j->blocks * j->b_stride + at % j->blocks * 8;
        SDX_CALL(block_binary)(j->op, j->x + i, b, j->y + i, stop - i, lowest);
        if (second) SDX_CALL(block_activate)(j->act, j->y + i, stop - i);
        i = stop;
    }
}

void sdx_channel_binary_c8_f32(
    sdx_pool *pool, sdx_binary_op op, int64_t n, int64_t c, int64_t pixels, const float *x, const float *b,
    int64_t b_stride, float *y, sdx_activation act) {
    if (op == SDX_BINARY_POW || op == SDX_BINARY_FMOD || op >= SDX_BINARY_COUNT) __builtin_trap();
    if (n <= 0 || c <= 0 || pixels <= 0) return;
    channel_binary_job job = {x, b, y, c / 8, pixels * 8, b_stride, n * c * pixels, op, act};
    sdx_parallel_for(pool, (job.total + CHUNK - 1) / CHUNK, channel_binary_chunk, &job);
}
#endif
