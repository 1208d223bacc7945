/// Reductions of f32: sdx_reduce_f32.
#include <math.h>

#include "../include/sdx_reduction.h"
#define SDX_SELF "../Reduction/Reduce.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Elementwise/VectorMath.h"
#include "Sums.h"

static double SDX_FN(reduce_row)(fold_kind kind, const float *x, int64_t n, float shift) {
    return fold_row(kind, x, n, shift);
}

#define COLUMNS(kind)                                                                                                  \
    for (int64_t r = 0; r < rows; r += FOLD_COLUMN_BLOCK) {                                                            \
        int64_t end = r + FOLD_COLUMN_BLOCK < rows ? r + FOLD_COLUMN_BLOCK : rows;                                     \
        for (int64_t c = 0; c < columns; c += SDX_V) {                                                                 \
            int64_t m = columns - c < SDX_V ? columns - c : SDX_V;                                                     \
            const float *p = x + r * stride + c;                                                                       \
            vf s = kind == FOLD_EXP ? (m == SDX_V ? vload(shift + c) : vload_first(shift + c, m)) : vsplat(0);         \
            vf a;                                                                                                      \
            if (m == SDX_V) {                                                                                          \
                a = fold_map(kind, vload(p), s);                                                                       \
                for (int64_t k = r + 1; k < end; k++)                                                                  \
                    a = fold_join(kind, a, fold_map(kind, vload(p += stride), s));                                     \
            } else {                                                                                                   \
                a = fold_map(kind, vload_first(p, m), s);                                                              \
                for (int64_t k = r + 1; k < end; k++)                                                                  \
                    a = fold_join(kind, a, fold_map(kind, vload_first(p += stride, m), s));                            \
            }                                                                                                          \
            vdw d = __builtin_convertvector(a, vdw), old;                                                              \
            memcpy(&old, sums + c, sizeof old);                                                                        \
            if (r > 0 && kind == FOLD_MAX) d = ((old != old) | (old > d)) ? old : d;                                   \
            else if (r > 0 && kind == FOLD_MIN) d = ((old != old) | (old < d)) ? old : d;                              \
            else if (r > 0) d += old;                                                                                  \
            memcpy(sums + c, &d, sizeof d);                                                                            \
        }                                                                                                              \
    }

/// sums[c] = the fold of x[r·stride + c] over rows > 0; sums has room for whole vectors.
static void SDX_FN(reduce_columns)(
    fold_kind kind, const float *x, int64_t stride, int64_t rows, int64_t columns, const float *shift, double *sums) {
    switch (kind) {
    case FOLD_SUM: COLUMNS(FOLD_SUM) break;
    case FOLD_SQUARE: COLUMNS(FOLD_SQUARE) break;
    case FOLD_ABS: COLUMNS(FOLD_ABS) break;
    case FOLD_EXP: COLUMNS(FOLD_EXP) break;
    case FOLD_MAX: COLUMNS(FOLD_MAX) break;
    case FOLD_MIN: COLUMNS(FOLD_MIN) break;
    case FOLD_PROD:
        for (int64_t c = 0; c < columns; c += SDX_V) {
            int64_t m = columns - c < SDX_V ? columns - c : SDX_V;
            vdw d = (vdw)(1.0);
            for (int64_t r = 0; r < rows; r++) {
                const float *p = x + r * stride + c;
                d *= __builtin_convertvector(m == SDX_V ? vload(p) : vload_first(p, m), vdw);
            }
            memcpy(sums + c, &d, sizeof d);
        }
        break;
    default: break;
    }
}
#undef COLUMNS

#else

SDX_TABLE_OF(double, reduce_row, (fold_kind, const float *, int64_t, float))
SDX_TABLE(reduce_columns, (fold_kind, const float *, int64_t, int64_t, int64_t, const float *, double *))

enum { STRIP = 512, MAX_PARTS = 4096, SPLIT = 32768 };

typedef struct {
    const float *x;
    float *y;
    double *parts; // [splits][outer · inner], or NULL for one split
    int64_t outer, axis, inner, split, splits, strips, group, units;
    sdx_reduce_op op;
    fold_kind kind;
} reduce_job;

/// The result from the folded value; `shift` is the maximum for FOLD_EXP.
static float finish(sdx_reduce_op op, double v, int64_t axis, float shift) {
    switch (op) {
    case SDX_REDUCE_MEAN: return (float)(v / (double)axis);
    case SDX_REDUCE_L2: return (float)sqrt(v);
    case SDX_REDUCE_LOG_SUM: return (float)log(v);
    case SDX_REDUCE_LOG_SUM_EXP: return isfinite(shift) ? (float)(shift + log(v)) : shift;
    default: return (float)v;
    }
}

static double join(fold_kind kind, double a, double b) {
    switch (kind) {
    case FOLD_MAX: return a != a || a > b ? a : b;
    case FOLD_MIN: return a != a || a < b ? a : b;
    case FOLD_PROD: return a * b;
    default: return a + b;
    }
}

