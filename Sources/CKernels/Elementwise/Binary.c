/// Binary f32 operators with broadcasting: sdx_binary_f32.
#include <math.h>

#include "../include/sdx_elementwise.h"
#include "Rows.h"
#include "StridedBox.h"
#define SDX_SELF "../Elementwise/Binary.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "VectorMath.h"

SDX_INLINE vf SDX_FN(fmod_lanes)(vf a, vf b) {
    for (int k = 0; k < SDX_V; k++) a[k] = fmodf(a[k], b[k]);
    return a;
}

/// n floats (at most SDX_V), `stride` apart.
SDX_INLINE vf SDX_FN(gather_lanes)(const float *p, int64_t stride, int64_t n) {
    vf v = {0};
    for (int64_t k = 0; k < n; k++) v[k] = p[k * stride];
    return v;
}

#define LOOP(load_a, load_b, part_a, part_b, expression)                                                               \
    {                                                                                                                  \
        for (; i + SDX_V <= n; i += SDX_V) {                                                                           \
            vf u = load_a, v = load_b;                                                                                 \
            vstore(y + i, vmax(low, (expression)));                                                                    \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            vf u = part_a, v = part_b;                                                                                 \
            vstore_first(y + i, n - i, vmax(low, (expression)));                                                       \
        }                                                                                                              \
        return;                                                                                                        \
    }
#define RUN(expression)                                                                                                \
    if (sa == 1 && sb == 1) {                                                                                          \
        LOOP(vload(a + i), vload(b + i), vload_first(a + i, n - i), vload_first(b + i, n - i), expression)             \
    } else if (sa == 1 && sb == 0) {                                                                                   \
        const vf w = vsplat(*b);                                                                                       \
        LOOP(vload(a + i), w, vload_first(a + i, n - i), w, expression)                                                \
    } else if (sa == 0 && sb == 1) {                                                                                   \
        const vf w = vsplat(*a);                                                                                       \
        LOOP(w, vload(b + i), w, vload_first(b + i, n - i), expression)                                                \
    } else {                                                                                                           \
        LOOP(                                                                                                          \
            SDX_FN(gather_lanes)(a + i * sa, sa, SDX_V), SDX_FN(gather_lanes)(b + i * sb, sb, SDX_V),                  \
            SDX_FN(gather_lanes)(a + i * sa, sa, n - i), SDX_FN(gather_lanes)(b + i * sb, sb, n - i), expression)      \
    }

/// A row: y[i] = max(low, a[i·sa] op b[i·sb]); low is −inf where nothing follows.
static void SDX_FN(binary)(
    sdx_binary_op op, const float *a, int64_t sa, const float *b, int64_t sb, float *y, int64_t n, float lowest) {
    int64_t i = 0;
    const vf low = vsplat(lowest);
    switch (op) {
    case SDX_BINARY_ADD: RUN(u + v)
    case SDX_BINARY_SUB: RUN(u - v)
    case SDX_BINARY_MUL: RUN(u * v)
    case SDX_BINARY_DIV: RUN(u / v)
    case SDX_BINARY_MAX: RUN(vmax_nan(u, v))
    case SDX_BINARY_MIN: RUN(vmin_nan(u, v))
    case SDX_BINARY_POW:
        if (sa == 1 && sb == 0 && *b == 2.0f) LOOP(vload(a + i), u, vload_first(a + i, n - i), u, u * v)
        if (sa == 1 && sb == 0 && *b == 0.5f) {
            // √−0 is −0 and √−inf NaN, where pow has 0 and inf.
            const vf inf = vsplat(INFINITY);
            LOOP(vload(a + i), inf, vload_first(a + i, n - i), inf, u == -v ? v : vsqrt(u) + 0.0f)
        }
        RUN(vpow(u, v))
    case SDX_BINARY_PRELU: RUN(u < 0.0f ? u * v : u)
    case SDX_BINARY_FMOD: RUN(SDX_FN(fmod_lanes)(u, v))
    case SDX_BINARY_COUNT: return;
    }
}
#undef RUN
#undef LOOP

#else

SDX_TABLE(binary, (sdx_binary_op, const float *, int64_t, const float *, int64_t, float *, int64_t, float))

