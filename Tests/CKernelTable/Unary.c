/// Unary operators: the same bits wherever a value stands, in place too. Their errors are in Functions.c.
#include "Table.h"

/// Lengths around whole vectors of every ISA, and one that is cut into several chunks.
static const int64_t lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 257, 70001};

static void check(table *t, sdx_unary_op operation, int64_t count) {
    table_row(t, "operation %d on %lld values", operation, (long long)count);
    enum { LEAD = 8 }; // the values stand elsewhere in a vector here
    const float a = 0.7f, b = 0.3f;
    float *longer = input_floats(t, count + LEAD);
    sprinkle_specials(t, longer, count + LEAD);
    float *expected = copy_of(t, longer, count + LEAD, sizeof(float));
    sdx_unary_f32(NULL, operation, longer, expected, count + LEAD, a, b);

    int64_t lead = random_in(t, 0, LEAD);
    float *x = input_bytes(t, count, sizeof(float));
    memcpy(x, longer + lead, (size_t)count * sizeof(float));
    result y = output(t, count, sizeof(float));
    EACH_POOL(p) sdx_unary_f32(t->pools[p], operation, x, y.of[p], count, a, b);
    table_equal_floats(t, "elsewhere in the array: y", y.of[0], expected + lead, count);
    sdx_unary_f32(t->pools[POOLS - 1], operation, x, x, count, a, b);
    table_equal_bytes(t, "in place", x, y.of[0], (size_t)count * sizeof(float));
}

int kernel_table_unary(char *message, size_t size) {
    table t = table_begin(message, size, 4);
    for (int operation = 0; operation < SDX_UNARY_COUNT; operation++)
        for (size_t i = 0; i < COUNT(lengths); i++) check(&t, (sdx_unary_op)operation, lengths[i]);
    return table_end(&t);
}
