/// Channel-blocked convolution that sums over input channels, in one ISA pass; after BlockedDensePlan.h. No include guard.

/// Whether the tile can clamp instead of calling the activation, and between what.
static bool SDX_FN(clamps)(sdx_activation a, float *low, float *high) {
    *low = a.kind == SDX_ACTIVATION_CLIP ? a.a : 0;
    *high = a.kind == SDX_ACTIVATION_CLIP ? a.b : __builtin_inff();
    return a.kind == SDX_ACTIVATION_RELU || a.kind == SDX_ACTIVATION_CLIP;
}

/// What tiles do for an activation, and the bounds of a clamp; NOTHING where it is another.
static blocked_finish SDX_FN(finish_of)(sdx_activation a, float *low, float *high) {
    if (SDX_FN(clamps)(a, low, high)) return BLOCKED_CLAMP;
    return a.kind == SDX_ACTIVATION_HARD_SWISH ? BLOCKED_HARD_SWISH : BLOCKED_NOTHING;
}

/// y = act(y) for `count` values.
static void SDX_FN(activate_values)(sdx_activation activation, float *y, int64_t count) {
    int64_t i = 0;
    for (; i + SDX_V <= count; i += SDX_V) vstore(y + i, vactivate(activation, vload(y + i)));
    if (i < count) vstore_first(y + i, count - i, vactivate(activation, vload_first(y + i, count - i)));
}

/// Finishes one row of a plain y from its sums, which lie 8 floats apart, or 1.
static void SDX_FN(finish_plain)(
    const float *sums, bool apart, float bias, const float *residual, sdx_activation activation, float *y,
    int64_t count) {
    for (int64_t i = 0; i < count; i += SDX_V) {
        int64_t n = count - i < SDX_V ? count - i : SDX_V;
        vf v = {0};
        if (apart)
            for (int j = 0; j < SDX_V; j++) v[j] = j < n ? sums[(i + j) * 8] : 0;
        else v = vload_first(sums + i, n);
        v = v + bias;
        if (residual) v = v + vload_first(residual + i, n);
        vstore_first(y + i, n, vactivate(activation, v));
    }
}

/// The weights of the panel at `lane` from channel block `block` on.
SDX_INLINE const float *SDX_FN(dense_weights)(
    const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, int64_t lane, int64_t block) {
    return plan->packed + (c->group * plan->m + lane) * plan->channels * plan->taps +
           block * plan->taps * plan->unit * SDX_FN(panel_lanes)(plan->m - lane);
}

/// Weights that come nearer while others are used: they come from memory, which gives 4 bytes a cycle to a core.
typedef struct {
    const float *from;
    int64_t lines; // of 64 bytes
} SDX_FN(dense_ahead);

/// The weights of the panel at `lane` over channel blocks from `block` on, in one split.
SDX_INLINE SDX_FN(dense_ahead) SDX_FN(dense_weights_ahead)(
    const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, int64_t lane, int64_t block) {
    int64_t count = plan->blocks - block < plan->split_blocks ? plan->blocks - block : plan->split_blocks;
    return (SDX_FN(dense_ahead)){
        SDX_FN(dense_weights)(plan, c, lane, block),
        count * plan->taps * plan->unit * SDX_FN(panel_lanes)(plan->m - lane) / 16};
}

/// The next panel's weights in the same split, or the first panel's in the next split, or those of the next chunk.
static SDX_FN(dense_ahead) SDX_FN(dense_after)(
    const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, int64_t chunk, int64_t lane, int64_t block,
    int64_t count) {
    int64_t next = lane + SDX_FN(panel_lanes)(plan->m - lane);
    if (next < c->lane1) return SDX_FN(dense_weights_ahead)(plan, c, next, block);
    if (block + count < plan->blocks) return SDX_FN(dense_weights_ahead)(plan, c, c->lane0, block + count);
    int64_t pieces = plan->row_chunks * plan->column_chunks;
    int64_t lanes = (chunk + 1) / pieces % plan->lane_chunks * plan->chunk_lanes;
    if (chunk + 1 >= plan->chunks || lanes <= c->lane0) return (SDX_FN(dense_ahead)){0};
    return SDX_FN(dense_weights_ahead)(plan, c, lanes, 0);
}

