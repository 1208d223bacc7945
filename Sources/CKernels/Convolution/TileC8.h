/// The register tile of products in layout c8, in one ISA pass; after Activation.h. No include guard: on purpose.
///
/// Rows are pixels, 8 floats apart in x; lanes are channels of y, in units of 8. Every pixel and unit has its own
/// place in y, which is what sets the tile apart from BlockedTile.h: residues interleave in y.
/// A group is what one full tile covers: 14 pixels × 4 units (AVX-512: 28 accumulators, 2 vectors of weights and a
/// broadcast of 32 registers), 6 × 2 (AVX2: 12 + 2 + 1 of 16), 6 × 2 (NEON: 24 + 4 + 1 of 32), 4 × 1 (SSE2: 8 + 2 + 2
/// of 16).
#undef SDX_C8_ROWS
#undef SDX_C8_VECTORS
#undef SDX_C8_UNITS
#if SDX_TARGET_AVX512
#define SDX_C8_ROWS 14
#define SDX_C8_VECTORS 2
#elif SDX_TARGET_AVX2
#define SDX_C8_ROWS 6
#define SDX_C8_VECTORS 2
#elif SDX_TARGET_NEON
#define SDX_C8_ROWS 6
#define SDX_C8_VECTORS 4
#else
#define SDX_C8_ROWS 4
#define SDX_C8_VECTORS 2
#endif
#define SDX_C8_UNITS (SDX_C8_VECTORS * SDX_V / 8)

#ifndef SDX_TILE_C8_ONCE
#define SDX_TILE_C8_ONCE
/// A place in a tensor, in floats, kept in a workspace that has the alignment of a float.
typedef int64_t c8_place __attribute__((aligned(4), may_alias));

/// One tile: y[pixels[r] + units[u] + i] = min(high, max(low, bias[8u + i] + Σ w[t][c][8u + i] · x[8r + taps[t] + c]))
/// with the Σ in order of t, then c.
typedef struct {
    const float *x;      // channel 0 of pixel 0
    int64_t x_block;     // floats from a block of 8 channels to the next one
    int64_t blocks;      // of channels of x
    const int64_t *taps; // places in x, relative to the pixel's
    int64_t tap_count;
    const float *w;      // [tap][channel][lanes], lanes a multiple of the vector; zeros beyond the last unit
    const float *bias;   // [lanes]
    float low, high;     // -inf and inf for no clamp; a NaN stays
    float *y;
    const c8_place *pixels; // places in y by row; a negative one is not stored
    int64_t units[4];      // places relative to the pixel's
    int unit_count;        // of the group that exist
    bool paired;           // unit_count is even, and every odd unit follows the even one before it
} c8_tile;
#endif

/// Stores vector j of a pixel.
SDX_INLINE void SDX_FN(c8_store)(const c8_tile *t, float *to, const int j, vf v) {
#if SDX_V == 16
    if (t->paired) {
        vstore(to + t->units[2 * j], v);
    } else {
        typedef float half __attribute__((ext_vector_type(8), aligned(4), may_alias));
        if (2 * j < t->unit_count) *(half *)(to + t->units[2 * j]) = v.lo;
        if (2 * j + 1 < t->unit_count) *(half *)(to + t->units[2 * j + 1]) = v.hi;
    }
#else
    vstore(to + t->units[j * SDX_V / 8] + j * SDX_V % 8, v);
#endif
}

SDX_INLINE void SDX_FN(c8_product)(const int rows, const int vectors, const c8_tile *t) {
    vf sum[SDX_C8_ROWS][SDX_C8_VECTORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) sum[r][j] = vload(t->bias + j * SDX_V);
    const float *w = t->w;
    for (int64_t tap = 0; tap < t->tap_count; tap++) {
        const float *x = t->x + t->taps[tap];
        for (int64_t b = 0; b < t->blocks; b++, x += t->x_block) {
#pragma clang loop unroll(full)
            for (int c = 0; c < 8; c++) {
                // Weights come from the second level of cache, one line a vector; beyond the end they are other memory
                // of the packed weights or none, which a prefetch does not mind.
                __builtin_prefetch(w + 24 * vectors * SDX_V);
                if (vectors * SDX_V > 16) __builtin_prefetch(w + 24 * vectors * SDX_V + 16);
                vf weights[SDX_C8_VECTORS];
#pragma clang loop unroll(full)
                for (int j = 0; j < vectors; j++) weights[j] = vload(w + j * SDX_V);
#pragma clang loop unroll(full)
                for (int r = 0; r < rows; r++) {
                    vf value = vbroadcast(x + 8 * r + c);
#pragma clang loop unroll(full)
                    for (int j = 0; j < vectors; j++) sum[r][j] = vfma(value, weights[j], sum[r][j]);
                }
                w += vectors * SDX_V;
#if !SDX_TARGET_AVX512
                __asm__ volatile("" ::: "memory"); // loads that move over a step cost accumulators
#endif
            }
        }
    }
    vf low = vsplat(t->low), high = vsplat(t->high);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        if (t->pixels[r] < 0) continue;
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++)
            SDX_FN(c8_store)(t, t->y + t->pixels[r], j, vmin(high, vmax(low, sum[r][j])));
    }
}

typedef void (*SDX_FN(c8_product_function))(const c8_tile *t);
#define SDX_C8_PRODUCT(R)                                                                                              \
    static void SDX_FN(c8_full_##R)(const c8_tile *t) { SDX_FN(c8_product)(R, SDX_C8_VECTORS, t); }                    \
    static void SDX_FN(c8_half_##R)(const c8_tile *t) { SDX_FN(c8_product)(R, (SDX_C8_VECTORS + 1) / 2, t); }
SDX_C8_PRODUCT(1) SDX_C8_PRODUCT(2) SDX_C8_PRODUCT(3) SDX_C8_PRODUCT(4)
#define SDX_C8_NAMES(R) {SDX_FN(c8_half_##R), SDX_FN(c8_full_##R)}
#if SDX_C8_ROWS >= 6
SDX_C8_PRODUCT(5) SDX_C8_PRODUCT(6)
#endif
#if SDX_C8_ROWS >= 14
SDX_C8_PRODUCT(7) SDX_C8_PRODUCT(8) SDX_C8_PRODUCT(9) SDX_C8_PRODUCT(10)
SDX_C8_PRODUCT(11) SDX_C8_PRODUCT(12) SDX_C8_PRODUCT(13) SDX_C8_PRODUCT(14)
#endif

/// By rows - 1, and 1 for a full tile, 0 for one of half the vectors (of the same, in SSE2).
static const SDX_FN(c8_product_function) SDX_FN(c8_products)[SDX_C8_ROWS][2] = {
    SDX_C8_NAMES(1), SDX_C8_NAMES(2), SDX_C8_NAMES(3), SDX_C8_NAMES(4),
#if SDX_C8_ROWS >= 6
    SDX_C8_NAMES(5), SDX_C8_NAMES(6),
#endif
#if SDX_C8_ROWS >= 14
    SDX_C8_NAMES(7), SDX_C8_NAMES(8), SDX_C8_NAMES(9), SDX_C8_NAMES(10), SDX_C8_NAMES(11), SDX_C8_NAMES(12),
    SDX_C8_NAMES(13), SDX_C8_NAMES(14),
#endif
};
#undef SDX_C8_PRODUCT
#undef SDX_C8_NAMES
