/// The channel-blocked layout: reorders, a value a channel, normalisation.
#include "Blocked.h"

static void check_reorder(table *t, int64_t batch, int64_t channels, int64_t pixels) {
    table_row(t, "reorder, batch %lld channels %lld pixels %lld", (long long)batch, (long long)channels,
              (long long)pixels);
    int64_t count = batch * channels * pixels;
    uint32_t *x = input_bytes(t, count, 4);
    for (int64_t i = 0; i < count; i++) x[i] = (uint32_t)random_bits(t); // NaN with any payload, denormals
    result blocked = output(t, count, 4), back = output(t, count, 4);
    EACH_POOL(p) {
        sdx_to_c8_f32(t->pools[p], batch, channels, pixels, (const float *)x, blocked.of[p]);
        sdx_from_c8_f32(t->pools[p], batch, channels, pixels, blocked.of[p], back.of[p]);
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t at = blocked_at(channels, pixels, i / pixels / channels, i / pixels % channels, i % pixels);
        if (((uint32_t *)blocked.of[0])[at] != x[i]) table_fail(t, "[%lld] differs", (long long)i);
    }
    table_equal_bytes(t, "there and back", back.of[0], x, (size_t)count * 4);
}

static const sdx_activation activations[] = {
    {SDX_ACTIVATION_NONE, 0, 0},         {SDX_ACTIVATION_RELU, 0, 0},       {SDX_ACTIVATION_LEAKY_RELU, 0.1f, 0},
    {SDX_ACTIVATION_CLIP, -0.5f, 0.75f}, {SDX_ACTIVATION_SIGMOID, 0, 0},    {SDX_ACTIVATION_HARD_SIGMOID, 0.2f, 0.5f},
    {SDX_ACTIVATION_HARD_SWISH, 0, 0},   {SDX_ACTIVATION_SILU, 0, 0},       {SDX_ACTIVATION_ELU, 0.9f, 0},
};

static sdx_activation random_activation(table *t) {
    return activations[random_chance(t, 2) ? 0 : random_in(t, 0, COUNT(activations) - 1)];
}

static double binary(sdx_binary_op op, double a, double b) {
    switch (op) {
    case SDX_BINARY_ADD: return a + b;
    case SDX_BINARY_SUB: return a - b;
    case SDX_BINARY_MUL: return a * b;
    case SDX_BINARY_DIV: return a / b;
    case SDX_BINARY_MAX: return isnan(a) || a > b ? a : b;
    case SDX_BINARY_MIN: return isnan(a) || a < b ? a : b;
    case SDX_BINARY_PRELU: return a < 0 ? a * b : a;
    default: return NAN;
    }
}

static void check_binary(table *t, int64_t batch, int64_t channels, int64_t pixels, sdx_binary_op op, bool per_image) {
    sdx_activation act = random_activation(t);
    table_row(t, "binary %d, batch %lld channels %lld pixels %lld by image %d activation %d", op, (long long)batch,
              (long long)channels, (long long)pixels, per_image, act.kind);
    int64_t count = batch * channels * pixels;
    float *x = input_floats(t, count), *b = input_floats(t, per_image ? batch * channels : channels);
    bool specials = random_chance(t, 3) && act.kind <= SDX_ACTIVATION_RELU;
    if (specials) sprinkle_specials(t, x, count);
    result y = output(t, count, 4);
    int64_t stride = per_image ? channels : 0;
    EACH_POOL(p)
        sdx_channel_binary_c8_f32(t->pools[p], op, batch, channels, pixels, x, b, stride, y.of[p], act);
    float *both = copy_of(t, x, count, 4);
    sdx_channel_binary_c8_f32(t->pools[2], op, batch, channels, pixels, both, b, stride, both, act);
    table_equal_floats(t, "in place", both, y.of[0], count);
    for (int64_t i = 0; i < batch; i++)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t p = 0; p < pixels; p++) {
                int64_t at = blocked_at(channels, pixels, i, c, p);
                float exact = (float)binary(op, x[at], b[i * stride + c]);
                double want = activate(act, exact);
                table_near(t, "y", at, ((float *)y.of[0])[at], want,
                           act.kind <= SDX_ACTIVATION_RELU ? 0 : 1e-6 * (fabs(want) + fabs(exact)));
            }
}

static void check_scale(table *t, int64_t batch, int64_t channels, int64_t pixels) {
    sdx_activation act = random_activation(t);
    table_row(t, "scale and shift, batch %lld channels %lld pixels %lld activation %d", (long long)batch,
              (long long)channels, (long long)pixels, act.kind);
    int64_t count = batch * channels * pixels;
    float *x = input_floats(t, count), *scale = input_floats(t, channels), *shift = input_floats(t, channels);
    result y = output(t, count, 4);
    EACH_POOL(p) sdx_scale_shift_c8_f32(t->pools[p], x, y.of[p], batch, channels, pixels, scale, shift, act);
    float *both = copy_of(t, x, count, 4);
    sdx_scale_shift_c8_f32(t->pools[1], both, both, batch, channels, pixels, scale, shift, act);
    table_equal_bytes(t, "in place", both, y.of[0], (size_t)count * 4);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t k = 0; k < batch * pixels; k++) {
            int64_t at = blocked_at(channels, pixels, k / pixels, c, k % pixels);
            double want = activate(act, (double)x[at] * scale[c] + shift[c]);
            double size = fabs((double)x[at] * scale[c]) + fabs((double)shift[c]);
            table_near(t, "y", at, ((float *)y.of[0])[at], want, 1e-6 * (size + fabs(want)) + 1e-30);
        }
}

typedef struct group_row {
    const char *what;
    int64_t batch, groups, channels, pixels; // channels of a group
    double offset;
} group_row;

