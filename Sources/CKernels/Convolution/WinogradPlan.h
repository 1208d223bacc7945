/// How a Winograd convolution is cut, in one ISA pass; after WinogradProduct.h. No include guard. By shape alone.
///
/// A tile is m × m outputs of a plane. Its 36 (16) transformed values for all channels are a row of as many matrices.
/// The products of a block of rows with a panel of output channels are transformed back while they are in the cache.
///
/// Large maps: a chunk is a block of rows through a range of depths. It holds the transformed slices that an output
/// slice needs in a ring, in scratch of the worker. Small maps: all slices are transformed first, into memory that all share;
/// then a chunk is a block of rows by one panel, so that the weights, then the larger part, are read once.

/// The cache that a block of rows shall fit, in bytes.
#undef WINO_CACHE_BYTES
#define WINO_CACHE_BYTES (512 * 1024)
/// Chunks enough to balance the threads of a device.
#undef WINO_ENOUGH_CHUNKS
#define WINO_ENOUGH_CHUNKS 8
/// The most rows of a chunk where the transformed input is shared.
#undef WINO_SHARED_ROWS
#define WINO_SHARED_ROWS 64
/// The fewest output slices of a range of depths: each range transforms two slices again.
#undef WINO_LEAST_DEPTH
#define WINO_LEAST_DEPTH 8

typedef struct {
    const sdx_conv_params *p;
    const float *x, *packed, *bias, *residual;
    float *y, *workspace;
    int m;
    int64_t points;           // (m + 2)²
    int64_t across, tiles;    // tiles in a row of tiles, in a plane
    int64_t steps, panels;    // of WINO_CB input channels, of WINO_LANES output channels
    int shared;
    int64_t rows;             // of outputs: the tiles of a plane of each image, with `shared` of all slices
    int64_t blocks, depths;   // of rows, of output slices
    int64_t slices;           // of the ring, or of an image with `shared`
    int64_t v_rows;           // rows of a slice in the ring, or of everything
    int64_t v_plane, m_plane; // floats between the values of two points
    int64_t shared_floats, worker_floats;
} SDX_FN(wino_plan);

/// Floats between planes of n: whole cache lines, and an odd number of them, so that the lines of one row in all planes
/// fall into different sets of the cache.
SDX_INLINE int64_t SDX_FN(wino_plane)(int64_t n) {
    int64_t lines = (n + 15) / 16;
    return (lines | 1) * 16;
}

SDX_INLINE int64_t SDX_FN(wino_start)(int64_t total, int64_t parts, int64_t part) {
    int64_t extra = total % parts;
    return part * (total / parts) + (part < extra ? part : extra);
}

static SDX_FN(wino_plan) SDX_FN(plan_wino)(const sdx_conv_params *p) {
    SDX_FN(wino_plan) plan = {.p = p, .m = winograd_tile(p), .depths = 1};
    plan.points = (plan.m + 2) * (plan.m + 2);
    plan.across = (p->out[2] + plan.m - 1) / plan.m;
    plan.tiles = (p->out[1] + plan.m - 1) / plan.m * plan.across;
    plan.steps = (p->c + WINO_CB - 1) / WINO_CB;
    plan.panels = (p->k + WINO_LANES - 1) / WINO_LANES;
    if (plan.tiles == 0 || p->n == 0 || p->k == 0 || p->out[0] == 0) return plan;

    int64_t c = plan.steps * WINO_CB, row_floats = plan.points * (p->kernel[0] * c + WINO_LANES);
    int64_t most = WINO_CACHE_BYTES / (int64_t)sizeof(float) / row_floats / WINO_MR;
    most = most < 1 ? WINO_MR : most > 4 ? 4 * WINO_MR : most * WINO_MR;
    plan.rows = p->n * plan.tiles;
    plan.slices = p->kernel[0];
    plan.blocks = (plan.rows + most - 1) / most;
    if (plan.blocks < WINO_ENOUGH_CHUNKS) { // fewer rows in a block, or several ranges of depths
        int64_t parts = (plan.rows + WINO_MR - 1) / WINO_MR;
        plan.blocks = parts < WINO_ENOUGH_CHUNKS ? parts : WINO_ENOUGH_CHUNKS;
        int64_t depths = (WINO_ENOUGH_CHUNKS + plan.blocks - 1) / plan.blocks;
        plan.depths = p->out[0] / WINO_LEAST_DEPTH < 1 ? 1 : p->out[0] / WINO_LEAST_DEPTH;
        if (plan.depths > depths) plan.depths = depths;
    }
    plan.shared = plan.blocks * plan.depths < WINO_ENOUGH_CHUNKS;
    if (plan.shared) {
        plan.depths = 1;
        plan.slices = p->out[0] + p->kernel[0] - 1;
        plan.v_rows = p->n * plan.slices * plan.tiles;
        plan.rows = plan.v_rows - (p->kernel[0] - 1) * plan.tiles; // of outputs: the last slices begin none
        int64_t parts = (plan.rows + WINO_MR - 1) / WINO_MR, enough = WINO_ENOUGH_CHUNKS / plan.panels;
        plan.blocks = (plan.rows + WINO_SHARED_ROWS - 1) / WINO_SHARED_ROWS;
        if (plan.blocks < enough) plan.blocks = enough < parts ? enough : parts;
    }
    int64_t block = (plan.rows + plan.blocks - 1) / plan.blocks;
    if (!plan.shared) plan.v_rows = block;
    plan.v_plane = SDX_FN(wino_plane)(plan.v_rows * c);
    plan.m_plane = SDX_FN(wino_plane)(block * WINO_LANES);
    plan.worker_floats = plan.points * plan.m_plane;
    if (plan.shared) plan.shared_floats = plan.points * plan.v_plane;
    else plan.worker_floats += plan.slices * plan.points * plan.v_plane;
    return plan;
}
