/// How a channel-blocked convolution that sums over input channels is cut, in one ISA pass; after BlockedTiles.h. No
/// include guard. By shape alone.
///
/// A chunk is a rectangle of outputs (one depth, rows, columns) by a range of output channels of one image and group.
/// Its input rows are copied to scratch first (BlockedRows.h), those of chunks that differ in their output channels
/// alone once for all of them; a pointwise convolution without stride or padding reads x itself, its pixels as one long
/// row, and one with stride 2 along W too where its rows fill tiles. Channels are split so that a panel's weights and
/// the copied rows stay in L2; the sums go through y between the splits. A plain y is summed in scratch and transposed
/// at the end. Images of one output each are one row of pixels (BlockedImages.h).

typedef struct {
    sdx_conv_params params;  // with the outputs as one row where pointwise
    const sdx_conv_params *original;
    sdx_activation activation;
    sdx_conv_layout layout;
    const float *x, *packed, *bias, *residual;
    float *y, *workspace;
    const int64_t *offsets;
    bool pointwise, direct; // one tap; and it reads x itself
    bool apart;             // direct, every other pixel of rows that are not cut
    bool narrow;            // several output rows share a tile
    bool together;          // the pixels are images of one output each
    bool column;            // an output row has one pixel, which meets the taps `across` alone
    tap_range across;
    bool dots;              // few plain output channels (BlockedDot.h)
    int64_t unit, channels, m; // channels of an input block, of a group's input, of its output
    int64_t blocks, panels;    // of a group
    int64_t taps, pixels, in_pixels;
    int64_t split_blocks, splits;
    int64_t height, width, row_chunks, column_chunks, chunk_lanes, lane_chunks;
    blocked_rows rows;
    bool shared;               // the copies are made first, for all chunks
    int64_t pieces;            // chunks that differ in more than their output channels
    int64_t step_blocks, steps; // of channels, that one thread copies of a piece
    int64_t offset_floats, copy_floats, shared_floats, worker_floats;
    int64_t chunks;
} SDX_FN(dense_plan);

typedef struct {
    int64_t image, group, od, oh0, oh1, ow0, ow1, lane0, lane1;
} SDX_FN(dense_piece);

enum {
    SDX_FN(copy_budget) = 49152,   // floats of copied rows
    SDX_FN(weight_budget) = 32768, // floats of a panel's weights in one split
    SDX_FN(near_weights) = 6144,   // floats of weights that the first cache holds besides the pixels
    SDX_FN(shared_budget) = 1 << 20, // floats of copied rows that all chunks share
};

/// Whether tiles read every other pixel of x: rows that nearly fill them, and panels all of which are the widest.
static bool SDX_FN(reads_apart)(const SDX_FN(dense_plan) * plan) {
    const sdx_conv_params *p = &plan->params;
    if (!plan->pointwise || plan->layout != SDX_CONV_C8_TO_C8 || plan->m % BLOCKED_LANES) return false;
    if (p->stride[2] != 2 || repeats_pixels(p)) return false;
    for (int i = 0; i < 3; i++)
        if (p->in[i] < 1 || p->pad_begin[i] != 0 || p->out[i] - 1 > (p->in[i] - 1) / p->stride[i]) return false;
    int64_t width = p->out[2], tiles = (width + BLOCKED_MOST - 1) / BLOCKED_MOST;
    return width <= 8 * BLOCKED_MOST && width / BLOCKED_LEAST_APART >= tiles;
}

/// The copied rows that `height` × `width` outputs read.
static blocked_rows SDX_FN(dense_rows)(const SDX_FN(dense_plan) * plan, int64_t height, int64_t width) {
    if (!plan->together) return blocked_rows_for(&plan->params, plan->unit, height, width);
    return (blocked_rows){.unit = 8, .block = blocked_product(plan->taps, blocked_product(width, 8))};
}

