/// Convolution in the channel-blocked layout, against sums in double over plain tensors.
#include "Table.h"

typedef struct blocked_row {
    const char *what;
    sdx_conv_layout layout;
    int64_t n, c, k, groups;
    int64_t in[3], kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3]; // D, H, W; 0 counts as 1 where it must
    int64_t out_extra[3], repeats[3]; // in is of the pixels before they repeat
    bool bias, residual;
    sdx_activation activation;
} blocked_row;

#define PLAIN_C8 SDX_CONV_PLAIN_TO_C8
#define C8_C8 SDX_CONV_C8_TO_C8
#define C8_PLAIN SDX_CONV_C8_TO_PLAIN
#define RELU .activation = {SDX_ACTIVATION_RELU}
#define PADS(...) .pad_begin = __VA_ARGS__, .pad_end = __VA_ARGS__
#define ALL .bias = true, .residual = true, RELU

static const blocked_row rows[] = {
    {"no batch", C8_C8, 0, 8, 8, 1, {1, 5, 5}, {1, 3, 3}},
    {"no input channels", C8_C8, 1, 0, 8, 1, {1, 5, 5}, {1, 3, 3}, .bias = true, RELU},
    {"no input channels, plain", PLAIN_C8, 1, 0, 8, 1, {1, 5, 5}, {1, 3, 3}, ALL},
    {"no output channels", C8_C8, 1, 8, 0, 1, {1, 5, 5}, {1, 3, 3}},
    {"no output channels, plain", C8_PLAIN, 1, 8, 0, 1, {1, 5, 5}, {1, 3, 3}},
    {"an empty input", C8_C8, 1, 8, 16, 1, {1, 0, 5}, {1, 3, 3}, PADS({0, 3, 1}), ALL},
    {"an empty output", C8_C8, 1, 8, 8, 1, {1, 2, 2}, {1, 3, 3}},
    {"one pixel", C8_C8, 1, 64, 40, 1, {1, 1, 1}, {1, 1, 1}, ALL},
    {"windows of padding only", C8_C8, 1, 8, 24, 1, {1, 4, 4}, {1, 2, 2}, PADS({0, 6, 7}), ALL},
    {"outputs beyond the end", C8_C8, 1, 8, 8, 1, {1, 5, 6}, {1, 3, 3}, {1, 2, 2}, PADS({0, 1, 1}), {0, 2, 3}},
    {"one pixel, cut by its weights", C8_C8, 1, 480, 264, 1, {1, 1, 1}, {1, 1, 1}, ALL},
    {"four pixels, cut by their weights", C8_C8, 1, 64, 136, 1, {1, 2, 2}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"one pixel, cut by its weights, to plain", C8_PLAIN, 1, 320, 270, 1, {1, 1, 1}, {1, 1, 1}, ALL},
    {"one pixel, 3 × 3", C8_C8, 1, 40, 72, 1, {1, 1, 1}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"one pixel, 3 × 3 × 3 from plain", PLAIN_C8, 2, 5, 24, 1, {1, 1, 1}, {3, 3, 3}, PADS({1, 1, 1}), ALL},
    {"one column", C8_C8, 1, 24, 40, 1, {2, 9, 1}, {1, 1, 3}, PADS({0, 0, 1}), ALL},
    {"one column, 3 × 3", C8_C8, 1, 24, 40, 1, {1, 9, 1}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"one column, every fifth row", C8_C8, 1, 8, 24, 1, {1, 9, 3}, {1, 3, 3}, {1, 5, 9}, PADS({0, 5, 1}), .bias = true},
    {"five images of one output", C8_C8, 5, 64, 40, 1, {1, 1, 1}, {1, 1, 1}, ALL},
    {"images of one output, 3 × 3", C8_C8, 4, 40, 136, 1, {1, 1, 1}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"images of one output, cut by their weights, splits", C8_C8, 17, 480, 264, 1, {1, 1, 1}, {1, 1, 1}, .residual = true,
     .activation = {SDX_ACTIVATION_SILU}},
    {"images of one output, 2 × 3 × 4", C8_C8, 3, 16, 24, 1, {2, 3, 4}, {2, 3, 4}, .bias = true},
    {"images of one output, stride and dilation", C8_C8, 2, 8, 16, 1, {3, 4, 5}, {2, 2, 2}, {2, 3, 4}, {1, 2, 3}, ALL},
    {"images of one output, padding alone", C8_C8, 3, 8, 16, 1, {1, 0, 1}, {1, 3, 3}, .pad_begin = {0, 2, 1},
     .pad_end = {0, 1, 1}, ALL},
    {"many images of one output", C8_C8, 300, 264, 16, 1, {1, 1, 1}, {1, 1, 1}, .bias = true},
    {"images of one output, groups", C8_C8, 3, 32, 48, 2, {1, 1, 1}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"pointwise", C8_C8, 2, 40, 56, 1, {1, 9, 11}, {1, 1, 1}, ALL},
    {"pointwise, long", C8_C8, 1, 8, 8, 1, {2, 31, 57}, {1, 1, 1}, .bias = true},
    {"pointwise, splits", C8_C8, 1, 1400, 16, 1, {1, 4, 5}, {1, 1, 1}, ALL},
    {"pointwise with a stride", C8_C8, 1, 16, 40, 1, {1, 9, 10}, {1, 1, 1}, {1, 2, 2}, .residual = true},
    {"pointwise with a stride, full tiles", C8_C8, 2, 24, 96, 1, {1, 9, 55}, {1, 1, 1}, {1, 2, 2}, ALL},
    {"pointwise with a stride, tiles nearly full", C8_C8, 1, 16, 64, 1, {5, 4, 51}, {1, 1, 1}, {2, 3, 2}, .bias = true},
    {"pointwise with a stride, small tiles", C8_C8, 2, 16, 32, 2, {1, 7, 10}, {1, 1, 1}, {1, 1, 2}, .residual = true},
    {"pointwise with a stride, smaller tiles", C8_C8, 1, 32, 32, 1, {1, 30, 8}, {1, 1, 1}, {1, 2, 2}, ALL},
    {"pointwise with a stride, splits", C8_C8, 1, 1400, 64, 1, {1, 5, 24}, {1, 1, 1}, {1, 2, 2}, ALL},
    {"pointwise with a stride, wide", C8_C8, 1, 8, 32, 1, {1, 3, 280}, {1, 1, 1}, {1, 2, 2}, .bias = true},
    {"pointwise with a stride, beyond the end", C8_C8, 1, 8, 32, 1, {1, 5, 26}, {1, 1, 1}, {1, 2, 2},
     .out_extra = {0, 0, 1}, ALL},
    {"pointwise with a stride, no slices", C8_C8, 1, 8, 32, 1, {0, 5, 26}, {1, 1, 1}, {1, 2, 2},
     .out_extra = {1, 0, 0}, ALL},
    {"pointwise with padding", C8_C8, 1, 8, 24, 1, {1, 6, 5}, {1, 1, 1}, PADS({0, 2, 1}), .bias = true},
    {"pointwise to plain", C8_PLAIN, 1, 32, 2, 1, {1, 9, 11}, {1, 1, 1}, ALL},
    {"pointwise from plain", PLAIN_C8, 1, 3, 32, 1, {1, 9, 11}, {1, 1, 1}, ALL},
    {"3 × 3", C8_C8, 1, 16, 40, 1, {1, 17, 23}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"3 × 3, 7 wide", C8_C8, 1, 24, 72, 1, {1, 7, 7}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"3 × 3, splits", C8_C8, 1, 264, 40, 1, {1, 5, 6}, {1, 3, 3}, PADS({0, 1, 1}), .residual = true, .bias = true},
    {"3 × 3, splits, silu", C8_C8, 2, 264, 24, 1, {1, 3, 3}, {1, 3, 3}, PADS({0, 1, 1}), .residual = true,
     .activation = {SDX_ACTIVATION_SILU}},
    {"3 × 3, splits to plain", C8_PLAIN, 1, 264, 11, 1, {1, 5, 6}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"3 × 3, splits from plain", PLAIN_C8, 1, 1203, 8, 1, {1, 3, 4}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"3 × 3 to one plain channel", C8_PLAIN, 1, 64, 1, 1, {1, 17, 19}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true},
    {"3 × 3 to many plain channels", C8_PLAIN, 2, 8, 70, 1, {1, 7, 9}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"3 × 3 from one channel", PLAIN_C8, 2, 1, 16, 1, {1, 30, 33}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"7 × 7 with stride 2", PLAIN_C8, 1, 3, 64, 1, {1, 20, 31}, {1, 7, 7}, {1, 2, 2}, PADS({0, 3, 3}), ALL},
    {"4 × 4 with stride 3", PLAIN_C8, 1, 4, 24, 1, {1, 20, 31}, {1, 4, 4}, {1, 3, 3}, PADS({0, 1, 2}), ALL},
    {"3 × 3 × 3", C8_C8, 1, 8, 16, 1, {7, 8, 9}, {3, 3, 3}, PADS({1, 1, 1}), ALL},
    {"3 × 3 × 3 with stride 2", C8_C8, 1, 8, 8, 1, {8, 7, 9}, {3, 3, 3}, {2, 2, 2}, PADS({1, 1, 1})},
    {"3 × 3 × 3 from plain with stride 2", PLAIN_C8, 1, 1, 16, 1, {8, 7, 19}, {3, 3, 3}, {2, 2, 2}, PADS({1, 1, 1})},
    {"2 × 2 × 2 with stride 2", C8_C8, 1, 8, 8, 1, {4, 5, 6}, {2, 2, 2}, {2, 2, 2}, ALL},
    {"a huge stride", C8_C8, 1, 8, 8, 1, {1, 9, 50}, {1, 2, 2}, {1, 4, 40}, .bias = true},
    {"a huge dilation", C8_C8, 1, 8, 8, 1, {1, 25, 60}, {1, 3, 3}, .dilation = {1, 9, 29}, PADS({0, 4, 30}), ALL},
    {"dilation and stride in common", C8_C8, 1, 8, 16, 1, {1, 13, 14}, {1, 3, 3}, {1, 4, 6}, {1, 2, 3},
     PADS({0, 2, 3})},
    {"a huge padding", C8_C8, 1, 8, 8, 1, {1, 4, 5}, {1, 3, 3}, .pad_begin = {0, 20, 50}, .pad_end = {0, 1, 40}},
    {"1D", C8_C8, 2, 16, 24, 1, {1, 1, 200}, {1, 1, 9}, PADS({0, 0, 4}), ALL},
    {"1D, a kernel longer than the input", C8_C8, 1, 8, 24, 1, {1, 1, 12}, {1, 1, 30}, PADS({0, 0, 15})},
    {"long rows", C8_C8, 1, 8, 8, 1, {1, 2, 3000}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"groups", C8_C8, 2, 32, 96, 4, {1, 8, 9}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"groups, pointwise", C8_C8, 1, 48, 24, 3, {1, 5, 9}, {1, 1, 1}, .bias = true},
    {"depthwise", C8_C8, 2, 24, 24, 24, {1, 19, 21}, {1, 3, 3}, PADS({0, 1, 1}), ALL},
    {"depthwise with stride 2", C8_C8, 1, 16, 16, 16, {1, 19, 70}, {1, 5, 5}, {1, 2, 2}, PADS({0, 2, 2}), .bias = true},
    {"depthwise with stride 3 and dilation", C8_C8, 1, 8, 8, 8, {1, 20, 41}, {1, 5, 5}, {1, 3, 3}, {1, 2, 2},
     PADS({0, 4, 4}), .activation = {SDX_ACTIVATION_HARD_SWISH}},
    {"depthwise, many rows", C8_C8, 1, 24, 24, 24, {1, 57, 112}, {1, 3, 3}, PADS({0, 1, 1}), .bias = true, RELU},
    {"depthwise 3D", C8_C8, 1, 8, 8, 8, {6, 7, 20}, {3, 3, 3}, PADS({1, 1, 1}), .bias = true, .residual = true},
    {"depthwise, a huge padding", C8_C8, 1, 8, 8, 8, {1, 3, 4}, {1, 3, 3}, PADS({0, 9, 30}), .bias = true},
    {"depthwise, long rows", C8_C8, 1, 8, 8, 8, {1, 3, 4000}, {1, 3, 31}, PADS({0, 1, 15})},
    {"depthwise, an empty input", C8_C8, 1, 8, 8, 8, {1, 0, 6}, {1, 3, 3}, PADS({0, 2, 1}), .bias = true},
    {"clip", C8_C8, 1, 8, 16, 1, {1, 9, 12}, {1, 3, 3}, .activation = {SDX_ACTIVATION_CLIP, -0.5f, 0.7f}},
    {"repeated", C8_C8, 2, 16, 40, 1, {1, 9, 12}, {1, 3, 3}, PADS({0, 1, 1}), .repeats = {1, 2, 2}, ALL},
    {"repeated unevenly", C8_C8, 1, 8, 24, 1, {1, 5, 7}, {1, 3, 3}, PADS({0, 2, 1}), .repeats = {0, 3, 5}, .bias = true},
    {"repeated along one axis", C8_C8, 1, 16, 16, 1, {1, 11, 9}, {1, 3, 3}, PADS({0, 1, 1}), .repeats = {1, 1, 4}},
    {"repeated rows", C8_C8, 1, 8, 16, 1, {1, 6, 9}, {1, 5, 3}, PADS({0, 1, 1}), .repeats = {1, 9, 1}, .bias = true},
    {"repeated, 3D", C8_C8, 1, 8, 16, 1, {3, 4, 5}, {3, 3, 3}, PADS({1, 1, 1}), .repeats = {2, 2, 2}, ALL},
    {"repeated, slices", C8_C8, 1, 16, 8, 1, {3, 4, 5}, {3, 1, 1}, PADS({1, 0, 0}), .repeats = {4, 1, 1}},
    {"repeated, pointwise", C8_C8, 2, 40, 56, 1, {1, 9, 11}, {1, 1, 1}, .repeats = {1, 2, 2}, ALL},
    {"repeated, pointwise, splits", C8_C8, 1, 1400, 16, 1, {1, 4, 5}, {1, 1, 1}, .repeats = {1, 2, 2}, ALL},
    {"repeated, pointwise in space", C8_C8, 1, 16, 8, 1, {3, 4, 5}, {1, 1, 1}, .repeats = {2, 3, 2}, .bias = true},
    {"repeated, shared copies", C8_C8, 1, 136, 264, 1, {1, 4, 4}, {1, 3, 3}, PADS({0, 1, 1}), .repeats = {1, 2, 2}},
    {"repeated, strides and dilation", C8_C8, 1, 8, 16, 1, {1, 9, 10}, {1, 3, 3}, {1, 2, 3}, {1, 2, 2}, PADS({0, 2, 3}),
     .repeats = {1, 2, 2}, ALL},
    {"repeated less than the stride", C8_C8, 1, 8, 16, 1, {1, 9, 10}, {1, 3, 3}, {1, 5, 7}, .repeats = {1, 2, 2}},
    {"repeated from plain", PLAIN_C8, 2, 3, 16, 1, {1, 9, 13}, {1, 3, 3}, PADS({0, 1, 1}), .repeats = {1, 2, 2}, ALL},
    {"repeated from plain with a stride", PLAIN_C8, 1, 1, 16, 1, {4, 5, 9}, {3, 3, 3}, {2, 2, 2}, PADS({1, 1, 1}),
     .repeats = {2, 3, 4}},
    {"repeated to plain", C8_PLAIN, 1, 16, 3, 1, {1, 9, 13}, {1, 3, 3}, PADS({0, 1, 1}), .repeats = {1, 2, 2}, ALL},
    {"repeated groups", C8_C8, 2, 32, 96, 4, {1, 4, 5}, {1, 3, 3}, PADS({0, 1, 1}), .repeats = {1, 2, 2}, ALL},
    {"repeated, depthwise", C8_C8, 2, 24, 24, 24, {1, 9, 11}, {1, 3, 3}, PADS({0, 1, 1}), .repeats = {1, 2, 2}, ALL},
    {"repeated, an empty input", C8_C8, 1, 8, 16, 1, {1, 0, 5}, {1, 3, 3}, PADS({0, 3, 1}), .repeats = {1, 2, 2}, ALL},
    {"repeated, long rows", C8_C8, 1, 8, 8, 1, {1, 2, 1500}, {1, 3, 3}, PADS({0, 1, 1}), .repeats = {1, 1, 2}, ALL},
    {"gelu to plain", C8_PLAIN, 1, 8, 3, 1, {1, 9, 12}, {1, 3, 3}, .activation = {SDX_ACTIVATION_GELU}},
};
enum { WIDTHS = 40, RANDOM_ROWS = 160, MOST_WORK = 1500000 };

