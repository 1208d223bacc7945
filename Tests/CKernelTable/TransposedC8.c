/// Transposed convolution from layout c8, to c8 and to a few plain channels, against sums in double over plain tensors.
#include "Table.h"

typedef struct transposed_row {
    const char *what;
    int64_t n, c, k;
    // D, H, W. A kernel, stride or dilation of 0 counts as 1; `out_extra` is the output padding.
    int64_t in[3], kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3], out_extra[3];
    bool bias, specials;
    sdx_activation activation;
} transposed_row;

#define RELU .activation = {SDX_ACTIVATION_RELU}
#define PADS(...) .pad_begin = __VA_ARGS__, .pad_end = __VA_ARGS__

static const transposed_row rows[] = {
    {"no batch", 0, 8, 8, {1, 5, 5}, {1, 3, 3}},
    {"no input channels", 1, 0, 8, {1, 5, 5}, {1, 3, 3}, .bias = true, RELU},
    {"no output channels", 1, 8, 0, {1, 5, 5}, {1, 3, 3}},
    {"an empty input", 1, 8, 8, {1, 0, 5}, {1, 3, 3}, .out_extra = {0, 4, 0}, .bias = true},
    {"an empty output", 1, 8, 8, {1, 2, 2}, {1, 3, 3}, PADS({0, 2, 2})},
    {"one pixel", 1, 8, 8, {1, 1, 1}, {1, 1, 1}, .bias = true},
    {"one pixel to 2 × 2", 1, 16, 24, {1, 1, 1}, {1, 2, 2}, {1, 2, 2}, .bias = true},
    {"pointwise", 2, 24, 40, {1, 9, 11}, {1, 1, 1}, .bias = true, RELU},
    {"pointwise with a stride", 1, 8, 16, {1, 9, 10}, {1, 1, 1}, {1, 2, 2}, .bias = true},
    {"2 × 2 with stride 2", 1, 16, 32, {1, 8, 18}, {1, 2, 2}, {1, 2, 2}, .bias = true},
    {"2 × 2 with stride 2, 8 channels", 2, 8, 8, {1, 7, 9}, {1, 2, 2}, {1, 2, 2}, .bias = true, RELU},
    {"2 × 2 with stride 2, 40 channels", 1, 40, 40, {1, 5, 33}, {1, 2, 2}, {1, 2, 2}, .bias = true},
    {"2 × 2 with stride 2, output padding", 1, 16, 24, {1, 5, 7}, {1, 2, 2}, {1, 2, 2}, .out_extra = {0, 1, 1},
     .bias = true},
    {"2 × 2 with stride 2, padding", 1, 16, 24, {1, 5, 7}, {1, 2, 2}, {1, 2, 2}, PADS({0, 1, 1}), .bias = true},
    {"2 × 2 with stride 2, cut at the end", 1, 16, 8, {1, 5, 7}, {1, 2, 2}, {1, 2, 2}, .pad_end = {0, 1, 1}},
    {"2 × 2 × 2 with stride 2", 1, 16, 8, {4, 5, 6}, {2, 2, 2}, {2, 2, 2}, .bias = true, RELU},
    {"2 × 2 × 2 with stride 2, 24 to 16", 2, 24, 16, {3, 3, 3}, {2, 2, 2}, {2, 2, 2}, .bias = true},
    {"1 × 2 × 2 with stride 2", 1, 16, 16, {3, 5, 6}, {1, 2, 2}, {1, 2, 2}},
    {"3 × 3 with stride 3", 1, 16, 40, {1, 5, 6}, {1, 3, 3}, {1, 3, 3}, .bias = true},
    {"3 × 3 with stride 3, cut", 1, 16, 24, {1, 5, 6}, {1, 3, 3}, {1, 3, 3}, .pad_end = {0, 1, 2}, .bias = true},
    {"3 × 3 with stride 2", 1, 16, 32, {1, 9, 17}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .out_extra = {0, 1, 1}, RELU},
    {"3 × 3 with stride 2, odd", 2, 24, 40, {1, 6, 15}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .bias = true},
    {"4 × 4 with stride 2", 1, 16, 24, {1, 9, 12}, {1, 4, 4}, {1, 2, 2}, PADS({0, 1, 1}), .bias = true},
    {"3 × 3 × 3 with stride 2", 1, 8, 16, {5, 4, 6}, {3, 3, 3}, {2, 2, 2}, PADS({1, 1, 1}), .out_extra = {1, 1, 1},
     .bias = true},
    {"3 × 3", 1, 8, 40, {1, 7, 23}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true},
    {"5 × 5 with stride 3", 1, 8, 16, {1, 6, 8}, {1, 5, 5}, {1, 3, 3}, PADS({0, 1, 2}), .bias = true},
    {"a stride larger than the kernel", 1, 8, 16, {1, 6, 9}, {1, 2, 3}, {1, 5, 7}, .bias = true},
    {"dilation", 1, 8, 16, {1, 9, 12}, {1, 3, 3}, {1, 2, 2}, {1, 3, 2}, PADS({0, 2, 3}), .bias = true},
    {"dilation and stride in common", 1, 8, 8, {1, 6, 7}, {1, 3, 3}, {1, 4, 6}, {1, 2, 3}, PADS({0, 2, 3})},
    {"a huge padding", 1, 8, 8, {1, 9, 9}, {1, 3, 3}, {1, 2, 2}, .pad_begin = {0, 9, 14}, .bias = true},
    {"outputs far beyond", 1, 8, 8, {1, 3, 3}, {1, 2, 2}, {1, 2, 2}, .out_extra = {0, 9, 14}, .bias = true},
    {"long rows", 1, 8, 16, {1, 3, 900}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .bias = true},
    {"many channels", 1, 512, 16, {1, 3, 5}, {1, 2, 2}, {1, 2, 2}, .bias = true},
    {"many output channels", 1, 8, 520, {1, 2, 3}, {1, 3, 3}, {1, 2, 2}, .bias = true},
    {"to 1", 2, 16, 1, {1, 9, 40}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .out_extra = {0, 1, 1}, .bias = true},
    {"to 2, odd", 1, 8, 2, {1, 7, 50}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), RELU},
    {"to 3, 3D", 1, 32, 3, {5, 6, 48}, {3, 3, 3}, {2, 2, 2}, PADS({1, 1, 1}), .out_extra = {1, 1, 1}, .bias = true},
    {"to 4, kernel as stride", 2, 8, 4, {3, 4, 33}, {2, 2, 2}, {2, 2, 2}, .bias = true, RELU},
    {"to 5, stride 3", 1, 16, 5, {1, 5, 20}, {1, 5, 5}, {1, 3, 3}, PADS({0, 1, 2}), .bias = true},
    {"to 6, a stride larger than the kernel", 1, 8, 6, {1, 6, 9}, {1, 2, 3}, {1, 5, 7}, .bias = true},
    {"to 7, dilation", 1, 8, 7, {1, 9, 18}, {1, 3, 3}, {1, 2, 2}, {1, 3, 2}, PADS({0, 2, 3}), .bias = true},
    {"to 3, pointwise", 1, 24, 3, {1, 9, 11}, {1, 1, 1}, .bias = true},
    {"to 3, no input channels", 1, 0, 3, {1, 5, 5}, {1, 3, 3}, .bias = true, RELU},
    {"to 3, an empty input", 1, 8, 3, {1, 0, 5}, {1, 3, 3}, .out_extra = {0, 4, 0}, .bias = true},
    {"to 2, NaN and infinities", 1, 16, 2, {1, 9, 20}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .specials = true},
    {"to 3, silu", 1, 16, 3, {1, 5, 12}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .activation = {SDX_ACTIVATION_SILU}},
    {"to 1, long rows", 1, 64, 1, {1, 3, 2100}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .bias = true},
    {"1D", 2, 16, 24, {1, 1, 90}, {1, 1, 4}, {1, 1, 2}, PADS({0, 0, 1}), .bias = true},
    {"NaN and infinities", 1, 16, 16, {1, 9, 12}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .specials = true, RELU},
    {"NaN and infinities, 2 × 2", 1, 16, 8, {1, 9, 12}, {1, 2, 2}, {1, 2, 2}, .specials = true},
    {"clip", 1, 8, 16, {1, 9, 12}, {1, 2, 2}, {1, 2, 2}, .activation = {SDX_ACTIVATION_CLIP, -0.5f, 0.7f}},
    {"silu, cut", 1, 8, 24, {1, 5, 12}, {1, 2, 2}, {1, 2, 2}, .pad_end = {0, 1, 1}, .bias = true,
     .activation = {SDX_ACTIVATION_SILU}},
    {"leaky relu", 1, 16, 40, {1, 5, 12}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .bias = true,
     .activation = {SDX_ACTIVATION_LEAKY_RELU, 0.1f}},
};
enum { RANDOM_ROWS = 120, MOST_WORK = 1200000 };

