/// Vector types and helpers of one ISA pass. Included by EachIsa.h only, once a pass; no include guard.
///
/// Types: vf, vi, vu: SDX_V lanes of float, int32_t, uint32_t; vd: SDX_V / 2 doubles. They are ext_vector_types: use
/// the operators + - * / < ? : & | ^ directly (a comparison of vf gives a vi of 0 and -1; `mask ? a : b` selects).
/// Conversions: __builtin_convertvector. Loads and stores need no alignment beyond that of an element.
#define vf SDX_FN(sdx_vf)
#define vi SDX_FN(sdx_vi)
#define vu SDX_FN(sdx_vu)
#define vd SDX_FN(sdx_vd)
#define vload SDX_FN(sdx_vload)
#define vstore SDX_FN(sdx_vstore)
#define vload_first SDX_FN(sdx_vload_first)
#define vstore_first SDX_FN(sdx_vstore_first)
#define vloadi SDX_FN(sdx_vloadi)
#define vstorei SDX_FN(sdx_vstorei)
#define vloadd SDX_FN(sdx_vloadd)
#define vstored SDX_FN(sdx_vstored)
#define vsplat SDX_FN(sdx_vsplat)
#define vsplatd SDX_FN(sdx_vsplatd)
#define vbroadcast SDX_FN(sdx_vbroadcast)
#define vfma SDX_FN(sdx_vfma)
#define vfmad SDX_FN(sdx_vfmad)
#define vmax SDX_FN(sdx_vmax)
#define vmin SDX_FN(sdx_vmin)
#define vsum SDX_FN(sdx_vsum)
#define vas_int SDX_FN(sdx_vas_int)
#define vas_float SDX_FN(sdx_vas_float)
#define vtoint_nearest SDX_FN(sdx_vtoint_nearest)

typedef float vf __attribute__((ext_vector_type(SDX_V)));
typedef int32_t vi __attribute__((ext_vector_type(SDX_V)));
typedef uint32_t vu __attribute__((ext_vector_type(SDX_V)));
typedef double vd __attribute__((ext_vector_type(SDX_V / 2)));
typedef float SDX_FN(sdx_vf_any) __attribute__((ext_vector_type(SDX_V), aligned(4), may_alias));
typedef int32_t SDX_FN(sdx_vi_any) __attribute__((ext_vector_type(SDX_V), aligned(4), may_alias));
typedef double SDX_FN(sdx_vd_any) __attribute__((ext_vector_type(SDX_V / 2), aligned(8), may_alias));

/// SDX_V floats at p.
SDX_INLINE vf vload(const float *p) { return *(const SDX_FN(sdx_vf_any) *)p; }
SDX_INLINE void vstore(float *p, vf v) { *(SDX_FN(sdx_vf_any) *)p = v; }
/// SDX_V int32 at p.
SDX_INLINE vi vloadi(const int32_t *p) { return *(const SDX_FN(sdx_vi_any) *)p; }
SDX_INLINE void vstorei(int32_t *p, vi v) { *(SDX_FN(sdx_vi_any) *)p = v; }
/// SDX_V / 2 doubles at p.
SDX_INLINE vd vloadd(const double *p) { return *(const SDX_FN(sdx_vd_any) *)p; }
SDX_INLINE void vstored(double *p, vd v) { *(SDX_FN(sdx_vd_any) *)p = v; }

/// The first n floats at p, 0 <= n <= SDX_V, then zeros. Reads no byte beyond them.
SDX_INLINE vf vload_first(const float *p, int64_t n) {
#if SDX_TARGET_AVX512
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif SDX_TARGET_AVX2
    vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    return (vf)_mm256_maskload_ps(p, (__m256i)(lane < ((vi){0} + (int32_t)n)));
#else
    if (n >= SDX_V) return vload(p);
    vf v = {0};
    if (n > 0) v[0] = p[0];
    if (n > 1) v[1] = p[1];
    if (n > 2) v[2] = p[2];
    return v;
#endif
}
/// Stores the first n floats of v, 0 <= n <= SDX_V. Writes no byte beyond them.
SDX_INLINE void vstore_first(float *p, int64_t n, vf v) {
#if SDX_TARGET_AVX512
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif SDX_TARGET_AVX2
    vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    _mm256_maskstore_ps(p, (__m256i)(lane < ((vi){0} + (int32_t)n)), (__m256)v);
#else
    if (n >= SDX_V) {
        vstore(p, v);
        return;
    }
    if (n > 0) p[0] = v[0];
    if (n > 1) p[1] = v[1];
    if (n > 2) p[2] = v[2];
#endif
}

/// All lanes x. `x - 0` and not `0 + x`: only this form keeps -0 and becomes one broadcast instruction.
SDX_INLINE vf vsplat(float x) { return x - (vf){0}; }
SDX_INLINE vd vsplatd(double x) { return x - (vd){0}; }
/// All lanes *p.
SDX_INLINE vf vbroadcast(const float *p) { return *p - (vf){0}; }

/// a · b + c: one rounding where SDX_HAS_FMA, two on baseline.
SDX_INLINE vf vfma(vf a, vf b, vf c) {
#if SDX_HAS_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}
SDX_INLINE vd vfmad(vd a, vd b, vd c) {
#if SDX_HAS_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/// The larger lane; b where either is NaN (x86 maxps). Put the value that may be NaN in b: a NaN then stays.
SDX_INLINE vf vmax(vf a, vf b) { return a > b ? a : b; }
/// The smaller lane; b where either is NaN.
SDX_INLINE vf vmin(vf a, vf b) { return a < b ? a : b; }

SDX_INLINE vi vas_int(vf v) { return (vi)v; }
SDX_INLINE vf vas_float(vi v) { return (vf)v; }

/// Rounds to the nearest int32, ties to even. Lanes beyond int32 are undefined.
SDX_INLINE vi vtoint_nearest(vf v) {
#if SDX_TARGET_AVX512
    return (vi)_mm512_cvtps_epi32((__m512)v);
#elif SDX_TARGET_AVX2
    return (vi)_mm256_cvtps_epi32((__m256)v);
#elif defined(__x86_64__)
    return (vi)_mm_cvtps_epi32((__m128)v);
#elif SDX_TARGET_NEON
    return (vi)vcvtnq_s32_f32((float32x4_t)v);
#else
    vi r;
    for (int i = 0; i < SDX_V; i++) r[i] = (int32_t)__builtin_rintf(v[i]);
    return r;
#endif
}

/// The sum of the lanes, as a tree over halves: a fixed order for an ISA.
SDX_INLINE float vsum(vf v) {
#if SDX_V == 16
    float __attribute__((ext_vector_type(8))) a = v.lo + v.hi;
    float __attribute__((ext_vector_type(4))) b = a.lo + a.hi;
#elif SDX_V == 8
    float __attribute__((ext_vector_type(4))) b = v.lo + v.hi;
#else
    vf b = v;
#endif
    float __attribute__((ext_vector_type(2))) c = b.lo + b.hi;
    return c.x + c.y;
}
