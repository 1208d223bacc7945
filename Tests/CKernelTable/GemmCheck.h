/// Checks one row of Gemm.c for one element type; included for each. The includer defines T, NAME(part), IS_FLOAT and
/// CHECK, the function's name.

static void CHECK(table *t, const gemm_row *r) {
    table_row(t, "%s: %s m %lld n %lld k %lld batch %lld transposed %d %d packed %d d %d activation %d",
              IS_FLOAT ? "f32" : "f64", r->what, (long long)r->m, (long long)r->n, (long long)r->k, (long long)r->batch,
              r->transpose_a, r->transpose_b, r->packed, r->d, r->activation.kind);
    NAME() g = {.m = r->m, .n = r->n, .k = r->k, .batch = r->batch};
    g.transpose_a = r->transpose_a;
    g.transpose_b = r->transpose_b;
    g.lda = (g.transpose_a ? g.m : g.k) + r->gap_a;
    g.ldb = (g.transpose_b ? g.k : g.n) + r->gap_b;
    g.ldc = g.n + r->gap_c;
    g.alpha = (T)r->alpha;
    g.beta = (T)r->beta;
    int64_t size_a = (g.transpose_a ? g.k : g.m) * g.lda, size_b = (g.transpose_b ? g.n : g.k) * g.ldb;
    int64_t size_c = g.m * g.ldc, batch = g.batch;
    g.batch_stride_a = r->shared_a ? 0 : size_a;
    g.batch_stride_b = r->shared_b || r->packed ? 0 : size_b;
    g.batch_stride_c = size_c;

    int64_t column_step = r->d & D_SPREAD ? 3 : r->d & D_COLUMNS ? 1 : 0;
    int64_t row_length = column_step ? column_step * g.n : 1, size_d = (r->d & D_ROWS ? g.m : 1) * row_length;
    g.d_column_stride = column_step;
    g.d_row_stride = r->d & D_ROWS ? row_length : 0;
    g.batch_stride_d = r->d & D_BATCH ? size_d : 0;

    // In order: a, b, row bias, column bias, d.
    int64_t counts[] = {size_a * (r->shared_a ? 1 : batch), size_b * (g.batch_stride_b ? batch : 1), g.m, g.n,
                        size_d * (r->d & D_BATCH ? batch : 1)};
    T *inputs[COUNT(counts)];
    for (size_t i = 0; i < COUNT(counts); i++) {
        inputs[i] = input_bytes(t, counts[i], sizeof(T));
        for (int64_t j = 0; j < counts[i]; j++) inputs[i][j] = (T)random_unit(t);
    }
    T *a = inputs[0], *b = inputs[1];
    if (r->specials && counts[0] > 0 && counts[1] > 0) {
        a[random_in(t, 0, counts[0] - 1)] = (T)NAN;
        b[random_in(t, 0, counts[1] - 1)] = (T)INFINITY;
    }
    g.a = a;
    g.b = b;
    if (r->row_bias) g.row_bias = inputs[2];
    if (r->column_bias) g.column_bias = inputs[3];
    if (r->d) g.d = inputs[4];
    sdx_activation activation = {0};
#if IS_FLOAT
    activation = g.activation = r->activation;
#endif
    if (r->packed) {
        T *packed = workspace(t, NAME(_packed_b_bytes)(g.k, g.n));
        NAME(_pack_b)(g.k, g.n, b, g.ldb, g.transpose_b, packed);
        g.packed_b = packed;
        g.b = NULL;
    }
    result c = output(t, size_c * batch, sizeof(T));
    EACH_POOL(p) {
        // Elements between rows are not C's: they must stay, so they start the same for all pools.
        memset(c.of[p], 0x7b, (size_t)(size_c * batch) * sizeof(T));
        g.c = c.of[p];
        NAME(_run)(t->pools[p], &g, workspace(t, NAME(_workspace_bytes)(&g, pool_threads[p])));
    }
    const T *got = c.of[0];
    T untouched;
    memset(&untouched, 0x7b, sizeof untouched);
    const double epsilon = IS_FLOAT ? 0x1p-24 : 0x1p-53;
    for (int64_t z = 0; z < batch; z++)
        for (int64_t i = 0; i < g.m; i++) {
            for (int64_t j = 0; j < g.n; j++) {
                long double sum = 0, size = 0;
                for (int64_t q = 0; q < g.k; q++) {
                    long double left = a[z * g.batch_stride_a + (g.transpose_a ? q * g.lda + i : i * g.lda + q)];
                    long double term =
                        left * b[z * g.batch_stride_b + (g.transpose_b ? j * g.ldb + q : q * g.ldb + j)];
                    sum += term;
                    size += fabsl(term);
                }
                long double terms[] = {
                    g.alpha * sum, g.row_bias ? g.row_bias[i] : 0, g.column_bias ? g.column_bias[j] : 0,
                    g.d ? (long double)g.beta *
                              g.d[z * g.batch_stride_d + i * g.d_row_stride + j * g.d_column_stride]
                        : 0};
                size *= fabsl((long double)g.alpha);
                sum = terms[0];
                for (size_t k = 1; k < COUNT(terms); k++) {
                    sum += terms[k];
                    size += fabsl(terms[k]);
                }
                long double want = activation.kind ? (long double)activate(activation, (double)sum) : sum;
                T value = got[z * size_c + i * g.ldc + j];
                double tolerance = epsilon * 1.2 * (double)(g.k + 4) * (double)size + 1e-300;
                if (activation.kind) tolerance += 6e-7 * (1 + fabs((double)want));
                // The difference is taken in long double: double would hide the errors of f64.
                int64_t at = i * g.n + j;
                if (isfinite((double)want)) table_near(t, "c - wanted", at, (double)(value - want), 0, tolerance);
                else table_near(t, "c", at, (double)value, (double)want, 0);
            }
            for (int64_t j = g.n; j < g.ldc; j++)
                if (memcmp(&got[z * size_c + i * g.ldc + j], &untouched, sizeof(T)) != 0)
                    table_fail(t, "wrote between the rows of C");
        }
}
