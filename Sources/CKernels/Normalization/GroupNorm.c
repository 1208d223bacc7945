/// Group, instance and batch normalisation over planes: sdx_group_norm_f32, sdx_mean_variance_norm_f32,
/// sdx_scale_shift_f32, sdx_batch_norm_f32.
#include <math.h>

#include "../include/sdx_normalization.h"
#define SDX_SELF "../Normalization/GroupNorm.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Elementwise/VectorMath.h"
#include "../Reduction/Sums.h"

#define LOOP(expression)                                                                                               \
    for (; i + SDX_V <= n; i += SDX_V) {                                                                               \
        vf v = vfma(vload(x + i) - m, s, t);                                                                           \
        vstore(y + i, (expression));                                                                                   \
    }                                                                                                                  \
    if (i < n) {                                                                                                       \
        vf v = vfma(vload_first(x + i, n - i) - m, s, t);                                                              \
        vstore_first(y + i, n - i, (expression));                                                                      \
    }

/// y = act((x − mean)·scale + shift), the three being constants.
static void SDX_FN(plane_affine)(
    const float *x, float *y, int64_t n, float mean, float scale, float shift, sdx_activation_kind act, float leaky) {
    const vf m = vsplat(mean), s = vsplat(scale), t = vsplat(shift), a = vsplat(leaky), zero = vsplat(0);
    int64_t i = 0;
    switch (act) {
    case SDX_ACTIVATION_RELU: LOOP(vmax(zero, v)) break;
    case SDX_ACTIVATION_LEAKY_RELU: LOOP(v < zero ? a * v : v) break;
    case SDX_ACTIVATION_SILU: LOOP(v * vsigmoid(v)) break;
    default: LOOP(v) break;
    }
}
#undef LOOP

/// y[i] = act(x[i]·scale[i] + shift[i]).
static void SDX_FN(row_affine)(
    const float *x, float *y, int64_t n, const float *scale, const float *shift, sdx_activation_kind act, float leaky) {
    const vf a = vsplat(act == SDX_ACTIVATION_LEAKY_RELU ? leaky : 1), zero = vsplat(0);
    for (int64_t i = 0; i < n; i += SDX_V) {
        int64_t k = n - i < SDX_V ? n - i : SDX_V;
        vf v = vfma(vload_first(x + i, k), vload_first(scale + i, k), vload_first(shift + i, k));
        v = v < zero ? a * v : v;
        if (act == SDX_ACTIVATION_RELU) v = vmax(zero, v);
        if (act == SDX_ACTIVATION_SILU) v *= vsigmoid(v);
        vstore_first(y + i, k, v);
    }
}

static void SDX_FN(plane_moments)(const float *x, int64_t n, float shift, double *sums) {
    fold_moments(x, n, shift, sums);
}

static double SDX_FN(plane_fold)(int kind, const float *x, int64_t n, float shift) {
    return fold_row((fold_kind)kind, x, n, shift);
}
#else

SDX_TABLE(plane_affine, (const float *, float *, int64_t, float, float, float, sdx_activation_kind, float))
SDX_TABLE(row_affine, (const float *, float *, int64_t, const float *, const float *, sdx_activation_kind, float))
SDX_TABLE(plane_moments, (const float *, int64_t, float, double *))
SDX_TABLE_OF(double, plane_fold, (int, const float *, int64_t, float))

// BLOCK floats are read twice while in the first cache; a split goes to one worker.
enum { BLOCK = 4096, SPLIT = 32768, MAX_PARTS = 2048, FUSED_GROUP = 131072 };

/// Count, mean and the sum of squared deviations.
typedef struct {
    double n, mean, m2;
} moments;

static moments join_moments(moments a, moments b) {
    double n = a.n + b.n, d = b.mean - a.mean;
    return (moments){n, a.mean + d * (b.n / n), a.m2 + b.m2 + d * d * (a.n * b.n / n)};
}