static int64_t one_at_least(int64_t value) { return value ? value : 1; }
static int64_t product(const int64_t sizes[3]) { return sizes[0] * sizes[1] * sizes[2]; }

static sdx_conv_params parameters(const transposed_row *r) {
    sdx_conv_params p = {.n = r->n, .c = r->c, .k = r->k, .groups = 1, .activation = r->activation};
    for (int i = 0; i < 3; i++) {
        p.in[i] = r->in[i];
        p.kernel[i] = one_at_least(r->kernel[i]);
        p.stride[i] = one_at_least(r->stride[i]);
        p.dilation[i] = one_at_least(r->dilation[i]);
        p.pad_begin[i] = r->pad_begin[i];
        int64_t extent = (p.kernel[i] - 1) * p.dilation[i] + 1;
        p.out[i] = larger((p.in[i] - 1) * p.stride[i] + extent - r->pad_begin[i] - r->pad_end[i] + r->out_extra[i], 0);
    }
    return p;
}

static transposed_row random_row(table *t) {
    static const int64_t channels[] = {8, 16, 24, 40};
    static const int64_t longest[] = {200, 30, 8};
    int rank = (int)random_in(t, 1, 3);
    bool upsampling = random_chance(t, 3);
    transposed_row r = {"random", random_in(t, 1, 2), channels[random_in(t, 0, 3)], channels[random_in(t, 0, 3)]};
    for (int i = 0; i < 3; i++) r.in[i] = 1;
    for (int i = 3 - rank; i < 3; i++) {
        r.in[i] = random_in(t, 1, longest[rank - 1]);
        r.kernel[i] = random_in(t, 1, 5);
        r.stride[i] = upsampling ? r.kernel[i] : random_in(t, 1, 3);
        r.dilation[i] = upsampling || random_chance(t, 2) ? 1 : random_in(t, 1, 3);
        r.pad_begin[i] = random_chance(t, 2) ? 0 : random_in(t, 0, r.kernel[i]);
        r.pad_end[i] = random_chance(t, 2) ? 0 : random_in(t, 0, r.kernel[i]);
        r.out_extra[i] = random_chance(t, 3) ? random_in(t, 0, 3) : 0;
    }
    if (random_chance(t, 3)) r.k = random_in(t, 1, 7);
    r.bias = random_chance(t, 2);
    static const sdx_activation_kind kinds[] = {
        SDX_ACTIVATION_NONE, SDX_ACTIVATION_RELU, SDX_ACTIVATION_CLIP, SDX_ACTIVATION_SILU};
    r.activation = (sdx_activation){kinds[random_in(t, 0, 3)], -0.5f, 0.7f};
    for (int i = 0; r.n * r.c * r.k * product(r.in) * one_at_least(r.kernel[0]) * one_at_least(r.kernel[1]) *
                        one_at_least(r.kernel[2]) > MOST_WORK; i = (i + 1) % 3)
        r.in[i] = (r.in[i] + 1) / 2, r.kernel[i] = smaller(r.kernel[i], 3);
    return r;
}

