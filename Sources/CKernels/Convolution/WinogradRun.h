/// The steps of a Winograd convolution, in one ISA pass; after WinogradPlan.h. No include guard.

/// A tile of a plane, counted over all images.
typedef struct {
    int64_t image, h, w; // of its first output
} SDX_FN(wino_tile);

SDX_INLINE SDX_FN(wino_tile) SDX_FN(wino_tile_at)(const SDX_FN(wino_plan) * plan, int64_t tile) {
    int64_t m = plan->form.m, rest = tile % plan->tiles;
    return (SDX_FN(wino_tile)){tile / plan->tiles, rest / plan->across * m, rest % plan->across * m};
}

SDX_INLINE void SDX_FN(wino_next)(const SDX_FN(wino_plan) * plan, SDX_FN(wino_tile) * t) {
    if ((t->w += plan->form.m) < plan->p->out[2]) return;
    t->w = 0;
    if ((t->h += plan->form.m) < plan->p->out[1]) return;
    t->h = 0;
    t->image++;
}

/// Copies the existing pixels of the (edge × edge) window at (h, w) of a plane into a patch of zeros.
static __attribute__((noinline)) void SDX_FN(wino_patch)(
    const sdx_conv_params *p, const float *from, int64_t h, int64_t w, int64_t edge, float *patch) {
    memset(patch, 0, (size_t)(edge * edge * 8) * sizeof(float));
    int64_t height = p->in[1], width = p->in[2], high = repeats_along(p, 1), wide = repeats_along(p, 2);
    int64_t i0 = h < 0 ? -h : 0, i1 = height - h < edge ? height - h : edge;
    int64_t j0 = w < 0 ? -w : 0, j1 = width - w < edge ? width - w : edge;
    if (j1 <= j0) return;
    for (int64_t i = i0; i < i1; i++) {
        float *to = patch + (i * edge + j0) * 8;
        if (high == 1 && wide == 1)
            memcpy(to, from + ((h + i) * width + w + j0) * 8, (size_t)((j1 - j0) * 8) * sizeof(float));
        else blocked_copy_repeated(to, from + (h + i) / high * (width / wide) * 8, 8, wide, w + j0, 1, j1 - j0);
    }
}

#undef WINO_PATCH
#define WINO_PATCH (2 * 81 * 8)

/// The window of a tile for one step of channels: in x, or in `patch` where it reaches beyond, or pixels repeat and it is
/// strided. With a last half step the upper lanes repeat the lower ones.
SDX_INLINE SDX_FN(wino_window) SDX_FN(wino_window_at)(
    const SDX_FN(wino_plan) * plan, SDX_FN(wino_tile) tile, int64_t slice, int64_t step, float *patch) {
    static const float zeros[9 * 8];
    const sdx_conv_params *p = plan->p;
    if (slice < 0 || slice >= p->in[0]) return (SDX_FN(wino_window)){zeros, 0, 0, plan->zero_rows, plan->patch_columns};
    int64_t edge = plan->edge, c = step * WINO_CB;
    int64_t h = tile.h * plan->stride - p->pad_begin[1], w = tile.w * plan->stride - p->pad_begin[2];
    bool half = WINO_CB > 8 && p->c - c == 8;
    if (plan->deep > 1) slice /= plan->deep;
    const float *from = plan->x + (tile.image * p->c + c) / 8 * plan->block + slice * plan->slice;
    bool copied = plan->strided && plan->repeats;
    if (!copied && h >= 0 && w >= 0 && h + edge <= p->in[1] && w + edge <= p->in[2]) {
        int64_t block = half ? 0 : plan->block;
        if (!plan->repeats) return (SDX_FN(wino_window)){from + h * plan->row + w * 8, plan->row, block, NULL, NULL};
        uint32_t row = (uint32_t)h, column = (uint32_t)w;
        return (SDX_FN(wino_window)){
            from + row / plan->high * plan->row + column / plan->wide * 8, plan->row, block,
            plan->window_rows[row % plan->high], plan->window_columns[column % plan->wide]};
    }
    SDX_FN(wino_patch)(p, from, h, w, edge, patch);
    bool once = WINO_CB == 8 || half;
    if (!once) SDX_FN(wino_patch)(p, from + plan->block, h, w, edge, patch + edge * edge * 8);
    return (SDX_FN(wino_window)){
        patch, edge * 8, once ? 0 : edge * edge * 8, plan->patch_rows, plan->patch_columns};
}

