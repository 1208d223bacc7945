/// Normalisations by the statistics of a row: layer, RMS, mean-variance, group, and Lp over an axis.
#include "Table.h"

/// Layer, RMS and mean-variance normalisation see [rows, length]; group normalisation sees the same values as
/// [rows, channels, length / channels], scale and bias by channel.
typedef struct norm_row {
    const char *what;
    int64_t batch, groups, channels, spatial;
    double offset; // of all values: cancels in the statistics
    bool scale, bias;
    sdx_activation_kind activation;
} norm_row;

static const norm_row rows[] = {
    {"nothing", 0, 3, 2, 5, 0, true, true},
    {"one", 1, 1, 1, 1, 0, true, true},
    {"instance", 2, 7, 1, 33, 3, true, true},
    {"one group", 2, 1, 6, 20, 0, true, true, SDX_ACTIVATION_RELU},
    {"pixels of one", 3, 2, 4, 1, 0, true},
    {"rows of one less than a vector", 5, 1, 1, 15, 0, false, true},
    {"rows of one more than a vector", 5, 1, 1, 17, 0, true, true},
    {"rows of a block and one", 2, 2, 1, 513, -2, true, true},
    {"a far mean", 2, 3, 2, 300, 1000},
    {"a far mean and a long row", 1, 2, 1, 40001, 100, true, true, SDX_ACTIVATION_SILU},
    {"leaky", 2, 2, 3, 50, 0, true, true, SDX_ACTIVATION_LEAKY_RELU},
    {"many groups", 2, 70, 1, 9, 0, true, true},
    {"many rows", 500, 1, 1, 12, 0, true, true},
};
enum { RANDOM_ROWS = 50 };
static const float epsilon = 1e-5f, leaky = 0.1f;

static norm_row random_row(table *t) {
    norm_row r = {"random", random_in(t, 1, 3), random_in(t, 1, 8), random_in(t, 1, 4),
                  random_in(t, 1, random_chance(t, 4) ? 1500 : 90), random_chance(t, 3) ? 50 * random_unit(t) : 0,
                  random_chance(t, 2), random_chance(t, 2)};
    static const sdx_activation_kind kinds[] = {
        SDX_ACTIVATION_NONE, SDX_ACTIVATION_RELU, SDX_ACTIVATION_LEAKY_RELU, SDX_ACTIVATION_SILU};
    r.activation = kinds[random_in(t, 0, 3)];
    return r;
}

typedef struct moments {
    double mean, variance, square; // square: the mean of x²
} moments;

static moments moments_of(const float *x, int64_t n) {
    moments m = {0};
    for (int64_t i = 0; i < n; i++) m.mean += x[i] / (double)n;
    for (int64_t i = 0; i < n; i++) m.variance += (x[i] - m.mean) * (x[i] - m.mean) / (double)n;
    for (int64_t i = 0; i < n; i++) m.square += (double)x[i] * x[i] / (double)n;
    return m;
}

/// The rounding of (x − mean) · inverse, where the mean is rounded to float.
static double rounding(double want, double mean, double inverse) {
    return 2e-6 * (1 + fabs(want)) + fabs(mean) * inverse * 1.2e-7;
}

static void check_rows(table *t, const norm_row *r, const float *x, int64_t count, int64_t n) {
    const float *scale = r->scale ? input_floats(t, n) : NULL, *bias = r->bias ? input_floats(t, n) : NULL;
    result layer = output(t, count * n, 4), rms = output(t, count * n, 4), variance = output(t, count * n, 4);
    result means = output(t, count, 4), inverses = output(t, count, 4), inverse_rms = output(t, count, 4);
    EACH_POOL(p) {
        sdx_pool *pool = t->pools[p];
        sdx_layer_norm_f32(pool, x, layer.of[p], count, n, scale, bias, epsilon, means.of[p], inverses.of[p]);
        sdx_rms_norm_f32(pool, x, rms.of[p], count, n, scale, epsilon, inverse_rms.of[p]);
        sdx_mean_variance_norm_f32(pool, x, variance.of[p], count, n, 1e-9f);
    }
    float *both = copy_of(t, x, count * n, 4);
    sdx_layer_norm_f32(t->pools[2], both, both, count, n, scale, bias, epsilon, NULL, NULL);
    table_equal_bytes(t, "layer norm in place", both, layer.of[0], (size_t)(count * n) * 4);
    for (int64_t row = 0; row < count; row++) {
        moments m = moments_of(x + row * n, n);
        double inverse = 1 / sqrt(m.variance + epsilon), of_rms = 1 / sqrt(m.square + epsilon);
        // The variance is that of floats: its error grows with the square of the mean.
        double lost = 1e-6 + m.mean * m.mean * inverse * inverse * 1e-13;
        table_near(t, "mean", row, ((float *)means.of[0])[row], m.mean, fabs(m.mean) * 1.2e-7 + 1e-6);
        table_near(t, "1 / deviation", row, ((float *)inverses.of[0])[row], inverse, inverse * lost);
        table_near(t, "1 / RMS", row, ((float *)inverse_rms.of[0])[row], of_rms, of_rms * 1e-6);
        for (int64_t j = 0; j < n; j++) {
            int64_t i = row * n + j;
            double factor = scale ? scale[j] : 1, shift = bias ? bias[j] : 0;
            double centred = (x[i] - m.mean) * inverse;
            double tolerance = (fabs(factor) + 1) * rounding(centred, m.mean, inverse) + 1e-6 * fabs(shift);
            table_near(t, "layer norm", i, ((float *)layer.of[0])[i], centred * factor + shift, tolerance);
            double want = x[i] * of_rms * factor;
            table_near(t, "RMS norm", i, ((float *)rms.of[0])[i], want, 2e-6 * fabs(want) + FLT_MIN);
            if (m.variance < 1e-3) continue; // what is left of equal values is noise
            want = (x[i] - m.mean) / (sqrt(m.variance) + 1e-9);
            tolerance = rounding(want, m.mean, 1 / sqrt(m.variance)) * 2;
            table_near(t, "mean-variance norm", i, ((float *)variance.of[0])[i], want, tolerance);
        }
    }
}

