#ifndef SDX_ROWS_H
#define SDX_ROWS_H
/// Elementwise functions of one piece of memory on the calling thread, for kernels that call several of them in turn.
#include "../include/sdx_elementwise.h"

/// y[i] = op(x[i]) for i in 0 ..< n, as sdx_unary_f32.
void sdx_unary_row(sdx_unary_op op, const float *x, float *y, int64_t n, float alpha, float beta);

/// y[i] = a[i·a_stride] op b[i·b_stride] for i in 0 ..< n, as sdx_binary_f32; fast for strides of 0 and 1.
void sdx_binary_row(
    sdx_binary_op op, const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *y, int64_t n);
#endif
