/// Positions of extrema: sdx_argmax_f32, sdx_argmin_f32.
#include <math.h>

#include "../include/sdx_reduction.h"
#define SDX_SELF "../Reduction/ArgReduce.c"
#include "../Isa/EachIsa.h"

#ifndef SDX_ARG_STRIP
#define SDX_ARG_STRIP 64 // columns at a time
#endif

#if SDX_ISA_PASS
#include "../Elementwise/VectorMath.h"
#include "Sums.h"

/// A row: the extremum first, then where it stands.
static int64_t SDX_FN(arg_row)(const float *x, int64_t n, int minimum, int last) {
    float e = (float)fold_row(minimum ? FOLD_MIN : FOLD_MAX, x, n, 0);
    if (last) {
        for (int64_t i = n; i-- > 0;)
            if (x[i] == e || (e != e && x[i] != x[i])) return i;
        return 0;
    }
    const vf v = vsplat(e);
    const vi nan = v != v;
    int64_t i = 0;
    for (; i + SDX_V <= n; i += SDX_V) {
        vf u = vload(x + i);
        if (__builtin_reduce_or((u == v) | (nan & (u != u)))) break;
    }
    for (; i < n; i++)
        if (x[i] == e || (e != e && x[i] != x[i])) return i;
    return 0;
}

/// SDX_ARG_STRIP columns at most, `stride` apart along the axis. Minima are maxima of −x.
static void SDX_FN(arg_columns)(
    const float *x, int64_t stride, int64_t rows, int64_t columns, int minimum, int last, int64_t *y) {
    for (int64_t c = 0; c < columns; c += SDX_V) {
        int64_t m = columns - c < SDX_V ? columns - c : SDX_V;
        const vi flip = (vi)(minimum ? (int32_t)0x80000000 : 0);
        vf best = vas_float(vas_int(m == SDX_V ? vload(x + c) : vload_first(x + c, m)) ^ flip);
        vi at = {0};
        for (int64_t r = 1; r < rows; r++) {
            const float *p = x + r * stride + c;
            vf v = vas_float(vas_int(m == SDX_V ? vload(p) : vload_first(p, m)) ^ flip);
            vi take = last ? (v >= best) | (v != v) : (v > best) | ((v != v) & (best == best));
            take &= last ? (best == best) | (v != v) : take;
            best = take ? v : best;
            at = take ? (vi)((int32_t)r) : at;
        }
        for (int64_t i = 0; i < m; i++) y[c + i] = at[i];
    }
}

#else

SDX_TABLE_OF(int64_t, arg_row, (const float *, int64_t, int, int))
SDX_TABLE(arg_columns, (const float *, int64_t, int64_t, int64_t, int, int, int64_t *))

typedef struct {
    const float *x;
    int64_t *y;
    int64_t axis, inner, strips, units, group;
    int minimum, last;
} arg_job;

static void arg_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const arg_job *j = ctx;
    int64_t end = (chunk + 1) * j->group < j->units ? (chunk + 1) * j->group : j->units;
    for (int64_t u = chunk * j->group; u < end; u++) {
        int64_t o = u / j->strips, c = u % j->strips * SDX_ARG_STRIP;
        int64_t columns = j->inner - c < SDX_ARG_STRIP ? j->inner - c : SDX_ARG_STRIP;
        const float *x = j->x + o * j->axis * j->inner + c;
        int64_t *y = j->y + o * j->inner + c;
        if (j->inner == 1) *y = SDX_CALL(arg_row)(x, j->axis, j->minimum, j->last);
        else SDX_CALL(arg_columns)(x, j->inner, j->axis, columns, j->minimum, j->last, y);
    }
}

static void arg_reduce(
    sdx_pool *pool, const float *x, int64_t *y, int64_t outer, int64_t axis, int64_t inner, int minimum, int last) {
    if (outer <= 0 || axis <= 0 || inner <= 0) return;
    arg_job job = {.x = x, .y = y, .axis = axis, .inner = inner, .minimum = minimum, .last = last};
    job.strips = (inner + SDX_ARG_STRIP - 1) / SDX_ARG_STRIP;
    job.units = outer * job.strips;
    job.group = 16384 / (axis * (inner < SDX_ARG_STRIP ? inner : SDX_ARG_STRIP)) + 1;
    sdx_parallel_for(pool, (job.units + job.group - 1) / job.group, arg_chunk, &job);
}

void sdx_argmax_f32(
    sdx_pool *pool, const float *x, int64_t *y, int64_t outer, int64_t axis, int64_t inner, int select_last) {
    arg_reduce(pool, x, y, outer, axis, inner, 0, select_last);
}
void sdx_argmin_f32(
    sdx_pool *pool, const float *x, int64_t *y, int64_t outer, int64_t axis, int64_t inner, int select_last) {
    arg_reduce(pool, x, y, outer, axis, inner, 1, select_last);
}
#endif
