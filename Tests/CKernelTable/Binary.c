/// Binary operators on strided operands.
#include "Table.h"

enum { MOST_RANK = 6 };

/// The operands' strides: those of a contiguous operand where `broadcast_x` has no bit for the dimension, else 0.
typedef struct binary_row {
    const char *what;
    sdx_binary_op operation;
    int rank;
    int64_t shape[MOST_RANK];
    int broadcast_a, broadcast_b; // bit k: dimension k has stride 0
    bool a_reversed;              // a's dimensions in memory are in the opposite order
    bool a_backwards;             // a is walked from its end: negative strides
    bool relu;
} binary_row;

static const binary_row rows[] = {
    {"a scalar", SDX_BINARY_ADD, 0},
    {"nothing", SDX_BINARY_ADD, 2, {3, 0}},
    {"nothing in front", SDX_BINARY_MUL, 3, {0, 3, 4}, .broadcast_b = 7},
    {"one", SDX_BINARY_SUB, 1, {1}},
    {"one less than a vector", SDX_BINARY_ADD, 1, {15}},
    {"one more than a vector", SDX_BINARY_ADD, 1, {17}},
    {"both broadcast everywhere", SDX_BINARY_ADD, 2, {3, 19}, 3, 3},
    {"a scalar on the left", SDX_BINARY_SUB, 2, {5, 33}, 3},
    {"a scalar on the right", SDX_BINARY_DIV, 2, {5, 33}, 0, 3},
    {"a power of 2", SDX_BINARY_POW, 2, {5, 33}, 0, 3},
    {"a row on the right", SDX_BINARY_MUL, 2, {7, 50}, 0, 1},
    {"a column on the right", SDX_BINARY_MUL, 2, {7, 50}, 0, 2, .relu = true},
    {"channels of an image", SDX_BINARY_ADD, 4, {2, 5, 6, 7}, 0, 1 + 4 + 8, .relu = true},
    {"every other dimension, crossed", SDX_BINARY_ADD, 4, {3, 4, 5, 6}, 5, 10},
    {"a transposed operand", SDX_BINARY_SUB, 3, {6, 7, 8}, .a_reversed = true},
    {"negative strides", SDX_BINARY_SUB, 3, {3, 4, 21}, .a_backwards = true},
    {"dimensions of 1", SDX_BINARY_MAX, 5, {1, 9, 1, 11, 1}, 0, 2},
    {"many elements", SDX_BINARY_ADD, 1, {100003}},
    {"many rows", SDX_BINARY_ADD, 2, {20000, 3}, 0, 1},
    {"six dimensions", SDX_BINARY_MIN, 6, {2, 3, 2, 3, 2, 5}, 21, 42},
    {"prelu by channel", SDX_BINARY_PRELU, 3, {2, 9, 30}, 0, 5},
    {"remainders", SDX_BINARY_FMOD, 1, {333}},
};
enum { RANDOM_ROWS = 200 };

static binary_row random_row(table *t) {
    binary_row r = {"random", (sdx_binary_op)random_in(t, 0, SDX_BINARY_COUNT - 1), (int)random_in(t, 0, 5)};
    for (int k = 0; k < r.rank; k++) {
        r.shape[k] = random_in(t, 1, k + 1 == r.rank && random_chance(t, 2) ? 90 : 7);
        if (random_chance(t, 60)) r.shape[k] = 0;
    }
    int all = (1 << r.rank) - 1;
    if (random_chance(t, 3)) r.broadcast_a = (int)random_in(t, 0, all);
    if (random_chance(t, 2)) r.broadcast_b = (int)random_in(t, 0, all);
    r.a_reversed = random_chance(t, 8);
    r.a_backwards = random_chance(t, 8);
    r.relu = random_chance(t, 2);
    return r;
}

