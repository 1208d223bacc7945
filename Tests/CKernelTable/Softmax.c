/// Softmax and log-softmax over the middle of [outer, axis, inner].
#include "Table.h"

/// What the values are besides random ones.
typedef enum { PLAIN, WIDE, MASKED, ALL_MASKED, WITH_NAN, WITH_INFINITY } values;

typedef struct softmax_row {
    const char *what;
    int64_t outer, axis, inner;
    values values;
} softmax_row;

static const softmax_row rows[] = {
    {"nothing", 0, 5, 3},
    {"an empty axis", 2, 0, 3},
    {"nothing inside", 2, 3, 0},
    {"one", 1, 1, 1},
    {"rows of one", 40, 1, 1},
    {"rows shorter than a vector", 9, 3, 1},
    {"rows of a vector and one", 4, 17, 1, WIDE},
    {"a long row", 1, 20001, 1},
    {"columns", 3, 10, 37},
    {"columns shorter than a vector", 3, 10, 3, WIDE},
    {"many columns", 1, 5, 6007},
    {"long columns", 1, 3001, 5},
    {"many rows", 1500, 9, 1},
    {"masked", 5, 33, 1, MASKED},
    {"masked columns", 5, 9, 20, MASKED},
    {"all masked gives NaN", 2, 21, 1, ALL_MASKED},
    {"all masked columns give NaN", 2, 6, 21, ALL_MASKED},
    {"NaN", 3, 40, 1, WITH_NAN},
    {"NaN in columns", 3, 7, 33, WITH_NAN},
    {"an infinity gives NaN", 3, 40, 1, WITH_INFINITY},
    {"an infinity in columns gives NaN", 3, 7, 33, WITH_INFINITY},
};
enum { RANDOM_ROWS = 60 };

static softmax_row random_row(table *t) {
    softmax_row r = {"random", random_in(t, 1, 5), random_in(t, 1, random_chance(t, 3) ? 1500 : 50)};
    r.inner = random_chance(t, 2) ? 1 : random_in(t, 1, 40);
    r.values = (values)random_in(t, PLAIN, WITH_INFINITY);
    return r;
}

static void check(table *t, const softmax_row *r, bool logarithm) {
    table_row(t, "%s: %s of [%lld, %lld, %lld], values %d", r->what, logarithm ? "log-softmax" : "softmax",
              (long long)r->outer, (long long)r->axis, (long long)r->inner, r->values);
    int64_t count = r->outer * r->axis * r->inner;
    float *x = input_floats(t, count);
    for (int64_t i = 0; i < count; i++) {
        if (r->values == WIDE) x[i] *= 10;
        if (r->values == ALL_MASKED || (r->values == MASKED && random_chance(t, 3))) x[i] = -INFINITY;
    }
    if (count > 0 && r->values >= WITH_NAN)
        x[random_in(t, 0, count - 1)] = r->values == WITH_NAN ? NAN : INFINITY;
    result y = output(t, count, sizeof(float));
    void (*kernel)(sdx_pool *, const float *, float *, int64_t, int64_t, int64_t) =
        logarithm ? sdx_log_softmax_f32 : sdx_softmax_f32;
    EACH_POOL(p) kernel(t->pools[p], x, y.of[p], r->outer, r->axis, r->inner);
    float *both = copy_of(t, x, count, sizeof(float));
    kernel(t->pools[2], both, both, r->outer, r->axis, r->inner);
    table_equal_bytes(t, "in place", both, y.of[0], (size_t)count * sizeof(float));

    for (int64_t slice = 0; slice < r->outer * r->inner; slice++) {
        int64_t start = slice / r->inner * r->axis * r->inner + slice % r->inner;
        double most = -INFINITY, sum = 0;
        bool has_nan = false;
        for (int64_t j = 0; j < r->axis; j++) {
            most = fmax(most, x[start + j * r->inner]);
            has_nan |= isnan(x[start + j * r->inner]);
        }
        if (has_nan || isinf(most)) most = NAN; // and so is all of the slice
        for (int64_t j = 0; j < r->axis; j++) sum += exp(x[start + j * r->inner] - most);
        for (int64_t j = 0; j < r->axis; j++) {
            double v = x[start + j * r->inner], below = fabs(v - most), got = ((float *)y.of[0])[start + j * r->inner];
            double want = logarithm ? v - most - log(sum) : exp(v - most) / sum, tolerance;
            if (logarithm) tolerance = 3 * 0x1p-24 * fmax(fabs(want), fmax(below, log((double)r->axis) + 1));
            else tolerance = want > 0 ? want * (7 + below) * 0x1p-24 + FLT_MIN : 0;
            table_near(t, "y", start + j * r->inner, got, want, tolerance);
        }
    }
}

int kernel_table_softmax(char *message, size_t size) {
    table t = table_begin(message, size, 11);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        softmax_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check(&t, &row, false);
        check(&t, &row, true);
    }
    return table_end(&t);
}
