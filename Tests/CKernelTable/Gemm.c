/// Matrix products of float and double.
#include "Table.h"

/// How the addend D is laid out: along each dimension it is broadcast unless named.
enum { D_NONE = 0, D_SCALAR = 1, D_ROWS = 2, D_COLUMNS = 4, D_SPREAD = 8 /* columns 3 apart */, D_BATCH = 16 };

typedef struct gemm_row {
    const char *what;
    int64_t m, n, k, batch;
    bool transpose_a, transpose_b, packed;
    bool shared_a, shared_b; // one matrix for the whole batch
    int64_t gap_a, gap_b, gap_c; // elements between rows
    int d;
    bool row_bias, column_bias, specials;
    double alpha, beta;
    sdx_activation activation; // of float
} gemm_row;

static const gemm_row rows[] = {
    {"no rows", 0, 5, 3, 1, .alpha = 1},
    {"no columns", 5, 0, 3, 1, .alpha = 1},
    {"no batch", 5, 4, 3, 0, .alpha = 1},
    {"k = 0 gives the biases", 7, 9, 0, 2, .row_bias = true, .column_bias = true, .alpha = 1},
    {"k = 0 with an addend", 3, 20, 0, 1, .d = D_ROWS | D_COLUMNS, .alpha = 1, .beta = -2},
    {"one by one", 1, 1, 1, 1, .alpha = 1},
    {"a dot product", 1, 1, 1000, 1, .alpha = 1},
    {"a matrix times a column", 300, 1, 65, 1, .alpha = 1, .row_bias = true},
    {"a matrix times a column, transposed", 65, 1, 300, 1, true, .alpha = 1, .column_bias = true},
    {"a row times a matrix", 1, 300, 65, 1, .alpha = 1, .column_bias = true},
    {"a row times a packed matrix", 1, 301, 70, 1, .packed = true, .alpha = 0.5},
    {"a row times a transposed matrix", 1, 129, 257, 1, false, true, .alpha = 1, .d = D_COLUMNS, .beta = 1},
    {"a row times a packed matrix, NaN and infinities", 1, 70, 75, 1, .packed = true, .specials = true, .alpha = 1},
    {"a row times one packed vector", 1, 3, 5, 1, .packed = true, .alpha = 1, .column_bias = true},
    {"a row times a packed matrix of no rows", 1, 40, 0, 1, .packed = true, .alpha = 1, .column_bias = true},
    {"a row times a matrix with gaps, some rows over", 1, 45, 21, 3, .gap_b = 3, .gap_c = 2, .alpha = 2, .d = D_COLUMNS,
     .beta = 1},
    {"a row times a matrix, NaN and infinities", 1, 40, 70, 1, .specials = true, .alpha = 1},
    {"an outer product", 33, 47, 1, 1, .alpha = 1},
    {"whole panels", 12, 64, 64, 1, .alpha = 1},
    {"one beyond whole panels", 13, 65, 65, 1, .alpha = 1},
    {"one less than whole panels", 11, 63, 63, 1, .alpha = 1, .packed = true},
    {"several blocks of k", 20, 40, 2100, 1, .alpha = 1, .activation = {SDX_ACTIVATION_RELU}},
    {"several blocks of k, transposed", 21, 39, 1300, 1, true, true, .alpha = -1, .d = D_ROWS, .beta = 0.25},
    {"several chunks", 260, 410, 20, 1, .alpha = 1, .activation = {SDX_ACTIVATION_SILU}},
    {"many chunks of rows and columns", 270, 330, 400, 1, .packed = true, .alpha = 1, .column_bias = true},
    {"more rows than a block, fetched ahead", 700, 70, 300, 1, .packed = true, .alpha = 1, .d = D_ROWS | D_COLUMNS,
     .beta = 1, .activation = {SDX_ACTIVATION_GELU}},
    {"two blocks of k onto a packed last panel", 31, 75, 2060, 1, .packed = true, .alpha = 1, .column_bias = true,
     .activation = {SDX_ACTIVATION_RELU}},
    {"rows of A that meet in L1", 45, 530, 1024, 1, .packed = true, .alpha = 1, .row_bias = true},
    {"rows of A that meet in L1, in several blocks", 30, 530, 2048, 1, .gap_a = 1024, .alpha = 1},
    {"every height of a tile", 29, 32, 33, 1, .packed = true, .alpha = 1},
    {"a dense B in place", 50, 64, 197, 2, .alpha = 1},
    {"a dense B in place, its last columns packed", 50, 69, 130, 2, .gap_b = 1, .alpha = 1, .column_bias = true},
    {"B packed panel by panel", 45, 200, 300, 1, .alpha = 1, .row_bias = true},
    {"B transposed, packed panel by panel", 45, 197, 300, 1, false, true, .alpha = 0.125},
    {"A packed, in several blocks", 230, 60, 2200, 1, true, .packed = true, .alpha = 1},
    {"few rows in blocks of B", 4, 700, 95, 1, .gap_b = 2, .alpha = 1, .column_bias = true, .d = D_ROWS | D_COLUMNS,
     .beta = 0.5},
    {"few rows, NaN and infinities", 3, 70, 70, 1, .specials = true, .alpha = 1},
    {"a row times a wide matrix", 1, 2100, 300, 1, .alpha = 1, .column_bias = true,
     .activation = {SDX_ACTIVATION_SIGMOID}},
    {"dot products, one beyond fours", 1, 37, 131, 3, false, true, .gap_b = 2, .alpha = 2, .column_bias = true,
     .d = D_COLUMNS, .beta = 1},
    {"dot products shorter than a vector", 1, 9, 3, 1, false, true, .alpha = 1},
    {"dot products with NaN and infinities", 1, 40, 70, 1, false, true, .specials = true, .alpha = 1},
    {"k = 0 of a row and a transposed matrix", 1, 40, 0, 1, false, true, .alpha = 1, .column_bias = true},
    {"k = 0 of few rows", 3, 40, 0, 1, .alpha = 1, .row_bias = true, .activation = {SDX_ACTIVATION_RELU}},
    {"clip, with all that there is", 15, 66, 33, 2, .packed = true, .d = D_ROWS | D_COLUMNS | D_BATCH,
     .row_bias = true, .column_bias = true, .alpha = -0.5, .beta = 2, .activation = {SDX_ACTIVATION_CLIP, -1, 2}},
    {"gaps between rows", 17, 19, 23, 2, .gap_a = 3, .gap_b = 5, .gap_c = 7, .alpha = 1},
    {"gaps, transposed", 17, 19, 23, 2, true, true, .gap_a = 3, .gap_b = 1, .gap_c = 2, .alpha = 1},
    {"one A for a batch", 9, 18, 27, 3, .shared_a = true, .alpha = 1},
    {"one B for a batch", 9, 18, 27, 3, .shared_b = true, .alpha = 1},
    {"a batch of columns", 40, 1, 30, 3, .alpha = 1},
    {"a batch of rows", 1, 40, 30, 3, .alpha = 1},
    {"alpha 0", 5, 6, 7, 1, .alpha = 0, .row_bias = true},
    {"a scalar addend", 8, 33, 5, 2, .d = D_SCALAR, .alpha = 1, .beta = 3},
    {"an addend with steps between columns", 8, 33, 5, 2, .d = D_ROWS | D_SPREAD | D_BATCH, .alpha = 1, .beta = 1},
    {"NaN and infinities", 14, 35, 40, 1, .specials = true, .alpha = 1, .row_bias = true},
    {"NaN through a clip", 14, 35, 40, 1, .packed = true, .specials = true, .alpha = 1,
     .activation = {SDX_ACTIVATION_CLIP, -0.5f, 0.5f}},
    {"leaky", 7, 50, 9, 1, .alpha = 1, .activation = {SDX_ACTIVATION_LEAKY_RELU, 0.1f}},
    {"sigmoid", 7, 50, 9, 1, .alpha = 1, .activation = {SDX_ACTIVATION_SIGMOID}},
    {"tanh", 7, 50, 9, 1, .alpha = 1, .activation = {SDX_ACTIVATION_TANH}},
    {"hard sigmoid", 7, 50, 9, 1, .alpha = 1, .activation = {SDX_ACTIVATION_HARD_SIGMOID, 0.2f, 0.5f}},
    {"hard swish", 7, 50, 9, 1, .alpha = 1, .activation = {SDX_ACTIVATION_HARD_SWISH}},
    {"gelu", 7, 50, 9, 1, .alpha = 1, .activation = {SDX_ACTIVATION_GELU}},
    {"gelu by tanh", 7, 50, 9, 1, .alpha = 1, .activation = {SDX_ACTIVATION_GELU_TANH}},
    {"elu", 7, 50, 9, 1, .alpha = 1, .activation = {SDX_ACTIVATION_ELU, 1.5f}},
};
enum { RANDOM_ROWS = 90 };