static const group_row group_rows[] = {
    {"no images", 0, 8, 1, 5},
    {"no pixels", 2, 8, 1, 0},
    {"one pixel", 2, 8, 1, 1},
    {"one pixel, one group", 2, 1, 24, 1},
    {"instances", 2, 24, 1, 37},
    {"many instances", 2, 160, 1, 37},
    {"instances far from zero", 2, 16, 1, 1000, 1000},
    {"groups within a block", 2, 4, 2, 33},
    {"groups of a block", 2, 3, 8, 65},
    {"groups of two blocks", 2, 2, 16, 63},
    {"groups of half a block more", 2, 2, 12, 49},
    {"groups of three", 1, 16, 3, 21},
    {"groups of five", 2, 8, 5, 20, -3},
    {"one group", 2, 1, 24, 700, 10},
    {"pixels of several pieces", 1, 8, 1, 10007, 5},
    {"several pieces, one group", 1, 1, 16, 9001, -20},
    {"more blocks than moments are kept for", 3, 1400, 1, 3},
    {"as many, one group", 1, 1, 4168, 3},
    {"as many, groups of twelve", 1, 360, 12, 2, 4},
    {"clusters larger than the cache", 16, 8, 1, 17000},
};

static void check_groups(table *t, const group_row *r) {
    sdx_activation act = random_activation(t);
    table_row(t, "%s: batch %lld groups %lld of %lld pixels %lld activation %d", r->what, (long long)r->batch,
              (long long)r->groups, (long long)r->channels, (long long)r->pixels, act.kind);
    const int64_t channels = r->groups * r->channels, count = r->batch * channels * r->pixels;
    const float epsilon = 1e-5f;
    float *x = input_floats(t, count);
    for (int64_t i = 0; i < count; i++) x[i] += (float)(r->offset * (double)(1 + i % 8 % 3));
    const float *scale = random_chance(t, 4) ? NULL : input_floats(t, channels);
    const float *bias = random_chance(t, 4) ? NULL : input_floats(t, channels);
    result y = output(t, count, 4);
    EACH_POOL(p)
        sdx_group_norm_c8_f32(
            t->pools[p], x, y.of[p], r->batch, r->groups, r->channels, r->pixels, scale, bias, epsilon, act);
    float *both = copy_of(t, x, count, 4);
    sdx_group_norm_c8_f32(
        t->pools[2], both, both, r->batch, r->groups, r->channels, r->pixels, scale, bias, epsilon, act);
    table_equal_bytes(t, "in place", both, y.of[0], (size_t)count * 4);
    const int64_t size = r->channels * r->pixels;
    for (int64_t g = 0; g < r->batch * r->groups && r->pixels > 0; g++) {
        int64_t image = g / r->groups, first = g % r->groups * r->channels;
        double sum = 0, squares = 0;
        for (int64_t k = 0; k < size; k++)
            sum += x[blocked_at(channels, r->pixels, image, first + k / r->pixels, k % r->pixels)];
        double mean = sum / (double)size;
        for (int64_t k = 0; k < size; k++) {
            double d = x[blocked_at(channels, r->pixels, image, first + k / r->pixels, k % r->pixels)] - mean;
            squares += d * d;
        }
        double inverse = 1 / sqrt(squares / (double)size + epsilon);
        for (int64_t k = 0; k < size; k++) {
            int64_t c = first + k / r->pixels, at = blocked_at(channels, r->pixels, image, c, k % r->pixels);
            double factor = scale ? scale[c] : 1, shift = bias ? bias[c] : 0, centred = (x[at] - mean) * inverse;
            double want = activate(act, centred * factor + shift);
            // Besides the results' rounding, that of the mean before it is subtracted.
            double tolerance = 1e-6 * fabs(factor) * (fabs(centred) + 0.06 * fabs(mean) * inverse) +
                               1e-6 * (fabs(shift) + fabs(want)) + 1e-7;
            table_near(t, "y", at, ((float *)y.of[0])[at], want, tolerance);
        }
    }
}

int kernel_table_blocked(char *message, size_t size) {
    table t = table_begin(message, size, 20);
    static const int64_t shapes[][3] = {{0, 8, 3},  {2, 0, 3},  {2, 8, 0},  {1, 8, 1},   {2, 24, 1},   {2, 16, 7},
                                        {1, 8, 8},  {2, 24, 9}, {1, 16, 15}, {2, 8, 33}, {1, 8, 4097}, {2, 16, 2100},
                                        {3, 640, 5}, {1, 8, 9000}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const int64_t *s = shapes[i];
        check_reorder(&t, s[0], s[1], s[2]);
        for (int op = 0; op < SDX_BINARY_COUNT; op++)
            if (op != SDX_BINARY_POW && op != SDX_BINARY_FMOD)
                for (int by_image = 0; by_image < 2; by_image++)
                    check_binary(&t, s[0], s[1], s[2], (sdx_binary_op)op, by_image);
        for (int k = 0; k < 4; k++) check_scale(&t, s[0], s[1], s[2]);
    }
    for (size_t i = 0; i < COUNT(group_rows); i++)
        for (int k = 0; k < 2; k++) check_groups(&t, &group_rows[i]);
    for (int i = 0; i < 60; i++) {
        group_row r = {"random", random_in(&t, 1, 3), random_in(&t, 1, 12), random_in(&t, 1, 12),
                       random_in(&t, 1, random_chance(&t, 5) ? 2000 : 60), random_chance(&t, 2) ? 0 : 3};
        while (r.groups * r.channels % 8 != 0) r.groups += 1;
        check_groups(&t, &r);
    }
    return table_end(&t);
}
