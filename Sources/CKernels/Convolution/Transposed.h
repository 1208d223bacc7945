/// Transposed convolution, in one ISA pass; after ImplicitGemm.h. No include guard.
///
/// The outputs with one residue modulo the stride are a plain convolution of x with the taps that reach them
/// (Geometry.h), so each output is computed once and nothing is summed into memory. A chunk covers all residues along W
/// of its pixels: their results are interleaved in scratch and stored as contiguous rows.

typedef struct {
    const sdx_conv_params *params;
    const float *x, *packed, *bias;
    float *y, *workspace;
    int64_t m;                     // output channels of a group
    int64_t row_panels, chunk_row_panels, row_chunks;
    int64_t chunk_columns;         // a multiple of NR
    int64_t pixels;                // of the largest residue: a bound of the column chunks
    int64_t column_chunks;
    int64_t b_floats, sum_floats;  // scratch of a worker: gathered pixels, results
    int64_t worker_floats;
} SDX_FN(transposed_plan);

static SDX_FN(transposed_plan) SDX_FN(plan_transposed)(const sdx_conv_params *p) {
    SDX_FN(transposed_plan) plan = {.params = p, .m = p->k / p->groups};
    plan.row_panels = SDX_FN(row_panels_f32)(plan.m);
    // The first residue has the most outputs; residues along W share its pixels, surplus ones are not stored.
    plan.pixels = 1;
    int64_t taps = 1;
    for (int i = 0; i < 3; i++) {
        plan.pixels *= (p->out[i] + p->stride[i] - 1) / p->stride[i];
        int64_t step = p->stride[i] / gcd(p->dilation[i], p->stride[i]);
        taps *= (p->kernel[i] + step - 1) / step;
    }
    int64_t columns = SDX_BLOCK_COLUMN_PANELS / ((p->stride[2] + 1) / 2), rows = (64 + SDX_MR - 1) / SDX_MR;
    int64_t most = SDX_FN(column_panels_f32)(plan.pixels);
    if (columns > most) columns = most;
    if (columns < 1) columns = 1;
    if (rows > plan.row_panels) rows = plan.row_panels;
    plan.chunk_row_panels = rows;
    plan.row_chunks = rows ? (plan.row_panels + rows - 1) / rows : 0;
    plan.chunk_columns = columns * NR;
    plan.column_chunks = (plan.pixels + plan.chunk_columns - 1) / plan.chunk_columns;
    // A residue with fewer taps may have larger blocks of k than the one with the most.
    int64_t k = p->c / p->groups * taps, most_k = SDX_BLOCK_K_BYTES / (int64_t)sizeof(float);
    plan.b_floats = plan.chunk_columns * (k < most_k ? k : most_k);
    plan.sum_floats = p->stride[2] * rows * SDX_MR * plan.chunk_columns;
    plan.worker_floats = (plan.b_floats + plan.sum_floats + 15) / 16 * 16;
    return plan;
}

/// Pixels of a chunk that lie in one output row.
typedef struct {
    int64_t offset; // of the first one's output in a channel of y
    int64_t left;   // outputs from there to the end of the output row
    int64_t column, count;
} SDX_FN(output_run);

/// to[i · stride + r] = from[r · plane + i] for i < count, as far as `left` goes.
SDX_INLINE void SDX_FN(interleave)(
    float *restrict to, const float *restrict from, int64_t plane, int64_t stride, int64_t count, int64_t left) {
    int64_t i = 0;
    if (stride == 1) {
        for (; i + SDX_V <= count; i += SDX_V) vstore(to + i, vload(from + i));
    } else if (stride == 2) {
        for (; i + SDX_V <= count && 2 * (i + SDX_V) <= left; i += SDX_V) {
            vf a = vload(from + i), b = vload(from + plane + i);
            vstore(to + 2 * i, TZIP_LOW(a, b));
            vstore(to + 2 * i + SDX_V, TZIP_HIGH(a, b));
        }
    }
    for (; i < count; i++)
        for (int64_t r = 0; r < stride && i * stride + r < left; r++) to[i * stride + r] = from[r * plane + i];
}

