/// The tiles of one panel width of an ISA pass. No include guard: it is included for each width.
///
/// The includer defines BW, the lanes of a vector, BVECTORS, the vectors of a panel, BMOST, the pixels of the largest
/// tile, BWIDEST, whether the panel is the widest, BSHORT, whether its last vector has 8 lanes alone, and BN(name), the
/// name with suffixes of width and ISA. Accumulators (pixels × vectors), the panel's vectors and a broadcast fit the
/// registers: 14×2+2+1 of 32 (AVX-512), 6×2+2+1 of 16 (AVX2), 5×4+4+5 of 32 (NEON), 4×2+2+1 of 16 (SSE2).

typedef float BN(bv) __attribute__((ext_vector_type(BW)));
typedef float BN(bv_any) __attribute__((ext_vector_type(BW), aligned(4), may_alias));
typedef float BN(bv_8) __attribute__((ext_vector_type(8), aligned(4), may_alias));
#define BV BN(bv)

SDX_INLINE BV BN(load)(const float *p) { return *(const BN(bv_any) *)p; }
/// Vector j of a panel's row; zeros where the panel has no more lanes.
SDX_INLINE BV BN(load_row)(const float *p, int j) {
#if BSHORT
    if (j == BVECTORS - 1) {
        BN(bv_8) v = *(const BN(bv_8) *)(p + j * BW), zero = {0};
        return __builtin_shufflevector(v, zero, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    }
#endif
    return BN(load)(p + j * BW);
}
SDX_INLINE BV BN(splat)(float x) { return x - (BV){0}; }
SDX_INLINE BV BN(fma)(BV a, BV b, BV c) {
#if SDX_HAS_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/// Vector j of a pixel's panel; p is the pixel in the panel's first block, `block` floats lie between its blocks.
SDX_INLINE BV BN(load_pixel)(const float *p, int64_t block, int j) {
    p += j * BW / 8 * block + j * BW % 8;
#if BW == 16
    BN(bv_8) low = *(const BN(bv_8) *)p, high = {0};
    if (!BSHORT || j < BVECTORS - 1) high = *(const BN(bv_8) *)(p + block);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    (void)block;
    return BN(load)(p);
#endif
}
SDX_INLINE void BN(store_pixel)(float *p, int64_t block, int j, BV v) {
    p += j * BW / 8 * block + j * BW % 8;
#if BW == 16
    *(BN(bv_8) *)p = v.lo;
    if (!BSHORT || j < BVECTORS - 1) *(BN(bv_8) *)(p + block) = v.hi;
#else
    (void)block;
    *(BN(bv_any) *)p = v;
#endif
}

/// sum[i] += x[i] · w over the channels of one tap of a block.
SDX_INLINE void BN(step)(
    const int rows, const int columns, const int unit, const int pitch, BV sum[BMOST][BVECTORS], const float *p,
    const float *v, int64_t row_step) {
    const int lanes = BVECTORS * BW - 8 * BSHORT;
#if SDX_TARGET_NEON
    // Four channels of each pixel in a register, multiplied by element: broadcasts would take as many loads
    // as products, and the compiler would pair them up and spill.
    if (unit == 8) {
#pragma clang loop unroll(full)
        for (int c = 0; c < 8; c += 4) {
            BV value[BMOST];
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++)
                value[i] = BN(load)(p + i / columns * row_step + i % columns * pitch + c);
#pragma clang loop unroll(full)
            for (int e = 0; e < 4; e++)
#pragma clang loop unroll(full)
                for (int j = 0; j < BVECTORS; j++) {
                    BV row = BN(load_row)(v + (c + e) * lanes, j);
#pragma clang loop unroll(full)
                    for (int i = 0; i < rows; i++)
                        sum[i][j] = BN(fma)(row, BN(splat)(value[i][e]), sum[i][j]);
                }
        }
        return;
    }
#endif
#pragma clang loop unroll(full)
    for (int c = 0; c < unit; c++) {
        BV row[BVECTORS];
#pragma clang loop unroll(full)
        for (int j = 0; j < BVECTORS; j++) row[j] = BN(load_row)(v + c * lanes, j);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            BV value = BN(splat)(p[i / columns * row_step + i % columns * pitch + c]);
#pragma clang loop unroll(full)
            for (int j = 0; j < BVECTORS; j++) sum[i][j] = BN(fma)(value, row[j], sum[i][j]);
        }
    }
}

/// Fetches as many values to the first cache, perhaps to write them.
SDX_INLINE void BN(fetch)(const int count, const float *p, const bool write) {
#pragma clang loop unroll(full)
    for (int i = 0; i <= count; i += 16) {
        if (write) __builtin_prefetch(p + i, 1, 3);
        else __builtin_prefetch(p + i, 0, 3);
    }
}

