/// Depthwise convolution, directly: one input channel gives one or a few output channels. In one ISA pass; after
/// Panels.h for float. No include guard.
///
/// A chunk is a slab of output rows of one channel. The padded input rows that the slab reads are copied to scratch
/// first, split by their phase modulo the stride along W, so that every tap of every output is a contiguous load
/// without an edge.

typedef struct {
    const sdx_conv_params *params;
    const float *x, *w, *bias, *residual;
    float *y, *workspace;
    int64_t phases;        // of a padded row: the stride along W
    int64_t phase_floats;  // of one phase of a padded row
    int64_t slab_rows;     // output rows (along H) of a chunk
    int64_t slabs;         // of a plane
    int64_t copied_rows;   // padded rows that a slab holds for one tap along D
    int64_t worker_floats;
    int64_t units, chunk_units; // slabs in all, and in a chunk
} SDX_FN(depthwise_plan);

/// The scratch for a slab: a share of L2.
enum { SDX_FN(slab_floats) = 16384 };

static SDX_FN(depthwise_plan) SDX_FN(plan_depthwise)(const sdx_conv_params *p) {
    SDX_FN(depthwise_plan) plan = {.params = p};
    int64_t reach = (p->kernel[2] - 1) * p->dilation[2] / p->stride[2];
    plan.phases = p->stride[2];
    plan.phase_floats = (p->out[2] + reach + 4 * SDX_V + 15) / 16 * 16; // vectors may begin at the last output
    int64_t row = plan.phases * plan.phase_floats * p->kernel[0];
    int64_t first = (p->kernel[1] - 1) * p->dilation[1] + 1;
    int64_t rows = (SDX_FN(slab_floats) / row - first) / p->stride[1] + 1;
    if (rows < 4) rows = 4;
    if (rows > p->out[1]) rows = p->out[1];
    plan.slab_rows = rows;
    plan.slabs = rows ? (p->out[1] + rows - 1) / rows : 0;
    plan.copied_rows = rows ? (rows - 1) * p->stride[1] + first : 0;
    plan.worker_floats = plan.copied_rows * row;
    plan.units = p->n * p->c * p->out[0] * plan.slabs;
    double work = (double)rows * (double)p->out[2] * (double)(p->kernel[0] * p->kernel[1] * p->kernel[2]);
    plan.chunk_units = work > 1e5 ? 1 : (int64_t)(1e5 / (work + 1)) + 1;
    return plan;
}

static int64_t SDX_FN(depthwise_worker_floats)(const sdx_conv_params *p) {
    return SDX_FN(plan_depthwise)(p).worker_floats;
}

/// Copies one input row (NULL: zeros), padded and split into phases:
/// to[phase · phase_floats + i] = x[i · stride + phase - pad].
static void SDX_FN(pad_row)(const SDX_FN(depthwise_plan) * plan, const float *row, float *to) {
    const sdx_conv_params *p = plan->params;
    int64_t stride = p->stride[2], pad = p->pad_begin[2], in = p->in[2];
    for (int64_t phase = 0; phase < plan->phases; phase++, to += plan->phase_floats) {
        // Values [begin, end) of this phase come from x.
        int64_t begin = phase < pad ? (pad - phase + stride - 1) / stride : 0;
        int64_t end = in + pad > phase ? (in - 1 + pad - phase) / stride + 1 : 0;
        if (!row || in == 0) begin = end = 0;
        if (end > plan->phase_floats) end = plan->phase_floats;
        if (begin > end) begin = end;
        memset(to, 0, (size_t)begin * sizeof(float));
        if (end > begin) {
            const float *from = row + begin * stride + phase - pad;
            int64_t i = 0, count = end - begin;
            if (stride == 1) {
                memcpy(to + begin, from, (size_t)count * sizeof(float));
                i = count;
            } else if (stride == 2) {
                for (; i + SDX_V <= count; i += SDX_V)
                    vstore(
                        to + begin + i,
                        SDX_FN(load_lanes_strided)(from + 2 * i, 2, (SDX_FN(lanes)){0, SDX_V}));
            }
            for (; i < count; i++) to[begin + i] = from[i * stride];
        }
        memset(to + end, 0, (size_t)(plan->phase_floats - end) * sizeof(float));
    }
}

/// `vectors` vectors of one output row: `rows` is the padded row of its first taps, `w` the weights of its channel.
SDX_INLINE void SDX_FN(depthwise_vectors)(
    const SDX_FN(depthwise_plan) * plan, const int vectors, const float *rows, const float *w, vf *sum) {
    const sdx_conv_params *p = plan->params;
    int64_t row = plan->phases * plan->phase_floats, h_step = p->dilation[1] * row, d_step = plan->copied_rows * row;
    int64_t stride = p->stride[2], w_taps = p->kernel[2];
    int64_t shift_step = p->dilation[2] / stride, phase_step = p->dilation[2] % stride;
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[v] = (vf){0};
    for (int64_t td = 0; td < p->kernel[0]; td++)
        for (int64_t th = 0; th < p->kernel[1]; th++) {
            const float *from = rows + td * d_step + th * h_step;
            for (int64_t t = 0, phase = 0; t < w_taps; t++, w++) {
                vf weight = vbroadcast(w);
#pragma clang loop unroll(full)
                for (int v = 0; v < vectors; v++)
                    sum[v] = vfma(weight, vload(from + phase * plan->phase_floats + v * SDX_V), sum[v]);
                from += shift_step;
                phase += phase_step;
                if (phase >= stride) {
                    phase -= stride;
                    from++;
                }
            }
        }
}