/// Gives a tile the next of the lines, and takes them off.
SDX_INLINE void SDX_FN(dense_look_ahead)(blocked_tile *t, SDX_FN(dense_ahead) * ahead, int64_t lines) {
    t->ahead = ahead->from;
    t->ahead_lines = ahead->lines > 0 ? lines : 0;
    int64_t taken = lines * t->blocks * (t->d.end - t->d.begin) * t->count;
    ahead->from += taken * 16;
    ahead->lines -= taken;
}

/// One panel of the piece over channel blocks [block, block + count).
static void SDX_FN(dense_panel)(
    const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, const float *x, float *sums, int64_t lane,
    int64_t block, int64_t count, SDX_FN(dense_ahead) ahead) {
    const sdx_conv_params *p = &plan->params;
    bool plain = plan->layout == SDX_CONV_C8_TO_PLAIN, in_scratch = plain || plan->together;
    int64_t lanes = SDX_FN(panel_lanes)(plan->m - lane), width = c->ow1 - c->ow0;
    SDX_FN(panel_tiles) kinds = SDX_FN(tiles_for)(lanes, lanes == plan->m);
    bool first = block == 0, last = block + count == plan->blocks;
    int64_t output = (c->image * p->k + c->group * plan->m + lane) * plan->pixels; // of the panel in y
    blocked_tile t = {
        .w = SDX_FN(dense_weights)(plan, c, lane, block),
        .offsets = plan->offsets, .blocks = count,
        .x_block = plan->direct ? plan->in_pixels * plan->unit : plan->rows.block,
        .w_block = plan->taps * plan->unit * lanes,
        .y_block = 8 * (in_scratch ? (c->oh1 - c->oh0) * width : plan->pixels),
        .plane = p->kernel[1] * p->kernel[2], .d = taps_inside(p, 0, c->od), .single = plan->pointwise,
    };
    if (first && plan->bias && !plain) t.bias = plan->bias + c->group * plan->m + lane;
    if (last && !plain) t.finish = SDX_FN(finish_of)(plan->activation, &t.low, &t.high);
    bool activates = last && !plain && !t.finish && plan->activation.kind != SDX_ACTIVATION_NONE;
    int64_t tiles = (width + kinds.most - 1) / kinds.most;
    int64_t together = plan->narrow && kinds.narrow && width <= kinds.most / 2 ? kinds.most / width : 1;
    int64_t pitch = plan->apart ? 16 : plan->unit, row_of_x = plan->apart ? p->in[2] * 8 : plan->rows.row;
    t.row_step = p->stride[1] * row_of_x;
    int64_t height = c->oh1 - c->oh0, calls = height * tiles;
    if (together > 1) calls = height / together + height % together * tiles;
    int64_t steps = calls * count * plan->taps;
    int64_t lines = steps > 0 ? (ahead.lines + steps - 1) / steps : 0; // for each block and tap of each tile
    for (int64_t oh = c->oh0, rows; oh < c->oh1; oh += rows) {
        rows = oh + together <= c->oh1 ? together : 1;
        tap_range h = taps_inside(p, 1, oh);
        if (rows > 1) h.begin = taps_inside(p, 1, oh + rows - 1).begin; // the last row begins first, and ends first
        t.first = h.begin * p->kernel[2];
        t.count = (h.end - h.begin) * p->kernel[2];
        if (plan->column && h.end - h.begin == 1) {
            t.first += plan->across.begin;
            t.count = plan->across.end - plan->across.begin;
        }
        const float *row = x + (oh - c->oh0) * t.row_step;
        if (plan->direct) row = x + (c->od * p->stride[0] * p->in[1] + oh * p->stride[1]) * row_of_x + c->ow0 * pitch;
        int64_t at = in_scratch ? (oh - c->oh0) * width : (c->od * p->out[1] + oh) * p->out[2] + c->ow0;
        float *y = (in_scratch ? sums + (lane - c->lane0) * (c->oh1 - c->oh0) * width : plan->y + output) + 8 * at;
        const float *from = plan->residual && !plain ? plan->residual + output + 8 * at : NULL;
        if (!first || (from && plan->together)) from = y;
        if (rows > 1) {
            t.x = row;
            t.y = y;
            t.from = from;
            SDX_FN(dense_look_ahead)(&t, &ahead, lines);
            kinds.narrow[width - 1](&t);
        }
        for (int64_t i = 0, pixel = 0; i < tiles && rows == 1; i++) {
            int64_t pixels = width / tiles + (i < width % tiles);
            t.x = row + pixel * pitch;
            t.y = y + pixel * 8;
            t.from = from ? from + pixel * 8 : NULL;
            bool row_ends = i + 1 == tiles, end = row_ends && oh + 1 == c->oh1, none = end && lane + lanes >= c->lane1;
            if (plan->direct && lane == 0)
                t.next_x = row_ends && plan->apart ? t.row_step - pixel * pitch : pixels * pitch;
            t.next = end ? lanes * plan->pixels - ((oh - c->oh0) * width + pixel) * 8 : pixels * 8;
            if (!first || !from || none) t.next = 0;
            SDX_FN(dense_look_ahead)(&t, &ahead, lines);
            if (plan->apart) kinds.apart[pixels - BLOCKED_LEAST_APART](&t);
            else kinds.tiles[pixels - 1][plan->unit == 1](&t);
            pixel += pixels;
        }
        if (activates)
            for (int64_t b = 0; b < lanes / 8; b++)
                SDX_FN(activate_values)(plan->activation, y + b * t.y_block, 8 * width * rows);
    }
}

