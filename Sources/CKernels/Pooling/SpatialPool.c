/// Max, average and Lp pooling: sdx_max_pool_f32, sdx_average_pool_f32, sdx_lp_pool_f32.
///
/// An output row is made in two steps: the window's rows are folded into one padded row in a buffer, then that row's
/// columns are folded with the stride. The fold of rows costs kernel_d · kernel_h per input column instead of per
/// output tap.
#include <math.h>

#include "../include/sdx_pooling.h"
#include "../include/sdx_reduction.h"
#include "Window.h"
#define SDX_SELF "../Pooling/SpatialPool.c"
#include "../Isa/EachIsa.h"

#ifndef SDX_POOL_KINDS
#define SDX_POOL_KINDS
typedef enum { POOL_MAX, POOL_AVERAGE, POOL_LP1, POOL_LP2, POOL_LP } pool_kind;
enum { POOL_BUFFER = 4096, POOL_SLACK = 64, POOL_ROWS = 64 };

typedef struct {
    const float *x;
    float *y;
    int64_t *indices;
    const sdx_pool_window *w;
    int64_t rows, group;
    pool_kind kind;
    float p;
    int include_pad, column_major, spatial_rank;
} pool_job;
#endif

#if SDX_ISA_PASS
#include "../Elementwise/VectorMath.h"

#define pool_map SDX_FN(pool_map_)
#define pool_fold SDX_FN(pool_fold_)
#define pool_evens SDX_FN(pool_evens_)
#define pool_odds SDX_FN(pool_odds_)

SDX_INLINE vf pool_map(pool_kind kind, vf x, float p) {
    switch (kind) {
    case POOL_LP1: return vabs(x);
    case POOL_LP2: return x * x;
    case POOL_LP: return vpow(vabs(x), vsplat(p));
    default: return x;
    }
}
SDX_INLINE vf pool_fold(pool_kind kind, vf a, vf b) { return kind == POOL_MAX ? vmax_nan(a, b) : a + b; }

