/// Convolution as the product of packed weights and a gathered matrix that exists only in cache-sized panels, in one
/// ISA pass; after Pixels.h. No include guard.
///
/// Rows are the output channels of a group, columns the output pixels of an image. A chunk is a group of row panels by
/// a group of column panels; it gathers its own pixels block of k by block of k.

typedef struct {
    const sdx_conv_params *params;
    gather gather;
    const float *x, *packed, *bias, *residual;
    float *y, *workspace;
    int64_t m, n, k;             // of the product of a group
    int64_t row_panels, column_panels, k_blocks;
    int64_t chunk_row_panels, chunk_column_panels, row_chunks, column_chunks;
    int64_t worker_floats;
    bool direct;                 // Direct.h rather than packed pixels, where it can
} SDX_FN(conv_plan);

/// The fewest output channels in a chunk: fewer do not pay for gathering the same pixels for others once more.
enum { SDX_FN(fewest_chunk_rows) = 96 };

static SDX_FN(conv_plan) SDX_FN(plan_conv)(const sdx_conv_params *p) {
    SDX_FN(conv_plan) plan = {.params = p, .gather = convolution_gather(p)};
    plan.m = p->k / p->groups;
    plan.n = gather_columns(&plan.gather);
    plan.k = gather_rows(&plan.gather);
    plan.row_panels = SDX_FN(row_panels_f32)(plan.m);
    plan.column_panels = SDX_FN(column_panels_f32)(plan.n);
    plan.k_blocks = SDX_FN(k_blocks_f32)(plan.k);
    int64_t rows = plan.row_panels, columns = plan.column_panels;
    int64_t k = plan.k / plan.k_blocks + (plan.k % plan.k_blocks != 0);
    if (columns > SDX_FN(block_panels)(k)) columns = SDX_FN(block_panels)(k);
    while (rows > 0 && columns > 0) {
        plan.row_chunks = (plan.row_panels + rows - 1) / rows;
        plan.column_chunks = (plan.column_panels + columns - 1) / columns;
        double work = (double)rows * SDX_MR * (double)columns * NR * (double)plan.k;
        double chunks = (double)plan.row_chunks * (double)plan.column_chunks * (double)p->n * (double)p->groups;
        if (chunks >= SDX_ENOUGH_CHUNKS || work < SDX_CHUNK_WORK) break;
        if (columns > 2) columns = (columns + 1) / 2;
        else if (rows * SDX_MR >= 2 * SDX_FN(fewest_chunk_rows)) rows = (rows + 1) / 2;
        else if (columns > 1) columns = 1;
        else break;
    }
    plan.chunk_row_panels = rows;
    plan.chunk_column_panels = columns;
    plan.direct = SDX_FN(is_direct)(&plan.gather, plan.m);
    plan.worker_floats = ((plan.direct ? 1 : columns) * NR * k + 15) / 16 * 16;
    return plan;
}

