/// Convolution and transposed convolution. One table serves both: a row's output size follows from the rest.
#include "Table.h"

typedef struct convolution_row {
    const char *what;
    int64_t n, c, k, groups;
    // D, H, W. A kernel, stride or dilation of 0 counts as 1; `out_extra` is added to the output, by ceil mode or
    // output padding.
    int64_t in[3], kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3], out_extra[3];
    bool bias, residual, specials;
    sdx_activation activation;
} convolution_row;

#define RELU .activation = {SDX_ACTIVATION_RELU}
#define PADS(...) .pad_begin = __VA_ARGS__, .pad_end = __VA_ARGS__

static const convolution_row rows[] = {
    {"no batch", 0, 3, 4, 1, {1, 5, 5}, {1, 3, 3}},
    {"no input channels", 1, 0, 4, 1, {1, 5, 5}, {1, 3, 3}, .bias = true, RELU},
    {"no output channels", 1, 3, 0, 1, {1, 5, 5}, {1, 3, 3}},
    {"an empty input", 1, 2, 3, 1, {1, 0, 5}, {1, 3, 3}, PADS({0, 3, 1}), .bias = true},
    {"an empty output", 1, 2, 3, 1, {1, 2, 2}, {1, 3, 3}},
    {"one value", 1, 1, 1, 1, {1, 1, 1}, {1, 1, 1}, .bias = true},
    {"one value in a wide window", 1, 1, 1, 1, {1, 1, 1}, {1, 7, 7}, PADS({0, 3, 3})},
    {"windows of padding only", 1, 3, 5, 1, {1, 4, 4}, {1, 2, 2}, PADS({0, 6, 7}), .bias = true, .residual = true},
    {"outputs beyond the end", 1, 2, 4, 1, {1, 5, 6}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .out_extra = {0, 2, 3}},
    {"pointwise", 2, 33, 29, 1, {1, 9, 11}, {1, 1, 1}, .bias = true, RELU},
    {"pointwise, a column", 1, 40, 50, 1, {1, 1, 1}, {1, 1, 1}, .bias = true},
    {"pointwise with a stride", 1, 9, 20, 1, {1, 9, 10}, {1, 1, 1}, {1, 2, 2}},
    {"pointwise with padding", 1, 9, 20, 1, {1, 6, 5}, {1, 1, 1}, PADS({0, 2, 1}), .bias = true},
    {"3 × 3", 1, 8, 16, 1, {1, 17, 23}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true, .residual = true, RELU},
    {"3 × 3, wide rows", 1, 5, 7, 1, {1, 4, 150}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true},
    {"3 × 3, many output channels", 1, 6, 110, 1, {1, 9, 9}, {1, 3, 3}, PADS({0, 1, 1})},
    {"3 × 3, several blocks of k", 1, 190, 20, 1, {1, 5, 6}, {1, 3, 3}, PADS({0, 1, 1}), .residual = true},
    {"3 × 3, several blocks of k, many rows", 1, 100, 70, 1, {1, 4, 4}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true},
    {"3 × 3 × 3", 1, 6, 12, 1, {7, 8, 9}, {3, 3, 3}, PADS({1, 1, 1}), .bias = true, RELU},
    {"3 × 3 × 3 with stride 2", 1, 5, 9, 1, {8, 7, 9}, {3, 3, 3}, {2, 2, 2}, PADS({1, 1, 1})},
    {"2 × 2 with stride 2", 1, 7, 30, 1, {1, 8, 18}, {1, 2, 2}, {1, 2, 2}, .bias = true},
    {"2 × 2 × 2 with stride 2", 1, 6, 8, 1, {4, 5, 6}, {2, 2, 2}, {2, 2, 2}, .bias = true, RELU},
    {"4 × 4 with stride 2", 1, 6, 18, 1, {1, 9, 12}, {1, 4, 4}, {1, 2, 2}, PADS({0, 1, 1}), .out_extra = {0, 1, 1}},
    {"7 × 7 with stride 2", 1, 3, 24, 1, {1, 20, 31}, {1, 7, 7}, {1, 2, 2}, PADS({0, 3, 3}), .bias = true, RELU},
    {"a stride larger than the kernel", 1, 4, 6, 1, {1, 12, 19}, {1, 2, 3}, {1, 5, 7}, .bias = true},
    {"a huge stride", 1, 4, 6, 1, {1, 3, 4}, {1, 2, 2}, {1, 40, 90}, .bias = true},
    {"a huge dilation", 1, 3, 6, 1, {1, 25, 60}, {1, 3, 3}, .dilation = {1, 9, 29}, PADS({0, 4, 30}), .bias = true},
    {"dilation and stride in common", 1, 4, 6, 1, {1, 13, 14}, {1, 3, 3}, {1, 4, 6}, {1, 2, 3}, PADS({0, 2, 3})},
    {"a huge padding", 1, 3, 6, 1, {1, 4, 5}, {1, 3, 3}, .pad_begin = {0, 20, 50}, .pad_end = {0, 1, 40}},
    {"1D", 2, 12, 17, 1, {1, 1, 200}, {1, 1, 9}, PADS({0, 0, 4}), .bias = true},
    {"1D, a kernel longer than the input", 1, 3, 17, 1, {1, 1, 12}, {1, 1, 30}, PADS({0, 0, 15})},
    {"groups", 1, 12, 20, 4, {1, 8, 9}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true, RELU},
    {"groups of one output", 1, 12, 3, 3, {1, 8, 9}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true},
    {"depthwise", 2, 9, 9, 9, {1, 19, 21}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true, .residual = true, RELU},
    {"depthwise with stride 2", 1, 9, 9, 9, {1, 19, 70}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), .bias = true},
    {"depthwise with stride 3 and dilation", 1, 5, 5, 5, {1, 20, 41}, {1, 5, 5}, {1, 3, 3}, {1, 2, 2}, PADS({0, 4, 4})},
    {"depthwise with a multiplier", 1, 4, 12, 4, {1, 11, 10}, {1, 3, 5}, PADS({0, 1, 2}), .bias = true},
    {"depthwise 3D", 1, 5, 5, 5, {6, 7, 20}, {3, 3, 3}, PADS({1, 1, 1}), .bias = true, .residual = true},
    {"depthwise, a huge padding", 1, 3, 3, 3, {1, 3, 4}, {1, 3, 3}, PADS({0, 9, 30}), .bias = true},
    {"depthwise, wide rows", 1, 2, 2, 2, {1, 3, 700}, {1, 3, 31}, PADS({0, 1, 15})},
    {"depthwise, an empty input", 1, 3, 3, 3, {1, 0, 6}, {1, 3, 3}, PADS({0, 2, 1}), .bias = true},
    {"few channels", 1, 3, 3, 1, {5, 6, 100}, {3, 3, 3}, PADS({1, 1, 1}), .bias = true, .residual = true, RELU},
    {"few channels, dilated", 1, 2, 4, 1, {1, 9, 300}, {1, 5, 5}, .dilation = {1, 2, 3}, PADS({0, 4, 6}), .bias = true},
    {"few channels, groups", 2, 6, 6, 3, {1, 7, 33}, {1, 3, 3}, PADS({0, 1, 1}), .activation = {SDX_ACTIVATION_SILU}},
    {"few channels, strides of rows", 1, 3, 1, 1, {7, 8, 40}, {3, 3, 3}, {2, 2, 1}, PADS({1, 1, 1}), .bias = true},
    {"few channels, many slices", 1, 2, 3, 1, {101, 4, 20}, {3, 3, 3}, PADS({1, 1, 1}), .bias = true, .residual = true,
     RELU},
    {"few channels, many slices, strides, dilated", 2, 4, 2, 2, {137, 5, 9}, {3, 3, 3}, {2, 1, 1}, {2, 1, 1},
     .pad_begin = {3, 1, 0}, .pad_end = {1, 1, 2}, .activation = {SDX_ACTIVATION_SILU}},
    {"few channels, many rows", 1, 1, 2, 1, {1, 300, 20}, {1, 3, 3}, PADS({0, 1, 1}), .residual = true},
    {"few channels, a huge padding", 1, 3, 2, 1, {1, 4, 5}, {1, 3, 3}, .pad_begin = {0, 20, 50}, .pad_end = {0, 1, 40}},
    {"few channels, NaN", 1, 3, 4, 1, {1, 9, 12}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true, .specials = true, RELU},
    {"NaN and infinities", 1, 6, 9, 1, {1, 9, 12}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true, .specials = true, RELU},
    {"NaN and infinities, depthwise", 1, 6, 6, 6, {1, 9, 12}, {1, 3, 3}, PADS({0, 1, 1}), .specials = true},
    {"clip", 1, 6, 9, 1, {1, 9, 12}, {1, 3, 3}, .activation = {SDX_ACTIVATION_CLIP, -0.5f, 0.7f}},
    {"silu", 1, 6, 6, 6, {1, 9, 12}, {1, 3, 3}, .activation = {SDX_ACTIVATION_SILU}},
};
enum { RANDOM_ROWS = 90, MOST_WORK = 700000, MOST_OUT = 400 };

