#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sdx_conv.h"
#include "sdx_winograd_rows.h"
#include "BlockedRows.h"
#include "WinogradRowsParts.h"
#define SDX_SELF "../Convolution/Blocked.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Gemm/Activation.h"
#include "BlockedTiles.h"
#include "BlockedDot.h"
#include "BlockedDensePlan.h"
#include "BlockedImages.h"
#include "BlockedDense.h"
#include "BlockedDepthwise.h"
#include "BlockedSpans.h"
#include "PackLanes.h"
#include "BlockedPack.h"
#include "WinogradRows.h"

static bool SDX_FN(is_blocked_depthwise)(const sdx_conv_params *p) { return p->groups == p->c && p->groups == p->k; }

static int64_t SDX_FN(blocked_floats)(const sdx_conv_params *p, sdx_conv_layout layout, int workers) {
    if (SDX_FN(is_blocked_depthwise)(p) && layout == SDX_CONV_C8_TO_C8) {
        SDX_FN(blocked_depthwise_plan) plan = SDX_FN(plan_blocked_depthwise)(p);
        return blocked_product(plan.worker_floats, workers) + plan.offset_floats;
    }
    SDX_FN(dense_plan) plan = SDX_FN(plan_dense)(p, layout);
    return blocked_product(plan.worker_floats, workers) + plan.shared_floats + plan.offset_floats;
}
static void SDX_FN(blocked_pack)(
    const sdx_conv_params *p, sdx_conv_layout layout, const sdx_unaligned_f32 *w, float *packed) {
    if (SDX_FN(is_blocked_depthwise)(p) && layout == SDX_CONV_C8_TO_C8) SDX_FN(blocked_depthwise_pack)(p, w, packed);
    else SDX_FN(dense_pack)(p, layout, w, packed);
}
static void SDX_FN(blocked_run)(
    sdx_pool *pool, const sdx_conv_params *p, sdx_conv_layout layout, const float *x, const float *packed,
    const float *bias, const float *residual, float *y, float *workspace) {
    bool depthwise = SDX_FN(is_blocked_depthwise)(p) && layout == SDX_CONV_C8_TO_C8;
    if (depthwise && !residual && SDX_FN(spans_fit)(p)) SDX_FN(spans_run)(pool, p, x, packed, bias, y);
    else if (depthwise)
        SDX_FN(blocked_depthwise_run)(pool, p, x, packed, bias, residual, y, workspace);
    else SDX_FN(dense_run)(pool, p, layout, x, packed, bias, residual, y, workspace);
}
#else
SDX_TABLE_OF(int64_t, blocked_floats, (const sdx_conv_params *, sdx_conv_layout, int))
SDX_TABLE(blocked_pack, (const sdx_conv_params *, sdx_conv_layout, const sdx_unaligned_f32 *, float *))
SDX_TABLE(blocked_run, (sdx_pool *, const sdx_conv_params *, sdx_conv_layout, const float *, const float *,
                        const float *, const float *, float *, float *))

/// More floats than a worker's scratch may have: only huge dilations of a padded input come here.
static const int64_t most_scratch = (int64_t)1 << 24;

int sdx_conv_c8_f32_supported(const sdx_conv_params *p, sdx_conv_layout layout) {
    if (!sdx_conv_params_valid(p)) return 0;
    bool fits = false;
    switch (layout) {
    case SDX_CONV_PLAIN_TO_C8: fits = p->groups == 1 && p->k % 8 == 0; break;
    case SDX_CONV_C8_TO_PLAIN: fits = p->groups == 1 && p->c % 8 == 0; break;
    case SDX_CONV_C8_TO_C8:
        fits = p->groups == p->c && p->groups == p->k
                   ? p->c % 8 == 0
                   : p->c / p->groups % 8 == 0 && p->k / p->groups % 8 == 0;
        break;
    }
    return fits && SDX_CALL(blocked_floats)(p, layout, 2) - SDX_CALL(blocked_floats)(p, layout, 1) <= most_scratch;
}

