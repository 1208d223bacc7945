/// How a Winograd convolution is cut, in one ISA pass; after WinogradProduct.h. No include guard. By shape alone.
///
/// A tile is m × m outputs of a plane. Its 36 (16) transformed values for all channels are a row of as many matrices, with
/// stride 2 its 81 (25).
/// The products of a block of rows with a panel of output channels are transformed back while they are in the cache.
///
/// Large maps: a chunk is a block of rows through a range of depths. It holds the transformed slices that an output
/// slice needs in a ring, in scratch of the worker. Small maps: all slices are transformed first, into memory that all
/// share; then a chunk is a block of rows by one panel, so that the weights, then the larger part, are read once. Where
/// the transformed input exceeds the cache, a chunk is all products of one point instead, so that it is read once too;
/// then all are transformed back. Volumes whose transformed input would take much memory go through this several times,
/// some levels at a time.

/// The cache that a block of rows shall fit, in bytes.
#undef WINO_CACHE_BYTES
#define WINO_CACHE_BYTES (512 * 1024)
/// Chunks enough to balance the threads of a device.
#undef WINO_ENOUGH_CHUNKS
#define WINO_ENOUGH_CHUNKS 8
/// The most rows of a chunk where the transformed input is shared.
#undef WINO_SHARED_ROWS
#define WINO_SHARED_ROWS 64
/// The most transformed input that all share at a time, in bytes: weights are read again for each part of a volume.
#undef WINO_SHARED_BYTES
#define WINO_SHARED_BYTES (4 << 20)
/// The fewest output slices of a range of depths: each range transforms two slices again.
#undef WINO_LEAST_DEPTH
#define WINO_LEAST_DEPTH 8

