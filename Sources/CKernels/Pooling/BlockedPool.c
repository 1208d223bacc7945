/// Max and average pooling in the channel-blocked layout: sdx_max_pool_c8_f32, sdx_average_pool_c8_f32 and the global
/// ones.
///
/// A vector holds one pixel's 8 channels, so strides and borders cost no shuffles. A small window is folded tap by tap;
/// for a large one the window's rows are folded into one padded row in a buffer first, then that row's columns.
#include <math.h>

#include "../include/sdx_activation.h"
#include "../include/sdx_pooling.h"
#include "../include/sdx_reduction.h"
#include "Window.h"
#define SDX_SELF "../Pooling/BlockedPool.c"
#include "../Isa/EachIsa.h"

#ifndef SDX_BLOCKED_POOL_JOB
#define SDX_BLOCKED_POOL_JOB
/// BLOCKED_LONG is an average whose window is so large that it is summed in double.
typedef enum { BLOCKED_MAX, BLOCKED_AVERAGE, BLOCKED_LONG } blocked_kind;
/// Pixels of the buffer; the most taps along a row, and rows, that are summed in float.
enum { BLOCKED_BUFFER = 512, BLOCKED_FLOAT_TAPS = 64 };

typedef struct {
    const float *x;
    float *y;
    const sdx_pool_window *w;
    int64_t rows, group;
    blocked_kind kind;
    int buffered, include_pad;
} blocked_pool_job;
#endif

#if SDX_ISA_PASS
#include "../Elementwise/Blocked.h"

#define fold8 SDX_FN(blocked_fold8)

SDX_INLINE v8 fold8(blocked_kind kind, v8 a, v8 b) { return kind == BLOCKED_MAX ? v8max_nan(a, b) : a + b; }

/// What an output row's windows share: rows of taps inside the tensor, by depth and height, and outputs whose window is
/// inside along the row.
typedef struct {
    const float *x; // the first row of taps, at column 0
    int64_t depths, heights, depth_step, height_step;
    int64_t counted; // the divisor's part of depth and height
    int64_t inner, inner_end;
} SDX_FN(blocked_row);

SDX_INLINE SDX_FN(blocked_row) SDX_FN(row_of)(const blocked_pool_job *j, const float *block, int64_t od, int64_t oh) {
    const sdx_pool_window *w = j->w;
    int64_t d0, d1, h0, h1;
    pool_taps(w, 0, od, 0, &d0, &d1);
    pool_taps(w, 1, oh, 0, &h0, &h1);
    int64_t d = od * w->stride[0] - w->pad_begin[0] + d0 * w->dilation[0];
    int64_t h = oh * w->stride[1] - w->pad_begin[1] + h0 * w->dilation[1];
    SDX_FN(blocked_row) r = {.depths = d1 - d0, .heights = h1 - h0};
    if (r.depths <= 0 || r.heights <= 0) r.depths = r.heights = d = h = 0;
    r.x = block + (d * w->in[1] + h) * w->in[2] * 8;
    r.depth_step = w->dilation[0] * w->in[1] * w->in[2] * 8;
    r.height_step = w->dilation[1] * w->in[2] * 8;
    r.counted = pool_count(w, 0, od, j->include_pad) * pool_count(w, 1, oh, j->include_pad);
    int64_t extent = (w->kernel[2] - 1) * w->dilation[2] + 1, room = w->in[2] - extent + w->pad_begin[2];
    r.inner = (w->pad_begin[2] + w->stride[2] - 1) / w->stride[2];
    r.inner_end = room < 0 ? 0 : room / w->stride[2] + 1;
    return r;
}

/// The sum v of output o's window divided by its number of positions.
SDX_INLINE v8 SDX_FN(mean_of)(const blocked_pool_job *j, const SDX_FN(blocked_row) *r, int64_t o, v8 v) {
    int inside = o >= r->inner && o < r->inner_end;
    int64_t n = inside ? j->w->kernel[2] : pool_count(j->w, 2, o, j->include_pad);
    return v / (float)(n * r->counted);
}

