/// Winograd's convolution along rows, in one ISA pass; after BlockedDense.h. No include guard.
///
/// A row's taps are cut into two parts of at most four: with stride 2 the even and the odd ones, which meet a stream
/// of even and one of odd pixels; with stride 1 the first four and the rest, which meets the same stream a tile further.
/// F(4, 4) makes four outputs of a part from seven pixels: y = Aᵀ[(G w) ⊙ (Bᵀ x)] at the points ±0.35, ±0.9, ±1.75 and
/// infinity, where a part of three taps has no value. At each point the products are a convolution of the transformed
/// rows with the kernel's slices and rows and the parts as columns, whose results add up: BlockedTile.h makes it.

typedef struct {
    const sdx_conv_params *p;
    const float *x, *packed, *bias, *residual;
    float *y, *rows, *scratch;
    int64_t *offsets;            // of the taps: at finite points, then at infinity
    int64_t at_infinity;         // parts of a row of taps that have four, which come first
    int64_t streams, tiles, places; // of a row: of pixels, of y, of a transformed stream
    int64_t row, plane;          // floats of a transformed row, of a point's rows
    int64_t taps;                // slices times rows of the kernel
    int64_t height, row_chunks;  // output rows of a chunk, and chunks down an output slice
    int64_t width, column_chunks; // tiles of a row of a chunk, and chunks across
    int64_t offset_floats, row_floats, worker_floats;
    int64_t points;
} SDX_FN(rows_plan);

enum {
    SDX_FN(rows_budget) = 112,  // tiles of a chunk, about
    SDX_FN(rows_transformed) = 16 // rows of a chunk of the transform
};

static SDX_FN(rows_plan) SDX_FN(plan_rows)(const sdx_conv_params *p) {
    SDX_FN(rows_plan) plan = {.p = p, .streams = p->stride[2], .taps = p->kernel[0] * p->kernel[1]};
    plan.at_infinity = winograd_rows_at_infinity(p);
    plan.points = ROWS_POINTS - (plan.at_infinity == 0);
    plan.tiles = (p->out[2] + ROWS_TILE - 1) / ROWS_TILE;
    plan.places = plan.tiles + (plan.streams == 1);
    plan.row = plan.streams * plan.places;
    plan.plane = p->n * p->c * p->in[0] * p->in[1] * plan.row;
    plan.offset_floats = (2 * (ROWS_PARTS + plan.at_infinity) * plan.taps + 15) / 16 * 16;
    if (p->n == 0 || p->k == 0 || p->out[0] == 0 || p->out[1] == 0 || p->out[2] == 0) return plan;
    // Chunks enough for the threads: of few rows, then of tiles that a register tile still holds.
    int64_t slices = p->n * p->out[0];
    plan.column_chunks = (plan.tiles + SDX_FN(rows_budget) - 1) / SDX_FN(rows_budget);
    while (slices * p->out[1] * plan.column_chunks < 16 && plan.tiles / (2 * plan.column_chunks) >= BLOCKED_MOST)
        plan.column_chunks *= 2;
    plan.width = (plan.tiles + plan.column_chunks - 1) / plan.column_chunks;
    plan.column_chunks = (plan.tiles + plan.width - 1) / plan.width;
    plan.height = (SDX_FN(rows_budget) + plan.width - 1) / plan.width;
    while (plan.height > 1 && slices * plan.column_chunks * ((p->out[1] + plan.height - 1) / plan.height) < 16)
        plan.height = (plan.height + 1) / 2;
    plan.row_chunks = (p->out[1] + plan.height - 1) / plan.height;
    plan.height = (p->out[1] + plan.row_chunks - 1) / plan.row_chunks;
    // Taps outside the input stand in front of it and are not read.
    int64_t front = (p->pad_begin[0] * p->in[1] + p->pad_begin[1]) * plan.row;
    plan.row_floats = (front + plan.points * plan.plane + 15) / 16 * 16;
    int64_t products = plan.points * plan.height * plan.width * BLOCKED_LANES + 16;
    int64_t residues = plan.streams * ROWS_TILE * (plan.places + 2 + SDX_V);
    plan.worker_floats = ((products > residues ? products : residues) + 15) / 16 * 16;
    return plan;
}

