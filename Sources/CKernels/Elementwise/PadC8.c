/// Padding of the spatial axes in layout c8: sdx_pad_c8_f32. Plain C: whole pixels of 32 bytes are copied, bound by memory.
#include <string.h>
#include "../include/sdx_elementwise.h"

typedef struct {
    const float *x;
    float *y;
    const int64_t *in, *out, *begin;
    sdx_pad_mode mode;
    float value;
    int64_t rows, group; // of y
} pad_c8_job;

/// The element that stands at i of an axis of `in` elements, or -1 for none.
static int64_t pad_c8_index(sdx_pad_mode mode, int64_t i, int64_t in) {
    if (i >= 0 && i < in) return i;
    if (mode == SDX_PAD_CONSTANT || in == 0) return -1;
    if (mode == SDX_PAD_EDGE || in == 1) return i < 0 ? 0 : in - 1;
    int64_t period = mode == SDX_PAD_WRAP ? in : 2 * (in - 1), at = i % period;
    if (at < 0) at += period;
    return at < in ? at : period - at;
}

static void pad_c8_fill(float *y, int64_t floats, float value) {
    for (int64_t i = 0; i < floats; i++) y[i] = value;
}

/// Pixels first ..< end of a row, one by one.
static void pad_c8_pixels(const pad_c8_job *j, const float *row, float *y, int64_t first, int64_t end) {
    for (int64_t o = first; o < end; o++) {
        int64_t from = pad_c8_index(j->mode, o - j->begin[2], j->in[2]);
        if (from < 0) pad_c8_fill(y + 8 * o, 8, j->value);
        else memcpy(y + 8 * o, row + 8 * from, 32);
    }
}

static int64_t pad_c8_clamp(int64_t i, int64_t low, int64_t high) { return i < low ? low : i > high ? high : i; }

static void pad_c8_chunk(void *context, int64_t chunk, int worker) {
    (void)worker;
    const pad_c8_job *j = context;
    int64_t end = (chunk + 1) * j->group < j->rows ? (chunk + 1) * j->group : j->rows, width = j->out[2];
    // Outputs left ..< right are one run of x.
    int64_t left = pad_c8_clamp(j->begin[2], 0, width), right = pad_c8_clamp(j->begin[2] + j->in[2], left, width);
    for (int64_t row = chunk * j->group; row < end; row++) {
        int64_t oh = row % j->out[1], od = row / j->out[1] % j->out[0], plane = row / j->out[1] / j->out[0];
        int64_t d = pad_c8_index(j->mode, od - j->begin[0], j->in[0]);
        int64_t h = pad_c8_index(j->mode, oh - j->begin[1], j->in[1]);
        float *y = j->y + row * width * 8;
        if (d < 0 || h < 0) {
            pad_c8_fill(y, width * 8, j->value);
            continue;
        }
        const float *x = j->x + ((plane * j->in[0] + d) * j->in[1] + h) * j->in[2] * 8;
        pad_c8_pixels(j, x, y, 0, left);
        if (right > left) memcpy(y + 8 * left, x + 8 * (left - j->begin[2]), (size_t)(right - left) * 32);
        pad_c8_pixels(j, x, y, right, width);
    }
}

void sdx_pad_c8_f32(
    sdx_pool *pool, int64_t n, int64_t c, const int64_t in[3], const int64_t pad_begin[3], const int64_t out[3],
    sdx_pad_mode mode, float value, const float *x, float *y) {
    pad_c8_job job = {
        .x = x, .y = y, .in = in, .out = out, .begin = pad_begin, .mode = mode, .value = value,
        .rows = n * (c / 8) * out[0] * out[1], .group = 4096 / (out[2] + 1) + 1,
    };
    if (job.rows <= 0 || out[2] <= 0) return;
    sdx_parallel_for(pool, (job.rows + job.group - 1) / job.group, pad_c8_chunk, &job);
}