/// Floats 0, 2, 4, … and 1, 3, 5, … of two vectors.
SDX_INLINE vf pool_evens(vf a, vf b) {
#if SDX_V == 16
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif SDX_V == 8
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
    return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#endif
}
SDX_INLINE vf pool_odds(vf a, vf b) {
#if SDX_V == 16
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif SDX_V == 8
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
    return __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

/// out[i] = the fold of column i over n rows; with `more`, of out[i] too.
SDX_INLINE void SDX_FN(fold_rows)(
    pool_kind kind, const float *const *rows, int64_t n, float *out, int64_t columns, float p, int more) {
    for (int64_t i = 0; i < columns; i += SDX_V) {
        int64_t m = columns - i < SDX_V ? columns - i : SDX_V;
        vf v;
        if (SDX_LIKELY(m == SDX_V)) {
            v = pool_map(kind, vload(rows[0] + i), p);
            for (int64_t r = 1; r < n; r++) v = pool_fold(kind, v, pool_map(kind, vload(rows[r] + i), p));
            vstore(out + i, more ? pool_fold(kind, vload(out + i), v) : v);
        } else {
            v = pool_map(kind, vload_first(rows[0] + i, m), p);
            for (int64_t r = 1; r < n; r++) v = pool_fold(kind, v, pool_map(kind, vload_first(rows[r] + i, m), p));
            vstore_first(out + i, m, more ? pool_fold(kind, vload_first(out + i, m), v) : v);
        }
    }
}

/// What is done to folded windows o ... of an output row: sums are divided by their counts, norms take their root.
/// `plane` is the count along the other dimensions; windows full ... full_end have all taps of the row.
SDX_INLINE vf SDX_FN(finish)(
    pool_kind kind, const pool_job *j, int64_t plane, int64_t full, int64_t full_end, int64_t o, vf v) {
    if (kind == POOL_LP2) return vsqrt(v);
    if (kind == POOL_LP) return vpow(v, vsplat(1 / j->p));
    if (kind != POOL_AVERAGE) return v;
    vf d = vsplat((float)(plane * j->w->kernel[2]));
    if (o < full || o + SDX_V > full_end)
        for (int l = 0; l < SDX_V; l++) d[l] = (float)(plane * pool_count(j->w, 2, o + l, j->include_pad));
    return v / d;
}

/// The fold over k of q[i·stride + k·dilation] for SDX_V windows i, of which `lanes` count; reads whole vectors.
SDX_INLINE vf SDX_FN(fold_columns)(
    pool_kind kind, const float *q, int64_t taps, int64_t stride, int64_t dilation, int64_t lanes) {
    vf v;
    if (stride == 1) {
        v = vload(q);
        for (int64_t k = 1; k < taps; k++) v = pool_fold(kind, v, vload(q + k * dilation));
    } else if (stride == 2) {
        v = pool_evens(vload(q), vload(q + SDX_V));
        for (int64_t k = 1; k < taps; k++) {
            const float *t = q + k * dilation;
            v = pool_fold(kind, v, pool_evens(vload(t), vload(t + SDX_V)));
        }
    } else {
        v = vsplat(0);
        for (int64_t l = 0; l < lanes; l++) v[l] = q[l * stride];
        for (int64_t k = 1; k < taps; k++) {
            vf u = vsplat(0);
            for (int64_t l = 0; l < lanes; l++) u[l] = q[l * stride + k * dilation];
            v = pool_fold(kind, v, u);
        }
    }
    return v;
}

SDX_INLINE void SDX_FN(pool_row_kind)(
    pool_kind kind, const pool_job *j, const float *plane, int64_t od, int64_t oh, float *y) {
    const sdx_pool_window *w = j->w;
    const int64_t in_w = w->in[2], out_w = w->out[2], s = w->stride[2], taps = w->kernel[2], dil = w->dilation[2];
    const int64_t extent = (taps - 1) * dil + 1, segment = (POOL_BUFFER - extent) / s + 1;
    const float identity = kind == POOL_MAX ? -INFINITY : 0;
    float buffer[POOL_BUFFER + POOL_SLACK];
    const float *rows[POOL_ROWS];
    int64_t plane_count = 0, full = 0, full_end = 0;
    if (kind == POOL_AVERAGE) {
        plane_count = pool_count(w, 0, od, j->include_pad) * pool_count(w, 1, oh, j->include_pad);
        int64_t high = in_w + (j->include_pad ? w->pad_end[2] : 0) + w->pad_begin[2];
        full = j->include_pad ? 0 : (w->pad_begin[2] + s - 1) / s;
        full_end = high < extent ? 0 : (high - extent) / s + 1;
    }
    for (int64_t o = 0; o < out_w; o += segment) {
        int64_t n = out_w - o < segment ? out_w - o : segment;
        int64_t from = o * s - w->pad_begin[2], span = (n - 1) * s + extent;
        int64_t left = from < 0 ? -from : 0, right = from + span - in_w;
        if (left > span) left = span;
        if (right < 0) right = 0;
        if (right > span - left) right = span - left;
        int64_t columns = span - left - right, count = 0, folded = 0, done = 0;
        for (int64_t kd = 0; kd < w->kernel[0]; kd++) {
            int64_t d = od * w->stride[0] - w->pad_begin[0] + kd * w->dilation[0];
            if (d < 0 || d >= w->in[0]) continue;
            for (int64_t kh = 0; kh < w->kernel[1]; kh++) {
                int64_t h = oh * w->stride[1] - w->pad_begin[1] + kh * w->dilation[1];
                if (h < 0 || h >= w->in[1]) continue;
                if (count == POOL_ROWS) {
                    SDX_FN(fold_rows)(kind, rows, count, buffer + left, columns, j->p, folded);
                    folded = 1;
                    count = 0;
                }
                rows[count++] = plane + (d * w->in[1] + h) * in_w + from + left;
            }
        }
        if (taps == 2 && s == 2 && dil == 1 && !folded && count > 0 && left == 0 && kind <= POOL_AVERAGE) {
            // 2 × 2 and 2 × 2 × 2 with stride 2: no buffer.
            for (; done + SDX_V <= n && 2 * (done + SDX_V) <= columns; done += SDX_V) {
                vf a = vload(rows[0] + 2 * done), b = vload(rows[0] + 2 * done + SDX_V);
                for (int64_t r = 1; r < count; r++) {
                    a = pool_fold(kind, a, vload(rows[r] + 2 * done));
                    b = pool_fold(kind, b, vload(rows[r] + 2 * done + SDX_V));
                }
                vf v = pool_fold(kind, pool_evens(a, b), pool_odds(a, b));
                vstore(y + o + done, SDX_FN(finish)(kind, j, plane_count, full, full_end, o + done, v));
            }
            for (int64_t r = 0; r < count; r++) rows[r] += 2 * done;
            columns -= 2 * done;
        }
        if (done < n) {
            for (int64_t i = 0; i < left; i++) buffer[i] = identity;
            if (count > 0) SDX_FN(fold_rows)(kind, rows, count, buffer + left, columns, j->p, (int)folded);
            else if (!folded) columns = 0, right = span - left - 2 * done;
            for (int64_t i = 0; i < right; i++) buffer[left + columns + i] = identity;
        }
        for (int64_t i = done; i < n; i += SDX_V) {
            vf v = SDX_FN(fold_columns)(kind, buffer + (i - done) * s, taps, s, dil, n - i < SDX_V ? n - i : SDX_V);
            v = SDX_FN(finish)(kind, j, plane_count, full, full_end, o + i, v);
            if (SDX_LIKELY(n - i >= SDX_V)) vstore(y + o + i, v);
            else vstore_first(y + o + i, n - i, v);
        }
    }
}

static void SDX_FN(pool_row)(const pool_job *j, const float *plane, int64_t od, int64_t oh, float *y) {
    switch (j->kind) {
    case POOL_MAX: SDX_FN(pool_row_kind)(POOL_MAX, j, plane, od, oh, y); break;
    case POOL_AVERAGE: SDX_FN(pool_row_kind)(POOL_AVERAGE, j, plane, od, oh, y); break;
    case POOL_LP1: SDX_FN(pool_row_kind)(POOL_LP1, j, plane, od, oh, y); break;
    case POOL_LP2: SDX_FN(pool_row_kind)(POOL_LP2, j, plane, od, oh, y); break;
    case POOL_LP: SDX_FN(pool_row_kind)(POOL_LP, j, plane, od, oh, y); break;
    }
}

#else

SDX_TABLE(pool_row, (const pool_job *, const float *, int64_t, int64_t, float *))

/// One output at a time: with indices, and for windows wider than the buffer.
static void pool_row_direct(const pool_job *j, int64_t plane, int64_t od, int64_t oh, float *y, int64_t *indices) {
    const sdx_pool_window *w = j->w;
    const int64_t size = w->in[0] * w->in[1] * w->in[2];
    const float *x = j->x + plane * size;
    int64_t step[3] = {w->in[1] * w->in[2], w->in[2], 1}; // of a position, as the indices count
    if (j->column_major && j->spatial_rank == 2) step[1] = 1, step[2] = w->in[1];
    if (j->column_major && j->spatial_rank == 3) step[0] = 1, step[1] = w->in[0], step[2] = w->in[0] * w->in[1];
    for (int64_t ow = 0; ow < w->out[2]; ow++) {
        double sum = 0;
        float best = -INFINITY;
        int64_t at = -1;
        for (int64_t kd = 0; kd < w->kernel[0]; kd++) {
            int64_t d = od * w->stride[0] - w->pad_begin[0] + kd * w->dilation[0];
            if (d < 0 || d >= w->in[0]) continue;
            for (int64_t kh = 0; kh < w->kernel[1]; kh++) {
                int64_t h = oh * w->stride[1] - w->pad_begin[1] + kh * w->dilation[1];
                if (h < 0 || h >= w->in[1]) continue;
                const float *row = x + (d * w->in[1] + h) * w->in[2];
                for (int64_t kw = 0; kw < w->kernel[2]; kw++) {
                    int64_t c = ow * w->stride[2] - w->pad_begin[2] + kw * w->dilation[2];
                    if (c < 0 || c >= w->in[2]) continue;
                    float v = row[c];
                    switch (j->kind) {
                    case POOL_MAX: { // without branches: which tap wins is random
                        int take = (v > best) | ((v != v) & (best == best)) | (at < 0);
                        best = take ? v : best;
                        at = take ? d * step[0] + h * step[1] + c * step[2] : at;
                        break;
                    }
                    case POOL_AVERAGE: sum += v; break;
                    case POOL_LP1: sum += fabs((double)v); break;
                    case POOL_LP2: sum += (double)v * v; break;
                    case POOL_LP: sum += pow(fabs((double)v), j->p); break;
                    }
                }
            }
        }
        switch (j->kind) {
        case POOL_MAX: y[ow] = best; break;
        case POOL_AVERAGE:
            y[ow] = (float)(sum / (double)(pool_count(w, 0, od, j->include_pad) * pool_count(w, 1, oh, j->include_pad) *
                                           pool_count(w, 2, ow, j->include_pad)));
            break;
        case POOL_LP1: y[ow] = (float)sum; break;
        case POOL_LP2: y[ow] = (float)sqrt(sum); break;
        case POOL_LP: y[ow] = (float)pow(sum, 1 / (double)j->p); break;
        }
        if (!indices) continue;
        indices[ow] = at < 0 ? -1 : plane * size + at;
    }
}

static void pool_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const pool_job *j = ctx;
    const sdx_pool_window *w = j->w;
    int64_t end = (chunk + 1) * j->group < j->rows ? (chunk + 1) * j->group : j->rows;
    int direct = j->indices != NULL || (w->kernel[2] - 1) * w->dilation[2] + 1 > POOL_BUFFER;
    for (int64_t row = chunk * j->group; row < end; row++) {
        int64_t oh = row % w->out[1], od = row / w->out[1] % w->out[0], plane = row / w->out[1] / w->out[0];
        float *y = j->y + row * w->out[2];
        if (direct) pool_row_direct(j, plane, od, oh, y, j->indices ? j->indices + row * w->out[2] : NULL);
        else SDX_CALL(pool_row)(j, j->x + plane * w->in[0] * w->in[1] * w->in[2], od, oh, y);
    }
}

