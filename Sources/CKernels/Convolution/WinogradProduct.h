/// The products of the transformed input and weights, in one ISA pass. No include guard.
///
/// For each point ξ a matrix of rows (tiles) by input channels times one of input by output channels. Lanes are output
/// channels. The input is [c / WINO_CB][rows][WINO_CB] (of a last half step 8 values count), the weights of a panel of
/// output channels are [c][width], width being WINO_NV vectors, or fewer in the last panel.
///
/// The register tile: accumulators, a row of weights and a broadcast fit the registers: 14 × 2 + 2 + 1 of 32 (AVX-512),
/// 6 × 2 + 2 + 1 of 16 (AVX2), 6 × 4 + 4 + 1 of 32 (NEON), 4 × 2 + 2 + 2 of 16 (SSE2).
#undef WINO_MR
#undef WINO_NV
#if SDX_TARGET_AVX512
#define WINO_MR 14
#define WINO_NV 2
#elif SDX_TARGET_AVX2
#define WINO_MR 6
#define WINO_NV 2
#elif SDX_TARGET_NEON
#define WINO_MR 6
#define WINO_NV 4
#else
#define WINO_MR 4
#define WINO_NV 2
#endif
#undef WINO_LANES
#define WINO_LANES (WINO_NV * SDX_V)

/// The most terms that one sum in registers takes up: nearly all of the error comes from these sums. More channels come
/// in runs, each from zero, whose sums add up in the result; beyond WINO_RUNS of them the runs are longer.
#undef WINO_TERMS
#define WINO_TERMS 256
#undef WINO_RUNS
#define WINO_RUNS 16
/// The most products that add up at a point: runs of four depth points, or of three depth taps of four phases.
#undef WINO_MOST_FACTORS
#define WINO_MOST_FACTORS (12 * WINO_RUNS)

/// One product of a sum of them. The sums of a register tile begin at zero, go on, or begin with what is stored; at the
/// end they are added to what is stored, and stored. F(2, 3) in depth has the results first + second + third and first -
/// second + fourth product: with WINO_SUM_AND_DIFFERENCE the sums are the second one's and the first one's are stored.
typedef struct {
    const float *input;            // its first row at the first point
    int64_t weights, to, channels; // floats from the point's weights, and from the first result
    int begin, end;
} SDX_FN(wino_factor);

SDX_INLINE void SDX_FN(wino_steps)(
    const int rows, const int vectors, const int count, vf sum[WINO_MR][WINO_NV], const float *v, const float *u) {
#pragma clang loop unroll_count(4)
    for (int q = 0; q < count; q++, u += vectors * SDX_V) {
        vf weights[WINO_NV];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) weights[j] = vload(u + j * SDX_V);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            vf value = vbroadcast(v + i * WINO_CB + q);
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) sum[i][j] = vfma(value, weights[j], sum[i][j]);
        }
    }
}

/// Weights to fetch meanwhile: so many floats, whole lines of 64 bytes, in each step of channels.
typedef struct {
    const float *from, *end;
    int64_t pace;
} SDX_FN(wino_ahead);

/// Those of so many steps are fetched, or all that are left.
SDX_INLINE const float *SDX_FN(wino_after)(SDX_FN(wino_ahead) ahead, int64_t steps) {
    return ahead.end - ahead.from < steps * ahead.pace ? ahead.end : ahead.from + steps * ahead.pace;
}

