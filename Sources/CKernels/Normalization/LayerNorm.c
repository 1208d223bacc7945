/// Layer and RMS normalisation of rows: sdx_layer_norm_f32, sdx_rms_norm_f32.
#include <math.h>

#include "../include/sdx_normalization.h"
#define SDX_SELF "../Normalization/LayerNorm.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Elementwise/VectorMath.h"
#include "../Reduction/Sums.h"

/// y = ((x − m)·r + d)·scale + bias; scale and bias may be NULL.
static void SDX_FN(norm_row)(
    const float *x, float *y, int64_t n, float m, float r, float d, const float *scale, const float *bias) {
    const vf vm = vsplat(m), vr = vsplat(r), vd0 = vsplat(d);
    for (int64_t i = 0; i < n; i += SDX_V) {
        int64_t k = n - i < SDX_V ? n - i : SDX_V;
        if (SDX_LIKELY(k == SDX_V)) {
            vf v = vfma(vload(x + i) - vm, vr, vd0);
            if (scale) v = vfma(v, vload(scale + i), bias ? vload(bias + i) : vsplat(-0.0f));
            else if (bias) v += vload(bias + i);
            vstore(y + i, v);
        } else {
            vf v = vfma(vload_first(x + i, k) - vm, vr, vd0);
            if (scale) v = vfma(v, vload_first(scale + i, k), bias ? vload_first(bias + i, k) : vsplat(-0.0f));
            else if (bias) v += vload_first(bias + i, k);
            vstore_first(y + i, k, v);
        }
    }
}

static void SDX_FN(norm_moments)(const float *x, int64_t n, float shift, double *sums) {
    fold_moments(x, n, shift, sums);
}

static double SDX_FN(norm_fold)(int kind, const float *x, int64_t n, float shift) {
    return fold_row((fold_kind)kind, x, n, shift);
}
#else

SDX_TABLE(norm_row, (const float *, float *, int64_t, float, float, float, const float *, const float *))
SDX_TABLE(norm_moments, (const float *, int64_t, float, double *))
SDX_TABLE_OF(double, norm_fold, (int, const float *, int64_t, float))

typedef struct {
    const float *x, *scale, *bias;
    float *y, *mean, *inverse;
    int64_t rows, n, group;
    double epsilon;
    int centred;
} norm_job;

static void norm_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const norm_job *j = ctx;
    int64_t end = (chunk + 1) * j->group < j->rows ? (chunk + 1) * j->group : j->rows;
    const double n = (double)j->n;
    for (int64_t row = chunk * j->group; row < end; row++) {
        const float *x = j->x + row * j->n;
        double mean = 0, variance;
        float shift = 0;
        if (j->centred) {
            double sums[2];
            shift = (float)(SDX_CALL(norm_fold)(FOLD_SUM, x, j->n, 0) / n);
            SDX_CALL(norm_moments)(x, j->n, shift, sums);
            mean = shift + sums[0] / n;
            variance = (sums[1] - sums[0] * (sums[0] / n)) / n;
            if (variance < 0) variance = 0;
        } else {
            variance = SDX_CALL(norm_fold)(FOLD_SQUARE, x, j->n, 0) / n;
        }
        double r = 1 / sqrt(variance + j->epsilon);
        SDX_CALL(norm_row)(
            x, j->y + row * j->n, j->n, shift, (float)r, (float)((shift - mean) * r), j->scale, j->bias);
        if (j->mean) j->mean[row] = (float)mean;
        if (j->inverse) j->inverse[row] = (float)r;
    }
}

static void norm_rows(sdx_pool *pool, norm_job *job) {
    if (job->rows <= 0 || job->n <= 0) return;
    job->group = 16384 / job->n + 1;
    sdx_parallel_for(pool, (job->rows + job->group - 1) / job->group, norm_chunk, job);
}

void sdx_layer_norm_f32(
    sdx_pool *pool, const float *x, float *y, int64_t rows, int64_t n, const float *scale, const float *bias,
    float epsilon, float *mean, float *inv_std) {
    norm_job job = {x, scale, bias, y, mean, inv_std, rows, n, 0, epsilon, 1};
    norm_rows(pool, &job);
}

void sdx_rms_norm_f32(
    sdx_pool *pool, const float *x, float *y, int64_t rows, int64_t n, const float *scale, float epsilon,
    float *inv_rms) {
    norm_job job = {x, scale, NULL, y, NULL, inv_rms, rows, n, 0, epsilon, 0};
    norm_rows(pool, &job);
}
#endif
