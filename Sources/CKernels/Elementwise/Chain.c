/// Chains of elementwise functions in one walk: sdx_chain_f32.
///
/// A chunk is cut into blocks; each step runs over a whole block with the code of the single functions, and leaves its
/// result in a slot of a few KB that later steps reuse. Operands are read where they lie when they are contiguous or one
/// number for the block; others are laid out in a slot first.
#include <stdbool.h>
#include <string.h>

#include "../include/sdx_elementwise.h"
#include "Rows.h"

enum {
    BLOCK = 1024,
    CHUNK = 8 * BLOCK,
    VALUES = SDX_CHAIN_OPERANDS + SDX_CHAIN_STEPS,
    /// Rows this short are repeated by copying what is there already.
    SHORT_ROW = 64,
};

typedef struct {
    const sdx_chain_step *steps;
    const float *const *operands;
    const int64_t *strides, *shape;
    float *y;
    int64_t total;
    int step_count, operand_count, rank;
    /// Where a value's block lies while it is needed; −1 for the last result and for operands that are never laid out.
    int slot[VALUES];
    bool is_contiguous[SDX_CHAIN_OPERANDS];
} chain_job;

/// A block of a value: an element every `stride` floats.
typedef struct {
    const float *at;
    int64_t stride;
} chain_view;

/// The offset of an operand at a flat index, and the index in its last dimension.
static int64_t operand_offset(const chain_job *j, int k, int64_t flat, int64_t *at) {
    int64_t offset = 0;
    for (int d = j->rank - 1; d >= 0; d--) {
        at[d] = flat % j->shape[d];
        flat /= j->shape[d];
        offset += at[d] * j->strides[k * j->rank + d];
    }
    return offset;
}

/// Lays n elements of an operand out, from the flat index on.
static void lay_out(const chain_job *j, int k, int64_t begin, int64_t n, float *to) {
    const int64_t *stride = j->strides + k * j->rank, *shape = j->shape;
    int last = j->rank - 1;
    int64_t at[SDX_MAX_RANK], row = shape[last];
    const float *x = j->operands[k] + operand_offset(j, k, begin, at);
    // Where the last but one dimension repeats short rows, they are one long row with a period.
    bool repeats = last > 0 && row < SHORT_ROW && stride[last - 1] == 0;
    int64_t period = repeats ? row : 1, length = repeats ? row * shape[last - 1] : row;
    int64_t index = repeats ? at[last - 1] * row + at[last] : at[last];
    int outer = repeats ? last - 2 : last - 1;
    x -= at[last] * stride[last]; // the row's first element
    for (int64_t done = 0; done < n;) {
        int64_t m = length - index < n - done ? length - index : n - done;
        float *out = to + done;
        if (repeats || stride[last] == 0) {
            int64_t first = period < m ? period : m;
            for (int64_t i = 0; i < first; i++) out[i] = x[(index + i) % row * stride[last]];
            for (int64_t filled = first; filled < m;) {
                int64_t more = filled < m - filled ? filled : m - filled;
                memcpy(out + filled, out, (size_t)more * sizeof(float));
                filled += more;
            }
        } else if (stride[last] == 1) {
            memcpy(out, x + index, (size_t)m * sizeof(float));
        } else {
            for (int64_t i = 0; i < m; i++) out[i] = x[(index + i) * stride[last]];
        }
        done += m;
        index = 0;
        for (int d = outer; d >= 0; d--) {
            x += stride[d];
            if (++at[d] < shape[d]) break;
            x -= at[d] * stride[d];
            at[d] = 0;
        }
    }
}

static chain_view operand_block(const chain_job *j, int k, int64_t begin, int64_t n, float *slots) {
    if (j->is_contiguous[k]) return (chain_view){j->operands[k] + begin, 1};
    int64_t at[SDX_MAX_RANK], last = j->rank - 1;
    if (j->strides[k * j->rank + last] == 0) {
        int64_t offset = operand_offset(j, k, begin, at);
        bool is_number = at[last] + n <= j->shape[last];
        for (int d = 0; !is_number && d < j->rank; d++) {
            if (j->strides[k * j->rank + d] != 0) break;
            is_number = d + 1 == j->rank;
        }
        if (is_number) return (chain_view){j->operands[k] + offset, 0};
    }
    float *to = slots + (int64_t)j->slot[k] * BLOCK;
    lay_out(j, k, begin, n, to);
    return (chain_view){to, 1};
}