static int64_t volume(const int64_t sizes[3]) { return sizes[0] * sizes[1] * sizes[2]; }

static sdx_conv_params parameters(const blocked_row *r) {
    sdx_conv_params p = {.n = r->n, .c = r->c, .k = r->k, .groups = r->groups, .activation = r->activation};
    for (int i = 0; i < 3; i++) {
        p.repeats[i] = r->repeats[i];
        p.in[i] = r->in[i] * larger(r->repeats[i], 1);
        p.kernel[i] = larger(r->kernel[i], 1);
        p.stride[i] = larger(r->stride[i], 1);
        p.dilation[i] = larger(r->dilation[i], 1);
        p.pad_begin[i] = r->pad_begin[i];
        int64_t room = p.in[i] + r->pad_begin[i] + r->pad_end[i] - (p.kernel[i] - 1) * p.dilation[i] - 1;
        p.out[i] = (room < 0 ? 0 : room / p.stride[i] + 1) + r->out_extra[i];
    }
    return p;
}

static blocked_row random_row(table *t) {
    static const sdx_activation_kind kinds[] = {
        SDX_ACTIVATION_NONE, SDX_ACTIVATION_RELU, SDX_ACTIVATION_CLIP, SDX_ACTIVATION_SILU};
    int rank = (int)random_in(t, 1, 3);
    bool same = random_chance(t, 3), pointwise = random_chance(t, 6), deep = random_chance(t, 8);
    bool repeated = random_chance(t, 4);
    blocked_row r = {"random", (sdx_conv_layout)random_in(t, 1, 3), random_in(t, 1, 2), .groups = 1};
    bool grouped = r.layout == C8_C8 && random_chance(t, 5), depthwise = r.layout == C8_C8 && random_chance(t, 4);
    if (grouped) r.groups = random_in(t, 2, 3);
    r.c = r.layout == PLAIN_C8 ? random_in(t, 1, 9) : 8 * r.groups * random_in(t, 1, deep ? 40 : 4);
    r.k = r.layout == C8_PLAIN ? random_in(t, 1, 20) : 8 * r.groups * random_in(t, 1, deep ? 2 : 9);
    if (depthwise) r.groups = r.k = r.c;
    static const int64_t longest[] = {300, 40, 10};
    for (int i = 0; i < 3; i++) {
        if (i < 3 - rank) {
            r.in[i] = 1;
            continue;
        }
        bool plain = same || pointwise;
        r.in[i] = random_in(t, 1, deep ? 6 : longest[rank - 1]);
        r.kernel[i] = pointwise ? 1 : same ? 3 : random_in(t, 1, 5);
        r.stride[i] = same ? 1 : random_in(t, 1, random_chance(t, 6) ? 9 : 3);
        r.dilation[i] = plain || random_chance(t, 2) ? 1 : random_in(t, 1, random_chance(t, 10) ? 20 : 3);
        r.pad_begin[i] = pointwise ? 0 : same ? 1 : random_in(t, 0, random_chance(t, 10) ? 30 : r.kernel[i]);
        r.pad_end[i] = pointwise ? 0 : same ? 1 : random_in(t, 0, r.kernel[i]);
        r.out_extra[i] = random_chance(t, 8) ? random_in(t, 0, 3) : 0;
    }
    for (int i = 3 - rank; i < 3 && repeated; i++) r.repeats[i] = random_in(t, 0, 4);
    r.bias = random_chance(t, 2);
    r.residual = random_chance(t, 2);
    r.activation = (sdx_activation){kinds[random_in(t, 0, 3)], -0.5f, 0.7f};
    for (;;) { // smaller until the reference takes milliseconds
        sdx_conv_params p = parameters(&r);
        if (p.n * p.k * (p.c / p.groups) * volume(p.kernel) * volume(p.out) <= MOST_WORK) return r;
        int i = (int)random_in(t, 0, 2);
        r.kernel[i] = r.in[i] > 1 ? smaller(r.kernel[i], 4) : (r.kernel[i] + 1) / 2;
        if (r.in[i] <= 1) r.pad_begin[i] = r.pad_end[i] = r.out_extra[i] = r.repeats[i] = 0;
        r.in[i] = (r.in[i] + 1) / 2;
    }
}

