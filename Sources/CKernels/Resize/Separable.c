/// Separable resampling with tables of taps: sdx_resize_separable_f32.
///
/// An output row is made in two steps: the input rows it needs are mixed into one in a buffer (vectors along w), then
/// its columns are mixed: by constant weights where the table repeats every two outputs (scale 2), else by gathers.
#include <math.h>

#include "../include/sdx_resize.h"
#define SDX_SELF "../Resize/Separable.c"
#include "../Isa/EachIsa.h"

#ifndef SDX_RESIZE_JOB
#define SDX_RESIZE_JOB
enum { RESIZE_BUFFER = 4096, RESIZE_SLACK = 32, RESIZE_ROWS = 64 };

typedef struct {
    const float *x;
    float *y;
    const sdx_resize_axis *axes;
    int64_t rows, group;
    float outside;
    int copies;            // the w axis is the identity
    int gaps;              // some outputs along w have no taps
    int64_t begin, end;    // outputs along w, an even number, that repeat: first[o + 2] = first[o] + 1, equal weights
} resize_job;

static inline int64_t resize_count(const sdx_resize_axis *a, int64_t o) { return a->count ? a->count[o] : a->taps; }
#endif

#if SDX_ISA_PASS
#include "../Elementwise/VectorMath.h"

#define resize_gather SDX_FN(resize_gather_)

SDX_INLINE vf resize_gather(const float *p, vi index) {
#if SDX_TARGET_AVX512
    return (vf)_mm512_i32gather_ps((__m512i)index, p, 4);
#elif SDX_TARGET_AVX2
    return (vf)_mm256_i32gather_ps(p, (__m256i)index, 4);
#else
    vf v;
    for (int i = 0; i < SDX_V; i++) v[i] = p[index[i]];
    return v;
#endif
}

/// out[i] = Σ w[r]·rows[r][i], plus out[i] with `more`.
static void SDX_FN(mix_rows)(
    const float *const *rows, const float *w, int64_t n, float *out, int64_t columns, int more) {
    for (int64_t i = 0; i < columns; i += SDX_V) {
        int64_t m = columns - i < SDX_V ? columns - i : SDX_V;
        vf v;
        if (SDX_LIKELY(m == SDX_V)) {
            v = more ? vfma(vload(rows[0] + i), vbroadcast(w), vload(out + i)) : vload(rows[0] + i) * vbroadcast(w);
            for (int64_t r = 1; r < n; r++) v = vfma(vload(rows[r] + i), vbroadcast(w + r), v);
            vstore(out + i, v);
        } else {
            v = vload_first(rows[0] + i, m);
            v = more ? vfma(v, vbroadcast(w), vload_first(out + i, m)) : v * vbroadcast(w);
            for (int64_t r = 1; r < n; r++) v = vfma(vload_first(rows[r] + i, m), vbroadcast(w + r), v);
            vstore_first(out + i, m, v);
        }
    }
}