static int64_t one_at_least(int64_t value) { return value ? value : 1; }

/// The kernels' parameters for a row.
static sdx_conv_params parameters(const convolution_row *r, bool transposed) {
    sdx_conv_params p = {.n = r->n, .c = r->c, .k = r->k, .groups = r->groups, .activation = r->activation};
    for (int i = 0; i < 3; i++) {
        p.in[i] = r->in[i];
        p.kernel[i] = one_at_least(r->kernel[i]);
        p.stride[i] = one_at_least(r->stride[i]);
        p.dilation[i] = one_at_least(r->dilation[i]);
        p.pad_begin[i] = r->pad_begin[i];
        int64_t extent = (p.kernel[i] - 1) * p.dilation[i] + 1, pads = r->pad_begin[i] + r->pad_end[i];
        int64_t room = p.in[i] + pads - extent;
        int64_t out = transposed ? (p.in[i] - 1) * p.stride[i] + extent - pads : room < 0 ? 0 : room / p.stride[i] + 1;
        p.out[i] = smaller(larger(out, 0) + r->out_extra[i], MOST_OUT);
    }
    return p;
}

static int64_t product(const int64_t sizes[3]) { return sizes[0] * sizes[1] * sizes[2]; }

static int64_t work_of(const sdx_conv_params *p, bool transposed) {
    return p->n * p->k * (p->c / p->groups) * product(p->kernel) * product(transposed ? p->in : p->out);
}

