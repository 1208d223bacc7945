/// Winograd convolution in the channel-blocked layout.
#include "Table.h"

typedef struct winograd_row {
    const char *what;
    int64_t n, c, k;
    int64_t in[3], pad_begin[3], pad_end[3]; // D, H, W; the kernel is 3 in depth but where in[0] is 1 without padding
    bool bias, residual;
    sdx_activation activation;
    int64_t repeats[3]; // in is of the pixels before they repeat
    int64_t stride[2];  // in depth and in the plane; 0 counts as 1
    bool large;         // a map whose largest |y| is far from its usual one: the error holds to that, too
    bool rectified;     // x is as ReLU leaves it
    bool lines;         // y begins with a line of the caches, and is whole lines
} winograd_row;

#define RELU .activation = {SDX_ACTIVATION_RELU}
#define PADS(...) .pad_begin = __VA_ARGS__, .pad_end = __VA_ARGS__
#define BY_2 .stride = {1, 2}
#define BY_2_DEEP .stride = {2, 2}

static const winograd_row rows[] = {
    {"no batch", 0, 8, 8, {1, 5, 5}},
    {"no input channels", 2, 0, 16, {1, 5, 5}, PADS({0, 1, 1}), .bias = true, RELU},
    {"no output channels", 1, 8, 0, {1, 5, 5}},
    {"an empty input", 1, 8, 16, {1, 0, 5}, PADS({0, 2, 1}), .bias = true},
    {"an empty output", 1, 8, 8, {1, 2, 2}},
    {"one pixel", 1, 8, 8, {1, 1, 1}, PADS({0, 1, 1})},
    {"one pixel, many channels", 1, 72, 72, {1, 1, 1}, PADS({0, 1, 1}), .bias = true, .residual = true},
    {"one output", 1, 16, 24, {1, 3, 3}, .bias = true},
    {"one tile", 1, 8, 8, {1, 4, 4}, PADS({0, 1, 1})},
    {"padding at the end only", 1, 16, 8, {1, 7, 9}, .pad_end = {0, 2, 1}},
    {"padding in front only", 1, 16, 8, {1, 7, 9}, .pad_begin = {0, 2, 1}},
    {"outputs far beyond the end", 1, 8, 16, {1, 3, 4}, .pad_begin = {0, 1, 1}, .pad_end = {0, 12, 9}, .bias = true},
    {"many tiles", 2, 8, 8, {1, 61, 43}, PADS({0, 1, 1}), .bias = true, .residual = true, RELU},
    {"tiles of whole rows only", 1, 24, 40, {1, 32, 32}, PADS({0, 1, 1}), .bias = true, RELU},
    {"many channels on a small map", 1, 200, 136, {1, 7, 7}, PADS({0, 1, 1}), .bias = true, RELU},
    {"many channels on a larger map", 1, 200, 72, {1, 17, 15}, PADS({0, 1, 1}), .bias = true, .residual = true},
    {"a batch of small maps", 5, 40, 24, {1, 6, 5}, PADS({0, 1, 1}), .residual = true},
    {"no padding", 1, 72, 72, {1, 14, 14}, .bias = true},
    {"silu", 1, 24, 16, {1, 9, 23}, PADS({0, 1, 1}), .bias = true, .activation = {SDX_ACTIVATION_SILU}},
    {"clip", 1, 16, 72, {1, 10, 9}, PADS({0, 1, 1}), .residual = true, .activation = {SDX_ACTIVATION_CLIP, -9, 17}},
    {"3D", 1, 16, 24, {5, 9, 10}, PADS({1, 1, 1}), .bias = true, .residual = true, RELU},
    {"3D, one slice", 1, 8, 8, {1, 6, 6}, PADS({1, 1, 1})},
    {"3D, deep", 1, 8, 8, {35, 5, 6}, PADS({1, 1, 1}), .bias = true},
    {"3D, deep and wide", 1, 8, 8, {17, 40, 30}, PADS({1, 1, 1}), .residual = true, RELU},
    {"3D, a batch", 3, 24, 40, {4, 6, 5}, PADS({1, 1, 1}), .bias = true},
    {"3D, without padding", 1, 16, 16, {7, 8, 9}, .bias = true},
    {"3D, wide padding in front", 2, 8, 24, {3, 5, 5}, .pad_begin = {2, 2, 2}, .pad_end = {0, 1, 0}},
    {"3D, wide padding at the end", 1, 8, 8, {3, 4, 5}, .pad_end = {6, 2, 2}, .bias = true},
    {"3D, pairs of slices", 1, 72, 72, {6, 8, 9}, PADS({1, 1, 1}), .bias = true, .residual = true, RELU},
    {"3D, pairs and one slice", 2, 72, 48, {9, 4, 5}, PADS({1, 1, 1}), .bias = true},
    {"3D, pairs without padding", 1, 64, 72, {9, 7, 6}, .residual = true},
    {"3D, pairs and wide padding", 1, 64, 64, {5, 4, 3}, .pad_begin = {2, 2, 2}, .pad_end = {5, 2, 2}, .bias = true},
    {"3D, ranges of pairs", 1, 40, 40, {69, 4, 5}, PADS({1, 1, 1}), .bias = true, .residual = true, RELU},
    {"3D, pairs of small slices", 1, 72, 72, {12, 2, 2}, PADS({1, 1, 1}), .bias = true},
    {"3D, in parts", 1, 136, 24, {15, 14, 15}, PADS({1, 1, 1}), .bias = true, .residual = true},
    {"3D, in parts of each image", 2, 200, 40, {9, 9, 13}, PADS({1, 1, 1}), .bias = true, RELU},
    {"3D, an image a part", 3, 128, 72, {10, 9, 9}, PADS({1, 1, 1}), .bias = true},
    {"3D, narrow images, one a part", 7, 96, 64, {12, 5, 5}, PADS({1, 1, 1}), .residual = true},
    {"3D, a level a part", 1, 264, 8, {5, 26, 24}, PADS({0, 1, 1})},
    {"repeated", 1, 24, 40, {1, 13, 17}, PADS({0, 1, 1}), .bias = true, .residual = true, RELU, .repeats = {0, 2, 2}},
    {"repeated without padding", 1, 16, 8, {1, 13, 11}, .bias = true, .repeats = {1, 2, 2}},
    {"repeated, wide padding", 2, 8, 24, {1, 9, 8}, PADS({0, 2, 2}), .repeats = {1, 3, 2}},
    {"repeated unevenly", 1, 8, 16, {1, 7, 9}, PADS({0, 1, 1}), .repeats = {1, 3, 5}},
    {"repeated often", 1, 16, 8, {1, 5, 4}, .pad_begin = {0, 1, 2}, .pad_end = {0, 1, 1}, .repeats = {1, 8, 7}},
    {"repeated, one pixel", 1, 8, 8, {1, 1, 1}, PADS({0, 1, 1}), .repeats = {1, 2, 4}},
    {"repeated on a small map", 1, 200, 136, {1, 4, 4}, PADS({0, 1, 1}), .bias = true, .repeats = {1, 2, 2}},
    {"3D, repeated", 1, 16, 24, {4, 5, 7}, PADS({1, 1, 1}), .bias = true, RELU, .repeats = {2, 2, 2}},
    {"3D, repeated, in parts", 1, 136, 8, {5, 7, 8}, PADS({1, 1, 1}), .residual = true, .repeats = {3, 2, 2}},
    {"3D, repeated, deep and wide", 1, 8, 8, {9, 20, 15}, PADS({1, 1, 1}), .residual = true, .repeats = {2, 2, 2}},
    {"a long sum", 1, 512, 48, {1, 14, 14}, PADS({0, 1, 1}), .bias = true, .large = true},
    {"a long sum of a rectified map", 1, 512, 48, {1, 9, 11}, PADS({0, 1, 1}), RELU, .large = true, .rectified = true},
    {"sums of two runs", 1, 264, 48, {1, 9, 9}, PADS({0, 1, 1}), .residual = true, .large = true},
    {"more channels than runs are short", 1, 4360, 16, {1, 5, 5}, PADS({0, 1, 1}), .bias = true},
    {"3D, a long sum", 1, 512, 32, {4, 8, 8}, PADS({1, 1, 1}), .bias = true, .large = true},
    {"3D, a long sum, many slices", 1, 512, 16, {9, 6, 5}, PADS({1, 1, 1}), .large = true},
    {"3D, a long sum of a rectified map", 1, 512, 32, {4, 6, 7}, PADS({1, 1, 1}), RELU, .large = true, .rectified = true},
    {"3D, one run", 1, 256, 32, {4, 6, 6}, PADS({1, 1, 1}), .large = true},
    {"3D, two taps a run", 1, 128, 48, {5, 7, 6}, PADS({1, 1, 1}), .large = true},
    {"3D, two taps a run of a rectified map", 1, 128, 48, {4, 8, 8}, PADS({1, 1, 1}), .large = true, .rectified = true},
    {"3D, all taps a run", 1, 80, 48, {4, 8, 8}, PADS({1, 1, 1}), .bias = true, .large = true},
    {"3D, a sum of one slice", 1, 320, 24, {1, 8, 8}, PADS({1, 1, 1}), .large = true},
    {"3D, uneven runs", 1, 328, 24, {3, 5, 6}, PADS({1, 1, 1}), .residual = true, RELU},
    {"3D, an empty input", 1, 8, 16, {0, 4, 4}, PADS({2, 1, 1}), .bias = true},
    {"past the caches", 1, 8, 16, {1, 370, 358}, PADS({0, 1, 1}), .bias = true, RELU, .lines = true},
    {"past the caches, of few tiles", 1, 8, 10704, {1, 14, 14}, PADS({0, 1, 1}), .bias = true, .lines = true},
    {"3D, past the caches", 1, 8, 8, {33, 92, 90}, PADS({1, 1, 1}), .residual = true, .lines = true},
    {"3D, past the caches, point by point", 1, 8, 512, {16, 16, 16}, PADS({1, 1, 1}), .lines = true},
    {"by 2, no batch", 0, 8, 8, {1, 5, 5}, BY_2},
    {"by 2, no input channels", 2, 0, 16, {1, 5, 5}, PADS({0, 1, 1}), BY_2, .bias = true, RELU},
    {"by 2, an empty input", 1, 8, 16, {1, 0, 5}, PADS({0, 2, 1}), BY_2, .bias = true},
    {"by 2, one pixel", 1, 8, 8, {1, 1, 1}, PADS({0, 1, 1}), BY_2},
    {"by 2, one output", 1, 16, 24, {1, 4, 3}, BY_2, .bias = true},
    {"by 2, one tile", 1, 8, 8, {1, 8, 8}, PADS({0, 1, 1}), BY_2},
    {"by 2, whole tiles without padding", 1, 8, 40, {1, 17, 17}, BY_2, .residual = true},
    {"by 2, padding at the end only", 1, 16, 8, {1, 7, 10}, .pad_end = {0, 2, 1}, BY_2},
    {"by 2, padding in front only", 1, 16, 8, {1, 8, 9}, .pad_begin = {0, 2, 1}, BY_2},
    {"by 2, outputs far beyond the end", 1, 8, 16, {1, 3, 4}, .pad_begin = {0, 1, 1}, .pad_end = {0, 22, 19}, BY_2, .bias = true},
    {"by 2, many tiles", 2, 8, 8, {1, 121, 86}, PADS({0, 1, 1}), BY_2, .bias = true, .residual = true, RELU},
    {"by 2, tiles of whole rows only", 1, 24, 40, {1, 64, 64}, PADS({0, 1, 1}), BY_2, .bias = true, RELU},
    {"by 2, many channels on a small map", 1, 200, 136, {1, 14, 14}, PADS({0, 1, 1}), BY_2, .bias = true, RELU},
    {"by 2, many channels on a larger map", 1, 200, 72, {1, 33, 30}, PADS({0, 1, 1}), BY_2, .bias = true, .residual = true},
    {"by 2, a batch of small maps", 5, 40, 24, {1, 11, 10}, PADS({0, 1, 1}), BY_2, .residual = true},
    {"by 2, silu", 1, 24, 16, {1, 18, 46}, PADS({0, 1, 1}), BY_2, .bias = true, .activation = {SDX_ACTIVATION_SILU}},
    {"by 2, a long sum", 1, 512, 48, {1, 28, 28}, PADS({0, 1, 1}), BY_2, .bias = true, .large = true},
    {"by 2, a long sum of a rectified map", 1, 512, 48, {1, 18, 21}, PADS({0, 1, 1}), BY_2, RELU, .large = true,
     .rectified = true},
    {"by 2, one phase a run", 1, 256, 48, {1, 18, 17}, PADS({0, 1, 1}), BY_2, .large = true},
    {"by 2, two phases a run", 1, 128, 48, {1, 18, 17}, PADS({0, 1, 1}), BY_2, .large = true},
    {"by 2, three phases a run", 1, 80, 48, {1, 18, 17}, PADS({0, 1, 1}), BY_2, .large = true},
    {"by 2, more channels than runs are short", 1, 4360, 16, {1, 9, 10}, PADS({0, 1, 1}), BY_2, .bias = true},
    {"by 2, repeated", 1, 24, 40, {1, 13, 17}, PADS({0, 1, 1}), BY_2, .bias = true, .residual = true, RELU, .repeats = {0, 2, 2}},
    {"by 2, repeated unevenly", 2, 8, 24, {1, 7, 9}, PADS({0, 2, 1}), BY_2, .repeats = {1, 3, 5}},
    {"by 2, repeated on a small map", 1, 200, 136, {1, 5, 4}, PADS({0, 1, 1}), BY_2, .bias = true, .repeats = {1, 2, 2}},
    {"by 2, past the caches", 1, 8, 24, {1, 596, 600}, PADS({0, 1, 1}), BY_2, .bias = true, .lines = true},
    {"3D, by 2, repeated", 1, 16, 24, {4, 5, 7}, PADS({1, 1, 1}), BY_2_DEEP, .bias = true, RELU, .repeats = {2, 2, 2}},
    {"3D, by 2 in depth, repeated", 1, 72, 24, {4, 5, 7}, PADS({1, 1, 1}), .stride = {2, 1}, .repeats = {3, 2, 1}},
    {"3D, by 2", 1, 16, 24, {9, 17, 20}, PADS({1, 1, 1}), BY_2_DEEP, .bias = true, .residual = true, RELU},
    {"3D, by 2 in the plane", 1, 16, 24, {5, 17, 20}, PADS({1, 1, 1}), BY_2, .bias = true, RELU},
    {"3D, by 2 in depth", 1, 16, 24, {9, 9, 10}, PADS({1, 1, 1}), .stride = {2, 1}, .bias = true},
    {"3D, by 2 in depth, small slices", 2, 72, 72, {8, 4, 5}, PADS({1, 1, 1}), .stride = {2, 1}, .residual = true},
    {"3D, by 3 in depth", 1, 24, 8, {10, 9, 9}, PADS({1, 1, 1}), .stride = {3, 2}, .bias = true},
    {"3D, by 5 in depth", 2, 72, 40, {13, 6, 7}, PADS({2, 1, 1}), .stride = {5, 2}, .bias = true},
    {"3D, by 5 in depth, wide", 1, 8, 8, {33, 40, 30}, PADS({1, 1, 1}), .stride = {5, 2}, .bias = true},
    {"3D, by 2, one slice", 1, 8, 8, {1, 6, 6}, PADS({1, 1, 1}), BY_2_DEEP},
    {"3D, by 2, deep and wide", 1, 8, 8, {33, 40, 30}, PADS({1, 1, 1}), BY_2_DEEP, .residual = true, RELU},
    {"3D, by 2, many slices", 1, 8, 16, {67, 6, 5}, PADS({1, 1, 1}), BY_2_DEEP, .bias = true},
    {"3D, by 2, a batch of small maps", 3, 72, 72, {7, 6, 5}, PADS({1, 1, 1}), BY_2_DEEP, .bias = true},
    {"3D, by 2, without padding", 1, 16, 16, {8, 9, 10}, BY_2_DEEP, .bias = true},
    {"3D, by 2, wide padding", 2, 8, 24, {4, 5, 6}, .pad_begin = {2, 2, 2}, .pad_end = {5, 1, 3}, BY_2_DEEP},
    {"3D, by 2, a long sum", 1, 512, 32, {8, 16, 16}, PADS({1, 1, 1}), BY_2_DEEP, .bias = true, .large = true},
    {"3D, by 2, a long sum of a rectified map", 1, 320, 48, {8, 12, 13}, PADS({1, 1, 1}), BY_2_DEEP, RELU, .large = true,
     .rectified = true},
    {"3D, by 2, some phases a run", 1, 64, 48, {8, 12, 13}, PADS({1, 1, 1}), BY_2_DEEP, .large = true},
    {"3D, by 2, all phases a run", 1, 16, 48, {10, 12, 13}, PADS({1, 1, 1}), BY_2_DEEP, .large = true},
};
static const sdx_winograd_form forms[] = {
    SDX_WINOGRAD_2, SDX_WINOGRAD_2_DEEP, SDX_WINOGRAD_4, SDX_WINOGRAD_4_DEEP};
