/// The errors of the vector math: each function, its range and the bound that sdx_elementwise.h promises.
#include "Table.h"

#define ALL -INFINITY, INFINITY

// The range of pow is that of its base.
static const kernel_table_function functions[] = {
    {"copy", SDX_UNARY_COPY, 0, 0, ALL, 0, KERNEL_TABLE_ULP},
    {"relu", SDX_UNARY_RELU, 0, 0, ALL, 0, KERNEL_TABLE_ULP},
    {"leaky relu", SDX_UNARY_LEAKY_RELU, 0.01f, 0, ALL, 0.51, KERNEL_TABLE_ULP},
    {"elu", SDX_UNARY_ELU, 1, 0, ALL, 1, KERNEL_TABLE_ULP},
    {"selu", SDX_UNARY_SELU, 1.67326319f, 1.05070102f, ALL, 3, KERNEL_TABLE_ULP},
    {"celu", SDX_UNARY_CELU, 2, 0, ALL, 2, KERNEL_TABLE_ULP},
    {"clip", SDX_UNARY_CLIP, -1.5f, 2.5f, ALL, 0, KERNEL_TABLE_ULP},
    {"clip with bounds that cross", SDX_UNARY_CLIP, 2, 1, ALL, 0, KERNEL_TABLE_ULP},
    {"sigmoid", SDX_UNARY_SIGMOID, 0, 0, ALL, 3, KERNEL_TABLE_ULP},
    {"tanh", SDX_UNARY_TANH, 0, 0, ALL, 2, KERNEL_TABLE_ULP},
    {"exp", SDX_UNARY_EXP, 0, 0, -87, 88.72f, 1, KERNEL_TABLE_ULP},
    {"exp everywhere", SDX_UNARY_EXP, 0, 0, ALL, 1, KERNEL_TABLE_ULP},
    {"log", SDX_UNARY_LOG, 0, 0, ALL, 1, KERNEL_TABLE_ULP},
    {"log near 1", SDX_UNARY_LOG, 0, 0, 0.5f, 2, 1, KERNEL_TABLE_ULP},
    {"erf", SDX_UNARY_ERF, 0, 0, ALL, 2, KERNEL_TABLE_ULP},
    {"gelu", SDX_UNARY_GELU_ERF, 0, 0, ALL, 1, KERNEL_TABLE_OF_X},
    {"gelu by tanh", SDX_UNARY_GELU_TANH, 0, 0, ALL, 1, KERNEL_TABLE_OF_X},
    {"softplus", SDX_UNARY_SOFTPLUS, 0, 0, ALL, 2, KERNEL_TABLE_ULP},
    {"softsign", SDX_UNARY_SOFTSIGN, 0, 0, ALL, 2, KERNEL_TABLE_ULP},
    {"hard sigmoid", SDX_UNARY_HARD_SIGMOID, 0.2f, 0.5f, ALL, 1, KERNEL_TABLE_TERMS},
    {"hard swish", SDX_UNARY_HARD_SWISH, 0, 0, ALL, 1, KERNEL_TABLE_OF_X},
    {"swish", SDX_UNARY_SWISH, 1, 0, -86, INFINITY, 3, KERNEL_TABLE_ULP},
    {"swish with a factor", SDX_UNARY_SWISH, 1.702f, 0, -50, INFINITY, 90, KERNEL_TABLE_ULP},
    {"mish", SDX_UNARY_MISH, 0, 0, -86, INFINITY, 4, KERNEL_TABLE_ULP},
    {"abs", SDX_UNARY_ABS, 0, 0, ALL, 0, KERNEL_TABLE_ULP},
    {"neg", SDX_UNARY_NEG, 0, 0, ALL, 0, KERNEL_TABLE_ULP},
    {"reciprocal", SDX_UNARY_RECIPROCAL, 0, 0, ALL, 0.51, KERNEL_TABLE_ULP},
    {"sqrt", SDX_UNARY_SQRT, 0, 0, ALL, 0.51, KERNEL_TABLE_ULP},
    {"floor", SDX_UNARY_FLOOR, 0, 0, ALL, 0, KERNEL_TABLE_ULP},
    {"ceil", SDX_UNARY_CEIL, 0, 0, ALL, 0, KERNEL_TABLE_ULP},
    {"round", SDX_UNARY_ROUND, 0, 0, ALL, 0, KERNEL_TABLE_ULP},
    {"sign", SDX_UNARY_SIGN, 0, 0, ALL, 0, KERNEL_TABLE_ULP},
    {"thresholded relu", SDX_UNARY_THRESHOLDED_RELU, 1, 0, ALL, 0, KERNEL_TABLE_ULP},
    {"square", SDX_UNARY_SQUARE, 0, 0, ALL, 0.51, KERNEL_TABLE_ULP},
    {"affine", SDX_UNARY_AFFINE, 1.5f, 0.5f, ALL, 1.01, KERNEL_TABLE_TERMS},
    {"pow", -1, 0, 0, ALL, 1, KERNEL_TABLE_ULP},
};
enum { SAMPLES = 40000, POWERS = 60000 };

