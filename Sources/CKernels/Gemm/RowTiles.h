/// The tiles of MicroKernel.h with A read where it lies, for one element type and one ISA pass; after MicroKernel.h.
/// No include guard: it serves each.
///
/// Three rows share a pointer, so that 14 rows take five of the 16 registers for addresses. Broadcasts from rows then
/// cost what those from a packed panel do, and the packing is saved.

/// Adds `steps` values of p to the sums and moves b on.
SDX_INLINE const T *TN(row_steps)(
    const int rows, const int vectors, const int steps, VT (*sum)[SDX_NV], const T *const *from, int64_t lda,
    const T *b, int64_t b_stride) {
#pragma clang loop unroll(full)
    for (int s = 0; s < steps; s++, b += b_stride) {
        VT row[SDX_NV];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) row[j] = TLOAD(b + j * TV);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            VT value = from[i / 3][i % 3 * lda + s] - (VT){0};
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) sum[i][j] = TFMA(value, row[j], sum[i][j]);
        }
        __asm__ volatile("" ::: "memory"); // loads that move over a step cost accumulators
    }
    return b;
}

/// c[i, j] = Σₚ a[i · lda + p] · b[p · b_stride + j], or += with `add`, for `rows` × `vectors` whole vectors, in rising
/// p. Fetches 32 · k bytes from `ahead` on towards L2, and as many
/// `further` bytes on.
SDX_INLINE void TN(row_tile)(
    const int rows, const int vectors, int64_t k, const T *restrict a, int64_t lda, const T *restrict b,
    int64_t b_stride, T *restrict c, int64_t ldc, int add, const char *ahead, int64_t further) {
    enum { STEPS = 2 };
    VT sum[SDX_MR][SDX_NV];
    const T *from[(SDX_MR + 2) / 3];
    TN(clear_sums)(rows, vectors, sum, c, ldc);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i += 3) from[i / 3] = a + i * lda;
    int64_t p = 0;
#pragma clang loop unroll(disable)
    for (; p + STEPS <= k; p += STEPS) {
        __builtin_prefetch(ahead, 0, 2);
        __builtin_prefetch(ahead + further, 0, 2);
        ahead += 64;
        // Hides what the pointers have in common: the compiler would keep one for each row, and spill most.
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i += 3) __asm__("" : "+r"(from[i / 3]));
        b = TN(row_steps)(rows, vectors, STEPS, sum, from, lda, b, b_stride);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i += 3) from[i / 3] += STEPS;
    }
    if (p < k) TN(row_steps)(rows, vectors, 1, sum, from, lda, b, b_stride);
    TN(store_sums)(rows, vectors, sum, c, ldc, add);
}

typedef void (*TN(row_tile_function))(
    int64_t k, const T *a, int64_t lda, const T *b, int64_t b_stride, T *c, int64_t ldc, int add, const char *ahead,
    int64_t further);

#define SDX_TILE(R, N)                                                                                                 \
    static void TN(row_tile_##R##x##N)(                                                                                \
        int64_t k, const T *a, int64_t lda, const T *b, int64_t b_stride, T *c, int64_t ldc, int add,                  \
        const char *ahead, int64_t further) {                                                                          \
        TN(row_tile)(R, N, k, a, lda, b, b_stride, c, ldc, add, ahead, further);                                       \
    }
#define SDX_TILE_NAME(R, N) TN(row_tile_##R##x##N)
#define SDX_TILE_TABLE static const TN(row_tile_function) TN(row_tile_functions)[SDX_MR][SDX_NV]
#include "TileTable.h"