/// Transforms channel steps [step0, step1) of plane tiles [tile, tile + count), counted over all images, of input slice
/// `slice`, in the plane. Tile i of the first step goes to row i of v, the next step `rows` rows further.
static void SDX_FN(wino_transform)(
    const SDX_FN(wino_plan) * plan, int64_t slice, int64_t tile, int64_t count, int64_t step0, int64_t step1, float *v,
    int64_t plane, int64_t rows) {
    _Alignas(64) float patch[WINO_PATCH];
    for (int64_t step = step0; step < step1; step++, v += rows * WINO_CB) {
        SDX_FN(wino_tile) at = SDX_FN(wino_tile_at)(plan, tile);
        float *to = v;
        for (int64_t i = 0; i < count; i++, to += WINO_CB) {
            SDX_FN(wino_window) from = SDX_FN(wino_window_at)(plan, at, slice, step, patch);
            for (int64_t lane = 0; lane < WINO_CB; lane += SDX_V) {
                bool four = plan->form.m == 4;
                if (plan->strided && four) SDX_FN(wino_strided_tile)(4, &from, lane, to + lane, plane);
                else if (plan->strided) SDX_FN(wino_strided_tile)(2, &from, lane, to + lane, plane);
                else if (four && !plan->repeats) SDX_FN(wino_input_tile)(4, false, &from, lane, to + lane, plane);
                else if (four) SDX_FN(wino_input_tile)(4, true, &from, lane, to + lane, plane);
                else if (!plan->repeats) SDX_FN(wino_input_tile)(2, false, &from, lane, to + lane, plane);
                else SDX_FN(wino_input_tile)(2, true, &from, lane, to + lane, plane);
            }
            SDX_FN(wino_next)(plan, &at);
        }
    }
}

/// The same of the four slices from `slice` on, in depth as well. The first two are in `kept` as the function above
/// leaves them with plan->kept_plane and kept_rows, and are replaced by the last two.
static void SDX_FN(wino_transform_pair)(
    const SDX_FN(wino_plan) * plan, int64_t slice, int64_t tile, int64_t count, int64_t step0, int64_t step1,
    float *kept, float *v) {
    _Alignas(64) float patch3[WINO_PATCH], patch4[WINO_PATCH];
    for (int64_t step = step0; step < step1; step++) {
        SDX_FN(wino_tile) at = SDX_FN(wino_tile_at)(plan, tile);
        float *to = v, *k = kept;
        for (int64_t i = 0; i < count; i++, to += WINO_CB, k += WINO_CB) {
            SDX_FN(wino_window) third = SDX_FN(wino_window_at)(plan, at, slice + 2, step, patch3);
            SDX_FN(wino_window) fourth = SDX_FN(wino_window_at)(plan, at, slice + 3, step, patch4);
            for (int64_t l = 0; l < WINO_CB; l += SDX_V) {
                bool four = plan->form.m == 4;
                int64_t from_plane = plan->kept_plane, plane = plan->v_plane;
                if (four && !plan->repeats)
                    SDX_FN(wino_input_pair)(4, false, &third, &fourth, l, k + l, from_plane, to + l, plane);
                else if (four)
                    SDX_FN(wino_input_pair)(4, true, &third, &fourth, l, k + l, from_plane, to + l, plane);
                else if (!plan->repeats)
                    SDX_FN(wino_input_pair)(2, false, &third, &fourth, l, k + l, from_plane, to + l, plane);
                else
                    SDX_FN(wino_input_pair)(2, true, &third, &fourth, l, k + l, from_plane, to + l, plane);
            }
            SDX_FN(wino_next)(plan, &at);
        }
        v += plan->v_rows * WINO_CB;
        kept += plan->kept_rows * WINO_CB;
    }
}

