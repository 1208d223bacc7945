/// The matrix product of one element type in one ISA pass; after Panels.h. No include guard: it serves both types.
#undef GEMM
#if SDX_T_IS_DOUBLE
#define GEMM sdx_gemm_f64
#else
#define GEMM sdx_gemm_f32
#endif

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

/// The product to compute for g: a matrix times a column is done as its transpose, a row times a matrix, which fills
/// the vectors.
static GEMM TN(oriented)(const GEMM *g) {
    GEMM t = *g;
    if (g->n != 1 || g->m == 1 || g->ldc != 1 || g->packed_b) return t;
    t.m = 1;
    t.n = g->m;
    t.a = g->b;
    t.lda = g->ldb;
    t.transpose_a = !g->transpose_b;
    t.batch_stride_a = g->batch_stride_b;
    t.b = g->a;
    t.ldb = g->lda;
    t.transpose_b = !g->transpose_a;
    t.batch_stride_b = g->batch_stride_a;
    t.ldc = g->m;
    t.row_bias = g->column_bias;
    t.column_bias = g->row_bias;
    t.d_row_stride = g->d_column_stride;
    t.d_column_stride = g->d_row_stride;
    return t;
}

/// How a product is cut: by shape alone.
typedef struct {
    const GEMM *g;
    T *workspace;
    int64_t worker_elements;      // of the workspace
    int64_t a_elements;           // of those, for A
    int64_t row_panels, column_panels, k_blocks;
    int64_t chunk_row_panels, chunk_column_panels;
    int64_t row_chunks, column_chunks;
} TN(gemm_plan);

static TN(gemm_plan) TN(plan_gemm)(const GEMM *g) {
    TN(gemm_plan) plan = {.g = g};
    plan.row_panels = TN(row_panels)(g->m);
    plan.column_panels = TN(column_panels)(g->n);
    plan.k_blocks = TN(k_blocks)(g->k);
    int64_t rows = plan.row_panels, columns = plan.column_panels;
    if (columns > SDX_BLOCK_COLUMN_PANELS) columns = SDX_BLOCK_COLUMN_PANELS;
    for (;;) {
        plan.row_chunks = (plan.row_panels + rows - 1) / rows;
        plan.column_chunks = (plan.column_panels + columns - 1) / columns;
        double work = (double)rows * SDX_MR * (double)columns * NR * (double)g->k;
        double chunks = (double)plan.row_chunks * plan.column_chunks * g->batch;
        if (chunks >= SDX_ENOUGH_CHUNKS || work < SDX_CHUNK_WORK) break;
        if (rows * SDX_MR >= columns * NR && rows > 1) rows = (rows + 1) / 2;
        else if (columns > 1) columns = (columns + 1) / 2;
        else break;
    }
    plan.chunk_row_panels = rows;
    plan.chunk_column_panels = columns;
    int64_t k = g->k / plan.k_blocks + (g->k % plan.k_blocks != 0);
    int64_t packed_rows = rows < SDX_BLOCK_ROW_PANELS ? rows : SDX_BLOCK_ROW_PANELS;
    plan.a_elements = (packed_rows * SDX_MR * k + 15) / 16 * 16;
    plan.worker_elements = plan.a_elements + (g->packed_b ? 0 : (columns * NR * k + 15) / 16 * 16);
    return plan;
}

static size_t TN(workspace_bytes)(const GEMM *g, int workers) {
    if (g->m < 0 || g->n < 0 || g->k < 0 || workers < 1) return SIZE_MAX;
    if (g->m == 0 || g->n == 0 || g->batch <= 0) return 0;
    GEMM oriented = TN(oriented)(g);
    int64_t bytes; // of one worker: at most a few cache blocks
    int64_t elements = TN(plan_gemm)(&oriented).worker_elements;
    if (__builtin_mul_overflow(elements, (int64_t)sizeof(T) * workers, &bytes)) return SIZE_MAX;
    return (size_t)bytes;
}