static moments moments_of(const float *x, int64_t n) {
    moments all = {0};
    for (int64_t i = 0; i < n; i += BLOCK) {
        int64_t k = n - i < BLOCK ? n - i : BLOCK;
        double sums[2];
        float shift = (float)(SDX_CALL(plane_fold)(FOLD_SUM, x + i, k, 0) / (double)k);
        SDX_CALL(plane_moments)(x + i, k, shift, sums);
        double m2 = sums[1] - sums[0] * (sums[0] / (double)k);
        moments block = {(double)k, shift + sums[0] / (double)k, m2 < 0 ? 0 : m2};
        all = i == 0 ? block : join_moments(all, block);
    }
    return all;
}

typedef struct {
    const float *x, *scale, *bias;
    float *y;
    int64_t groups, per_group, spatial, length, total, split, splits, group;
    moments *parts; // [total groups][splits], then only [total groups]
    double epsilon;
    int epsilon_outside;
    sdx_activation_kind act;
    float leaky;
} group_job;

/// Normalises elements begin ..< end of group g.
static void apply(const group_job *j, int64_t g, const moments *m, int64_t begin, int64_t end) {
    double variance = m->m2 / m->n;
    double r = j->epsilon_outside ? 1 / (sqrt(variance) + j->epsilon) : 1 / sqrt(variance + j->epsilon);
    float mean = (float)m->mean;
    for (int64_t i = begin; i < end;) {
        int64_t c = i / j->spatial, stop = (c + 1) * j->spatial < end ? (c + 1) * j->spatial : end;
        int64_t k = g % j->groups * j->per_group + c;
        double s = j->scale ? r * j->scale[k] : r, t = (mean - m->mean) * s + (j->bias ? j->bias[k] : 0);
        int64_t at = g * j->length + i;
        SDX_CALL(plane_affine)(j->x + at, j->y + at, stop - i, mean, (float)s, (float)t, j->act, j->leaky);
        i = stop;
    }
}

static void fused_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const group_job *j = ctx;
    int64_t end = (chunk + 1) * j->group < j->total ? (chunk + 1) * j->group : j->total;
    for (int64_t g = chunk * j->group; g < end; g++) {
        moments m = moments_of(j->x + g * j->length, j->length);
        apply(j, g, &m, 0, j->length);
    }
}

static void moments_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const group_job *j = ctx;
    int64_t g = chunk / j->splits, i = chunk % j->splits * j->split;
    j->parts[chunk] = moments_of(j->x + g * j->length + i, j->length - i < j->split ? j->length - i : j->split);
}

static void apply_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const group_job *j = ctx;
    int64_t g = chunk / j->splits, i = chunk % j->splits * j->split;
    apply(j, g, &j->parts[g], i, i + j->split < j->length ? i + j->split : j->length);
}

static void require_activation(sdx_activation_kind act) {
    if (act > SDX_ACTIVATION_LEAKY_RELU && act != SDX_ACTIVATION_SILU) __builtin_trap();
}

static void group_norm(sdx_pool *pool, group_job *j) {
    require_activation(j->act);
    j->length = j->per_group * j->spatial;
    if (j->total <= 0 || j->length <= 0) return;
    // Enough groups that fit in the second cache: one pass from memory. Else statistics of splits first.
    if (j->total > MAX_PARTS / 2 || (j->total >= 16 && j->length <= FUSED_GROUP)) {
        j->group = 16384 / j->length + 1;
        sdx_parallel_for(pool, (j->total + j->group - 1) / j->group, fused_chunk, j);
        return;
    }
    moments parts[MAX_PARTS];
    int64_t splits = (j->length + SPLIT - 1) / SPLIT;
    if (splits > MAX_PARTS / j->total) splits = MAX_PARTS / j->total;
    j->split = ((j->length + splits - 1) / splits + BLOCK - 1) / BLOCK * BLOCK;
    j->splits = (j->length + j->split - 1) / j->split;
    j->parts = parts;
    sdx_parallel_for(pool, j->total * j->splits, moments_chunk, j);
    for (int64_t g = 0; g < j->total; g++) {
        moments m = parts[g * j->splits];
        for (int64_t s = 1; s < j->splits; s++) m = join_moments(m, parts[g * j->splits + s]);
        parts[g] = m; // behind what is still to be read
    }
    sdx_parallel_for(pool, j->total * j->splits, apply_chunk, j);
}