enum { RANDOM_ROWS = 120, MOST_WORK = 12000000 };

static sdx_conv_params parameters(const winograd_row *r) {
    bool deep = r->in[0] != 1 || r->pad_begin[0] || r->pad_end[0];
    sdx_conv_params p = {.n = r->n, .c = r->c, .k = r->k, .groups = 1, .activation = r->activation};
    for (int i = 0; i < 3; i++) {
        p.repeats[i] = r->repeats[i];
        p.in[i] = r->in[i] * larger(r->repeats[i], 1);
        p.kernel[i] = i == 0 && !deep ? 1 : 3;
        p.dilation[i] = 1;
        p.stride[i] = larger(r->stride[i > 0], 1);
        p.pad_begin[i] = r->pad_begin[i];
        p.out[i] = larger(0, p.in[i] + r->pad_begin[i] + r->pad_end[i] - p.kernel[i] + p.stride[i]) / p.stride[i];
    }
    return p;
}

static int64_t product(const int64_t sizes[3]) { return sizes[0] * sizes[1] * sizes[2]; }

static double work_of(const sdx_conv_params *p) {
    return (double)p->n * (double)p->k * (double)p->c * (double)product(p->kernel) * (double)product(p->out);
}

static winograd_row random_row(table *t) {
    static const int64_t channels[] = {8, 16, 24, 72};
    winograd_row r = {"random", random_chance(t, 4) ? 2 : 1};
    r.c = channels[random_in(t, 0, 3)];
    r.k = channels[random_in(t, 0, 3)];
    bool deep = random_chance(t, 3);
    r.in[0] = 1;
    for (int i = deep ? 0 : 1; i < 3; i++) {
        r.in[i] = random_in(t, 1, deep ? 11 : 23);
        r.pad_begin[i] = random_chance(t, 2) ? 1 : random_in(t, 0, 2);
        r.pad_end[i] = random_chance(t, 2) ? 1 : random_in(t, 0, 2);
    }
    if (random_chance(t, 3)) {
        r.stride[0] = deep ? random_in(t, 1, 3) : 1;
        r.stride[1] = 2;
        for (int i = 1; i < 3; i++) r.in[i] = r.in[i] * 2 - random_in(t, 0, 1);
    }
    if (random_chance(t, 4))
        for (int i = deep ? 0 : 1; i < 3; i++) {
            r.repeats[i] = random_in(t, 0, 3);
            r.in[i] = (r.in[i] + 3) / (r.repeats[i] + 1);
        }
    r.bias = random_chance(t, 2);
    r.residual = random_chance(t, 2);
    static const sdx_activation_kind kinds[] = {
        SDX_ACTIVATION_NONE, SDX_ACTIVATION_RELU, SDX_ACTIVATION_CLIP, SDX_ACTIVATION_SILU};
    r.activation = (sdx_activation){kinds[random_in(t, 0, 3)], -3, 5};
    for (sdx_conv_params p = parameters(&r); work_of(&p) > MOST_WORK; p = parameters(&r)) {
        int widest = r.in[2] >= r.in[1] ? 2 : 1;
        if (r.c > 24) r.c = 24;
        else if (r.k > 24) r.k = 24;
        else if (r.in[widest] > 1) r.in[widest] = (r.in[widest] + 1) / 2;
        else r.in[0] = (r.in[0] + 1) / 2;
    }
    return r;
}