size_t sdx_conv_c8_f32_packed_bytes(const sdx_conv_params *p, sdx_conv_layout layout) {
    if (!sdx_conv_c8_f32_supported(p, layout)) return SIZE_MAX;
    int64_t k = (p->k + 7) / 8 * 8;
    return (size_t)(p->c / p->groups * k * p->kernel[0] * p->kernel[1] * p->kernel[2]) * sizeof(float);
}

void sdx_conv_c8_f32_pack(
    const sdx_conv_params *p, sdx_conv_layout layout, const sdx_unaligned_f32 *w, float *packed) {
    SDX_CALL(blocked_pack)(p, layout, w, packed);
}

size_t sdx_conv_c8_f32_workspace_bytes(const sdx_conv_params *p, sdx_conv_layout layout, int workers) {
    if (workers < 1 || !sdx_conv_c8_f32_supported(p, layout)) return SIZE_MAX;
    return (size_t)SDX_CALL(blocked_floats)(p, layout, workers) * sizeof(float);
}

void sdx_conv_c8_f32_run(
    sdx_pool *pool, const sdx_conv_params *p, sdx_conv_layout layout, const float *x, const float *packed,
    const float *bias, const float *residual, float *y, void *workspace) {
    SDX_CALL(blocked_run)(pool, p, layout, x, packed, bias, residual, y, workspace);
}

SDX_TABLE_OF(int64_t, rows_packed_floats, (const sdx_conv_params *))
SDX_TABLE_OF(int64_t, rows_workspace_floats, (const sdx_conv_params *, int))
SDX_TABLE(rows_pack, (const sdx_conv_params *, const sdx_unaligned_f32 *, float *))
SDX_TABLE(rows_run, (sdx_pool *, const sdx_conv_params *, const float *, const float *, const float *, const float *,
                     float *, float *))

int sdx_winograd_rows_f32_supported(const sdx_conv_params *p) {
    if (!sdx_conv_params_valid(p) || p->groups != 1 || p->k % 8 || repeats_pixels(p)) return 0;
    if (p->kernel[0] > 16 || p->kernel[1] > 16 || p->kernel[2] < 5 || p->kernel[2] > 8 || p->stride[2] > 2) return 0;
    if (p->c > 512 / p->kernel[0] / p->kernel[1]) return 0; // the error of their sum
    for (int i = 0; i < 3; i++)
        if (p->dilation[i] != 1 || p->pad_begin[i] >= p->kernel[i]) return 0;
    // More than the floats of scratch: far from the end of the range.
    double rows = ((double)p->n * (double)p->c + 1) * (double)(p->in[0] + 16) * (double)(p->in[1] + 16);
    double pixels = (double)p->n * (double)p->k * (double)p->out[0] * (double)p->out[1];
    return (rows + pixels + 4096) * ((double)p->out[2] + 64) * 64 < 0x1p60;
}

size_t sdx_winograd_rows_f32_packed_bytes(const sdx_conv_params *p) {
    return sdx_winograd_rows_f32_supported(p) ? (size_t)SDX_CALL(rows_packed_floats)(p) * sizeof(float) : SIZE_MAX;
}

void sdx_winograd_rows_f32_pack(const sdx_conv_params *p, const sdx_unaligned_f32 *w, float *packed) {
    SDX_CALL(rows_pack)(p, w, packed);
}

size_t sdx_winograd_rows_f32_workspace_bytes(const sdx_conv_params *p, int workers) {
    if (workers < 1 || !sdx_winograd_rows_f32_supported(p)) return SIZE_MAX;
    return (size_t)SDX_CALL(rows_workspace_floats)(p, workers) * sizeof(float);
}

void sdx_winograd_rows_f32_run(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias,
    const float *residual, float *y, void *workspace) {
    SDX_CALL(rows_run)(pool, p, x, packed, bias, residual, y, workspace);
}
#endif
