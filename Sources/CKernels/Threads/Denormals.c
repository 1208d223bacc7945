#include <stdint.h>
#include "sdx_pool.h"

#if defined(__x86_64__)
uint64_t sdx_flush_denormals_begin(void) {
    uint32_t mode;
    __asm__ volatile("stmxcsr %0" : "=m"(mode) : : "memory");
    uint32_t flushing = mode | 0x8040; // flush to zero, denormals are zero
    if (flushing != mode) __asm__ volatile("ldmxcsr %0" : : "m"(flushing) : "memory");
    return mode;
}

void sdx_flush_denormals_end(uint64_t mode) {
    uint32_t former = (uint32_t)mode, now;
    __asm__ volatile("stmxcsr %0" : "=m"(now) : : "memory");
    // Exception flags raised in between stay, as after any arithmetic.
    former = (former & ~0x3fu) | (now & 0x3f);
    if (former != now) __asm__ volatile("ldmxcsr %0" : : "m"(former) : "memory");
}
#elif defined(__aarch64__)
uint64_t sdx_flush_denormals_begin(void) {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode) : : "memory");
    uint64_t flushing = mode | (1u << 24);
    if (flushing != mode) __asm__ volatile("msr fpcr, %0" : : "r"(flushing) : "memory");
    return mode;
}

void sdx_flush_denormals_end(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
#else
uint64_t sdx_flush_denormals_begin(void) { return 0; }
void sdx_flush_denormals_end(uint64_t mode) { (void)mode; }
#endif
