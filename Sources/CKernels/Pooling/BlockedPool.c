/// Max and average pooling in the channel-blocked layout: sdx_max_pool_c8_f32, sdx_average_pool_c8_f32.
///
/// A vector holds one pixel's 8 channels, so strides and borders cost no shuffles. A small window is folded tap by tap;
/// for a large one the window's rows are folded into one padded row in a buffer first, then that row's columns. A
/// maximum first takes for granted that there is no NaN and only looks whether there is: then its row is made again.
#include <math.h>

#include "../include/sdx_activation.h"
#include "../include/sdx_pooling.h"
#include "Window.h"
#define SDX_SELF "../Pooling/BlockedPool.c"
#include "../Isa/EachIsa.h"

#ifndef SDX_BLOCKED_POOL_JOB
#define SDX_BLOCKED_POOL_JOB
/// BLOCKED_MAX leaves out a NaN or not, BLOCKED_MAX_NAN keeps it; BLOCKED_LONG is an average whose window is so large
/// that it is summed in double.
typedef enum { BLOCKED_MAX, BLOCKED_MAX_NAN, BLOCKED_AVERAGE, BLOCKED_LONG } blocked_kind;
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
#define foldv SDX_FN(blocked_foldv)
#define blocked_row SDX_FN(blocked_row_)

SDX_INLINE v8 fold8(blocked_kind kind, v8 a, v8 b) {
    return kind == BLOCKED_MAX_NAN ? v8max_nan(a, b) : kind == BLOCKED_MAX ? (a > b ? a : b) : a + b;
}
SDX_INLINE vf foldv(blocked_kind kind, vf a, vf b) {
    return kind == BLOCKED_MAX_NAN ? vmax_nan(a, b) : kind == BLOCKED_MAX ? vmax(a, b) : a + b;
}
SDX_INLINE float SDX_FN(identity_of)(blocked_kind kind) { return kind <= BLOCKED_MAX_NAN ? -INFINITY : 0; }

/// What an output row's windows share: rows of taps inside the tensor, by depth and height, and the outputs inner ..<
/// inner_end whose window is inside along the row.
typedef struct {
    const float *x; // the first row of taps, at column 0
    int64_t depths, heights, depth_step, height_step;
    int64_t counted; // the divisor's part of depth and height
    int64_t inner, inner_end;
} blocked_row;

SDX_INLINE blocked_row SDX_FN(row_of)(const blocked_pool_job *j, const float *block, int64_t od, int64_t oh) {
    const sdx_pool_window *w = j->w;
    int64_t d0, d1, h0, h1;
    pool_taps(w, 0, od, 0, &d0, &d1);
    pool_taps(w, 1, oh, 0, &h0, &h1);
    int64_t d = od * w->stride[0] - w->pad_begin[0] + d0 * w->dilation[0];
    int64_t h = oh * w->stride[1] - w->pad_begin[1] + h0 * w->dilation[1];
    blocked_row r = {.depths = d1 - d0, .heights = h1 - h0};
    if (r.depths <= 0 || r.heights <= 0) r.depths = r.heights = d = h = 0;
    r.x = block + (d * w->in[1] + h) * w->in[2] * 8;
    r.depth_step = w->dilation[0] * w->in[1] * w->in[2] * 8;
    r.height_step = w->dilation[1] * w->in[2] * 8;
    r.counted = pool_count(w, 0, od, j->include_pad) * pool_count(w, 1, oh, j->include_pad);
    int64_t extent = (w->kernel[2] - 1) * w->dilation[2] + 1, room = w->in[2] - extent + w->pad_begin[2];
    int64_t inner = (w->pad_begin[2] + w->stride[2] - 1) / w->stride[2], end = room < 0 ? 0 : room / w->stride[2] + 1;
    r.inner = inner < w->out[2] ? inner : w->out[2];
    r.inner_end = end < r.inner ? r.inner : end < w->out[2] ? end : w->out[2];
    return r;
}

/// How many positions the divisor of output o counts.
SDX_INLINE float SDX_FN(divisor_of)(const blocked_pool_job *j, const blocked_row *r, int64_t o) {
    return (float)(pool_count(j->w, 2, o, j->include_pad) * r->counted);
}

/// The fold of `taps` pixels, `step` floats apart, in each row of taps; x is the first.
SDX_INLINE v8 SDX_FN(fold_window)(
    blocked_kind kind, const blocked_row *r, const float *x, int64_t taps, int64_t step) {
    v8 v = (v8)(SDX_FN(identity_of)(kind));
    d8 sum = (d8)(0.0);
    for (int64_t d = 0; d < r->depths; d++)
        for (int64_t h = 0; h < r->heights; h++) {
            const float *p = x + d * r->depth_step + h * r->height_step;
            for (int64_t k = 0; k < taps; k++) {
                if (kind == BLOCKED_LONG) sum += __builtin_convertvector(v8load(p + k * step), d8);
                else v = fold8(kind, v8load(p + k * step), v);
            }
        }
    return kind == BLOCKED_LONG ? __builtin_convertvector(sum, v8) : v;
}