/// Output rows [oh0, oh1) at depth od of output channel k, from the padded rows in `space`.
static void SDX_FN(depthwise_slab)(
    const SDX_FN(depthwise_plan) * plan, int64_t n, int64_t k, int64_t od, int64_t oh0, int64_t oh1,
    const float *space) {
    const sdx_conv_params *p = plan->params;
    int64_t row = plan->phases * plan->phase_floats, width = p->out[2];
    const float *w = plan->w + k * p->kernel[0] * p->kernel[1] * p->kernel[2];
    SDX_FN(epilogue_f32) e = {
        .alpha = 1, .beta = 1, .row_bias = plan->bias ? plan->bias + k : NULL, .d_column_stride = 1,
        .activation = p->activation,
    };
    for (int64_t oh = oh0; oh < oh1; oh++) {
        const float *rows = space + (oh - oh0) * p->stride[1] * row;
        int64_t start = (((n * p->k + k) * p->out[0] + od) * p->out[1] + oh) * width;
        float *y = plan->y + start;
        if (plan->residual) e.d = plan->residual + start;
        int64_t i = 0;
        for (; i + 4 * SDX_V <= width; i += 4 * SDX_V) {
            vf sum[4];
            SDX_FN(depthwise_vectors)(plan, 4, rows + i, w, sum);
#pragma clang loop unroll(full)
            for (int v = 0; v < 4; v++)
                vstore(y + i + v * SDX_V, SDX_FN(finish_vector_f32)(&e, sum[v], 0, i + v * SDX_V, SDX_V));
        }
        for (; i < width; i += SDX_V) {
            int64_t count = width - i < SDX_V ? width - i : SDX_V;
            vf sum[1];
            SDX_FN(depthwise_vectors)(plan, 1, rows + i, w, sum);
            vstore_first(y + i, count, SDX_FN(finish_vector_f32)(&e, sum[0], 0, i, count));
        }
    }
}

static void SDX_FN(depthwise_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(depthwise_plan) *plan = context;
    const sdx_conv_params *p = plan->params;
    int64_t row = plan->phases * plan->phase_floats, plane = p->in[1] * p->in[2];
    int64_t last = (chunk + 1) * plan->chunk_units < plan->units ? (chunk + 1) * plan->chunk_units : plan->units;
    float *space = plan->workspace + worker * plan->worker_floats;
    for (int64_t unit = chunk * plan->chunk_units; unit < last; unit++) {
        int64_t slab = unit % plan->slabs, rest = unit / plan->slabs;
        int64_t od = rest % p->out[0], image = rest / p->out[0], n = image / p->c, c = image % p->c;
        int64_t oh0 = slab * plan->slab_rows, oh1 = oh0 + plan->slab_rows;
        if (oh1 > p->out[1]) oh1 = p->out[1];
        const float *x = plan->x + image * p->in[0] * plane;
        for (int64_t td = 0; td < p->kernel[0]; td++) {
            int64_t id = od * p->stride[0] + td * p->dilation[0] - p->pad_begin[0];
            int64_t ih = oh0 * p->stride[1] - p->pad_begin[1];
            int64_t used = (oh1 - oh0 - 1) * p->stride[1] + (p->kernel[1] - 1) * p->dilation[1] + 1;
            float *to = space + td * plan->copied_rows * row;
            for (int64_t r = 0; r < used; r++, ih++, to += row) {
                bool inside = id >= 0 && id < p->in[0] && ih >= 0 && ih < p->in[1];
                SDX_FN(pad_row)(plan, inside ? x + id * plane + ih * p->in[2] : NULL, to);
            }
        }
        int64_t multiplier = p->k / p->groups;
        for (int64_t m = 0; m < multiplier; m++)
            SDX_FN(depthwise_slab)(plan, n, c * multiplier + m, od, oh0, oh1, space);
    }
}

static void SDX_FN(depthwise_run)(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *w, const float *bias, const float *residual,
    float *y, float *workspace) {
    SDX_FN(depthwise_plan) plan = SDX_FN(plan_depthwise)(p);
    plan.x = x;
    plan.w = w;
    plan.bias = bias;
    plan.residual = residual;
    plan.y = y;
    plan.workspace = workspace;
    sdx_parallel_for(
        pool, (plan.units + plan.chunk_units - 1) / plan.chunk_units, SDX_FN(depthwise_chunk), &plan);
}