/// The fold of `taps` pixels, `step` floats apart, in each row of taps; x is the first.
SDX_INLINE v8 SDX_FN(fold_window)(
    blocked_kind kind, const SDX_FN(blocked_row) *r, const float *x, int64_t taps, int64_t step) {
    if (kind == BLOCKED_LONG) {
        d8 sum = (d8)(0.0);
        for (int64_t d = 0; d < r->depths; d++)
            for (int64_t h = 0; h < r->heights; h++) {
                const float *p = x + d * r->depth_step + h * r->height_step;
                for (int64_t k = 0; k < taps; k++) sum += __builtin_convertvector(v8load(p + k * step), d8);
            }
        return __builtin_convertvector(sum, v8);
    }
    v8 v = (v8)(kind == BLOCKED_MAX ? -INFINITY : 0.0f);
    for (int64_t d = 0; d < r->depths; d++)
        for (int64_t h = 0; h < r->heights; h++) {
            const float *p = x + d * r->depth_step + h * r->height_step;
            for (int64_t k = 0; k < taps; k++) v = fold8(kind, v, v8load(p + k * step));
        }
    return v;
}

SDX_INLINE void SDX_FN(direct_row)(
    blocked_kind kind, const blocked_pool_job *j, const SDX_FN(blocked_row) *r, float *y) {
    const sdx_pool_window *w = j->w;
    const int64_t taps = w->kernel[2], step = w->dilation[2] * 8, s = w->stride[2];
    for (int64_t o = 0; o < w->out[2]; o++) {
        const float *x = r->x + (o * s - w->pad_begin[2]) * 8;
        v8 v;
        if (o < r->inner || o >= r->inner_end) {
            int64_t first, end;
            pool_taps(w, 2, o, 0, &first, &end);
            v = SDX_FN(fold_window)(kind, r, x + first * step, end - first, step);
        } else if (taps == 2) {
            v = SDX_FN(fold_window)(kind, r, x, 2, step);
        } else if (taps == 3) {
            v = SDX_FN(fold_window)(kind, r, x, 3, step);
        } else {
            v = SDX_FN(fold_window)(kind, r, x, taps, step);
        }
        v8store(y + o * 8, kind == BLOCKED_MAX ? v : SDX_FN(mean_of)(j, r, o, v));
    }
}

SDX_INLINE void SDX_FN(buffered_row)(
    blocked_kind kind, const blocked_pool_job *j, const SDX_FN(blocked_row) *r, float *y) {
    const sdx_pool_window *w = j->w;
    const int64_t taps = w->kernel[2], step = w->dilation[2] * 8, s = w->stride[2];
    const int64_t extent = (taps - 1) * w->dilation[2] + 1, segment = (BLOCKED_BUFFER - extent) / s + 1;
    const v8 identity = (v8)(kind == BLOCKED_MAX ? -INFINITY : 0.0f);
    float buffer[BLOCKED_BUFFER * 8];
    for (int64_t o = 0; o < w->out[2]; o += segment) {
        int64_t n = w->out[2] - o < segment ? w->out[2] - o : segment;
        int64_t from = o * s - w->pad_begin[2], span = (n - 1) * s + extent;
        for (int64_t i = 0; i < span; i++) {
            int64_t column = from + i;
            v8 v = identity;
            if (column >= 0 && column < w->in[2]) v = SDX_FN(fold_window)(kind, r, r->x + column * 8, 1, 0);
            v8store(buffer + i * 8, v);
        }
        for (int64_t i = 0; i < n; i++) {
            const float *p = buffer + i * s * 8;
            v8 v = v8load(p);
            for (int64_t k = 1; k < taps; k++) v = fold8(kind, v, v8load(p + k * step));
            v8store(y + (o + i) * 8, kind == BLOCKED_MAX ? v : SDX_FN(mean_of)(j, r, o + i, v));
        }
    }
}

