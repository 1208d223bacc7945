/// Winograd's convolution along rows, from a plain tensor to a channel-blocked one.
#include "Table.h"

typedef struct {
    const char *what;
    int64_t n, c, k, in[3], kernel[3], stride[3], pad_begin[3], pad_end[3];
    bool bias, residual;
    sdx_activation activation;
} rows_row;

#define PADS(...) .pad_begin = __VA_ARGS__, .pad_end = __VA_ARGS__
#define RELU .activation = {SDX_ACTIVATION_RELU}
#define SEVEN {1, 7, 7}
#define ONE {1, 1, 1}
#define BY_2 {1, 2, 2}

static const rows_row rows[] = {
    {"no batch", 0, 3, 8, {1, 9, 9}, SEVEN, ONE},
    {"no input channels", 1, 0, 16, {1, 9, 9}, SEVEN, BY_2, PADS({0, 3, 3}), .bias = true, RELU},
    {"no output channels", 1, 3, 0, {1, 9, 9}, SEVEN, ONE},
    {"an empty input", 2, 3, 8, {1, 0, 6}, SEVEN, BY_2, PADS({0, 6, 3}), .bias = true},
    {"an empty output", 1, 3, 8, {1, 4, 5}, SEVEN, ONE},
    {"one pixel", 1, 1, 8, {1, 1, 1}, SEVEN, ONE, PADS({0, 3, 3}), .bias = true, .residual = true},
    {"one output", 1, 2, 24, {1, 7, 7}, SEVEN, ONE, .bias = true},
    {"one axis", 1, 4, 40, {1, 1, 61}, {1, 1, 7}, ONE, PADS({0, 0, 3}), .residual = true},
    {"one axis, in chunks", 1, 12, 72, {1, 1, 5003}, {1, 1, 7}, ONE, PADS({0, 0, 3}), .bias = true, RELU},
    {"one axis by 2, in chunks", 1, 4, 24, {1, 1, 3001}, {1, 1, 5}, {1, 1, 2}, PADS({0, 0, 2}), .residual = true,
     .activation = {SDX_ACTIVATION_SILU}},
    {"few wide rows", 1, 3, 40, {1, 5, 1203}, SEVEN, BY_2, PADS({0, 3, 3}), .bias = true},
    {"one tile of two outputs", 1, 3, 16, {1, 3, 4}, SEVEN, BY_2, PADS({0, 3, 3}), .bias = true, RELU},
    {"padding in front only", 1, 3, 8, {1, 11, 13}, SEVEN, BY_2, .pad_begin = {0, 6, 6}},
    {"outputs far beyond the end", 1, 2, 8, {1, 5, 6}, SEVEN, ONE, .pad_begin = {0, 1, 2}, .pad_end = {0, 9, 30}, .bias = true, RELU},
    {"as residual networks begin", 1, 3, 64, {1, 56, 56}, SEVEN, BY_2, PADS({0, 3, 3}), .bias = true, RELU},
    {"a batch, wide", 2, 3, 72, {1, 19, 150}, SEVEN, BY_2, PADS({0, 3, 3}), .residual = true, RELU},
    {"stride 1", 1, 3, 64, {1, 40, 45}, SEVEN, ONE, PADS({0, 3, 3}), .bias = true, RELU},
    {"stride 1, silu", 2, 1, 24, {1, 20, 31}, SEVEN, ONE, .bias = true, .residual = true, .activation = {SDX_ACTIVATION_SILU}},
    {"clip", 1, 2, 56, {1, 12, 30}, SEVEN, BY_2, PADS({0, 3, 3}), .bias = true, .activation = {SDX_ACTIVATION_CLIP, -2, 3}},
    {"5 columns", 1, 4, 40, {1, 17, 29}, {1, 5, 5}, ONE, PADS({0, 2, 2}), .bias = true, RELU},
    {"5 columns by 2", 1, 4, 40, {1, 17, 29}, {1, 5, 5}, BY_2, PADS({0, 2, 2}), .bias = true, .residual = true},
    {"6 columns", 1, 3, 16, {1, 17, 30}, {1, 3, 6}, ONE, PADS({0, 1, 5})},
    {"6 columns by 2", 2, 3, 16, {1, 17, 30}, {1, 4, 6}, {1, 1, 2}, PADS({0, 1, 2}), RELU},
    {"8 columns", 1, 3, 24, {1, 10, 33}, {1, 8, 8}, {1, 3, 1}, PADS({0, 4, 4}), .bias = true},
    {"8 columns by 2", 1, 3, 24, {1, 10, 33}, {1, 8, 8}, {1, 4, 2}, PADS({0, 3, 7}), .bias = true},
    {"16 rows", 1, 1, 8, {1, 30, 20}, {1, 16, 7}, {1, 5, 2}, PADS({0, 15, 3})},
    {"the longest sum", 1, 32, 32, {1, 18, 20}, {1, 16, 7}, ONE, PADS({0, 7, 3}), .bias = true},
    {"3D", 1, 1, 64, {12, 14, 16}, {7, 7, 7}, {2, 2, 2}, PADS({3, 3, 3}), .bias = true, RELU},
    {"3D, stride 1", 2, 2, 16, {5, 6, 17}, {5, 5, 5}, ONE, PADS({2, 2, 2}), .residual = true},
    {"3D, one slice", 1, 1, 8, {1, 9, 17}, {7, 7, 7}, {2, 2, 2}, PADS({6, 3, 3}), .bias = true},
    {"video", 1, 3, 40, {6, 20, 22}, {3, 7, 7}, {1, 2, 2}, PADS({1, 3, 3}), .bias = true, RELU},
};
enum { RANDOM_ROWS = 80 };