/// The place of plain value i of [n, c, pixels] in the blocked layout.
static int64_t blocked_place(int64_t i, int64_t c, int64_t pixels) {
    int64_t pixel = i % pixels, channel = i / pixels % c, n = i / pixels / c;
    return ((n * (c / 8) + channel / 8) * pixels + pixel) * 8 + channel % 8;
}

/// The exact sum of one output, and the sum of the magnitudes of its terms.
static double exact(
    const sdx_conv_params *p, const float *x, const float *w, int64_t n, int64_t k, const int64_t o[3], double *size) {
    int64_t channels = p->c / p->groups, taps = volume(p->kernel), group = k / (p->k / p->groups);
    double sum = 0;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t tap = 0; tap < taps; tap++) {
            int64_t t[3] = {tap / p->kernel[2] / p->kernel[1], tap / p->kernel[2] % p->kernel[1], tap % p->kernel[2]};
            int64_t at = n * p->c + group * channels + c;
            bool inside = true;
            for (int i = 0; i < 3; i++) {
                int64_t place = o[i] * p->stride[i] + t[i] * p->dilation[i] - p->pad_begin[i];
                inside = inside && place >= 0 && place < p->in[i];
                int64_t repeats = larger(p->repeats[i], 1);
                at = at * (p->in[i] / repeats) + place / repeats;
            }
            if (!inside) continue;
            double term = (double)x[at] * w[(k * channels + c) * taps + tap];
            sum += term;
            *size += fabs(term);
        }
    return sum;
}