const kernel_table_function *kernel_table_function_at(int index) {
    return index >= 0 && (size_t)index < COUNT(functions) ? &functions[index] : NULL;
}

static double logistic(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }

static double mish(double x) {
    if (x > 300) return x;
    double e = exp(x), n = e * (e + 2);
    return x * (n / (n + 2)); // tanh(ln(1 + e)) without the loss for small e
}

/// The function in double. A NaN gives NaN unless `x > a` or the like has to decide.
static double reference(int operation, double x, double a, double b) {
    if (isnan(x)) return operation == SDX_UNARY_THRESHOLDED_RELU ? 0 : NAN;
    switch (operation) {
    case SDX_UNARY_COPY: return x;
    case SDX_UNARY_RELU: return fmax(x, 0);
    case SDX_UNARY_LEAKY_RELU: return x < 0 ? a * x : x;
    case SDX_UNARY_ELU: return x < 0 ? a * expm1(x) : x;
    case SDX_UNARY_SELU: return b * (x <= 0 ? a * expm1(x) : x);
    case SDX_UNARY_CELU: return fmax(0, x) + fmin(0, a * expm1(x / a));
    case SDX_UNARY_CLIP: return fmin(fmax(x, a), b);
    case SDX_UNARY_SIGMOID: return logistic(x);
    case SDX_UNARY_TANH: return tanh(x);
    case SDX_UNARY_EXP: return exp(x);
    case SDX_UNARY_LOG: return log(x);
    case SDX_UNARY_ERF: return erf(x);
    case SDX_UNARY_GELU_ERF: return activate((sdx_activation){SDX_ACTIVATION_GELU}, x);
    case SDX_UNARY_GELU_TANH: return activate((sdx_activation){SDX_ACTIVATION_GELU_TANH}, x);
    case SDX_UNARY_SOFTPLUS: return fmax(x, 0) + log1p(exp(-fabs(x)));
    case SDX_UNARY_SOFTSIGN: return x / (1 + fabs(x));
    case SDX_UNARY_HARD_SIGMOID: return fmax(0, fmin(1, a * x + b));
    case SDX_UNARY_HARD_SWISH: return x * fmax(0, fmin(1, x / 6 + 0.5));
    case SDX_UNARY_SWISH: return x * logistic(a * x);
    case SDX_UNARY_MISH: return mish(x);
    case SDX_UNARY_ABS: return fabs(x);
    case SDX_UNARY_NEG: return -x;
    case SDX_UNARY_RECIPROCAL: return 1 / x;
    case SDX_UNARY_SQRT: return sqrt(x);
    case SDX_UNARY_FLOOR: return floor(x);
    case SDX_UNARY_CEIL: return ceil(x);
    case SDX_UNARY_ROUND: return nearbyint(x);
    case SDX_UNARY_SIGN: return (x > 0) - (x < 0);
    case SDX_UNARY_THRESHOLDED_RELU: return x > a ? x : 0;
    case SDX_UNARY_SQUARE: return x * x;
    case SDX_UNARY_AFFINE: return a * x + b;
    default: return NAN;
    }
}

/// The error in units of the last place of `want` as a float. A value that float holds as a denormal counts as 0; the
/// largest float is one unit from infinity.
static double ulp(float got, double want) {
    if (isnan(want) || isnan(got)) return isnan(want) && isnan(got) ? 0 : INFINITY;
    float rounded = (float)want;
    if (got == rounded && isinf(got)) return 0;
    if (isinf(want)) return INFINITY;
    if (isinf(rounded) || isinf(got)) {
        bool close = fabs(want) >= FLT_MAX && fabsf(got) >= FLT_MAX && signbit(got) == signbit(want);
        return close ? 1 : INFINITY;
    }
    if (fabs(want) < FLT_MIN) return fabsf(got) <= FLT_MIN ? 0 : INFINITY;
    int exponent;
    frexp(want, &exponent);
    return fabs((double)got - want) / ldexp(1, exponent - 24);
}

