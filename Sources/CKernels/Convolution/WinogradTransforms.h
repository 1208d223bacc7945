/// Winograd's transforms of tiles, in one ISA pass; after Gemm/Activation.h. No include guard.
///
/// F(m, 3) computes m outputs of a row from m + 2 inputs: y = Aᵀ[(G w) ⊙ (Bᵀ x)], one product for each interpolation
/// point. F(4, 3) has the points 0, ±1/√2, ±√2 and infinity: they cost what 0, ±1, ±2 do and err a fifth as much.
/// F(2, 3) has 0, ±1 and infinity. In the plane rows and columns are transformed one after the other. Lanes are
/// channels, so that nothing is shuffled.
///
/// In depth F(2, 3) may come on top: a step is four input slices and two output slices.
#define WINO_HALF_ROOT 0.70710678118654752f
#define WINO_ROOT 1.41421356237309505f

/// Channels of one step of the transformed input: whole vectors, at least one block of the layout.
#undef WINO_CB
#define WINO_CB (SDX_V < 8 ? 8 : SDX_V)

/// t = Bᵀ d
SDX_INLINE void SDX_FN(wino_input_row)(const int m, const vf *d, vf *t) {
    if (m == 4) {
        vf even1 = vfma(d[2], vsplat(-2), d[4]), odd1 = vfma(d[1], vsplat(-2), d[3]);
        vf even2 = vfma(d[2], vsplat(-0.5f), d[4]), odd2 = vfma(d[1], vsplat(-0.5f), d[3]);
        t[0] = vfma(d[2], vsplat(-2.5f), d[0] + d[4]);
        t[1] = vfma(odd1, vsplat(WINO_HALF_ROOT), even1);
        t[2] = vfma(odd1, vsplat(-WINO_HALF_ROOT), even1);
        t[3] = vfma(odd2, vsplat(WINO_ROOT), even2);
        t[4] = vfma(odd2, vsplat(-WINO_ROOT), even2);
        t[5] = vfma(d[3], vsplat(-2.5f), d[1] + d[5]);
    } else {
        t[0] = d[0] - d[2];
        t[1] = d[2] + d[1];
        t[2] = d[2] - d[1];
        t[3] = d[3] - d[1];
    }
}

/// y = Aᵀ t
SDX_INLINE void SDX_FN(wino_output_row)(const int m, const vf *t, vf *y) {
    if (m == 4) {
        vf sum1 = t[1] + t[2], difference1 = t[1] - t[2], sum2 = t[3] + t[4], difference2 = t[3] - t[4];
        y[0] = t[0] + sum1 + sum2;
        y[1] = vfma(difference2, vsplat(WINO_ROOT), difference1 * WINO_HALF_ROOT);
        y[2] = vfma(sum2, vsplat(2), sum1 * 0.5f);
        y[3] = vfma(difference2, vsplat(2 * WINO_ROOT), vfma(difference1, vsplat(0.5f * WINO_HALF_ROOT), t[5]));
    } else {
        y[0] = t[0] + t[1] + t[2];
        y[1] = t[1] - t[2] + t[3];
    }
}

typedef float SDX_FN(wino_eight) __attribute__((ext_vector_type(8), aligned(4), may_alias));
typedef float SDX_FN(wino_eight_aligned) __attribute__((ext_vector_type(8), aligned(32), may_alias));

/// A vector of channels of one pixel: on AVX-512 those of the block at x and of the one `block` floats further.
SDX_INLINE vf SDX_FN(wino_load)(const float *x, int64_t block) {
#if SDX_V == 16
    SDX_FN(wino_eight) low = *(const SDX_FN(wino_eight) *)x, high = *(const SDX_FN(wino_eight) *)(x + block);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    (void)block;
    return vload(x);
#endif
}

/// A window of (m + 2)² pixels, or (2m + 1)² with stride 2, of one or two blocks of channels.
typedef struct {
    const float *x;
    int64_t row, block;            // floats between rows, and between blocks
    const int64_t *rows, *columns; // where pixels repeat: floats from x to each row, and from there to each column
} SDX_FN(wino_window);

