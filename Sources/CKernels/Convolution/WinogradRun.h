/// The steps of a Winograd convolution, in one ISA pass; after WinogradPlan.h. No include guard.

/// Copies the existing pixels of the (edge × edge) window at (h, w) of a plane into a patch of zeros.
static void SDX_FN(wino_patch)(
    const float *from, int64_t height, int64_t width, int64_t h, int64_t w, int64_t edge, float *patch) {
    memset(patch, 0, (size_t)(edge * edge * 8) * sizeof(float));
    int64_t i0 = h < 0 ? -h : 0, i1 = height - h < edge ? height - h : edge;
    int64_t j0 = w < 0 ? -w : 0, j1 = width - w < edge ? width - w : edge;
    if (j1 <= j0) return;
    for (int64_t i = i0; i < i1; i++)
        memcpy(patch + (i * edge + j0) * 8, from + ((h + i) * width + w + j0) * 8,
               (size_t)((j1 - j0) * 8) * sizeof(float));
}

/// Transforms channel steps [step0, step1) of plane tiles [tile, tile + count), counted over all images, of input slice
/// `slice`; tile i goes to row i of v. All are 0 where the slice lies outside x.
static void SDX_FN(wino_transform)(
    const SDX_FN(wino_plan) * plan, int64_t slice, int64_t tile, int64_t count, int64_t step0, int64_t step1,
    float *v) {
    const sdx_conv_params *p = plan->p;
    const int m = plan->m;
    int64_t height = p->in[1], width = p->in[2], pixels = height * width, block = p->in[0] * pixels * 8;
    int64_t edge = m + 2, row = width * 8;
    _Alignas(64) float patch[2 * 36 * 8];
    for (int64_t step = step0; step < step1; step++) {
        float *to = v + step * plan->v_rows * WINO_CB;
        if (slice < 0 || slice >= p->in[0]) {
            for (int64_t i = 0; i < plan->points; i++)
                memset(to + i * plan->v_plane, 0, (size_t)(count * WINO_CB) * sizeof(float));
            continue;
        }
        int64_t c = step * WINO_CB, image = tile / plan->tiles;
        bool half = WINO_CB > 8 && p->c - c == 8; // then the upper lanes repeat the lower ones
        int64_t h = tile % plan->tiles / plan->across * m - p->pad_begin[1];
        int64_t w = tile % plan->across * m - p->pad_begin[2], last_w = plan->across * m - p->pad_begin[2];
        int64_t last_h = plan->tiles / plan->across * m - p->pad_begin[1];
        for (int64_t i = 0; i < count; i++, to += WINO_CB) {
            const float *from = plan->x + (image * p->c + c) / 8 * block + slice * pixels * 8;
            int64_t from_row = row, from_block = half ? 0 : block;
            if (h < 0 || w < 0 || h + edge > height || w + edge > width) {
                SDX_FN(wino_patch)(from, height, width, h, w, edge, patch);
                if (WINO_CB > 8 && !half) {
                    from_block = edge * edge * 8;
                    SDX_FN(wino_patch)(from + block, height, width, h, w, edge, patch + from_block);
                }
                from = patch;
                from_row = edge * 8;
            } else {
                from += (h * width + w) * 8;
            }
            for (int64_t lane = 0; lane < WINO_CB; lane += SDX_V) {
                if (m == 4) SDX_FN(wino_input_tile)(4, from + lane, from_row, from_block, to + lane, plan->v_plane);
                else SDX_FN(wino_input_tile)(2, from + lane, from_row, from_block, to + lane, plan->v_plane);
            }
            if ((w += m) < last_w) continue;
            w = -p->pad_begin[2];
            if ((h += m) < last_h) continue;
            h = -p->pad_begin[1];
            image++;
        }
    }
}