typedef struct {
    const sdx_conv_params *p;
    const float *x, *packed, *bias, *residual;
    float *y, *workspace;
    bool streamed;             // y, past the caches
    winograd_form form;
    bool strided;              // by 2 in the plane
    int64_t stride, edge;      // in the plane; pixels of a window's row
    int64_t plane_points;      // (m + 2)², strided (m + 1)²
    winograd_phases phases;    // of the points
    int64_t values, matrices;  // of a plane's points: of the transformed input, of weights
    // Of a window in x that begins at each of the times that its first row (column) repeats; with these the window's
    // rows (columns) are so many floats from its first one.
    // With stride 2 windows that repeat are copied, and these are not asked.
    int64_t window_rows[WINO_MOST_REPEATS][6], window_columns[WINO_MOST_REPEATS][6];
    int64_t patch_rows[6], patch_columns[6], zero_rows[6]; // of a patch, and of zeros
    uint32_t deep, high, wide;  // how often a pixel of x repeats
    bool repeats;               // in a plane
    int64_t row, slice, block;  // floats of x from a row to the next, between slices, between blocks of channels
    int64_t factors;           // taps in depth, or the four points of form.deep
    int64_t pitch, levels;     // output slices made at once (1 or 2), and how often
    int64_t deep_stride;       // in depth
    int64_t groups;            // of slices with `shared`: by their place modulo the stride in depth
    int64_t across, tiles;     // tiles in a row of tiles, in a plane
    int64_t steps, panels;     // of WINO_CB input channels, of WINO_LANES output channels
    int64_t run, joined;       // channels of a sum in registers, whole steps, and products (of few channels)
    int shared;
    int64_t rows;              // of outputs: the tiles of a plane of each image, with `shared` of all levels of a part
    int64_t blocks, ranges;    // of rows, of levels
    int64_t parts;             // of the levels, with `shared` and form.deep; one after the other
    int64_t image, level;      // where a part begins
    int64_t part_images, part_levels;
    int64_t slices;            // of an image with `shared`: levels with form.deep, else a group's input slices with the padding
    int64_t v_rows;            // rows of a slice in the ring, or of everything
    int64_t v_plane, m_plane;  // floats between the values of two points
    int64_t kept_rows;         // rows of the ring of plane-transformed slices, form.deep only
    int64_t kept_plane;
    int by_point;              // with `shared`: chunks of products are points
    int64_t products;          // floats of the products of one panel
    int64_t v_floats;          // of the transformed input, with `shared`
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

SDX_INLINE int64_t SDX_FN(wino_ceil)(int64_t a, int64_t b) { return a / b + (a % b != 0); }

/// Floats from a window's first pixel to each of `edge`, which repeat, `apart` floats lying between two of x.
static void SDX_FN(wino_window_reach)(int64_t repeats, int64_t edge, int64_t apart, int64_t reach[][6]) {
    for (int64_t first = 0; first < repeats; first++)
        for (int64_t i = 0; i < edge; i++) reach[first][i] = (first + i) / repeats * apart;
}

/// The parts that n levels are cut into to have `wanted` parts, each of WINO_LEAST_DEPTH output slices at least.
static int64_t SDX_FN(wino_ranges)(const SDX_FN(wino_plan) * plan, int64_t wanted) {
    int64_t most = plan->part_levels * plan->pitch / WINO_LEAST_DEPTH;
    return most < 1 ? 1 : most < wanted ? most : wanted;
}

static SDX_FN(wino_plan) SDX_FN(plan_wino)(const sdx_conv_params *p, sdx_winograd_form chosen) {
    SDX_FN(wino_plan) plan = {.p = p, .form = winograd_form_of(chosen), .ranges = 1, .parts = 1};
    const int m = plan.form.m, deep = plan.form.deep;
    plan.strided = p->stride[1] == 2;
    plan.stride = p->stride[1];
    plan.deep_stride = p->stride[0];
    plan.edge = plan.strided ? 2 * m + 1 : m + 2;
    plan.plane_points = plan.strided ? (m + 1) * (m + 1) : (m + 2) * (m + 2);
    plan.phases = winograd_phases_of(m, plan.strided);
    plan.values = plan.phases.values[plan.plane_points];
    plan.matrices = plan.phases.matrices[plan.plane_points];
    plan.deep = (uint32_t)repeats_along(p, 0);
    plan.high = (uint32_t)repeats_along(p, 1);
    plan.wide = (uint32_t)repeats_along(p, 2);
    plan.repeats = plan.high > 1 || plan.wide > 1;
    plan.row = stored_along(p, 2) * 8;
    plan.slice = stored_along(p, 1) * plan.row;
    plan.block = stored_along(p, 0) * plan.slice;
    SDX_FN(wino_window_reach)(plan.high, m + 2, plan.row, plan.window_rows);
    SDX_FN(wino_window_reach)(plan.wide, m + 2, 8, plan.window_columns);
    SDX_FN(wino_window_reach)(1, m + 2, (m + 2) * 8, &plan.patch_rows);
    SDX_FN(wino_window_reach)(1, m + 2, 8, &plan.patch_columns);
    plan.factors = deep ? 4 : p->kernel[0];
    plan.pitch = deep ? 2 : 1;
    plan.groups = plan.deep_stride < plan.factors ? plan.deep_stride : plan.factors;
    plan.levels = SDX_FN(wino_ceil)(p->out[0], plan.pitch);
    plan.across = SDX_FN(wino_ceil)(p->out[2], m);
    plan.tiles = SDX_FN(wino_ceil)(p->out[1], m) * plan.across;
    plan.steps = SDX_FN(wino_ceil)(p->c, WINO_CB);
    plan.panels = SDX_FN(wino_ceil)(p->k, WINO_LANES);
    int64_t runs = p->c <= WINO_TERMS ? 1 : SDX_FN(wino_ceil)(p->c, WINO_TERMS);
    plan.run = SDX_FN(wino_ceil)(plan.steps, runs < WINO_RUNS ? runs : WINO_RUNS) * WINO_CB;
    plan.joined = p->c * plan.factors <= WINO_TERMS ? plan.factors : p->c * 2 <= WINO_TERMS && !deep ? 2 : 1;
    if (plan.strided) plan.joined = p->c * 2 <= WINO_TERMS && p->c > 0 ? WINO_TERMS / p->c : 1;
    if (plan.tiles == 0 || p->n == 0 || p->k == 0 || p->out[0] == 0) return plan;

    plan.part_images = p->n;
    plan.part_levels = plan.levels;

    int64_t c = plan.steps * WINO_CB, parts;
    int64_t row_floats =
        plan.values * (plan.factors + (deep ? 2 : 0)) * c + plan.plane_points * plan.pitch * WINO_LANES;
    int64_t most = WINO_CACHE_BYTES / (int64_t)sizeof(float) / row_floats / WINO_MR;
    most = most < 1 ? WINO_MR : most > 4 ? 4 * WINO_MR : most * WINO_MR;
    plan.rows = p->n * plan.tiles;
    plan.blocks = SDX_FN(wino_ceil)(plan.rows, most);
    if (plan.blocks < WINO_ENOUGH_CHUNKS) { // fewer rows in a block, or several ranges of depths
        parts = SDX_FN(wino_ceil)(plan.rows, WINO_MR);
        plan.blocks = parts < WINO_ENOUGH_CHUNKS ? parts : WINO_ENOUGH_CHUNKS;
        plan.ranges = SDX_FN(wino_ranges)(&plan, SDX_FN(wino_ceil)(WINO_ENOUGH_CHUNKS, plan.blocks));
    }
    plan.shared = plan.blocks * plan.ranges < WINO_ENOUGH_CHUNKS;
    if (plan.shared) {
        int64_t more = deep ? 0 : (plan.factors - 1) / plan.deep_stride; // slices of a group than levels
        plan.slices = plan.levels + more;
        if (deep) {
            int64_t level = plan.plane_points * 4 * c * plan.tiles * (int64_t)sizeof(float);
            int64_t wanted = p->n * plan.levels * level / WINO_SHARED_BYTES;
            if (wanted >= 2) {
                // Parts of one image each.
                plan.parts = SDX_FN(wino_ceil)(plan.levels * level, WINO_SHARED_BYTES);
                if (plan.parts > plan.levels) plan.parts = plan.levels;
                plan.part_images = 1;
                plan.part_levels = SDX_FN(wino_ceil)(plan.levels, plan.parts);
            }
        }
        plan.v_rows = plan.part_images * (deep ? plan.part_levels : plan.slices) * plan.tiles;
        plan.rows = plan.v_rows - more * plan.tiles; // the last slices begin none
        plan.v_rows *= plan.groups;
        parts = SDX_FN(wino_ceil)(plan.rows, WINO_MR);
        int64_t enough = WINO_ENOUGH_CHUNKS / plan.panels;
        plan.blocks = SDX_FN(wino_ceil)(plan.rows, WINO_SHARED_ROWS);
        if (plan.blocks < enough) plan.blocks = enough < parts ? enough : parts;
        // Here the transform goes through the ranges of levels, for one step of channels.
        plan.ranges =
            deep ? SDX_FN(wino_ranges)(&plan, SDX_FN(wino_ceil)(WINO_ENOUGH_CHUNKS, plan.steps * plan.part_images)) : 1;
    }
    int64_t block = SDX_FN(wino_ceil)(plan.rows, plan.blocks);
    if (!plan.shared) plan.v_rows = block;
    plan.v_plane = SDX_FN(wino_plane)(plan.v_rows * c);
    if (plan.shared) {
        plan.v_floats = plan.values * plan.v_plane * (deep ? 4 : 1);
        plan.by_point = plan.v_floats > WINO_CACHE_BYTES / (int64_t)sizeof(float) && plan.panels > 1;
    }
    plan.m_plane = SDX_FN(wino_plane)((plan.by_point ? plan.rows : block) * WINO_LANES);
    plan.products = plan.plane_points * plan.pitch * plan.m_plane;
    plan.kept_rows = plan.shared ? plan.tiles : block;
    plan.kept_plane = deep ? SDX_FN(wino_plane)(plan.shared ? plan.tiles * WINO_CB : block * c) : 0;
    plan.worker_floats = plan.plane_points * 2 * plan.kept_plane + (plan.by_point ? 0 : plan.products);
    if (plan.shared) plan.shared_floats = plan.v_floats + (plan.by_point ? plan.panels * plan.products : 0);
    else plan.worker_floats += plan.values * plan.v_plane * plan.factors;
    return plan;
}
