/// Compiles the including kernel source once for every ISA of the architecture. No include guard: on purpose.
///
/// A kernel source `Elementwise/Relu.c` looks like this:
///
///     #include <math.h>                            // every system header first, before anything of ours
///     #include "sdx_elementwise.h"                 // public declarations
///     #define SDX_SELF "../Elementwise/Relu.c"     // this file, relative to the folder Isa
///     #include "../Isa/EachIsa.h"                  // includes this file again, once an ISA
///
///     #if SDX_ISA_PASS                             // compiled for each ISA, with its target attribute
///     static void SDX_FN(relu)(const float *x, float *y, int64_t n) {
///         int64_t i = 0;
///         for (; i + SDX_V <= n; i += SDX_V) vstore(y + i, vmax(vsplat(0), vload(x + i)));
///         if (i < n) vstore_first(y + i, n - i, vmax(vsplat(0), vload_first(x + i, n - i)));
///     }
///     #else                                        // compiled once
///     SDX_TABLE(relu, (const float *, float *, int64_t))
///     void sdx_relu(const float *x, float *y, int64_t n) { SDX_CALL(relu)(x, y, n); }
///     #endif
///
/// In a pass: SDX_V floats a vector, SDX_HAS_FMA, SDX_TARGET_{BASELINE,AVX2,AVX512,NEON} is 1 or 0, SDX_FN(name) gives
/// the name its suffix, and the types and helpers of Vector.h. Functions that return vectors should be SDX_INLINE.
/// Floating-point contraction is off: a fused multiply-add is written `vfma`.
#ifndef SDX_ISA_PASS
#ifndef SDX_SELF
#error "define SDX_SELF, the path of the kernel source relative to the folder Isa"
#endif

#include "EachIsaOnce.h"

#pragma clang fp contract(off)

#define SDX_ISA_PASS 1

#if defined(__x86_64__)

#define SDX_SUFFIX baseline
#define SDX_V 4
#define SDX_HAS_FMA 0
#define SDX_TARGET_BASELINE 1
#define SDX_TARGET_AVX2 0
#define SDX_TARGET_AVX512 0
#define SDX_TARGET_NEON 0
#include "Vector.h"
#include SDX_SELF
#undef SDX_SUFFIX
#undef SDX_V
#undef SDX_HAS_FMA
#undef SDX_TARGET_BASELINE
#undef SDX_TARGET_AVX2

#define SDX_SUFFIX avx2
#define SDX_V 8
#define SDX_HAS_FMA 1
#define SDX_TARGET_BASELINE 0
#define SDX_TARGET_AVX2 1
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "Vector.h"
#include SDX_SELF
#pragma clang attribute pop
#undef SDX_SUFFIX
#undef SDX_V
#undef SDX_TARGET_AVX2
#undef SDX_TARGET_AVX512

#define SDX_SUFFIX avx512
#define SDX_V 16
#define SDX_TARGET_AVX2 0
#define SDX_TARGET_AVX512 1
#pragma clang attribute push(                                                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#include "Vector.h"
#include SDX_SELF
#pragma clang attribute pop

#else

#if defined(__aarch64__)
#define SDX_SUFFIX neon
#define SDX_HAS_FMA 1
#define SDX_TARGET_BASELINE 0
#define SDX_TARGET_NEON 1
#else
#define SDX_SUFFIX baseline
#define SDX_HAS_FMA 0
#define SDX_TARGET_BASELINE 1
#define SDX_TARGET_NEON 0
#endif
#define SDX_V 4
#define SDX_TARGET_AVX2 0
#define SDX_TARGET_AVX512 0
#include "Vector.h"
#include SDX_SELF

#endif

#undef SDX_SUFFIX
#undef SDX_V
#undef SDX_HAS_FMA
#undef SDX_TARGET_BASELINE
#undef SDX_TARGET_AVX2
#undef SDX_TARGET_AVX512
#undef SDX_TARGET_NEON
#undef SDX_ISA_PASS
#define SDX_ISA_PASS 0
#endif
