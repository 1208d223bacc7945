#define _GNU_SOURCE
#include "CAllocationCount.h"

#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// AddressSanitizer has a malloc of its own, which this one must not hide.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED
#endif
#endif

static _Atomic bool counting;
static _Atomic uint64_t calls;
static allocation_stack stacks[ALLOCATION_STACKS];
static _Thread_local bool inside; // backtrace may allocate

static void count(uint64_t bytes) {
    if (!atomic_load_explicit(&counting, memory_order_relaxed) || inside) return;
    inside = true;
    uint64_t number = atomic_fetch_add(&calls, 1);
    if (number < ALLOCATION_STACKS) {
        allocation_stack *stack = &stacks[number];
        stack->bytes = bytes;
        stack->depth = backtrace(stack->frames, ALLOCATION_DEPTH);
    }
    inside = false;
}

void allocation_count_begin(void) {
    void *frame;
    backtrace(&frame, 1); // the first call loads a library
    memset(stacks, 0, sizeof stacks);
    atomic_store(&calls, 0);
    atomic_store(&counting, true);
}

uint64_t allocation_count_end(void) {
    atomic_store(&counting, false);
    return atomic_load(&calls);
}

const allocation_stack *allocation_count_stack(int number) {
    bool exists = number >= 0 && number < ALLOCATION_STACKS && stacks[number].depth > 0;
    return exists ? &stacks[number] : NULL;
}

bool allocation_count_works(void) {
#ifdef IS_SANITIZED
    return false;
#else
    return true;
#endif
}

#ifndef IS_SANITIZED
// The C library's own, under the names that it exports for programs such as this one. dlsym cannot find malloc: it
// allocates.
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes) {
    count(bytes);
    return __libc_malloc(bytes);
}

void *calloc(size_t number, size_t bytes) {
    count(number * bytes);
    return __libc_calloc(number, bytes);
}

void *realloc(void *old, size_t bytes) {
    count(bytes);
    return __libc_realloc(old, bytes);
}

void *reallocarray(void *old, size_t number, size_t bytes) {
    size_t product;
    if (__builtin_mul_overflow(number, bytes, &product)) {
        errno = ENOMEM;
        return NULL;
    }
    count(product);
    return __libc_realloc(old, product);
}

void *memalign(size_t alignment, size_t bytes) {
    count(bytes);
    return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    count(bytes);
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **result, size_t alignment, size_t bytes) {
    if (alignment % sizeof(void *) || alignment == 0 || (alignment & (alignment - 1))) return EINVAL;
    count(bytes);
    int before = errno;
    void *pointer = __libc_memalign(alignment, bytes);
    errno = before;
    if (!pointer) return ENOMEM;
    *result = pointer;
    return 0;
}

// The library's malloc maps pages by an inner name, so that what arrives here was asked for by someone else.
void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    count(bytes);
    return (void *)syscall(SYS_mmap, address, bytes, protection, flags, file, offset);
}
#endif
