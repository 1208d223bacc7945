#ifndef SDX_STRIDED_BOX_H
#define SDX_STRIDED_BOX_H
/// A box of indices walked by up to two operands with strides, dimensions of 1 dropped and neighbours merged.
#include <stdint.h>

enum { SDX_BOX_RANK = 32 };

typedef struct {
    int64_t total;                    // the product of shape
    int rank;                         // at least 1
    int64_t shape[SDX_BOX_RANK];
    int64_t stride[2][SDX_BOX_RANK];
} sdx_box;

/// Merges an outer dimension into its inner neighbour where both operands walk them as one.
static inline void sdx_box_make(
    sdx_box *box, int rank, const int64_t *shape, const int64_t *strides0, const int64_t *strides1) {
    box->rank = 0;
    box->total = 1;
    for (int k = 0; k < rank; k++) {
        box->total *= shape[k];
        if (shape[k] == 1) continue;
        int last = box->rank - 1;
        if (last >= 0 && box->stride[0][last] == strides0[k] * shape[k] &&
            box->stride[1][last] == strides1[k] * shape[k]) {
            box->shape[last] *= shape[k];
        } else {
            last = box->rank++;
            box->shape[last] = shape[k];
        }
        box->stride[0][last] = strides0[k];
        box->stride[1][last] = strides1[k];
    }
    if (box->rank == 0) {
        box->rank = 1;
        box->shape[0] = 1;
        box->stride[0][0] = box->stride[1][0] = 1;
    }
}

/// The coordinates of the flat index over the first `rank` dimensions, and the two offsets there.
static inline void sdx_box_seek(const sdx_box *box, int rank, int64_t flat, int64_t *at, int64_t offset[2]) {
    offset[0] = offset[1] = 0;
    for (int k = rank - 1; k >= 0; k--) {
        at[k] = flat % box->shape[k];
        flat /= box->shape[k];
        offset[0] += at[k] * box->stride[0][k];
        offset[1] += at[k] * box->stride[1][k];
    }
}

/// To the next index over the first `rank` dimensions.
static inline void sdx_box_next(const sdx_box *box, int rank, int64_t *at, int64_t offset[2]) {
    for (int k = rank - 1; k >= 0; k--) {
        offset[0] += box->stride[0][k];
        offset[1] += box->stride[1][k];
        if (++at[k] < box->shape[k]) return;
        offset[0] -= at[k] * box->stride[0][k];
        offset[1] -= at[k] * box->stride[1][k];
        at[k] = 0;
    }
}
#endif
