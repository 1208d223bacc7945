#ifndef C_KERNEL_TABLE_H
#define C_KERNEL_TABLE_H
/// Tables of configurations for the C kernels, checked against naive references in double. For tests only.
///
/// Every check runs under the ISA in use and returns its number of failures. `message`, of `size` bytes, receives a
/// description of the first failure, or "" where there is none. A row runs on pools of 1, 2, 3 and 7 threads, which
/// must give the same bits; outputs and workspaces stand between guards, which must stay as they were.
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

// A family of kernels: hand-picked edge rows, then seeded random ones.
int kernel_table_gemm(char *message, size_t size);
int kernel_table_convolution(char *message, size_t size);
int kernel_table_blocked_convolution(char *message, size_t size);
int kernel_table_transposed_convolution(char *message, size_t size);
int kernel_table_choice(char *message, size_t size);
int kernel_table_winograd(char *message, size_t size);
int kernel_table_winograd_rows(char *message, size_t size);
int kernel_table_transposed_c8(char *message, size_t size);
int kernel_table_unary(char *message, size_t size);
int kernel_table_binary(char *message, size_t size);
int kernel_table_chain(char *message, size_t size);
int kernel_table_transpose(char *message, size_t size);
int kernel_table_convert(char *message, size_t size);
int kernel_table_gates(char *message, size_t size);
int kernel_table_reduction(char *message, size_t size);
int kernel_table_softmax(char *message, size_t size);
int kernel_table_attention(char *message, size_t size);
int kernel_table_row_norm(char *message, size_t size);
int kernel_table_channel_norm(char *message, size_t size);
int kernel_table_pooling(char *message, size_t size);
int kernel_table_resize(char *message, size_t size);
int kernel_table_pad_c8(char *message, size_t size);
int kernel_table_blocked(char *message, size_t size);
int kernel_table_blocked_pooling(char *message, size_t size);
int kernel_table_blocked_channels(char *message, size_t size);

/// A check by its name.
typedef struct kernel_table_check {
    const char *name;
    int (*run)(char *message, size_t size);
} kernel_table_check;

/// The families above by index, then NULL.
const kernel_table_check *_Nullable kernel_table_family(int index);

/// Checks of the worker pool and of its caller's state, the same for every ISA, by index; then NULL.
const kernel_table_check *_Nullable kernel_table_pool_check(int index);

/// What the error of a function is measured in.
typedef enum kernel_table_unit {
    KERNEL_TABLE_ULP,   ///< units in the last place of the exact value
    KERNEL_TABLE_OF_X,  ///< multiples of 2⁻²³ · |x|
    KERNEL_TABLE_TERMS, ///< ULP, or multiples of 2⁻²⁴ · (|a·x| + |b|) where that is less: sums that cancel
} kernel_table_unit;

/// A function on vectors and the bound of its error on the floats of a range, ends included. NaN, infinities and zeros
/// are tried besides, whatever the range.
typedef struct kernel_table_function {
    const char *name;
    int operation; ///< of sdx_unary_op; −1 for pow
    float a, b;    ///< parameters of the function
    float low, high;
    double bound;
    kernel_table_unit unit;
} kernel_table_function;

/// The functions by index, then NULL.
const kernel_table_function *_Nullable kernel_table_function_at(int index);
int kernel_table_check_function(const kernel_table_function *function, char *message, size_t size);

/// Runs a check in a child process whose level is capped at `isa`: neither the cap nor a crash reaches other tests of
/// this process. `function` is checked where `check` is NULL. A crash counts as one failure.
int kernel_table_run_isolated(
    int isa, const kernel_table_check *_Nullable check, const kernel_table_function *_Nullable function, char *message,
    size_t size);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
#endif
