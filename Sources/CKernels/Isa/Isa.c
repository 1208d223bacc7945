#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include "sdx_isa.h"

static const char *const names[SDX_ISA_COUNT] = {"baseline", "avx2", "avx512", "neon"};

#if defined(__x86_64__)
/// Extended control register 0: the register states that the operating system saves.
static uint64_t xcr0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static int has(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

static sdx_isa detect(void) {
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return SDX_ISA_BASELINE;
    if (!has(c, bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C)) return SDX_ISA_BASELINE;
    uint64_t saved = xcr0();
    if ((saved & 0x6) != 0x6) return SDX_ISA_BASELINE; // xmm, ymm
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !has(b, bit_AVX2)) return SDX_ISA_BASELINE;
    if ((saved & 0xe6) != 0xe6) return SDX_ISA_AVX2; // and opmask, zmm0-15, zmm16-31
    if (!has(b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL)) return SDX_ISA_AVX2;
    return SDX_ISA_AVX512;
}
#elif defined(__aarch64__)
static sdx_isa detect(void) { return SDX_ISA_NEON; }
#else
static sdx_isa detect(void) { return SDX_ISA_BASELINE; }
#endif

/// The level in use plus 1; 0 before the first question. Threads that race to set it first write the same value.
static _Atomic int current;

static int of_this_architecture(sdx_isa isa) {
    return (isa == SDX_ISA_NEON) == (sdx_isa_detected() == SDX_ISA_NEON);
}

static sdx_isa capped(sdx_isa cap) {
    sdx_isa best = sdx_isa_detected();
    return of_this_architecture(cap) && cap < best ? cap : best;
}

sdx_isa sdx_isa_detected(void) {
    static _Atomic int detected;
    int known = atomic_load_explicit(&detected, memory_order_relaxed);
    if (!known) {
        known = detect() + 1;
        atomic_store_explicit(&detected, known, memory_order_relaxed);
    }
    return (sdx_isa)(known - 1);
}

sdx_isa sdx_isa_current(void) {
    int known = atomic_load_explicit(&current, memory_order_relaxed);
    if (__builtin_expect(known != 0, 1)) return (sdx_isa)(known - 1);
    sdx_isa isa = sdx_isa_detected();
    const char *cap = getenv("SARDONYX_MAX_ISA");
    for (int i = 0; cap && i < SDX_ISA_COUNT; i++)
        if (strcmp(cap, names[i]) == 0) isa = capped((sdx_isa)i);
    int unset = 0;
    atomic_compare_exchange_strong(&current, &unset, isa + 1);
    return (sdx_isa)(atomic_load_explicit(&current, memory_order_relaxed) - 1);
}

sdx_isa sdx_isa_set_cap(sdx_isa cap) {
    sdx_isa isa = capped(cap);
    atomic_store_explicit(&current, isa + 1, memory_order_relaxed);
    return isa;
}

int sdx_isa_supported(sdx_isa isa) {
    sdx_isa best = sdx_isa_detected();
    if (best == SDX_ISA_NEON) return isa == SDX_ISA_NEON;
    return isa <= best;
}

const char *sdx_isa_name(sdx_isa isa) { return (unsigned)isa < SDX_ISA_COUNT ? names[isa] : "unknown"; }

int sdx_isa_vector_floats(sdx_isa isa) { return isa == SDX_ISA_AVX512 ? 16 : isa == SDX_ISA_AVX2 ? 8 : 4; }
