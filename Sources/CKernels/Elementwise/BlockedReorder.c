/// Between the plain and the channel-blocked layout: sdx_to_c8_f32, sdx_from_c8_f32.
#include "../include/sdx_elementwise.h"
#define SDX_SELF "../Elementwise/BlockedReorder.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "Blocked.h"

/// Transposes 8 × 8 floats within registers: unpacking within halves, then exchanging halves.
SDX_INLINE void SDX_FN(transpose8)(v8 r[8]) {
    v8 a[8], b[8];
    for (int i = 0; i < 8; i += 2) {
        a[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        a[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4)
        for (int k = 0; k < 2; k++) {
            b[i + 2 * k] = __builtin_shufflevector(a[i + k], a[i + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            b[i + 2 * k + 1] = __builtin_shufflevector(a[i + k], a[i + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        r[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        r[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

SDX_INLINE void SDX_FN(to_eight)(const float *x, int64_t stride, float *y) {
    v8 r[8];
    for (int c = 0; c < 8; c++) r[c] = v8load(x + c * stride);
    SDX_FN(transpose8)(r);
    for (int k = 0; k < 8; k++) v8store(y + k * 8, r[k]);
}

SDX_INLINE void SDX_FN(from_eight)(const float *x, float *y, int64_t stride) {
    v8 r[8];
    for (int k = 0; k < 8; k++) r[k] = v8load(x + k * 8);
    SDX_FN(transpose8)(r);
    for (int c = 0; c < 8; c++) v8store(y + c * stride, r[c]);
}

/// `pixels` pixels of a block: 8 rows, `stride` floats apart, to pixels of 8 floats. Where they are no multiple of 8,
/// some of the last eight are written again.
static void SDX_FN(to_block)(const float *x, int64_t stride, float *y, int64_t pixels) {
    for (int64_t p = 0; p + 8 <= pixels; p += 8) SDX_FN(to_eight)(x + p, stride, y + p * 8);
    if (pixels >= 8 && pixels % 8) SDX_FN(to_eight)(x + pixels - 8, stride, y + (pixels - 8) * 8);
    if (pixels < 8)
        for (int64_t p = 0; p < pixels; p++)
            for (int c = 0; c < 8; c++) y[p * 8 + c] = x[c * stride + p];
}

static void SDX_FN(from_block)(const float *x, float *y, int64_t stride, int64_t pixels) {
    for (int64_t p = 0; p + 8 <= pixels; p += 8) SDX_FN(from_eight)(x + p * 8, y + p, stride);
    if (pixels >= 8 && pixels % 8) SDX_FN(from_eight)(x + (pixels - 8) * 8, y + pixels - 8, stride);
    if (pixels < 8)
        for (int64_t p = 0; p < pixels; p++)
            for (int c = 0; c < 8; c++) y[c * stride + p] = x[p * 8 + c];
}

#else

SDX_TABLE(to_block, (const float *, int64_t, float *, int64_t))
SDX_TABLE(from_block, (const float *, float *, int64_t, int64_t))

// Pixels of a piece, the work of a chunk in pixels.
enum { PIECE = 2048 };

typedef struct {
    const float *x;
    float *y;
    int64_t blocks, pixels, pieces, group;
    int to_blocks;
} reorder_job;

static void reorder_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const reorder_job *j = ctx;
    const int64_t units = j->blocks * j->pieces;
    int64_t end = (chunk + 1) * j->group < units ? (chunk + 1) * j->group : units;
    for (int64_t u = chunk * j->group; u < end; u++) {
        int64_t p = u % j->pieces * PIECE, n = j->pixels - p < PIECE ? j->pixels - p : PIECE;
        int64_t block = u / j->pieces * j->pixels * 8;
        if (j->to_blocks) SDX_CALL(to_block)(j->x + block + p, j->pixels, j->y + block + p * 8, n);
        else SDX_CALL(from_block)(j->x + block + p * 8, j->y + block + p, j->pixels, n);
    }
}

static void reorder(
    sdx_pool *pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y, int to_blocks) {
    if (n <= 0 || c <= 0 || pixels <= 0) return;
    reorder_job job = {x, y, n * (c / 8), pixels, (pixels + PIECE - 1) / PIECE, 0, to_blocks};
    job.group = PIECE / (pixels < PIECE ? pixels : PIECE);
    sdx_parallel_for(pool, (job.blocks * job.pieces + job.group - 1) / job.group, reorder_chunk, &job);
}

void sdx_to_c8_f32(sdx_pool *pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y) {
    reorder(pool, n, c, pixels, x, y, 1);
}

void sdx_from_c8_f32(sdx_pool *pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y) {
    reorder(pool, n, c, pixels, x, y, 0);
}
#endif
