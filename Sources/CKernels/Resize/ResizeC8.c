/// Resizing in layout c8: sdx_resize_nearest_c8_f32 and sdx_resize_separable_c8_f32. A pixel is eight lanes, so that an
/// output along w is a copy or a weighted sum of whole vectors.
///
/// A filtered row is made in two steps: the input rows it needs are mixed into one in a buffer, then its pixels are.
#include <math.h>

#include "../include/sdx_activation.h"
#include "../include/sdx_resize.h"
#define SDX_SELF "../Resize/ResizeC8.c"
#include "../Isa/EachIsa.h"

#ifndef SDX_RESIZE_C8_JOB
#define SDX_RESIZE_C8_JOB
enum { RESIZE_C8_PIXELS = 512, RESIZE_C8_ROWS = 64 };

typedef struct {
    const float *x;
    float *y;
    const int64_t *in, *out;
    const int32_t *const *index;
    float outside;
    int64_t rows, group;
    bool copies; // the table along w is the identity
} nearest_c8_job;

typedef struct {
    const float *x;
    float *y;
    const sdx_resize_axis *axes;
    float outside;
    int64_t rows, group;
    bool copies;
} separable_c8_job;

static inline int64_t resize_c8_count(const sdx_resize_axis *a, int64_t o) { return a->count ? a->count[o] : a->taps; }
#endif

#if SDX_ISA_PASS
#include "../Elementwise/Blocked.h"
#define v8splat SDX_FN(resize_v8splat)

SDX_INLINE v8 v8splat(float x) { return x - (v8){0}; }

static void SDX_FN(nearest_c8_chunk)(void *context, int64_t chunk, int worker) {
    (void)worker;
    const nearest_c8_job *j = context;
    int64_t end = (chunk + 1) * j->group < j->rows ? (chunk + 1) * j->group : j->rows, n = j->out[2];
    const int32_t *index = j->index[2];
    const v8 outside = v8splat(j->outside);
    const float *last = NULL; // the input row that the row before was made from
    for (int64_t row = chunk * j->group; row < end; row++) {
        int64_t oh = row % j->out[1], od = row / j->out[1] % j->out[0], plane = row / j->out[1] / j->out[0];
        int64_t d = j->index[0][od], h = j->index[1][oh];
        float *y = j->y + row * n * 8;
        if (d < 0 || h < 0) {
            for (int64_t i = 0; i < n; i++) v8store(y + 8 * i, outside);
            last = NULL;
            continue;
        }
        const float *x = j->x + ((plane * j->in[0] + d) * j->in[1] + h) * j->in[2] * 8;
        if (x == last) memcpy(y, y - n * 8, (size_t)n * 32);
        else if (j->copies) memcpy(y, x, (size_t)n * 32);
        else
            for (int64_t i = 0; i < n; i++)
                v8store(y + 8 * i, index[i] < 0 ? outside : v8load(x + 8 * (int64_t)index[i]));
        last = x;
    }
}

/// out[i] = Σ w[r] · rows[r][i], plus out[i] with `more`, for n > 0 rows of `pixels` pixels.
static void SDX_FN(mix_c8_rows)(
    const float *const *rows, const float *w, int64_t n, float *out, int64_t pixels, bool more) {
    int64_t i = 0, floats = 8 * pixels;
    for (; i + 2 * SDX_UNIT <= floats; i += 2 * SDX_UNIT) {
        vf v[2 * SDX_UNIT_VECTORS];
#pragma clang loop unroll(full)
        for (int k = 0; k < 2 * SDX_UNIT_VECTORS; k++) {
            vf first = vload(rows[0] + i + k * SDX_V), start = first * vsplat(w[0]);
            v[k] = more ? vfma(first, vsplat(w[0]), vload(out + i + k * SDX_V)) : start;
        }
        for (int64_t r = 1; r < n; r++) {
            vf weight = vsplat(w[r]);
#pragma clang loop unroll(full)
            for (int k = 0; k < 2 * SDX_UNIT_VECTORS; k++) v[k] = vfma(vload(rows[r] + i + k * SDX_V), weight, v[k]);
        }
#pragma clang loop unroll(full)
        for (int k = 0; k < 2 * SDX_UNIT_VECTORS; k++) vstore(out + i + k * SDX_V, v[k]);
    }
    for (; i < floats; i += 8) {
        v8 v = v8load(rows[0] + i) * v8splat(w[0]);
        if (more) v = v8fma(v8load(rows[0] + i), v8splat(w[0]), v8load(out + i));
        for (int64_t r = 1; r < n; r++) v = v8fma(v8load(rows[r] + i), v8splat(w[r]), v);
        v8store(out + i, v);
    }
}