/// The inner outputs of a row, for windows of constant rows (at most 4) and taps in a row (at most 9 in all). False if
/// a NaN was seen.
SDX_INLINE bool SDX_FN(fixed_outputs)(
    blocked_kind kind, const blocked_pool_job *j, const blocked_row *r, float *y, const int rows, const int taps) {
    const int64_t step = j->w->dilation[2] * 8, stride = j->w->stride[2] * 8;
    const float *x = r->x - j->w->pad_begin[2] * 8, divisor = (float)(taps * r->counted);
    int64_t offset[4];
    for (int i = 0; i < rows; i++)
        offset[i] = i / r->heights * r->depth_step + i % r->heights * r->height_step;
    SDX_FN(sdx_i8) ordered = (SDX_FN(sdx_i8))(-1);
    for (int64_t o = r->inner; o < r->inner_end; o++) {
        v8 t[9];
        for (int i = 0; i < rows; i++)
            for (int k = 0; k < taps; k++) t[i * taps + k] = v8load(x + o * stride + offset[i] + k * step);
        v8 v = t[0];
        for (int i = 1; i < rows * taps; i++) v = fold8(kind, t[i], v);
        if (kind == BLOCKED_MAX) {
            for (int i = 0; i + 2 <= rows * taps; i += 2) ordered &= (t[i] == t[i]) & (t[i + 1] == t[i + 1]);
            if (rows * taps % 2) ordered &= t[rows * taps - 1] == t[rows * taps - 1];
        }
        v8store(y + o * 8, kind == BLOCKED_AVERAGE ? v / divisor : v);
    }
    return __builtin_reduce_and(ordered) != 0;
}

/// Tap by tap. False if a NaN was seen that may have been left out.
SDX_INLINE bool SDX_FN(direct_row)(blocked_kind kind, const blocked_pool_job *j, const blocked_row *r, float *y) {
    const sdx_pool_window *w = j->w;
    const int64_t taps = w->kernel[2], step = w->dilation[2] * 8, rows = r->depths * r->heights;
    int64_t inner_end = r->inner;
    bool ordered = true;
#define FIXED(of_rows, of_taps)                                                                                        \
    if (rows == of_rows && taps == of_taps) {                                                                          \
        ordered = SDX_FN(fixed_outputs)(kind, j, r, y, of_rows, of_taps);                                              \
        inner_end = r->inner_end;                                                                                      \
    }
    if (kind == BLOCKED_MAX || kind == BLOCKED_AVERAGE) {
        FIXED(1, 2)
        FIXED(2, 2)
        FIXED(4, 2)
        FIXED(1, 3)
        FIXED(2, 3)
        FIXED(3, 3)
    }
#undef FIXED
    const blocked_kind careful = kind == BLOCKED_MAX ? BLOCKED_MAX_NAN : kind;
    for (int64_t o = 0; o < w->out[2]; o++) {
        if (o == r->inner) o = inner_end;
        if (o == w->out[2]) break;
        int64_t first, end;
        pool_taps(w, 2, o, 0, &first, &end);
        const float *x = r->x + (o * w->stride[2] - w->pad_begin[2]) * 8 + first * step;
        v8 v = SDX_FN(fold_window)(careful, r, x, end - first, step);
        v8store(y + o * 8, kind >= BLOCKED_AVERAGE ? v / SDX_FN(divisor_of)(j, r, o) : v);
    }
    return ordered;
}

