#ifndef SDX_GEOMETRY_H
#define SDX_GEOMETRY_H
/// The shapes that the convolution kernels work on: plain arithmetic, the same for every ISA.
#include <stdbool.h>
#include <stdint.h>
#include "sdx_conv.h"

/// One dimension of a gather: output o reads tap t at o · step + first + t · delta, or zero outside [0, in).
typedef struct {
    int64_t in, out, step, first, delta, taps;
} gather_axis;

/// What a column of an implicit matrix is: channels × taps values of x around one output pixel. Row r of the matrix is
/// (channel, td, th, tw), column j is (od, oh, ow), the last index fastest.
typedef struct {
    int64_t channels;
    gather_axis d, h, w;
} gather;

static inline int64_t gather_rows(const gather *g) { return g->channels * g->d.taps * g->h.taps * g->w.taps; }
static inline int64_t gather_columns(const gather *g) { return g->d.out * g->h.out * g->w.out; }

/// How often each pixel of x counts along an axis.
static inline int64_t repeats_along(const sdx_conv_params *p, int axis) {
    return p->repeats[axis] > 1 ? p->repeats[axis] : 1;
}
static inline bool repeats_pixels(const sdx_conv_params *p) {
    return p->repeats[0] > 1 || p->repeats[1] > 1 || p->repeats[2] > 1;
}
/// The place in x of place i of the input along an axis, i >= 0; no division where it is the same.
static inline int64_t stored_place(const sdx_conv_params *p, int axis, int64_t i) {
    return p->repeats[axis] > 1 ? i / p->repeats[axis] : i;
}
/// The pixels that x has along an axis.
static inline int64_t stored_along(const sdx_conv_params *p, int axis) { return stored_place(p, axis, p->in[axis]); }
/// The pixels of a channel of x.
static inline int64_t stored_pixels(const sdx_conv_params *p) {
    return stored_along(p, 0) * stored_along(p, 1) * stored_along(p, 2);
}

/// Whether a result in blocks of eight channels is better written past the caches: little of it is left there when it is
/// read, and places need not be read before they are written. Rows are whole cache lines then, and pixels aligned.
static inline bool streams_result(const sdx_conv_params *p, const float *y) {
    enum { LEAST_BYTES = 8 << 20 };
    int64_t bytes = p->n * p->k * p->out[0] * p->out[1] * p->out[2] * (int64_t)sizeof(float);
    return bytes >= LEAST_BYTES && p->out[2] % 2 == 0 && (uintptr_t)y % 64 == 0;
}

/// After a chunk of such a result, whose stores no other instruction need wait for: threads that read it later see them.
static inline void end_streaming(bool streamed) {
#if defined(__x86_64__)
    if (streamed) __builtin_ia32_sfence();
#else
    (void)streamed; // ordered like other stores
#endif
}

static inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && a < 0); }

/// The gather of a convolution.
static inline gather convolution_gather(const sdx_conv_params *p) {
    gather g = {.channels = p->c / p->groups};
    gather_axis *axes[3] = {&g.d, &g.h, &g.w};
    bool pointwise = true;
    for (int i = 0; i < 3; i++) {
        *axes[i] = (gather_axis){p->in[i], p->out[i], p->stride[i], -p->pad_begin[i], p->dilation[i], p->kernel[i]};
        pointwise &= p->kernel[i] == 1 && p->stride[i] == 1 && p->pad_begin[i] == 0 && p->in[i] == p->out[i];
    }
    if (pointwise) { // a matrix product: one long row of pixels
        int64_t pixels = p->in[0] * p->in[1] * p->in[2];
        g.d = g.h = (gather_axis){1, 1, 1, 0, 1, 1};
        g.w = (gather_axis){pixels, pixels, 1, 0, 1, 1};
    }
    return g;
}

static inline int64_t gcd(int64_t a, int64_t b) {
    while (b) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/// One residue of a transposed convolution along an axis: the outputs o = j · stride + residue, for j in 0 ..< count,
/// gather x with the taps first_tap, first_tap + tap_step …
typedef struct {
    gather_axis axis;
    int64_t first_tap, tap_step;
} residue_axis;

static inline residue_axis transposed_residue(const sdx_conv_params *p, int i, int64_t residue) {
    int64_t stride = p->stride[i], dilation = p->dilation[i], common = gcd(dilation, stride);
    // o + pad = q · stride + phase; tap t meets x at q - (t · dilation - phase) / stride where that divides.
    int64_t phase = (residue + p->pad_begin[i]) % stride, q = (residue + p->pad_begin[i]) / stride;
    residue_axis r = {.first_tap = p->kernel[i], .tap_step = stride / common};
    if (phase % common == 0)
        for (int64_t t = 0; t < r.tap_step && t < p->kernel[i]; t++)
            if (t % stride * (dilation % stride) % stride == phase) {
                r.first_tap = t;
                break;
            }
    int64_t taps = r.first_tap < p->kernel[i] ? (p->kernel[i] - 1 - r.first_tap) / r.tap_step + 1 : 0;
    r.axis = (gather_axis){
        .in = p->in[i], .step = 1, .delta = -(dilation / common), .taps = taps,
        .out = residue < p->out[i] ? (p->out[i] - residue - 1) / stride + 1 : 0,
        .first = taps ? q - (r.first_tap * dilation - phase) / stride : 0,
    };
    return r;
}

/// Whether direct loops over a channel beat a matrix product: few output channels for one input channel, and a window
/// that a worker can hold (anything else is right as a product too).
static inline bool is_depthwise(const sdx_conv_params *p) {
    if (p->c != p->groups || p->groups < 2 || p->k / p->groups > 2) return false;
    for (int i = 0; i < 3; i++)
        if (p->kernel[i] < 1 || p->kernel[i] > 64 || p->stride[i] > 16 || p->dilation[i] * (p->kernel[i] - 1) > 1024)
            return false;
    return true;
}
#endif