#define ROWS_A 0.35
#define ROWS_B 0.9
#define ROWS_C 1.75

/// The weights of a part at a finite point: Σ g[j] · pointʲ over the derivative of the points' polynomial there.
static double SDX_FN(rows_weight)(const double g[ROWS_PART], int point) {
    static const double all[6] = {ROWS_A, -ROWS_A, ROWS_B, -ROWS_B, ROWS_C, -ROWS_C};
    double at = all[point], value = g[0] + at * (g[1] + at * (g[2] + at * g[3])), slope = 1;
    for (int i = 0; i < 6; i++)
        if (i != point) slope *= at - all[i];
    return value / slope;
}

/// [panel][point][c][slice][row][part][lane]; at infinity only the parts that have four taps.
static void SDX_FN(rows_pack)(const sdx_conv_params *p, const sdx_unaligned_f32 *w, float *packed) {
    const int64_t columns = p->kernel[2], stride = p->stride[2], terms = p->c * p->kernel[0] * p->kernel[1];
    const int at_infinity = winograd_rows_at_infinity(p), points = ROWS_POINTS - (at_infinity == 0);
    for (int64_t lane = 0, lanes; lane < p->k; lane += lanes) {
        lanes = SDX_FN(panel_lanes)(p->k - lane);
        for (int point = 0; point < points; point++)
            for (int64_t term = 0; term < terms; term++)
                for (int64_t part = 0; part < (point < 6 ? ROWS_PARTS : at_infinity); part++)
                    for (int64_t l = 0; l < lanes; l++) {
                        double g[ROWS_PART] = {0};
                        for (int64_t j = 0; j < winograd_rows_taps(columns, stride, part); j++)
                            g[j] = w[((lane + l) * terms + term) * columns +
                                     (stride == 2 ? 2 * j + part : ROWS_PART * part + j)];
                        *packed++ = (float)(point < 6 ? SDX_FN(rows_weight)(g, point) : g[3]);
                    }
    }
}

/// Writes the transformed streams of a row of x: the value of point i goes to `to` + i · plane.
static void SDX_FN(rows_transform)(const SDX_FN(rows_plan) * plan, const float *x, float *residues, float *to) {
    const sdx_conv_params *p = plan->p;
    // Pixel i of a stream at residue i % 4 and place i / 4; those beyond the row are zeros.
    int64_t length = plan->places + 2 + SDX_V, stream = ROWS_TILE * length, width = p->in[2], pad = p->pad_begin[2];
    memset(residues, 0, (size_t)(plan->streams * stream) * sizeof(float));
    for (int64_t s = 0; s < plan->streams; s++) {
        int64_t most = ROWS_TILE * (plan->places + 2), step = plan->streams;
        int64_t first = pad > s ? (pad - s + step - 1) / step : 0, last = (width + pad - s + step - 1) / step;
        if (last > most) last = most;
        const float *from = x + s - pad;
        for (int64_t i = first; i < last; i++)
            residues[s * stream + i % ROWS_TILE * length + i / ROWS_TILE] = from[i * step];
    }
    const float a2 = (float)(ROWS_A * ROWS_A), b2 = (float)(ROWS_B * ROWS_B), c2 = (float)(ROWS_C * ROWS_C);
    for (int64_t s = 0; s < plan->streams; s++)
        for (int64_t t = 0; t < plan->places; t += SDX_V) {
            const float *r = residues + s * stream + t;
            vf d[7], v[ROWS_POINTS];
            for (int i = 0; i < 7; i++) d[i] = vload(r + i % ROWS_TILE * length + i / ROWS_TILE);
            // (x ± a)(x² - b²)(x² - c²): the odd powers, plus or minus a times the even ones.
#define ROWS_PAIR(I, P, Q2, R2)                                                                                        \
    {                                                                                                                  \
        vf odd = vfma(vsplat(-(Q2 + R2)), d[3], vfma(vsplat(Q2 * R2), d[1], d[5]));                                    \
        vf even = vfma(vsplat(-(Q2 + R2)), d[2], vfma(vsplat(Q2 * R2), d[0], d[4]));                                   \
        v[I] = vfma(vsplat((float)P), even, odd);                                                                      \
        v[I + 1] = vfma(vsplat((float)-P), even, odd);                                                                 \
    }
            ROWS_PAIR(0, ROWS_A, b2, c2)
            ROWS_PAIR(2, ROWS_B, a2, c2)
            ROWS_PAIR(4, ROWS_C, a2, b2)
#undef ROWS_PAIR
            v[6] = vfma(vsplat(-(a2 + b2 + c2)), d[4], vfma(vsplat(a2 * b2 + a2 * c2 + b2 * c2), d[2], d[6]));
            v[6] = vfma(vsplat(-(a2 * b2 * c2)), d[0], v[6]);
            int64_t left = plan->places - t;
            for (int64_t i = 0; i < plan->points; i++) {
                float *at = to + i * plan->plane + s * plan->places + t;
                if (left >= SDX_V) vstore(at, v[i]);
                else vstore_first(at, left, v[i]);
            }
        }
}