/// Brings nearer what plane tiles [tile, tile + count) touch of a slice of a tensor: `edge` rows each from `pad` before the
/// tile on. Each row lies on a page of its own, where the processor's own prefetching ends.
SDX_INLINE void SDX_FN(wino_fetch)(
    const SDX_FN(wino_plan) * plan, const float *tensor, int64_t channels, const int64_t sizes[3], int64_t slice,
    int64_t tile, int64_t count, const int64_t pad[2], int64_t edge, const bool write) {
    if (slice < 0 || slice >= sizes[0]) return;
    int64_t row = sizes[2] * 8, plane = sizes[1] * row;
    SDX_FN(wino_tile) at = SDX_FN(wino_tile_at)(plan, tile);
    for (; count > 0; count--, SDX_FN(wino_next)(plan, &at)) {
        int64_t h0 = at.h > pad[0] ? at.h - pad[0] : 0, h1 = at.h - pad[0] + edge;
        int64_t w = at.w > pad[1] ? at.w - pad[1] : 0;
        if (h1 > sizes[1]) h1 = sizes[1];
        for (int64_t c = 0; c < channels; c += 8) {
            const float *from = tensor + ((at.image * channels + c) / 8 * sizes[0] + slice) * plane + w * 8;
            for (int64_t h = h0; h < h1; h++)
                for (int64_t i = 0; i < 32; i += 16) { // of four pixels
                    if (write) __builtin_prefetch(from + h * row + i, 1, 2);
                    else __builtin_prefetch(from + h * row + i, 0, 2);
                }
        }
    }
}

/// The slices that the next level transforms, and those that this level writes to the caches, while its products are
/// computed.
static void SDX_FN(wino_fetch_pair)(
    const SDX_FN(wino_plan) * plan, int64_t level, bool last, int64_t tile, int64_t count) {
    const sdx_conv_params *p = plan->p;
    const int64_t none[2] = {0, 0}, first = (level + 2) * 2 - p->pad_begin[0];
    for (int64_t i = 0; i < 2; i++) {
        if (!last && !repeats_pixels(p))
            SDX_FN(wino_fetch)(
                plan, plan->x, p->c, p->in, first + i, tile, count, p->pad_begin + 1, plan->edge, false);
        if (!plan->streamed)
            SDX_FN(wino_fetch)(plan, plan->y, p->k, p->out, level * 2 + i, tile, count, none, plan->form.m, true);
    }
}

/// The two slices that a range of levels begins with, in the plane, into `kept`.
static void SDX_FN(wino_keep)(
    const SDX_FN(wino_plan) * plan, int64_t level, int64_t tile, int64_t count, int64_t step0, int64_t step1,
    float *kept) {
    int64_t slice = level * 2 - plan->p->pad_begin[0];
    for (int64_t i = 0; i < 2; i++)
        SDX_FN(wino_transform)(
            plan, slice + i, tile, count, step0, step1, kept + i * plan->plane_points * plan->kept_plane,
            plan->kept_plane, plan->kept_rows);
}

