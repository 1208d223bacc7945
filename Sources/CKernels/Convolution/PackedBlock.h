/// Blocks of a product of packed panels, in one ISA pass; after Gemm/Panels.h. No include guard: on purpose.

/// A block of the product: row panels [panel0, panel1) by columns [column0, column1), over k values.
typedef struct {
    const T *a;         // the packed row panel panel0
    int64_t a_k, a_k0;  // the k values that a row panel of `a` holds in all, and the one where this block begins
    const T *b;         // the packed column panel of column0
    int64_t b_stride;   // from a column panel to the next
    int64_t b_k0;       // the k value in a column panel of `b` where this block begins
    int64_t m;          // rows of the whole C: its panels are cut from them
    int64_t panel0, panel1, column0, column1, k;
    T *c;               // C at (0, column0)
    int64_t ldc;
    int add;            // onto what C holds
    const TN(epilogue) * epilogue; // NULL before the last block of k
} TN(block);

/// Computes a block. column0 is where a column panel begins.
static void TN(multiply_block)(const TN(block) * t) {
    int64_t panels = TN(row_panels)(t->m), columns = t->column1 - t->column0;
    int64_t first_row = TN(row_start)(t->m, panels, t->panel0);
    const TN(epilogue) *e = t->epilogue && t->epilogue->nothing ? NULL : t->epilogue;
    _Alignas(64) T local[SDX_MR * NR];
    for (int64_t p0 = t->panel0; p0 < t->panel1; p0 += SDX_BLOCK_ROW_PANELS) {
        int64_t p1 = t->panel1 - p0 < SDX_BLOCK_ROW_PANELS ? t->panel1 : p0 + SDX_BLOCK_ROW_PANELS;
        for (int64_t j = 0; j < columns; j += NR) {
            int64_t n = columns - j < NR ? columns - j : NR, width = TN(panel_width)(n);
            const T *b = t->b + j / NR * t->b_stride + t->b_k0 * width;
            for (int64_t p = p0; p < p1; p++) {
                int64_t row = TN(row_start)(t->m, panels, p), rows = TN(row_start)(t->m, panels, p + 1) - row;
                const T *a = t->a + (row - first_row) * t->a_k + rows * t->a_k0;
                T *c = t->c + row * t->ldc + j;
                TN(tile_function) tile = TN(tile_functions)[rows - 1][width / TV - 1];
                if (n == width) {
                    tile(t->k, a, b, width, c, t->ldc, t->add);
                    if (e) TN(finish_tile)(e, c, t->ldc, c, t->ldc, rows, n, 0, row, t->column0 + j);
                } else {
                    tile(t->k, a, b, width, local, NR, 0);
                    TN(finish_tile)(e, local, NR, c, t->ldc, rows, n, t->add, row, t->column0 + j);
                }
            }
        }
    }
}
