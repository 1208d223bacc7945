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

/// Pixels of a tile: the sums, a weight and a value fit the registers.
enum { SDX_FN(most_depthwise) = SDX_TARGET_BASELINE ? 4 : SDX_V >= 8 ? 14 : 8 };

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

/// One output row: its first pixel's first tap in the copied rows, its taps inside the input, its y.
typedef struct {
    const float *x, *w, *bias, *residual;
    float *y;
    const int64_t *offsets;
    int64_t plane, first, count; // taps of a slice, and of those the ones inside the input
    tap_range d;
    bool clamp;
    float low, high;
} SDX_FN(depthwise_tile);

/// `pixels` neighbouring outputs of 8 channels.
SDX_INLINE void SDX_FN(blocked_depthwise_pixels)(const int pixels, const SDX_FN(depthwise_tile) * t) {
    enum { VECTORS = SDX_V < 8 ? 8 / SDX_V : 1, LANES = SDX_V < 8 ? SDX_V : 8 };
    typedef float lanes __attribute__((ext_vector_type(LANES)));
    typedef float lanes_any __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
    lanes sum[SDX_FN(most_depthwise)][VECTORS];
#pragma clang loop unroll(full)
    for (int j = 0; j < VECTORS; j++) {
        lanes start = {0};
        if (t->bias) start = *(const lanes_any *)(t->bias + j * LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++) sum[i][j] = start;
    }
    if (t->residual)
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++)
#pragma clang loop unroll(full)
            for (int j = 0; j < VECTORS; j++)
                sum[i][j] = sum[i][j] + *(const lanes_any *)(t->residual + i * 8 + j * LANES);
    for (int64_t d = t->d.begin; d < t->d.end; d++) {
        const int64_t *offset = t->offsets + d * t->plane + t->first, *end = offset + t->count;
        const float *w = t->w + (d * t->plane + t->first) * 8;
        for (; offset < end; offset++, w += 8) {
            const float *from = t->x + *offset;
#pragma clang loop unroll(full)
            for (int j = 0; j < VECTORS; j++) {
                lanes weight = *(const lanes_any *)(w + j * LANES);
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
    }
    if (t->clamp) {
        lanes low = t->low - (lanes){0}, high = t->high - (lanes){0};
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++)
#pragma clang loop unroll(full)
            for (int j = 0; j < VECTORS; j++) {
                lanes above = low > sum[i][j] ? low : sum[i][j];
                sum[i][j] = high < above ? high : above;
            }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < VECTORS; j++) *(lanes_any *)(t->y + i * 8 + j * LANES) = sum[i][j];
}

static void SDX_FN(blocked_depthwise_row)(SDX_FN(depthwise_tile) * t, int64_t width) {
    int64_t tiles = (width + SDX_FN(most_depthwise) - 1) / SDX_FN(most_depthwise);
    for (int64_t i = 0; i < tiles; i++) {
        int64_t pixels = width / tiles + (i < width % tiles);
        switch (pixels) {
        case 1: SDX_FN(blocked_depthwise_pixels)(1, t); break;
        case 2: SDX_FN(blocked_depthwise_pixels)(2, t); break;
        case 3: SDX_FN(blocked_depthwise_pixels)(3, t); break;
        case 4: SDX_FN(blocked_depthwise_pixels)(4, t); break;
#if !SDX_TARGET_BASELINE
        case 5: SDX_FN(blocked_depthwise_pixels)(5, t); break;
        case 6: SDX_FN(blocked_depthwise_pixels)(6, t); break;
        case 7: SDX_FN(blocked_depthwise_pixels)(7, t); break;
        case 8: SDX_FN(blocked_depthwise_pixels)(8, t); break;
#endif
#if SDX_V >= 8
        case 9: SDX_FN(blocked_depthwise_pixels)(9, t); break;
        case 10: SDX_FN(blocked_depthwise_pixels)(10, t); break;
        case 11: SDX_FN(blocked_depthwise_pixels)(11, t); break;
        case 12: SDX_FN(blocked_depthwise_pixels)(12, t); break;
        case 13: SDX_FN(blocked_depthwise_pixels)(13, t); break;
        case 14: SDX_FN(blocked_depthwise_pixels)(14, t); break;
#endif
        }
        t->x += 8 * pixels;
        t->y += 8 * pixels;
        if (t->residual) t->residual += 8 * pixels;
    }
}

static void SDX_FN(blocked_depthwise_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(blocked_depthwise_plan) *plan = context;
    const sdx_conv_params *p = plan->params;
    int64_t in_pixels = stored_pixels(p), out_pixels = p->out[0] * p->out[1] * p->out[2];
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
        blocked_copy_rows(p, &plan->rows, plan->x + image * 8 * in_pixels, od, oh0, oh1, ow0, false, space);
        SDX_FN(depthwise_tile) t = {
            .w = plan->packed + block * 8 * plan->taps, .bias = plan->bias ? plan->bias + block * 8 : NULL,
            .offsets = plan->offsets, .plane = p->kernel[1] * p->kernel[2], .d = taps_inside(p, 0, od),
            .clamp = clamp, .low = low, .high = high,
        };
        for (int64_t oh = oh0; oh < oh1; oh++) {
            tap_range h = taps_inside(p, 1, oh);
            int64_t at = (image * out_pixels + (od * p->out[1] + oh) * p->out[2] + ow0) * 8;
            t.first = h.begin * p->kernel[2];
            t.count = (h.end - h.begin) * p->kernel[2];
            t.x = space + (oh - oh0) * p->stride[1] * plan->rows.row;
            t.y = plan->y + at;
            t.residual = plan->residual ? plan->residual + at : NULL;
            SDX_FN(blocked_depthwise_row)(&t, width);
            if (!clamp && p->activation.kind != SDX_ACTIVATION_NONE)
                SDX_FN(activate_values)(p->activation, plan->y + at, 8 * width);
        }
    }
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
