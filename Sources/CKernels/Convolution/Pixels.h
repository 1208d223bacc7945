/// Packs columns of the implicit matrix of a convolution, in one ISA pass; after Panels.h for float. No include guard.

/// The lanes [low, high) of a vector.
typedef struct {
    uint8_t low, high;
} SDX_FN(lanes);

/// A run of pixels of one output row inside a vector of pixels.
typedef struct {
    int64_t d, h;  // input position of the row's first tap, before d.first and h.first
    int64_t w;     // input position of lane 0 (virtual where the run begins later), before w.first
    int64_t start; // (d · height + h) · width + w + w.first: where lane 0 is in a channel, before d.first and h.first
    SDX_FN(lanes) used;
    bool whole;    // the only run of its vector, which lies inside x with every tap along W
} SDX_FN(run);

/// The lanes of a run that lie inside x for tap offset `offset` along W.
SDX_INLINE SDX_FN(lanes) SDX_FN(inside)(const SDX_FN(run) * run, const gather_axis *w, int64_t offset) {
    int64_t position = run->w + offset, low = 0, high; // lane i is at position + i · step
    if (w->step == 1) {
        low = -position;
        high = w->in - position;
    } else {
        if (position < 0) low = (-position + w->step - 1) / w->step;
        high = position < w->in ? (w->in - 1 - position) / w->step + 1 : 0;
    }
    if (low < run->used.low) low = run->used.low;
    if (high > run->used.high) high = run->used.high;
    if (high < low) high = low = 0;
    return (SDX_FN(lanes)){(uint8_t)low, (uint8_t)high};
}

/// Lanes l of the vector at p, zeros elsewhere. Reads nothing else.
SDX_INLINE vf SDX_FN(load_lanes)(const float *p, SDX_FN(lanes) l) {
    if (SDX_LIKELY(l.high - l.low == SDX_V)) return vload(p);
#if SDX_TARGET_AVX512
    uint32_t mask = ((1u << l.high) - 1) & ~((1u << l.low) - 1);
    return (vf)_mm512_maskz_loadu_ps((__mmask16)mask, p);
#elif SDX_TARGET_AVX2
    vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    vi mask = (lane >= ((vi){0} + l.low)) & (lane < ((vi){0} + l.high));
    return (vf)_mm256_maskload_ps(p, (__m256i)mask);
#else
    _Alignas(16) float v[SDX_V] = {0};
    for (int i = l.low; i < l.high; i++) v[i] = p[i];
    return vload(v);
#endif
}

/// As load_lanes, with `step` floats from lane to lane.
SDX_INLINE vf SDX_FN(load_lanes_strided)(const float *p, int64_t step, SDX_FN(lanes) l) {
    if (step == 2 && l.low == 0 && l.high == SDX_V) {
        // Ends at the last lane's own float, so that nothing beyond the row is read.
        vf a = vload(p), b = vload(p + SDX_V - 1);
#if SDX_V == 16
        return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
#elif SDX_V == 8
        return __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
#else
        return __builtin_shufflevector(a, b, 0, 2, 5, 7);
#endif
    }
    _Alignas(64) float v[SDX_V] = {0};
    for (int64_t i = l.low; i < l.high; i++) v[i] = p[i * step];
    return vload(v);
}

enum {
    SDX_FN(most_pixels) = SDX_MOST_PIXEL_PANELS * NR, // in a block
    SDX_FN(most_vectors) = SDX_MOST_PIXEL_PANELS * SDX_NV,
    SDX_FN(most_tabled_taps) = 12,
};

/// The runs of a block of pixels, vector by vector, and what stays the same for all channels.
typedef struct {
    const gather *g;
    int64_t vectors;
    int16_t first_run[SDX_FN(most_vectors) + 1]; // of each vector
    bool tabled;                                 // whether the taps along W fit the table
    SDX_FN(run) runs[SDX_FN(most_pixels)];
    SDX_FN(lanes) table[SDX_FN(most_pixels)][SDX_FN(most_tabled_taps)]; // lanes inside x, by run and tap along W
} SDX_FN(pixel_block);