/// A unit is one outer index, one split of the axis and one strip of the inner dimension.
static void reduce_unit(const reduce_job *j, int64_t unit) {
    int64_t strip = unit % j->strips, o = unit / j->strips % j->outer, s = unit / j->strips / j->outer;
    int64_t a = s * j->split, rows = j->axis - a < j->split ? j->axis - a : j->split;
    int64_t c = strip * STRIP, columns = j->inner - c < STRIP ? j->inner - c : STRIP;
    const float *x = j->x + (o * j->axis + a) * j->inner + c;
    double sums[STRIP + 16];
    int64_t at = o * j->inner + c;
    if (j->inner == 1) sums[0] = SDX_CALL(reduce_row)(j->kind, x, rows, j->kind == FOLD_EXP ? j->y[at] : 0);
    else SDX_CALL(reduce_columns)(j->kind, x, j->inner, rows, columns, j->y + at, sums);
    if (j->parts) {
        memcpy(j->parts + s * j->outer * j->inner + at, sums, (size_t)columns * sizeof(double));
        return;
    }
    for (int64_t i = 0; i < columns; i++) j->y[at + i] = finish(j->op, sums[i], j->axis, j->y[at + i]);
}

static void reduce_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const reduce_job *j = ctx;
    int64_t end = (chunk + 1) * j->group < j->units ? (chunk + 1) * j->group : j->units;
    for (int64_t u = chunk * j->group; u < end; u++) reduce_unit(j, u);
}

static void reduce(sdx_pool *pool, sdx_reduce_op op, fold_kind kind, reduce_job *j) {
    double parts[MAX_PARTS];
    int64_t results = j->outer * j->inner;
    j->op = op;
    j->kind = kind;
    // Few results of a long axis: split it. Splits are whole blocks.
    j->splits = 1;
    if (j->outer * j->strips < 64 && results * 2 <= MAX_PARTS) {
        int64_t width = j->inner < 16 ? 16 : j->inner;
        j->splits = (j->axis * width + SPLIT - 1) / SPLIT;
        if (j->inner == 1) j->splits = (j->axis + SPLIT - 1) / SPLIT;
        if (j->splits > MAX_PARTS / results) j->splits = MAX_PARTS / results;
    }
    j->split = ((j->axis + j->splits - 1) / j->splits + FOLD_ROW_BLOCK - 1) / FOLD_ROW_BLOCK * FOLD_ROW_BLOCK;
    j->splits = (j->axis + j->split - 1) / j->split;
    j->parts = j->splits > 1 ? parts : NULL;
    j->units = j->outer * j->splits * j->strips;
    int64_t unit = (j->split < j->axis ? j->split : j->axis) * (j->inner < STRIP ? j->inner : STRIP);
    j->group = 16384 / unit + 1;
    sdx_parallel_for(pool, (j->units + j->group - 1) / j->group, reduce_chunk, j);
    if (!j->parts) return;
    for (int64_t i = 0; i < results; i++) {
        double v = parts[i];
        for (int64_t s = 1; s < j->splits; s++) v = join(kind, v, parts[s * results + i]);
        j->y[i] = finish(op, v, j->axis, j->y[i]);
    }
}

void sdx_reduce_f32(
    sdx_pool *pool, sdx_reduce_op op, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner) {
    static const fold_kind kinds[SDX_REDUCE_COUNT] = {
        [SDX_REDUCE_SUM] = FOLD_SUM,           [SDX_REDUCE_MEAN] = FOLD_SUM, [SDX_REDUCE_MAX] = FOLD_MAX,
        [SDX_REDUCE_MIN] = FOLD_MIN,           [SDX_REDUCE_PROD] = FOLD_PROD, [SDX_REDUCE_SUM_SQUARE] = FOLD_SQUARE,
        [SDX_REDUCE_L1] = FOLD_ABS,            [SDX_REDUCE_L2] = FOLD_SQUARE, [SDX_REDUCE_LOG_SUM] = FOLD_SUM,
        [SDX_REDUCE_LOG_SUM_EXP] = FOLD_EXP,
    };
    if (outer <= 0 || inner <= 0) return;
    if (axis <= 0) {
        static const float empty[SDX_REDUCE_COUNT] = {
            [SDX_REDUCE_MEAN] = NAN, [SDX_REDUCE_MAX] = -INFINITY, [SDX_REDUCE_MIN] = INFINITY, [SDX_REDUCE_PROD] = 1,
            [SDX_REDUCE_LOG_SUM] = -INFINITY, [SDX_REDUCE_LOG_SUM_EXP] = -INFINITY,
        };
        for (int64_t i = 0; i < outer * inner; i++) y[i] = empty[op];
        return;
    }
    if (axis == 1 && (op == SDX_REDUCE_LOG_SUM_EXP)) {
        if (x != y) memcpy(y, x, (size_t)(outer * inner) * sizeof(float));
        return;
    }
    reduce_job job = {.x = x, .y = y, .outer = outer, .axis = axis, .inner = inner};
    job.strips = inner == 1 ? 1 : (inner + STRIP - 1) / STRIP;
    // ln Σeˣ: y holds the maxima between two passes.
    if (op == SDX_REDUCE_LOG_SUM_EXP) reduce(pool, SDX_REDUCE_MAX, FOLD_MAX, &job);
    reduce(pool, op, kinds[op], &job);
}
#endif
