/// Unary f32 operators: sdx_unary_f32.
#include <math.h>

#include "../include/sdx_elementwise.h"
#include "Rows.h"
#define SDX_SELF "../Elementwise/Unary.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "VectorMath.h"

// The expression of v is run on whole vectors, then on the part of a vector that is left. Long expressions fill the
// reorder buffer with few loads in it: prefetching 2 KB ahead keeps the memory busy.
#define RUN(expression)                                                                                                \
    {                                                                                                                  \
        for (; i + SDX_V <= n; i += SDX_V) {                                                                           \
            vf v = vload(x + i);                                                                                       \
            __builtin_prefetch(x + i + 512);                                                                           \
            __builtin_prefetch(y + i + 512, 1);                                                                        \
            vstore(y + i, (expression));                                                                               \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            vf v = vload_first(x + i, n - i);                                                                          \
            vstore_first(y + i, n - i, (expression));                                                                  \
        }                                                                                                              \
        return;                                                                                                        \
    }

static void SDX_FN(unary)(sdx_unary_op op, const float *x, float *y, int64_t n, float alpha, float beta) {
    int64_t i = 0;
    const vf a = vsplat(alpha), b = vsplat(beta), zero = vsplat(0), one = vsplat(1);
    switch (op) {
    case SDX_UNARY_COPY:
        if (x != y) memcpy(y, x, (size_t)n * sizeof(float));
        return;
    case SDX_UNARY_RELU: RUN(vmax(zero, v))
    case SDX_UNARY_LEAKY_RELU: RUN(v < zero ? a * v : v)
    case SDX_UNARY_ELU: RUN(v < zero ? a * vexpm1(v) : v)
    case SDX_UNARY_SELU: RUN(b * (v <= zero ? a * vexpm1(v) : v))
    case SDX_UNARY_CELU: RUN(vmax(zero, v) + vmin(zero, a * vexpm1(v / a)))
    case SDX_UNARY_CLIP: RUN(vmin(b, vmax(a, v)))
    case SDX_UNARY_SIGMOID: RUN(vsigmoid(v))
    case SDX_UNARY_TANH: RUN(vtanh(v))
    case SDX_UNARY_EXP: RUN(vexp(v))
    case SDX_UNARY_LOG: RUN(vlog(v))
    case SDX_UNARY_ERF: RUN(verf(v))
    case SDX_UNARY_GELU_ERF: RUN(v * 0.5f * (verf(v * 0.707106781f) + 1.0f))
    case SDX_UNARY_GELU_TANH: RUN(v * 0.5f * (vtanh(v * 0.797884561f * vfma(v * v, vsplat(0.044715f), one)) + 1.0f))
    case SDX_UNARY_SOFTPLUS: RUN(vsoftplus(v))
    case SDX_UNARY_SOFTSIGN: RUN(v / (vabs(v) + 1.0f))
    case SDX_UNARY_HARD_SIGMOID: RUN(vmax(zero, vmin(one, vfma(a, v, b))))
    case SDX_UNARY_HARD_SWISH: RUN(v * vmax(zero, vmin(one, vfma(v, vsplat(1.0f / 6), vsplat(0.5f)))))
    case SDX_UNARY_SWISH: RUN(v * vsigmoid(a * v))
    case SDX_UNARY_MISH: RUN(vmish(v))
    case SDX_UNARY_ABS: RUN(vabs(v))
    case SDX_UNARY_NEG: RUN(-v)
    case SDX_UNARY_RECIPROCAL: RUN(one / v)
    case SDX_UNARY_SQRT: RUN(vsqrt(v))
    case SDX_UNARY_FLOOR: RUN(vfloor(v))
    case SDX_UNARY_CEIL: RUN(vceil(v))
    case SDX_UNARY_ROUND: RUN(vround(v))
    case SDX_UNARY_SIGN: RUN(v > zero ? one : (v < zero ? -one : (v == zero ? zero : v)))
    case SDX_UNARY_THRESHOLDED_RELU: RUN(v > a ? v : zero)
    case SDX_UNARY_SQUARE: RUN(v * v)
    case SDX_UNARY_AFFINE: RUN(vfma(a, v, b))
    case SDX_UNARY_COUNT: return;
    }
}
#undef RUN

#else

SDX_TABLE(unary, (sdx_unary_op, const float *, float *, int64_t, float, float))

void sdx_unary_row(sdx_unary_op op, const float *x, float *y, int64_t n, float alpha, float beta) {
    SDX_CALL(unary)(op, x, y, n, alpha, beta);
}

typedef struct {
    const float *x;
    float *y;
    int64_t n, chunk;
    float alpha, beta;
    sdx_unary_op op;
} unary_job;

static void unary_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const unary_job *j = ctx;
    int64_t begin = chunk * j->chunk, n = j->n - begin < j->chunk ? j->n - begin : j->chunk;
    SDX_CALL(unary)(j->op, j->x + begin, j->y + begin, n, j->alpha, j->beta);
}

static int64_t unary_chunk_size(sdx_unary_op op) {
    switch (op) {
    case SDX_UNARY_ELU:
    case SDX_UNARY_SELU:
    case SDX_UNARY_CELU:
    case SDX_UNARY_SIGMOID:
    case SDX_UNARY_TANH:
    case SDX_UNARY_EXP:
    case SDX_UNARY_LOG:
    case SDX_UNARY_ERF:
    case SDX_UNARY_GELU_ERF:
    case SDX_UNARY_GELU_TANH:
    case SDX_UNARY_SOFTPLUS:
    case SDX_UNARY_SWISH:
    case SDX_UNARY_MISH: return 8192;
    default: return 32768;
    }
}

void sdx_unary_f32(
    sdx_pool *pool, sdx_unary_op op, const float *x, float *y, int64_t n, float alpha, float beta) {
    if (n <= 0) return;
    int64_t chunk = unary_chunk_size(op);
    unary_job job = {x, y, n, chunk, alpha, beta, op};
    sdx_parallel_for(pool, (n + chunk - 1) / chunk, unary_chunk, &job);
}
#endif
