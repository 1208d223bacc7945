/// Winograd's transforms with stride 2 in the plane, in one ISA pass; after WinogradTransforms.h and WinogradProduct.h. No
/// include guard. See WinogradPhases.h.
///
/// F(2, 2) has the points ±1 and infinity, F(4, 2) ±1/2, ±5/4 and infinity: of ten sets of points those that err least.
/// The pixels that one tap meets are transformed to the same finite points by the same rows of Bᵀ. What all of them
/// would be divided by, 2 and 21/8, the weights are.
#undef WINO_NEAR
#undef WINO_FAR
#define WINO_NEAR 0.5f
#define WINO_FAR 1.25f

/// t = Bᵀ d of m + 1 pixels; without `two`, of m pixels that one tap meets, which have no value at infinity.
SDX_INLINE void SDX_FN(wino_phase_row)(const int m, const bool two, const vf *d, vf *t) {
    const float near = WINO_NEAR * WINO_NEAR, far = WINO_FAR * WINO_FAR;
    if (m == 4) {
        vf even1 = vfma(d[0], vsplat(-far), d[2]), odd1 = vfma(d[1], vsplat(-far), d[3]);
        vf even2 = vfma(d[0], vsplat(near), -d[2]), odd2 = vfma(d[1], vsplat(near), -d[3]);
        t[0] = vfma(odd1, vsplat(1 / WINO_NEAR), even1);
        t[1] = vfma(odd1, vsplat(-1 / WINO_NEAR), even1);
        t[2] = vfma(odd2, vsplat(1 / WINO_FAR), even2);
        t[3] = vfma(odd2, vsplat(-1 / WINO_FAR), even2);
        if (two) t[4] = vfma(d[0], vsplat(near * far), vfma(d[2], vsplat(-near - far), d[4]));
    } else {
        t[0] = d[0] + d[1];
        t[1] = d[0] - d[1];
        if (two) t[2] = d[2] - d[0];
    }
}

/// y = Aᵀ t
SDX_INLINE void SDX_FN(wino_phase_output)(const int m, const vf *t, vf *y) {
    const float near = WINO_NEAR, far = WINO_FAR;
    if (m == 4) {
        vf sum1 = t[0] + t[1], difference1 = t[0] - t[1], sum2 = t[2] + t[3], difference2 = t[2] - t[3];
        y[0] = sum1 + sum2;
        y[1] = vfma(difference2, vsplat(far), difference1 * near);
        y[2] = vfma(sum2, vsplat(far * far), sum1 * (near * near));
        y[3] = vfma(difference2, vsplat(far * far * far), vfma(difference1, vsplat(near * near * near), t[4]));
    } else {
        y[0] = t[0] + t[1];
        y[1] = t[0] - t[1] + t[2];
    }
}

/// Transforms one vector of channels of a window of (2m + 1)² pixels, whose rows and columns alternate between two taps
/// and one. Value i of winograd_phases goes to v + i · plane.
SDX_INLINE void SDX_FN(wino_strided_tile)(
    const int m, const SDX_FN(wino_window) * from, int64_t lane, float *v, int64_t plane) {
#pragma clang loop unroll(full)
    for (int r = 0; r < 2; r++) {
        vf t[5][9];
#pragma clang loop unroll(full)
        for (int j = 0; j < 2 * m + 1; j++) {
            vf d[5], column[5];
            const float *x = from->x + lane + r * from->row + j * 8;
#pragma clang loop unroll(full)
            for (int i = 0; i < m + 1 - r; i++) d[i] = SDX_FN(wino_load)(x + 2 * i * from->row, from->block);
            SDX_FN(wino_phase_row)(m, r == 0, d, column);
#pragma clang loop unroll(full)
            for (int i = 0; i < m + 1 - r; i++) t[i][j] = column[i];
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < m + 1 - r; i++) {
            vf even[5], odd[5], two[5], one[5];
#pragma clang loop unroll(full)
            for (int j = 0; j < m + 1; j++) even[j] = t[i][2 * j];
#pragma clang loop unroll(full)
            for (int j = 0; j < m; j++) odd[j] = t[i][2 * j + 1];
            SDX_FN(wino_phase_row)(m, true, even, two);
            SDX_FN(wino_phase_row)(m, false, odd, one);
            const int phases = i < m ? 2 : 1, row = i * (2 * m + 1) * 2; // along rows; the first value of this row
#pragma clang loop unroll(full)
            for (int j = 0; j < m + 1; j++) {
                const int other = j < m ? 2 : 1, value = row + j * phases * 2 + r * other;
                float *to = v + value * plane;
                vstore(to, two[j]);
                __builtin_prefetch(to + 2 * WINO_CB, 1);
                if (j == m) continue;
                vstore(to + plane, one[j]);
                __builtin_prefetch(to + plane + 2 * WINO_CB, 1);
            }
        }
    }
}

/// y[i][j] from the products t + ξ · plane of one vector of channels.
SDX_INLINE void SDX_FN(wino_strided_output)(const int m, const float *t, int64_t plane, vf y[4][4]) {
    vf columns[4][5];
#pragma clang loop unroll(full)
    for (int j = 0; j < m + 1; j++) {
        vf d[5], column[4];
#pragma clang loop unroll(full)
        for (int i = 0; i < m + 1; i++) d[i] = vload(t + (i * (m + 1) + j) * plane);
        SDX_FN(wino_phase_output)(m, d, column);
#pragma clang loop unroll(full)
        for (int i = 0; i < m; i++) columns[i][j] = column[i];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < m; i++) SDX_FN(wino_phase_output)(m, columns[i], y[i]);
}

/// u = G g of three weights: the outer two at the points, then the middle one; see winograd_phase_matrix.
SDX_INLINE void SDX_FN(wino_phase_weights)(const int m, const vd g[3], vd u[6]) {
    const double near = WINO_NEAR, far = WINO_FAR, scale = m == 4 ? 0.5 / (near * near - far * far) : 0.5;
    vd first = g[0] * scale, last = g[2] * scale;
    u[0] = m == 4 ? first + near * last : first + last;
    u[1] = m == 4 ? first - near * last : first - last;
    if (m == 4) {
        u[2] = first + far * last;
        u[3] = first - far * last;
    }
    u[m] = g[2];
    u[m + 1] = g[1] * scale;
}