/// Transforms the products of one panel for output slice `part` of the levels back and stores them. Row `row` is a tile
/// of level `level` where that is not negative, counted over all images; else a tile of the slices of all images.
SDX_INLINE void SDX_FN(wino_inverse_to)(
    const bool streamed, const SDX_FN(wino_plan) * plan, const float *products, int64_t panel, int64_t vectors,
    int64_t row, int64_t count, int64_t level, int64_t part) {
    const sdx_conv_params *p = plan->p;
    const int m = plan->form.m;
    int64_t width = p->out[2], slice = p->out[1] * width * 8, block = p->out[0] * slice;
    for (int64_t j = 0; j < vectors; j++) {
        int64_t k = panel * WINO_LANES + j * SDX_V;
        bool half = SDX_V > 8 && p->k - k == 8;
        vf bias = plan->bias ? vload_first(plan->bias + k, half ? 8 : SDX_V) : (vf){0};
        SDX_FN(wino_tile) at = SDX_FN(wino_tile_at)(plan, row);
        for (int64_t i = 0; i < count; i++, SDX_FN(wino_next)(plan, &at)) {
            int64_t image = level < 0 ? at.image / plan->slices : at.image;
            int64_t depth = (level < 0 ? at.image % plan->slices : level) * plan->pitch + part;
            if (depth >= p->out[0]) continue;
            int64_t first = (image * p->k + k) / 8 * block + depth * slice + (at.h * width + at.w) * 8 + k % 8;
            SDX_FN(wino_target) to = {
                plan->residual ? plan->residual + first : NULL, plan->y + first, width * 8, block,
                p->out[1] - at.h < m ? p->out[1] - at.h : m, width - at.w < m ? width - at.w : m, p->activation};
            const float *from = products + (i * vectors + j) * SDX_V;
            vf y[4][4];
            if (plan->strided && m == 4) SDX_FN(wino_strided_output)(4, from, plan->m_plane, y);
            else if (plan->strided) SDX_FN(wino_strided_output)(2, from, plan->m_plane, y);
            else if (m == 4) SDX_FN(wino_output_tile)(4, from, plan->m_plane, y);
            else SDX_FN(wino_output_tile)(2, from, plan->m_plane, y);
            if (to.height < m || to.width < m) SDX_FN(wino_finish_part)(half, y, bias, &to);
            else if (m == 4) SDX_FN(wino_finish_whole)(4, half, streamed, y, bias, &to);
            else SDX_FN(wino_finish_whole)(2, half, streamed, y, bias, &to);
        }
    }
}

static __attribute__((noinline)) void SDX_FN(wino_inverse_streamed)(
    const SDX_FN(wino_plan) * plan, const float *products, int64_t panel, int64_t vectors, int64_t row, int64_t count,
    int64_t level, int64_t part) {
    SDX_FN(wino_inverse_to)(true, plan, products, panel, vectors, row, count, level, part);
}

static void SDX_FN(wino_inverse)(
    const SDX_FN(wino_plan) * plan, const float *products, int64_t panel, int64_t vectors, int64_t row, int64_t count,
    int64_t level, int64_t part) {
    if (SDX_V > 4 && plan->streamed) SDX_FN(wino_inverse_streamed)(plan, products, panel, vectors, row, count, level, part);
    else SDX_FN(wino_inverse_to)(false, plan, products, panel, vectors, row, count, level, part);
}

/// The vectors of a panel.
SDX_INLINE int64_t SDX_FN(wino_vectors)(const SDX_FN(wino_plan) * plan, int64_t panel) {
    int64_t lanes = plan->p->k - panel * WINO_LANES;
    return SDX_FN(wino_ceil)(lanes < WINO_LANES ? lanes : WINO_LANES, SDX_V);
}

/// The weights of a panel and a point of the plane: of all its depth taps or points. They begin with those that no point
/// before it uses.
SDX_INLINE const float *SDX_FN(wino_weights)(const SDX_FN(wino_plan) * plan, int64_t panel, int64_t point) {
    int64_t width = SDX_FN(wino_vectors)(plan, panel) * SDX_V;
    int64_t matrix = panel * WINO_LANES * plan->matrices + plan->phases.matrices[point] * width;
    return plan->packed + matrix * plan->p->c * plan->factors;
}

