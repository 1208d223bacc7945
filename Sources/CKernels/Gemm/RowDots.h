/// One row times a transposed B: dot products of rows, for one element type and one ISA pass; after Panels.h. No
/// include guard: it serves each.

/// The sum of the lanes, as a tree over halves.
SDX_INLINE T TN(sum_lanes)(VT v) {
    T lanes[TV];
    TSTORE(lanes, v);
#pragma clang loop unroll(full)
    for (int half = TV / 2; half > 0; half /= 2)
#pragma clang loop unroll(full)
        for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
    return lanes[0];
}

/// c[j] = Σₚ a[p] · b[j · ldb + p] for j < `count`: lanes add every TV-th product, then the lanes add up. a and b are
/// read once, several rows of b side by side.
SDX_INLINE void TN(dots)(const int count, int64_t k, const T *a, const T *b, int64_t ldb, T *c) {
    VT sum[4][2];
#pragma clang loop unroll(full)
    for (int j = 0; j < count; j++) sum[j][0] = sum[j][1] = (VT){0};
    int64_t p = 0;
    for (; p + 2 * TV <= k; p += 2 * TV) {
        VT low = TLOAD(a + p), high = TLOAD(a + p + TV);
#pragma clang loop unroll(full)
        for (int j = 0; j < count; j++) {
            sum[j][0] = TFMA(low, TLOAD(b + j * ldb + p), sum[j][0]);
            sum[j][1] = TFMA(high, TLOAD(b + j * ldb + p + TV), sum[j][1]);
        }
    }
    for (int i = 0; i < 2 && p < k; i++, p += TV) {
        int64_t n = k - p < TV ? k - p : TV;
        VT value = TLOAD_FIRST(a + p, n);
#pragma clang loop unroll(full)
        for (int j = 0; j < count; j++) sum[j][0] = TFMA(value, TLOAD_FIRST(b + j * ldb + p, n), sum[j][0]);
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < count; j++) c[j] = TN(sum_lanes)(sum[j][0] + sum[j][1]);
}

/// Columns [column0, column1) of the row c, whose a and b are those of the row's first column.
static void TN(multiply_row)(
    int64_t k, const T *a, const T *b, int64_t ldb, T *c, int64_t column0, int64_t column1, const TN(epilogue) * e) {
    T local[NR];
    for (int64_t j = column0; j < column1; j += NR) {
        int64_t n = column1 - j < NR ? column1 - j : NR, i = 0;
        for (; i + 4 <= n; i += 4) TN(dots)(4, k, a, b + (j + i) * ldb, ldb, local + i);
        for (; i < n; i++) TN(dots)(1, k, a, b + (j + i) * ldb, ldb, local + i);
        TN(finish_tile)(e->nothing ? NULL : e, local, NR, c + j, NR, 1, n, 0, 0, j);
    }
}