/// All output channels of the piece by BlockedDot.h, over channel blocks [block, block + count).
static void SDX_FN(dense_dots)(
    const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, const float *x, float *sums, int64_t block,
    int64_t count) {
    const sdx_conv_params *p = &plan->params;
    int64_t width = c->ow1 - c->ow0, pixels = (c->oh1 - c->oh0) * width;
    for (int64_t k = 0, channels; k < plan->m; k += channels) {
        channels = SDX_FN(dot_panel)(plan->m - k);
        blocked_tile t = {
            .w = plan->packed + k * plan->channels * plan->taps + block * plan->taps * channels * 8,
            .offsets = plan->offsets, .blocks = count, .x_block = plan->direct ? plan->pixels * 8 : plan->rows.block,
            .w_block = plan->taps * channels * 8, .plane = p->kernel[1] * p->kernel[2], .d = taps_inside(p, 0, c->od),
        };
        for (int64_t oh = c->oh0; oh < c->oh1; oh++) {
            tap_range h = taps_inside(p, 1, oh);
            t.first = h.begin * p->kernel[2];
            t.count = (h.end - h.begin) * p->kernel[2];
            t.x = x + (plan->direct ? c->ow0 * 8 : (oh - c->oh0) * p->stride[1] * plan->rows.row);
            SDX_FN(dot_rows)[channels - 1](&t, sums + k * pixels + (oh - c->oh0) * width, pixels, width, block > 0);
        }
    }
}

/// Whether all panels of a piece take tiles of one size, and their weights stay in the first cache.
static bool SDX_FN(dense_takes_pixels)(const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c) {
    int64_t lanes = c->lane1 - c->lane0;
    bool same = BLOCKED_LANES != 16 || c->lane1 % 16 == 0; // where panels of 16 lanes are the widest, those of 8 differ
    return plan->direct && !plan->apart && plan->layout != SDX_CONV_C8_TO_PLAIN && plan->splits == 1 && same &&
           lanes > SDX_FN(panel_lanes)(plan->m - c->lane0) && lanes * plan->channels <= SDX_FN(near_weights);
}