static int64_t random_size(table *t, int64_t most) {
    switch (random_in(t, 0, 4)) {
    case 0: return random_in(t, 0, 2);
    case 1: return random_in(t, 1, 9);
    case 2: return random_in(t, 10, 40);
    default: return random_in(t, 1, most);
    }
}

static gemm_row random_row(table *t) {
    gemm_row r = {"random", random_size(t, 90), random_size(t, 150), random_size(t, 120)};
    if (random_chance(t, 12)) r.k = random_in(t, 500, 1500), r.m = smaller(r.m, 30), r.n = smaller(r.n, 40);
    r.batch = random_chance(t, 4) ? random_in(t, 0, 4) : 1;
    r.transpose_a = random_chance(t, 2);
    r.transpose_b = random_chance(t, 2);
    r.packed = random_chance(t, 2);
    r.shared_a = random_chance(t, 4);
    r.shared_b = random_chance(t, 4);
    r.gap_a = random_in(t, 0, 3);
    r.gap_b = random_in(t, 0, 3);
    r.gap_c = random_in(t, 0, 2);
    if (random_chance(t, 2)) {
        r.d = D_SCALAR;
        if (random_chance(t, 2)) r.d |= D_ROWS;
        if (random_chance(t, 2)) r.d |= random_chance(t, 3) ? D_SPREAD : D_COLUMNS;
        if (random_chance(t, 2)) r.d |= D_BATCH;
    }
    r.row_bias = random_chance(t, 2);
    r.column_bias = random_chance(t, 2);
    r.alpha = random_chance(t, 2) ? 1 : random_unit(t);
    r.beta = random_chance(t, 2) ? 1 : random_unit(t);
    if (random_chance(t, 2))
        r.activation = (sdx_activation){(sdx_activation_kind)random_in(t, 0, SDX_ACTIVATION_ELU), -0.3f, 0.4f};
    r.specials = r.activation.kind <= SDX_ACTIVATION_CLIP && random_chance(t, 8);
    return r;
}

