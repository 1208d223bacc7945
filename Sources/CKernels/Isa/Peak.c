#define _POSIX_C_SOURCE 200809L
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "sdx_peak.h"
#define SDX_SELF "../Isa/Peak.c"
#include "EachIsa.h"

#if SDX_ISA_PASS
// Chains enough for two units of latency 4, or four on Arm; all in registers.
#undef CHAINS
#define CHAINS (SDX_TARGET_AVX512 || SDX_TARGET_NEON ? 20 : 12)

/// Runs `steps` rounds of the chains. Returns the floating-point operations done; `*sink` keeps them from being dropped.
static double SDX_FN(peak_burst)(int64_t steps, volatile float *sink) {
    vf sum[CHAINS], factor = vsplat(0.999f), term = vsplat(1e-3f);
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) sum[i] = vsplat((float)i);
    for (int64_t s = 0; s < steps; s++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < CHAINS; i++) sum[i] = vfma(sum[i], factor, term);
    }
    vf total = {0};
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) total += sum[i];
    *sink = vsum(total);
    return 2.0 * CHAINS * SDX_V * (double)steps;
}
#else
SDX_TABLE_OF(double, peak_burst, (int64_t, volatile float *))

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double sdx_peak_gflops(double seconds) {
    volatile float sink;
    double best = 0, begin = seconds_now(), end = begin;
    for (int burst = 0; burst < 3 || end - begin < seconds; burst++) {
        double start = seconds_now(), done = SDX_CALL(peak_burst)(100000, &sink);
        end = seconds_now();
        if (end > start && done / (end - start) > best) best = done / (end - start);
    }
    return best * 1e-9;
}
#endif
