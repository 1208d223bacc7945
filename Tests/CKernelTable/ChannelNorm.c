/// Normalisations by channel with given parameters: batch normalisation, scale and shift, and LRN across channels.
#include "Table.h"

typedef struct channel_row {
    const char *what;
    int64_t batch, channels, spatial;
    sdx_activation_kind activation;
    int64_t lrn_size;
    float lrn_beta;
    bool specials;
} channel_row;

static const channel_row rows[] = {
    {"nothing", 0, 3, 5, .lrn_size = 3, .lrn_beta = 0.75f},
    {"no channels", 2, 0, 5, .lrn_size = 3, .lrn_beta = 0.75f},
    {"nothing inside", 2, 3, 0, .lrn_size = 3, .lrn_beta = 0.75f},
    {"one", 1, 1, 1, .lrn_size = 1, .lrn_beta = 0.5f},
    {"features", 3, 50, 1, SDX_ACTIVATION_RELU, 5, 0.75f},
    {"many features", 2, 1500, 1, SDX_ACTIVATION_SILU, 5, 1},
    {"two pixels", 2, 9, 2, SDX_ACTIVATION_LEAKY_RELU, 4, 0.75f},
    {"one less than a vector", 2, 5, 15, SDX_ACTIVATION_RELU, 3, 0.5f},
    {"one more than a vector", 2, 5, 17, SDX_ACTIVATION_NONE, 2, 0.9f},
    {"an even window", 1, 6, 20, SDX_ACTIVATION_NONE, 6, 0.75f},
    {"a window wider than the channels", 1, 4, 20, SDX_ACTIVATION_NONE, 11, 0.75f},
    {"a large image", 1, 3, 40001, SDX_ACTIVATION_RELU, 3, 0.75f},
    {"NaN and infinities", 1, 4, 100, SDX_ACTIVATION_RELU, 1, 0.75f, true},
};
enum { RANDOM_ROWS = 60 };
static const float epsilon = 1e-5f, leaky = 0.1f, lrn_alpha = 0.01f, lrn_bias = 1.5f;

static channel_row random_row(table *t) {
    static const sdx_activation_kind kinds[] = {
        SDX_ACTIVATION_NONE, SDX_ACTIVATION_RELU, SDX_ACTIVATION_LEAKY_RELU, SDX_ACTIVATION_SILU};
    static const float betas[] = {0.75f, 0.5f, 1, 0.9f};
    return (channel_row){"random", random_in(t, 1, 3), random_in(t, 1, random_chance(t, 8) ? 160 : 20),
                         random_in(t, 1, random_chance(t, 5) ? 900 : 90), kinds[random_in(t, 0, 3)],
                         random_in(t, 1, 6), betas[random_in(t, 0, 3)], random_chance(t, 8)};
}

static void check(table *t, const channel_row *r) {
    table_row(t, "%s: batch %lld channels %lld spatial %lld activation %d LRN of %lld to the %g", r->what,
              (long long)r->batch, (long long)r->channels, (long long)r->spatial, r->activation,
              (long long)r->lrn_size, r->lrn_beta);
    int64_t count = r->batch * r->channels * r->spatial;
    float *x = input_floats(t, count), *scale = input_floats(t, r->channels), *bias = input_floats(t, r->channels);
    float *mean = input_floats(t, r->channels), *variance = input_floats(t, r->channels);
    for (int64_t c = 0; c < r->channels; c++) variance[c] = fabsf(variance[c]) + 0.01f;
    if (r->specials) sprinkle_specials(t, x, count);
    result shifted = output(t, count, 4), normed = output(t, count, 4), lrn = output(t, count, 4);
    EACH_POOL(p) {
        sdx_pool *pool = t->pools[p];
        sdx_scale_shift_f32(
            pool, x, shifted.of[p], r->batch, r->channels, r->spatial, scale, bias, r->activation, leaky);
        sdx_batch_norm_f32(pool, x, normed.of[p], r->batch, r->channels, r->spatial, scale, bias, mean, variance,
                           epsilon, r->activation, leaky);
        sdx_lrn_f32(pool, x, lrn.of[p], r->batch, r->channels, r->spatial, r->lrn_size, lrn_alpha, r->lrn_beta,
                    lrn_bias);
    }
    float *both = copy_of(t, x, count, 4);
    sdx_scale_shift_f32(
        t->pools[2], both, both, r->batch, r->channels, r->spatial, scale, bias, r->activation, leaky);
    table_equal_bytes(t, "in place", both, shifted.of[0], (size_t)count * 4);

    const sdx_activation activation = {r->activation, leaky, 0};
    for (int64_t i = 0; i < count; i++) {
        int64_t c = i / r->spatial % r->channels, first = i - c * r->spatial;
        double want = (double)x[i] * scale[c] + bias[c], size = fabs((double)x[i] * scale[c]) + fabs(bias[c]);
        bool silu = r->activation == SDX_ACTIVATION_SILU;
        if (!(silu && isinf(want)))
            table_near(t, "scale and shift", i, ((float *)shifted.of[0])[i], activate(activation, want),
                       (silu ? 5e-7 : 2e-7) * size);
        double factor = scale[c] / sqrt(variance[c] + epsilon);
        want = (x[i] - mean[c]) * factor + bias[c];
        size = fabs(x[i] * factor) + fabs(mean[c] * factor) + fabs(bias[c]);
        if (!(silu && isinf(want)))
            table_near(t, "batch norm", i, ((float *)normed.of[0])[i], activate(activation, want), 1e-6 * size);
        double squares = 0;
        int64_t low = larger(c - (r->lrn_size - 1) / 2, 0);
        int64_t high = smaller(c + r->lrn_size / 2, r->channels - 1);
        for (int64_t k = low; k <= high; k++) squares += (double)x[first + k * r->spatial] * x[first + k * r->spatial];
        if (squares > FLT_MAX) continue; // a square may overflow
        want = x[i] / pow(lrn_bias + (double)lrn_alpha / (double)r->lrn_size * squares, r->lrn_beta);
        table_near(t, "LRN", i, ((float *)lrn.of[0])[i], want, 1e-6 * fabs(want));
    }
}

int kernel_table_channel_norm(char *message, size_t size) {
    table t = table_begin(message, size, 13);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        channel_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check(&t, &row);
    }
    return table_end(&t);
}