static void SDX_FN(rows_transform_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(rows_plan) *plan = context;
    const sdx_conv_params *p = plan->p;
    int64_t all = p->n * p->c * p->in[0] * p->in[1];
    int64_t row = chunk * SDX_FN(rows_transformed), end = row + SDX_FN(rows_transformed);
    for (end = end < all ? end : all; row < end; row++)
        SDX_FN(rows_transform)(
            plan, plan->x + row * p->in[2], plan->scratch + worker * plan->worker_floats, plan->rows + row * plan->row);
}

/// Aᵀ m of a vector of tiles and lanes.
SDX_INLINE void SDX_FN(rows_sums)(const bool infinity, const float *m, int64_t plane, vf start, vf t[ROWS_TILE]) {
    const float a = (float)ROWS_A, b = (float)ROWS_B, c = (float)ROWS_C, a2 = a * a, b2 = b * b, c2 = c * c;
    vf v[6];
#pragma clang loop unroll(full)
    for (int i = 0; i < 6; i++) v[i] = vload(m + i * plane);
    vf sa = v[0] + v[1], da = v[0] - v[1], sb = v[2] + v[3], db = v[2] - v[3], sc = v[4] + v[5], dc = v[4] - v[5];
    vf last = infinity ? vload(m + 6 * plane) + start : start;
    t[0] = sa + sb + (sc + start);
    t[1] = vfma(vsplat(c), dc, vfma(vsplat(b), db, vfma(vsplat(a), da, start)));
    t[2] = vfma(vsplat(c2), sc, vfma(vsplat(b2), sb, vfma(vsplat(a2), sa, start)));
    t[3] = vfma(vsplat(c * c2), dc, vfma(vsplat(b * b2), db, vfma(vsplat(a * a2), da, last)));
}

