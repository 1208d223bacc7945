#ifndef KERNEL_TABLE_TABLE_H
#define KERNEL_TABLE_TABLE_H
/// What all families share: rows, random numbers, guarded memory, pools, comparisons.
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernelTable.h"
#include "CKernels.h"

#pragma clang diagnostic ignored "-Wmissing-field-initializers" // rows leave out what is zero

/// The pools that every row runs on.
enum { POOLS = 4 };
static const int pool_threads[POOLS] = {1, 2, 3, 7};
#define EACH_POOL(p) for (int p = 0; p < POOLS; p++)
#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct allocation allocation;

typedef struct table {
    char *message;
    size_t size;
    int failures;
    uint64_t random;
    sdx_pool *pools[POOLS];
    char row[320];           // describes the current row
    allocation *allocations; // of the current row, freed with it
} table;

/// One result, computed by each pool into memory of its own.
typedef struct result {
    void *of[POOLS];
} result;

table table_begin(char *message, size_t size, uint64_t seed);
/// The number of failures.
int table_end(table *t);

/// Ends the row before, if any: its guards must be whole, and its results equal. Then describes the next one.
void table_row(table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_fail(table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/// |got − want| <= tolerance, or both NaN, or the same infinity.
void table_near(table *t, const char *what, int64_t index, double got, double want, double tolerance);
/// The same bits, or both NaN: which NaN an operation gives is the compiler's choice, by the order of its operands.
void table_equal_floats(table *t, const char *what, const float *got, const float *want, int64_t count);
void table_equal_bytes(table *t, const char *what, const void *got, const void *want, size_t bytes);

uint64_t random_bits(table *t);
/// An integer in low ... high.
int64_t random_in(table *t, int64_t low, int64_t high);
/// True one time in n.
bool random_chance(table *t, int64_t n);
/// A value in −1 ..< 1, evenly spread.
double random_unit(table *t);
/// Roughly normal, in −4 ..< 4.
float random_normal(table *t);

enum { LINE = 64 }; // bytes of the processor's cache lines

/// Memory for this row, not aligned beyond `element` bytes. A read beyond an input gives NaN (and a report of
/// AddressSanitizer); a write beyond anything fails the row.
void *input_bytes(table *t, int64_t count, size_t element);
float *input_floats(table *t, int64_t count);
/// Puts NaN, infinities, zeros and a large value into a few places.
void sprinkle_specials(table *t, float *x, int64_t count);
/// Holds bytes that no kernel left there, other ones for each pool.
result output(table *t, int64_t count, size_t element);
/// The same, beginning with a line of the processor's caches, as every tensor does for which the engine has the memory.
result output_in_lines(table *t, int64_t count, size_t element);
void *workspace(table *t, size_t bytes);
/// For references.
double *zeros(table *t, int64_t count);
void *copy_of(table *t, const void *from, int64_t count, size_t element);

/// The activation in double; `kind` of sdx_activation_kind.
double activate(sdx_activation activation, double x);

static inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
#endif