static convolution_row random_row(table *t) {
    int rank = (int)random_in(t, 1, 3);
    bool same = random_chance(t, 3), pointwise = random_chance(t, 7);
    bool grouped = random_chance(t, 6), depthwise = random_chance(t, 5), deep = random_chance(t, 8);
    convolution_row r = {"random", random_chance(t, 20) ? 0 : random_in(t, 1, 2)};
    r.groups = depthwise ? random_in(t, 2, 9) : grouped ? random_in(t, 1, 4) : 1;
    r.c = r.groups * (depthwise ? 1 : deep ? random_in(t, 100, 300) : random_in(t, 1, 24));
    r.k = r.groups * (depthwise ? random_in(t, 1, 3) : random_in(t, 1, random_chance(t, 4) ? 70 : 33));
    if (deep) r.k = r.groups * random_in(t, 1, 9);
    static const int64_t longest[] = {300, 40, 10};
    for (int i = 3 - rank; i < 3; i++) {
        bool plain = same || pointwise;
        r.in[i] = random_chance(t, 40) ? random_in(t, 0, 2) : random_in(t, 1, deep ? 6 : longest[rank - 1]);
        r.kernel[i] = pointwise ? 1 : same ? 3 : random_chance(t, 15) ? random_in(t, 8, 12) : random_in(t, 1, 5);
        r.stride[i] = plain ? 1 : random_in(t, 1, random_chance(t, 6) ? 9 : 3);
        r.dilation[i] = plain || random_chance(t, 2) ? 1 : random_in(t, 1, random_chance(t, 10) ? 20 : 3);
        r.pad_begin[i] = pointwise ? 0 : same ? 1 : random_in(t, 0, random_chance(t, 10) ? 30 : r.kernel[i]);
        r.pad_end[i] = pointwise ? 0 : same ? 1 : random_in(t, 0, r.kernel[i]);
        r.out_extra[i] = random_chance(t, 8) ? random_in(t, 0, 3) : 0;
    }
    for (int i = 0; i < 3 - rank; i++) r.in[i] = 1;
    r.bias = random_chance(t, 2);
    r.residual = random_chance(t, 2);
    static const sdx_activation_kind kinds[] = {
        SDX_ACTIVATION_NONE, SDX_ACTIVATION_RELU, SDX_ACTIVATION_CLIP, SDX_ACTIVATION_SILU};
    r.activation = (sdx_activation){kinds[random_in(t, 0, 3)], -0.5f, 0.7f};
    for (bool transposed = false;; transposed = true) {
        // Fewer channels, then fewer positions, until the reference takes milliseconds for both.
        for (sdx_conv_params p = parameters(&r, transposed); work_of(&p, transposed) > MOST_WORK;
             p = parameters(&r, transposed)) {
            if (!deep && r.c / r.groups > 4) r.c = r.c / r.groups / 2 * r.groups;
            else if (r.k / r.groups > 8) r.k = r.k / r.groups / 2 * r.groups;
            else
                for (int i = 0; i < 3; i++) {
                    r.kernel[i] = r.in[i] > 1 ? smaller(r.kernel[i], 4) : (r.kernel[i] + 1) / 2;
                    if (r.in[i] <= 1) r.pad_begin[i] = r.pad_end[i] = r.out_extra[i] = 0;
                    r.in[i] = (r.in[i] + 1) / 2;
                }
        }
        if (transposed) return r;
    }
}