static double error_of(const kernel_table_function *f, float x, float got, double want) {
    // An intermediate value that is denormal counts as 0: x / 2 of the smallest x, say.
    if (fabs(got - want) <= 2 * FLT_MIN) return 0;
    double error = ulp(got, want);
    if (f->unit == KERNEL_TABLE_ULP || error == 0 || !isfinite(got) || !isfinite(x)) return error;
    double distance = fabs(got - want), other;
    if (f->unit == KERNEL_TABLE_OF_X) other = distance / (fabs((double)x) + FLT_MIN) * 0x1p23;
    else other = distance / (fabs((double)f->a * x) + fabs(f->b)) * 0x1p24;
    return fmin(error, other);
}

/// The place of a float among all: neighbours differ by 1, zeros by nothing.
static int64_t place_of(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? (int64_t)INT32_MIN - bits : bits;
}

static float float_at(int64_t place) {
    int32_t bits = (int32_t)(place < 0 ? INT32_MIN - place : place);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static bool is_denormal(float x) { return x != 0 && fabsf(x) < FLT_MIN; }

static void check_unary(table *t, const kernel_table_function *f) {
    static const float specials[] = {NAN, INFINITY, -INFINITY, 0, -0.0f, 1, -1, FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN};
    float *x = input_bytes(t, SAMPLES + COUNT(specials), sizeof(float)), *y;
    int64_t low = place_of(f->low), high = place_of(f->high), count = 0;
    for (int64_t i = 0; i < SAMPLES; i++) {
        double step = (double)(high - low) / SAMPLES;
        float value = i == 0 ? f->low : float_at(low + (int64_t)(step * ((double)i + (random_unit(t) + 1) / 2)));
        if (!is_denormal(value)) x[count++] = i + 1 == SAMPLES ? f->high : value;
    }
    for (size_t i = 0; i < COUNT(specials); i++) {
        // Where the kernel promises nothing for a value, the row's range excludes it; zeros and NaN are always in.
        bool inside = specials[i] >= f->low && specials[i] <= f->high;
        if (inside || isnan(specials[i])) x[count++] = specials[i];
    }
    y = copy_of(t, x, count, sizeof(float));
    sdx_unary_f32(t->pools[1], (sdx_unary_op)f->operation, x, y, count, f->a, f->b);
    for (int64_t i = 0; i < count; i++) {
        double want = reference(f->operation, x[i], f->a, f->b);
        // ∞ · 0 in a formula whose limit is clear: both are right.
        if (isinf(x[i]) && (isnan(want) || isnan(y[i]))) continue;
        double error = error_of(f, x[i], y[i], want);
        if (!(error <= f->bound))
            table_fail(t, "at %.9g: %.9g, not %.9g: %.3g, at most %.3g", x[i], y[i], want, error, f->bound);
    }
}

static void check_pow(table *t, const kernel_table_function *f) {
    static const float specials[] = {0,     -0.0f, 1,      -1,     2,        -2,      3,        -3,       0.5f, -0.5f,
                                     1e30f, NAN,   -1e30f, 1e-30f, 16777216, 8388609, -8388609, INFINITY, -INFINITY};
    enum { KINDS = COUNT(specials) };
    float *a = input_bytes(t, POWERS, sizeof(float)), *b = input_bytes(t, POWERS, sizeof(float));
    for (int64_t i = 0; i < POWERS; i++) {
        uint32_t bits = (uint32_t)random_bits(t);
        memcpy(&a[i], &bits, sizeof bits);
        if (i % 3 == 0) a[i] = fabsf(3 * random_normal(t));
        if (i % 3 == 1) a[i] = 10 * random_normal(t);
        b[i] = i % 5 == 0 ? (float)random_in(t, -9, 9) : random_normal(t) * (i % 7 ? 5 : 100);
        if (i < KINDS * KINDS) {
            a[i] = specials[i / KINDS];
            b[i] = specials[i % KINDS];
        }
    }
    const int64_t count = POWERS, step = 1;
    float *y = copy_of(t, a, count, sizeof(float));
    sdx_binary_f32(t->pools[1], SDX_BINARY_POW, a, &step, b, &step, y, &count, 1, SDX_ACTIVATION_NONE);
    for (int64_t i = 0; i < count; i++) {
        if (is_denormal(a[i]) || is_denormal(b[i])) continue;
        double want = pow(a[i], b[i]), error = ulp(y[i], want);
        bool wrong_zero = want == 0 && signbit(want) != signbit(y[i]);
        if (wrong_zero || !(error <= f->bound))
            table_fail(t, "%.9g to the %.9g: %.9g, not %.9g: %.3g ULP", a[i], b[i], y[i], want, error);
    }
}

int kernel_table_check_function(const kernel_table_function *function, char *message, size_t size) {
    table t = table_begin(message, size, 5);
    table_row(&t, "%s on %g ... %g", function->name, function->low, function->high);
    if (function->operation < 0) check_pow(&t, function);
    else check_unary(&t, function);
    return table_end(&t);
}
