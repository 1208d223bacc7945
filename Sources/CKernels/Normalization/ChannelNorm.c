/// Normalisation across channels or an axis: sdx_lrn_f32, sdx_lp_norm_f32.
#include <math.h>

#include "../include/sdx_normalization.h"
#define SDX_SELF "../Normalization/ChannelNorm.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Elementwise/VectorMath.h"
#include "../Reduction/Sums.h"

/// `columns` positions of all channels, `stride` floats from channel to channel.
static void SDX_FN(lrn_columns)(
    const float *x, float *y, int64_t channels, int64_t stride, int64_t columns, int64_t size, float alpha,
    float beta, float bias) {
    const vf a = vsplat(alpha / (float)size), b = vsplat(bias);
    int64_t before = (size - 1) / 2, after = size - 1 - before;
    for (int64_t i = 0; i < columns; i += SDX_V) {
        int64_t k = columns - i < SDX_V ? columns - i : SDX_V;
        for (int64_t c = 0; c < channels; c++) {
            int64_t from = c < before ? 0 : c - before, to = c + after < channels ? c + after : channels - 1;
            vf sum = {0};
            for (int64_t q = from; q <= to; q++) {
                vf v = vload_first(x + q * stride + i, k);
                sum = vfma(v, v, sum);
            }
            vf t = vfma(a, sum, b), v = vload_first(x + c * stride + i, k);
            if (beta == 0.75f) v /= vsqrt(t) * vsqrt(vsqrt(t));
            else if (beta == 0.5f) v /= vsqrt(t);
            else if (beta == 1.0f) v /= t;
            else v /= vpow(t, vsplat(beta));
            vstore_first(y + c * stride + i, k, v);
        }
    }
}

SDX_INLINE vf SDX_FN(divide_or_zero)(vf v, vf norm) { return norm == 0.0f ? vsplat(0) : v / norm; }

static void SDX_FN(lp_row)(const float *x, float *y, int64_t n, int p) {
    double s = fold_row(p == 1 ? FOLD_ABS : FOLD_SQUARE, x, n, 0);
    const vf norm = vsplat((float)(p == 1 ? s : sqrt(s)));
    for (int64_t i = 0; i < n; i += SDX_V) {
        int64_t k = n - i < SDX_V ? n - i : SDX_V;
        vstore_first(y + i, k, SDX_FN(divide_or_zero)(vload_first(x + i, k), norm));
    }
}

static void SDX_FN(lp_columns)(const float *x, float *y, int64_t n, int64_t stride, int64_t columns, int p) {
    for (int64_t i = 0; i < columns; i += SDX_V) {
        int64_t k = columns - i < SDX_V ? columns - i : SDX_V;
        vdw sum = (vdw)(0.0);
        for (int64_t a = 0; a < n; a++) {
            vf v = vload_first(x + a * stride + i, k);
            sum += __builtin_convertvector(p == 1 ? vabs(v) : v * v, vdw);
        }
        vf norm = __builtin_convertvector(p == 1 ? sum : __builtin_elementwise_sqrt(sum), vf);
        for (int64_t a = 0; a < n; a++)
            vstore_first(y + a * stride + i, k, SDX_FN(divide_or_zero)(vload_first(x + a * stride + i, k), norm));
    }
}

#else

SDX_TABLE(lrn_columns, (const float *, float *, int64_t, int64_t, int64_t, int64_t, float, float, float))
SDX_TABLE(lp_row, (const float *, float *, int64_t, int))
SDX_TABLE(lp_columns, (const float *, float *, int64_t, int64_t, int64_t, int))

typedef struct {
    const float *x;
    float *y;
    int64_t axis, inner, strip, strips, units, group, size;
    float alpha, beta, bias;
    int p; // 0: LRN
} axis_job;

static void axis_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const axis_job *j = ctx;
    int64_t end = (chunk + 1) * j->group < j->units ? (chunk + 1) * j->group : j->units;
    for (int64_t u = chunk * j->group; u < end; u++) {
        int64_t c = u % j->strips * j->strip, at = u / j->strips * j->axis * j->inner + c;
        int64_t columns = j->inner - c < j->strip ? j->inner - c : j->strip;
        const float *x = j->x + at;
        float *y = j->y + at;
        if (j->p == 0)
            SDX_CALL(lrn_columns)(x, y, j->axis, j->inner, columns, j->size, j->alpha, j->beta, j->bias);
        else if (j->inner == 1) SDX_CALL(lp_row)(x, y, j->axis, j->p);
        else SDX_CALL(lp_columns)(x, y, j->axis, j->inner, columns, j->p);
    }
}

static void run_axis(sdx_pool *pool, axis_job *job, int64_t outer) {
    if (outer <= 0 || job->axis <= 0 || job->inner <= 0) return;
    job->strip = 8192 / job->axis / 16 * 16;
    if (job->strip < 16) job->strip = 16;
    job->strips = (job->inner + job->strip - 1) / job->strip;
    job->units = outer * job->strips;
    job->group = 8192 / (job->axis * (job->inner < job->strip ? job->inner : job->strip)) + 1;
    sdx_parallel_for(pool, (job->units + job->group - 1) / job->group, axis_chunk, job);
}

void sdx_lrn_f32(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t spatial, int64_t size,
    float alpha, float beta, float bias) {
    axis_job job = {.x = x, .y = y, .axis = channels, .inner = spatial, .size = size, .alpha = alpha, .beta = beta,
                    .bias = bias};
    run_axis(pool, &job, batch);
}

void sdx_lp_norm_f32(sdx_pool *pool, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner, int p) {
    axis_job job = {.x = x, .y = y, .axis = axis, .inner = inner, .p = p};
    run_axis(pool, &job, outer);
}
#endif
