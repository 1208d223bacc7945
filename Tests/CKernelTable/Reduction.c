/// Reductions and arg extremes over the middle of [outer, axis, inner].
#include "Table.h"

typedef struct reduction_row {
    const char *what;
    int64_t outer, axis, inner;
    bool ties; // whole numbers
} reduction_row;

static const reduction_row rows[] = {
    {"nothing", 0, 5, 3},
    {"nothing inside", 2, 5, 0},
    {"an empty axis", 3, 0, 4},
    {"an empty axis, rows", 3, 0, 1},
    {"one", 1, 1, 1},
    {"an axis of one", 5, 1, 9},
    {"rows shorter than a vector", 9, 3, 1},
    {"rows of a vector and one", 4, 17, 1, true},
    {"rows of a block", 3, 512, 1},
    {"rows of a block and one", 3, 513, 1},
    {"a long row", 1, 70001, 1},
    {"columns shorter than a vector", 3, 40, 3},
    {"columns of a block", 2, 16, 33, true},
    {"columns of a block and one", 2, 17, 33},
    {"long columns", 1, 9001, 5},
    {"wide columns", 1, 7, 4099},
    {"many rows", 3000, 6, 1, true},
    {"many columns", 700, 4, 7},
};
enum { RANDOM_ROWS = 25 };

static reduction_row random_row(table *t) {
    reduction_row r = {"random", random_in(t, 1, 6), random_in(t, 1, random_chance(t, 4) ? 3000 : 60)};
    r.inner = random_chance(t, 2) ? 1 : random_in(t, 1, random_chance(t, 3) ? 300 : 40);
    if (random_chance(t, 30)) r.axis = 0;
    r.ties = random_chance(t, 3);
    return r;
}

/// What one pass over a slice gives.
typedef struct statistics {
    double sum, sizes, squares, product, highest, lowest, exponentials;
} statistics;

static statistics statistics_of(const float *x, int64_t axis, int64_t step) {
    statistics s = {.product = 1, .highest = -INFINITY, .lowest = INFINITY};
    bool has_nan = false;
    for (int64_t j = 0; j < axis; j++) {
        double v = x[j * step];
        s.sum += v;
        s.sizes += fabs(v);
        s.squares += v * v;
        s.product *= v;
        has_nan |= isnan(v);
        s.highest = fmax(s.highest, v);
        s.lowest = fmin(s.lowest, v);
    }
    if (has_nan) s.highest = s.lowest = NAN;
    for (int64_t j = 0; j < axis; j++) s.exponentials += exp(x[j * step] - s.highest);
    return s;
}

static void check_slice(table *t, sdx_reduce_op operation, int64_t axis, statistics s, int64_t i, float got) {
    double want = NAN, tolerance = 0;
    switch (operation) {
    case SDX_REDUCE_SUM: want = s.sum, tolerance = s.sizes * 1e-6; break;
    case SDX_REDUCE_MEAN: want = axis ? s.sum / (double)axis : NAN, tolerance = s.sizes / (double)axis * 1e-6; break;
    case SDX_REDUCE_MAX: want = s.highest; break;
    case SDX_REDUCE_MIN: want = s.lowest; break;
    case SDX_REDUCE_PROD: want = s.product, tolerance = fabs(want) * 1e-6; break;
    case SDX_REDUCE_SUM_SQUARE: want = s.squares, tolerance = want * 1e-6; break;
    case SDX_REDUCE_L1: want = s.sizes, tolerance = want * 1e-6; break;
    case SDX_REDUCE_L2: want = sqrt(s.squares), tolerance = want * 1e-6; break;
    case SDX_REDUCE_LOG_SUM: want = log(s.sum), tolerance = fabs(want) * 2e-7 + 2e-6; break;
    case SDX_REDUCE_LOG_SUM_EXP:
        want = isfinite(s.highest) ? s.highest + log(s.exponentials) : s.highest;
        tolerance = fabs(want) * 3e-7 + 1e-6;
        break;
    case SDX_REDUCE_COUNT: break;
    }
    bool squares = operation == SDX_REDUCE_SUM_SQUARE || operation == SDX_REDUCE_L2;
    if (squares && s.squares > FLT_MAX) return; // a square may overflow
    if (isfinite(want) && fabs(want) >= FLT_MAX) return;
    if (operation == SDX_REDUCE_PROD && fabs(want) < FLT_MIN) return;
    table_near(t, "y", i, got, want, tolerance);
}

static bool is_better(float v, float best, bool smallest, bool last) {
    if (isnan(best)) return last && isnan(v);
    if (isnan(v)) return true;
    return (smallest ? v < best : v > best) || (last && v == best);
}

static void check(table *t, const reduction_row *r) {
    int64_t results = r->outer * r->inner, count = results * r->axis;
    for (int operation = 0; operation < SDX_REDUCE_COUNT; operation++) {
        table_row(t, "%s: operation %d on [%lld, %lld, %lld]", r->what, operation, (long long)r->outer,
                  (long long)r->axis, (long long)r->inner);
        float *x = input_floats(t, count);
        for (int64_t i = 0; i < count; i++) {
            if (r->ties) x[i] = roundf(x[i]);
            if (operation == SDX_REDUCE_PROD) x[i] = 1 + x[i] * 0.01f;
            if (operation == SDX_REDUCE_LOG_SUM) x[i] = fabsf(x[i]);
        }
        if (random_chance(t, 4)) sprinkle_specials(t, x, count);
        result y = output(t, results, sizeof(float));
        EACH_POOL(p) {
            sdx_reduce_f32(t->pools[p], (sdx_reduce_op)operation, x, y.of[p], r->outer, r->axis, r->inner);
        }
        for (int64_t i = 0; i < results; i++) {
            const float *slice = x + i / r->inner * r->axis * r->inner + i % r->inner;
            statistics s = statistics_of(slice, r->axis, r->inner);
            check_slice(t, (sdx_reduce_op)operation, r->axis, s, i, ((float *)y.of[0])[i]);
        }
    }
    for (int kind = 0; kind < 4 && r->axis > 0; kind++) {
        bool smallest = kind & 1, last = kind & 2;
        table_row(t, "%s: arg %s, the %s, on [%lld, %lld, %lld]", r->what, smallest ? "min" : "max",
                  last ? "last" : "first", (long long)r->outer, (long long)r->axis, (long long)r->inner);
        float *x = input_floats(t, count);
        for (int64_t i = 0; i < count && r->ties; i++) x[i] = roundf(x[i]);
        if (random_chance(t, 3)) sprinkle_specials(t, x, count);
        result y = output(t, results, sizeof(int64_t));
        EACH_POOL(p) {
            (smallest ? sdx_argmin_f32 : sdx_argmax_f32)(
                t->pools[p], x, y.of[p], r->outer, r->axis, r->inner, last);
        }
        for (int64_t i = 0; i < results; i++) {
            const float *slice = x + i / r->inner * r->axis * r->inner + i % r->inner;
            int64_t at = 0;
            for (int64_t j = 1; j < r->axis; j++)
                if (is_better(slice[j * r->inner], slice[at * r->inner], smallest, last)) at = j;
            table_near(t, "index", i, (double)((int64_t *)y.of[0])[i], (double)at, 0);
        }
    }
}

int kernel_table_reduction(char *message, size_t size) {
    table t = table_begin(message, size, 10);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        reduction_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check(&t, &row);
    }
    return table_end(&t);
}