static void SDX_FN(find_runs)(SDX_FN(pixel_block) * block, const gather *g, int64_t pixel, int64_t count) {
    int64_t ow = pixel % g->w.out, rest = pixel / g->w.out, oh = rest % g->h.out, od = rest / g->h.out;
    int number = 0;
    block->g = g;
    block->vectors = 0;
    for (int64_t j = 0; j < count; j += SDX_V) {
        block->first_run[block->vectors++] = (int16_t)number;
        int64_t used = count - j < SDX_V ? count - j : SDX_V;
        for (int64_t lane = 0; lane < used;) {
            int64_t length = g->w.out - ow < used - lane ? g->w.out - ow : used - lane;
            block->runs[number++] = (SDX_FN(run)){
                .d = od * g->d.step, .h = oh * g->h.step, .w = (ow - lane) * g->w.step,
                .used = {(uint8_t)lane, (uint8_t)(lane + length)},
            };
            lane += length;
            ow += length;
            if (ow < g->w.out) continue;
            ow = 0;
            if (++oh == g->h.out) {
                oh = 0;
                od++;
            }
        }
    }
    block->first_run[block->vectors] = (int16_t)number;
    for (int i = 0; i < number; i++) {
        SDX_FN(run) *run = &block->runs[i];
        run->start = (run->d * g->h.in + run->h) * g->w.in + run->w + g->w.first;
        int64_t near = run->w + g->w.first, far = near + (g->w.taps - 1) * g->w.delta;
        int64_t low = near < far ? near : far, high = near < far ? far : near;
        run->whole = g->w.step == 1 && run->used.low == 0 && run->used.high == SDX_V && low >= 0 &&
                     high + SDX_V <= g->w.in;
    }
    block->tabled = g->w.taps <= SDX_FN(most_tabled_taps);
    for (int i = 0; block->tabled && i < number; i++)
        for (int64_t t = 0; t < g->w.taps; t++)
            block->table[i][t] = SDX_FN(inside)(&block->runs[i], &g->w, g->w.first + t * g->w.delta);
}

/// Where a run meets the input row of taps (d_offset, h_offset), which begin at `taps`: its lane 0 at tap 0 along W, or
/// NULL outside x.
SDX_INLINE const float *SDX_FN(run_row)(
    const gather *g, const SDX_FN(run) * run, const float *taps, int64_t d_offset, int64_t h_offset) {
    bool inside_d = (uint64_t)(run->d + d_offset) < (uint64_t)g->d.in;
    bool inside = inside_d && (uint64_t)(run->h + h_offset) < (uint64_t)g->h.in;
    return inside ? taps + run->start : NULL;
}