/// The same, to be fetched.
SDX_INLINE SDX_FN(wino_ahead) SDX_FN(wino_weights_ahead)(
    const SDX_FN(wino_plan) * plan, int64_t panel, int64_t point) {
    int64_t matrices = plan->phases.matrices[point + 1] - plan->phases.matrices[point];
    int64_t matrix = SDX_FN(wino_vectors)(plan, panel) * SDX_V * plan->p->c * plan->factors;
    const float *from = SDX_FN(wino_weights)(plan, panel, point);
    return (SDX_FN(wino_ahead)){from, from + matrices * matrix, 0};
}

/// The products that add up, in their order. input[t] is the first row of depth tap t, or NULL where that lies outside x;
/// with form.deep of depth point t, whose second and fourth products have a place `second` floats after the results. A
/// tap's phases at the point follow one another. Returns how many there are.
static int64_t SDX_FN(wino_factors)(
    const SDX_FN(wino_plan) * plan, const float *const input[4], int64_t point, int64_t width, int64_t second,
    SDX_FN(wino_factor) factor[WINO_MOST_FACTORS]) {
    int64_t channels = plan->p->c, deep = plan->form.deep, joined = plan->joined, factors = 0, taps = 0;
    int64_t phases = plan->phases.values[point + 1] - plan->phases.values[point];
    for (int64_t i = 0; i < plan->factors * phases; i++) {
        int64_t t = i / phases, phase = i % phases;
        if (!input[t]) continue;
        bool adds = deep ? t > 1 : taps > 0; // to what is stored
        int64_t matrix = plan->phases.of[point][phase] - plan->phases.matrices[point];
        SDX_FN(wino_factor) f = {
            input[t] + phase * plan->v_plane, (matrix * plan->factors + t) * channels * width,
            deep && t % 2 ? second : 0, 0, WINO_ZERO, 0};
        if (deep && adds && joined > 1) {
            f.begin = WINO_STORED;
            adds = false;
        } else if (!deep && taps % joined > 0) {
            f.begin = WINO_GO_ON;
            adds = factor[factors - 1].end & WINO_ADD;
            factor[factors - 1].end = WINO_NOTHING;
        }
        taps++;
        int64_t left = channels;
        do {
            f.channels = left < plan->run ? left : plan->run;
            left -= f.channels;
            f.end = (adds ? WINO_ADD : 0) | (deep && t == 1 && left == 0 ? WINO_SUM_AND_DIFFERENCE : WINO_STORE);
            factor[factors++] = f;
            f.input += f.channels / WINO_CB * plan->v_rows * WINO_CB;
            f.weights += f.channels * width;
            adds = true;
        } while (left > 0);
    }
    return factors;
}

/// The products of points [point, end) of the plane of `count` rows with one panel of output channels. input[t] is the
/// first row at the plane's first point of depth tap t, or NULL where that tap lies outside x; with form.deep of depth
/// point t. Meanwhile the weights of the next point are fetched, last those of `after`: they come from memory or a shared
/// cache.
static void SDX_FN(wino_multiply)(
    const SDX_FN(wino_plan) * plan, const float *const input[4], int64_t panel, int64_t point, int64_t end,
    int64_t count, float *products, SDX_FN(wino_ahead) after) {
    const sdx_conv_params *p = plan->p;
    int64_t vectors = SDX_FN(wino_vectors)(plan, panel), width = vectors * SDX_V;
    int64_t parts = SDX_FN(wino_ceil)(count, WINO_MR);
    int64_t second = plan->plane_points * plan->m_plane; // from a level's first output slice to the next
    SDX_FN(wino_factor) factor[WINO_MOST_FACTORS];
    int64_t factors = -1, present = 0;
    for (int64_t t = 0; t < plan->factors; t++) present += input[t] != NULL;
    for (; point < end; point++) {
        int64_t phases = plan->phases.values[point + 1] - plan->phases.values[point];
        int64_t steps = present * phases * (p->c / WINO_CB), turns = parts * steps;
        if (factors < 0 || plan->strided) // else they are alike for all points
            factors = SDX_FN(wino_factors)(plan, input, point, width, second, factor);
        const float *weights = SDX_FN(wino_weights)(plan, panel, point);
        SDX_FN(wino_ahead) ahead = point + 1 < end ? SDX_FN(wino_weights_ahead)(plan, panel, point + 1) : after;
        ahead.pace = turns > 0 ? SDX_FN(wino_ceil)(ahead.end - ahead.from, turns * 16) * 16 : 0;
        for (int64_t part = 0; part < parts; part++) {
            int64_t row0 = SDX_FN(wino_start)(count, parts, part);
            int64_t rows = SDX_FN(wino_start)(count, parts, part + 1) - row0;
            float *m = products + point * plan->m_plane + row0 * width;
            if (factors == 0) memset(m, 0, (size_t)(rows * width) * sizeof(float));
            SDX_FN(wino_products)[rows - 1][vectors - 1](
                factor, factors, plan->phases.values[point] * plan->v_plane + row0 * WINO_CB, weights,
                plan->v_rows * WINO_CB, ahead, m, m + second);
            ahead.from = SDX_FN(wino_after)(ahead, steps);
        }
    }
}

