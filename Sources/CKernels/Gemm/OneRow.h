/// One row times a matrix, for one element type and one ISA pass; after Panels.h. No include guard: it serves each.
///
/// Such a product takes the time to read B, so each form reads B in the order in which it lies: a transposed B in dot
/// products of rows, a packed B panel by panel, and any other B some rows at a time, adding to the row of C.

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

/// sums[j] = Σₚ a[p] · panel[p · vectors · TV + j] for whole vectors of j: SDX_ROW_PHASES sums each, of every so many
/// products, hide the latency of adding.
SDX_INLINE void TN(row_panel)(const int vectors, int64_t k, const T *a, const T *panel, T *sums) {
    enum { PHASES = SDX_ROW_PHASES };
    VT sum[PHASES][SDX_NV];
#pragma clang loop unroll(full)
    for (int s = 0; s < PHASES; s++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) sum[s][j] = (VT){0};
    int64_t p = 0;
    for (; p + PHASES <= k; p += PHASES, panel += PHASES * vectors * TV) {
#pragma clang loop unroll(full)
        for (int s = 0; s < PHASES; s++) {
            VT value = a[p + s] - (VT){0};
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) {
                const T *at = panel + (s * vectors + j) * TV;
                __builtin_prefetch((const char *)at + SDX_ROW_AHEAD, 0, 3);
                sum[s][j] = TFMA(value, TLOAD(at), sum[s][j]);
            }
        }
    }
    for (; p < k; p++, panel += vectors * TV)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) sum[0][j] = TFMA(a[p] - (VT){0}, TLOAD(panel + j * TV), sum[0][j]);
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) {
#pragma clang loop unroll(full)
        for (int half = PHASES / 2; half > 0; half /= 2)
#pragma clang loop unroll(full)
            for (int s = 0; s < half; s++) sum[s][j] = sum[s][j] + sum[s + half][j];
        TSTORE(sums + j * TV, sum[0][j]);
    }
}

/// c[j] = Σₚ a[p] · b[p · ldb + j] for j < n, in rising p; with `add`, on top of c. `rows` <= 8 values of p.
SDX_INLINE void TN(row_sum)(const int rows, const T *a, const T *b, int64_t ldb, T *restrict c, int64_t n, int add) {
    VT value[8];
#pragma clang loop unroll(full)
    for (int p = 0; p < rows; p++) value[p] = a[p] - (VT){0};
    int64_t j = 0;
    for (; j + TV <= n; j += TV) {
        VT sum = add ? TLOAD(c + j) : (VT){0};
#pragma clang loop unroll(full)
        for (int p = 0; p < rows; p++) sum = TFMA(value[p], TLOAD(b + p * ldb + j), sum);
        TSTORE(c + j, sum);
    }
    if (j < n) {
        VT sum = add ? TLOAD_FIRST(c + j, n - j) : (VT){0};
#pragma clang loop unroll(full)
        for (int p = 0; p < rows; p++) sum = TFMA(value[p], TLOAD_FIRST(b + p * ldb + j, n - j), sum);
        TSTORE_FIRST(c + j, n - j, sum);
    }
}

/// What a row of C is multiplied from: columns [column0, column1) of the whole row c, from the whole row a and matrix b.
typedef struct {
    int64_t k;
    const T *a, *b, *packed_b;
    int64_t ldb;
    int transpose_b;
    T *c;
    int64_t column0, column1;
    const TN(epilogue) * epilogue;
} TN(one_row);

static void TN(multiply_packed_row)(const TN(one_row) * r) {
    _Alignas(64) T local[NR];
    for (int64_t j = r->column0; j < r->column1; j += NR) {
        int64_t n = r->column1 - j < NR ? r->column1 - j : NR, vectors = TN(panel_width)(n) / TV;
        const T *panel = r->packed_b + j * r->k;
        if (vectors == 1) TN(row_panel)(1, r->k, r->a, panel, local);
        else if (vectors == 2) TN(row_panel)(2, r->k, r->a, panel, local);
#if SDX_NV >= 3
        else TN(row_panel)(3, r->k, r->a, panel, local);
#endif
        TN(finish_tile)(r->epilogue->nothing ? NULL : r->epilogue, local, NR, r->c + j, NR, 1, n, 0, 0, j);
    }
}

static void TN(multiply_plain_row)(const TN(one_row) * r) {
    const T *b = r->b + r->column0;
    T *c = r->c + r->column0;
    int64_t n = r->column1 - r->column0, p = 0;
    for (; p + 8 <= r->k; p += 8) TN(row_sum)(8, r->a + p, b + p * r->ldb, r->ldb, c, n, p > 0);
    if (p == 0) TN(row_sum)(0, r->a, b, r->ldb, c, n, 0);
    for (; p < r->k; p++) TN(row_sum)(1, r->a + p, b + p * r->ldb, r->ldb, c, n, 1);
    if (!r->epilogue->nothing) TN(finish_tile)(r->epilogue, c, n, c, n, 1, n, 0, 0, r->column0);
}

static void TN(multiply_transposed_row)(const TN(one_row) * r) {
    T local[NR];
    for (int64_t j = r->column0; j < r->column1; j += NR) {
        int64_t n = r->column1 - j < NR ? r->column1 - j : NR, i = 0;
        const T *b = r->b + j * r->ldb;
        for (; i + 4 <= n; i += 4) TN(dots)(4, r->k, r->a, b + i * r->ldb, r->ldb, local + i);
        for (; i < n; i++) TN(dots)(1, r->k, r->a, b + i * r->ldb, r->ldb, local + i);
        TN(finish_tile)(r->epilogue->nothing ? NULL : r->epilogue, local, NR, r->c + j, NR, 1, n, 0, 0, j);
    }
}

static void TN(multiply_row)(const TN(one_row) * r) {
    if (r->packed_b) TN(multiply_packed_row)(r);
    else if (r->transpose_b) TN(multiply_transposed_row)(r);
    else TN(multiply_plain_row)(r);
}
