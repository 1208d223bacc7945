/// The inner product of packed panels, for one element type and one ISA pass. No include guard: it serves each.
///
/// The includer defines T (float or double), TN(name) (the name with suffixes of type and ISA), VT (the vector type),
/// TV (its lanes), TLOAD, TSTORE, TFMA. Panels: A [k][rows], B [k][columns], columns filled up with zeros to whole
/// vectors.
///
/// A tile is at most SDX_MR rows by SDX_NV vectors. The accumulators, the vectors of B and a broadcast fit the
/// registers: 14×2+2 of 32 (AVX-512 broadcasts from memory), 6×2+2+1 of 16 (AVX2), 8×3+3+1 of 32 (NEON), 4×2+2+2 of 16
/// (SSE2).

/// Sums of 0; the lines of c, where they will go, come nearer.
SDX_INLINE void TN(clear_sums)(
    const int rows, const int vectors, VT (*sum)[SDX_NV], const T *restrict c, int64_t ldc) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            if (j * TV * sizeof(T) % 64 == 0) __builtin_prefetch(c + i * ldc + j * TV, 1);
            sum[i][j] = (VT){0};
        }
    }
}

/// Stores the sums of a tile, or adds them to what is there.
SDX_INLINE void TN(store_sums)(
    const int rows, const int vectors, VT (*sum)[SDX_NV], T *restrict c, int64_t ldc, int add) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            VT value = sum[i][j];
            if (add) value = TLOAD(c + i * ldc + j * TV) + value;
            TSTORE(c + i * ldc + j * TV, value);
        }
    }
}

/// c[i, j] = Σₚ a[p, i] · b[p, j], or += with `add`, for `rows` × `vectors` whole vectors; `b_stride` elements lie
/// between rows of b. Sums run in rising p.
SDX_INLINE void TN(tile)(
    const int rows, const int vectors, int64_t k, const T *restrict a, const T *restrict b, int64_t b_stride,
    T *restrict c, int64_t ldc, int add) {
    VT sum[SDX_MR][SDX_NV];
    TN(clear_sums)(rows, vectors, sum, c, ldc);
#pragma clang loop unroll_count(2)
    for (int64_t p = 0; p < k; p++) {
        VT row[SDX_NV];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) row[j] = TLOAD(b + j * TV);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            VT value = a[i] - (VT){0};
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) sum[i][j] = TFMA(value, row[j], sum[i][j]);
        }
        a += rows;
        b += b_stride;
    }
    TN(store_sums)(rows, vectors, sum, c, ldc, add);
}

typedef void (*TN(tile_function))(
    int64_t k, const T *a, const T *b, int64_t b_stride, T *c, int64_t ldc, int add);

#define SDX_TILE(R, N)                                                                                                 \
    static void TN(tile_##R##x##N)(                                                                                    \
        int64_t k, const T *a, const T *b, int64_t b_stride, T *c, int64_t ldc, int add) {                             \
        TN(tile)(R, N, k, a, b, b_stride, c, ldc, add);                                                                \
    }
#define SDX_TILE_NAME(R, N) TN(tile_##R##x##N)
#define SDX_TILE_TABLE static const TN(tile_function) TN(tile_functions)[SDX_MR][SDX_NV]
#include "TileTable.h"
