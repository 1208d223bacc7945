/// How a matrix product is cut, for one element type in one ISA pass; after Panels.h. No include guard: it serves both
/// types.
///
/// A chunk is a range of rows by a range of column panels of one matrix of the batch. It goes through k block by block,
/// and in a block through the column panels: the rows' share of A stays in L2, and each panel of B is read once.
#undef GEMM
#if SDX_T_IS_DOUBLE
#define GEMM sdx_gemm_f64
#else
#define GEMM sdx_gemm_f32
#endif

/// The product to compute for g: a matrix times a column is done as its transpose, a row times a matrix, which fills
/// the vectors.
static GEMM TN(oriented)(const GEMM *g) {
    GEMM t = *g;
    if (g->n == 1 && g->m != 1 && g->ldc == 1 && !g->packed_b) {
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
    }
    if (t.m == 1 && t.transpose_a && t.lda == 1) { // a column without gaps is a row
        t.transpose_a = 0;
        t.lda = t.k;
    }
    return t;
}

/// By shape alone.
typedef struct {
    const GEMM *g;
    T *workspace;
    int64_t worker_elements;      // of the workspace
    int64_t a_elements;           // of those, for A
    bool a_in_place, b_in_place;  // read where they lie, but for columns that fill no panel
    bool one_row;                 // OneRow.h
    bool fetches_a;               // the next rows while the first column panel is multiplied, the next chunk's at the end
    int64_t column_panels, k_blocks;
    int64_t row_chunks, column_chunks;
} TN(gemm_plan);

SDX_INLINE int64_t TN(ceil_div)(int64_t x, int64_t y) { return x / y + (x % y != 0); }

static TN(gemm_plan) TN(plan_gemm)(const GEMM *g) {
    TN(gemm_plan) plan = {.g = g};
    plan.column_panels = TN(column_panels)(g->n);
    // Broadcasts read A anywhere; Arm multiplies by an element of a vector, which takes a packed panel. Rows a multiple of
    // 4 KB apart meet in the same 8 or 12 lines of L1: where a tile has more, and enough columns use it, A is packed. A few
    // rows by a plain B are not: such products are cut by columns, and each chunk would pack all of A.
    bool meet = SDX_MR > 8 && g->lda % (4096 / (int64_t)sizeof(T)) == 0 && plan.column_panels >= SDX_PACKING_PANELS &&
                (g->packed_b || g->m >= SDX_PACKING_ROWS);
    plan.a_in_place = !g->transpose_a && !meet && !SDX_TARGET_NEON;
    plan.one_row = g->m == 1 && !g->transpose_a;
    int64_t most_k = (g->packed_b ? SDX_PACKED_K_BYTES : SDX_PRODUCT_K_BYTES) / (int64_t)sizeof(T);
    if (plan.one_row) most_k = INT64_MAX;
    int64_t least_panels = 1; // of columns in a chunk
    if (!g->packed_b && !g->transpose_b) {
        // A few rows use each value of B too few times to pay for its packing: B is read in the order it lies in, some
        // rows of it at a time. Small dense matrices stay in cache however they are read.
        bool few = g->m <= SDX_FEW_ROWS;
        if (few) least_panels = SDX_FEW_PANELS;
        if (few && !plan.one_row) most_k = SDX_FEW_K;
        plan.b_in_place = few || g->ldb <= SDX_DENSE_BYTES / (int64_t)sizeof(T) / (g->k > 0 ? g->k : 1);
    }
    plan.k_blocks = g->k <= most_k ? 1 : TN(ceil_div)(g->k, most_k);
    int64_t k = TN(ceil_div)(g->k, plan.k_blocks), row_panels = TN(row_panels)(g->m);

    int64_t most_rows = SDX_PRODUCT_A_BYTES / (int64_t)sizeof(T) / (k > 0 ? k : 1);
    // Rows beyond one block are seldom in L2 yet, and where they lie without gaps they can be fetched in time.
    plan.fetches_a = g->lda == k && g->m > most_rows;
    int64_t rows = TN(ceil_div)(g->m, most_rows < SDX_MR ? SDX_MR : most_rows);
    int64_t columns = TN(ceil_div)(plan.column_panels, SDX_MOST_PANELS);
    // Chunks are halved where that costs less: a chunk of fewer rows reads (and packs) B for fewer products, one of
    // fewer columns A. The costs are those of reading or packing a value, in products by it.
    // A product of a few rows takes the time to read B, which is that of SDX_READING_ROWS rows' products.
    double work_rows = (double)(g->m < SDX_READING_ROWS ? SDX_READING_ROWS : g->m);
    double work = work_rows * (double)g->n * (double)g->k * (double)g->batch;
    double b_cost = g->packed_b || plan.b_in_place || plan.one_row ? 1 : 16, a_cost = plan.a_in_place ? 1 : 8;
    for (;;) {
        double chunks = (double)rows * (double)columns * (double)g->batch;
        double worth = chunks < SDX_PRODUCT_CHUNKS / 8 ? SDX_CHUNK_WORK : 2 * SDX_CHUNK_WORK;
        if (chunks >= SDX_PRODUCT_CHUNKS || work / chunks < worth) break;
        double per_rows = (double)row_panels / (double)rows;
        double per_columns = (double)plan.column_panels / (double)columns;
        double cut_rows = per_rows >= 2 ? b_cost / per_rows : 1e30;
        double cut_columns = per_columns >= 2 * (double)least_panels ? a_cost / per_columns : 1e30;
        double cost = cut_rows < cut_columns ? cut_rows : cut_columns;
        if (cost > (chunks < SDX_PRODUCT_CHUNKS / 4 ? 1e9 : SDX_CUT_COST)) break;
        if (cut_rows < cut_columns) rows *= 2;
        else columns *= 2;
    }
    plan.row_chunks = rows < row_panels ? rows : row_panels;
    plan.column_chunks = columns < plan.column_panels ? columns : plan.column_panels;

    if (plan.one_row) return plan;
    plan.a_elements = plan.a_in_place ? 0 : (TN(ceil_div)(row_panels, plan.row_chunks) * SDX_MR * k + 15) / 16 * 16;
    bool packs = !g->packed_b && (!plan.b_in_place || g->n % NR != 0);
    plan.worker_elements = plan.a_elements + (packs ? (NR * k + 15) / 16 * 16 : 0);
    return plan;
}

static size_t TN(workspace_bytes)(const GEMM *g, int workers) {
    if (g->m < 0 || g->n < 0 || g->k < 0 || workers < 1) return SIZE_MAX;
    if (g->m == 0 || g->n == 0 || g->batch <= 0) return 0;
    GEMM oriented = TN(oriented)(g);
    int64_t bytes; // of one worker: at most a cache block
    int64_t elements = TN(plan_gemm)(&oriented).worker_elements;
    if (__builtin_mul_overflow(elements, (int64_t)sizeof(T) * workers, &bytes)) return SIZE_MAX;
    return (size_t)bytes;
}
