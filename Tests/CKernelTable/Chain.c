/// Chains of elementwise steps, against the same steps as kernels of their own.
#include "Table.h"

enum { MOST_RANK = 4 };

/// An operand repeats along the dimensions whose bits are set.
typedef struct chain_row {
    const char *what;
    int rank;
    int64_t shape[MOST_RANK];
    int operands, steps;
    int broadcast[SDX_CHAIN_OPERANDS];
    sdx_chain_step step[SDX_CHAIN_STEPS];
} chain_row;

#define UNARY(operation, left, ...) {0, SDX_UNARY_##operation, left, 0, ##__VA_ARGS__}
#define BINARY(operation, left, right) {1, SDX_BINARY_##operation, left, right}

static const chain_row rows[] = {
    {"one step", 1, {5000}, 1, 1, {0}, {UNARY(SIGMOID, 0)}},
    {"one element", 1, {1}, 2, 2, {0, 1}, {BINARY(ADD, 0, 1), UNARY(TANH, 2)}},
    {"nothing", 2, {3, 0}, 2, 2, {0, 0}, {BINARY(ADD, 0, 1), UNARY(RELU, 2)}},
    {"hard swish in steps", 2, {37, 911}, 3, 4, {0, 3, 3},
     {BINARY(ADD, 0, 1), UNARY(CLIP, 3, 0, 6), BINARY(MUL, 0, 4), BINARY(DIV, 5, 2)}},
    {"a number a channel", 3, {3, 40, 700}, 3, 2, {0, 5, 5}, {BINARY(MUL, 0, 1), BINARY(ADD, 3, 2)}},
    {"a number a channel in blocks", 4, {2, 5, 300, 8}, 3, 2, {0, 5, 4}, {BINARY(MUL, 0, 1), BINARY(ADD, 3, 2)}},
    {"a column on the left", 2, {300, 41}, 2, 2, {2, 0}, {BINARY(SUB, 0, 1), UNARY(ABS, 2)}},
    {"rows", 2, {300, 41}, 2, 2, {0, 1}, {BINARY(SUB, 0, 1), UNARY(SQUARE, 2)}},
    {"a function of a number", 2, {30, 410}, 2, 2, {3, 0}, {UNARY(EXP, 0), BINARY(MUL, 1, 2)}},
    {"a result read at the end", 1, {9001}, 2, 6, {0, 0},
     {BINARY(ADD, 0, 1), UNARY(EXP, 2), UNARY(NEG, 3), UNARY(TANH, 4), BINARY(MUL, 5, 3), BINARY(SUB, 6, 2)}},
};
enum { RANDOM_ROWS = 150 };

static const sdx_unary_op unary_operations[] = {
    SDX_UNARY_COPY, SDX_UNARY_RELU, SDX_UNARY_SIGMOID, SDX_UNARY_TANH,   SDX_UNARY_ABS,
    SDX_UNARY_NEG,  SDX_UNARY_SQRT, SDX_UNARY_EXP,     SDX_UNARY_AFFINE, SDX_UNARY_CLIP,
};
static const sdx_binary_op binary_operations[] = {
    SDX_BINARY_ADD, SDX_BINARY_SUB, SDX_BINARY_MUL,   SDX_BINARY_DIV,
    SDX_BINARY_MAX, SDX_BINARY_MIN, SDX_BINARY_PRELU, SDX_BINARY_FMOD,
};

static chain_row random_row(table *t) {
    chain_row r = {"random", (int)random_in(t, 1, MOST_RANK)};
    for (int d = 0; d < r.rank; d++) r.shape[d] = random_in(t, 1, random_chance(t, 3) ? 90 : 9);
    r.operands = (int)random_in(t, 1, random_chance(t, 5) ? SDX_CHAIN_OPERANDS : 4);
    r.steps = (int)random_in(t, 1, random_chance(t, 3) ? SDX_CHAIN_STEPS : 5);
    for (int k = 0; k < r.operands; k++) {
        r.broadcast[k] = random_chance(t, 2) ? 0 : (int)random_in(t, 0, (1 << r.rank) - 1);
    }
    for (int s = 0; s < r.steps; s++) {
        sdx_chain_step *step = &r.step[s];
        int known = r.operands + s;
        step->is_binary = !random_chance(t, 3);
        step->op = step->is_binary ? (int)binary_operations[random_in(t, 0, COUNT(binary_operations) - 1)]
                                   : (int)unary_operations[random_in(t, 0, COUNT(unary_operations) - 1)];
        step->left = (int)random_in(t, 0, known - 1);
        step->right = random_chance(t, 2) ? known - 1 : (int)random_in(t, 0, known - 1);
        step->alpha = random_normal(t);
        step->beta = step->alpha + 1;
    }
    return r;
}

static void check(table *t, const chain_row *r) {
    table_row(t, "%s: %d operands, %d steps, rank %d, shape %lld·%lld·%lld·%lld", r->what, r->operands, r->steps,
              r->rank, (long long)r->shape[0], (long long)r->shape[1], (long long)r->shape[2],
              (long long)r->shape[3]);
    int64_t strides[SDX_CHAIN_OPERANDS * MOST_RANK], count = 1, dense[MOST_RANK];
    for (int d = r->rank - 1; d >= 0; d--) {
        dense[d] = count;
        count *= r->shape[d];
    }
    const float *operands[SDX_CHAIN_OPERANDS];
    float *values[SDX_CHAIN_OPERANDS + SDX_CHAIN_STEPS]; // laid out over the whole shape
    for (int k = 0; k < r->operands; k++) {
        int64_t size = 1, *stride = strides + k * r->rank;
        for (int d = r->rank - 1; d >= 0; d--) {
            stride[d] = r->broadcast[k] >> d & 1 ? 0 : size;
            if (stride[d]) size *= r->shape[d];
        }
        float *x = input_floats(t, size);
        if (random_chance(t, 3)) sprinkle_specials(t, x, size);
        operands[k] = x;
        values[k] = input_floats(t, count);
        sdx_transpose(t->pools[0], sizeof(float), x, values[k], r->shape, stride, r->rank);
    }
    for (int s = 0; s < r->steps; s++) {
        const sdx_chain_step *step = &r->step[s];
        float *to = values[r->operands + s] = input_floats(t, count);
        if (step->is_binary) {
            sdx_binary_f32(t->pools[0], (sdx_binary_op)step->op, values[step->left], dense, values[step->right], dense,
                           to, r->shape, r->rank, SDX_ACTIVATION_NONE);
        } else {
            sdx_unary_f32(
                t->pools[0], (sdx_unary_op)step->op, values[step->left], to, count, step->alpha, step->beta);
        }
    }
    const float *want = values[r->operands + r->steps - 1];
    result y = output(t, count, sizeof(float));
    EACH_POOL(p) {
        sdx_chain_f32(t->pools[p], r->step, r->steps, operands, r->operands, strides, r->shape, r->rank, y.of[p]);
    }
    table_equal_floats(t, "y", y.of[0], want, count);
    for (int k = 0; k < r->operands && count > 0; k++) {
        if (r->broadcast[k]) continue;
        float *both = copy_of(t, operands[k], count, sizeof(float));
        operands[k] = both;
        sdx_chain_f32(t->pools[2], r->step, r->steps, operands, r->operands, strides, r->shape, r->rank, both);
        table_equal_floats(t, "in place", both, want, count);
        break;
    }
}

int kernel_table_chain(char *message, size_t size) {
    table t = table_begin(message, size, 23);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        chain_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check(&t, &row);
    }
    return table_end(&t);
}
