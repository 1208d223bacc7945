/// Eight lanes of float, the channels of a pixel in layout c8, in one ISA pass; after Vector.h. No include guard: on
/// purpose. One register of AVX2 and AVX-512, two of SSE2 and NEON.
#define v8 SDX_FN(sdx_v8)
#define v8load SDX_FN(sdx_v8load)
#define v8store SDX_FN(sdx_v8store)
#define v8splat SDX_FN(sdx_v8splat)
#define v8fma SDX_FN(sdx_v8fma)

#pragma clang diagnostic ignored "-Wpsabi" // every function of eight lanes is inlined

typedef float v8 __attribute__((ext_vector_type(8)));
typedef float SDX_FN(sdx_v8_any) __attribute__((ext_vector_type(8), aligned(4), may_alias));

SDX_INLINE v8 v8load(const float *p) { return *(const SDX_FN(sdx_v8_any) *)p; }
SDX_INLINE void v8store(float *p, v8 v) { *(SDX_FN(sdx_v8_any) *)p = v; }
SDX_INLINE v8 v8splat(float x) { return x - (v8){0}; }
/// a · b + c: one rounding where SDX_HAS_FMA, two on baseline.
SDX_INLINE v8 v8fma(v8 a, v8 b, v8 c) {
#if SDX_HAS_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}
