/// The matrix product of one element type in one ISA pass; after GemmPlan.h. No include guard: it serves both types.

static size_t TN(packed_b_bytes)(int64_t k, int64_t n) {
    int64_t bytes;
    if (k < 0 || n < 0 || n > INT64_MAX - TV) return SIZE_MAX;
    if (__builtin_mul_overflow(k, TN(panel_width)(n), &bytes)) return SIZE_MAX;
    if (__builtin_mul_overflow(bytes, (int64_t)sizeof(T), &bytes)) return SIZE_MAX;
    return (size_t)bytes;
}

/// Packs columns [column, column + columns) and k values [k0, k0 + k) of B as one panel.
SDX_INLINE void TN(pack_b_panel)(
    T *packed, const T *b, int64_t ldb, int transpose, int64_t column, int64_t columns, int64_t k0, int64_t k) {
    int64_t lane = transpose ? ldb : 1, step = transpose ? 1 : ldb;
    TN(pack_panel)(packed, TN(panel_width)(columns), columns, k, b + column * lane + k0 * step, lane, step);
}

static void TN(pack_b)(int64_t k, int64_t n, const T *b, int64_t ldb, int transpose, T *packed) {
    for (int64_t q = 0; q < TN(column_panels)(n); q++)
        TN(pack_b_panel)(packed + q * NR * k, b, ldb, transpose, q * NR, TN(panel_columns)(n, q), 0, k);
}

/// What a chunk multiplies in one block of k.
typedef struct {
    const T *a, *b;                   // A and B of the item; b is NULL where B came packed
    int64_t row0, row1, column0, column1, k0, k;
    T *a_space, *b_space;
    T *c;                             // of the item
    const TN(epilogue) * epilogue;    // NULL before the last block, or where there is nothing to do
    int add;                          // onto what C holds
} TN(piece);

/// The panel of B at column j of a piece, packed here where it must be; `*stride` lies between its rows.
SDX_INLINE const T *TN(panel_of_b)(
    const TN(gemm_plan) * plan, const TN(piece) * t, int64_t j, int64_t n, int64_t *stride) {
    const GEMM *g = plan->g;
    *stride = TN(panel_width)(n);
    if (g->packed_b) return g->packed_b + j * g->k + t->k0 * *stride;
    if (plan->b_in_place && n == NR) {
        *stride = g->ldb;
        return t->b + t->k0 * g->ldb + j;
    }
    TN(pack_b_panel)(t->b_space, t->b, g->ldb, g->transpose_b, j, n, t->k0, t->k);
    return t->b_space;
}

static void TN(multiply_piece)(const TN(gemm_plan) * plan, const TN(piece) * t) {
    const GEMM *g = plan->g;
    _Alignas(64) T local[SDX_MR * NR];
    int64_t rows = t->row1 - t->row0, panels = TN(row_panels)(rows);
    int64_t a_lane = g->transpose_a ? 1 : g->lda, a_step = g->transpose_a ? g->lda : 1;
    const T *a_first = t->a + t->row0 * a_lane + t->k0 * a_step;
    for (int64_t j = t->column0; j < t->column1; j += NR) {
        int64_t n = t->column1 - j < NR ? t->column1 - j : NR, vectors = TN(panel_width)(n) / TV, b_stride;
        const T *b = TN(panel_of_b)(plan, t, j, n, &b_stride);
        // The next packed panel comes nearer while the first tiles of this one are multiplied, a part with each.
        const int64_t parts = g->packed_b ? NR * (int64_t)sizeof(T) / 32 : 0;
        for (int64_t q = 0; q < panels; q++) {
            int64_t row = TN(row_start)(rows, panels, q), height = TN(row_start)(rows, panels, q + 1) - row;
            const char *ahead = q < parts ? (const char *)(b + NR * g->k) + q * 32 * t->k : (const char *)b;
            const T *a = a_first + row * a_lane;
            T *c = t->c + (t->row0 + row) * g->ldc + j;
            bool direct = n == vectors * TV && !t->epilogue;
            T *to = direct ? c : local;
            int64_t to_stride = direct ? g->ldc : NR;
            int add = direct && t->add;
            if (plan->a_in_place) {
                TN(row_tile_function) tile = TN(row_tile_functions)[height - 1][vectors - 1];
                bool first = j == t->column0, last = t->column1 - j <= NR;
                if (plan->fetches_a && (q + 1 < panels ? first : last)) {
                    const char *next = (const char *)(a + height * g->lda); // at the end, those of the next chunk
                    tile(t->k, a, g->lda, b, b_stride, to, to_stride, add, next, 32 * t->k);
                } else {
                    tile(t->k, a, g->lda, b, b_stride, to, to_stride, add, ahead, 0);
                }
            } else {
                T *packed = t->a_space + row * t->k;
                if (j == t->column0) TN(pack_panel)(packed, height, height, t->k, a, a_lane, a_step);
                TN(tile_functions)[height - 1][vectors - 1](t->k, packed, b, b_stride, to, to_stride, add);
            }
            if (!direct) TN(finish_tile)(t->epilogue, local, NR, c, g->ldc, height, n, t->add, t->row0 + row, j);
        }
    }
}