/// Outputs o ..< end; b[0] is input column `low`. Columns low ..< high of b may be read.
static void SDX_FN(mix_columns)(
    const resize_job *j, const float *b, int64_t low, int64_t high, int64_t o, int64_t end, float *y) {
    const sdx_resize_axis *a = &j->axes[2];
    const int64_t taps = a->taps;
    while (o < end) {
        if (o >= j->begin && (o - j->begin) % 2 == 0 && o + 2 * SDX_V <= j->end && o + 2 * SDX_V <= end) {
            const float *w = a->weights + o * taps;
            const float *p = b + a->first[o] - low, *q = b + a->first[o + 1] - low;
            vf even = vload(p) * vbroadcast(w), odd = vload(q) * vbroadcast(w + taps);
            for (int64_t t = 1; t < taps; t++) {
                even = vfma(vload(p + t), vbroadcast(w + t), even);
                odd = vfma(vload(q + t), vbroadcast(w + taps + t), odd);
            }
            vstore(y + o, SDX_PASTE(SDX_ZIP_LOW, SDX_V)(even, odd));
            vstore(y + o + SDX_V, SDX_PASTE(SDX_ZIP_HIGH, SDX_V)(even, odd));
            o += 2 * SDX_V;
            continue;
        }
        int64_t stop = o < j->begin && j->begin < end ? j->begin : end;
        int64_t m = stop - o < SDX_V ? stop - o : SDX_V;
        vi first = {0}, lanes = {0}, count = (vi)((int32_t)taps);
        if (m == SDX_V) {
            first = vloadi(a->first + o);
            if (a->count) count = vloadi(a->count + o);
        } else {
            memcpy(&first, a->first + o, (size_t)m * 4);
            if (a->count) memcpy(&count, a->count + o, (size_t)m * 4);
        }
        for (int i = 0; i < SDX_V; i++) lanes[i] = i < m ? i * (int32_t)taps : 0;
        first -= (int32_t)low;
        vf v = {0};
        for (int64_t t = 0; t < taps; t++) {
            vi at = first + (int32_t)t;
            at = at < (vi)((int32_t)(high - low)) ? at : (vi)((int32_t)(high - low - 1)); // idle taps
            at = at < 0 ? (vi){0} : at;
            vf u = resize_gather(b, at), w = resize_gather(a->weights + o * taps + t, lanes);
            vf sum = t == 0 ? u * w : vfma(u, w, v);
            v = (vi)((int32_t)t) < count ? sum : v;
        }
        vstore_first(y + o, m, v);
        o += m;
    }
}

#else

SDX_TABLE(mix_rows, (const float *const *, const float *, int64_t, float *, int64_t, int))
SDX_TABLE(mix_columns, (const resize_job *, const float *, int64_t, int64_t, int64_t, int64_t, float *))

typedef struct {
    int64_t od, oh;
    const float *plane;
} row_place;

/// Columns low ..< high of the mixed input row: in the buffer, or in x itself where there is nothing to mix.
static const float *mixed_rows(
    const resize_job *j, row_place at, int64_t low, int64_t high, float *out, int may_alias) {
    const sdx_resize_axis *d = &j->axes[0], *h = &j->axes[1];
    const float *rows[RESIZE_ROWS];
    float weights[RESIZE_ROWS];
    int64_t nd = resize_count(d, at.od), nh = resize_count(h, at.oh), n = 0;
    int more = 0;
    for (int64_t i = 0; i < nd; i++) {
        for (int64_t k = 0; k < nh; k++) {
            if (n == RESIZE_ROWS) {
                SDX_CALL(mix_rows)(rows, weights, n, out, high - low, more);
                n = 0;
                more = 1;
            }
            rows[n] = at.plane + ((d->first[at.od] + i) * h->in + h->first[at.oh] + k) * j->axes[2].in + low;
            weights[n++] = d->weights[at.od * d->taps + i] * h->weights[at.oh * h->taps + k];
        }
    }
    if (may_alias && !more && n == 1 && weights[0] == 1) return rows[0];
    SDX_CALL(mix_rows)(rows, weights, n, out, high - low, more);
    return out;
}

/// The inputs along w that output o needs: *low ..< *high, joined to what is there.
static void join_range(const sdx_resize_axis *w, int64_t o, int64_t *low, int64_t *high) {
    int64_t n = resize_count(w, o), first = w->first[o];
    if (n == 0) return;
    if (first < *low) *low = first;
    if (first + n > *high) *high = first + n;
}