/// One panel of output channels of `count` rows: all products, and back. `next` is the thread's next panel.
static void SDX_FN(wino_panel)(
    const SDX_FN(wino_plan) * plan, const float *const input[4], int64_t panel, int64_t next, int64_t row,
    int64_t count, int64_t level, float *products) {
    SDX_FN(wino_multiply)(
        plan, input, panel, 0, plan->plane_points, count, products, SDX_FN(wino_weights_ahead)(plan, next, 0));
    for (int64_t i = 0; i < plan->pitch; i++)
        SDX_FN(wino_inverse)(
            plan, products + i * plan->plane_points * plan->m_plane, panel, SDX_FN(wino_vectors)(plan, panel), row,
            count, level, i);
}

/// Large maps: a block of rows through a range of levels.
static void SDX_FN(wino_sweep)(void *context, int64_t chunk, int worker) {
    const SDX_FN(wino_plan) *plan = context;
    const sdx_conv_params *p = plan->p;
    int64_t block = chunk % plan->blocks, range = chunk / plan->blocks, steps = plan->steps;
    int64_t row = SDX_FN(wino_start)(plan->rows, plan->blocks, block);
    int64_t count = SDX_FN(wino_start)(plan->rows, plan->blocks, block + 1) - row;
    int64_t level0 = SDX_FN(wino_start)(plan->levels, plan->ranges, range);
    int64_t level1 = SDX_FN(wino_start)(plan->levels, plan->ranges, range + 1);
    float *products = plan->workspace + worker * plan->worker_floats;
    float *kept = products + plan->products;
    float *ring = kept + 2 * plan->plane_points * plan->kept_plane;
    int64_t slot = plan->values * plan->v_plane, next = level0 * plan->deep_stride - p->pad_begin[0]; // to transform
    if (plan->form.deep) SDX_FN(wino_keep)(plan, level0, row, count, 0, steps, kept);
    for (int64_t level = level0; level < level1; level++) {
        const float *input[4];
        int64_t first = level * plan->pitch * plan->deep_stride - p->pad_begin[0];
        if (plan->form.deep) {
            SDX_FN(wino_transform_pair)(plan, first, row, count, 0, steps, kept, ring);
            for (int64_t t = 0; t < 4; t++) input[t] = ring + t * slot;
            SDX_FN(wino_fetch_pair)(plan, level, level + 1 == level1, row, count);
        } else {
            if (next < first) next = first;
            for (; next < first + plan->factors; next++)
                if (next >= 0 && next < p->in[0])
                    SDX_FN(wino_transform)(
                        plan, next, row, count, 0, steps, ring + next % plan->factors * slot, plan->v_plane,
                        plan->v_rows);
            for (int64_t t = 0; t < plan->factors; t++) {
                bool inside = first + t >= 0 && first + t < p->in[0];
                input[t] = inside ? ring + (first + t) % plan->factors * slot : NULL;
            }
        }
        for (int64_t panel = 0; panel < plan->panels; panel++)
            SDX_FN(wino_panel)(plan, input, panel, (panel + 1) % plan->panels, row, count, level, products);
    }
    end_streaming(plan->streamed);
}