/// The columns of a window, whose pixels may repeat, transformed: t[i][j] of point i and column j.
SDX_INLINE void SDX_FN(wino_input_columns)(
    const int m, const bool repeats, const SDX_FN(wino_window) * from, int64_t lane, vf t[6][6]) {
    int64_t rows[6];
#pragma clang loop unroll(full)
    for (int i = 0; i < m + 2; i++) rows[i] = repeats ? from->rows[i] : i * from->row;
#pragma clang loop unroll(full)
    for (int j = 0; j < m + 2; j++) {
        vf d[6], column[6];
        const float *x = from->x + lane + (repeats ? from->columns[j] : j * 8);
#pragma clang loop unroll(full)
        for (int i = 0; i < m + 2; i++) d[i] = SDX_FN(wino_load)(x + rows[i], from->block);
        SDX_FN(wino_input_row)(m, d, column);
#pragma clang loop unroll(full)
        for (int i = 0; i < m + 2; i++) t[i][j] = column[i];
    }
}

/// Transforms one vector of channels of a window. The value of point ξ goes to v + ξ · plane.
SDX_INLINE void SDX_FN(wino_input_tile)(
    const int m, const bool repeats, const SDX_FN(wino_window) * from, int64_t lane, float *v, int64_t plane) {
    vf t[6][6];
    SDX_FN(wino_input_columns)(m, repeats, from, lane, t);
#pragma clang loop unroll(full)
    for (int i = 0; i < m + 2; i++) {
        vf d[6];
        SDX_FN(wino_input_row)(m, t[i], d);
#pragma clang loop unroll(full)
        for (int j = 0; j < m + 2; j++) {
            float *to = v + (i * (m + 2) + j) * plane;
            vstore(to, d[j]);
            __builtin_prefetch(to + 2 * WINO_CB, 1); // these are too many streams for the processor's own
        }
    }
}

/// The same of four successive slices with F(2, 3) in depth, at the points 1, -1, 0 and infinity. `kept` holds the
/// first two slices, transformed in the plane (the second (m + 2)² · plane floats further), and then the last two,
/// which are `third` and `fourth`.
SDX_INLINE void SDX_FN(wino_input_pair)(
    const int m, const bool repeats, const SDX_FN(wino_window) * third, const SDX_FN(wino_window) * fourth, int64_t lane,
    float *restrict kept, int64_t kept_plane, float *restrict v, int64_t plane) {
    const int points = (m + 2) * (m + 2);
    vf t3[6][6], t4[6][6];
    SDX_FN(wino_input_columns)(m, repeats, third, lane, t3);
    SDX_FN(wino_input_columns)(m, repeats, fourth, lane, t4);
#pragma clang loop unroll(full)
    for (int i = 0; i < m + 2; i++) {
        vf d3[6], d4[6];
        SDX_FN(wino_input_row)(m, t3[i], d3);
        SDX_FN(wino_input_row)(m, t4[i], d4);
#pragma clang loop unroll(full)
        for (int j = 0; j < m + 2; j++) {
            const int point = i * (m + 2) + j;
            float *k = kept + point * kept_plane, *to = v + point * plane;
            vf d1 = vload(k), d2 = vload(k + points * kept_plane);
            vstore(to, d3[j] + d2);
            vstore(to + points * plane, d3[j] - d2);
            vstore(to + 2 * points * plane, d1 - d3[j]);
            vstore(to + 3 * points * plane, d4[j] - d2);
            vstore(k, d3[j]);
            vstore(k + points * kept_plane, d4[j]);
        }
    }
}

/// y[i][j] from the products t + ξ · plane of one vector of channels.
SDX_INLINE void SDX_FN(wino_output_tile)(const int m, const float *t, int64_t plane, vf y[4][4]) {
    vf columns[4][6];
#pragma clang loop unroll(full)
    for (int j = 0; j < m + 2; j++) {
        vf d[6], column[4];
#pragma clang loop unroll(full)
        for (int i = 0; i < m + 2; i++) d[i] = vload(t + (i * (m + 2) + j) * plane);
        SDX_FN(wino_output_row)(m, d, column);
#pragma clang loop unroll(full)
        for (int i = 0; i < m; i++) columns[i][j] = column[i];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < m; i++) SDX_FN(wino_output_row)(m, columns[i], y[i]);
}

