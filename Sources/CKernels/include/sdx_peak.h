#ifndef SDX_PEAK_H
#define SDX_PEAK_H
/// What this processor could do at most, to compare kernels with.

#ifdef __cplusplus
extern "C" {
#endif

/// The multiply-adds of one thread in GFLOP/s (two a multiply-add), in vectors of the ISA in use, fused where it has
/// fused ones: independent chains in registers, without memory. The best of bursts of about 0.2 ms, at least three,
/// for about `seconds`. Clocks and neighbours change it from one moment to the next: measure it beside what it is
/// compared with.
double sdx_peak_gflops(double seconds);

#ifdef __cplusplus
}
#endif
#endif