#define T float
#define NAME(part) PASTE(sdx_gemm_f32, part)
#define PASTE(a, b) a##b
#define IS_FLOAT 1
#define CHECK check_f32
#include "GemmCheck.h"
#undef T
#undef NAME
#undef IS_FLOAT
#undef CHECK
#define T double
#define NAME(part) PASTE(sdx_gemm_f64, part)
#define IS_FLOAT 0
#define CHECK check_f64
#include "GemmCheck.h"

static void check_sizes(table *t) {
    table_row(t, "sizes that overflow");
    const int64_t huge = INT64_MAX / 2;
    if (sdx_gemm_f32_packed_b_bytes(-1, 4) != SIZE_MAX) table_fail(t, "a negative size is accepted");
    if (sdx_gemm_f32_packed_b_bytes(huge, huge) != SIZE_MAX) table_fail(t, "an overflow is not seen in f32");
    if (sdx_gemm_f64_packed_b_bytes(huge, huge) != SIZE_MAX) table_fail(t, "an overflow is not seen in f64");
}

int kernel_table_gemm(char *message, size_t size) {
    table t = table_begin(message, size, 1);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        gemm_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check_f32(&t, &row);
        if (i < COUNT(rows) || i % 2) check_f64(&t, &row);
    }
    check_sizes(&t);
    return table_end(&t);
}
