#ifndef SDX_EACH_ISA_ONCE_H
#define SDX_EACH_ISA_ONCE_H
/// What EachIsa.h needs once in a translation unit, before any target attribute is pushed.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#include "../include/sdx_isa.h"

#define SDX_PASTE_(a, b) a##_##b
#define SDX_PASTE(a, b) SDX_PASTE_(a, b)
/// `name` with the suffix of the ISA of this pass: every function of a pass is named so, or static names would clash.
#define SDX_FN(name) SDX_PASTE(name, SDX_SUFFIX)
#define SDX_INLINE static inline __attribute__((always_inline, unused))
#define SDX_LIKELY(x) __builtin_expect(!!(x), 1)

/// The lanes a0 b0 a1 b1 … of the low and high halves of two vectors of 2, 4, 8 or 16 lanes.
#define SDX_ZIP_LOW_2(a, b) __builtin_shufflevector(a, b, 0, 2)
#define SDX_ZIP_LOW_4(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define SDX_ZIP_LOW_8(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define SDX_ZIP_LOW_16(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define SDX_ZIP_HIGH_2(a, b) __builtin_shufflevector(a, b, 1, 3)
#define SDX_ZIP_HIGH_4(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define SDX_ZIP_HIGH_8(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define SDX_ZIP_HIGH_16(a, b)                                                                                          \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/// Defines a static table of the versions of `name`, whose parameter list is `parameters` in parentheses, returning
/// void (SDX_TABLE) or `result` (SDX_TABLE_OF). Levels that the architecture lacks have the nearest one that it has.
#define SDX_TABLE(name, parameters) SDX_TABLE_OF(void, name, parameters)
#if defined(__x86_64__)
#define SDX_TABLE_OF(result, name, parameters)                                                                         \
    static result (*const name##_table[SDX_ISA_COUNT]) parameters = {name##_baseline, name##_avx2, name##_avx512,      \
                                                                     name##_baseline};
#elif defined(__aarch64__)
#define SDX_TABLE_OF(result, name, parameters)                                                                         \
    static result (*const name##_table[SDX_ISA_COUNT]) parameters = {name##_neon, name##_neon, name##_neon,            \
                                                                     name##_neon};
#else
#define SDX_TABLE_OF(result, name, parameters)                                                                         \
    static result (*const name##_table[SDX_ISA_COUNT]) parameters = {name##_baseline, name##_baseline,                 \
                                                                     name##_baseline, name##_baseline};
#endif
/// The version of `name` for the ISA in use.
#define SDX_CALL(name) (name##_table[sdx_isa_current()])
#endif