void sdx_binary_row(
    sdx_binary_op op, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *y, int64_t n) {
    SDX_CALL(binary)(op, a, a_stride, b, b_stride, y, n, -INFINITY);
}

// Rows this short are not worth a call each: an operand that repeats over them is laid out `TILE` floats long first.
enum { SHORT_ROW = 64, TILE = 1024 };

typedef struct {
    sdx_box box;
    const float *operand[2];
    float *y;
    int64_t chunk;
    float lowest;
    sdx_binary_op op;
    int tiled; // the operand that repeats over the last but one dimension while the other is contiguous, or −1
} binary_job;

static void binary_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const binary_job *j = ctx;
    const sdx_box *box = &j->box;
    int64_t begin = chunk * j->chunk, end = begin + j->chunk < box->total ? begin + j->chunk : box->total;
    int last = box->rank - 1;
    int64_t at[SDX_BOX_RANK], offset[2], row = box->shape[last];
    if (j->tiled >= 0) { // rows of the last two dimensions, taken in pieces of whole short rows
        float tile[TILE];
        int t = j->tiled, o = 1 - t;
        int64_t piece = TILE / row * row, rows = row * box->shape[last - 1];
        sdx_box_seek(box, last - 1, begin / rows, at, offset);
        for (int64_t p = begin, filled = -1; p < end;) {
            int64_t r = p % rows, n = rows - r < end - p ? rows - r : end - p;
            if (filled != offset[t]) {
                const float *source = j->operand[t] + offset[t];
                for (int64_t i = 0; i < row; i++) tile[i] = source[i * box->stride[t][last]];
                for (int64_t i = row; i < piece; i++) tile[i] = tile[i - row];
                filled = offset[t];
            }
            for (int64_t done = 0; done < n;) {
                int64_t phase = (r + done) % row, m = piece - phase < n - done ? piece - phase : n - done;
                const float *other = j->operand[o] + offset[o] + r + done;
                const float *a = t == 0 ? tile + phase : other, *b = t == 0 ? other : tile + phase;
                SDX_CALL(binary)(j->op, a, 1, b, 1, j->y + p + done, m, j->lowest);
                done += m;
            }
            p += n;
            sdx_box_next(box, last - 1, at, offset);
        }
        return;
    }
    sdx_box_seek(box, last, begin / row, at, offset);
    int64_t sa = box->stride[0][last], sb = box->stride[1][last];
    for (int64_t p = begin; p < end;) {
        int64_t r = p % row, n = row - r < end - p ? row - r : end - p;
        const float *a = j->operand[0] + offset[0] + r * sa, *b = j->operand[1] + offset[1] + r * sb;
        SDX_CALL(binary)(j->op, a, sa, b, sb, j->y + p, n, j->lowest);
        p += n;
        sdx_box_next(box, last, at, offset);
    }
}

void sdx_binary_f32(
    sdx_pool *pool, sdx_binary_op op, const float *a, const int64_t *a_strides, const float *b,
    const int64_t *b_strides, float *y, const int64_t *shape, int rank, sdx_activation_kind act) {
    if (act != SDX_ACTIVATION_NONE && act != SDX_ACTIVATION_RELU) __builtin_trap();
    binary_job job = {.operand = {a, b}, .y = y, .op = op, .tiled = -1};
    sdx_box_make(&job.box, rank, shape, a_strides, b_strides);
    if (job.box.total <= 0) return;
    job.lowest = act == SDX_ACTIVATION_RELU ? 0 : -INFINITY;
    int last = job.box.rank - 1;
    int64_t row = job.box.shape[last];
    if (last >= 1 && row < SHORT_ROW) {
        for (int t = 0; t < 2; t++) {
            const int64_t *other = job.box.stride[1 - t];
            if (job.box.stride[t][last - 1] == 0 && other[last] == 1 && other[last - 1] == row) job.tiled = t;
        }
    }
    job.chunk = op == SDX_BINARY_POW || op == SDX_BINARY_FMOD ? 4096 : 16384;
    sdx_parallel_for(pool, (job.box.total + job.chunk - 1) / job.chunk, binary_chunk, &job);
}
#endif
