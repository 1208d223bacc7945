/// Strided copies: sdx_transpose, sdx_copy_strided, sdx_fill.
#include "Table.h"

enum { MOST_RANK = 6 };

typedef struct transpose_row {
    const char *what;
    int rank;
    int64_t shape[MOST_RANK]; // of the result
    int order[MOST_RANK];     // dimensions of the result from the source's slowest to its fastest
    int broadcast, backwards; // bit k: dimension k has stride 0, or a negative one
    int64_t room[MOST_RANK];  // what the larger array that copy_strided writes into has more
} transpose_row;

static const transpose_row rows[] = {
    {"a scalar", 0},
    {"nothing", 2, {4, 0}, {0, 1}},
    {"one", 3, {1, 1, 1}, {2, 1, 0}},
    {"a plain copy", 2, {9, 31}, {0, 1}, .room = {2, 3}},
    {"a long plain copy", 1, {150001}, {0}},
    {"a matrix", 2, {17, 23}, {1, 0}},
    {"a matrix of whole blocks", 2, {64, 64}, {1, 0}},
    {"a thin matrix", 2, {2, 301}, {1, 0}},
    {"a tall matrix", 2, {301, 3}, {1, 0}, .room = {0, 1}},
    {"interleave 2", 2, {301, 2}, {1, 0}},
    {"interleave 3", 2, {301, 3}, {1, 0}},
    {"interleave 4", 2, {301, 4}, {1, 0}},
    {"take 2 apart", 3, {2, 2, 301}, {0, 2, 1}},
    {"take 3 apart", 3, {2, 3, 301}, {0, 2, 1}},
    {"take 5 apart", 3, {2, 5, 301}, {0, 2, 1}},
    {"channels last", 4, {2, 9, 10, 5}, {0, 3, 1, 2}},
    {"channels first", 4, {2, 5, 9, 10}, {0, 2, 3, 1}},
    {"planes of a matrix", 3, {6, 33, 18}, {0, 2, 1}, .room = {1, 0, 2}},
    {"all reversed", 5, {3, 4, 5, 6, 7}, {4, 3, 2, 1, 0}},
    {"rows of one element", 3, {40, 50, 1}, {1, 0, 2}},
    {"broadcast rows", 3, {4, 5, 37}, {0, 1, 2}, .broadcast = 4},
    {"broadcast in the middle", 3, {4, 5, 37}, {0, 1, 2}, .broadcast = 2},
    {"broadcast everywhere", 3, {4, 5, 37}, {0, 1, 2}, .broadcast = 7},
    {"backwards", 2, {9, 40}, {0, 1}, .backwards = 3, .room = {1, 1}},
    {"backwards rows", 2, {9, 40}, {0, 1}, .backwards = 2},
    {"a transposed matrix backwards", 2, {30, 40}, {1, 0}, .backwards = 1},
    {"six dimensions", 6, {2, 3, 4, 3, 2, 5}, {3, 0, 5, 1, 4, 2}, .room = {1, 0, 1, 0, 1, 0}},
};
enum { RANDOM_ROWS = 150 };

static transpose_row random_row(table *t) {
    transpose_row r = {"random", (int)random_in(t, 0, 5)};
    for (int k = 0; k < r.rank; k++) {
        r.shape[k] = random_in(t, 1, r.rank > 3 ? 9 : random_chance(t, 3) ? 60 : 7);
        int j = (int)random_in(t, 0, k);
        r.order[k] = r.order[j];
        r.order[j] = k;
        r.room[k] = random_in(t, 0, 3);
        if (random_chance(t, 6)) r.broadcast |= 1 << k;
        if (random_chance(t, 8)) r.backwards |= 1 << k;
    }
    return r;
}

static int64_t offset_of(const transpose_row *r, int64_t index, const int64_t *strides) {
    int64_t offset = 0;
    for (int k = r->rank - 1; k >= 0; k--) {
        offset += index % r->shape[k] * strides[k];
        index /= r->shape[k];
    }
    return offset;
}

static void check(table *t, const transpose_row *r, int element) {
    table_row(t, "%s: elements of %d bytes, rank %d shape %lld·%lld·%lld·%lld·%lld·%lld broadcast %x backwards %x",
              r->what, element, r->rank, (long long)r->shape[0], (long long)r->shape[1], (long long)r->shape[2],
              (long long)r->shape[3], (long long)r->shape[4], (long long)r->shape[5], r->broadcast, r->backwards);
    int64_t strides[MOST_RANK], larger_strides[MOST_RANK], count = 1, source_count = 1, larger_count = 1, start = 0;
    for (int i = r->rank - 1; i >= 0; i--) {
        int k = r->order[i];
        strides[k] = r->broadcast >> k & 1 ? 0 : source_count;
        if (strides[k]) source_count *= r->shape[k];
        if (strides[k] && r->backwards >> k & 1) {
            start += strides[k] * (r->shape[k] - 1);
            strides[k] = -strides[k];
        }
        count *= r->shape[i];
        larger_strides[i] = larger_count;
        larger_count *= r->shape[i] + r->room[i];
    }
    size_t size = (size_t)element;
    unsigned char *storage = input_bytes(t, source_count, size);
    for (int64_t i = 0; i < source_count * element; i++) storage[i] = (unsigned char)random_bits(t);
    const unsigned char *source = storage + (source_count > 0 ? start * element : 0);

    result y = output(t, count, size);
    EACH_POOL(p) sdx_transpose(t->pools[p], element, source, y.of[p], r->shape, strides, r->rank);
    const unsigned char *got = y.of[0];
    for (int64_t i = 0; i < count; i++)
        table_equal_bytes(t, "transposed", got + i * element, source + offset_of(r, i, strides) * element, size);

    // Into a part of a larger array, whose other elements must stay.
    result whole = output(t, larger_count, size);
    EACH_POOL(p) {
        memset(whole.of[p], 0x5a, (size_t)larger_count * size);
        sdx_copy_strided(t->pools[p], element, source, strides, whole.of[p], larger_strides, r->shape, r->rank);
    }
    unsigned char *expected = input_bytes(t, larger_count, size);
    memset(expected, 0x5a, (size_t)larger_count * size);
    for (int64_t i = 0; i < count; i++)
        memcpy(expected + offset_of(r, i, larger_strides) * element, got + i * element, size);
    table_equal_bytes(t, "copied into a part", whole.of[0], expected, (size_t)larger_count * size);

    result filled = output(t, count, size);
    if (source_count == 0) return;
    EACH_POOL(p) sdx_fill(t->pools[p], element, storage, filled.of[p], count);
    for (int64_t i = 0; i < count; i++)
        table_equal_bytes(t, "filled", (unsigned char *)filled.of[0] + i * element, storage, size);
}

int kernel_table_transpose(char *message, size_t size) {
    table t = table_begin(message, size, 7);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        transpose_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        for (int log = 0; log < 5; log++)
            if (i < COUNT(rows) || (int)(i % 5) == log) check(&t, &row, 1 << log);
    }
    return table_end(&t);
}
