/// Packed panels of products and what becomes of their sums, for one element type and one ISA pass; after Types.h and
/// MicroKernel.h. No include guard: it is included for each.
///
/// Rows are cut into the fewest panels of at most SDX_MR rows, of even height; packed A is the panels one after
/// another, each [k][rows]. Columns are cut into panels of NR = SDX_NV · TV; packed B is the panels one after another,
/// each [k][width], width = NR but for the last panel, which has its columns rounded up to whole vectors.
#undef NR
#define NR (SDX_NV * TV)

SDX_INLINE int64_t TN(row_panels)(int64_t m) { return m / SDX_MR + (m % SDX_MR != 0); }
SDX_INLINE int64_t TN(row_start)(int64_t m, int64_t panels, int64_t panel) {
    int64_t extra = m % panels;
    return panel * (m / panels) + (panel < extra ? panel : extra);
}
SDX_INLINE int64_t TN(column_panels)(int64_t n) { return n / NR + (n % NR != 0); }
SDX_INLINE int64_t TN(panel_columns)(int64_t n, int64_t panel) { return n - panel * NR < NR ? n - panel * NR : NR; }
SDX_INLINE int64_t TN(panel_width)(int64_t columns) { return (columns + TV - 1) / TV * TV; }

/// The split of k into even blocks: their number, and where block b begins.
SDX_INLINE int64_t TN(k_blocks)(int64_t k) {
    int64_t most = SDX_BLOCK_K_BYTES / (int64_t)sizeof(T);
    return k <= most ? 1 : k / most + (k % most != 0);
}
SDX_INLINE int64_t TN(k_start)(int64_t k, int64_t blocks, int64_t block) {
    int64_t extra = k % blocks;
    return block * (k / blocks) + (block < extra ? block : extra);
}

/// packed[p · width + i] = source[i · lane_stride + p · k_stride] for i < lanes, 0 for lanes <= i < width; one of the
/// strides is 1, or k is.
static void TN(pack_panel)(
    T *restrict packed, int64_t width, int64_t lanes, int64_t k, const T *restrict source, int64_t lane_stride,
    int64_t k_stride) {
    if (lane_stride == 1 && lanes == NR && width == NR) {
#pragma clang loop unroll_count(4)
        for (int64_t p = 0; p < k; p++) {
#pragma clang loop unroll(full)
            for (int j = 0; j < SDX_NV; j++) TSTORE(packed + p * NR + j * TV, TLOAD(source + p * k_stride + j * TV));
        }
        return;
    }
    if (lane_stride == 1) {
        for (int64_t i = 0; i < width; i += TV) {
            int64_t used = lanes - i < 0 ? 0 : lanes - i < TV ? lanes - i : TV;
            int64_t stored = width - i < TV ? width - i : TV;
            const T *from = source + i;
            T *to = packed + i;
            if (used == TV) {
                for (int64_t p = 0; p < k; p++) TSTORE(to + p * width, TLOAD(from + p * k_stride));
            } else {
                for (int64_t p = 0; p < k; p++)
                    TSTORE_FIRST(to + p * width, stored, TLOAD_FIRST(from + p * k_stride, used));
            }
        }
        return;
    }
    for (int64_t i = 0; i < width; i += TV) {
        int64_t used = lanes - i < TV ? lanes - i : TV;
        int64_t stored = width - i < TV ? width - i : TV;
        const T *from = source + i * lane_stride;
        T *to = packed + i;
        int64_t p = 0;
        for (; k_stride == 1 && p + TV <= k; p += TV, to += TV * width) {
            VT v[TV], w[TV];
#pragma clang loop unroll(full)
            for (int r = 0; r < TV; r++) {
                const T *at = from + r * lane_stride + p;
                if (r < used) __builtin_prefetch((const char *)at + SDX_PACK_AHEAD);
                v[r] = r < used ? TLOAD(at) : (VT){0};
            }
            // Zipping first with second half log₂ TV times transposes the square.
#pragma clang loop unroll(full)
            for (int step = 1; step < TV; step *= 2) {
#pragma clang loop unroll(full)
                for (int r = 0; r < TV / 2; r++) {
                    w[2 * r] = TZIP_LOW(v[r], v[r + TV / 2]);
                    w[2 * r + 1] = TZIP_HIGH(v[r], v[r + TV / 2]);
                }
#pragma clang loop unroll(full)
                for (int r = 0; r < TV; r++) v[r] = w[r];
            }
            if (stored == TV) {
#pragma clang loop unroll(full)
                for (int r = 0; r < TV; r++) TSTORE(to + r * width, v[r]);
            } else {
#pragma clang loop unroll(full)
                for (int r = 0; r < TV; r++) TSTORE_FIRST(to + r * width, stored, v[r]);
            }
        }
        for (; p < k; p++, to += width)
            for (int64_t r = 0; r < stored; r++) to[r] = r < used ? from[r * lane_stride + p * k_stride] : 0;
    }
}

/// What happens to a finished sum, by its row and column in the whole of C.
typedef struct {
    T alpha, beta;
    const T *row_bias, *column_bias, *d;
    int64_t d_row_stride, d_column_stride;
    sdx_activation activation;
    int nothing; // the sum is the result
} TN(epilogue);