/// y = act(Aᵀ m + bias + residual) of `width` pixels of an output row, one block of 8 lanes, whose products lie `plane`
/// floats apart; 8 floats behind them may be read.
SDX_INLINE void SDX_FN(rows_inverse_with)(
    const bool infinity, const bool clamps, const float *m, int64_t plane, const float *bias, const float *residual,
    int64_t width, float *y) {
    enum { EIGHTS = SDX_V < 8 ? 8 / SDX_V : 1, TILES = SDX_V < 8 ? 1 : SDX_V / 8 };
    vf start[EIGHTS];
    for (int e = 0; e < EIGHTS; e++)
        for (int i = 0; i < SDX_V; i++) start[e][i] = bias ? bias[(e * SDX_V + i) % 8] : 0;
    for (int64_t pixel = 0; pixel < width; pixel += TILES * ROWS_TILE, m += TILES * 8) {
        float *to = y + pixel * 8;
        const float *from = residual ? residual + pixel * 8 : NULL;
        const int64_t left = (width - pixel) * 8;
        const bool whole = left >= TILES * ROWS_TILE * 8;
        for (int e = 0; e < EIGHTS; e++) {
            vf t[ROWS_TILE];
            SDX_FN(rows_sums)(infinity, m + e * SDX_V, plane, start[e], t);
#if SDX_V == 16
            // Two pixels of each of two tiles fill a vector.
            const vf out[4] = {
                __builtin_shufflevector(t[0], t[1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
                __builtin_shufflevector(t[2], t[3], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
                __builtin_shufflevector(t[0], t[1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31),
                __builtin_shufflevector(t[2], t[3], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)};
#else
            const vf *out = t;
#endif
#pragma clang loop unroll(full)
            for (int i = 0; i < 4; i++) {
                const int64_t at = (int64_t)i * (SDX_V < 8 ? 8 : SDX_V) + e * SDX_V;
                vf value = out[i];
                if (whole) {
                    if (from) value = value + vload(from + at);
                    vstore(to + at, clamps ? vmax(vsplat(0), value) : value);
                } else if (at < left) {
                    int64_t count = left - at < SDX_V ? left - at : SDX_V;
                    if (from) value = value + vload_first(from + at, count);
                    vstore_first(to + at, count, clamps ? vmax(vsplat(0), value) : value);
                }
            }
        }
    }
}

static void SDX_FN(rows_inverse)(
    const SDX_FN(rows_plan) * plan, const float *m, int64_t plane, const float *bias, const float *residual,
    int64_t width, float *y) {
    const bool clamps = plan->p->activation.kind == SDX_ACTIVATION_RELU;
    if (plan->at_infinity == 0) SDX_FN(rows_inverse_with)(false, clamps, m, plane, bias, residual, width, y);
    else SDX_FN(rows_inverse_with)(true, clamps, m, plane, bias, residual, width, y);
}

/// Fetches pixels of an output row, which is to be written soon.
SDX_INLINE void SDX_FN(rows_fetch)(const SDX_FN(rows_plan) * plan, int64_t row, int64_t pixel, int64_t count) {
    int64_t end = pixel + count < plan->p->out[2] ? pixel + count : plan->p->out[2];
#pragma clang loop unroll(disable)
    for (; pixel < end; pixel += 2) __builtin_prefetch(plan->y + row + pixel * 8, 1, 2);
}

/// Some tiles of some output rows of one slice, in all lanes.
static void SDX_FN(rows_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(rows_plan) *plan = context;
    const sdx_conv_params *p = plan->p;
    int64_t tile0 = chunk % plan->column_chunks * plan->width, rest = chunk / plan->column_chunks;
    int64_t tile1 = tile0 + plan->width < plan->tiles ? tile0 + plan->width : plan->tiles;
    int64_t oh0 = rest % plan->row_chunks * plan->height, od = rest / plan->row_chunks % p->out[0];
    int64_t image = rest / plan->row_chunks / p->out[0], pixels = p->out[0] * p->out[1] * p->out[2];
    int64_t first = tile0 * ROWS_TILE, last = tile1 * ROWS_TILE < p->out[2] ? tile1 * ROWS_TILE : p->out[2];
    int64_t oh1 = oh0 + plan->height < p->out[1] ? oh0 + plan->height : p->out[1];
    float *products = plan->scratch + worker * plan->worker_floats;
    const float *w = plan->packed;
    for (int64_t lane = 0, lanes; lane < p->k; lane += lanes) {
        lanes = SDX_FN(panel_lanes)(p->k - lane);
        SDX_FN(panel_tiles) kinds = SDX_FN(tiles_for)(lanes, lanes == p->k);
        int64_t across = tile1 - tile0, tiles = (across + kinds.most - 1) / kinds.most;
        int64_t block = (oh1 - oh0) * across * 8;
        for (int64_t point = 0; point < plan->points; point++) {
            int64_t parts = point < 6 ? ROWS_PARTS : plan->at_infinity;
            blocked_tile t = {
                .w = w, .offsets = plan->offsets + (point < 6 ? 0 : plan->taps * ROWS_PARTS), .blocks = p->c,
                .x_block = p->in[0] * p->in[1] * plan->row, .w_block = plan->taps * parts * lanes, .y_block = block,
                .plane = p->kernel[1] * parts, .d = taps_inside(p, 0, od),
            };
            w += p->c * t.w_block;
            for (int64_t oh = oh0; oh < oh1; oh++) {
                tap_range h = taps_inside(p, 1, oh);
                t.first = h.begin * parts;
                t.count = h.end > h.begin ? (h.end - h.begin) * parts : 0;
                int64_t row = (image * p->c * p->in[0] + od * p->stride[0] - p->pad_begin[0]) * p->in[1] +
                              oh * p->stride[1] - p->pad_begin[1];
                const float *x = plan->rows + point * plan->plane + row * plan->row;
                float *y = products + point * lanes / 8 * block + (oh - oh0) * across * 8;
                for (int64_t i = 0, tile = 0, count; i < tiles; i++, tile += count) {
                    count = across / tiles + (i < across % tiles);
                    t.x = x + tile0 + tile;
                    t.y = y + tile * 8;
                    if (point < lanes / 8)
                        SDX_FN(rows_fetch)(
                            plan, (image * p->k + lane + point * 8) * pixels + (od * p->out[1] + oh) * p->out[2] * 8,
                            first + tile * ROWS_TILE, count * ROWS_TILE);
                    kinds.tiles[count - 1][1](&t);
                }
            }
        }
        for (int64_t b = 0; b < lanes; b += 8)
            for (int64_t oh = oh0; oh < oh1; oh++) {
                int64_t at = (image * p->k + lane + b) * pixels + ((od * p->out[1] + oh) * p->out[2] + first) * 8;
                SDX_FN(rows_inverse)(
                    plan, products + b / 8 * block + (oh - oh0) * across * 8, lanes / 8 * block,
                    plan->bias ? plan->bias + lane + b : NULL, plan->residual ? plan->residual + at : NULL, last - first,
                    plan->y + at);
                if (p->activation.kind != SDX_ACTIVATION_NONE && p->activation.kind != SDX_ACTIVATION_RELU)
                    SDX_FN(activate_values)(p->activation, plan->y + at, 8 * (last - first));
            }
    }
}

static void SDX_FN(rows_run)(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias,
    const float *residual, float *y, float *workspace) {
    SDX_FN(rows_plan) plan = SDX_FN(plan_rows)(p);
    int64_t chunks = p->n * p->out[0] * plan.row_chunks * plan.column_chunks;
    if (chunks == 0) return;
    plan.x = x;
    plan.packed = packed;
    plan.bias = bias;
    plan.residual = residual;
    plan.y = y;
    plan.offsets = (int64_t *)(void *)workspace;
    plan.rows = workspace + plan.offset_floats + (p->pad_begin[0] * p->in[1] + p->pad_begin[1]) * plan.row;
    plan.scratch = workspace + plan.offset_floats + plan.row_floats;
    int64_t *offset = plan.offsets, further = plan.streams == 2 ? plan.places : 1; // of the second part
    for (int64_t parts = ROWS_PARTS, i = 0; i < 2; i++, parts = plan.at_infinity)
        for (int64_t d = 0; d < p->kernel[0]; d++)
            for (int64_t h = 0; h < p->kernel[1]; h++)
                for (int64_t part = 0; part < parts; part++)
                    *offset++ = (d * p->in[1] + h) * plan.row + part * further;
    int64_t rows = p->n * p->c * p->in[0] * p->in[1];
    sdx_parallel_for(
        pool, (rows + SDX_FN(rows_transformed) - 1) / SDX_FN(rows_transformed), SDX_FN(rows_transform_chunk), &plan);
    sdx_parallel_for(pool, chunks, SDX_FN(rows_chunk), &plan);
}

static int64_t SDX_FN(rows_workspace_floats)(const sdx_conv_params *p, int workers) {
    SDX_FN(rows_plan) plan = SDX_FN(plan_rows)(p);
    return plan.offset_floats + plan.row_floats + plan.worker_floats * workers;
}

static int64_t SDX_FN(rows_packed_floats)(const sdx_conv_params *p) {
    return p->k * p->c * p->kernel[0] * p->kernel[1] * (6 * ROWS_PARTS + winograd_rows_at_infinity(p));
}
#undef ROWS_A
#undef ROWS_B
#undef ROWS_C
