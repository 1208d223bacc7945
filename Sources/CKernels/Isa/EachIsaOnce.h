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

/// Defines a static table of the versions of `name`, whose parameter list is `parameters` in parentheses, returning void
/// (SDX_TABLE) or `result` (SDX_TABLE_OF). Levels that the architecture lacks have the nearest one that it has.
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