/// The first row of the part at hand.
SDX_INLINE int64_t SDX_FN(wino_part_row)(const SDX_FN(wino_plan) * plan) {
    return (plan->image * plan->slices + plan->level) * plan->tiles;
}

/// Small maps, first: one step of channels of one slice, or of a range of levels.
static void SDX_FN(wino_transform_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(wino_plan) *plan = context;
    int64_t step = chunk % plan->steps, rest = chunk / plan->steps, tiles = plan->tiles;
    float *v = plan->workspace + step * plan->v_rows * WINO_CB;
    if (!plan->form.deep) {
        int64_t image = rest / plan->slices % plan->p->n, group = rest / plan->slices / plan->p->n;
        int64_t slice = rest % plan->slices * plan->deep_stride + group - plan->p->pad_begin[0];
        SDX_FN(wino_transform)(
            plan, slice, image * tiles, tiles, step, step + 1, v + rest * tiles * WINO_CB, plan->v_plane, plan->v_rows);
        return;
    }
    int64_t image = plan->image + rest / plan->ranges, range = rest % plan->ranges;
    int64_t level = plan->level + SDX_FN(wino_start)(plan->part_levels, plan->ranges, range);
    int64_t end = plan->level + SDX_FN(wino_start)(plan->part_levels, plan->ranges, range + 1);
    float *kept = plan->workspace + plan->shared_floats + worker * plan->worker_floats +
                  (plan->by_point ? 0 : plan->products);
    SDX_FN(wino_keep)(plan, level, image * tiles, tiles, step, step + 1, kept);
    for (; level < end; level++)
        SDX_FN(wino_transform_pair)(
            plan, level * 2 - plan->p->pad_begin[0], image * tiles, tiles, step, step + 1, kept,
            v + (image * plan->slices + level) * tiles * WINO_CB - SDX_FN(wino_part_row)(plan) * WINO_CB);
}

/// The transformed input from the part's `row` on: input[t] for wino_multiply.
SDX_INLINE void SDX_FN(wino_inputs)(const SDX_FN(wino_plan) * plan, int64_t row, const float *input[4]) {
    int64_t apart = plan->form.deep ? plan->plane_points * plan->v_plane : plan->tiles * WINO_CB;
    int64_t groups = plan->v_rows / plan->groups * WINO_CB, stride = plan->deep_stride;
    for (int64_t t = 0; t < plan->factors; t++)
        input[t] = plan->workspace + row * WINO_CB + t / stride * apart + t % stride * groups;
}

/// Then: a block of rows by one panel.
static void SDX_FN(wino_panel_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(wino_plan) *plan = context;
    int64_t panel = chunk % plan->panels, block = chunk / plan->panels;
    int64_t row = SDX_FN(wino_start)(plan->rows, plan->blocks, block);
    int64_t count = SDX_FN(wino_start)(plan->rows, plan->blocks, block + 1) - row;
    const float *input[4];
    SDX_FN(wino_inputs)(plan, row, input);
    SDX_FN(wino_panel)(
        plan, input, panel, (chunk + 1) % plan->panels, SDX_FN(wino_part_row)(plan) + row, count, -1,
        plan->workspace + plan->shared_floats + worker * plan->worker_floats);
    end_streaming(plan->streamed);
}

/// Or: all products of one point of the plane.
static void SDX_FN(wino_point_chunk)(void *context, int64_t point, int worker) {
    (void)worker;
    const SDX_FN(wino_plan) *plan = context;
    const float *input[4];
    SDX_FN(wino_inputs)(plan, 0, input);
    int64_t next = point + 1;
    for (int64_t panel = 0; panel < plan->panels; panel++) {
        SDX_FN(wino_ahead) after = {plan->packed, plan->packed, 0}; // nothing
        if (panel + 1 < plan->panels) after = SDX_FN(wino_weights_ahead)(plan, panel + 1, point);
        else if (next < plan->plane_points) after = SDX_FN(wino_weights_ahead)(plan, 0, next);
        SDX_FN(wino_multiply)(
            plan, input, panel, point, point + 1, plan->rows,
            plan->workspace + plan->v_floats + panel * plan->products, after);
    }
}