/// Transforms the products of one panel back and stores them. Row `row` is a tile of output slice `depth` where that is
/// not negative, counted over all images; else a tile of the slices of all images.
static void SDX_FN(wino_inverse)(
    const SDX_FN(wino_plan) * plan, const float *products, int64_t panel, int64_t vectors, int64_t row, int64_t count,
    int64_t depth) {
    const sdx_conv_params *p = plan->p;
    const int m = plan->m;
    int64_t pixels = p->out[1] * p->out[2], block = p->out[0] * pixels * 8;
    for (int64_t j = 0; j < vectors; j++) {
        int64_t k = panel * WINO_LANES + j * SDX_V;
        bool half = SDX_V > 8 && p->k - k == 8;
        vf bias = plan->bias ? vload_first(plan->bias + k, half ? 8 : SDX_V) : (vf){0};
        SDX_FN(wino_target) to = {.row = p->out[2] * 8, .block = block, .activation = p->activation};
        int64_t plane = row / plan->tiles, tile = row % plan->tiles, th = tile / plan->across, tw = tile % plan->across;
        for (int64_t i = 0; i < count; i++) {
            int64_t image = depth < 0 ? plane / plan->slices : plane, d = depth < 0 ? plane % plan->slices : depth;
            if (d < p->out[0]) {
                int64_t at = (image * p->k + k) / 8 * block + (d * pixels + (th * p->out[2] + tw) * m) * 8 + k % 8;
                to.y = plan->y + at;
                to.residual = plan->residual ? plan->residual + at : NULL;
                to.height = p->out[1] - th * m < m ? p->out[1] - th * m : m;
                to.width = p->out[2] - tw * m < m ? p->out[2] - tw * m : m;
                const float *from = products + (i * vectors + j) * SDX_V;
                vf y[4][4];
                if (m == 4) SDX_FN(wino_output_tile)(4, from, plan->m_plane, y);
                else SDX_FN(wino_output_tile)(2, from, plan->m_plane, y);
                if (to.height < m || to.width < m) SDX_FN(wino_finish_part)(half, y, bias, &to);
                else if (m == 4) SDX_FN(wino_finish_whole)(4, half, y, bias, &to);
                else SDX_FN(wino_finish_whole)(2, half, y, bias, &to);
            }
            if (++tw < plan->across) continue;
            tw = 0;
            if (++th * plan->across < plan->tiles) continue;
            th = 0;
            plane++;
        }
    }
}

/// One panel of output channels of `count` rows: products and inverse transform. input[t] is the first row of depth tap
/// t at the first point, or NULL where that tap lies outside x.
static void SDX_FN(wino_panel)(
    const SDX_FN(wino_plan) * plan, const float *const input[3], int64_t panel, int64_t row, int64_t count,
    int64_t depth, float *products) {
    const sdx_conv_params *p = plan->p;
    int64_t lanes = p->k - panel * WINO_LANES < WINO_LANES ? p->k - panel * WINO_LANES : WINO_LANES;
    int64_t vectors = (lanes + SDX_V - 1) / SDX_V, width = vectors * SDX_V;
    int64_t slab = p->c * width, parts = (count + WINO_MR - 1) / WINO_MR;
    const float *weights = plan->packed + panel * WINO_LANES * p->c * p->kernel[0] * plan->points;
    for (int64_t point = 0; point < plan->points; point++) {
        for (int64_t part = 0; part < parts; part++) {
            int64_t row0 = SDX_FN(wino_start)(count, parts, part);
            int64_t rows = SDX_FN(wino_start)(count, parts, part + 1) - row0, taps = 0;
            SDX_FN(wino_tap) tap[3];
            for (int64_t t = 0; t < p->kernel[0]; t++)
                if (input[t])
                    tap[taps++] = (SDX_FN(wino_tap)){
                        input[t] + point * plan->v_plane + row0 * WINO_CB, weights + (point * p->kernel[0] + t) * slab};
            SDX_FN(wino_products)[rows - 1][vectors - 1](
                tap, taps, p->c, plan->v_rows * WINO_CB, products + point * plan->m_plane + row0 * width);
        }
    }
    SDX_FN(wino_inverse)(plan, products, panel, vectors, row, count, depth);
}

/// Large maps: a block of rows through a range of output slices.
static void SDX_FN(wino_sweep)(void *context, int64_t chunk, int worker) {
    const SDX_FN(wino_plan) *plan = context;
    const sdx_conv_params *p = plan->p;
    int64_t block = chunk % plan->blocks, range = chunk / plan->blocks, taps = p->kernel[0];
    int64_t row = SDX_FN(wino_start)(plan->rows, plan->blocks, block);
    int64_t count = SDX_FN(wino_start)(plan->rows, plan->blocks, block + 1) - row;
    int64_t depth0 = SDX_FN(wino_start)(p->out[0], plan->depths, range);
    int64_t depth1 = SDX_FN(wino_start)(p->out[0], plan->depths, range + 1);
    float *products = plan->workspace + worker * plan->worker_floats, *ring = products + plan->points * plan->m_plane;
    int64_t slot = plan->points * plan->v_plane, next = depth0 - p->pad_begin[0]; // the next slice to transform
    for (int64_t depth = depth0; depth < depth1; depth++) {
        int64_t first = depth - p->pad_begin[0];
        const float *input[3];
        for (; next < first + taps; next++)
            if (next >= 0 && next < p->in[0])
                SDX_FN(wino_transform)(plan, next, row, count, 0, plan->steps, ring + next % taps * slot);
        for (int64_t t = 0; t < taps; t++)
            input[t] = first + t >= 0 && first + t < p->in[0] ? ring + (first + t) % taps * slot : NULL;
        for (int64_t panel = 0; panel < plan->panels; panel++)
            SDX_FN(wino_panel)(plan, input, panel, row, count, depth, products);
    }
}