static sdx_conv_params parameters(const rows_row *r) {
    sdx_conv_params p = {.n = r->n, .c = r->c, .k = r->k, .groups = 1, .activation = r->activation};
    for (int i = 0; i < 3; i++) {
        p.in[i] = r->in[i];
        p.kernel[i] = r->kernel[i];
        p.stride[i] = r->stride[i];
        p.dilation[i] = 1;
        p.pad_begin[i] = r->pad_begin[i];
        int64_t room = r->in[i] + r->pad_begin[i] + r->pad_end[i] - r->kernel[i];
        p.out[i] = room < 0 ? 0 : room / r->stride[i] + 1;
    }
    return p;
}

static rows_row random_row(table *t) {
    rows_row r = {"random", random_in(t, 1, 2), random_in(t, 0, 5), random_in(t, 1, 12) * 8};
    bool deep = random_chance(t, 3);
    for (int i = 0; i < 3; i++) {
        bool flat = i == 0 && !deep;
        r.in[i] = flat ? 1 : random_in(t, 1, i == 2 ? 70 : deep ? 9 : 25);
        r.kernel[i] = flat ? 1 : i == 2 ? random_in(t, 5, 8) : random_in(t, 1, 7);
        r.stride[i] = flat ? 1 : random_in(t, 1, i == 2 ? 2 : 3);
        r.pad_begin[i] = flat ? 0 : random_in(t, 0, r.kernel[i] - 1);
        r.pad_end[i] = flat ? 0 : random_in(t, 0, r.kernel[i]);
    }
    r.bias = random_chance(t, 2);
    r.residual = random_chance(t, 3);
    if (random_chance(t, 2)) r.activation.kind = SDX_ACTIVATION_RELU;
    return r;
}

static int64_t volume(const int64_t sizes[3]) { return sizes[0] * sizes[1] * sizes[2]; }

/// What the outputs of one channel are, in double, before bias and residual.
static void add_channel(const sdx_conv_params *p, const float *x, const float *w, double *sums) {
    for (int64_t tap = 0; tap < volume(p->kernel); tap++) {
        int64_t shift[3] = {tap / p->kernel[2] / p->kernel[1] - p->pad_begin[0],
                            tap / p->kernel[2] % p->kernel[1] - p->pad_begin[1], tap % p->kernel[2] - p->pad_begin[2]};
        for (int64_t o = 0; o < volume(p->out); o++) {
            int64_t z = o / p->out[2] / p->out[1] * p->stride[0] + shift[0];
            int64_t y = o / p->out[2] % p->out[1] * p->stride[1] + shift[1], u = o % p->out[2] * p->stride[2] + shift[2];
            if (z < 0 || z >= p->in[0] || y < 0 || y >= p->in[1] || u < 0 || u >= p->in[2]) continue;
            sums[o] += (double)w[tap] * (double)x[(z * p->in[1] + y) * p->in[2] + u];
        }
    }
}