/// x with its pixels repeated, blocks of `unit` channels.
static float *enlarged(table *t, const sdx_conv_params *p, const float *x, int64_t unit) {
    int64_t pixels = volume(p->in), blocks = p->n * p->c / unit, to[3], from[3];
    float *result = input_bytes(t, blocks * pixels * unit, sizeof(float));
    for (int i = 0; i < 3; i++) from[i] = p->in[i] / larger(p->repeats[i], 1);
    for (int64_t i = 0; i < blocks * pixels * unit; i++) {
        int64_t pixel = i / unit % pixels;
        to[0] = pixel / p->in[2] / p->in[1], to[1] = pixel / p->in[2] % p->in[1], to[2] = pixel % p->in[2];
        int64_t at = i / unit / pixels;
        for (int j = 0; j < 3; j++) at = at * from[j] + to[j] / larger(p->repeats[j], 1);
        result[i] = x[at * unit + i % unit];
    }
    return result;
}

/// Repeated pixels change no bit.
static void check_enlarged(
    table *t, sdx_conv_params p, sdx_conv_layout layout, const float *x, const float *packed, const float *bias,
    const float *residual, const float *y) {
    x = enlarged(t, &p, x, layout == PLAIN_C8 ? 1 : 8);
    for (int i = 0; i < 3; i++) p.repeats[i] = 0;
    float *want = workspace(t, (size_t)(p.n * p.k * volume(p.out)) * sizeof(float));
    void *space = workspace(t, sdx_conv_c8_f32_workspace_bytes(&p, layout, pool_threads[0]));
    sdx_conv_c8_f32_run(t->pools[0], &p, layout, x, packed, bias, residual, want, space);
    table_equal_floats(t, "y, and y of the enlarged x,", y, want, p.n * p.k * volume(p.out));
}