/// Small maps, first: one step of channels of one slice.
static void SDX_FN(wino_transform_chunk)(void *context, int64_t chunk, int worker) {
    (void)worker;
    const SDX_FN(wino_plan) *plan = context;
    int64_t step = chunk % plan->steps, plane = chunk / plan->steps, image = plane / plan->slices;
    SDX_FN(wino_transform)(
        plan, plane % plan->slices - plan->p->pad_begin[0], image * plan->tiles, plan->tiles, step, step + 1,
        plan->workspace + plane * plan->tiles * WINO_CB);
}

/// Then: a block of rows by one panel.
static void SDX_FN(wino_panel_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(wino_plan) *plan = context;
    int64_t panel = chunk % plan->panels, block = chunk / plan->panels;
    int64_t row = SDX_FN(wino_start)(plan->rows, plan->blocks, block);
    int64_t count = SDX_FN(wino_start)(plan->rows, plan->blocks, block + 1) - row;
    const float *input[3];
    for (int64_t t = 0; t < plan->p->kernel[0]; t++)
        input[t] = plan->workspace + (row + t * plan->tiles) * WINO_CB;
    SDX_FN(wino_panel)(
        plan, input, panel, row, count, -1, plan->workspace + plan->shared_floats + worker * plan->worker_floats);
}

static void SDX_FN(wino_run)(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias,
    const float *residual, float *y, float *workspace) {
    SDX_FN(wino_plan) plan = SDX_FN(plan_wino)(p);
    if (plan.rows == 0) return;
    plan.x = x;
    plan.packed = packed;
    plan.bias = bias;
    plan.residual = residual;
    plan.y = y;
    plan.workspace = workspace;
    if (plan.shared) {
        sdx_parallel_for(pool, p->n * plan.slices * plan.steps, SDX_FN(wino_transform_chunk), &plan);
        sdx_parallel_for(pool, plan.blocks * plan.panels, SDX_FN(wino_panel_chunk), &plan);
    } else {
        sdx_parallel_for(pool, plan.blocks * plan.depths, SDX_FN(wino_sweep), &plan);
    }
}

/// -1 on overflow.
static int64_t SDX_FN(wino_workspace_floats)(const sdx_conv_params *p, int workers) {
    SDX_FN(wino_plan) plan = SDX_FN(plan_wino)(p);
    int64_t floats;
    if (__builtin_mul_overflow(plan.worker_floats, (int64_t)workers, &floats)) return -1;
    return __builtin_add_overflow(floats, plan.shared_floats, &floats) ? -1 : floats;
}

/// -1 on overflow.
static int64_t SDX_FN(wino_packed_floats)(const sdx_conv_params *p) {
    int64_t m = winograd_tile(p), lanes = (p->k + SDX_V - 1) / SDX_V * SDX_V, floats;
    if (__builtin_mul_overflow(p->c * p->kernel[0] * (m + 2) * (m + 2), lanes, &floats)) return -1;
    return floats;
}

/// Packed weights: by panel of WINO_LANES output channels, point, depth tap, input channel, lane (whole vectors, the
/// surplus lanes 0).
static void SDX_FN(wino_pack)(const sdx_conv_params *p, const float *w, float *packed) {
    const int m = winograd_tile(p), edge = m + 2;
    int64_t points = edge * edge, taps = p->kernel[0], padded = (p->k + SDX_V - 1) / SDX_V * SDX_V;
    for (int64_t k0 = 0; k0 < padded; k0 += WINO_LANES) {
        int64_t width = padded - k0 < WINO_LANES ? padded - k0 : WINO_LANES;
        for (int64_t t = 0; t < taps; t++)
            for (int64_t c = 0; c < p->c; c++)
                for (int64_t lane = 0; lane < width; lane++) {
                    double u[36] = {0};
                    if (k0 + lane < p->k) winograd_weights(m, w + (((k0 + lane) * p->c + c) * taps + t) * 9, u);
                    for (int64_t i = 0; i < points; i++)
                        packed[((i * taps + t) * p->c + c) * width + lane] = (float)u[i];
                }
        packed += width * p->c * taps * points;
    }
}