/// Where chunk `chunk` of `panels` panels begins: as many lie in the first half of the chunks as in the second, since
/// threads begin with shares of neighbours.
SDX_INLINE int64_t TN(chunk_panel)(int64_t panels, int64_t chunks, int64_t chunk) {
    return chunk * (panels / chunks) + chunk * (panels % chunks) / chunks;
}

static void TN(gemm_chunk)(void *context, int64_t chunk, int worker) {
    const TN(gemm_plan) *plan = context;
    const GEMM *g = plan->g;
    // Neighbouring chunks share B, so that workers on them read it from a shared cache.
    int64_t row_chunk = chunk % plan->row_chunks, column_chunk = chunk / plan->row_chunks % plan->column_chunks;
    int64_t item = chunk / plan->row_chunks / plan->column_chunks;
    T *space = plan->workspace + worker * plan->worker_elements;
    int64_t rows = TN(row_panels)(g->m), columns = plan->column_panels;
    TN(piece) piece = {
        .a = g->a + item * g->batch_stride_a, .b = g->packed_b ? NULL : g->b + item * g->batch_stride_b,
        .row0 = TN(row_start)(g->m, rows, TN(chunk_panel)(rows, plan->row_chunks, row_chunk)),
        .row1 = TN(row_start)(g->m, rows, TN(chunk_panel)(rows, plan->row_chunks, row_chunk + 1)),
        .column0 = TN(chunk_panel)(columns, plan->column_chunks, column_chunk) * NR,
        .column1 = TN(chunk_panel)(columns, plan->column_chunks, column_chunk + 1) * NR,
        .a_space = space, .b_space = space + plan->a_elements, .c = g->c + item * g->batch_stride_c,
    };
    if (piece.column1 > g->n) piece.column1 = g->n;
    TN(epilogue) epilogue = {
        .alpha = g->alpha, .beta = g->beta, .row_bias = g->row_bias, .column_bias = g->column_bias,
        .d = g->d ? g->d + item * g->batch_stride_d : NULL,
        .d_row_stride = g->d_row_stride, .d_column_stride = g->d_column_stride,
#if !SDX_T_IS_DOUBLE
        .activation = g->activation,
#endif
    };
    TN(set_nothing)(&epilogue);
    if (plan->one_row) {
        TN(multiply_row)(&(TN(one_row)){
            .k = g->k, .a = piece.a, .b = piece.b, .packed_b = g->packed_b, .ldb = g->ldb,
            .transpose_b = g->transpose_b, .c = piece.c, .column0 = piece.column0, .column1 = piece.column1,
            .epilogue = &epilogue,
        });
        return;
    }

    for (int64_t kb = 0; kb < plan->k_blocks; kb++) {
        piece.k0 = TN(k_start)(g->k, plan->k_blocks, kb);
        piece.k = TN(k_start)(g->k, plan->k_blocks, kb + 1) - piece.k0;
        piece.add = kb > 0;
        piece.epilogue = kb + 1 == plan->k_blocks && !epilogue.nothing ? &epilogue : NULL;
        TN(multiply_piece)(plan, &piece);
    }
}

static void TN(gemm)(sdx_pool *pool, const GEMM *g, void *workspace) {
    if (g->m <= 0 || g->n <= 0 || g->batch <= 0) return;
    GEMM oriented = TN(oriented)(g);
    TN(gemm_plan) plan = TN(plan_gemm)(&oriented);
    plan.workspace = workspace;
    sdx_parallel_for(pool, plan.row_chunks * plan.column_chunks * g->batch, TN(gemm_chunk), &plan);
}