/// A piece of a convolution that reads x itself, one tile of pixels after the other through all panels, so that x is
/// read once.
static void SDX_FN(dense_pixels)(const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, const float *x) {
    const sdx_conv_params *p = &plan->params;
    blocked_tile t = {
        .offsets = plan->offsets, .blocks = plan->blocks, .x_block = plan->pixels * plan->unit,
        .y_block = 8 * plan->pixels, .plane = 1, .first = 0, .count = 1, .d = {0, 1}, .single = true,
    };
    t.finish = SDX_FN(finish_of)(plan->activation, &t.low, &t.high);
    bool activates = !t.finish && plan->activation.kind != SDX_ACTIVATION_NONE;
    int64_t width = c->ow1 - c->ow0, tiles = (width + BLOCKED_MOST - 1) / BLOCKED_MOST;
    int64_t output = (c->image * p->k + c->group * plan->m) * plan->pixels + c->ow0 * 8; // of lane 0 in y
    for (int64_t i = 0, pixel = 0, pixels; i < tiles; i++, pixel += pixels) {
        pixels = width / tiles + (i < width % tiles);
        t.x = x + (c->ow0 + pixel) * plan->unit;
        for (int64_t lane = c->lane0, lanes; lane < c->lane1; lane += lanes) {
            lanes = SDX_FN(panel_lanes)(plan->m - lane);
            int64_t at = output + lane * plan->pixels + pixel * 8;
            t.w = SDX_FN(dense_weights)(plan, c, lane, 0);
            t.w_block = plan->unit * lanes;
            t.bias = plan->bias ? plan->bias + c->group * plan->m + lane : NULL;
            t.from = plan->residual ? plan->residual + at : NULL;
            t.y = plan->y + at;
            t.next_x = lane == c->lane0 && i + 1 < tiles ? pixels * 8 : 0;
            if (plan->residual)
                t.next = lane + lanes < c->lane1 ? lanes * plan->pixels
                         : i + 1 < tiles ? pixels * 8 - (lane - c->lane0) * plan->pixels : 0;
            SDX_FN(tiles_for)(lanes, false).tiles[pixels - 1][plan->unit == 1](&t);
            for (int64_t b = 0; activates && b < lanes / 8; b++)
                SDX_FN(activate_values)(plan->activation, t.y + b * t.y_block, 8 * pixels);
        }
    }
}

/// The outputs of a piece, in all lanes; whether there are any.
static bool SDX_FN(dense_piece_at)(const SDX_FN(dense_plan) * plan, int64_t piece, SDX_FN(dense_piece) * c) {
    const sdx_conv_params *p = &plan->params;
    int64_t column = piece % plan->column_chunks, rest = piece / plan->column_chunks;
    int64_t row = rest % plan->row_chunks;
    rest /= plan->row_chunks;
    c->od = rest % p->out[0];
    c->group = rest / p->out[0] % p->groups;
    c->image = rest / p->out[0] / p->groups;
    c->oh0 = row * plan->height;
    c->oh1 = c->oh0 + plan->height < p->out[1] ? c->oh0 + plan->height : p->out[1];
    c->ow0 = column * plan->width;
    c->ow1 = c->ow0 + plan->width < p->out[2] ? c->ow0 + plan->width : p->out[2];
    c->lane0 = 0;
    c->lane1 = plan->m;
    return c->oh0 < c->oh1 && c->ow0 < c->ow1;
}

/// Copies what the piece reads of channel blocks [block, block + count).
static void SDX_FN(dense_copy)(
    const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, int64_t block, int64_t count, float *to) {
    const sdx_conv_params *p = &plan->params;
    bool zeros = plan->narrow && c->ow1 - c->ow0 <= BLOCKED_MOST / 2;
    int64_t pixels = plan->in_pixels * plan->unit;
    const float *x = plan->x + (c->image * p->groups + c->group) * plan->channels * plan->in_pixels + block * pixels;
    for (; count > 0; count--, x += pixels, to += plan->rows.block) {
        if (plan->together) SDX_FN(images_copy)(plan, c, x, to);
        else if (plan->pointwise) blocked_gather(plan->original, plan->unit, x, c->ow0, c->ow1 - c->ow0, to);
        else blocked_copy_rows(p, &plan->rows, x, c->od, c->oh0, c->oh1, c->ow0, zeros, to);
    }
}

/// The copies that chunks share: some channels of one piece.
static void SDX_FN(dense_copy_chunk)(void *context, int64_t chunk, int worker) {
    (void)worker;
    const SDX_FN(dense_plan) *plan = context;
    SDX_FN(dense_piece) c;
    int64_t piece = chunk / plan->steps, block = chunk % plan->steps * plan->step_blocks;
    if (!SDX_FN(dense_piece_at)(plan, piece, &c)) return;
    int64_t count = plan->blocks - block < plan->step_blocks ? plan->blocks - block : plan->step_blocks;
    float *to = plan->workspace + (piece * plan->blocks + block) * plan->rows.block;
    SDX_FN(dense_copy)(plan, &c, block, count, to);
}