static double reference(sdx_binary_op operation, double a, double b) {
    switch (operation) {
    case SDX_BINARY_ADD: return a + b;
    case SDX_BINARY_SUB: return a - b;
    case SDX_BINARY_MUL: return a * b;
    case SDX_BINARY_DIV: return a / b;
    case SDX_BINARY_MAX: return isnan(a) || isnan(b) ? NAN : fmax(a, b);
    case SDX_BINARY_MIN: return isnan(a) || isnan(b) ? NAN : fmin(a, b);
    case SDX_BINARY_POW: return pow(a, b);
    case SDX_BINARY_PRELU: return a < 0 ? a * b : a;
    case SDX_BINARY_FMOD: return fmod(a, b);
    case SDX_BINARY_COUNT: break;
    }
    return NAN;
}

/// Fills the strides of a dense operand and returns its number of elements.
static int64_t dense_strides(const binary_row *r, int broadcast, bool reversed, int64_t *strides) {
    int64_t count = 1;
    for (int i = 0; i < r->rank; i++) {
        int k = reversed ? i : r->rank - 1 - i;
        strides[k] = broadcast >> k & 1 ? 0 : count;
        if (strides[k]) count *= r->shape[k];
    }
    return count;
}

static int64_t offset_of(const binary_row *r, int64_t index, const int64_t *strides) {
    int64_t offset = 0;
    for (int k = r->rank - 1; k >= 0; k--) {
        offset += index % r->shape[k] * strides[k];
        index /= r->shape[k];
    }
    return offset;
}

static void check(table *t, const binary_row *r) {
    table_row(t, "%s: operation %d rank %d shape %lld·%lld·%lld·%lld·%lld·%lld broadcast %x %x relu %d", r->what,
              r->operation, r->rank, (long long)r->shape[0], (long long)r->shape[1], (long long)r->shape[2],
              (long long)r->shape[3], (long long)r->shape[4], (long long)r->shape[5], r->broadcast_a, r->broadcast_b,
              r->relu);
    int64_t strides_a[MOST_RANK], strides_b[MOST_RANK], count = 1;
    for (int k = 0; k < r->rank; k++) count *= r->shape[k];
    int64_t count_a = dense_strides(r, r->broadcast_a, r->a_reversed, strides_a);
    int64_t count_b = dense_strides(r, r->broadcast_b, false, strides_b);
    float *storage = input_floats(t, count_a), *a = storage, *b = input_floats(t, count_b);
    sprinkle_specials(t, a, random_chance(t, 3) ? count_a : 0);
    sprinkle_specials(t, b, random_chance(t, 3) ? count_b : 0);
    if (r->operation == SDX_BINARY_POW && count_b == 1) b[0] = 2;
    if (r->a_backwards && count_a > 0) {
        a += count_a - 1;
        for (int k = 0; k < r->rank; k++) strides_a[k] = -strides_a[k];
    }
    sdx_activation activation = {r->relu ? SDX_ACTIVATION_RELU : SDX_ACTIVATION_NONE};
    result y = output(t, count, sizeof(float));
    EACH_POOL(p) {
        sdx_binary_f32(t->pools[p], r->operation, a, strides_a, b, strides_b, y.of[p], r->shape, r->rank,
                       activation.kind);
    }
    const float *got = y.of[0];
    for (int64_t i = 0; i < count; i++) {
        double want = reference(r->operation, a[offset_of(r, i, strides_a)], b[offset_of(r, i, strides_b)]);
        want = activate(activation, want);
        if (isinf((float)want)) want = copysign(INFINITY, want);
        table_near(t, "y", i, got[i], want, fabs(want) * 6.1e-8 + FLT_MIN);
    }
    bool a_is_dense = !r->broadcast_a && !r->a_reversed && !r->a_backwards;
    if (count > 0 && (a_is_dense || !r->broadcast_b)) {
        float *both = copy_of(t, a_is_dense ? a : b, count, sizeof(float));
        sdx_binary_f32(t->pools[2], r->operation, a_is_dense ? both : a, strides_a, a_is_dense ? b : both, strides_b,
                       both, r->shape, r->rank, activation.kind);
        table_equal_bytes(t, "in place", both, got, (size_t)count * sizeof(float));
    }
}

int kernel_table_binary(char *message, size_t size) {
    table t = table_begin(message, size, 6);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        binary_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check(&t, &row);
    }
    return table_end(&t);
}