typedef struct {
    int64_t od, oh;
    const float *plane;
} SDX_FN(c8_row_place);

/// Pixels low ..< high of the mixed input row: in `out`, or in x itself where there is nothing to mix.
static const float *SDX_FN(mixed_c8_rows)(
    const separable_c8_job *j, SDX_FN(c8_row_place) at, int64_t low, int64_t high, float *out) {
    const sdx_resize_axis *d = &j->axes[0], *h = &j->axes[1];
    const float *rows[RESIZE_C8_ROWS];
    float weights[RESIZE_C8_ROWS];
    int64_t nd = resize_c8_count(d, at.od), nh = resize_c8_count(h, at.oh), n = 0;
    bool more = false;
    for (int64_t i = 0; i < nd; i++)
        for (int64_t k = 0; k < nh; k++) {
            float weight = d->weights[at.od * d->taps + i] * h->weights[at.oh * h->taps + k];
            if (n == RESIZE_C8_ROWS) {
                SDX_FN(mix_c8_rows)(rows, weights, n, out, high - low, more);
                n = 0;
                more = true;
            }
            rows[n] = at.plane +
                      (((d->first[at.od] + i) * h->in + h->first[at.oh] + k) * j->axes[2].in + low) * 8;
            weights[n++] = weight;
        }
    if (!more && n == 1 && weights[0] == 1) return rows[0];
    SDX_FN(mix_c8_rows)(rows, weights, n, out, high - low, more);
    return out;
}

/// Outputs o ..< end along w; pixel 0 of row is input pixel `low`.
static void SDX_FN(mix_c8_pixels)(
    const separable_c8_job *j, const float *row, int64_t low, int64_t o, int64_t end, float *y) {
    const sdx_resize_axis *a = &j->axes[2];
    for (; o < end; o++) {
        int64_t n = resize_c8_count(a, o);
        const float *p = row + (a->first[o] - low) * 8, *w = a->weights + o * a->taps;
        v8 v = v8splat(j->outside);
        if (n == 2) {
            v = v8fma(v8load(p + 8), v8splat(w[1]), v8load(p) * v8splat(w[0]));
        } else if (n > 0) {
            v = v8load(p) * v8splat(w[0]);
            for (int64_t t = 1; t < n; t++) v = v8fma(v8load(p + 8 * t), v8splat(w[t]), v);
        }
        v8store(y + 8 * o, v);
    }
}

/// One output that needs more inputs than the buffer holds: in pieces.
static void SDX_FN(mix_c8_long)(
    const separable_c8_job *j, SDX_FN(c8_row_place) at, int64_t o, float *buffer, float *y) {
    const sdx_resize_axis *a = &j->axes[2];
    double __attribute__((ext_vector_type(8))) sum = {0};
    for (int64_t n = resize_c8_count(a, o), t = 0; t < n; t += RESIZE_C8_PIXELS) {
        int64_t m = n - t < RESIZE_C8_PIXELS ? n - t : RESIZE_C8_PIXELS, low = a->first[o] + t;
        const float *row = SDX_FN(mixed_c8_rows)(j, at, low, low + m, buffer);
        for (int64_t i = 0; i < m; i++)
            for (int lane = 0; lane < 8; lane++)
                sum[lane] += (double)row[8 * i + lane] * a->weights[o * a->taps + t + i];
    }
    for (int lane = 0; lane < 8; lane++) y[8 * o + lane] = (float)sum[lane];
}