static void SDX_FN(dense_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(dense_plan) *plan = context;
    const sdx_conv_params *p = &plan->params;
    SDX_FN(dense_piece) c;
    int64_t pieces = plan->row_chunks * plan->column_chunks; // of an output slice
    int64_t lanes = chunk / pieces % plan->lane_chunks;
    int64_t piece = chunk / pieces / plan->lane_chunks * pieces + chunk % pieces;
    if (!SDX_FN(dense_piece_at)(plan, piece, &c)) return;
    c.lane0 = lanes * plan->chunk_lanes;
    c.lane1 = c.lane0 + plan->chunk_lanes < plan->m ? c.lane0 + plan->chunk_lanes : plan->m;

    float *space = plan->workspace + plan->shared_floats + worker * plan->worker_floats;
    float *sums = space + plan->copy_floats;
    const float *copied = plan->workspace + piece * plan->blocks * plan->rows.block; // where shared
    const float *x = plan->x + (c.image * p->groups + c.group) * plan->channels * plan->in_pixels;
    if (SDX_FN(dense_takes_pixels)(plan, &c)) {
        SDX_FN(dense_pixels)(plan, &c, x);
        return;
    }
    if (plan->together && plan->residual) SDX_FN(images_gather)(plan, &c, plan->residual, sums);
    for (int64_t s = 0; s < plan->splits; s++) {
        int64_t block = s * plan->split_blocks, count = plan->blocks - block;
        if (count > plan->split_blocks) count = plan->split_blocks;
        if (count < 0) count = 0;
        if (count == 0 && s > 0) break;
        const float *from = plan->direct ? x + block * plan->unit * plan->in_pixels
                            : plan->shared ? copied + block * plan->rows.block : space;
        if (!plan->direct && !plan->shared) SDX_FN(dense_copy)(plan, &c, block, count, space);
        if (plan->dots) SDX_FN(dense_dots)(plan, &c, from, sums, block, count);
        for (int64_t lane = c.lane0; lane < c.lane1 && !plan->dots; lane += SDX_FN(panel_lanes)(plan->m - lane))
            SDX_FN(dense_panel)(
                plan, &c, from, sums, lane, block, count, SDX_FN(dense_after)(plan, &c, chunk, lane, block, count));
    }
    if (plan->together) SDX_FN(images_scatter)(plan, &c, sums, plan->y);
    if (plan->layout != SDX_CONV_C8_TO_PLAIN) return;
    int64_t width = c.ow1 - c.ow0, pixels = (c.oh1 - c.oh0) * width;
    for (int64_t k = c.lane0; k < c.lane1 && k < p->k; k++)
        for (int64_t oh = c.oh0; oh < c.oh1; oh++) {
            int64_t at = (c.image * p->k + k) * plan->pixels + (c.od * p->out[1] + oh) * p->out[2] + c.ow0;
            const float *from = plan->dots ? sums + k * pixels + (oh - c.oh0) * width
                                           : sums + (k - c.lane0) / 8 * 8 * pixels + (oh - c.oh0) * width * 8 + k % 8;
            SDX_FN(finish_plain)(
                from, !plan->dots, plan->bias ? plan->bias[k] : 0, plan->residual ? plan->residual + at : NULL,
                plan->activation, plan->y + at, width);
        }
}

static void SDX_FN(dense_run)(
    sdx_pool *pool, const sdx_conv_params *p, sdx_conv_layout layout, const float *x, const float *packed,
    const float *bias, const float *residual, float *y, float *workspace) {
    SDX_FN(dense_plan) plan = SDX_FN(plan_dense)(p, layout);
    if (plan.chunks == 0) return;
    plan.x = x;
    plan.packed = packed;
    plan.bias = bias;
    plan.residual = residual;
    plan.y = y;
    plan.workspace = workspace + plan.offset_floats;
    int64_t *offsets = (int64_t *)(void *)workspace;
    if (plan.direct) offsets[0] = 0;
    else if (plan.together)
        for (int64_t tap = 0; tap < plan.taps; tap++) offsets[tap] = tap * plan.width * 8;
    else blocked_offsets(&plan.params, &plan.rows, offsets);
    plan.offsets = offsets;
    if (plan.shared) sdx_parallel_for(pool, plan.pieces * plan.steps, SDX_FN(dense_copy_chunk), &plan);
    sdx_parallel_for(pool, plan.chunks, SDX_FN(dense_chunk), &plan);
}