/// Where value (n, c, pixel) lies in a blocked tensor.
static int64_t blocked(int64_t n, int64_t c, int64_t channels, int64_t pixel, int64_t pixels) {
    return ((n * channels + c) / 8 * pixels + pixel) * 8 + c % 8;
}

/// Adds the products of one input and output channel.
static void add_channel(
    const sdx_conv_params *p, const float *x, int64_t n, int64_t c, int64_t k, const float *w, double *sums) {
    for (int64_t tap = 0; tap < product(p->kernel); tap++) {
        int64_t shift[3] = {
            tap / 9 - p->pad_begin[0], tap / 3 % 3 - p->pad_begin[1], tap % 3 - p->pad_begin[2]};
        for (int64_t d = 0; d < p->out[0]; d++)
            for (int64_t h = 0; h < p->out[1]; h++)
                for (int64_t v = 0; v < p->out[2]; v++) {
                    int64_t z = d * p->stride[0] + shift[0], y = h * p->stride[1] + shift[1];
                    int64_t u = v * p->stride[2] + shift[2];
                    if (z < 0 || z >= p->in[0] || y < 0 || y >= p->in[1] || u < 0 || u >= p->in[2]) continue;
                    int64_t from = blocked(n, c, p->c, (z * p->in[1] + y) * p->in[2] + u, product(p->in));
                    int64_t to = blocked(n, k, p->k, (d * p->out[1] + h) * p->out[2] + v, product(p->out));
                    sums[to] += (double)w[tap] * (double)x[from];
                }
    }
}