static void check(table *t, const blocked_row *r) {
    sdx_conv_params p = parameters(r);
    table_row(
        t, "%s, layout %d: n %lld c %lld k %lld groups %lld in %lld·%lld·%lld out %lld·%lld·%lld kernel %lld·%lld·%lld"
        " stride %lld·%lld·%lld dilation %lld·%lld·%lld pad %lld·%lld·%lld repeats %lld·%lld·%lld",
        r->what, r->layout, (long long)p.n, (long long)p.c, (long long)p.k, (long long)p.groups, (long long)p.in[0],
        (long long)p.in[1], (long long)p.in[2], (long long)p.out[0], (long long)p.out[1], (long long)p.out[2],
        (long long)p.kernel[0], (long long)p.kernel[1], (long long)p.kernel[2], (long long)p.stride[0],
        (long long)p.stride[1], (long long)p.stride[2], (long long)p.dilation[0], (long long)p.dilation[1],
        (long long)p.dilation[2], (long long)p.pad_begin[0], (long long)p.pad_begin[1], (long long)p.pad_begin[2],
        (long long)p.repeats[0], (long long)p.repeats[1], (long long)p.repeats[2]);
    if (!sdx_conv_c8_f32_supported(&p, r->layout)) {
        table_fail(t, "counts as unsupported");
        return;
    }
    bool x_blocked = r->layout != PLAIN_C8, y_blocked = r->layout != C8_PLAIN;
    int64_t inputs = p.n * p.c * volume(r->in), results = p.n * p.k * volume(p.out);
    int64_t terms = p.c / p.groups * volume(p.kernel);
    float *plain_x = input_floats(t, inputs), *x = plain_x, *w = input_floats(t, p.k * terms);
    if (x_blocked) {
        x = input_bytes(t, inputs, sizeof(float));
        for (int64_t i = 0; i < inputs; i++) x[blocked_place(i, p.c, volume(r->in))] = plain_x[i];
    }
    float *bias = r->bias ? input_floats(t, p.k) : NULL, *residual = r->residual ? input_floats(t, results) : NULL;
    float *both = residual ? copy_of(t, residual, results, sizeof(float)) : NULL; // y in the residual's place

    result y = output(t, results, sizeof(float));
    float *packed = workspace(t, sdx_conv_c8_f32_packed_bytes(&p, r->layout));
    sdx_conv_c8_f32_pack(&p, r->layout, copy_of(t, w, p.k * terms * (int64_t)sizeof(float), 1), packed);
    EACH_POOL(i) {
        void *space = workspace(t, sdx_conv_c8_f32_workspace_bytes(&p, r->layout, pool_threads[i]));
        sdx_conv_c8_f32_run(t->pools[i], &p, r->layout, x, packed, bias, residual, y.of[i], space);
        if (both && i == 1) sdx_conv_c8_f32_run(t->pools[i], &p, r->layout, x, packed, bias, both, both, space);
    }

    const float *got = y.of[0];
    if (p.repeats[0] > 1 || p.repeats[1] > 1 || p.repeats[2] > 1)
        check_enlarged(t, p, r->layout, x, packed, bias, residual, got);
    for (int64_t i = 0; i < results; i++) {
        int64_t pixel = i % volume(p.out), k = i / volume(p.out) % p.k, n = i / volume(p.out) / p.k;
        int64_t o[3] = {pixel / p.out[2] / p.out[1], pixel / p.out[2] % p.out[1], pixel % p.out[2]};
        int64_t at = y_blocked ? blocked_place(i, p.k, volume(p.out)) : i;
        double size = 0, sum = exact(&p, plain_x, w, n, k, o, &size);
        double addends[] = {bias ? bias[k] : 0, residual ? residual[at] : 0};
        for (size_t j = 0; j < COUNT(addends); j++) {
            sum += addends[j];
            size += fabs(addends[j]);
        }
        double want = activate(p.activation, sum);
        double tolerance = 0x1p-24 * (double)(terms + 4) * size + 5e-7 * fabs(want);
        table_near(t, "y", at, got[at], want, tolerance);
        if (both) table_near(t, "y in the residual's place", at, both[at], want, tolerance);
    }
}