/// y[i] = from[i] + bias + Σ x[i] · w over blocks, taps and the channels of a block, perhaps clamped; `unit` is 8 or 1.
/// The pixels are `rows` / `columns` output rows of `columns`, t->row_step apart in x, without a gap in y. In a row of x
/// they lie `pitch` floats apart; more than `unit` only where t->single.
SDX_INLINE void BN(tile)(
    const int rows, const int columns, const int unit, const int pitch, const blocked_tile *t) {
    BV sum[BMOST][BVECTORS];
    const int lanes = BVECTORS * BW - 8 * BSHORT;
#pragma clang loop unroll(full)
    for (int j = 0; j < BVECTORS; j++) {
        BV start = t->bias ? BN(load_row)(t->bias, j) : BN(splat)(0);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) sum[i][j] = start;
    }
    if (t->from)
#pragma clang loop unroll(full)
        for (int j = 0; j < BVECTORS; j++)
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++)
                sum[i][j] = sum[i][j] + BN(load_pixel)(t->from + i * 8, t->y_block, j);
    const float *x = t->x, *w = t->w;
    const int64_t row_step = rows > columns ? t->row_step : 0;
    const float *ahead = t->ahead;
    const int64_t lines = t->ahead_lines;
    const bool single = pitch > unit || (unit == 8 && columns == rows && t->single);
    if (single) {
        // Without the loops over taps, which take as long as a fifth of the products of one.
        const int64_t x_block = t->x_block, y_block = t->y_block;
        const int64_t next_x = t->next_x;
        const float *next_y = t->y + t->next; // a block of lanes in each step
        const float *next_from = t->next ? t->from + t->next : NULL;
        int next_blocks = t->next ? lanes / 8 : 0;
        for (const float *end = w + t->blocks * 8 * lanes; w != end; x += x_block, w += 8 * lanes) {
#pragma clang loop unroll(disable)
            for (int64_t i = 0; i < lines; i++, ahead += 16) __builtin_prefetch(ahead, 0, 2);
            if (next_x) BN(fetch)(rows * pitch, x + next_x, false);
            if (next_blocks > 0) {
                BN(fetch)(rows * 8, next_from, false);
                BN(fetch)(rows * 8, next_y, true);
                next_from += y_block;
                next_y += y_block;
                next_blocks--;
            }
            BN(step)(rows, columns, unit, pitch, sum, x, w, row_step);
        }
    }
    for (int64_t b = 0; b < t->blocks && !single; b++, x += t->x_block, w += t->w_block)
        for (int64_t d = t->d.begin; d < t->d.end; d++) {
            const int64_t *offset = t->offsets + d * t->plane + t->first, *end = offset + t->count;
            const float *v = w + (d * t->plane + t->first) * unit * lanes;
            for (; offset < end; offset++, v += unit * lanes) {
#pragma clang loop unroll(disable)
                for (int64_t i = 0; unit == 8 && i < lines; i++, ahead += 16) __builtin_prefetch(ahead, 0, 2);
                BN(step)(rows, columns, unit, unit, sum, x + *offset, v, row_step);
            }
        }
    if (t->finish == BLOCKED_CLAMP) {
        BV low = BN(splat)(t->low), high = BN(splat)(t->high);
#pragma clang loop unroll(full)
        for (int j = 0; j < BVECTORS; j++)
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) sum[i][j] = low > sum[i][j] ? low : sum[i][j];
        if (t->high < __builtin_inff())
#pragma clang loop unroll(full)
            for (int j = 0; j < BVECTORS; j++)
#pragma clang loop unroll(full)
                for (int i = 0; i < rows; i++) sum[i][j] = high < sum[i][j] ? high : sum[i][j];
    } else if (t->finish == BLOCKED_HARD_SWISH) {
        BV sixth = BN(splat)(1.0f / 6), half = BN(splat)(0.5f), zero = BN(splat)(0), one = BN(splat)(1);
#pragma clang loop unroll(full)
        for (int j = 0; j < BVECTORS; j++)
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                BV gate = BN(fma)(sum[i][j], sixth, half), above = zero > gate ? zero : gate;
                sum[i][j] = sum[i][j] * (one < above ? one : above);
            }
    }
    float *y = t->y; // read once: what is stored could be *t
    const int64_t y_block = t->y_block;
#pragma clang loop unroll(full)
    for (int j = 0; j < BVECTORS; j++)
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) BN(store_pixel)(y + i * 8, y_block, j, sum[i][j]);
}