/// Adds each product into sums, and its magnitude into sizes. The loops run over the `base` positions that the stride
/// multiplies: outputs of a convolution, inputs of a transposed one; `other` is what a tap then meets.
static void add_products(
    const sdx_conv_params *p, bool transposed, const float *x, const float *w, double *sums, double *sizes) {
    int64_t channels = p->c / p->groups, results = p->k / p->groups, taps = product(p->kernel);
    const int64_t *base = transposed ? p->in : p->out, *other = transposed ? p->out : p->in;
    for (int64_t nk = 0; nk < p->n * p->k; nk++) {
        int64_t n = nk / p->k, k = nk % p->k, group = k / results;
        for (int64_t c = 0; c < channels; c++)
            for (int64_t tap = 0; tap < taps; tap++) {
                int64_t t[3] = {
                    tap / p->kernel[2] / p->kernel[1], tap / p->kernel[2] % p->kernel[1], tap % p->kernel[2]};
                double weight = transposed ? w[((group * channels + c) * results + k % results) * taps + tap]
                                           : w[(k * channels + c) * taps + tap];
                const float *from = x + (n * p->c + group * channels + c) * product(p->in);
                int64_t shift[3];
                for (int i = 0; i < 3; i++) shift[i] = t[i] * p->dilation[i] - p->pad_begin[i];
                for (int64_t d = 0; d < base[0]; d++)
                    for (int64_t h = 0; h < base[1]; h++) {
                        int64_t z = d * p->stride[0] + shift[0], y = h * p->stride[1] + shift[1];
                        if (z < 0 || z >= other[0] || y < 0 || y >= other[1]) continue;
                        int64_t base_row = (d * base[1] + h) * base[2], other_row = (z * other[1] + y) * other[2];
                        for (int64_t v = 0; v < base[2]; v++) {
                            int64_t at = v * p->stride[2] + shift[2];
                            if (at < 0 || at >= other[2]) continue;
                            int64_t in = transposed ? base_row + v : other_row + at;
                            int64_t out = transposed ? other_row + at : base_row + v;
                            double term = weight * from[in];
                            sums[nk * product(p->out) + out] += term;
                            sizes[nk * product(p->out) + out] += fabs(term);
                        }
                    }
            }
    }
}

