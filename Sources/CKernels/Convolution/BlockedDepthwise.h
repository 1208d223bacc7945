/// Channel-blocked depthwise convolution, in one ISA pass; after BlockedDense.h. No include guard.
///
/// A unit of work is a slab of output rows of one block of 8 channels. Its input rows are copied to scratch first
/// (BlockedRows.h), so that neighbouring outputs read neighbouring pixels at every tap.

typedef struct {
    const sdx_conv_params *params;
    const float *x, *packed, *bias, *residual;
    float *y, *workspace;
    const int64_t *offsets;
    int64_t taps, height, slabs, width, columns, units, chunk_units;
    blocked_rows rows;
    int64_t offset_floats, worker_floats;
} SDX_FN(blocked_depthwise_plan);

static SDX_FN(blocked_depthwise_plan) SDX_FN(plan_blocked_depthwise)(const sdx_conv_params *p) {
    SDX_FN(blocked_depthwise_plan) plan = {.params = p};
    plan.taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    plan.offset_floats = (2 * plan.taps + 15) / 16 * 16;
    if (p->n * p->c * p->out[0] * p->out[1] * p->out[2] == 0) return plan;
    int64_t width = p->out[2], height = 1;
    while (width > 64 && blocked_rows_for(p, 8, 1, width).block > SDX_FN(copy_budget) / 2) width = (width + 1) / 2;
    while (height < p->out[1] && blocked_rows_for(p, 8, height + 1, width).block <= SDX_FN(copy_budget) / 4) height++;
    plan.slabs = (p->out[1] + height - 1) / height;
    plan.height = (p->out[1] + plan.slabs - 1) / plan.slabs;
    plan.columns = (p->out[2] + width - 1) / width;
    plan.width = (p->out[2] + plan.columns - 1) / plan.columns;
    plan.rows = blocked_rows_for(p, 8, plan.height, plan.width);
    plan.worker_floats = (plan.rows.block + 15) / 16 * 16;
    plan.units = p->n * (p->c / 8) * p->out[0] * plan.slabs * plan.columns;
    double work = (double)plan.height * plan.width * plan.taps * 8;
    plan.chunk_units = work > 2e5 ? 1 : (int64_t)(2e5 / work) + 1;
    return plan;
}

/// `pixels` neighbouring outputs of 8 channels over `count` taps.
SDX_INLINE void SDX_FN(blocked_depthwise_pixels)(
    const int pixels, const SDX_FN(blocked_depthwise_plan) * plan, const float *x, const float *w, const float *bias,
    const float *residual, float *y, tap_range d, int64_t first, int64_t count, bool clamp, float low, float high) {
    enum { VECTORS = SDX_V < 8 ? 8 / SDX_V : 1, LANES = SDX_V < 8 ? SDX_V : 8 };
    typedef float lanes __attribute__((ext_vector_type(LANES)));
    typedef float lanes_any __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
    lanes sum[8][VECTORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < VECTORS; j++) {
            lanes start = {0};
            if (bias) start = *(const lanes_any *)(bias + j * LANES);
            if (residual) start = start + *(const lanes_any *)(residual + i * 8 + j * LANES);
            sum[i][j] = start;
        }
    int64_t plane = plan->params->kernel[1] * plan->params->kernel[2];
    for (int64_t td = d.begin; td < d.end; td++)
        for (int64_t t = td * plane + first; t < td * plane + first + count; t++) {
            const float *from = x + plan->offsets[t];
#pragma clang loop unroll(full)
            for (int j = 0; j < VECTORS; j++) {
                lanes weight = *(const lanes_any *)(w + t * 8 + j * LANES);
#pragma clang loop unroll(full)
                for (int i = 0; i < pixels; i++) {
                    lanes v = *(const lanes_any *)(from + i * 8 + j * LANES);
#if SDX_HAS_FMA
                    sum[i][j] = __builtin_elementwise_fma(weight, v, sum[i][j]);
#else
                    sum[i][j] = weight * v + sum[i][j];
#endif
                }
            }
        }
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < VECTORS; j++) {
            lanes v = sum[i][j];
            if (clamp) {
                v = low > v ? (lanes){0} + low : v;
                v = high < v ? (lanes){0} + high : v;
            }
            *(lanes_any *)(y + i * 8 + j * LANES) = v;
        }
}