static void resize_row(const resize_job *j, row_place at, float *y) {
    const sdx_resize_axis *w = &j->axes[2];
    float buffer[RESIZE_BUFFER + RESIZE_SLACK];
    if (resize_count(&j->axes[0], at.od) == 0 || resize_count(&j->axes[1], at.oh) == 0) {
        for (int64_t o = 0; o < w->out; o++) y[o] = j->outside;
        return;
    }
    if (j->copies) {
        const float *row = mixed_rows(j, at, 0, w->in, y, 1);
        if (row != y) memcpy(y, row, (size_t)w->out * sizeof(float));
        return;
    }
    for (int64_t o = 0; o < w->out;) {
        int64_t low = w->in, high = 0, end = o;
        if (w->in <= RESIZE_BUFFER) {
            low = 0;
            high = w->in;
            end = w->out;
        }
        while (end < w->out) {
            int64_t l = low, h = high;
            join_range(w, end, &l, &h);
            if (h - l > RESIZE_BUFFER) break;
            low = l;
            high = h;
            end++;
        }
        if (end == o) { // one output wants more than the buffer: tap by tap, in pieces
            int64_t n = resize_count(w, o);
            double sum = 0;
            for (int64_t t = 0; t < n; t += RESIZE_BUFFER) {
                int64_t m = n - t < RESIZE_BUFFER ? n - t : RESIZE_BUFFER;
                const float *row = mixed_rows(j, at, w->first[o] + t, w->first[o] + t + m, buffer, 1);
                for (int64_t i = 0; i < m; i++) sum += (double)row[i] * w->weights[o * w->taps + t + i];
            }
            y[o++] = (float)sum;
            continue;
        }
        if (high > low) {
            const float *row = mixed_rows(j, at, low, high, buffer, 1);
            SDX_CALL(mix_columns)(j, row, low, high, o, end, y);
        }
        if (j->gaps)
            for (int64_t i = o; i < end; i++)
                if (resize_count(w, i) == 0) y[i] = j->outside;
        o = end;
    }
}

static void resize_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const resize_job *j = ctx;
    const sdx_resize_axis *a = j->axes;
    int64_t end = (chunk + 1) * j->group < j->rows ? (chunk + 1) * j->group : j->rows;
    for (int64_t row = chunk * j->group; row < end; row++) {
        row_place at = {row / a[1].out % a[0].out, row % a[1].out, NULL};
        at.plane = j->x + row / a[1].out / a[0].out * a[0].in * a[1].in * a[2].in;
        resize_row(j, at, j->y + row * a[2].out);
    }
}

/// Whether outputs o and o + 2 have equal taps, one input apart.
static int repeats(const sdx_resize_axis *a, int64_t o) {
    if (a->first[o + 2] != a->first[o] + 1) return 0;
    if (resize_count(a, o) != a->taps || resize_count(a, o + 2) != a->taps) return 0;
    return memcmp(a->weights + o * a->taps, a->weights + (o + 2) * a->taps, (size_t)a->taps * sizeof(float)) == 0;
}

void sdx_resize_separable_f32(
    sdx_pool *pool, const float *x, float *y, int64_t planes, const sdx_resize_axis axes[3], float extrapolation) {
    resize_job job = {.x = x, .y = y, .axes = axes, .outside = extrapolation};
    const sdx_resize_axis *w = &axes[2];
    job.rows = planes * axes[0].out * axes[1].out;
    if (job.rows <= 0 || w->out <= 0) return;
    job.copies = w->in == w->out;
    int64_t run = 0; // the longest run of outputs that repeat
    for (int64_t o = 0; o < w->out; o++) {
        int64_t n = resize_count(w, o);
        job.gaps |= n == 0;
        job.copies &= n == 1 && w->first[o] == o && w->weights[o * w->taps] == 1;
        if (o + 2 < w->out && repeats(w, o)) {
            run++;
        } else {
            if (run > 0 && run + 2 > job.end - job.begin) {
                job.begin = o - run;
                job.end = o + 2;
            }
            run = 0;
        }
    }
    job.group = 8192 / w->out + 1;
    sdx_parallel_for(pool, (job.rows + job.group - 1) / job.group, resize_chunk, &job);
}
#endif
