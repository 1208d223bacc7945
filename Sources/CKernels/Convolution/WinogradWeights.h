/// Winograd's transform of the weights, in one ISA pass; after PackLanes.h, WinogradStrided.h and WinogradPlan.h. No include guard.
///
/// Lanes are output channels, in double: the transform rounds once, at its end.

/// u = G g of three weights: F(4, 3) at 0, ±1/√2, ±√2 and infinity, F(2, 3) at 0, ±1 and infinity.
SDX_INLINE void SDX_FN(wino_weight_row)(const int m, const bool strided, const vd g[3], vd u[6]) {
    if (strided) {
        SDX_FN(wino_phase_weights)(m, g, u);
        return;
    }
    u[0] = g[0];
    if (m == 4) {
        const double root = 1.41421356237309504880;
        vd even1 = (g[0] * 2 + g[2]) * (-1.0 / 3), odd1 = g[1] * (root / 3);
        vd even2 = (g[0] + g[2] * 2) * (1.0 / 6), odd2 = g[1] * (root / 6);
        u[1] = even1 - odd1;
        u[2] = even1 + odd1;
        u[3] = even2 + odd2;
        u[4] = even2 - odd2;
    } else {
        vd even = (g[0] + g[2]) * 0.5, odd = g[1] * 0.5;
        u[1] = even + odd;
        u[2] = even - odd;
    }
    u[m + 1] = g[2];
}

SDX_INLINE void SDX_FN(wino_store_weights)(float *to, vd u) {
    typedef float half __attribute__((ext_vector_type(SDX_V / 2), aligned(4), may_alias));
    *(half *)to = __builtin_convertvector(u, half);
}

/// u = G g Gᵀ of 3 × 3 weights: the value of point ξ goes to u + ξ · plane.
SDX_INLINE void SDX_FN(wino_weight_tile)(const int m, const bool strided, const vd g[9], float *u, int64_t plane) {
    vd rows[3][6];
#pragma clang loop unroll(full)
    for (int j = 0; j < 3; j++) {
        const vd column[3] = {g[j], g[3 + j], g[6 + j]};
        SDX_FN(wino_weight_row)(m, strided, column, rows[j]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < m + 2; i++) {
        const vd row[3] = {rows[0][i], rows[1][i], rows[2][i]};
        vd t[6];
        SDX_FN(wino_weight_row)(m, strided, row, t);
#pragma clang loop unroll(full)
        for (int j = 0; j < m + 2; j++) SDX_FN(wino_store_weights)(u + (i * (m + 2) + j) * plane, t[j]);
    }
}

/// Transforms SDX_V / 2 lanes of the weights of one input channel: tap t stands at w + t · width. Factor f is depth tap f,
/// with `deep` the f-th of the points 1, -1, 0 and infinity.
SDX_INLINE void SDX_FN(wino_weight_lanes)(
    const int m, const bool deep, const bool strided, int64_t f, const float *w, int64_t width, float *u,
    int64_t plane) {
    typedef float half __attribute__((ext_vector_type(SDX_V / 2), aligned(4), may_alias));
    if (deep) w += f == 3 ? 18 * width : 0;
    else w += f * 9 * width;
    vd g[9];
#pragma clang loop unroll(full)
    for (int j = 0; j < 9; j++) g[j] = __builtin_convertvector(*(const half *)(w + j * width), vd);
    if (deep && f < 2) {
#pragma clang loop unroll(full)
        for (int j = 0; j < 9; j++) {
            vd middle = __builtin_convertvector(*(const half *)(w + (9 + j) * width), vd);
            vd back = __builtin_convertvector(*(const half *)(w + (18 + j) * width), vd);
            g[j] = (g[j] + back + (f == 0 ? middle : -middle)) * 0.5;
        }
    }
    SDX_FN(wino_weight_tile)(m, strided, g, u, plane);
}

/// -1 on overflow.
static int64_t SDX_FN(wino_packed_floats)(const sdx_conv_params *p, sdx_winograd_form chosen) {
    winograd_form form = winograd_form_of(chosen);
    int64_t points = (form.m + 2) * (form.m + 2) * (form.deep ? 4 : p->kernel[0]), floats;
    if (__builtin_mul_overflow(p->c * points, SDX_FN(wino_ceil)(p->k, SDX_V) * SDX_V, &floats)) return -1;
    return floats;
}

/// Packed weights: by panel of WINO_LANES output channels, point of the plane (or matrix of winograd_phases), depth tap or
/// point, input channel, lane (whole vectors, the surplus lanes 0).
static void SDX_FN(wino_pack)(
    const sdx_conv_params *p, sdx_winograd_form chosen, const sdx_unaligned_f32 *w, float *packed) {
    winograd_form form = winograd_form_of(chosen);
    int64_t points = (form.m + 2) * (form.m + 2), padded = SDX_FN(wino_ceil)(p->k, SDX_V) * SDX_V;
    int64_t taps = p->kernel[0], factors = form.deep ? 4 : taps;
    const bool strided = p->stride[1] == 2;
    const winograd_phases phases = winograd_phases_of(form.m, strided);
    // Of 8 input channels: the weights, and one factor's points, whose places in `packed` would share sets of the caches.
    _Alignas(64) float block[8 * 27 * WINO_LANES], stage[36 * (8 * WINO_LANES + 16)];
    for (int64_t k0 = 0; k0 < padded; k0 += WINO_LANES) {
        int64_t width = padded - k0 < WINO_LANES ? padded - k0 : WINO_LANES, plane = 8 * width + 16;
        for (int64_t c0 = 0; c0 < p->c; c0 += 8) {
            for (int64_t lane = 0; lane < width; lane += 8)
                SDX_FN(pack_lanes)(
                    w + ((k0 + lane) * p->c + c0) * taps * 9, p->c * taps * 9, p->k - k0 - lane, 8 * taps * 9, 0,
                    block + lane, width);
            for (int64_t f = 0; f < factors; f++) {
                for (int64_t c = 0; c < 8; c++)
                    for (int64_t lane = 0; lane < width; lane += SDX_V / 2) {
                        const float *from = block + c * taps * 9 * width + lane;
                        float *to = stage + c * width + lane;
                        if (strided && form.m == 4)
                            SDX_FN(wino_weight_lanes)(4, false, true, f, from, width, to, plane);
                        else if (strided) SDX_FN(wino_weight_lanes)(2, false, true, f, from, width, to, plane);
                        else if (form.m == 4 && form.deep)
                            SDX_FN(wino_weight_lanes)(4, true, false, f, from, width, to, plane);
                        else if (form.m == 4) SDX_FN(wino_weight_lanes)(4, false, false, f, from, width, to, plane);
                        else if (form.deep) SDX_FN(wino_weight_lanes)(2, true, false, f, from, width, to, plane);
                        else SDX_FN(wino_weight_lanes)(2, false, false, f, from, width, to, plane);
                    }
                for (int i = 0; i < points; i++) {
                    int edge = form.m + 2, at = strided ? winograd_phase_matrix(&phases, form.m, i / edge, i % edge) : i;
                    memcpy(
                        packed + ((at * factors + f) * p->c + c0) * width, stage + i * plane,
                        (size_t)(8 * width) * sizeof(float));
                }
            }
        }
        packed += points * factors * p->c * width;
    }
}