static void SDX_FN(blocked_depthwise_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(blocked_depthwise_plan) *plan = context;
    const sdx_conv_params *p = plan->params;
    int64_t in_pixels = p->in[0] * p->in[1] * p->in[2], out_pixels = p->out[0] * p->out[1] * p->out[2];
    float *space = plan->workspace + worker * plan->worker_floats, low, high;
    bool clamp = SDX_FN(clamps)(p->activation, &low, &high);
    int64_t last = plan->units - chunk * plan->chunk_units < plan->chunk_units ? plan->units
                                                                               : (chunk + 1) * plan->chunk_units;
    for (int64_t unit = chunk * plan->chunk_units; unit < last; unit++) {
        int64_t column = unit % plan->columns, rest = unit / plan->columns;
        int64_t oh0 = rest % plan->slabs * plan->height, oh1 = oh0 + plan->height;
        rest /= plan->slabs;
        int64_t od = rest % p->out[0], image = rest / p->out[0], block = image % (p->c / 8);
        if (oh1 > p->out[1]) oh1 = p->out[1];
        int64_t ow0 = column * plan->width, width = p->out[2] - ow0 < plan->width ? p->out[2] - ow0 : plan->width;
        if (oh0 >= oh1 || width <= 0) continue;
        blocked_copy_rows(p, &plan->rows, plan->x + image * 8 * in_pixels, od, oh0, oh1, ow0, space);
        const float *w = plan->packed + block * 8 * plan->taps, *bias = plan->bias ? plan->bias + block * 8 : NULL;
        tap_range d = taps_inside(p, 0, od);
        for (int64_t oh = oh0; oh < oh1; oh++) {
            tap_range h = taps_inside(p, 1, oh);
            int64_t first = h.begin * p->kernel[2], count = (h.end - h.begin) * p->kernel[2];
            int64_t at = (image * out_pixels + (od * p->out[1] + oh) * p->out[2] + ow0) * 8, i = 0;
            const float *row = space + (oh - oh0) * p->stride[1] * plan->rows.row;
            for (; i + 8 <= width; i += 8)
                SDX_FN(blocked_depthwise_pixels)(
                    8, plan, row + 8 * i, w, bias, plan->residual ? plan->residual + at + 8 * i : NULL,
                    plan->y + at + 8 * i, d, first, count, clamp, low, high);
            for (; i + 4 <= width; i += 4)
                SDX_FN(blocked_depthwise_pixels)(
                    4, plan, row + 8 * i, w, bias, plan->residual ? plan->residual + at + 8 * i : NULL,
                    plan->y + at + 8 * i, d, first, count, clamp, low, high);
            for (; i < width; i++)
                SDX_FN(blocked_depthwise_pixels)(
                    1, plan, row + 8 * i, w, bias, plan->residual ? plan->residual + at + 8 * i : NULL,
                    plan->y + at + 8 * i, d, first, count, clamp, low, high);
            if (!clamp && p->activation.kind != SDX_ACTIVATION_NONE)
                SDX_FN(activate_values)(p->activation, plan->y + at, 8 * width);
        }
    }
}

static void SDX_FN(blocked_depthwise_pack)(const sdx_conv_params *p, const float *w, float *packed) {
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    for (int64_t b = 0; b < p->c; b += 8)
        for (int64_t t = 0; t < taps; t++)
            for (int64_t c = 0; c < 8; c++) *packed++ = w[(b + c) * taps + t];
}

static void SDX_FN(blocked_depthwise_run)(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias,
    const float *residual, float *y, float *workspace) {
    SDX_FN(blocked_depthwise_plan) plan = SDX_FN(plan_blocked_depthwise)(p);
    if (plan.units == 0) return;
    plan.x = x;
    plan.packed = packed;
    plan.bias = bias;
    plan.residual = residual;
    plan.y = y;
    plan.workspace = workspace + plan.offset_floats;
    int64_t *offsets = (int64_t *)(void *)workspace;
    blocked_offsets(p, &plan.rows, offsets);
    plan.offsets = offsets;
    sdx_parallel_for(
        pool, (plan.units + plan.chunk_units - 1) / plan.chunk_units, SDX_FN(blocked_depthwise_chunk), &plan);
}
