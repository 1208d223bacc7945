#ifndef SDX_GEMM_H
#define SDX_GEMM_H
/// Matrix products of float and double.
///
///     C[m, n] = act( alpha · Σₖ A[m, k] · B[k, n]  +  row_bias[m] + column_bias[n]  +  beta · D[m, n] )
///
/// Matrices are row-major with a stride between rows in elements (`lda` …); a transposed operand is stored as its
/// transpose (A as k rows of m, B as n rows of k). No alignment beyond the element's is needed; packed matrices and
/// workspaces are fastest at 64 bytes. C may overlap no input, D neither. Sizes may be zero; with k = 0 the sum is 0.
/// Every sum over k runs in an order fixed by the shapes and the ISA. Error for float: at most
/// (k + 4) · 2⁻²⁴ · (|alpha| Σ|A·B| + |biases| + |beta·D|), plus the activation's own.
#include <stddef.h>
#include <stdint.h>
#include "sdx_activation.h"
#include "sdx_pool.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// A product, or `batch` of them. A batch stride of 0 uses one matrix for all. Strides count elements.
typedef struct sdx_gemm_f32 {
    int64_t m, n, k;
    const float *_Nullable a;
    int64_t lda;
    int transpose_a;             ///< a is stored k × m
    const float *_Nullable b;    ///< ignored where packed_b is given
    int64_t ldb;
    int transpose_b;             ///< b is stored n × k
    const float *_Nullable packed_b; ///< from sdx_gemm_f32_pack_b, one for the whole batch
    float *_Nullable c;
    int64_t ldc;
    int64_t batch;               ///< 0 is none at all
    int64_t batch_stride_a, batch_stride_b, batch_stride_c;
    float alpha;
    const float *_Nullable row_bias;    ///< m values or NULL
    const float *_Nullable column_bias; ///< n values or NULL
    const float *_Nullable d;           ///< addend or NULL
    int64_t d_row_stride, d_column_stride, batch_stride_d; ///< 0 broadcasts
    float beta;
    sdx_activation activation;
} sdx_gemm_f32;

/// Bytes of a packed B; SIZE_MAX where that overflows or a size is negative.
size_t sdx_gemm_f32_packed_b_bytes(int64_t k, int64_t n);
/// Packs B (k × n, or n × k with `transpose`) for the ISA in use.
void sdx_gemm_f32_pack_b(int64_t k, int64_t n, const float *b, int64_t ldb, int transpose, float *packed);
/// Bytes of scratch for a run on a pool of `workers` threads; only sizes, strides, transposes and packed_b are read.
/// SIZE_MAX on overflow.
size_t sdx_gemm_f32_workspace_bytes(const sdx_gemm_f32 *g, int workers);
/// Computes the product. `workspace` has the bytes that the query gave for this pool's threads (or NULL for 0).
void sdx_gemm_f32_run(sdx_pool *_Nullable pool, const sdx_gemm_f32 *g, void *_Nullable workspace);

/// The same in double, without activation. Error: as above with 2⁻⁵³.
typedef struct sdx_gemm_f64 {
    int64_t m, n, k;
    const double *_Nullable a;
    int64_t lda;
    int transpose_a;
    const double *_Nullable b;
    int64_t ldb;
    int transpose_b;
    const double *_Nullable packed_b;
    double *_Nullable c;
    int64_t ldc;
    int64_t batch;
    int64_t batch_stride_a, batch_stride_b, batch_stride_c;
    double alpha;
    const double *_Nullable row_bias;
    const double *_Nullable column_bias;
    const double *_Nullable d;
    int64_t d_row_stride, d_column_stride, batch_stride_d;
    double beta;
} sdx_gemm_f64;

size_t sdx_gemm_f64_packed_b_bytes(int64_t k, int64_t n);
void sdx_gemm_f64_pack_b(int64_t k, int64_t n, const double *b, int64_t ldb, int transpose, double *packed);
size_t sdx_gemm_f64_workspace_bytes(const sdx_gemm_f64 *g, int workers);
void sdx_gemm_f64_run(sdx_pool *_Nullable pool, const sdx_gemm_f64 *g, void *_Nullable workspace);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
#endif
