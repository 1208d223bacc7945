#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "sdx_winograd.h"
#include "BlockedRows.h"
#include "WinogradPhases.h"
#include "WinogradTile.h"
#define SDX_SELF "../Convolution/Winograd.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Gemm/Activation.h"
#include "WinogradTransforms.h"
#include "WinogradProduct.h"
#include "WinogradStrided.h"
#include "WinogradPlan.h"
#include "WinogradRun.h"
#include "PackLanes.h"
#include "WinogradWeights.h"
#else
SDX_TABLE_OF(int64_t, wino_packed_floats, (const sdx_conv_params *, sdx_winograd_form))
SDX_TABLE_OF(int64_t, wino_workspace_floats, (const sdx_conv_params *, sdx_winograd_form, int))
SDX_TABLE(wino_pack, (const sdx_conv_params *, sdx_winograd_form, const sdx_unaligned_f32 *, float *))
SDX_TABLE(wino_run, (sdx_pool *, const sdx_conv_params *, sdx_winograd_form, const float *, const float *,
                     const float *, const float *, float *, float *))

int sdx_winograd_c8_f32_supported(const sdx_conv_params *p, sdx_winograd_form form) {
    if (form < SDX_WINOGRAD_2 || form > SDX_WINOGRAD_4_DEEP || (form > SDX_WINOGRAD_2_DEEP && form < SDX_WINOGRAD_4))
        return 0;
    if (!sdx_conv_params_valid(p) || p->groups != 1 || p->c % 8 || p->k % 8) return 0;
    if (p->kernel[0] != 3 && (p->kernel[0] != 1 || winograd_form_of(form).deep)) return 0;
    if (p->kernel[1] != 3 || p->kernel[2] != 3) return 0;
    for (int i = 0; i < 3; i++)
        if (p->dilation[i] != 1 || p->pad_begin[i] > 2) return 0;
    if (p->stride[1] != p->stride[2] || p->stride[1] > 2) return 0;
    if ((p->stride[0] > 1 || p->stride[1] > 1) && winograd_form_of(form).deep) return 0;
    if (p->repeats[1] > WINO_MOST_REPEATS || p->repeats[2] > WINO_MOST_REPEATS) return 0;
    // More than the floats of scratch and of packed weights, rows and lanes filled up: far from the end of the range.
    double pixels = (double)p->n * (double)(p->out[0] + 2) * (double)(p->out[1] + 4) * (double)(p->out[2] + 4);
    double channels = (double)p->c + (double)p->k + 64, weights = (double)(p->c + 16) * (double)(p->k + 32) * 144;
    return pixels * channels * 144 < 0x1p60 && weights < 0x1p60;
}
static size_t bytes_of(int64_t floats) {
    return floats < 0 || floats > INT64_MAX / 16 ? SIZE_MAX : (size_t)floats * sizeof(float);
}
size_t sdx_winograd_c8_f32_packed_bytes(const sdx_conv_params *p, sdx_winograd_form form) {
    return sdx_winograd_c8_f32_supported(p, form) ? bytes_of(SDX_CALL(wino_packed_floats)(p, form)) : SIZE_MAX;
}
size_t sdx_winograd_c8_f32_workspace_bytes(const sdx_conv_params *p, sdx_winograd_form form, int workers) {
    if (workers < 1 || !sdx_winograd_c8_f32_supported(p, form)) return SIZE_MAX;
    return bytes_of(SDX_CALL(wino_workspace_floats)(p, form, workers));
}
void sdx_winograd_c8_f32_pack(
    const sdx_conv_params *p, sdx_winograd_form form, const sdx_unaligned_f32 *w, float *packed) {
    SDX_CALL(wino_pack)(p, form, w, packed);
}
void sdx_winograd_c8_f32_run(
    sdx_pool *pool, const sdx_conv_params *p, sdx_winograd_form form, const float *x, const float *packed,
    const float *bias, const float *residual, float *y, void *workspace) {
    SDX_CALL(wino_run)(pool, p, form, x, packed, bias, residual, y, workspace);
}
#endif