static void SDX_FN(blocked_pool_row)(
    const blocked_pool_job *j, const float *block, int64_t od, int64_t oh, float *y) {
    const SDX_FN(blocked_row) r = SDX_FN(row_of)(j, block, od, oh);
    if (j->kind == BLOCKED_LONG) SDX_FN(direct_row)(BLOCKED_LONG, j, &r, y);
    else if (j->kind == BLOCKED_MAX && j->buffered) SDX_FN(buffered_row)(BLOCKED_MAX, j, &r, y);
    else if (j->kind == BLOCKED_MAX) SDX_FN(direct_row)(BLOCKED_MAX, j, &r, y);
    else if (j->buffered) SDX_FN(buffered_row)(BLOCKED_AVERAGE, j, &r, y);
    else SDX_FN(direct_row)(BLOCKED_AVERAGE, j, &r, y);
}

#else

SDX_TABLE(blocked_pool_row, (const blocked_pool_job *, const float *, int64_t, int64_t, float *))

static void blocked_pool_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const blocked_pool_job *j = ctx;
    const sdx_pool_window *w = j->w;
    int64_t end = (chunk + 1) * j->group < j->rows ? (chunk + 1) * j->group : j->rows;
    for (int64_t row = chunk * j->group; row < end; row++) {
        int64_t oh = row % w->out[1], od = row / w->out[1] % w->out[0], block = row / w->out[1] / w->out[0];
        const float *x = j->x + block * w->in[0] * w->in[1] * w->in[2] * 8;
        SDX_CALL(blocked_pool_row)(j, x, od, oh, j->y + row * w->out[2] * 8);
    }
}

static void blocked_pool(sdx_pool *pool, blocked_pool_job *j, int64_t planes) {
    const sdx_pool_window *w = j->w;
    j->rows = planes / 8 * w->out[0] * w->out[1];
    if (j->rows <= 0 || w->out[2] <= 0) return;
    // Loads an output pixel: tap by tap, or by the buffer. Both are cut off before they could overflow.
    enum { MANY = 1 << 20 };
    int64_t depths = w->kernel[0] < MANY ? w->kernel[0] : MANY, heights = w->kernel[1] < MANY ? w->kernel[1] : MANY;
    int64_t taps = w->kernel[2] < MANY ? w->kernel[2] : MANY, stride = w->stride[2] < MANY ? w->stride[2] : MANY;
    int64_t high = depths * heights < MANY ? depths * heights : MANY;
    if (j->kind == BLOCKED_AVERAGE && (high > BLOCKED_FLOAT_TAPS || taps > BLOCKED_FLOAT_TAPS)) j->kind = BLOCKED_LONG;
    int64_t by_tap = high * taps, by_buffer = stride * (high + 1) + taps;
    j->buffered = j->kind != BLOCKED_LONG && taps <= BLOCKED_BUFFER && w->dilation[2] <= BLOCKED_BUFFER &&
                  (taps - 1) * w->dilation[2] + 1 <= BLOCKED_BUFFER && by_buffer + 2 < by_tap;
    int64_t pixels = w->out[2] < MANY ? w->out[2] : MANY;
    j->group = 16384 / (pixels * (j->buffered ? by_buffer : by_tap)) + 1;
    sdx_parallel_for(pool, (j->rows + j->group - 1) / j->group, blocked_pool_chunk, j);
}

void sdx_max_pool_c8_f32(
    sdx_pool *pool, const float *x, float *y, int64_t planes, const sdx_pool_window *window) {
    blocked_pool_job job = {.x = x, .y = y, .w = window, .kind = BLOCKED_MAX};
    blocked_pool(pool, &job, planes);
}

void sdx_average_pool_c8_f32(
    sdx_pool *pool, const float *x, float *y, int64_t planes, const sdx_pool_window *window, int count_include_pad) {
    blocked_pool_job job = {
        .x = x, .y = y, .w = window, .kind = BLOCKED_AVERAGE, .include_pad = count_include_pad};
    blocked_pool(pool, &job, planes);
}

void sdx_global_average_pool_c8_f32(
    sdx_pool *pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y) {
    sdx_reduce_f32(pool, SDX_REDUCE_MEAN, x, y, n * (c / 8), pixels, 8);
}

void sdx_global_max_pool_c8_f32(sdx_pool *pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y) {
    sdx_reduce_f32(pool, SDX_REDUCE_MAX, x, y, n * (c / 8), pixels, 8);
}
#endif
