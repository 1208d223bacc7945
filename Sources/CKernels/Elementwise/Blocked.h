/// Vectors over the channel-blocked layout [n, c / 8, pixels, 8], in one ISA pass; after Vector.h. No include guard.
///
/// `v8` is one pixel's 8 channels on every ISA. A unit is the fewest whole vectors that are whole pixels: two vectors
/// of a pixel, one, or a vector of two pixels (AVX-512, where an odd last pixel is a vector's first half).
#include "../Gemm/Activation.h"

// How vectors wider than the target's registers are passed: they never are, these functions being always inline.
#pragma clang diagnostic ignored "-Wpsabi"

#define v8 SDX_FN(sdx_v8)
#define d8 SDX_FN(sdx_d8)
#define v8load SDX_FN(sdx_v8load)
#define v8store SDX_FN(sdx_v8store)
#define v8max_nan SDX_FN(sdx_v8max_nan)
#define v8fma SDX_FN(sdx_v8fma)
#define unit_spread SDX_FN(sdx_unit_spread)
#define activate_floats SDX_FN(sdx_activate_floats)

typedef float v8 __attribute__((ext_vector_type(8)));
typedef double d8 __attribute__((ext_vector_type(8)));
typedef int32_t SDX_FN(sdx_i8) __attribute__((ext_vector_type(8)));
typedef float SDX_FN(sdx_v8_any) __attribute__((ext_vector_type(8), aligned(4), may_alias));

#undef SDX_UNIT
#undef SDX_UNIT_VECTORS
#define SDX_UNIT (SDX_V > 8 ? SDX_V : 8)
#define SDX_UNIT_VECTORS (SDX_UNIT / SDX_V)

SDX_INLINE v8 v8load(const float *p) { return *(const SDX_FN(sdx_v8_any) *)p; }
SDX_INLINE void v8store(float *p, v8 v) { *(SDX_FN(sdx_v8_any) *)p = v; }
/// The larger lane; NaN where either is NaN. Neon has an instruction for it.
SDX_INLINE v8 v8max_nan(v8 a, v8 b) {
#if SDX_TARGET_NEON
    v8 r;
    r.lo = (vf)vmaxq_f32((float32x4_t)a.lo, (float32x4_t)b.lo);
    r.hi = (vf)vmaxq_f32((float32x4_t)a.hi, (float32x4_t)b.hi);
    return r;
#else
    return a != a ? a : (a > b ? a : b);
#endif
}

/// As vfma.
SDX_INLINE v8 v8fma(v8 a, v8 b, v8 c) {
#if SDX_HAS_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/// The 8 values of a block's channels as they stand in a unit.
SDX_INLINE void unit_spread(const float *p, vf unit[SDX_UNIT_VECTORS]) {
#if SDX_V == 16
    v8 v = v8load(p);
    unit[0] = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
#else
    for (int k = 0; k < SDX_UNIT_VECTORS; k++) unit[k] = vload(p + k * SDX_V);
#endif
}

/// y[i] = act(y[i]) for n floats.
static __attribute__((unused, noinline)) void activate_floats(sdx_activation act, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + SDX_V <= n; i += SDX_V) vstore(y + i, vactivate(act, vload(y + i)));
    if (i < n) vstore_first(y + i, n - i, vactivate(act, vload_first(y + i, n - i)));
}

/// A loop over n floats, a multiple of 8: vstore(y + at, expression of v, the vector at x + at, and k, its place in a
/// unit).
#undef SDX_EACH_UNIT
#define SDX_EACH_UNIT(x, y, n, expression)                                                                             \
    {                                                                                                                  \
        int64_t at = 0;                                                                                                \
        for (; at + SDX_UNIT <= (n); at += SDX_UNIT)                                                                   \
            for (int k = 0; k < SDX_UNIT_VECTORS; k++) {                                                               \
                const vf v = vload((x) + at + k * SDX_V);                                                              \
                vstore((y) + at + k * SDX_V, (expression));                                                            \
            }                                                                                                          \
        if (SDX_V > 8 && at < (n)) {                                                                                   \
            const int k = 0;                                                                                           \
            (void)k;                                                                                                   \
            const vf v = vload_first((x) + at, 8);                                                                     \
            vstore_first((y) + at, 8, (expression));                                                                   \
        }                                                                                                              \
    }