/// One vector of pixels for taps [tap, tap + taps) along W: to[t · width]; taps_row is where the input rows of
/// (d_offset, h_offset) begin in the channel.
SDX_INLINE void SDX_FN(pack_taps)(
    const SDX_FN(pixel_block) * block, int64_t vector, const float *taps_row, int64_t d_offset, int64_t h_offset,
    int64_t tap, int64_t taps, float *restrict to, int64_t width) {
    const gather *g = block->g;
    int first = block->first_run[vector], number = block->first_run[vector + 1] - first;
    const SDX_FN(run) *runs = block->runs + first;
    if (SDX_LIKELY(runs->whole)) {
        const float *row = SDX_FN(run_row)(g, runs, taps_row, d_offset, h_offset);
        int64_t delta = g->w.delta;
        if (row && taps == 3 && tap == 0) {
            vf a = vload(row), b = vload(row + delta), c = vload(row + 2 * delta);
            vstore(to, a);
            vstore(to + width, b);
            vstore(to + 2 * width, c);
            return;
        }
        if (row) row += tap * delta;
        for (int64_t t = 0; t < taps; t++, to += width) {
            vstore(to, row ? vload(row) : (vf){0});
            if (row) row += delta;
        }
        return;
    }
    if (number == 1 && g->w.step == 1 && block->tabled) {
        const float *row = SDX_FN(run_row)(g, runs, taps_row, d_offset, h_offset);
        for (int64_t t = tap; t < tap + taps; t++, to += width)
            vstore(to, row ? SDX_FN(load_lanes)(row + t * g->w.delta, block->table[first][t]) : (vf){0});
        return;
    }
    const float *rows[SDX_V];
    for (int i = 0; i < number; i++) rows[i] = SDX_FN(run_row)(g, runs + i, taps_row, d_offset, h_offset);
    for (int64_t t = tap; t < tap + taps; t++, to += width) {
        vf v = {0};
        int64_t offset = t * g->w.delta;
        for (int i = 0; i < number; i++) {
            if (!rows[i]) continue;
            SDX_FN(lanes) l = block->tabled ? block->table[first + i][t]
                                            : SDX_FN(inside)(runs + i, &g->w, g->w.first + offset);
            vf part = g->w.step == 1 ? SDX_FN(load_lanes)(rows[i] + offset, l)
                                     : SDX_FN(load_lanes_strided)(rows[i] + offset, g->w.step, l);
            v = vas_float(vas_int(v) | vas_int(part)); // the lanes of runs are disjoint
        }
        vstore(to, v);
    }
}

/// The column panels of a block of pixels, for the k values of one block of k.
static int64_t SDX_FN(block_panels)(int64_t k) {
    int64_t most = SDX_BLOCK_COLUMN_PANELS * (SDX_BLOCK_K_BYTES / (int64_t)sizeof(float)) / (k > 0 ? k : 1);
    return most < SDX_BLOCK_COLUMN_PANELS ? SDX_BLOCK_COLUMN_PANELS
           : most > SDX_MOST_PIXEL_PANELS ? SDX_MOST_PIXEL_PANELS : most;
}

/// Packs rows [row0, row0 + rows) of the implicit matrix for pixels [pixel, pixel + count), a block at most, as column
/// panels, one after another; channel by channel, so that x, the group's first channel, is read along its rows.
static void SDX_FN(pack_pixels)(
    const gather *g, const float *x, int64_t row0, int64_t rows, int64_t pixel, int64_t count, float *packed) {
    if (rows <= 0) return;
    SDX_FN(pixel_block) block;
    SDX_FN(find_runs)(&block, g, pixel, count);
    int64_t tap = row0 % g->w.taps, rest = row0 / g->w.taps, th = rest % g->h.taps;
    rest /= g->h.taps;
    int64_t td = rest % g->d.taps;
    const float *channel = x + rest / g->d.taps * g->d.in * g->h.in * g->w.in;
    int64_t last_panel = (block.vectors - 1) / SDX_NV, last_width = (block.vectors - last_panel * SDX_NV) * SDX_V;
    for (int64_t done = 0, taps; done < rows; done += taps) {
        taps = g->w.taps - tap < rows - done ? g->w.taps - tap : rows - done;
        int64_t d_offset = g->d.first + td * g->d.delta, h_offset = g->h.first + th * g->h.delta;
        // As an integer: the row may lie before x, where only its later runs are inside.
        const float *row = (const float *)((uintptr_t)channel +
                                           (uintptr_t)((d_offset * g->h.in + h_offset) * g->w.in) * sizeof(float));
        for (int64_t v = 0; v < block.vectors; v++) {
            int64_t panel = v / SDX_NV, width = panel == last_panel ? last_width : NR;
            float *to = packed + panel * NR * rows + done * width + v % SDX_NV * SDX_V;
            SDX_FN(pack_taps)(&block, v, row, d_offset, h_offset, tap, taps, to, width);
        }
        tap = 0;
        if (++th < g->h.taps) continue;
        th = 0;
        if (++td < g->d.taps) continue;
        td = 0;
        channel += g->d.in * g->h.in * g->w.in;
    }
}