/// Stores sums[residue][row][column], whose columns are the pixels from `pixel` on, as output channels from y on.
static void SDX_FN(store_interleaved)(
    const SDX_FN(transposed_plan) * plan, const float *sums, int64_t rows, int64_t pixel, int64_t pixels, float *y,
    int64_t d_residue, int64_t h_residue, const gather *g) {
    const sdx_conv_params *p = plan->params;
    int64_t stride = p->stride[2], plane = rows * plan->chunk_columns, width = p->out[2];
    SDX_FN(output_run) runs[SDX_BLOCK_COLUMN_PANELS * NR];
    int64_t number = 0;
    for (int64_t j = 0; j < pixels; number++) {
        int64_t at = pixel + j, ow = at % g->w.out, rest = at / g->w.out;
        int64_t oh = rest % g->h.out * p->stride[1] + h_residue, od = rest / g->h.out * p->stride[0] + d_residue;
        int64_t count = g->w.out - ow < pixels - j ? g->w.out - ow : pixels - j;
        runs[number] = (SDX_FN(output_run)){
            (od * p->out[1] + oh) * width + ow * stride, width - ow * stride, j, count};
        j += count;
    }
    for (int64_t row = 0; row < rows; row++, sums += plan->chunk_columns, y += p->out[0] * p->out[1] * width)
        for (int64_t i = 0; i < number; i++)
            SDX_FN(interleave)
            (y + runs[i].offset, sums + runs[i].column, plane, stride, runs[i].count, runs[i].left);
}

/// Where the packed weights of a residue begin: the taps of all residues before it, in order of D, H, W.
static int64_t SDX_FN(taps_before)(const sdx_conv_params *p, const int64_t residue[3], const gather *g) {
    int64_t before[3] = {0, 0, 0};
    for (int i = 0; i < 3; i++)
        for (int64_t r = 0; r < residue[i]; r++) before[i] += transposed_residue(p, i, r).axis.taps;
    return before[0] * p->kernel[1] * p->kernel[2] + g->d.taps * (before[1] * p->kernel[2] + g->h.taps * before[2]);
}

static void SDX_FN(transposed_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(transposed_plan) *plan = context;
    const sdx_conv_params *p = plan->params;
    int64_t row_chunk = chunk % plan->row_chunks, rest = chunk / plan->row_chunks;
    int64_t column_chunk = rest % plan->column_chunks;
    rest /= plan->column_chunks;
    int64_t residue[3] = {rest / p->stride[1] % p->stride[0], rest % p->stride[1], 0};
    int64_t image = rest / p->stride[1] / p->stride[0], group = image % p->groups; // image · groups + group

    gather g = {.channels = p->c / p->groups};
    g.d = transposed_residue(p, 0, residue[0]).axis;
    g.h = transposed_residue(p, 1, residue[1]).axis;
    int64_t row_outputs = (p->out[2] + p->stride[2] - 1) / p->stride[2];
    int64_t pixels = g.d.out * g.h.out * row_outputs, pixel = column_chunk * plan->chunk_columns;
    if (pixel >= pixels) return;
    pixels = pixels - pixel < plan->chunk_columns ? pixels - pixel : plan->chunk_columns;

    int64_t panel0 = row_chunk * plan->chunk_row_panels, panel1 = panel0 + plan->chunk_row_panels;
    if (panel1 > plan->row_panels) panel1 = plan->row_panels;
    int64_t row0 = SDX_FN(row_start_f32)(plan->m, plan->row_panels, panel0);
    int64_t rows = SDX_FN(row_start_f32)(plan->m, plan->row_panels, panel1) - row0;
    const float *x = plan->x + image * g.channels * p->in[0] * p->in[1] * p->in[2];
    const float *packed = plan->packed + group * plan->m * g.channels * p->kernel[0] * p->kernel[1] * p->kernel[2];
    float *space = plan->workspace + worker * plan->worker_floats, *sums = space + plan->b_floats;
    SDX_FN(epilogue_f32) epilogue = {
        .alpha = 1, .row_bias = plan->bias ? plan->bias + group * plan->m : NULL, .activation = p->activation,
    };
    SDX_FN(set_nothing_f32)(&epilogue);

    gather_axis gathered = {0}; // the axis W of what `space` holds, while it holds all of k
    for (residue[2] = 0; residue[2] < p->stride[2]; residue[2]++) {
        g.w = transposed_residue(p, 2, residue[2]).axis;
        g.w.out = row_outputs;
        int64_t k_all = gather_rows(&g), blocks = SDX_FN(k_blocks_f32)(k_all);
        const float *a = packed + SDX_FN(taps_before)(p, residue, &g) * plan->m * g.channels + row0 * k_all;
        bool same = blocks == 1 && residue[2] > 0 && g.w.first == gathered.first && g.w.taps == gathered.taps;
        gathered = blocks == 1 ? g.w : (gather_axis){.taps = -1};
        for (int64_t kb = 0; kb < blocks; kb++) {
            int64_t k0 = SDX_FN(k_start_f32)(k_all, blocks, kb), k = SDX_FN(k_start_f32)(k_all, blocks, kb + 1) - k0;
            if (!same) SDX_FN(pack_pixels)(&g, x, k0, k, pixel, pixels, space);
            SDX_FN(multiply_block_f32)(&(SDX_FN(block_f32)){
                .a = a, .a_k = k_all, .a_k0 = k0, .b = space, .b_stride = NR * k, .m = plan->m,
                .panel0 = panel0, .panel1 = panel1, .column0 = 0, .column1 = pixels, .k = k,
                .c = sums + (residue[2] * rows - row0) * plan->chunk_columns, .ldc = plan->chunk_columns,
                .add = kb > 0, .epilogue = kb + 1 == blocks ? &epilogue : NULL,
            });
        }
    }
    g.w.out = row_outputs;
    float *y = plan->y + (image * plan->m + row0) * p->out[0] * p->out[1] * p->out[2];
    SDX_FN(store_interleaved)(plan, sums, rows, pixel, pixels, y, residue[0], residue[1], &g);
}