static void pool_run(sdx_pool *pool, pool_job *j, int64_t planes) {
    const sdx_pool_window *w = j->w;
    j->rows = planes * w->out[0] * w->out[1];
    if (j->rows <= 0 || w->out[2] <= 0) return;
    int64_t cost = w->kernel[0] * w->kernel[1] * (w->in[2] < w->out[2] ? w->out[2] : w->in[2]);
    if (j->kind == POOL_LP) cost *= 8;
    if (j->indices) cost *= w->kernel[2] * 4;
    j->group = 32768 / cost + 1;
    sdx_parallel_for(pool, (j->rows + j->group - 1) / j->group, pool_chunk, j);
}

void sdx_max_pool_f32(
    sdx_pool *pool, const float *x, float *y, int64_t *indices, int64_t planes, const sdx_pool_window *window,
    int column_major, int spatial_rank) {
    pool_job job = {.x = x, .y = y, .indices = indices, .w = window, .kind = POOL_MAX, .column_major = column_major,
                    .spatial_rank = spatial_rank};
    pool_run(pool, &job, planes);
}

void sdx_average_pool_f32(
    sdx_pool *pool, const float *x, float *y, int64_t planes, const sdx_pool_window *window, int count_include_pad) {
    pool_job job = {.x = x, .y = y, .w = window, .kind = POOL_AVERAGE, .include_pad = count_include_pad};
    pool_run(pool, &job, planes);
}

