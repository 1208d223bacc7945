#ifndef SDX_ATTENTION_H
#define SDX_ATTENTION_H
/// Attention without its scores in memory.
///
///     y[b] = softmax( scale · q[b] · k[b]ᵀ + Σᵢ addend i, over the keys ) · v[b]
///
/// Rows of scores exist a block at a time, in scratch that stays in the cache. Tensors are dense floats; y overlaps no
/// input. Sizes may be zero: without keys y is 0. Every sum runs in an order fixed by the shapes and the ISA. Scores,
/// softmax and sums have the error bounds of sdx_gemm.h and sdx_softmax_f32; a row whose scores have a NaN or +inf, or
/// are all −inf, gives NaN.
#include <stddef.h>
#include <stdint.h>
#include "sdx_pool.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// What is added to the scores: addend[offsets[b] + row · row_stride + key · key_stride].
typedef struct sdx_attention_addend {
    const float *_Nullable values;    ///< NULL: nothing
    const int64_t *_Nullable offsets; ///< one for each of the batch
    int64_t row_stride, key_stride;   ///< 0 broadcasts; key_stride is 0 or 1
} sdx_attention_addend;

typedef struct sdx_attention {
    int64_t batch, queries, keys;
    int64_t depth;                ///< of q and k
    int64_t width;                ///< of v and y
    int keys_are_columns;         ///< k is [batch, depth, keys], not [batch, keys, depth]
    float scale;
    const float *_Nullable q;     ///< [batch, queries, depth]
    const float *_Nullable k;
    const float *_Nullable v;     ///< [batch, keys, width]
    sdx_attention_addend addends[2];
    float *_Nullable y;           ///< [batch, queries, width]
} sdx_attention;

/// Bytes of scratch for a run on a pool of `workers` threads; only sizes are read. SIZE_MAX on overflow.
size_t sdx_attention_f32_workspace_bytes(const sdx_attention *p, int workers);
/// Computes y.
void sdx_attention_f32_run(sdx_pool *_Nullable pool, const sdx_attention *p, void *_Nullable workspace);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
#endif