static void SDX_FN(separable_c8_row)(const separable_c8_job *j, SDX_FN(c8_row_place) at, float *y) {
    const sdx_resize_axis *w = &j->axes[2];
    float buffer[RESIZE_C8_PIXELS * 8];
    if (resize_c8_count(&j->axes[0], at.od) == 0 || resize_c8_count(&j->axes[1], at.oh) == 0) {
        for (int64_t o = 0; o < w->out; o++) v8store(y + 8 * o, v8splat(j->outside));
        return;
    }
    if (j->copies) {
        const float *row = SDX_FN(mixed_c8_rows)(j, at, 0, w->in, y);
        if (row != y) memcpy(y, row, (size_t)w->out * 32);
        return;
    }
    for (int64_t o = 0, end; o < w->out; o = end) {
        // As many outputs as the buffer holds the inputs of.
        int64_t low = 0, high = w->in;
        end = w->out;
        if (w->in > RESIZE_C8_PIXELS)
            for (low = w->in, high = 0, end = o; end < w->out; end++) {
                int64_t n = resize_c8_count(w, end), first = w->first[end];
                int64_t l = n && first < low ? first : low, h = n && first + n > high ? first + n : high;
                if (h - l > RESIZE_C8_PIXELS) break;
                low = l;
                high = h;
            }
        if (end == o) {
            SDX_FN(mix_c8_long)(j, at, o, buffer, y);
            end = o + 1;
            continue;
        }
        const float *row = high > low ? SDX_FN(mixed_c8_rows)(j, at, low, high, buffer) : buffer;
        SDX_FN(mix_c8_pixels)(j, row, high > low ? low : 0, o, end, y);
    }
}

static void SDX_FN(separable_c8_chunk)(void *context, int64_t chunk, int worker) {
    (void)worker;
    const separable_c8_job *j = context;
    const sdx_resize_axis *a = j->axes;
    int64_t end = (chunk + 1) * j->group < j->rows ? (chunk + 1) * j->group : j->rows;
    for (int64_t row = chunk * j->group; row < end; row++) {
        SDX_FN(c8_row_place) at = {row / a[1].out % a[0].out, row % a[1].out, NULL};
        at.plane = j->x + row / a[1].out / a[0].out * a[0].in * a[1].in * a[2].in * 8;
        SDX_FN(separable_c8_row)(j, at, j->y + row * a[2].out * 8);
    }
}
#else
SDX_TABLE(nearest_c8_chunk, (void *, int64_t, int))
SDX_TABLE(separable_c8_chunk, (void *, int64_t, int))

void sdx_resize_nearest_c8_f32(
    sdx_pool *pool, const float *x, float *y, int64_t planes, const int64_t in[3], const int64_t out[3],
    const int32_t *const index[3], float extrapolation) {
    nearest_c8_job job = {.x = x, .y = y, .in = in, .out = out, .index = index, .outside = extrapolation};
    job.rows = planes * out[0] * out[1];
    if (job.rows <= 0 || out[2] <= 0) return;
    job.copies = true;
    for (int64_t i = 0; i < out[2]; i++) job.copies &= index[2][i] == i;
    job.group = 4096 / out[2] + 1;
    sdx_parallel_for(pool, (job.rows + job.group - 1) / job.group, SDX_CALL(nearest_c8_chunk), &job);
}

void sdx_resize_separable_c8_f32(
    sdx_pool *pool, const float *x, float *y, int64_t planes, const sdx_resize_axis axes[3], float extrapolation) {
    separable_c8_job job = {.x = x, .y = y, .axes = axes, .outside = extrapolation};
    const sdx_resize_axis *w = &axes[2];
    job.rows = planes * axes[0].out * axes[1].out;
    if (job.rows <= 0 || w->out <= 0) return;
    job.copies = w->in == w->out;
    for (int64_t o = 0; o < w->out; o++)
        job.copies &= resize_c8_count(w, o) == 1 && w->first[o] == o && w->weights[o * w->taps] == 1;
    job.group = 1024 / w->out + 1;
    sdx_parallel_for(pool, (job.rows + job.group - 1) / job.group, SDX_CALL(separable_c8_chunk), &job);
}
#endif
