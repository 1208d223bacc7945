/// Conversions between f32 and f16, bf16, u8, i8.
#include <math.h>

#include "../include/sdx_elementwise.h"
#define SDX_SELF "../Elementwise/Convert.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "VectorMath.h"

#define vh SDX_FN(cv_vh)
#define vb SDX_FN(cv_vb)
#define vload_h SDX_FN(cv_load_h)
#define vstore_h SDX_FN(cv_store_h)
#define from_half SDX_FN(cv_from_half)
#define to_half SDX_FN(cv_to_half)
#define to_bfloat SDX_FN(cv_to_bfloat)
#define quantize SDX_FN(cv_quantize)
typedef uint16_t vh __attribute__((ext_vector_type(SDX_V)));
typedef uint8_t vb __attribute__((ext_vector_type(SDX_V)));
typedef int8_t SDX_FN(cv_vsb) __attribute__((ext_vector_type(SDX_V)));

SDX_INLINE vh vload_h(const uint16_t *p) {
    vh v;
    memcpy(&v, p, sizeof v);
    return v;
}
SDX_INLINE void vstore_h(uint16_t *p, vh v) { memcpy(p, &v, sizeof v); }

SDX_INLINE vf from_half(vh h) {
#if SDX_TARGET_AVX512
    return (vf)_mm512_cvtph_ps((__m256i)h);
#elif SDX_TARGET_AVX2
    return (vf)_mm256_cvtph_ps((__m128i)h);
#elif SDX_TARGET_NEON
    return (vf)vcvt_f32_f16((float16x4_t)h);
#else
    vu u = __builtin_convertvector(h, vu), m = (u & 0x7fff) << 13;
    vi denormal = (vi)m < 0x00800000, special = (vi)m >= 0x0f800000;
    // A denormal's bits count steps of 2⁻²⁴: an exact integer conversion, which flushing cannot touch.
    vf small = __builtin_convertvector((vi)(u & 0x3ff), vf) * 0x1p-24f;
    vu big = m + (special ? (vu)(vi)(0x70000000) : (vu)(vi)(0x38000000));
    big |= special & (vi)((m & 0x007fffff) != 0) ? (vu)(vi)(0x00400000) : (vu){0}; // NaNs become quiet
    return vas_float((vi)((denormal ? (vu)small : big) | (u & 0x8000) << 16));
#endif
}

SDX_INLINE vh to_half(vf x) {
#if SDX_TARGET_AVX512
    return (vh)_mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT);
#elif SDX_TARGET_AVX2
    return (vh)_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT);
#elif SDX_TARGET_NEON
    return (vh)vcvt_f16_f32((float32x4_t)x);
#else
    vi bits = vas_int(x), sign = (bits >> 16) & 0x8000, u = bits & 0x7fffffff;
    vi normal = (u + (0xc8000000 + 0xfff) + ((u >> 13) & 1)) >> 13; // rebias by −112, round half to even
    // Adding ½ puts the bits of a half denormal (steps of 2⁻²⁴) at the end of the mantissa, rounded.
    vi small = vas_int(vas_float(u) + 0.5f) - 0x3f000000;
    vi nan = 0x7e00 | ((u >> 13) & 0x3ff);
    vi r = u < 0x38800000 ? small : normal;
    r = u >= 0x47800000 ? (vi)(0x7c00) : r;
    r = u > 0x7f800000 ? nan : r;
    return __builtin_convertvector((vu)(r | sign), vh);
#endif
}

SDX_INLINE vh to_bfloat(vf x) {
    vu u = (vu)x;
    vu r = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
    return __builtin_convertvector(x != x ? (u >> 16) | 0x40 : r, vh);
}

/// saturate(round(x / scale) + zero) to low ... high; NaN gives low.
SDX_INLINE vi quantize(vf x, vf scale, vf zero, vf low, vf high) {
    vf q = vround(x / scale) + zero;
    return vtoint_nearest(vmin(vmax(q, low), high));
}

// The last part of a vector goes through a buffer of a whole one.
#define RUN(S, D, load, expression)                                                                                    \
    int64_t i = 0;                                                                                                     \
    for (; i + SDX_V <= n; i += SDX_V) {                                                                               \
        S v = load(x + i);                                                                                             \
        D r = (expression);                                                                                            \
        memcpy(y + i, &r, sizeof r);                                                                                   \
    }                                                                                                                  \
    if (i < n) {                                                                                                       \
        S v = {0};                                                                                                     \
        memcpy(&v, x + i, (size_t)(n - i) * sizeof *x);                                                                \
        D r = (expression);                                                                                            \
        memcpy(y + i, &r, (size_t)(n - i) * sizeof *y);                                                                \
    }

SDX_INLINE vb SDX_FN(cv_load_b)(const uint8_t *p) {
    vb v;
    memcpy(&v, p, sizeof v);
    return v;
}

