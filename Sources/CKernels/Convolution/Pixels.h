/// Packs columns of the implicit matrix of a convolution, in one ISA pass; after Panels.h for float. No include guard.

/// A run of pixels of one output row inside a vector of pixels.
typedef struct {
    int64_t d, h;         // input position of the row's first tap, before d.first and h.first
    int64_t w;            // input position of lane 0 (virtual where the run begins later), likewise
    int32_t lane0, lane1; // the lanes of the run
} SDX_FN(run);

enum { SDX_FN(most_tabled_taps) = 16 };

/// The lanes [low, high) of a run that lie inside x for tap offset `offset` along W.
typedef struct {
    int32_t low, high;
} SDX_FN(lanes);

SDX_INLINE SDX_FN(lanes) SDX_FN(inside)(const SDX_FN(run) * run, const gather_axis *w, int64_t offset) {
    int64_t position = run->w + offset, low = 0, high; // lane i is at position + i · step
    if (w->step == 1) {
        low = -position;
        high = w->in - position;
    } else {
        if (position < 0) low = (-position + w->step - 1) / w->step;
        high = position < w->in ? (w->in - 1 - position) / w->step + 1 : 0;
    }
    if (low < run->lane0) low = run->lane0;
    if (high > run->lane1) high = run->lane1;
    if (high < low) high = low = 0;
    return (SDX_FN(lanes)){(int32_t)low, (int32_t)high};
}

/// Lanes [low, high) of the vector at p, zeros elsewhere. Reads nothing else.
SDX_INLINE vf SDX_FN(load_lanes)(const float *p, SDX_FN(lanes) l) {
#if SDX_TARGET_AVX512
    uint32_t mask = ((1u << l.high) - 1) & ~((1u << l.low) - 1);
    return (vf)_mm512_maskz_loadu_ps((__mmask16)mask, p);
#elif SDX_TARGET_AVX2
    vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    vi mask = (lane >= ((vi){0} + l.low)) & (lane < ((vi){0} + l.high));
    return (vf)_mm256_maskload_ps(p, (__m256i)mask);
#else
    if (SDX_LIKELY(l.high - l.low == SDX_V)) return vload(p);
    _Alignas(16) float v[SDX_V] = {0};
    for (int32_t i = l.low; i < l.high; i++) v[i] = p[i];
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
    for (int32_t i = l.low; i < l.high; i++) v[i] = p[i * step];
    return vload(v);
}

/// Cuts pixels [pixel, pixel + count), count <= SDX_V, into runs; returns how many.
static int SDX_FN(find_runs)(const gather *g, int64_t pixel, int64_t count, SDX_FN(run) * runs) {
    int64_t ow = pixel % g->w.out, rest = pixel / g->w.out, oh = rest % g->h.out, od = rest / g->h.out;
    int number = 0;
    for (int64_t lane = 0; lane < count;) {
        int64_t length = g->w.out - ow < count - lane ? g->w.out - ow : count - lane;
        runs[number++] = (SDX_FN(run)){
            .d = od * g->d.step, .h = oh * g->h.step, .w = (ow - lane) * g->w.step,
            .lane0 = (int32_t)lane, .lane1 = (int32_t)(lane + length),
        };
        lane += length;
        ow = 0;
        if (++oh == g->h.out) {
            oh = 0;
            od++;
        }
    }
    return number;
}

/// packed[(r - row0) · width + j] = the implicit matrix at (r, pixel + j), for row0 <= r < row0 + rows and SDX_V columns j,
/// of which those from `count` on are zero. x is the first channel of the group.
static void SDX_FN(pack_pixel_vector)(
    const gather *g, const float *x, int64_t row0, int64_t rows, int64_t pixel, int64_t count, float *restrict packed,
    int64_t width) {
    SDX_FN(run) runs[SDX_V];
    int number = SDX_FN(find_runs)(g, pixel, count, runs);
    // Lanes inside x depend on the tap along W alone; a wide kernel computes them as it goes.
    SDX_FN(lanes) table[SDX_V][SDX_FN(most_tabled_taps)];
    bool tabled = g->w.taps <= SDX_FN(most_tabled_taps);
    for (int i = 0; tabled && i < number; i++)
        for (int64_t t = 0; t < g->w.taps; t++)
            table[i][t] = SDX_FN(inside)(&runs[i], &g->w, g->w.first + t * g->w.delta);

    int64_t tw = row0 % g->w.taps, rest = row0 / g->w.taps, th = rest % g->h.taps;
    rest /= g->h.taps;
    int64_t td = rest % g->d.taps, channel = rest / g->d.taps;
    int64_t plane = g->h.in * g->w.in, volume = g->d.in * plane;
    while (rows > 0) {
        int64_t taps = g->w.taps - tw < rows ? g->w.taps - tw : rows;
        int64_t d_offset = g->d.first + td * g->d.delta, h_offset = g->h.first + th * g->h.delta;
        const float *base = x + channel * volume;
        for (int i = 0; i < number; i++) {
            const SDX_FN(run) *run = &runs[i];
            int64_t d = run->d + d_offset, h = run->h + h_offset;
            bool outside = d < 0 || d >= g->d.in || h < 0 || h >= g->h.in;
            const float *row = outside ? x : base + d * plane + h * g->w.in + run->w + g->w.first;
            for (int64_t t = 0; t < taps; t++) {
                vf v = {0};
                int64_t offset = (tw + t) * g->w.delta;
                if (!outside) {
                    SDX_FN(lanes) l = tabled ? table[i][tw + t] : SDX_FN(inside)(run, &g->w, g->w.first + offset);
                    v = g->w.step == 1 ? SDX_FN(load_lanes)(row + offset, l)
                                       : SDX_FN(load_lanes_strided)(row + offset, g->w.step, l);
                }
                float *to = packed + t * width;
                if (i > 0) v = vas_float(vas_int(v) | vas_int(vload(to))); // the lanes of runs are disjoint
                vstore(to, v);
            }
        }
        packed += taps * width;
        rows -= taps;
        tw = 0;
        if (++th == g->h.taps) {
            th = 0;
            if (++td == g->d.taps) {
                td = 0;
                channel++;
            }
        }
    }
}

/// Packs rows [row0, row0 + rows) of pixels [pixel, pixel + count), count <= NR, as one column panel.
static void SDX_FN(pack_pixels)(
    const gather *g, const float *x, int64_t row0, int64_t rows, int64_t pixel, int64_t count, float *packed) {
    int64_t width = SDX_FN(panel_width_f32)(count);
    if (rows <= 0) return;
    for (int64_t j = 0; j < width; j += SDX_V)
        SDX_FN(pack_pixel_vector)
        (g, x, row0, rows, pixel + j, count - j < SDX_V ? count - j : SDX_V, packed + j, width);
}