static void chain_block(const chain_job *j, int64_t begin, int64_t n, float *slots) {
    chain_view view[VALUES];
    for (int k = 0; k < j->operand_count; k++) view[k].at = NULL;
    for (int s = 0; s < j->step_count; s++) {
        const sdx_chain_step *step = &j->steps[s];
        int value = j->operand_count + s;
        float *to = s + 1 == j->step_count ? j->y + begin : slots + (int64_t)j->slot[value] * BLOCK;
        int reads[2] = {step->left, step->is_binary ? step->right : step->left};
        for (int side = 0; side < 2; side++) {
            int v = reads[side];
            if (v < j->operand_count && !view[v].at) view[v] = operand_block(j, v, begin, n, slots);
        }
        chain_view left = view[reads[0]], right = view[reads[1]];
        if (step->is_binary) {
            sdx_binary_row((sdx_binary_op)step->op, left.at, left.stride, right.at, right.stride, to, n);
        } else {
            if (left.stride == 0) {
                for (int64_t i = 0; i < n; i++) to[i] = *left.at;
                left.at = to;
            }
            sdx_unary_row((sdx_unary_op)step->op, left.at, to, n, step->alpha, step->beta);
        }
        view[value] = (chain_view){to, 1};
    }
}

static void chain_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const chain_job *j = ctx;
    float slots[VALUES * BLOCK]; // of which no more is touched than what is needed at a time
    int64_t end = (chunk + 1) * CHUNK < j->total ? (chunk + 1) * CHUNK : j->total;
    for (int64_t begin = chunk * CHUNK; begin < end; begin += BLOCK) {
        chain_block(j, begin, BLOCK < end - begin ? BLOCK : end - begin, slots);
    }
}

/// Gives values slots that are free from their first step to their last.
static void assign_slots(chain_job *j) {
    int last_use[VALUES], count = j->operand_count + j->step_count;
    for (int v = 0; v < count; v++) last_use[v] = j->slot[v] = -1;
    for (int s = 0; s < j->step_count; s++) {
        const sdx_chain_step *step = &j->steps[s];
        int limit = j->operand_count + s;
        if (step->left < 0 || step->left >= limit) __builtin_trap();
        last_use[step->left] = s;
        if (!step->is_binary) continue;
        if (step->right < 0 || step->right >= limit) __builtin_trap();
        last_use[step->right] = s;
    }
    int owner[VALUES], used = 0;
    for (int s = 0; s < j->step_count; s++) {
        const sdx_chain_step *step = &j->steps[s];
        int wants[3] = {step->left, step->is_binary ? step->right : -1, j->operand_count + s};
        for (int w = 0; w < 3; w++) {
            int v = wants[w];
            if (v < 0 || j->slot[v] >= 0 || (v < j->operand_count && j->is_contiguous[v])) continue;
            int slot = 0;
            // A step never writes over what it reads.
            while (slot < used && last_use[owner[slot]] >= s) slot++;
            if (slot == used) used++;
            owner[slot] = v;
            j->slot[v] = slot;
        }
    }
}

void sdx_chain_f32(
    sdx_pool *pool, const sdx_chain_step *steps, int step_count, const float *const *operands, int operand_count,
    const int64_t *strides, const int64_t *shape, int rank, float *y) {
    if (step_count < 1 || step_count > SDX_CHAIN_STEPS || operand_count < 1 || operand_count > SDX_CHAIN_OPERANDS ||
        rank < 1 || rank > SDX_MAX_RANK)
        __builtin_trap();
    chain_job job = {
        steps, operands, strides, shape, y, .total = 1, .step_count = step_count, .operand_count = operand_count,
        .rank = rank};
    for (int d = 0; d < rank; d++) job.total *= shape[d];
    if (job.total <= 0) return;
    for (int k = 0; k < operand_count; k++) {
        int64_t dense = 1;
        job.is_contiguous[k] = true;
        for (int d = rank - 1; d >= 0; d--) {
            if (shape[d] != 1 && strides[k * rank + d] != dense) job.is_contiguous[k] = false;
            dense *= shape[d];
        }
    }
    assign_slots(&job);
    sdx_parallel_for(pool, (job.total + CHUNK - 1) / CHUNK, chain_chunk, &job);
}
