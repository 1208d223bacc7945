#ifndef SDX_BLOCKED_ROWS_H
#define SDX_BLOCKED_ROWS_H
/// How a chunk of a channel-blocked convolution holds the input rows that it reads; the same for every ISA.
///
/// A worker's scratch has, for each block of `unit` channels (8, or 1 of a plain input), kernel[0] slices of rows. A
/// row is padded along W and split by its phase modulo the stride, so that neighbouring outputs always read
/// neighbouring pixels: place i of phase r is the input at (w0 + i) · stride + r - pad_begin. Taps that meet slices or
/// rows outside the input are left out of the sums; only where several rows share a tile are such rows read, as zeros.
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "sdx_conv.h"
#include "Geometry.h"

typedef struct blocked_rows {
    int64_t unit;
    int64_t period; // phases that some tap reads; tap t reads phase t · dilation % stride, kept at place t % period
    int64_t places; // of one phase
    int64_t rows;   // of a slice
    int64_t row, slice, block; // floats from one to the next
} blocked_rows;

/// More floats than any scratch may have.
#define BLOCKED_TOO_MANY ((int64_t)1 << 40)

/// a · b for a, b >= 0, at most BLOCKED_TOO_MANY.
static inline int64_t blocked_product(int64_t a, int64_t b) {
    return a > 0 && b > BLOCKED_TOO_MANY / a ? BLOCKED_TOO_MANY : a * b;
}

/// The rows that `height` × `width` outputs read.
static inline blocked_rows blocked_rows_for(const sdx_conv_params *p, int64_t unit, int64_t height, int64_t width) {
    blocked_rows r = {.unit = unit};
    int64_t step = p->stride[2] / gcd(p->dilation[2], p->stride[2]);
    r.period = step < p->kernel[2] ? step : p->kernel[2];
    r.places = width + (p->kernel[2] - 1) * p->dilation[2] / p->stride[2];
    r.rows = height > 0 ? (height - 1) * p->stride[1] + (p->kernel[1] - 1) * p->dilation[1] + 1 : 0;
    r.row = blocked_product(blocked_product(r.period, r.places), unit);
    r.slice = blocked_product(r.row, r.rows);
    r.block = blocked_product(r.slice, p->kernel[0]);
    return r;
}

/// The place of each tap relative to the first one's.
static inline void blocked_offsets(const sdx_conv_params *p, const blocked_rows *r, int64_t *offsets) {
    for (int64_t d = 0; d < p->kernel[0]; d++)
        for (int64_t h = 0; h < p->kernel[1]; h++)
            for (int64_t w = 0; w < p->kernel[2]; w++)
                *offsets++ = d * r->slice + h * p->dilation[1] * r->row +
                             (w % r->period * r->places + w * p->dilation[2] / p->stride[2]) * r->unit;
}

/// Taps [begin, end) along an axis that meet the input for output o.
typedef struct tap_range {
    int64_t begin, end;
} tap_range;

static inline tap_range taps_inside(const sdx_conv_params *p, int axis, int64_t o) {
    int64_t at = o * p->stride[axis] - p->pad_begin[axis], dilation = p->dilation[axis], in = p->in[axis];
    tap_range t = {at < 0 ? (-at + dilation - 1) / dilation : 0, at < in ? (in - 1 - at) / dilation + 1 : 0};
    if (t.end > p->kernel[axis]) t.end = p->kernel[axis];
    if (t.begin > t.end) t.begin = t.end;
    return t;
}

/// Pixels from[i · stride], i < count, one after another.
static inline void blocked_copy_pixels(float *to, const float *from, int64_t unit, int64_t stride, int64_t count) {
    if (stride == 1) {
        memcpy(to, from, (size_t)(count * unit) * sizeof(float));
    } else if (unit == 8) {
        for (int64_t i = 0; i < count; i++) memcpy(to + 8 * i, from + 8 * stride * i, 8 * sizeof(float));
    } else if (stride == 2) {
        for (int64_t i = 0; i < count; i++) to[i] = from[2 * i];
    } else {
        for (int64_t i = 0; i < count; i++) to[i] = from[stride * i];
    }
}

/// The same of a row whose pixels repeat: pixels first + i · stride, i < count, pixel j being the row's j / repeats.
static __attribute__((noinline, unused)) void blocked_copy_repeated(
    float *to, const float *row, int64_t unit, int64_t repeats, int64_t first, int64_t stride, int64_t count) {
    const float *from = row + first / repeats * unit;
    int64_t left = repeats - first % repeats; // of the pixel at hand
    if (unit == 8 && stride == 1) {
        for (; count > 0; from += 8, left = repeats) {
            float pixel[8];
            memcpy(pixel, from, sizeof pixel);
            if (left > count) left = count;
            count -= left;
            for (; left > 0; left--, to += 8) memcpy(to, pixel, sizeof pixel);
        }
        return;
    }
    for (int64_t i = 0; i < count; i++, to += unit) {
        for (int64_t j = 0; j < unit; j++) to[j] = from[j];
        if (i + 1 == count) return; // nothing beyond the row is pointed at
        for (left -= stride; left <= 0; left += repeats) from += unit;
    }
}