static void check_refusals(table *t) {
    table_row(t, "what is not supported");
    sdx_conv_params good = {
        1, 16, 32, 1, {1, 9, 9}, {1, 9, 9}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {SDX_ACTIVATION_NONE}};
    struct {
        sdx_conv_layout layout;
        int64_t c, k, groups, dilation;
        int supported;
    } cases[] = {
        {C8_C8, 16, 32, 1, 1, 1},    {C8_C8, 12, 32, 1, 1, 0},    {C8_C8, 16, 30, 1, 1, 0},
        {C8_C8, 16, 32, 2, 1, 1},    {C8_C8, 16, 32, 4, 1, 0},    {C8_C8, 16, 16, 16, 1, 1},
        {C8_C8, 12, 12, 12, 1, 0},   {C8_C8, 16, 32, 16, 1, 0},   {PLAIN_C8, 3, 32, 1, 1, 1},
        {PLAIN_C8, 3, 33, 1, 1, 0},  {PLAIN_C8, 16, 16, 2, 1, 0}, {C8_PLAIN, 16, 3, 1, 1, 1},
        {C8_PLAIN, 12, 3, 1, 1, 0},  {C8_PLAIN, 16, 16, 2, 1, 0}, {C8_C8, 16, 32, 3, 1, 0},
        {C8_C8, 16, 32, 1, INT32_MAX, 0}, {C8_C8, 16, 16, 16, INT32_MAX, 0}, {(sdx_conv_layout)0, 16, 32, 1, 1, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        sdx_conv_params p = good;
        p.c = cases[i].c;
        p.k = cases[i].k;
        p.groups = cases[i].groups;
        p.dilation[2] = cases[i].dilation;
        if (sdx_conv_c8_f32_supported(&p, cases[i].layout) != cases[i].supported)
            table_fail(t, "case %zu: supported is not %d", i, cases[i].supported);
        if (cases[i].supported) continue;
        if (sdx_conv_c8_f32_packed_bytes(&p, cases[i].layout) != SIZE_MAX ||
            sdx_conv_c8_f32_workspace_bytes(&p, cases[i].layout, 1) != SIZE_MAX)
            table_fail(t, "case %zu: its bytes are not SIZE_MAX", i);
    }
    static const struct {
        int64_t repeats[3];
        bool valid;
    } repeated[] = {{{0, 3, 9}, true}, {{1, 1, 3}, true}, {{0, 2, 1}, false}, {{0, 1, -1}, false}};
    for (size_t i = 0; i < COUNT(repeated); i++) {
        sdx_conv_params p = good;
        memcpy(p.repeats, repeated[i].repeats, sizeof p.repeats);
        if (sdx_conv_params_valid(&p) != repeated[i].valid || sdx_conv_c8_f32_supported(&p, C8_C8) != repeated[i].valid)
            table_fail(t, "repeats %zu: not as they should be", i);
        if (sdx_conv_algorithm_supported(&p, C8_C8, SDX_CONV_BY_PLAIN) || sdx_conv_transpose_c8_f32_supported(&p) ||
            sdx_conv_f32_packed_bytes(&p) != SIZE_MAX || sdx_conv_f32_workspace_bytes(&p, 1) != SIZE_MAX ||
            sdx_conv_transpose_f32_packed_bytes(&p) != SIZE_MAX ||
            sdx_conv_transpose_f32_workspace_bytes(&p, 1) != SIZE_MAX)
            table_fail(t, "repeats %zu: taken by kernels that have none", i);
        if (repeated[i].valid && sdx_conv_choice(&p, C8_PLAIN) == SDX_CONV_BY_PLAIN) table_fail(t, "a plain choice");
    }
}

/// Depthwise windows of every width that the spans take, and of one that they leave.
static void check_depthwise(table *t, int64_t width) {
    static const sdx_activation kinds[] = {
        {SDX_ACTIVATION_NONE}, {SDX_ACTIVATION_RELU}, {SDX_ACTIVATION_CLIP, -0.5f, 0.7f}, {SDX_ACTIVATION_HARD_SWISH},
        {SDX_ACTIVATION_SILU}};
    for (int64_t columns = 3; columns <= 7; columns += 2)
        for (int64_t stride = 1; stride <= 2; stride++) {
            blocked_row row = {
                "depthwise, a width", C8_C8, 1 + width % 2, 16, 16, 16, {1 + width % 3, 4, width},
                {1, columns, columns}, {1, stride, stride}, {1, 1 + width / 4 % 2, 1},
                {0, columns / 2, width % columns}, {0, columns, width / 3 % columns}, .bias = width % 5 != 0,
                .activation = kinds[(width + columns + stride) % 5]};
            check(t, &row);
        }
}

int kernel_table_blocked_convolution(char *message, size_t size) {
    table t = table_begin(message, size, 4);
    for (size_t i = 0; i < COUNT(rows); i++) check(&t, &rows[i]);
    for (int64_t width = 1; width <= WIDTHS; width++) {
        blocked_row row = {
            "a width", (sdx_conv_layout)(width % 3 + 1), 1, 8, 8 * (1 + width % 5), 1, {1, 3, width}, {1, 3, 3},
            PADS({0, 1, 1}), .bias = true, .residual = width % 2 == 0};
        check(&t, &row);
        row.kernel[1] = row.kernel[2] = 1;
        row.pad_begin[1] = row.pad_begin[2] = row.pad_end[1] = row.pad_end[2] = 0;
        check(&t, &row);
        check_depthwise(&t, width);
    }
    for (int i = 0; i < RANDOM_ROWS; i++) {
        blocked_row row = random_row(&t);
        check(&t, &row);
    }
    check_refusals(&t);
    return table_end(&t);
}