static void SDX_FN(convert)(int kind, const void *source, void *destination, int64_t n, float s, float zero) {
    const vf scale = vsplat(s), z = vsplat(zero);
    switch (kind) {
    case 0: {
        const uint16_t *x = source;
        float *y = destination;
        RUN(vh, vf, vload_h, from_half(v))
        return;
    }
    case 1: {
        const float *x = source;
        uint16_t *y = destination;
        RUN(vf, vh, vload, to_half(v))
        return;
    }
    case 2: {
        const uint16_t *x = source;
        float *y = destination;
        RUN(vh, vf, vload_h, vas_float((vi)(__builtin_convertvector(v, vu) << 16)))
        return;
    }
    case 3: {
        const float *x = source;
        uint16_t *y = destination;
        RUN(vf, vh, vload, to_bfloat(v))
        return;
    }
    case 4: {
        const uint8_t *x = source;
        float *y = destination;
        RUN(vb, vf, SDX_FN(cv_load_b), scale * (__builtin_convertvector(__builtin_convertvector(v, vi), vf) - z))
        return;
    }
    case 5: {
        const uint8_t *x = source;
        float *y = destination;
        typedef SDX_FN(cv_vsb) signed_bytes;
        RUN(vb, vf, SDX_FN(cv_load_b),
            scale * (__builtin_convertvector(__builtin_convertvector((signed_bytes)v, vi), vf) - z))
        return;
    }
    case 6:
    case 7: {
        const float *x = source;
        uint8_t *y = destination;
        const vf low = vsplat(kind == 6 ? 0 : -128), high = vsplat(kind == 6 ? 255 : 127);
        RUN(vf, vb, vload, __builtin_convertvector(quantize(v, scale, z, low, high), vb))
        return;
    }
    case 8: {
        const float *x = source;
        uint8_t *y = destination;
        // Out of range, x86 gives −2³¹, whose low byte is 0: so does every ISA here.
        RUN(vf, vb, vload,
            __builtin_convertvector(
                vabs(v) < 0x1p31f ? __builtin_convertvector(vabs(v) < 0x1p31f ? v : (vf){0}, vi) : (vi){0}, vb))
        return;
    }
    }
}
#undef RUN

#else

SDX_TABLE(convert, (int, const void *, void *, int64_t, float, float))

typedef struct {
    const char *x;
    char *y;
    int64_t n;
    float scale, zero;
    int kind, x_size, y_size;
} convert_job;

enum { CHUNK = 32768 };

static void convert_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const convert_job *j = ctx;
    int64_t begin = chunk * CHUNK, n = j->n - begin < CHUNK ? j->n - begin : CHUNK;
    SDX_CALL(convert)(j->kind, j->x + begin * j->x_size, j->y + begin * j->y_size, n, j->scale, j->zero);
}

static void convert_all(
    sdx_pool *pool, int kind, const void *x, int x_size, void *y, int y_size, int64_t n, float scale, int32_t zero) {
    if (n <= 0) return;
    convert_job job = {x, y, n, scale, (float)zero, kind, x_size, y_size};
    sdx_parallel_for(pool, (n + CHUNK - 1) / CHUNK, convert_chunk, &job);
}

void sdx_convert_f16_f32(sdx_pool *pool, const uint16_t *x, float *y, int64_t n) {
    convert_all(pool, 0, x, 2, y, 4, n, 1, 0);
}
void sdx_convert_f32_f16(sdx_pool *pool, const float *x, uint16_t *y, int64_t n) {
    convert_all(pool, 1, x, 4, y, 2, n, 1, 0);
}
void sdx_convert_bf16_f32(sdx_pool *pool, const uint16_t *x, float *y, int64_t n) {
    convert_all(pool, 2, x, 2, y, 4, n, 1, 0);
}
void sdx_convert_f32_bf16(sdx_pool *pool, const float *x, uint16_t *y, int64_t n) {
    convert_all(pool, 3, x, 4, y, 2, n, 1, 0);
}
void sdx_convert_u8_f32(sdx_pool *pool, const uint8_t *x, float *y, int64_t n, float scale, int32_t zero) {
    convert_all(pool, 4, x, 1, y, 4, n, scale, zero);
}
void sdx_convert_i8_f32(sdx_pool *pool, const int8_t *x, float *y, int64_t n, float scale, int32_t zero) {
    convert_all(pool, 5, x, 1, y, 4, n, scale, zero);
}
void sdx_quantize_f32_u8(sdx_pool *pool, const float *x, uint8_t *y, int64_t n, float scale, int32_t zero) {
    convert_all(pool, 6, x, 4, y, 1, n, scale, zero);
}
void sdx_quantize_f32_i8(sdx_pool *pool, const float *x, int8_t *y, int64_t n, float scale, int32_t zero) {
    convert_all(pool, 7, x, 4, y, 1, n, scale, zero);
}
void sdx_cast_f32_8bit(sdx_pool *pool, const float *x, uint8_t *y, int64_t n) {
    convert_all(pool, 8, x, 4, y, 1, n, 1, 0);
}
#endif
