/// Attention by blocks of queries: sdx_attention_f32_run. Products and softmax are the kernels of their own families,
/// which the worker of a block runs alone.
#include <stdbool.h>
#include <string.h>

#include "../include/sdx_attention.h"
#include "../include/sdx_gemm.h"
#include "../include/sdx_normalization.h"

/// Scores of one block, in bytes: a part of the smallest second-level cache.
#define ATTENTION_CACHE_BYTES (128 * 1024)
/// The fewest queries of a block: packing the keys must pay.
#define ATTENTION_LEAST_QUERIES 32

typedef struct {
    const sdx_attention *p;
    char *workspace;
    int64_t blocks;      // of the queries of one of the batch
    size_t scores_bytes; // of a worker, then follows the products' scratch
    size_t worker_bytes;
} attention_plan;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/// The blocks that the queries are cut into, evenly.
static int64_t attention_blocks(const sdx_attention *p) {
    int64_t fitting = p->keys > 0 ? ATTENTION_CACHE_BYTES / 4 / p->keys : p->queries;
    int64_t rows = fitting < ATTENTION_LEAST_QUERIES ? ATTENTION_LEAST_QUERIES : fitting;
    return p->queries / rows + (p->queries % rows != 0);
}

static int64_t attention_start(const attention_plan *plan, int64_t block) {
    int64_t rows = plan->p->queries / plan->blocks, extra = plan->p->queries % plan->blocks;
    return block * rows + least(block, extra);
}

static sdx_gemm_f32 scores_product(const sdx_attention *p, int64_t rows) {
    return (sdx_gemm_f32){
        .m = rows, .n = p->keys, .k = p->depth, .lda = p->depth, .transpose_b = !p->keys_are_columns,
        .ldb = p->keys_are_columns ? p->keys : p->depth, .ldc = p->keys, .batch = 1, .alpha = p->scale,
    };
}

static sdx_gemm_f32 values_product(const sdx_attention *p, int64_t rows) {
    return (sdx_gemm_f32){
        .m = rows, .n = p->width, .k = p->keys, .lda = p->keys, .ldb = p->width, .ldc = p->width, .batch = 1,
        .alpha = 1,
    };
}

static bool attention_plan_of(const sdx_attention *p, attention_plan *plan) {
    *plan = (attention_plan){.p = p, .blocks = attention_blocks(p)};
    if (plan->blocks == 0) return true;
    int64_t rows = p->queries / plan->blocks + (p->queries % plan->blocks != 0), scores;
    if (__builtin_mul_overflow(rows, p->keys, &scores) || scores > INT64_MAX / 8) return false;
    plan->scores_bytes = ((size_t)scores * sizeof(float) + 63) / 64 * 64;
    size_t most = 0;
    // Blocks have these numbers of rows, and either may want more.
    for (int64_t m = rows; m >= rows - 1 && m > 0; m--) {
        sdx_gemm_f32 products[] = {scores_product(p, m), values_product(p, m)};
        for (int i = 0; i < 2; i++) {
            size_t bytes = sdx_gemm_f32_workspace_bytes(&products[i], 1);
            if (bytes > most) most = bytes;
        }
    }
    if (most > SIZE_MAX / 2) return false;
    return !__builtin_add_overflow(plan->scores_bytes, (most + 63) / 64 * 64, &plan->worker_bytes);
}

size_t sdx_attention_f32_workspace_bytes(const sdx_attention *p, int workers) {
    attention_plan plan;
    size_t bytes;
    if (workers < 1 || !attention_plan_of(p, &plan)) return SIZE_MAX;
    return __builtin_mul_overflow(plan.worker_bytes, (size_t)workers, &bytes) ? SIZE_MAX : bytes;
}

/// Adds to rows of scores, from the row `first` of the queries on.
static void add_to_scores(const sdx_attention *p, sdx_attention_addend a, int64_t b, int64_t first, int64_t rows,
                          float *restrict scores) {
    for (int64_t row = 0; row < rows; row++, scores += p->keys) {
        const float *values = a.values + a.offsets[b] + (first + row) * a.row_stride;
        if (a.key_stride) {
            for (int64_t i = 0; i < p->keys; i++) scores[i] += values[i];
        } else {
            for (int64_t i = 0; i < p->keys; i++) scores[i] += values[0];
        }
    }
}

static void attention_chunk(void *context, int64_t chunk, int worker) {
    const attention_plan *plan = context;
    const sdx_attention *p = plan->p;
    int64_t b = chunk / plan->blocks, block = chunk % plan->blocks;
    int64_t first = attention_start(plan, block), rows = attention_start(plan, block + 1) - first;
    float *scores = (float *)(void *)(plan->workspace + (size_t)worker * plan->worker_bytes);
    void *scratch = (char *)scores + plan->scores_bytes;

    sdx_gemm_f32 product = scores_product(p, rows);
    product.a = p->q + (b * p->queries + first) * p->depth;
    product.b = p->k + b * p->keys * p->depth;
    product.c = scores;
    sdx_attention_addend one = p->addends[0];
    if (one.values) {
        product.d = one.values + one.offsets[b] + first * one.row_stride;
        product.d_row_stride = one.row_stride;
        product.d_column_stride = one.key_stride;
        product.beta = 1;
    }
    sdx_gemm_f32_run(NULL, &product, scratch);
    if (p->addends[1].values) add_to_scores(p, p->addends[1], b, first, rows, scores);
    sdx_softmax_f32(NULL, scores, scores, rows, p->keys, 1);

    product = values_product(p, rows);
    product.a = scores;
    product.b = p->v + b * p->keys * p->width;
    product.c = p->y + (b * p->queries + first) * p->width;
    sdx_gemm_f32_run(NULL, &product, scratch);
}

void sdx_attention_f32_run(sdx_pool *pool, const sdx_attention *p, void *workspace) {
    attention_plan plan;
    if (!attention_plan_of(p, &plan) || p->batch == 0 || plan.blocks == 0 || p->width == 0) return;
    plan.workspace = workspace;
    sdx_parallel_for(pool, p->batch * plan.blocks, attention_chunk, &plan);
}