static void check(table *t, const rows_row *r) {
    sdx_conv_params p = parameters(r);
    table_row(
        t, "%s: n %lld c %lld k %lld in %lld·%lld·%lld out %lld·%lld·%lld kernel %lld·%lld·%lld stride %lld·%lld·%lld",
        r->what, (long long)p.n, (long long)p.c, (long long)p.k, (long long)p.in[0], (long long)p.in[1],
        (long long)p.in[2], (long long)p.out[0], (long long)p.out[1], (long long)p.out[2], (long long)p.kernel[0],
        (long long)p.kernel[1], (long long)p.kernel[2], (long long)p.stride[0], (long long)p.stride[1],
        (long long)p.stride[2]);
    if (!sdx_winograd_rows_f32_supported(&p)) {
        table_fail(t, "the parameters count as not supported");
        return;
    }
    int64_t images = p.n * p.c * volume(p.in), pixels = volume(p.out), results = p.n * p.k * pixels;
    int64_t taps = volume(p.kernel), terms = p.c * taps;
    float *x = input_floats(t, images), *w = input_floats(t, p.k * terms);
    const sdx_unaligned_f32 *unaligned = copy_of(t, w, p.k * terms * (int64_t)sizeof(float), 1);
    float *bias = r->bias ? input_floats(t, p.k) : NULL, *residual = r->residual ? input_floats(t, results) : NULL;
    float *both = residual ? copy_of(t, residual, results, sizeof(float)) : NULL; // y in the residual's place
    result y = output(t, results, sizeof(float));
    float *packed = workspace(t, sdx_winograd_rows_f32_packed_bytes(&p));
    sdx_winograd_rows_f32_pack(&p, unaligned, packed);
    EACH_POOL(i) {
        void *space = workspace(t, sdx_winograd_rows_f32_workspace_bytes(&p, pool_threads[i]));
        sdx_winograd_rows_f32_run(t->pools[i], &p, x, packed, bias, residual, y.of[i], space);
        if (both && i == 1) sdx_winograd_rows_f32_run(t->pools[i], &p, x, packed, bias, both, both, space);
    }
    double squares = 0, most = 0;
    for (int64_t i = 0; i < images; i++) squares += (double)x[i] * (double)x[i];
    for (int64_t k = 0; k < p.k; k++) {
        double weights = 0;
        for (int64_t i = 0; i < terms; i++) weights += (double)w[k * terms + i] * (double)w[k * terms + i];
        most = fmax(most, weights);
    }
    double error = images ? 1e-5 * sqrt(squares / (double)images * most) : 0;
    const float *got = y.of[0];
    for (int64_t n = 0; n < p.n; n++)
        for (int64_t k = 0; k < p.k; k++) {
            double *sums = zeros(t, pixels);
            for (int64_t c = 0; c < p.c; c++)
                add_channel(&p, x + (n * p.c + c) * volume(p.in), w + (k * p.c + c) * taps, sums);
            for (int64_t o = 0; o < pixels; o++) {
                int64_t at = ((n * p.k + k) / 8 * pixels + o) * 8 + k % 8;
                double sum = sums[o] + (bias ? (double)bias[k] : 0) + (residual ? (double)residual[at] : 0);
                double want = activate(p.activation, sum), tolerance = error + 1.2e-7 * (fabs(want) + fabs(sum));
                table_near(t, "y", at, got[at], want, tolerance);
                if (both) table_near(t, "y in the residual's place", at, both[at], want, tolerance);
            }
        }
}

static void check_refusals(table *t) {
    table_row(t, "not supported");
    const rows_row good = {"good", 1, 3, 64, {1, 56, 56}, SEVEN, BY_2, PADS({0, 3, 3})};
    sdx_conv_params bad[15];
    for (size_t i = 0; i < COUNT(bad); i++) bad[i] = parameters(&good);
    bad[0].c = 74;
    bad[1].k = 12;
    bad[2].c = bad[2].k = bad[2].groups = 8;
    bad[3].kernel[2] = 4;
    bad[4].kernel[2] = 9;
    bad[5].kernel[1] = 17;
    bad[6].kernel[0] = 17;
    bad[7].dilation[2] = 2;
    bad[8].dilation[0] = 2;
    bad[9].stride[2] = 3;
    bad[10].pad_begin[1] = 7;
    bad[11].repeats[2] = 2;
    bad[12].n = INT64_MAX / 4;
    bad[13].out[2] = (int64_t)1 << 50;
    bad[14] = (sdx_conv_params){.c = 2, .k = 8, .groups = 1, .in = {1, INT32_MAX, 1}, .out = {1, 1, INT32_MAX},
                                .kernel = {16, 16, 7}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_begin = {15, 15, 0}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (sdx_winograd_rows_f32_supported(&bad[i])) table_fail(t, "parameters %zu count as supported", i);
        if (sdx_winograd_rows_f32_workspace_bytes(&bad[i], 1) != SIZE_MAX) table_fail(t, "%zu has a workspace", i);
        if (sdx_winograd_rows_f32_packed_bytes(&bad[i]) != SIZE_MAX) table_fail(t, "%zu has packed weights", i);
    }
}

int kernel_table_winograd_rows(char *message, size_t size) {
    table t = table_begin(message, size, 29);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        rows_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check(&t, &row);
    }
    check_refusals(&t);
    return table_end(&t);
}
