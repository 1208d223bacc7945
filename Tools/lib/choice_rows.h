#ifndef CHOICE_ROWS_H
#define CHOICE_ROWS_H
/// Random convolutions of the kinds that imaging networks have, for choice_bench.c.
#include <stdbool.h>
#include <stdint.h>

#include "CKernels.h"

typedef struct {
    const char *what;
    sdx_conv_params p;
    sdx_conv_layout layout; // of the kernels for blocks
} row;

static const struct {
    const char *name;
    sdx_conv_algorithm algorithm;
} algorithms[] = {
    {"plain", SDX_CONV_BY_PLAIN},        {"blocks", SDX_CONV_BY_BLOCKS},
    {"F2", SDX_CONV_BY_WINOGRAD_2},      {"F2 deep", SDX_CONV_BY_WINOGRAD_2_DEEP},
    {"F4", SDX_CONV_BY_WINOGRAD_4},      {"F4 deep", SDX_CONV_BY_WINOGRAD_4_DEEP},
    {"rows", SDX_CONV_BY_WINOGRAD_ROWS},
};
enum { ALGORITHMS = SDX_CONV_ALGORITHMS };

static uint64_t state;

static int64_t random_below(int64_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)n);
}
static int64_t random_in(int64_t low, int64_t high) { return low + random_below(high - low + 1); }
#define ONE_OF(...)                                                                                                    \
    ((const int64_t[]){__VA_ARGS__}[random_below((int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))])

static int64_t channels(void) {
    return ONE_OF(8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 144, 160, 176, 192, 224, 240, 256, 288, 320, 384,
                  448, 512, 640, 768, 960);
}

/// Sets kernel, stride and dilation of the axes [from, 3), with the padding that keeps the size.
static void window(sdx_conv_params *p, int from, int64_t kernel, int64_t stride, int64_t dilation) {
    for (int i = from; i < 3; i++) {
        p->kernel[i] = kernel;
        p->stride[i] = stride;
        p->dilation[i] = kernel > 1 ? dilation : 1;
    }
}