void sdx_lp_pool_f32(
    sdx_pool *pool, const float *x, float *y, int64_t planes, const sdx_pool_window *window, int64_t p) {
    pool_kind kind = p == 1 ? POOL_LP1 : p == 2 ? POOL_LP2 : POOL_LP;
    pool_job job = {.x = x, .y = y, .w = window, .kind = kind, .p = (float)p};
    pool_run(pool, &job, planes);
}

void sdx_global_average_pool_f32(sdx_pool *pool, const float *x, float *y, int64_t planes, int64_t spatial) {
    sdx_reduce_f32(pool, SDX_REDUCE_MEAN, x, y, planes, spatial, 1);
}
void sdx_global_max_pool_f32(sdx_pool *pool, const float *x, float *y, int64_t planes, int64_t spatial) {
    sdx_reduce_f32(pool, SDX_REDUCE_MAX, x, y, planes, spatial, 1);
}
void sdx_global_lp_pool_f32(
    sdx_pool *pool, const float *x, float *y, int64_t planes, int64_t spatial, int64_t p) {
    if (p <= 2) {
        sdx_reduce_f32(pool, p == 1 ? SDX_REDUCE_L1 : SDX_REDUCE_L2, x, y, planes, spatial, 1);
        return;
    }
    sdx_pool_window window = {.in = {1, 1, spatial}, .out = {1, 1, 1}, .kernel = {1, 1, spatial}, .stride = {1, 1, 1},
                              .dilation = {1, 1, 1}};
    sdx_lp_pool_f32(pool, x, y, planes, &window, p);
}
#endif