/// Sums over factors, c of input[c][i] · weights[c][lanes] into m[i][lanes] and `second`, as the factors say. The input
/// lies `shift` floats further than the factors say; `step` floats lie from one step of its channels to the next: rows of
/// the whole input times WINO_CB.
SDX_INLINE void SDX_FN(wino_product)(
    const int rows, const int vectors, const SDX_FN(wino_factor) * factor, int64_t factors, int64_t shift,
    const float *weights, int64_t step, SDX_FN(wino_ahead) ahead, float *m, float *second) {
    vf sum[WINO_MR][WINO_NV];
#define WINO_EACH(STATEMENT)                                                                                           \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++)                                                  \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < vectors; j++) {                                         \
        const int64_t at = (i * vectors + j) * SDX_V;                                                                  \
        (void)at;                                                                                                      \
        STATEMENT;                                                                                                     \
    }
    WINO_EACH(sum[i][j] = (vf){0})
    for (; factors > 0; factors--, factor++) {
        float *to = m + factor->to;
        if (factor->begin == WINO_ZERO) {
            WINO_EACH(sum[i][j] = (vf){0})
        } else if (factor->begin == WINO_STORED) {
            WINO_EACH(sum[i][j] = vload(to + at))
        }
        const float *v = factor->input + shift, *u = weights + factor->weights;
        int64_t c = factor->channels;
        for (; c >= WINO_CB; c -= WINO_CB, v += step, u += WINO_CB * vectors * SDX_V) {
            const float *stop = SDX_FN(wino_after)(ahead, 1);
#pragma clang loop unroll(disable)
            for (; ahead.from < stop; ahead.from += 16) __builtin_prefetch(ahead.from, 0, 2);
            SDX_FN(wino_steps)(rows, vectors, WINO_CB, sum, v, u);
        }
        if (WINO_CB > 8 && c > 0) SDX_FN(wino_steps)(rows, vectors, 8, sum, v, u);
        if (factor->end & WINO_ADD) {
            WINO_EACH(sum[i][j] = vload(to + at) + sum[i][j])
        }
        if (factor->end & WINO_STORE) {
            WINO_EACH(vstore(to + at, sum[i][j]))
        } else if (factor->end & WINO_SUM_AND_DIFFERENCE) {
            WINO_EACH(vf was = vload(m + at); vstore(m + at, was + sum[i][j]); vstore(second + at, was - sum[i][j]))
        }
    }
#undef WINO_EACH
}

typedef void (*SDX_FN(wino_product_function))(
    const SDX_FN(wino_factor) * factor, int64_t factors, int64_t shift, const float *weights, int64_t step,
    SDX_FN(wino_ahead) ahead, float *m, float *second);

#define WINO_PRODUCT(R, N)                                                                                             \
    static void SDX_FN(wino_product_##R##x##N)(                                                                        \
        const SDX_FN(wino_factor) * factor, int64_t factors, int64_t shift, const float *weights, int64_t step,        \
        SDX_FN(wino_ahead) ahead, float *m, float *second) {                                                           \
        SDX_FN(wino_product)(R, N, factor, factors, shift, weights, step, ahead, m, second);                           \
    }
#if WINO_NV == 4
#define WINO_PRODUCTS(R) WINO_PRODUCT(R, 2) WINO_PRODUCT(R, 4)
#define WINO_PRODUCT_NAMES(R) {NULL, SDX_FN(wino_product_##R##x2), NULL, SDX_FN(wino_product_##R##x4)}
#else
#define WINO_PRODUCTS(R) WINO_PRODUCT(R, 1) WINO_PRODUCT(R, 2)
#define WINO_PRODUCT_NAMES(R) {SDX_FN(wino_product_##R##x1), SDX_FN(wino_product_##R##x2)}
#endif
WINO_PRODUCTS(1) WINO_PRODUCTS(2) WINO_PRODUCTS(3) WINO_PRODUCTS(4)
#if WINO_MR >= 6
WINO_PRODUCTS(5) WINO_PRODUCTS(6)
#endif
#if WINO_MR >= 14
WINO_PRODUCTS(7) WINO_PRODUCTS(8) WINO_PRODUCTS(9) WINO_PRODUCTS(10)
WINO_PRODUCTS(11) WINO_PRODUCTS(12) WINO_PRODUCTS(13) WINO_PRODUCTS(14)
#endif

/// By rows - 1 and vectors - 1. Output channels are a multiple of 8, so that NEON has no odd number of vectors.
static const SDX_FN(wino_product_function) SDX_FN(wino_products)[WINO_MR][WINO_NV] = {
    WINO_PRODUCT_NAMES(1), WINO_PRODUCT_NAMES(2), WINO_PRODUCT_NAMES(3), WINO_PRODUCT_NAMES(4),
#if WINO_MR >= 6
    WINO_PRODUCT_NAMES(5), WINO_PRODUCT_NAMES(6),
#endif
#if WINO_MR >= 14
    WINO_PRODUCT_NAMES(7), WINO_PRODUCT_NAMES(8), WINO_PRODUCT_NAMES(9), WINO_PRODUCT_NAMES(10),
    WINO_PRODUCT_NAMES(11), WINO_PRODUCT_NAMES(12), WINO_PRODUCT_NAMES(13), WINO_PRODUCT_NAMES(14),
#endif
};
#undef WINO_PRODUCT
#undef WINO_PRODUCTS
#undef WINO_PRODUCT_NAMES