static int64_t SDX_FN(transposed_worker_floats)(const sdx_conv_params *p) {
    return SDX_FN(plan_transposed)(p).worker_floats;
}

static void SDX_FN(transposed_pack)(const sdx_conv_params *p, const float *w, float *packed) {
    int64_t m = p->k / p->groups, channels = p->c / p->groups, taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    if (m == 0 || channels == 0) return;
    for (int64_t group = 0; group < p->groups; group++, w += channels * m * taps)
        for (int64_t rd = 0; rd < p->stride[0]; rd++)
            for (int64_t rh = 0; rh < p->stride[1]; rh++)
                for (int64_t rw = 0; rw < p->stride[2]; rw++) {
                    residue_axis d = transposed_residue(p, 0, rd), h = transposed_residue(p, 1, rh),
                                 v = transposed_residue(p, 2, rw);
                    int64_t k = channels * d.axis.taps * h.axis.taps * v.axis.taps;
                    int64_t panels = SDX_FN(row_panels_f32)(m);
                    for (int64_t q = 0; q < panels && k > 0; q++) {
                        int64_t row = SDX_FN(row_start_f32)(m, panels, q);
                        int64_t rows = SDX_FN(row_start_f32)(m, panels, q + 1) - row;
                        float *to = packed + row * k;
                        for (int64_t c = 0; c < channels; c++)
                            for (int64_t i = 0; i < d.axis.taps; i++)
                                for (int64_t j = 0; j < h.axis.taps; j++)
                                    for (int64_t l = 0; l < v.axis.taps; l++)
                                        for (int64_t r = 0; r < rows; r++)
                                            *to++ = w[(c * m + row + r) * taps +
                                                      ((d.first_tap + i * d.tap_step) * p->kernel[1] + h.first_tap +
                                                       j * h.tap_step) * p->kernel[2] + v.first_tap + l * v.tap_step];
                    }
                    packed += m * k;
                }
}

static void SDX_FN(transposed_run)(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias, float *y,
    float *workspace) {
    SDX_FN(transposed_plan) plan = SDX_FN(plan_transposed)(p);
    plan.x = x;
    plan.packed = packed;
    plan.bias = bias;
    plan.y = y;
    plan.workspace = workspace;
    int64_t images = p->n * p->groups * p->stride[0] * p->stride[1];
    sdx_parallel_for(pool, plan.row_chunks * plan.column_chunks * images, SDX_FN(transposed_chunk), &plan);
}
