/// Softmax and log-softmax: sdx_softmax_f32, sdx_log_softmax_f32.
#include <math.h>

#include "../include/sdx_normalization.h"
#define SDX_SELF "../Normalization/Softmax.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Elementwise/VectorMath.h"
#include "../Reduction/Sums.h"

static void SDX_FN(softmax_row)(const float *x, float *y, int64_t n, int logarithm) {
    const float largest = (float)fold_row(FOLD_MAX, x, n, 0);
    const vf m = vsplat(largest);
    if (logarithm) {
        const vf l = vsplat((float)log(fold_row(FOLD_EXP, x, n, largest)));
        int64_t i = 0;
        for (; i + SDX_V <= n; i += SDX_V) vstore(y + i, vload(x + i) - m - l);
        if (i < n) vstore_first(y + i, n - i, vload_first(x + i, n - i) - m - l);
        return;
    }
    double sum = 0;
    for (int64_t b = 0; b < n; b += FOLD_ROW_BLOCK) {
        int64_t end = b + FOLD_ROW_BLOCK < n ? b + FOLD_ROW_BLOCK : n, i = b;
        vf s0 = {0}, s1 = {0};
        for (; i + 2 * SDX_V <= end; i += 2 * SDX_V) {
            vf e0 = vexp(vload(x + i) - m), e1 = vexp(vload(x + i + SDX_V) - m);
            vstore(y + i, e0);
            vstore(y + i + SDX_V, e1);
            s0 += e0;
            s1 += e1;
        }
        for (; i < end; i += SDX_V) {
            int64_t k = end - i < SDX_V ? end - i : SDX_V;
            vf e = vexp(vload_fill(x + i, k, -INFINITY) - m);
            vstore_first(y + i, k, e);
            s0 += e;
        }
        sum += vdw_sum(s0 + s1);
    }
    const vf r = vsplat((float)(1 / sum));
    int64_t i = 0;
    for (; i + SDX_V <= n; i += SDX_V) vstore(y + i, vload(y + i) * r);
    if (i < n) vstore_first(y + i, n - i, vload_first(y + i, n - i) * r);
}

/// `columns` slices side by side, `stride` floats from one element of a slice to the next.
static void SDX_FN(softmax_columns)(
    const float *x, float *y, int64_t n, int64_t stride, int64_t columns, int logarithm) {
    for (int64_t c = 0; c < columns; c += SDX_V) {
        int64_t k = columns - c < SDX_V ? columns - c : SDX_V;
        vf m = vload_first(x + c, k);
        for (int64_t a = 1; a < n; a++) m = vmax_nan(m, vload_first(x + a * stride + c, k));
        vdw sum = (vdw)(0.0);
        for (int64_t a = 0; a < n; a++) {
            vf e = vexp(vload_first(x + a * stride + c, k) - m);
            sum += __builtin_convertvector(e, vdw);
            if (!logarithm) vstore_first(y + a * stride + c, k, e);
        }
        if (logarithm) {
            vf l = vlog(__builtin_convertvector(sum, vf));
            for (int64_t a = 0; a < n; a++)
                vstore_first(y + a * stride + c, k, vload_first(x + a * stride + c, k) - m - l);
        } else {
            vf r = __builtin_convertvector(1.0 / sum, vf);
            for (int64_t a = 0; a < n; a++) vstore_first(y + a * stride + c, k, vload_first(y + a * stride + c, k) * r);
        }
    }
}

#else

SDX_TABLE(softmax_row, (const float *, float *, int64_t, int))
SDX_TABLE(softmax_columns, (const float *, float *, int64_t, int64_t, int64_t, int))

typedef struct {
    const float *x;
    float *y;
    int64_t axis, inner, strip, strips, units, group;
    int logarithm;
} softmax_job;

static void softmax_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const softmax_job *j = ctx;
    int64_t end = (chunk + 1) * j->group < j->units ? (chunk + 1) * j->group : j->units;
    for (int64_t u = chunk * j->group; u < end; u++) {
        int64_t c = u % j->strips * j->strip, at = u / j->strips * j->axis * j->inner + c;
        int64_t columns = j->inner - c < j->strip ? j->inner - c : j->strip;
        if (j->inner == 1) SDX_CALL(softmax_row)(j->x + at, j->y + at, j->axis, j->logarithm);
        else SDX_CALL(softmax_columns)(j->x + at, j->y + at, j->axis, j->inner, columns, j->logarithm);
    }
}

static void softmax(
    sdx_pool *pool, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner, int logarithm) {
    if (outer <= 0 || axis <= 0 || inner <= 0) return;
    softmax_job job = {.x = x, .y = y, .axis = axis, .inner = inner, .logarithm = logarithm};
    // Strips stay in the first cache and are whole cache lines.
    job.strip = 8192 / axis / 16 * 16;
    if (job.strip < 16) job.strip = 16;
    if (job.strip > 1024) job.strip = 1024;
    job.strips = (inner + job.strip - 1) / job.strip;
    job.units = outer * job.strips;
    job.group = 8192 / (axis * (inner < job.strip ? inner : job.strip)) + 1;
    sdx_parallel_for(pool, (job.units + job.group - 1) / job.group, softmax_chunk, &job);
}

void sdx_softmax_f32(sdx_pool *pool, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner) {
    softmax(pool, x, y, outer, axis, inner, 0);
}
void sdx_log_softmax_f32(sdx_pool *pool, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner) {
    softmax(pool, x, y, outer, axis, inner, 1);
}
#endif