/// The activations that need more than a comparison.
static __attribute__((noinline)) void SDX_FN(wino_activate)(sdx_activation activation, vf *y, int64_t count) {
    for (int64_t i = 0; i < count; i++) y[i] = vactivate(activation, y[i]);
}

/// Where the outputs of a tile go.
typedef struct {
    const float *residual; // NULL, or as y
    float *y;              // its first pixel in the block of the first lane
    int64_t row, block;    // floats between rows, and between blocks of channels
    int64_t height, width; // pixels of the tile that exist
    sdx_activation activation;
} SDX_FN(wino_target);

/// Adds bias and residual to pixel (i, j).
SDX_INLINE vf SDX_FN(wino_add)(vf t, vf bias, const SDX_FN(wino_target) * to, const int half, int64_t i, int64_t j) {
    t = t + bias;
    if (to->residual) t = t + SDX_FN(wino_load)(to->residual + i * to->row + j * 8, half ? 0 : to->block);
    return t;
}

SDX_INLINE void SDX_FN(wino_store)(vf t, const SDX_FN(wino_target) * to, const int half, int64_t i, int64_t j) {
    float *y = to->y + i * to->row + j * 8;
#if SDX_V == 16
    *(SDX_FN(wino_eight) *)y = t.lo;
    if (!half) *(SDX_FN(wino_eight) *)(y + to->block) = t.hi;
#else
    (void)half;
    vstore(y, t);
#endif
}

/// The same past the caches, to pixels that are aligned. Those of a row come one after the other, so that lines are written
/// whole.
SDX_INLINE void SDX_FN(wino_stream)(vf t, const SDX_FN(wino_target) * to, const int half, int64_t i, int64_t j) {
    float *y = to->y + i * to->row + j * 8;
#if SDX_V == 16
    __builtin_nontemporal_store(t.lo, (SDX_FN(wino_eight_aligned) *)y);
    if (!half) __builtin_nontemporal_store(t.hi, (SDX_FN(wino_eight_aligned) *)(y + to->block));
#else
    (void)half;
    __builtin_nontemporal_store(t, (vf *)y);
#endif
}

/// y = act(t + bias + residual), of a tile that exists whole.
SDX_INLINE void SDX_FN(wino_finish_whole)(
    const int m, const int half, const bool streamed, vf t[4][4], vf bias, const SDX_FN(wino_target) * to) {
#pragma clang loop unroll(full)
    for (int i = 0; i < m; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < m; j++) t[i][j] = SDX_FN(wino_add)(t[i][j], bias, to, half, i, j);
    if (to->activation.kind == SDX_ACTIVATION_RELU) {
#pragma clang loop unroll(full)
        for (int i = 0; i < m; i++)
#pragma clang loop unroll(full)
            for (int j = 0; j < m; j++) t[i][j] = vmax(vsplat(0), t[i][j]);
    } else if (to->activation.kind) {
        for (int i = 0; i < m; i++) SDX_FN(wino_activate)(to->activation, t[i], m);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < m; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < m; j++)
            if (streamed) SDX_FN(wino_stream)(t[i][j], to, half, i, j);
            else SDX_FN(wino_store)(t[i][j], to, half, i, j);
}

/// The same of a tile that the border cuts.
static __attribute__((noinline)) void SDX_FN(wino_finish_part)(
    int half, vf t[4][4], vf bias, const SDX_FN(wino_target) * to) {
    for (int64_t i = 0; i < to->height; i++) {
        for (int64_t j = 0; j < to->width; j++) t[i][j] = SDX_FN(wino_add)(t[i][j], bias, to, half, i, j);
        if (to->activation.kind) SDX_FN(wino_activate)(to->activation, t[i], to->width);
        for (int64_t j = 0; j < to->width; j++) SDX_FN(wino_store)(t[i][j], to, half, i, j);
    }
}