#define BLOCKED_TILE(R)                                                                                                \
    static void BN(tile_##R##_8)(const blocked_tile *t) { BN(tile)(R, R, 8, 8, t); }                                   \
    static void BN(tile_##R##_1)(const blocked_tile *t) { BN(tile)(R, R, 1, 1, t); }
#define BLOCKED_TILE_NAMES(R) {BN(tile_##R##_8), BN(tile_##R##_1)}
BLOCKED_TILE(1) BLOCKED_TILE(2) BLOCKED_TILE(3) BLOCKED_TILE(4)
#if BMOST >= 5
BLOCKED_TILE(5)
#endif
#if BMOST >= 6
BLOCKED_TILE(6)
#endif
#if BMOST >= 8
BLOCKED_TILE(7) BLOCKED_TILE(8)
#endif
#if BMOST >= 12
BLOCKED_TILE(9) BLOCKED_TILE(10) BLOCKED_TILE(11) BLOCKED_TILE(12)
#endif
#if BMOST >= 14
BLOCKED_TILE(13) BLOCKED_TILE(14)
#endif

/// By pixels - 1, and for blocks of 8 channels and of 1.
static const blocked_tile_function BN(tiles)[BMOST][2] = {
    BLOCKED_TILE_NAMES(1), BLOCKED_TILE_NAMES(2), BLOCKED_TILE_NAMES(3), BLOCKED_TILE_NAMES(4),
#if BMOST >= 5
    BLOCKED_TILE_NAMES(5),
#endif
#if BMOST >= 6
    BLOCKED_TILE_NAMES(6),
#endif
#if BMOST >= 8
    BLOCKED_TILE_NAMES(7), BLOCKED_TILE_NAMES(8),
#endif
#if BMOST >= 12
    BLOCKED_TILE_NAMES(9), BLOCKED_TILE_NAMES(10), BLOCKED_TILE_NAMES(11), BLOCKED_TILE_NAMES(12),
#endif
#if BMOST >= 14
    BLOCKED_TILE_NAMES(13), BLOCKED_TILE_NAMES(14),
#endif
};

#if BWIDEST
// Several narrow rows at once, so that each weight that is loaded serves as many pixels as in wide ones.
#define BLOCKED_ROWS(R, C)                                                                                             \
    static void BN(rows_##C)(const blocked_tile *t) { BN(tile)(R * C, C, 8, 8, t); }
#if BMOST == 14
BLOCKED_ROWS(14, 1) BLOCKED_ROWS(7, 2) BLOCKED_ROWS(4, 3) BLOCKED_ROWS(3, 4)
BLOCKED_ROWS(2, 5) BLOCKED_ROWS(2, 6) BLOCKED_ROWS(2, 7)
/// By columns - 1: BMOST / columns rows.
static const blocked_tile_function BN(narrow)[] = {
    BN(rows_1), BN(rows_2), BN(rows_3), BN(rows_4), BN(rows_5), BN(rows_6), BN(rows_7)};
#elif BMOST == 6
BLOCKED_ROWS(6, 1) BLOCKED_ROWS(3, 2) BLOCKED_ROWS(2, 3)
static const blocked_tile_function BN(narrow)[] = {BN(rows_1), BN(rows_2), BN(rows_3)};
#elif BMOST == 5
BLOCKED_ROWS(5, 1) BLOCKED_ROWS(2, 2)
static const blocked_tile_function BN(narrow)[] = {BN(rows_1), BN(rows_2)};
#else
BLOCKED_ROWS(4, 1) BLOCKED_ROWS(2, 2)
static const blocked_tile_function BN(narrow)[] = {BN(rows_1), BN(rows_2)};
#endif
#undef BLOCKED_ROWS
// Every other pixel of x, for one tap; by pixels less the fewest that such tiles have.
#define BLOCKED_APART(R) static void BN(apart_##R)(const blocked_tile *t) { BN(tile)(R, R, 8, 16, t); }
#if BMOST == 14
BLOCKED_APART(12) BLOCKED_APART(13) BLOCKED_APART(14)
static const blocked_tile_function BN(apart)[] = {BN(apart_12), BN(apart_13), BN(apart_14)};
#elif BMOST == 6
BLOCKED_APART(5) BLOCKED_APART(6)
static const blocked_tile_function BN(apart)[] = {BN(apart_5), BN(apart_6)};
#elif BMOST == 5
BLOCKED_APART(4) BLOCKED_APART(5)
static const blocked_tile_function BN(apart)[] = {BN(apart_4), BN(apart_5)};
#else
BLOCKED_APART(3) BLOCKED_APART(4)
static const blocked_tile_function BN(apart)[] = {BN(apart_3), BN(apart_4)};
#endif
#undef BLOCKED_APART
#endif
#undef BLOCKED_TILE
#undef BLOCKED_TILE_NAMES
#undef BV
#undef BW
#undef BN
#undef BVECTORS
#undef BMOST
#undef BWIDEST
#undef BSHORT