/// Adds each product into sums, and its magnitude into sizes; all tensors plain.
static void add_products(const sdx_conv_params *p, const float *x, const float *w, double *sums, double *sizes) {
    int64_t taps = product(p->kernel), pixels = product(p->in);
    for (int64_t at = 0; at < p->n * p->k * p->c * taps; at++) {
        int64_t tap = at % taps, c = at / taps % p->c, k = at / taps / p->c % p->k, n = at / taps / p->c / p->k;
        int64_t t[3] = {tap / p->kernel[2] / p->kernel[1], tap / p->kernel[2] % p->kernel[1], tap % p->kernel[2]};
        double weight = w[(c * p->k + k) * taps + tap];
        for (int64_t i = 0; i < pixels; i++) {
            int64_t in[3] = {i / p->in[2] / p->in[1], i / p->in[2] % p->in[1], i % p->in[2]}, place = n * p->k + k;
            bool inside = true;
            for (int j = 0; j < 3; j++) {
                int64_t o = in[j] * p->stride[j] + t[j] * p->dilation[j] - p->pad_begin[j];
                inside &= o >= 0 && o < p->out[j];
                place = place * p->out[j] + o;
            }
            if (!inside) continue;
            double term = weight * x[(n * p->c + c) * pixels + i];
            sums[place] += term;
            sizes[place] += fabs(term);
        }
    }
}