static void check(table *t, const convolution_row *r, bool transposed) {
    sdx_conv_params p = parameters(r, transposed);
    table_row(
        t, "%s: n %lld c %lld k %lld groups %lld in %lld·%lld·%lld out %lld·%lld·%lld kernel %lld·%lld·%lld"
        " stride %lld·%lld·%lld dilation %lld·%lld·%lld pad %lld·%lld·%lld",
        r->what, (long long)p.n, (long long)p.c, (long long)p.k, (long long)p.groups, (long long)p.in[0],
        (long long)p.in[1], (long long)p.in[2], (long long)p.out[0], (long long)p.out[1], (long long)p.out[2],
        (long long)p.kernel[0], (long long)p.kernel[1], (long long)p.kernel[2], (long long)p.stride[0],
        (long long)p.stride[1], (long long)p.stride[2], (long long)p.dilation[0], (long long)p.dilation[1],
        (long long)p.dilation[2], (long long)p.pad_begin[0], (long long)p.pad_begin[1], (long long)p.pad_begin[2]);
    if (!sdx_conv_params_valid(&p)) {
        table_fail(t, "the parameters count as invalid");
        return;
    }
    int64_t images = p.n * p.c * product(p.in), results = p.n * p.k * product(p.out), terms = p.c / p.groups;
    terms *= product(p.kernel);
    float *x = input_floats(t, images), *w = input_floats(t, p.k * terms);
    float *bias = r->bias ? input_floats(t, p.k) : NULL;
    float *residual = r->residual && !transposed ? input_floats(t, results) : NULL;
    if (r->specials) sprinkle_specials(t, x, images);

    result y = output(t, results, sizeof(float));
    float *packed = workspace(
        t, transposed ? sdx_conv_transpose_f32_packed_bytes(&p) : sdx_conv_f32_packed_bytes(&p));
    if (transposed) sdx_conv_transpose_f32_pack(&p, w, packed);
    else sdx_conv_f32_pack(&p, w, packed);
    float *both = residual ? copy_of(t, residual, results, sizeof(float)) : NULL; // y in the residual's place
    EACH_POOL(i) {
        void *space = workspace(
            t, transposed ? sdx_conv_transpose_f32_workspace_bytes(&p, pool_threads[i])
                          : sdx_conv_f32_workspace_bytes(&p, pool_threads[i]));
        if (transposed) sdx_conv_transpose_f32_run(t->pools[i], &p, x, packed, bias, y.of[i], space);
        else sdx_conv_f32_run(t->pools[i], &p, x, packed, bias, residual, y.of[i], space);
        if (both && i == 1) sdx_conv_f32_run(t->pools[i], &p, x, packed, bias, both, both, space);
    }

    double *sums = zeros(t, results), *sizes = zeros(t, results);
    add_products(&p, transposed, x, w, sums, sizes);
    const float *got = y.of[0];
    for (int64_t i = 0; i < results; i++) {
        int64_t k = i / product(p.out) % p.k;
        double addends[] = {bias ? bias[k] : 0, residual ? residual[i] : 0};
        for (size_t j = 0; j < COUNT(addends); j++) {
            sums[i] += addends[j];
            sizes[i] += fabs(addends[j]);
        }
        double want = activate(p.activation, sums[i]);
        double tolerance = 0x1p-24 * (double)(terms + 4) * sizes[i] + 5e-7 * fabs(want);
        table_near(t, "y", i, got[i], want, tolerance);
        if (both) table_near(t, "y in the residual's place", i, both[i], want, tolerance);
    }
}

static int run(char *message, size_t size, bool transposed) {
    table t = table_begin(message, size, transposed ? 3 : 2);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        convolution_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check(&t, &row, transposed);
    }
    table_row(&t, "bad parameters");
    sdx_conv_params good = parameters(&rows[9], transposed), bad[8];
    for (size_t i = 0; i < COUNT(bad); i++) bad[i] = good;
    bad[0].groups = 2; // of 33 channels
    bad[1].stride[1] = 0;
    bad[2].pad_begin[2] = -1;
    bad[3].n = INT64_MAX / 4;
    bad[4].kernel[0] = 0;
    bad[5].out[2] = -1;
    bad[6].n = bad[7].n = 0; // sizes that no number holds, of no images
    for (int i = 0; i < 3; i++) bad[6].out[i] = bad[7].in[i] = INT32_MAX;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (sdx_conv_params_valid(&bad[i])) table_fail(&t, "parameters %zu count as valid", i);
        size_t bytes = transposed ? sdx_conv_transpose_f32_workspace_bytes(&bad[i], 1)
                                  : sdx_conv_f32_workspace_bytes(&bad[i], 1);
        if (bytes != SIZE_MAX) table_fail(&t, "parameters %zu have a workspace", i);
    }
    return table_end(&t);
}

int kernel_table_convolution(char *message, size_t size) { return run(message, size, false); }
int kernel_table_transposed_convolution(char *message, size_t size) { return run(message, size, true); }
