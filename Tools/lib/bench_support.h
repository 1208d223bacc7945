#ifndef BENCH_SUPPORT_H
#define BENCH_SUPPORT_H
/// What the benchmarks of kernels share: a clock, operands, weights that the caches do not hold, and options.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CKernels.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *memory(size_t bytes) {
    void *p = NULL;
    if (bytes == SIZE_MAX || posix_memalign(&p, 64, bytes + 64) != 0) abort();
    memset(p, 0, bytes + 64);
    return p;
}

static float *random_floats(int64_t count) {
    float *x = memory((size_t)count * sizeof(float));
    uint32_t state = 1;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    return x;
}

/// Packed weights in so many copies, of which each run takes the next: in a network, other layers' weights pass through
/// the caches between two runs of a layer.
typedef struct {
    char *base;
    size_t bytes, count, next;
} copies;

/// At least one copy, and no more than `most` bytes of them.
static copies make_copies(const void *packed, size_t bytes, size_t most) {
    copies c = {.bytes = (bytes + 63) / 64 * 64, .count = 1};
    if (c.bytes > 0 && c.bytes < most) c.count = most / c.bytes;
    c.base = memory(c.count * c.bytes);
    for (size_t i = 0; i < c.count; i++) memcpy(c.base + i * c.bytes, packed, bytes);
    return c;
}

static const float *next_copy(copies *c) {
    c->next = (c->next + 1) % c->count;
    return (const float *)(c->base + c->next * c->bytes);
}

/// Computes with this instruction set at most, as `--isa` asks; false, with a message, where the machine has none of it.
static bool set_isa(const char *name) {
    int isa = 0;
    while (isa < SDX_ISA_COUNT && strcmp(name, sdx_isa_name((sdx_isa)isa)) != 0) isa++;
    if (isa == SDX_ISA_COUNT || !sdx_isa_supported((sdx_isa)isa)) {
        fprintf(stderr, "kernels: this machine has no %s\n", name);
        return false;
    }
    sdx_isa_set_cap((sdx_isa)isa);
    return true;
}
#endif