/// x with its pixels repeated.
static const float *enlarged(table *t, const sdx_conv_params *p, const float *x) {
    int64_t pixels = product(p->in), repeats[3], from[3];
    float *large = input_bytes(t, p->n * p->c * pixels, sizeof(float));
    for (int i = 0; i < 3; i++) {
        repeats[i] = larger(p->repeats[i], 1);
        from[i] = p->in[i] / repeats[i];
    }
    for (int64_t i = 0; i < p->n * p->c * pixels; i++) {
        int64_t pixel = i / 8 % pixels, d = pixel / p->in[2] / p->in[1], h = pixel / p->in[2] % p->in[1];
        int64_t at = ((i / 8 / pixels * from[0] + d / repeats[0]) * from[1] + h / repeats[1]) * from[2];
        large[i] = x[(at + pixel % p->in[2] / repeats[2]) * 8 + i % 8];
    }
    return large;
}

/// Repeated pixels change no bit.
static void check_enlarged(
    table *t, sdx_conv_params p, sdx_winograd_form form, const float *large, const float *packed, const float *bias,
    const float *residual, const float *y) {
    int64_t results = p.n * p.k * product(p.out);
    for (int i = 0; i < 3; i++) p.repeats[i] = 0;
    float *want = workspace(t, (size_t)results * sizeof(float));
    void *space = workspace(t, sdx_winograd_c8_f32_workspace_bytes(&p, form, pool_threads[0]));
    sdx_winograd_c8_f32_run(t->pools[0], &p, form, large, packed, bias, residual, want, space);
    table_equal_floats(t, "y, and y of the enlarged x,", y, want, results);
}