static void SDX_FN(conv_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(conv_plan) *plan = context;
    const sdx_conv_params *p = plan->params;
    int64_t row_chunk = chunk % plan->row_chunks, rest = chunk / plan->row_chunks;
    int64_t column_chunk = rest % plan->column_chunks, image = rest / plan->column_chunks; // image · groups + group
    int64_t group = image % p->groups;
    int64_t in_volume = p->in[0] * p->in[1] * p->in[2];
    const float *x = plan->x + image * plan->gather.channels * in_volume;
    float *c = plan->y + image * plan->m * plan->n;
    float *space = plan->workspace + worker * plan->worker_floats;

    int64_t panel0 = row_chunk * plan->chunk_row_panels, panel1 = panel0 + plan->chunk_row_panels;
    if (panel1 > plan->row_panels) panel1 = plan->row_panels;
    int64_t column0 = column_chunk * plan->chunk_column_panels * NR;
    int64_t column1 = column0 + plan->chunk_column_panels * NR;
    if (column1 > plan->n) column1 = plan->n;
    int64_t row0 = SDX_FN(row_start_f32)(plan->m, plan->row_panels, panel0);

    bool onto_y = plan->residual == plan->y; // the sum then starts from what y holds
    SDX_FN(epilogue_f32) epilogue = {
        .alpha = 1, .beta = 1, .row_bias = plan->bias ? plan->bias + group * plan->m : NULL,
        .d = plan->residual && !onto_y ? plan->residual + image * plan->m * plan->n : NULL,
        .d_row_stride = plan->n, .d_column_stride = 1, .activation = p->activation,
    };
    SDX_FN(set_nothing_f32)(&epilogue);

    for (int64_t kb = 0; kb < plan->k_blocks; kb++) {
        int64_t k0 = SDX_FN(k_start_f32)(plan->k, plan->k_blocks, kb);
        int64_t k = SDX_FN(k_start_f32)(plan->k, plan->k_blocks, kb + 1) - k0;
        SDX_FN(block_f32) block = {
            .a = plan->packed + (group * plan->m + row0) * plan->k, .a_k = plan->k, .a_k0 = k0,
            .b = space, .b_stride = NR * k, .m = plan->m, .panel0 = panel0, .panel1 = panel1,
            .column0 = column0, .column1 = column1, .k = k, .c = c + column0, .ldc = plan->n,
            .add = kb > 0 || onto_y, .epilogue = kb + 1 == plan->k_blocks ? &epilogue : NULL,
        };
        if (plan->direct) {
            SDX_FN(multiply_direct)(&block, &plan->gather, x, space, k0);
        } else {
            SDX_FN(pack_pixels)(&plan->gather, x, k0, k, column0, column1 - column0, space);
            SDX_FN(multiply_block_f32)(&block);
        }
    }
}

/// Packs m × k weights, row i at w + i · row_stride, its values k_stride apart, into row panels.
static void SDX_FN(pack_weights)(
    float *packed, const float *w, int64_t m, int64_t k, int64_t row_stride, int64_t k_stride) {
    int64_t panels = SDX_FN(row_panels_f32)(m);
    for (int64_t q = 0; q < panels; q++) {
        int64_t row = SDX_FN(row_start_f32)(m, panels, q), rows = SDX_FN(row_start_f32)(m, panels, q + 1) - row;
        SDX_FN(pack_panel_f32)(packed + row * k, rows, rows, k, w + row * row_stride, row_stride, k_stride);
    }
}

static int64_t SDX_FN(conv_worker_floats)(const sdx_conv_params *p) {
    SDX_FN(few_plan) few;
    if (is_depthwise(p)) return SDX_FN(depthwise_worker_floats)(p);
    return SDX_FN(plan_few)(p, &few) ? few.worker_floats : SDX_FN(plan_conv)(p).worker_floats;
}

static void SDX_FN(conv_pack)(const sdx_conv_params *p, const float *w, float *packed) {
    int64_t m = p->k / p->groups, k = p->c / p->groups * p->kernel[0] * p->kernel[1] * p->kernel[2];
    if (is_depthwise(p)) {
        if (p->k * k > 0) memcpy(packed, w, (size_t)(p->k * k) * sizeof(float));
        return;
    }
    for (int64_t group = 0; group < p->groups; group++)
        SDX_FN(pack_weights)(packed + group * m * k, w + group * m * k, m, k, k, 1);
}

static void SDX_FN(conv_run)(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias,
    const float *residual, float *y, float *workspace) {
    if (p->n * p->k * p->out[0] * p->out[1] * p->out[2] == 0) return;
    if (is_depthwise(p)) {
        SDX_FN(depthwise_run)(pool, p, x, packed, bias, residual, y, workspace);
        return;
    }
    SDX_FN(few_plan) few;
    if (SDX_FN(plan_few)(p, &few)) { // the weights of one panel of rows lie as it wants them
        SDX_FN(few_run)(pool, &few, x, packed, bias, residual, y, workspace);
        return;
    }
    SDX_FN(conv_plan) plan = SDX_FN(plan_conv)(p);
    plan.x = x;
    plan.packed = packed;
    plan.bias = bias;
    plan.residual = residual;
    plan.y = y;
    plan.workspace = workspace;
    sdx_parallel_for(
        pool, plan.row_chunks * plan.column_chunks * p->n * p->groups, SDX_FN(conv_chunk), &plan);
}