/// Copies the phases of one row of x for outputs from w0 on.
static inline void blocked_copy_row(
    const sdx_conv_params *p, const blocked_rows *r, const float *row, int64_t w0, float *to) {
    int64_t stride = p->stride[2], in = p->in[2], pixel = r->unit, repeats = repeats_along(p, 2);
    for (int64_t phase = 0; phase < r->period; phase++, to += r->places * pixel) {
        int64_t first = w0 * stride + phase * p->dilation[2] % stride - p->pad_begin[2]; // of place 0
        int64_t begin = first < 0 ? (-first + stride - 1) / stride : 0;
        int64_t end = first < in ? (in - 1 - first) / stride + 1 : 0;
        if (end > r->places) end = r->places;
        if (begin > end) begin = end;
        memset(to, 0, (size_t)(begin * pixel) * sizeof(float));
        int64_t at = first + begin * stride;
        if (end > begin && __builtin_expect(repeats == 1, 1))
            blocked_copy_pixels(to + begin * pixel, row + at * pixel, pixel, stride, end - begin);
        else if (end > begin)
            blocked_copy_repeated(to + begin * pixel, row, pixel, repeats, at, stride, end - begin);
        memset(to + end * pixel, 0, (size_t)((r->places - end) * pixel) * sizeof(float));
    }
}

/// Copies the rows that outputs (od, oh0 ..< oh1, w0 …) read of one block of channels; x is its first value. With
/// `zeros` the rows outside the input too.
static inline void blocked_copy_rows(
    const sdx_conv_params *p, const blocked_rows *r, const float *x, int64_t od, int64_t oh0, int64_t oh1, int64_t w0,
    bool zeros, float *to) {
    tap_range d = taps_inside(p, 0, od);
    int64_t first = oh0 * p->stride[1] - p->pad_begin[1], width = stored_along(p, 2) * r->unit;
    int64_t high = repeats_along(p, 1), height = stored_along(p, 1);
    int64_t used = (oh1 - oh0 - 1) * p->stride[1] + (p->kernel[1] - 1) * p->dilation[1] + 1;
    int64_t begin = first < 0 ? -first : 0, end = p->in[1] - first < used ? p->in[1] - first : used;
    for (int64_t t = d.begin; t < d.end; t++) {
        int64_t id = od * p->stride[0] + t * p->dilation[0] - p->pad_begin[0];
        const float *slice = x + stored_place(p, 0, id) * height * width;
        float *copy = to + t * r->slice;
        for (int64_t i = 0; zeros && i < used; i++)
            if (i < begin || i >= end) memset(copy + i * r->row, 0, (size_t)r->row * sizeof(float));
        for (int64_t i = begin; i < end; i++) {
            int64_t row = first + i;
            if (high > 1 && i > begin && row % high) // the row before once more
                memcpy(copy + i * r->row, copy + (i - 1) * r->row, (size_t)r->row * sizeof(float));
            else blocked_copy_row(p, r, slice + stored_place(p, 1, row) * width, w0, copy + i * r->row);
        }
    }
}

/// Copies what outputs [pixel, pixel + count) of a pointwise convolution read of one block of channels.
static inline void blocked_gather(
    const sdx_conv_params *p, int64_t unit, const float *x, int64_t pixel, int64_t count, float *to) {
    int64_t height = stored_along(p, 1), width = stored_along(p, 2);
    while (count > 0) {
        int64_t ow = pixel % p->out[2], rest = pixel / p->out[2];
        int64_t oh = rest % p->out[1], od = rest / p->out[1];
        int64_t id = od * p->stride[0] - p->pad_begin[0], ih = oh * p->stride[1] - p->pad_begin[1];
        blocked_rows run = {.unit = unit, .period = 1, .places = p->out[2] - ow < count ? p->out[2] - ow : count};
        if (id >= 0 && id < p->in[0] && ih >= 0 && ih < p->in[1])
            blocked_copy_row(
                p, &run, x + (stored_place(p, 0, id) * height + stored_place(p, 1, ih)) * width * unit, ow, to);
        else
            memset(to, 0, (size_t)(run.places * unit) * sizeof(float));
        to += run.places * unit;
        pixel += run.places;
        count -= run.places;
    }
}
#endif