/// And back: a block of rows of one panel.
static void SDX_FN(wino_inverse_chunk)(void *context, int64_t chunk, int worker) {
    (void)worker;
    const SDX_FN(wino_plan) *plan = context;
    int64_t panel = chunk % plan->panels, block = chunk / plan->panels, vectors = SDX_FN(wino_vectors)(plan, panel);
    int64_t row = SDX_FN(wino_start)(plan->rows, plan->blocks, block);
    int64_t count = SDX_FN(wino_start)(plan->rows, plan->blocks, block + 1) - row;
    const float *products = plan->workspace + plan->v_floats + panel * plan->products + row * vectors * SDX_V;
    for (int64_t i = 0; i < plan->pitch; i++)
        SDX_FN(wino_inverse)(
            plan, products + i * plan->plane_points * plan->m_plane, panel, vectors, SDX_FN(wino_part_row)(plan) + row,
            count, -1, i);
    end_streaming(plan->streamed);
}

static void SDX_FN(wino_run_part)(sdx_pool *pool, SDX_FN(wino_plan) * plan) {
    int64_t parts = plan->form.deep ? plan->ranges : plan->slices * plan->groups;
    sdx_parallel_for(pool, plan->part_images * parts * plan->steps, SDX_FN(wino_transform_chunk), plan);
    if (plan->by_point) {
        sdx_parallel_for(pool, plan->plane_points, SDX_FN(wino_point_chunk), plan);
        sdx_parallel_for(pool, plan->blocks * plan->panels, SDX_FN(wino_inverse_chunk), plan);
    } else {
        sdx_parallel_for(pool, plan->blocks * plan->panels, SDX_FN(wino_panel_chunk), plan);
    }
}

static void SDX_FN(wino_run)(
    sdx_pool *pool, const sdx_conv_params *p, sdx_winograd_form form, const float *x, const float *packed, const float *bias,
    const float *residual, float *y, float *workspace) {
    SDX_FN(wino_plan) plan = SDX_FN(plan_wino)(p, form);
    if (plan.rows == 0) return;
    plan.x = x;
    plan.packed = packed;
    plan.bias = bias;
    plan.residual = residual;
    plan.y = y;
    plan.workspace = workspace;
    plan.streamed = SDX_V > 4 && streams_result(p, y); // else a pixel is written in two parts
    if (plan.shared) {
        for (plan.image = 0; plan.image < p->n; plan.image += plan.part_images)
            for (int64_t part = 0; part < plan.parts; part++) {
                plan.level = SDX_FN(wino_start)(plan.levels, plan.parts, part);
                plan.part_levels = SDX_FN(wino_start)(plan.levels, plan.parts, part + 1) - plan.level;
                if (plan.form.deep) plan.rows = plan.part_images * plan.part_levels * plan.tiles;
                SDX_FN(wino_run_part)(pool, &plan);
            }
    } else {
        sdx_parallel_for(pool, plan.blocks * plan.ranges, SDX_FN(wino_sweep), &plan);
    }
}

/// -1 on overflow.
static int64_t SDX_FN(wino_workspace_floats)(const sdx_conv_params *p, sdx_winograd_form form, int workers) {
    SDX_FN(wino_plan) plan = SDX_FN(plan_wino)(p, form);
    int64_t floats;
    if (__builtin_mul_overflow(plan.worker_floats, (int64_t)workers, &floats)) return -1;
    return __builtin_add_overflow(floats, plan.shared_floats, &floats) ? -1 : floats;
}