/// y[i] = the fold over d, h of x[i + d·depth_step + h·height_step], n floats, a multiple of 8. Clears lanes of
/// *ordered where a NaN was seen.
SDX_INLINE void SDX_FN(fold_rows)(
    blocked_kind kind, const float *x, int64_t depths, int64_t heights, int64_t depth_step, int64_t height_step,
    float *y, int64_t n, vi *ordered) {
    int64_t i = 0;
    for (; i + 4 * SDX_V <= n; i += 4 * SDX_V) {
        vf v[4];
        for (int k = 0; k < 4; k++) v[k] = vsplat(SDX_FN(identity_of)(kind));
        for (int64_t d = 0; d < depths; d++)
            for (int64_t h = 0; h < heights; h++) {
                const float *p = x + i + d * depth_step + h * height_step;
                vf t[4];
                for (int k = 0; k < 4; k++) t[k] = vload(p + k * SDX_V);
                for (int k = 0; k < 4; k++) v[k] = foldv(kind, t[k], v[k]);
                if (kind == BLOCKED_MAX)
                    for (int k = 0; k < 4; k += 2) *ordered &= (t[k] == t[k]) & (t[k + 1] == t[k + 1]);
            }
        for (int k = 0; k < 4; k++) vstore(y + i + k * SDX_V, v[k]);
    }
    for (; i < n; i += SDX_V) {
        int64_t m = n - i < SDX_V ? n - i : SDX_V;
        vf v = vsplat(SDX_FN(identity_of)(kind));
        for (int64_t d = 0; d < depths; d++)
            for (int64_t h = 0; h < heights; h++) {
                const vf t = vload_first(x + i + d * depth_step + h * height_step, m);
                v = foldv(kind, t, v);
                *ordered &= t == t;
            }
        vstore_first(y + i, m, v);
    }
}

/// By the buffer. False if a NaN was seen that may have been left out.
SDX_INLINE bool SDX_FN(buffered_row)(blocked_kind kind, const blocked_pool_job *j, const blocked_row *r, float *y) {
    const sdx_pool_window *w = j->w;
    const int64_t taps = w->kernel[2], step = w->dilation[2] * 8, s = w->stride[2];
    const int64_t extent = (taps - 1) * w->dilation[2] + 1, segment = (BLOCKED_BUFFER - extent) / s + 1;
    const v8 identity = (v8)(SDX_FN(identity_of)(kind));
    float buffer[BLOCKED_BUFFER * 8];
    vi ordered = (vi)(-1), ignored = ordered;
    for (int64_t o = 0; o < w->out[2]; o += segment) {
        int64_t n = w->out[2] - o < segment ? w->out[2] - o : segment;
        int64_t from = o * s - w->pad_begin[2], span = (n - 1) * s + extent;
        int64_t left = from < 0 ? -from : 0, right = from + span - w->in[2];
        left = left < span ? left : span;
        right = right < 0 ? 0 : right < span - left ? right : span - left;
        for (int64_t i = 0; i < left; i++) v8store(buffer + i * 8, identity);
        SDX_FN(fold_rows)(
            kind, r->x + (from + left) * 8, r->depths, r->heights, r->depth_step, r->height_step, buffer + left * 8,
            (span - left - right) * 8, &ordered);
        for (int64_t i = span - right; i < span; i++) v8store(buffer + i * 8, identity);
        if (s == 1) {
            SDX_FN(fold_rows)(kind, buffer, 1, taps, 0, step, y + o * 8, n * 8, &ignored);
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            const float *p = buffer + i * s * 8;
            v8 v = v8load(p);
            for (int64_t k = 1; k < taps; k++) v = fold8(kind, v8load(p + k * step), v);
            v8store(y + (o + i) * 8, v);
        }
    }
    if (kind == BLOCKED_AVERAGE) {
        for (int64_t o = 0; o < w->out[2]; o++) {
            if (o == r->inner) o = r->inner_end;
            if (o == w->out[2]) break;
            v8store(y + o * 8, v8load(y + o * 8) / SDX_FN(divisor_of)(j, r, o));
        }
        const float divisor = (float)(taps * r->counted), *whole = y + r->inner * 8;
        SDX_EACH_UNIT(whole, y + r->inner * 8, (r->inner_end - r->inner) * 8, v / divisor)
    }
    return __builtin_reduce_and(ordered) != 0;
}

static void SDX_FN(blocked_pool_row)(
    const blocked_pool_job *j, const float *block, int64_t od, int64_t oh, float *y) {
    const blocked_row r = SDX_FN(row_of)(j, block, od, oh);
    switch (j->kind) {
    case BLOCKED_LONG: SDX_FN(direct_row)(BLOCKED_LONG, j, &r, y); break;
    case BLOCKED_AVERAGE:
        if (j->buffered) SDX_FN(buffered_row)(BLOCKED_AVERAGE, j, &r, y);
        else SDX_FN(direct_row)(BLOCKED_AVERAGE, j, &r, y);
        break;
    default:
        if (j->buffered) {
            if (SDX_TARGET_NEON || !SDX_FN(buffered_row)(BLOCKED_MAX, j, &r, y))
                SDX_FN(buffered_row)(BLOCKED_MAX_NAN, j, &r, y);
        } else if (!SDX_FN(direct_row)(BLOCKED_MAX, j, &r, y)) {
            SDX_FN(direct_row)(BLOCKED_MAX_NAN, j, &r, y);
        }
    }
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
                  (taps - 1) * w->dilation[2] + 1 <= BLOCKED_BUFFER && by_buffer < by_tap;
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
#endif