static SDX_FN(dense_plan) SDX_FN(plan_dense)(const sdx_conv_params *original, sdx_conv_layout layout) {
    SDX_FN(dense_plan) plan = {
        .params = *original, .original = original, .activation = original->activation, .layout = layout};
    sdx_conv_params *p = &plan.params;
    plan.unit = layout == SDX_CONV_PLAIN_TO_C8 ? 1 : 8;
    plan.channels = p->c / p->groups;
    plan.dots = layout == SDX_CONV_C8_TO_PLAIN && p->k <= BLOCKED_MOST_DOTS;
    plan.m = plan.dots ? p->k : (p->k / p->groups + 7) / 8 * 8;
    plan.blocks = plan.channels / plan.unit;
    plan.panels = plan.dots ? 1 : (plan.m + BLOCKED_LANES - 1) / BLOCKED_LANES;
    plan.taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    plan.pixels = p->out[0] * p->out[1] * p->out[2];
    plan.in_pixels = stored_pixels(p);
    plan.pointwise = plan.direct = plan.taps == 1;
    for (int i = 0; i < 3; i++)
        if (p->stride[i] != 1 || p->pad_begin[i] != 0 || p->in[i] != p->out[i]) plan.direct = false;
    bool splits_by_weights = plan.direct; // repeated pixels as well, whose sums are to have the same bits
    if (repeats_pixels(p)) plan.direct = false;
    plan.column = !plan.pointwise && p->out[2] == 1;
    plan.across = taps_inside(p, 2, 0);
    plan.together = layout == SDX_CONV_C8_TO_C8 && p->groups == 1 && plan.pixels == 1 && p->n > 1 && !repeats_pixels(p);
    if (plan.together) {
        plan.direct = false;
        plan.pixels = p->out[2] = p->n;
        p->n = 1;
    }
    plan.apart = !plan.together && SDX_FN(reads_apart)(&plan);
    plan.direct |= plan.apart;
    splits_by_weights |= plan.apart;
    if (plan.pointwise && !plan.apart) {
        for (int i = 0; i < 3; i++) {
            p->stride[i] = p->dilation[i] = 1;
            p->pad_begin[i] = p->repeats[i] = 0;
            p->in[i] = p->out[i] = i == 2 ? plan.pixels : 1;
        }
    }
    plan.offset_floats = (2 * plan.taps + 15) / 16 * 16;
    if (plan.pixels == 0 || plan.m == 0 || p->n == 0) return plan;

    const int64_t most = 14;
    // Columns and rows of one block of channels that fit half the budget, then the splits, then as many rows as fit.
    int64_t width = p->out[2], height = 1;
    while (!plan.apart && width > 4 * most &&
           SDX_FN(dense_rows)(&plan, 1, width).block > SDX_FN(copy_budget) / 2)
        width = (width + 1) / 2;
    int64_t split = SDX_FN(weight_budget) / blocked_product(plan.taps, plan.unit * BLOCKED_LANES);
    if (split > plan.blocks) split = plan.blocks;
    while (plan.pointwise && width > 8 * most && blocked_product(width, split * plan.unit) > SDX_FN(copy_budget))
        width = (width + 1) / 2;
    int64_t one = SDX_FN(dense_rows)(&plan, 1, width).block;
    if (split > SDX_FN(copy_budget) / (one + 1) && !splits_by_weights) split = SDX_FN(copy_budget) / (one + 1);
    if (split < 1) split = 1;
    plan.splits = plan.blocks > 0 ? (plan.blocks + split - 1) / split : 1;
    plan.split_blocks = (plan.blocks + plan.splits - 1) / plan.splits;
    while (height < p->out[1] && blocked_product(SDX_FN(dense_rows)(&plan, height + 1, width).block,
                                                 plan.split_blocks) <= SDX_FN(copy_budget))
        height++;

    // Chunks enough for the threads: first by rows, while a chunk has pixels to reuse the weights for (fewer where all
    // weights stay in L2), then by output channels, whose chunks share their copies, then by the rest.
    // Work is in multiply-adds; where pixels are few, weights that come from memory take longer.
    double weights = (double)p->k * plan.channels * plan.taps, reuse = (double)p->n * plan.pixels;
    bool light = blocked_product(plan.channels * plan.taps, plan.m) < 4 * SDX_FN(copy_budget);
    int64_t images = p->n * p->groups * p->out[0], lane_chunks = 1;
    for (int step = 0; step < 3;) {
        int64_t chunks = blocked_product(
            images, ((p->out[1] + height - 1) / height) * ((p->out[2] + width - 1) / width));
        chunks = blocked_product(chunks, lane_chunks);
        double work = weights * (reuse < 16 ? 16 : reuse) / (double)chunks;
        if (chunks >= 16 || work < 1e6) break;
        int64_t least = step > 0 ? most : light ? 2 * most : 16 * most;
        if (step == 1) {
            int64_t wanted = (16 + chunks - 1) / chunks;
            while (wanted > 1 && work / (double)wanted < 5e5) wanted--;
            lane_chunks = plan.panels < wanted ? plan.panels : wanted;
            step++;
        } else if (height * width >= 2 * least && height > 1) {
            height = (height + 1) / 2;
        } else if (height * width >= 2 * least && width >= 2 * most && !plan.apart) {
            width = (width + 1) / 2;
        } else {
            step++;
        }
    }
    plan.row_chunks = (p->out[1] + height - 1) / height;
    plan.height = (p->out[1] + plan.row_chunks - 1) / plan.row_chunks;
    plan.column_chunks = (p->out[2] + width - 1) / width;
    plan.width = (p->out[2] + plan.column_chunks - 1) / plan.column_chunks;
    plan.chunk_lanes = (plan.panels + lane_chunks - 1) / lane_chunks * BLOCKED_LANES; // 8 at least, as many as dots
    plan.lane_chunks = (plan.m + plan.chunk_lanes - 1) / plan.chunk_lanes;
    plan.pieces = images * plan.row_chunks * plan.column_chunks;
    plan.chunks = plan.pieces * plan.lane_chunks;
    plan.narrow = plan.unit == 8 && !plan.pointwise && !plan.together && plan.column_chunks == 1;
    plan.rows = SDX_FN(dense_rows)(&plan, plan.height, plan.width);
    plan.copy_floats = plan.direct ? 0 : blocked_product(plan.rows.block, plan.split_blocks);
    plan.copy_floats = (plan.copy_floats + 15) / 16 * 16;
    int64_t all = blocked_product(blocked_product(plan.rows.block, plan.blocks), plan.pieces);
    plan.shared = !plan.direct && plan.lane_chunks > 1 && plan.blocks > 0 && all <= SDX_FN(shared_budget);
    if (plan.shared) {
        plan.shared_floats = (all + 15) / 16 * 16;
        plan.copy_floats = 0;
        plan.step_blocks = (plan.blocks + 15) / 16;
        plan.steps = (plan.blocks + plan.step_blocks - 1) / plan.step_blocks;
    }
    plan.worker_floats = plan.copy_floats;
    if (layout == SDX_CONV_C8_TO_PLAIN || plan.together)
        plan.worker_floats += blocked_product(blocked_product(plan.height, plan.width), plan.chunk_lanes);
    return plan;
}
