#include <stdint.h>
#include "../include/sdx_memory.h"

/// No cache has shorter lines.
enum { LINE = 32 };

void sdx_flush_caches(const void *bytes, size_t count) {
    uintptr_t first = (uintptr_t)bytes / LINE * LINE, end = (uintptr_t)bytes + count;
    for (uintptr_t line = first; line < end; line += LINE) {
#if defined(__x86_64__)
        __builtin_ia32_clflush((const void *)line);
#elif defined(__aarch64__)
        __asm__ volatile("dc civac, %0" : : "r"(line) : "memory");
#endif
    }
#if defined(__x86_64__)
    __builtin_ia32_mfence();
#elif defined(__aarch64__)
    __asm__ volatile("dsb ish" : : : "memory");
#endif
}