static void check(table *t, const winograd_row *r) {
    sdx_conv_params p = parameters(r);
    table_row(
        t,
        "%s: n %lld c %lld k %lld in %lld·%lld·%lld out %lld·%lld·%lld kernel %lld stride %lld·%lld pad %lld·%lld·%lld "
        "repeats %lld·%lld·%lld",
        r->what,
        (long long)p.n, (long long)p.c, (long long)p.k, (long long)p.in[0], (long long)p.in[1], (long long)p.in[2],
        (long long)p.out[0], (long long)p.out[1], (long long)p.out[2], (long long)p.kernel[0],
        (long long)p.stride[0], (long long)p.stride[1], (long long)p.pad_begin[0], (long long)p.pad_begin[1],
        (long long)p.pad_begin[2], (long long)p.repeats[0], (long long)p.repeats[1], (long long)p.repeats[2]);
    int64_t images = p.n * p.c * product(r->in), results = p.n * p.k * product(p.out);
    int64_t terms = p.c * product(p.kernel);
    float *x = input_floats(t, images), *w = input_floats(t, p.k * terms);
    const sdx_unaligned_f32 *unaligned = copy_of(t, w, p.k * terms * (int64_t)sizeof(float), 1);
    float *bias = r->bias ? input_floats(t, p.k) : NULL;
    float *residual = r->residual ? input_floats(t, results) : NULL;
    for (int64_t i = 0; r->rectified && i < images; i++) x[i] = fmaxf(x[i], 0);
    bool repeated = p.repeats[0] > 1 || p.repeats[1] > 1 || p.repeats[2] > 1;
    const float *large = repeated ? enlarged(t, &p, x) : x;
    double *sums = zeros(t, results), squares = 0, most = 0;
    for (int64_t i = 0; i < images; i++) squares += (double)x[i] * (double)x[i];
    for (int64_t k = 0; k < p.k; k++) {
        double weights = 0;
        for (int64_t i = 0; i < terms; i++) weights += (double)w[k * terms + i] * (double)w[k * terms + i];
        most = fmax(most, weights);
        for (int64_t n = 0; n < p.n; n++)
            for (int64_t c = 0; c < p.c; c++)
                add_channel(&p, large, n, c, k, w + (k * p.c + c) * product(p.kernel), sums);
    }
    double scale = images ? sqrt(squares / (double)images * most) * sqrt(fmax(1, (double)p.c / 4096)) : 0, largest = 0;
    for (int64_t i = 0; i < results; i++) largest = fmax(largest, fabs(sums[i]));
    for (size_t f = 0; f < COUNT(forms); f++) {
        sdx_winograd_form form = forms[f];
        if ((p.kernel[0] == 1 || p.stride[0] > 1 || p.stride[1] > 1) && (form & 1)) continue;
        if (!sdx_winograd_c8_f32_supported(&p, form)) {
            table_fail(t, "the parameters count as not supported with form %d", (int)form);
            continue;
        }
        result y = r->lines ? output_in_lines(t, results, sizeof(float)) : output(t, results, sizeof(float));
        float *packed = workspace(t, sdx_winograd_c8_f32_packed_bytes(&p, form));
        sdx_winograd_c8_f32_pack(&p, form, unaligned, packed);
        float *both = NULL; // y in the residual's place
        if (residual) both = r->lines ? copy_of(t, residual, results * 4 / LINE, LINE) : copy_of(t, residual, results, 4);
        EACH_POOL(i) {
            void *space = workspace(t, sdx_winograd_c8_f32_workspace_bytes(&p, form, pool_threads[i]));
            sdx_winograd_c8_f32_run(t->pools[i], &p, form, x, packed, bias, residual, y.of[i], space);
            if (both && i == 1) sdx_winograd_c8_f32_run(t->pools[i], &p, form, x, packed, bias, both, both, space);
        }
        char what[40], in_place[60];
        snprintf(what, sizeof what, "y of form %d", (int)form);
        snprintf(in_place, sizeof in_place, "%s in the residual's place", what);
        const float *got = y.of[0];
        bool wide = form >= SDX_WINOGRAD_4;
        double error = scale * (wide ? 1.5e-5 : 5e-6);
        if (r->large) error = fmin(error, largest * (wide ? 4e-6 : 1.2e-6));
        if (repeated) check_enlarged(t, p, form, large, packed, bias, residual, got);
        for (int64_t i = 0; i < results; i++) {
            int64_t k = i / 8 / product(p.out) % (p.k / 8) * 8 + i % 8;
            double sum = sums[i] + (bias ? (double)bias[k] : 0) + (residual ? (double)residual[i] : 0);
            double want = activate(p.activation, sum), tolerance = error + 1.2e-7 * (fabs(want) + fabs(sum));
            table_near(t, what, i, got[i], want, tolerance);
            if (both) table_near(t, in_place, i, both[i], want, tolerance);
        }
    }
}

