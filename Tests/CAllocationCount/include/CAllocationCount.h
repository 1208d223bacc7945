#ifndef CALLOCATIONCOUNT_H
#define CALLOCATIONCOUNT_H
/// Counts what a program that links this target allocates, on all its threads, while a switch is on.
///
/// malloc, calloc, realloc, reallocarray, posix_memalign, aligned_alloc, memalign and mmap are this target's own, and hand
/// on to the C library's. Swift's objects and arrays, C++'s `new` and the C library itself all go through them. Freeing
/// is not counted.
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

enum { ALLOCATION_STACKS = 256, ALLOCATION_DEPTH = 24 };

/// Where a counted call came from: return addresses, the innermost first.
typedef struct {
    uint64_t bytes;
    int depth;
    void *_Nullable frames[ALLOCATION_DEPTH];
} allocation_stack;

/// False in a build with a sanitizer, whose malloc stays in place: nothing is counted there.
bool allocation_count_works(void);

/// Sets the count to 0, forgets the stacks, and counts from now on.
void allocation_count_begin(void);

/// Stops, and returns how many calls there were.
uint64_t allocation_count_end(void);

/// The first calls since `begin`, in no strict order: the stack with this number, or NULL. Valid until the next `begin`.
const allocation_stack *_Nullable allocation_count_stack(int number);

/// The name of the function that a call returns to, as the linker knows it, or the file that it is in; NULL when neither
/// is known. For one thread at a time.
const char *_Nullable allocation_function_name(const void *address);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
