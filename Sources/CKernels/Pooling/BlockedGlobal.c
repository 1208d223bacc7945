/// Mean and maximum over the pixels of a channel-blocked tensor: sdx_global_average_pool_c8_f32,
/// sdx_global_max_pool_c8_f32.
#include <math.h>

#include "../include/sdx_activation.h"
#include "../include/sdx_pooling.h"
#define SDX_SELF "../Pooling/BlockedGlobal.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Elementwise/Blocked.h"
#include "../Reduction/BlockedSums.h"

/// Σ x over the pixels of a block, a value a channel.
static void SDX_FN(sum_of_block)(const float *x, int64_t pixels, double result[8]) {
    const d8 sum = block_sum(x, pixels);
    memcpy(result, &sum, sizeof sum);
}

/// The largest x; NaN where any is NaN.
static void SDX_FN(max_of_block)(const float *x, int64_t pixels, double result[8]) {
    v8 m[4];
    SDX_FN(sdx_i8) ordered[2] = {(SDX_FN(sdx_i8))(-1), (SDX_FN(sdx_i8))(-1)};
    for (int i = 0; i < 4; i++) m[i] = (v8)(-INFINITY);
    int64_t p = 0;
    // Leaves out a NaN and notes its lane: one comparison for two pixels.
    for (; p + 4 <= pixels; p += 4) {
        v8 t[4];
        for (int i = 0; i < 4; i++) t[i] = v8load(x + (p + i) * 8);
        for (int i = 0; i < 4; i++) m[i] = t[i] > m[i] ? t[i] : m[i];
        for (int i = 0; i < 2; i++) ordered[i] &= (t[2 * i] == t[2 * i]) & (t[2 * i + 1] == t[2 * i + 1]);
    }
    for (; p < pixels; p++) {
        const v8 t = v8load(x + p * 8);
        m[0] = t > m[0] ? t : m[0];
        ordered[0] &= t == t;
    }
    for (int i = 0; i < 2; i++) m[i] = m[i] > m[i + 2] ? m[i] : m[i + 2];
    m[0] = m[0] > m[1] ? m[0] : m[1];
    m[0] = (ordered[0] & ordered[1]) ? m[0] : (v8)(NAN);
    const d8 wide = __builtin_convertvector(m[0], d8);
    memcpy(result, &wide, sizeof wide);
}

#else

SDX_TABLE(sum_of_block, (const float *, int64_t, double *))
SDX_TABLE(max_of_block, (const float *, int64_t, double *))

// Pixels of a chunk; blocks' results that are kept on the stack.
enum { CHUNK = 4096, MAX_PARTS = 512 };

typedef struct {
    const float *x;
    float *y;
    int64_t blocks, pixels, split, splits, per_chunk;
    double (*parts)[8]; // [blocks][splits], or NULL where a block is one split
    int largest;
} global_job;

static void put(const global_job *j, int64_t block, const double *value) {
    for (int k = 0; k < 8; k++)
        j->y[block * 8 + k] = (float)(j->largest ? value[k] : value[k] / (double)j->pixels);
}

static void global_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const global_job *j = ctx;
    int64_t units = j->blocks * j->splits;
    int64_t end = (chunk + 1) * j->per_chunk < units ? (chunk + 1) * j->per_chunk : units;
    for (int64_t u = chunk * j->per_chunk; u < end; u++) {
        int64_t block = u / j->splits, p = u % j->splits * j->split;
        int64_t n = j->pixels - p < j->split ? j->pixels - p : j->split;
        const float *x = j->x + (block * j->pixels + p) * 8;
        double own[8], *result = j->parts ? j->parts[u] : own;
        if (j->largest) SDX_CALL(max_of_block)(x, n, result);
        else SDX_CALL(sum_of_block)(x, n, result);
        if (!j->parts) put(j, block, own);
    }
}

static void global_pool(
    sdx_pool *pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y, int largest) {
    if (n <= 0 || c <= 0) return;
    if (pixels <= 0) {
        for (int64_t i = 0; i < n * c; i++) y[i] = largest ? -INFINITY : NAN;
        return;
    }
    double parts[MAX_PARTS][8];
    global_job job = {.x = x, .y = y, .blocks = n * (c / 8), .pixels = pixels, .largest = largest};
    // Few large blocks are split. Splits are whole blocks of sums.
    job.splits = job.blocks < 64 ? (pixels - 1) / CHUNK + 1 : 1;
    if (job.splits > MAX_PARTS / job.blocks) job.splits = job.blocks < MAX_PARTS ? MAX_PARTS / job.blocks : 1;
    job.split = ((pixels - 1) / job.splits / CHUNK + 1) * CHUNK;
    job.splits = (pixels - 1) / job.split + 1;
    if (job.splits > 1) job.parts = parts;
    int64_t unit = pixels < job.split ? pixels : job.split;
    job.per_chunk = unit < CHUNK ? CHUNK / unit : 1;
    sdx_parallel_for(pool, (job.blocks * job.splits - 1) / job.per_chunk + 1, global_chunk, &job);
    if (!job.parts) return;
    for (int64_t b = 0; b < job.blocks; b++) {
        double *all = parts[b * job.splits];
        for (int64_t s = 1; s < job.splits; s++)
            for (int k = 0; k < 8; k++) {
                double v = parts[b * job.splits + s][k];
                if (!largest) all[k] += v;
                else if (!(all[k] != all[k] || all[k] > v)) all[k] = v;
            }
        put(&job, b, all);
    }
}

void sdx_global_average_pool_c8_f32(
    sdx_pool *pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y) {
    global_pool(pool, n, c, pixels, x, y, 0);
}

void sdx_global_max_pool_c8_f32(sdx_pool *pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y) {
    global_pool(pool, n, c, pixels, x, y, 1);
}
#endif
