/// Between channels and pixels of a channel-blocked tensor: sdx_depth_to_space_c8_f32, sdx_space_to_depth_c8_f32.
#include "../include/sdx_elementwise.h"
#define SDX_SELF "../Elementwise/BlockedDepth.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "Blocked.h"

/// n pixels of 8 floats, from_step and to_step floats apart.
static void SDX_FN(copy_pixels)(const float *x, int64_t from_step, float *y, int64_t to_step, int64_t n) {
    for (int64_t i = 0; i < n; i++) v8store(y + i * to_step, v8load(x + i * from_step));
}

/// size · size blocks, `stride` floats apart, hold that many values of each of 8 channels, channel by channel. Value
/// (r, s) of pixel p goes to pixel p·size + s of row r of y; its rows are `row` floats apart.
static void SDX_FN(spread_row)(const float *x, int64_t stride, float *y, int64_t row, int64_t size, int64_t n) {
    if (size == 2) {
        for (int64_t p = 0; p < n; p++) {
            const float *at = x + p * 8;
            const v8 a = v8load(at), b = v8load(at + stride), c = v8load(at + 2 * stride), d = v8load(at + 3 * stride);
            // Channel k's four values are half a vector: gathers the first, second, … of each.
            const v8 ab = __builtin_shufflevector(a, b, 0, 4, 8, 12, 1, 5, 9, 13);
            const v8 cd = __builtin_shufflevector(c, d, 0, 4, 8, 12, 1, 5, 9, 13);
            const v8 ba = __builtin_shufflevector(a, b, 2, 6, 10, 14, 3, 7, 11, 15);
            const v8 dc = __builtin_shufflevector(c, d, 2, 6, 10, 14, 3, 7, 11, 15);
            float *to = y + p * 16;
            v8store(to, __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11));
            v8store(to + 8, __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15));
            v8store(to + row, __builtin_shufflevector(ba, dc, 0, 1, 2, 3, 8, 9, 10, 11));
            v8store(to + row + 8, __builtin_shufflevector(ba, dc, 4, 5, 6, 7, 12, 13, 14, 15));
        }
        return;
    }
    for (int64_t p = 0; p < n; p++)
        for (int64_t k = 0, e = 0; k < 8; k++)
            for (int64_t r = 0; r < size; r++)
                for (int64_t s = 0; s < size; s++, e++)
                    y[r * row + (p * size + s) * 8 + k] = x[e / 8 * stride + p * 8 + e % 8];
}
#else

SDX_TABLE(copy_pixels, (const float *, int64_t, float *, int64_t, int64_t))
SDX_TABLE(spread_row, (const float *, int64_t, float *, int64_t, int64_t, int64_t))

typedef struct {
    const float *x;
    float *y;
    // Blocks of the tensor of fewer channels; the smaller plane.
    int64_t blocks, h, w, size, group, rows;
    int to_depth, interleaved;
} depth_job;

/// A unit is one block of the tensor of fewer channels and one row of the smaller plane.
static void depth_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const depth_job *j = ctx;
    const int64_t size = j->size, square = size * size, plane = j->h * j->w * 8, wide = j->w * size * 8;
    int64_t end = (chunk + 1) * j->group < j->rows ? (chunk + 1) * j->group : j->rows;
    for (int64_t u = chunk * j->group; u < end; u++) {
        int64_t row = u % j->h, block = u / j->h % j->blocks, image = u / j->h / j->blocks;
        int64_t deep = image * j->blocks * square * plane + row * j->w * 8;
        int64_t flat = (image * j->blocks + block) * square * plane + row * size * wide;
        if (j->interleaved) {
            SDX_CALL(spread_row)(j->x + deep + block * square * plane, plane, j->y + flat, wide, size, j->w);
            continue;
        }
        for (int64_t r = 0; r < size; r++)
            for (int64_t s = 0; s < size; s++) {
                int64_t d = deep + ((r * size + s) * j->blocks + block) * plane, f = flat + r * wide + s * 8;
                if (j->to_depth) SDX_CALL(copy_pixels)(j->x + f, size * 8, j->y + d, 8, j->w);
                else SDX_CALL(copy_pixels)(j->x + d, 8, j->y + f, size * 8, j->w);
            }
    }
}

static void run_depth(sdx_pool *pool, depth_job *j, int64_t n) {
    if (n <= 0 || j->blocks <= 0 || j->h <= 0 || j->w <= 0) return;
    j->rows = n * j->blocks * j->h;
    j->group = 16384 / (j->w * 8 * j->size * j->size) + 1;
    sdx_parallel_for(pool, (j->rows - 1) / j->group + 1, depth_chunk, j);
}

void sdx_depth_to_space_c8_f32(
    sdx_pool *pool, int64_t n, int64_t c, int64_t h, int64_t w, int64_t size, int column_row_depth, const float *x,
    float *y) {
    depth_job job = {.x = x, .y = y, .blocks = c / (size * size) / 8, .h = h, .w = w, .size = size,
                     .interleaved = column_row_depth};
    run_depth(pool, &job, n);
}

void sdx_space_to_depth_c8_f32(
    sdx_pool *pool, int64_t n, int64_t c, int64_t h, int64_t w, int64_t size, const float *x, float *y) {
    depth_job job = {.x = x, .y = y, .blocks = c / 8, .h = h / size, .w = w / size, .size = size, .to_depth = 1};
    run_depth(pool, &job, n);
}
#endif
