#ifndef SDX_ISA_H
#define SDX_ISA_H
/// Which instruction set the kernels use. Every public kernel picks its implementation from a table by
/// `sdx_isa_current()`, so a change of the cap takes effect at the next call.
///
/// Packed weights have one layout per ISA: pack and run under the same ISA. Sessions never change the cap.

#ifdef __cplusplus
extern "C" {
#endif

/// A level of instructions, in rising order within one architecture.
typedef enum sdx_isa {
    SDX_ISA_BASELINE = 0, ///< x86-64 with SSE2, or plain C elsewhere: 4 floats a vector, no FMA
    SDX_ISA_AVX2 = 1,     ///< AVX2, FMA, F16C: 8 floats
    SDX_ISA_AVX512 = 2,   ///< AVX-512 F, BW, DQ, VL and all of AVX2: 16 floats
    SDX_ISA_NEON = 3,     ///< aarch64: 4 floats, FMA
} sdx_isa;

/// The number of values of `sdx_isa`, and the length of every dispatch table.
#define SDX_ISA_COUNT 4

/// The best level that the CPU has and the operating system enables. Constant for a process.
sdx_isa sdx_isa_detected(void);

/// The level in use: the detected one, or less when `SARDONYX_MAX_ISA` (baseline, avx2, avx512, neon; read once) or
/// `sdx_isa_set_cap` says so.
sdx_isa sdx_isa_current(void);

/// Caps the level, for tests; `SDX_ISA_NEON` or `SDX_ISA_AVX512` lift the cap again. A level of the other
/// architecture is no cap. Not to be called while kernels run. Returns the level now in use.
sdx_isa sdx_isa_set_cap(sdx_isa cap);

/// Whether this CPU can run `isa`. On aarch64 only NEON (there is no baseline below it).
int sdx_isa_supported(sdx_isa isa);

/// "baseline", "avx2", "avx512" or "neon".
const char *sdx_isa_name(sdx_isa isa);

/// The floats in a vector of `isa`: 4, 8, 16, 4.
int sdx_isa_vector_floats(sdx_isa isa);

#ifdef __cplusplus
}
#endif
#endif
