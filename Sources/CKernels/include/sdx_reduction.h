#ifndef SDX_REDUCTION_H
#define SDX_REDUCTION_H
/// Reductions of f32 over the middle of [outer, axis, inner]. Several axes: merge neighbours, then one call a group.
///
/// Sums are taken in float over at most 512 neighbours along a row (4 · SDX_V partial sums) or 16 along a column, and
/// from there on in double, in an order fixed by the shape: relative to Σ|x|, at most 34 · 2⁻²⁴ and typically 1 ULP for
/// any length.
#include "sdx_pool.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// With the value for an empty axis.
typedef enum sdx_reduce_op {
    SDX_REDUCE_SUM = 0,     ///< Σx; 0
    SDX_REDUCE_MEAN,        ///< Σx / axis; NaN
    SDX_REDUCE_MAX,         ///< NaN if any is NaN; −inf
    SDX_REDUCE_MIN,         ///< NaN if any is NaN; inf
    SDX_REDUCE_PROD,        ///< Πx in double, rounded once; 1
    SDX_REDUCE_SUM_SQUARE,  ///< Σx²; 0
    SDX_REDUCE_L1,          ///< Σ|x|; 0
    SDX_REDUCE_L2,          ///< √Σx²; 0
    SDX_REDUCE_LOG_SUM,     ///< ln Σx; −inf
    SDX_REDUCE_LOG_SUM_EXP, ///< ln Σeˣ, without overflow; −inf
    SDX_REDUCE_COUNT
} sdx_reduce_op;

/// y[o, i] = op over a of x[o, a, i]. x: [outer, axis, inner]; y: [outer, inner]. No overlap; y may be x for axis 1.
void sdx_reduce_f32(
    sdx_pool *_Nullable pool, sdx_reduce_op op, const float *x, float *y, int64_t outer, int64_t axis, int64_t inner);

/// y[o, i] = the index a of the largest (smallest) x[o, a, i]; of equals the first, or the last when select_last. A NaN
/// is larger (smaller) than all, as numpy has it. axis in 1 ... 2³¹ − 1.
void sdx_argmax_f32(
    sdx_pool *_Nullable pool, const float *x, int64_t *y, int64_t outer, int64_t axis, int64_t inner, int select_last);
void sdx_argmin_f32(
    sdx_pool *_Nullable pool, const float *x, int64_t *y, int64_t outer, int64_t axis, int64_t inner, int select_last);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