SDX_INLINE void TN(set_nothing)(TN(epilogue) * e) {
    e->nothing = e->alpha == 1 && !e->row_bias && !e->column_bias && !e->d && !e->activation.kind;
}

SDX_INLINE VT TN(load_strided)(const T *p, int64_t stride, int64_t n) {
    if (stride == 1) return n == TV ? TLOAD(p) : TLOAD_FIRST(p, n);
    if (stride == 0) return *p - (VT){0};
    VT v = {0};
    for (int i = 0; i < TV; i++)
        if (i < n) v[i] = p[i * stride];
    return v;
}

/// One vector of n <= TV finished sums at (row, column) of C.
SDX_INLINE VT TN(finish_vector)(const TN(epilogue) * e, VT v, int64_t row, int64_t column, int64_t n) {
    v = v * e->alpha;
    if (e->row_bias) v = v + e->row_bias[row];
    if (e->column_bias) v = v + TN(load_strided)(e->column_bias + column, 1, n);
    if (e->d) {
        const T *d = e->d + row * e->d_row_stride + column * e->d_column_stride;
        v = TFMA(TN(load_strided)(d, e->d_column_stride, n), e->beta - (VT){0}, v);
    }
#if !SDX_T_IS_DOUBLE
    v = vactivate(e->activation, v);
#endif
    return v;
}

/// What finish_tile does for one kind of activation, known to the compiler, and whole vectors.
SDX_INLINE void TN(finish_rows)(
    const TN(epilogue) * e, const sdx_activation_kind kind, const bool plain_d, const T *sums, int64_t sums_stride,
    T *c, int64_t ldc, int64_t rows, int64_t columns, int add, int64_t row, int64_t column) {
    const T *d = e->d ? e->d + row * e->d_row_stride + column : NULL;
#if !SDX_T_IS_DOUBLE
    const sdx_activation activation = {kind, e->activation.a, e->activation.b};
#else
    (void)kind;
#endif
    for (int64_t j = 0; j < columns; j += TV) {
        const VT bias = e->column_bias ? TLOAD(e->column_bias + column + j) : (VT){0};
        for (int64_t i = 0; i < rows; i++) {
            VT v = TLOAD(sums + i * sums_stride + j);
            if (add) v = TLOAD(c + i * ldc + j) + v;
            v = v * e->alpha;
            if (e->row_bias) v = v + e->row_bias[row + i];
            if (e->column_bias) v = v + bias;
            if (plain_d) v = TFMA(TLOAD(d + i * e->d_row_stride + j), e->beta - (VT){0}, v);
#if !SDX_T_IS_DOUBLE
            v = vactivate(activation, v);
#endif
            TSTORE(c + i * ldc + j, v);
        }
    }
}

/// c = finish(sums), or finish(c + sums) with `add`, for a tile whose first value is (row, column) of C; e may be NULL.
/// `sums` is a tile of its own, or c itself without `add`.
static void TN(finish_tile)(
    const TN(epilogue) * e, const T *sums, int64_t sums_stride, T *c, int64_t ldc, int64_t rows, int64_t columns,
    int add, int64_t row, int64_t column) {
    if (e && columns % TV == 0 && (!e->d || e->d_column_stride == 1)) {
#define SDX_FINISH(kind)                                                                                               \
    if (e->d) {                                                                                                        \
        TN(finish_rows)(e, kind, true, sums, sums_stride, c, ldc, rows, columns, add, row, column);                    \
    } else {                                                                                                           \
        TN(finish_rows)(e, kind, false, sums, sums_stride, c, ldc, rows, columns, add, row, column);                   \
    }                                                                                                                  \
    return;
        switch (e->activation.kind) {
        case SDX_ACTIVATION_NONE: SDX_FINISH(SDX_ACTIVATION_NONE)
#if !SDX_T_IS_DOUBLE
        case SDX_ACTIVATION_RELU: SDX_FINISH(SDX_ACTIVATION_RELU)
        case SDX_ACTIVATION_CLIP: SDX_FINISH(SDX_ACTIVATION_CLIP)
        case SDX_ACTIVATION_SILU: SDX_FINISH(SDX_ACTIVATION_SILU)
        case SDX_ACTIVATION_GELU: SDX_FINISH(SDX_ACTIVATION_GELU)
#endif
        default: break;
        }
#undef SDX_FINISH
    }
    for (int64_t i = 0; i < rows; i++, sums += sums_stride, c += ldc) {
        for (int64_t j = 0; j < columns; j += TV) {
            int64_t n = columns - j < TV ? columns - j : TV;
            VT v = n == TV ? TLOAD(sums + j) : TLOAD_FIRST(sums + j, n);
            if (add) v = (n == TV ? TLOAD(c + j) : TLOAD_FIRST(c + j, n)) + v;
            if (e) v = TN(finish_vector)(e, v, row + i, column + j, n);
            if (n == TV) TSTORE(c + j, v);
            else TSTORE_FIRST(c + j, n, v);
        }
    }
}