static void check_refusals(table *t) {
    table_row(t, "not supported");
    sdx_conv_params good = parameters(&rows[20]), bad[16];
    for (size_t i = 0; i < COUNT(bad); i++) bad[i] = good;
    bad[0].c = 12;
    bad[1].k = 12;
    bad[2].groups = 2;
    bad[3].stride[1] = 2;
    bad[4].dilation[2] = 2;
    bad[5].kernel[0] = 2;
    bad[6].kernel[2] = 1;
    bad[7].pad_begin[1] = 3;
    bad[8].n = INT64_MAX / 4;
    bad[9].c = 1 << 28; // x, y and w are small enough, the transformed input is not
    bad[9].k = 8;
    bad[9].in[0] = bad[9].in[1] = bad[9].in[2] = 1;
    bad[9].out[1] = bad[9].out[2] = 1 << 24;
    bad[10].in[2] = bad[10].repeats[2] = 9;
    bad[11].repeats[1] = 2; // of 9 rows
    bad[12].stride[2] = 2;
    bad[13].stride[1] = bad[13].stride[2] = 3;
    bad[14].stride[2] = bad[14].dilation[1] = 2;
    bad[15].stride[1] = INT32_MAX;
    for (size_t i = 0; i < COUNT(bad) * COUNT(forms); i++) {
        const sdx_conv_params *p = &bad[i / COUNT(forms)];
        sdx_winograd_form form = forms[i % COUNT(forms)];
        if (sdx_winograd_c8_f32_supported(p, form)) table_fail(t, "parameters %zu count as supported", i);
        if (sdx_winograd_c8_f32_workspace_bytes(p, form, 1) != SIZE_MAX) table_fail(t, "%zu has a workspace", i);
        if (sdx_winograd_c8_f32_packed_bytes(p, form) != SIZE_MAX) table_fail(t, "%zu has packed weights", i);
    }
    for (int form = -1; form <= 12; form++) {
        bool known = false;
        for (size_t i = 0; i < COUNT(forms); i++) known |= form == (int)forms[i];
        if (sdx_winograd_c8_f32_supported(&good, (sdx_winograd_form)form) != known) table_fail(t, "form %d", form);
    }
    sdx_conv_params flat = parameters(&rows[0]);
    if (sdx_winograd_c8_f32_supported(&flat, SDX_WINOGRAD_4_DEEP)) table_fail(t, "a flat kernel counts as deep");
    for (int axis = 0; axis < 2; axis++) {
        sdx_conv_params strided = good;
        for (int i = axis; i < axis * 2 + 1; i++) strided.stride[i] = 2;
        for (size_t i = 0; i < COUNT(forms); i++)
            if (sdx_winograd_c8_f32_supported(&strided, forms[i]) != !(forms[i] & 1))
                table_fail(t, "form %d with stride 2 along axis %d", (int)forms[i], axis);
    }
}

int kernel_table_winograd(char *message, size_t size) {
    table t = table_begin(message, size, 15);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        winograd_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        check(&t, &row);
    }
    check_refusals(&t);
    return table_end(&t);
}