static void check_groups(table *t, const norm_row *r, const float *x, int64_t count, int64_t n) {
    int64_t channels = r->groups * r->channels;
    const float *scale = r->scale ? input_floats(t, channels) : NULL;
    const float *bias = r->bias ? input_floats(t, channels) : NULL;
    result y = output(t, count * n, 4);
    EACH_POOL(p) {
        sdx_group_norm_f32(t->pools[p], x, y.of[p], r->batch, r->groups, r->channels, r->spatial, scale, bias, epsilon,
                           r->activation, leaky);
    }
    float *both = copy_of(t, x, count * n, 4);
    sdx_group_norm_f32(t->pools[2], both, both, r->batch, r->groups, r->channels, r->spatial, scale, bias, epsilon,
                       r->activation, leaky);
    table_equal_bytes(t, "group norm in place", both, y.of[0], (size_t)(count * n) * 4);
    for (int64_t row = 0; row < count; row++) {
        moments m = moments_of(x + row * n, n);
        double inverse = 1 / sqrt(m.variance + epsilon);
        for (int64_t j = 0; j < n; j++) {
            int64_t c = row % r->groups * r->channels + j / r->spatial, i = row * n + j;
            double factor = scale ? scale[c] : 1, shift = bias ? bias[c] : 0, centred = (x[i] - m.mean) * inverse;
            double want = activate((sdx_activation){r->activation, leaky, 0}, centred * factor + shift);
            double tolerance = (fabs(factor) + 1) * rounding(centred, m.mean, inverse) + 2e-6 * fabs(shift);
            table_near(t, "group norm", i, ((float *)y.of[0])[i], want, tolerance);
        }
    }
}

/// [outer, axis, inner]; the first slice is zero.
static void check_lp(table *t, int64_t outer, int64_t axis, int64_t inner, int norm) {
    table_row(t, "L%d norm of [%lld, %lld, %lld]", norm, (long long)outer, (long long)axis, (long long)inner);
    int64_t count = outer * axis * inner;
    float *x = input_floats(t, count);
    for (int64_t j = 0; j < axis && count > 0; j++) x[j * inner] = 0;
    result y = output(t, count, 4);
    EACH_POOL(p) sdx_lp_norm_f32(t->pools[p], x, y.of[p], outer, axis, inner, norm);
    for (int64_t i = 0; i < count; i++) {
        int64_t start = i / (axis * inner) * axis * inner + i % inner;
        double size = 0;
        for (int64_t j = 0; j < axis; j++) {
            double v = x[start + j * inner];
            size += norm == 1 ? fabs(v) : v * v;
        }
        if (norm == 2) size = sqrt(size);
        double want = size == 0 ? 0 : x[i] / size;
        table_near(t, "y", i, ((float *)y.of[0])[i], want, 1e-6 * fabs(want));
    }
}

int kernel_table_row_norm(char *message, size_t size) {
    table t = table_begin(message, size, 12);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        norm_row r = i < COUNT(rows) ? rows[i] : random_row(&t);
        table_row(&t, "%s: batch %lld groups %lld channels %lld spatial %lld offset %g scale %d bias %d activation %d",
                  r.what, (long long)r.batch, (long long)r.groups, (long long)r.channels, (long long)r.spatial,
                  r.offset, r.scale, r.bias, r.activation);
        int64_t count = r.batch * r.groups, n = r.channels * r.spatial;
        float *x = input_floats(&t, count * n);
        for (int64_t k = 0; k < count * n; k++) x[k] += (float)r.offset;
        check_rows(&t, &r, x, count, n);
        check_groups(&t, &r, x, count, n);
    }
    static const int64_t shapes[][3] = {{0, 3, 2}, {1, 1, 1},   {3, 7, 1},   {3, 33, 1},   {2, 5, 31},
                                        {2, 9, 3}, {1, 600, 1}, {1, 700, 4}, {300, 5, 1}, {1, 3, 5000}};
    for (size_t i = 0; i < COUNT(shapes); i++)
        for (int norm = 1; norm <= 2; norm++) check_lp(&t, shapes[i][0], shapes[i][1], shapes[i][2], norm);
    return table_end(&t);
}