void sdx_group_norm_f32(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t groups, int64_t channels_per_group,
    int64_t spatial, const float *scale, const float *bias, float epsilon, sdx_activation_kind act, float leaky) {
    group_job job = {
        .x = x, .scale = scale, .bias = bias, .y = y, .groups = groups, .per_group = channels_per_group,
        .spatial = spatial, .total = batch * groups, .epsilon = epsilon, .act = act, .leaky = leaky};
    group_norm(pool, &job);
}

void sdx_mean_variance_norm_f32(
    sdx_pool *pool, const float *x, float *y, int64_t rows, int64_t n, float epsilon) {
    group_job job = {.x = x, .y = y, .groups = 1, .per_group = 1, .spatial = n, .total = rows, .epsilon = epsilon,
                     .epsilon_outside = 1};
    group_norm(pool, &job);
}

typedef struct {
    const float *x, *scale, *bias, *mean, *variance;
    float *y;
    int64_t channels, spatial, total;
    double epsilon;
    sdx_activation_kind act;
    float leaky;
} channel_job;

enum { CHUNK = 32768 };

/// x·s + t for channel c.
static void channel_affine(const channel_job *j, int64_t c, float *s, float *t) {
    if (!j->mean) {
        *s = j->scale[c];
        *t = j->bias[c];
        return;
    }
    double scale = j->scale[c] / sqrt(j->variance[c] + j->epsilon);
    *s = (float)scale;
    *t = (float)(j->bias[c] - j->mean[c] * scale);
}

static void channel_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const channel_job *j = ctx;
    int64_t begin = chunk * CHUNK, end = begin + CHUNK < j->total ? begin + CHUNK : j->total;
    if (j->spatial == 1) { // channels side by side, a piece of a row at a time
        enum { PIECE = 256 };
        float scale[PIECE], shift[PIECE];
        for (int64_t i = begin; i < end;) {
            int64_t c = i % j->channels, n = j->channels - c;
            if (n > PIECE) n = PIECE;
            if (n > end - i) n = end - i;
            for (int64_t k = 0; k < n; k++) channel_affine(j, c + k, &scale[k], &shift[k]);
            SDX_CALL(row_affine)(j->x + i, j->y + i, n, scale, shift, j->act, j->leaky);
            i += n;
        }
        return;
    }
    for (int64_t i = begin; i < end;) {
        int64_t plane = i / j->spatial, stop = (plane + 1) * j->spatial < end ? (plane + 1) * j->spatial : end;
        float s, t;
        channel_affine(j, plane % j->channels, &s, &t);
        SDX_CALL(plane_affine)(j->x + i, j->y + i, stop - i, 0, s, t, j->act, j->leaky);
        i = stop;
    }
}

static void channel_norm(sdx_pool *pool, channel_job *job) {
    require_activation(job->act);
    if (job->total <= 0) return;
    sdx_parallel_for(pool, (job->total + CHUNK - 1) / CHUNK, channel_chunk, job);
}

void sdx_scale_shift_f32(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t spatial, const float *scale,
    const float *shift, sdx_activation_kind act, float leaky) {
    channel_job job = {x, scale, shift, NULL, NULL, y, channels, spatial, batch * channels * spatial, 0, act, leaky};
    channel_norm(pool, &job);
}

void sdx_batch_norm_f32(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t spatial, const float *scale,
    const float *bias, const float *mean, const float *variance, float epsilon, sdx_activation_kind act, float leaky) {
    channel_job job = {
        x, scale, bias, mean, variance, y, channels, spatial, batch * channels * spatial, epsilon, act, leaky};
    channel_norm(pool, &job);
}
#endif
