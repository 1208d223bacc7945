#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sdx_conv.h"
#include "Geometry.h"
#define SDX_SELF "../Convolution/Convolution.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Gemm/Activation.h"
#include "../Gemm/TileSizes.h"
#define SDX_T_IS_DOUBLE 0
#include "../Gemm/Types.h"
#include "../Gemm/MicroKernel.h"
#include "../Gemm/Panels.h"
#include "PackedBlock.h"
#undef SDX_T_IS_DOUBLE
#include "Pixels.h"
#include "Direct.h"
#include "FewChannels.h"
#include "Depthwise.h"
#include "ImplicitGemm.h"
#include "Transposed.h"
#else
SDX_TABLE_OF(int64_t, conv_worker_floats, (const sdx_conv_params *))
SDX_TABLE(conv_pack, (const sdx_conv_params *, const float *, float *))
SDX_TABLE(conv_run, (sdx_pool *, const sdx_conv_params *, const float *, const float *, const float *, const float *,
                     float *, float *))
SDX_TABLE_OF(int64_t, transposed_worker_floats, (const sdx_conv_params *))
SDX_TABLE(transposed_pack, (const sdx_conv_params *, const float *, float *))
SDX_TABLE(transposed_run, (sdx_pool *, const sdx_conv_params *, const float *, const float *, const float *, float *,
                           float *))

/// a · b, or -1 where that overflows or either is negative.
static int64_t product(int64_t a, int64_t b) {
    int64_t result;
    return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &result) ? -1 : result;
}

static int64_t product3(int64_t a, const int64_t b[3]) { return product(product(product(a, b[0]), b[1]), b[2]); }

int sdx_conv_params_valid(const sdx_conv_params *p) {
    const int64_t most = INT32_MAX;
    if (p->groups < 1 || p->c < 0 || p->k < 0 || p->c % p->groups || p->k % p->groups) return 0;
    if (p->c > most || p->k > most) return 0;
    for (int i = 0; i < 3; i++) {
        if (p->in[i] < 0 || p->out[i] < 0 || p->kernel[i] < 1 || p->stride[i] < 1 || p->dilation[i] < 1) return 0;
        if (p->pad_begin[i] < 0 || p->in[i] > most || p->out[i] > most || p->kernel[i] > most) return 0;
        if (p->stride[i] > most || p->dilation[i] > most || p->pad_begin[i] > most) return 0;
        if (p->repeats[i] < 0 || (p->repeats[i] > 1 && p->in[i] % p->repeats[i])) return 0;
    }
    // A quarter of the range: chunk counts and paddings to whole panels stay inside.
    const int64_t floats = INT64_MAX / 16;
    int64_t images = product(p->n, p->c), results = product(p->n, p->k);
    int64_t sizes[] = {
        product3(images, p->in), product3(results, p->out), product3(product(p->c / p->groups, p->k), p->kernel),
        product3(product(product(p->n, p->groups), p->k), p->stride),
        product3(1, p->in), product3(1, p->out), product3(1, p->kernel), // of no images or channels, too
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i] < 0 || sizes[i] > floats) return 0;
    return 1;
}

static size_t bytes_of(int64_t floats) { return floats < 0 ? SIZE_MAX : (size_t)floats * sizeof(float); }

size_t sdx_conv_f32_packed_bytes(const sdx_conv_params *p) {
    if (!sdx_conv_params_valid(p) || repeats_pixels(p)) return SIZE_MAX;
    return bytes_of(product3(product(p->c / p->groups, p->k), p->kernel));
}
size_t sdx_conv_f32_workspace_bytes(const sdx_conv_params *p, int workers) {
    if (!sdx_conv_params_valid(p) || repeats_pixels(p) || workers < 1) return SIZE_MAX;
    int64_t floats = product(SDX_CALL(conv_worker_floats)(p), workers);
    return floats > INT64_MAX / 16 ? SIZE_MAX : bytes_of(floats);
}
void sdx_conv_f32_pack(const sdx_conv_params *p, const float *w, float *packed) { SDX_CALL(conv_pack)(p, w, packed); }
void sdx_conv_f32_run(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias,
    const float *residual, float *y, void *workspace) {
    SDX_CALL(conv_run)(pool, p, x, packed, bias, residual, y, workspace);
}

size_t sdx_conv_transpose_f32_packed_bytes(const sdx_conv_params *p) { return sdx_conv_f32_packed_bytes(p); }
size_t sdx_conv_transpose_f32_workspace_bytes(const sdx_conv_params *p, int workers) {
    if (!sdx_conv_params_valid(p) || repeats_pixels(p) || workers < 1) return SIZE_MAX;
    int64_t floats = product(SDX_CALL(transposed_worker_floats)(p), workers);
    return floats > INT64_MAX / 16 ? SIZE_MAX : bytes_of(floats);
}
void sdx_conv_transpose_f32_pack(const sdx_conv_params *p, const float *w, float *packed) {
    SDX_CALL(transposed_pack)(p, w, packed);
}
void sdx_conv_transpose_f32_run(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias, float *y,
    void *workspace) {
    if (product3(product(p->n, p->k), p->out) <= 0) return;
    SDX_CALL(transposed_run)(pool, p, x, packed, bias, y, workspace);
}
#endif