static void check(table *t, const transposed_row *r) {
    sdx_conv_params p = parameters(r);
    table_row(
        t, "%s: n %lld c %lld k %lld in %lld·%lld·%lld out %lld·%lld·%lld kernel %lld·%lld·%lld stride %lld·%lld·%lld"
        " dilation %lld·%lld·%lld pad %lld·%lld·%lld",
        r->what, (long long)p.n, (long long)p.c, (long long)p.k, (long long)p.in[0], (long long)p.in[1],
        (long long)p.in[2], (long long)p.out[0], (long long)p.out[1], (long long)p.out[2], (long long)p.kernel[0],
        (long long)p.kernel[1], (long long)p.kernel[2], (long long)p.stride[0], (long long)p.stride[1],
        (long long)p.stride[2], (long long)p.dilation[0], (long long)p.dilation[1], (long long)p.dilation[2],
        (long long)p.pad_begin[0], (long long)p.pad_begin[1], (long long)p.pad_begin[2]);
    if (!sdx_conv_transpose_c8_f32_supported(&p)) {
        table_fail(t, "the parameters count as not supported");
        return;
    }
    int64_t pixels = product(p.in), images = p.n * p.c * pixels, results = p.n * p.k * product(p.out);
    int64_t terms = p.c * product(p.kernel);
    float *x = input_floats(t, images), *w = input_floats(t, p.k * terms);
    float *bias = r->bias ? input_floats(t, p.k) : NULL;
    if (r->specials) sprinkle_specials(t, x, images);
    float *blocked = input_floats(t, images);
    for (int64_t i = 0; i < images; i++) {
        int64_t nc = i / pixels;
        blocked[(nc / 8 * pixels + i % pixels) * 8 + nc % 8] = x[i]; // c is a multiple of 8: n c blocks as c does
    }
    result y = output(t, results, sizeof(float));
    float *packed = workspace(t, sdx_conv_transpose_c8_f32_packed_bytes(&p));
    sdx_conv_transpose_c8_f32_pack(&p, w, packed);
    EACH_POOL(i) {
        void *space = workspace(t, sdx_conv_transpose_c8_f32_workspace_bytes(&p, pool_threads[i]));
        sdx_conv_transpose_c8_f32_run(t->pools[i], &p, blocked, packed, bias, y.of[i], space);
    }
    double *sums = zeros(t, results), *sizes = zeros(t, results);
    add_products(&p, x, w, sums, sizes);
    for (int64_t i = 0; i < results; i++) {
        int64_t nk = i / product(p.out), o = i % product(p.out);
        double addend = bias ? bias[nk % p.k] : 0;
        double want = activate(p.activation, sums[i] + addend);
        double tolerance = 0x1p-24 * (double)(terms + 4) * (sizes[i] + fabs(addend)) + 5e-7 * fabs(want);
        // k is a multiple of 8, or few: n k blocks as k does, or not at all.
        float got = ((float *)y.of[0])[p.k % 8 ? i : (nk / 8 * product(p.out) + o) * 8 + nk % 8];
        table_near(t, "y", i, got, want, tolerance);
    }
}

int kernel_table_transposed_c8(char *message, size_t size) {
    table t = table_begin(message, size, 31);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        transposed_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check(&t, &row);
    }
    table_row(&t, "shapes that are not supported");
    sdx_conv_params good = parameters(&rows[9]), bad[8];
    for (size_t i = 0; i < COUNT(bad); i++) bad[i] = good;
    bad[0].groups = 2;
    bad[1].c = 12;
    bad[2].k = 12;
    bad[3].stride[1] = 9;
    bad[4].n = INT64_MAX / 4;
    bad[5].kernel[2] = 17;
    bad[6].out[2] = -1;
    bad[7].dilation[1] = 1 << 30;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (sdx_conv_transpose_c8_f32_supported(&bad[i]) ||
            sdx_conv_transpose_c8_f32_packed_bytes(&bad[i]) != SIZE_MAX ||
            sdx_conv_transpose_c8_f32_workspace_bytes(&bad[i], 1) != SIZE_MAX)
            table_fail(&t, "parameters %zu count as supported", i);
    return table_end(&t);
}