static void TN(gemm_chunk)(void *context, int64_t chunk, int worker) {
    const TN(gemm_plan) *plan = context;
    const GEMM *g = plan->g;
    // Neighbouring chunks share B, so that workers on them read it from a shared cache.
    int64_t row_chunk = chunk % plan->row_chunks, column_chunk = chunk / plan->row_chunks % plan->column_chunks;
    int64_t item = chunk / plan->row_chunks / plan->column_chunks;
    const T *a = g->a + item * g->batch_stride_a, *b = g->packed_b ? NULL : g->b + item * g->batch_stride_b;
    int64_t a_lane = g->transpose_a ? 1 : g->lda, a_step = g->transpose_a ? g->lda : 1;
    T *a_space = plan->workspace + worker * plan->worker_elements, *b_space = a_space + plan->a_elements;

    int64_t panel0 = row_chunk * plan->chunk_row_panels, panel_end = panel0 + plan->chunk_row_panels;
    if (panel_end > plan->row_panels) panel_end = plan->row_panels;
    int64_t column0 = column_chunk * plan->chunk_column_panels * NR;
    int64_t column1 = column0 + plan->chunk_column_panels * NR;
    if (column1 > g->n) column1 = g->n;

    TN(epilogue) epilogue = {
        .alpha = g->alpha, .beta = g->beta, .row_bias = g->row_bias, .column_bias = g->column_bias,
        .d = g->d ? g->d + item * g->batch_stride_d : NULL,
        .d_row_stride = g->d_row_stride, .d_column_stride = g->d_column_stride,
#if !SDX_T_IS_DOUBLE
        .activation = g->activation,
#endif
    };
    TN(set_nothing)(&epilogue);

    for (int64_t kb = 0; kb < plan->k_blocks; kb++) {
        int64_t k0 = TN(k_start)(g->k, plan->k_blocks, kb), k = TN(k_start)(g->k, plan->k_blocks, kb + 1) - k0;
        for (int64_t j = column0; !g->packed_b && j < column1; j += NR) {
            int64_t columns = column1 - j < NR ? column1 - j : NR;
            TN(pack_b_panel)(b_space + (j - column0) * k, b, g->ldb, g->transpose_b, j, columns, k0, k);
        }
        for (int64_t p0 = panel0; p0 < panel_end; p0 += SDX_BLOCK_ROW_PANELS) {
            int64_t p1 = panel_end - p0 < SDX_BLOCK_ROW_PANELS ? panel_end : p0 + SDX_BLOCK_ROW_PANELS;
            int64_t first = TN(row_start)(g->m, plan->row_panels, p0);
            for (int64_t p = p0, row = first, next; p < p1; p++, row = next) {
                next = TN(row_start)(g->m, plan->row_panels, p + 1);
                const T *from = a + row * a_lane + k0 * a_step;
                TN(pack_panel)(a_space + (row - first) * k, next - row, next - row, k, from, a_lane, a_step);
            }
            TN(multiply_block)(&(TN(block)){
                .a = a_space, .a_k = k, .a_k0 = 0, .m = g->m, .panel0 = p0, .panel1 = p1,
                .column0 = column0, .column1 = column1, .k = k,
                .c = g->c + item * g->batch_stride_c + column0, .ldc = g->ldc, .add = kb > 0,
                .b = g->packed_b ? g->packed_b + column0 * g->k : b_space, .b_stride = NR * (g->packed_b ? g->k : k),
                .b_k0 = g->packed_b ? k0 : 0,
                .epilogue = kb + 1 == plan->k_blocks ? &epilogue : NULL,
            });
        }
    }
}

static void TN(gemm)(sdx_pool *pool, const GEMM *g, void *workspace) {
    if (g->m <= 0 || g->n <= 0 || g->batch <= 0) return;
    GEMM oriented = TN(oriented)(g);
    TN(gemm_plan) plan = TN(plan_gemm)(&oriented);
    plan.workspace = workspace;
    sdx_parallel_for(pool, plan.row_chunks * plan.column_chunks * g->batch, TN(gemm_chunk), &plan);
}