/// A convolution that an imaging network might have, before its size is bounded.
static row draw(void) {
    row r = {.p = {.n = 1, .groups = 1, .kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}}};
    sdx_conv_params *p = &r.p;
    int64_t kind = random_below(40);
    p->c = channels();
    p->k = ONE_OF(0, 0, 1, 2, 3);
    p->k = p->k == 0 ? p->c : p->k == 1 ? (p->c + 15) / 16 * 8 : p->k == 2 ? 2 * p->c : channels();
    p->in[0] = 1;
    p->in[1] = random_in(4, 160);
    p->in[2] = random_below(3) ? p->in[1] : random_in(4, 160);
    if (random_below(2)) { // as deep networks have them: the more channels, the smaller the map
        int64_t edge = 4 + 6000 / (p->c + 16) * random_in(5, 12) / 10;
        p->in[1] = p->in[2] = edge < 200 ? edge : 200;
    }
    if (kind < 10) {
        r.what = "3x3";
        window(p, 1, 3, 1, 1);
    } else if (kind < 12) {
        r.what = "3x3 strided";
        window(p, 1, 3, 2, 1);
    } else if (kind < 16) {
        r.what = "1x1";
        window(p, 1, 1, random_below(4) ? 1 : 2, 1);
    } else if (kind < 18) {
        r.what = "large kernel";
        window(p, 1, ONE_OF(5, 7), ONE_OF(1, 1, 2), 1);
    } else if (kind < 19) {
        r.what = "one axis";
        p->kernel[random_in(1, 2)] = ONE_OF(3, 5, 7);
    } else if (kind < 21) {
        r.what = "depthwise";
        p->k = p->groups = p->c;
        window(p, 1, ONE_OF(3, 3, 5, 7), ONE_OF(1, 1, 2), ONE_OF(1, 1, 1, 2));
    } else if (kind < 22) {
        r.what = "groups";
        p->groups = ONE_OF(2, 4, 8, 16, 32);
        p->c = p->k = p->groups * ONE_OF(8, 16, 24, 32);
        window(p, 1, 3, ONE_OF(1, 1, 2), 1);
    } else if (kind < 23) {
        r.what = "dilated";
        window(p, 1, 3, 1, ONE_OF(2, 3, 4, 6, 12));
    } else if (kind < 25) {
        r.what = "first";
        p->c = ONE_OF(1, 2, 3, 4, 6);
        p->k = ONE_OF(8, 16, 24, 32, 48, 64, 96);
        p->in[1] = p->in[2] = random_in(60, 400);
        window(p, 1, ONE_OF(3, 3, 5, 7, 11), ONE_OF(1, 2, 2, 4), 1);
    } else if (kind < 26) {
        r.what = "last";
        p->c = ONE_OF(16, 24, 32, 48, 64, 96);
        p->k = ONE_OF(1, 2, 3, 4, 5, 12, 19, 21);
        p->in[1] = p->in[2] = random_in(60, 300);
        window(p, 1, ONE_OF(1, 1, 3, 5), 1, 1);
    } else if (kind < 33) {
        r.what = "3x3x3";
        p->c = ONE_OF(8, 8, 16, 16, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 320);
        p->k = random_below(3) ? p->c : ONE_OF(8, 16, 24, 32, 48, 64, 96, 128, 160, 256);
        p->in[0] = random_below(3) ? random_in(3, 96) : random_in(3, 16);
        p->in[1] = p->in[2] = random_below(3) ? p->in[0] : random_in(3, 64);
        window(p, 0, 3, 1, 1);
    } else if (kind < 34) {
        r.what = "3x3x3 strided";
        p->in[0] = random_in(4, 64);
        p->in[1] = p->in[2] = random_in(4, 64);
        window(p, 0, ONE_OF(2, 3, 3), 2, 1);
    } else if (kind < 35) {
        r.what = "1x1x1";
        p->in[0] = random_in(3, 48);
        p->in[1] = p->in[2] = random_in(3, 48);
    } else if (kind < 37) {
        r.what = "1x3x3 of video";
        p->in[0] = random_in(2, 24);
        window(p, 1, 3, 1, 1);
    } else if (kind < 38) {
        r.what = "3x1x1 of video";
        p->in[0] = random_in(2, 24);
        window(p, 0, 3, 1, 1);
        window(p, 1, 1, 1, 1);
    } else if (kind < 39) {
        r.what = "along one axis";
        p->in[1] = 1;
        p->in[2] = random_in(20, 8000);
        window(p, 2, ONE_OF(3, 3, 5, 7, 9, 15), ONE_OF(1, 1, 2), ONE_OF(1, 1, 1, 2, 4));
    } else {
        r.what = "odd channels";
        if (random_below(2)) p->c = ONE_OF(4, 6, 10, 12, 20, 36, 58, 116);
        else p->k = ONE_OF(12, 18, 20, 36, 58, 84, 116);
        window(p, 1, ONE_OF(1, 3, 3), ONE_OF(1, 1, 2), 1);
    }
    if (random_below(12) == 0) p->n = ONE_OF(2, 4);
    return r;
}

static double macs(const sdx_conv_params *p) {
    return (double)p->n * (double)p->k * (double)(p->c / p->groups) * (double)(p->kernel[0] * p->kernel[1]) *
           (double)p->kernel[2] * (double)(p->out[0] * p->out[1] * p->out[2]);
}

static void set_outputs(sdx_conv_params *p) {
    for (int i = 0; i < 3; i++) {
        int64_t span = (p->kernel[i] - 1) * p->dilation[i];
        p->pad_begin[i] = span / 2;
        p->out[i] = (p->in[i] + 2 * p->pad_begin[i] - span - 1) / p->stride[i] + 1;
        if (p->in[i] + 2 * p->pad_begin[i] < span + 1) p->out[i] = 0;
    }
}

/// A random convolution that several algorithms can compute, none in more than a few milliseconds.
static row random_row(void) {
    for (;;) {
        row r = draw();
        sdx_conv_params *p = &r.p;
        set_outputs(p);
        double most = 1.5e8 / (double)(1 << random_below(4));
        while (macs(p) > most || (double)(p->c + p->k) * (double)(p->in[0] * p->in[1] * p->in[2]) > 6e6) {
            int widest = p->in[2] >= p->in[1] ? 2 : 1;
            if (p->in[0] > p->in[widest]) widest = 0;
            p->in[widest] = p->in[widest] * 2 / 3;
            set_outputs(p);
        }
        r.layout = p->c % 8 ? SDX_CONV_PLAIN_TO_C8 : p->k % 8 ? SDX_CONV_C8_TO_PLAIN : SDX_CONV_C8_TO_C8;
        p->activation.kind = SDX_ACTIVATION_RELU;
        double weights = (double)(p->c / p->groups) * (double)p->k * (double)(p->kernel[0] * p->kernel[1] * p->kernel[2]);
        if (macs(p) > 2e5 && weights < 8e6 && sdx_conv_c8_f32_supported(p, r.layout)) return r;
    }
}
#endif
