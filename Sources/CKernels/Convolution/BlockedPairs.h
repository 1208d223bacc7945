/// Tiles of 8 and 16 output channels that multiply two input channels at once, in the AVX-512 pass; after the other
/// tiles of BlockedTiles.h. No include guard.
///
/// Lanes 2i and 2i + 1 of a vector hold output channel i's sums over even and over odd input channels: a broadcast of
/// two values of x serves twice the products of a broadcast of one.

#define BLOCKED_PAIRS_MOST 14

/// Puts rows of 8 or 16 weights, an even number of them, in the tiles' order: [row / 2][lane][row % 2].
static void SDX_FN(pair_rows)(float *packed, int64_t rows, int64_t lanes) {
    for (int64_t r = 0; r < rows; r += 2, packed += 2 * lanes) {
        vf even = vload_first(packed, lanes), odd = vload_first(packed + lanes, lanes);
        if (lanes == 16)
            vstore(packed + 16, __builtin_shufflevector(
                even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
        vstore(packed, __builtin_shufflevector(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    }
}

SDX_INLINE vf SDX_FN(pair_twice)(const float *p) {
    typedef float eight __attribute__((ext_vector_type(8), aligned(4), may_alias));
    eight v = *(const eight *)p;
    return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
}

/// As a tile of 8 · `vectors` lanes for blocks of 8 channels.
SDX_INLINE void SDX_FN(pair_tile)(const int pixels, const int vectors, const blocked_tile *t) {
    typedef int64_t pair __attribute__((aligned(4), may_alias)); // bits of two floats
    typedef int64_t pairs __attribute__((ext_vector_type(8)));
    vf sum[BLOCKED_PAIRS_MOST + 1][2];
#pragma clang loop unroll(full)
    for (int i = 0; i < BLOCKED_PAIRS_MOST + 1; i++) sum[i][0] = sum[i][1] = (vf){0};
    const float *x = t->x, *w = t->w;
    for (int64_t b = 0; b < t->blocks; b++, x += t->x_block, w += t->w_block)
        for (int64_t d = t->d.begin; d < t->d.end; d++) {
            const int64_t *offset = t->offsets + d * t->plane + t->first, *end = offset + t->count;
            const float *v = w + (d * t->plane + t->first) * 64 * vectors;
            for (; offset < end; offset++, v += 64 * vectors) {
                const float *p = x + *offset;
#pragma clang loop unroll(full)
                for (int c = 0; c < 8; c += 2) {
                    vf row[2];
#pragma clang loop unroll(full)
                    for (int j = 0; j < vectors; j++) row[j] = vload(v + c * 8 * vectors + j * 16);
#pragma clang loop unroll(full)
                    for (int i = 0; i < pixels; i++) {
                        pairs value = *(const pair *)(p + i * 8 + c) + (pairs){0};
#pragma clang loop unroll(full)
                        for (int j = 0; j < vectors; j++) sum[i][j] = vfma((vf)value, row[j], sum[i][j]);
                    }
                }
            }
        }
    // Two pixels of 8 channels lie one after the other in y.
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) {
        vf start = t->bias ? SDX_FN(pair_twice)(t->bias + j * 8) : vsplat(0);
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i += 2) {
            vf even = __builtin_shufflevector(
                sum[i][j], sum[i + 1][j], 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            vf odd = __builtin_shufflevector(
                sum[i][j], sum[i + 1][j], 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
            int64_t count = pixels - i < 2 ? 8 : 16, at = j * t->y_block + i * 8;
            vf y = even + odd + start;
            if (t->from) y = y + vload_first(t->from + at, count);
            if (t->finish == BLOCKED_CLAMP) {
                y = vmin(vsplat(t->high), vmax(vsplat(t->low), y));
            } else if (t->finish == BLOCKED_HARD_SWISH) {
                y = y * vmin(vsplat(1), vmax(vsplat(0), vfma(y, vsplat(1.0f / 6), vsplat(0.5f))));
            }
            vstore_first(t->y + at, count, y);
        }
    }
}

#define BLOCKED_PAIR_TILE(R)                                                                                           \
    static void SDX_FN(pair_tile_##R##_8)(const blocked_tile *t) { SDX_FN(pair_tile)(R, 1, t); }                       \
    static void SDX_FN(pair_tile_##R##_16)(const blocked_tile *t) { SDX_FN(pair_tile)(R, 2, t); }
BLOCKED_PAIR_TILE(1) BLOCKED_PAIR_TILE(2) BLOCKED_PAIR_TILE(3) BLOCKED_PAIR_TILE(4) BLOCKED_PAIR_TILE(5)
BLOCKED_PAIR_TILE(6) BLOCKED_PAIR_TILE(7) BLOCKED_PAIR_TILE(8) BLOCKED_PAIR_TILE(9) BLOCKED_PAIR_TILE(10)
BLOCKED_PAIR_TILE(11) BLOCKED_PAIR_TILE(12) BLOCKED_PAIR_TILE(13) BLOCKED_PAIR_TILE(14)
#undef BLOCKED_PAIR_TILE

#define BLOCKED_PAIR_NAMES(R, LANES) {SDX_FN(pair_tile_##R##_##LANES), SDX_FN(tile_##R##_1_##LANES##x1)}
#define BLOCKED_PAIR_TABLE(LANES)                                                                                      \
    {BLOCKED_PAIR_NAMES(1, LANES),  BLOCKED_PAIR_NAMES(2, LANES),  BLOCKED_PAIR_NAMES(3, LANES),                       \
     BLOCKED_PAIR_NAMES(4, LANES),  BLOCKED_PAIR_NAMES(5, LANES),  BLOCKED_PAIR_NAMES(6, LANES),                       \
     BLOCKED_PAIR_NAMES(7, LANES),  BLOCKED_PAIR_NAMES(8, LANES),  BLOCKED_PAIR_NAMES(9, LANES),                       \
     BLOCKED_PAIR_NAMES(10, LANES), BLOCKED_PAIR_NAMES(11, LANES), BLOCKED_PAIR_NAMES(12, LANES),                      \
     BLOCKED_PAIR_NAMES(13, LANES), BLOCKED_PAIR_NAMES(14, LANES)}
/// By pixels - 1: for blocks of 8 channels in pairs, for blocks of 1 as they come.
static const blocked_tile_function SDX_FN(pair_tiles_8)[BLOCKED_PAIRS_MOST][2] = BLOCKED_PAIR_TABLE(8);
static const blocked_tile_function SDX_FN(pair_tiles_16)[BLOCKED_PAIRS_MOST][2] = BLOCKED_PAIR_TABLE(16);
#undef BLOCKED_PAIR_NAMES
#undef BLOCKED_PAIR_TABLE
