/// Max, average and Lp pooling, and the global ones.
#include "PoolingRow.h"

static const pooling_row rows[] = {
    {"no planes", 0, 1, {1, 5, 5}, {1, 2, 2}},
    {"an empty output", 2, 1, {1, 1, 1}, {1, 3, 3}},
    {"an empty input", 2, 1, {1, 0, 3}, {1, 1, 1}, .pad_begin = {0, 1, 1}},
    {"one", 1, 1, {1, 1, 1}, {1, 1, 1}},
    {"2 × 2", 3, 1, {1, 8, 9}, {1, 2, 2}, {1, 2, 2}},
    {"2 × 2 in ceil mode", 3, 1, {1, 9, 11}, {1, 2, 2}, {1, 2, 2}, .ceil_mode = true},
    {"2 × 2 of wide rows", 1, 1, {1, 4, 131}, {1, 2, 2}, {1, 2, 2}},
    {"2 × 2 × 2", 2, 1, {6, 8, 38}, {2, 2, 2}, {2, 2, 2}},
    {"2 × 2 with padding", 2, 1, {1, 9, 40}, {1, 2, 2}, {1, 2, 2}, .pad_begin = {0, 1, 1}, .pad_end = {0, 1, 1}},
    {"3 × 3 with stride 2", 2, 1, {1, 15, 70}, {1, 3, 3}, {1, 2, 2}, .pad_begin = {0, 1, 1}, .pad_end = {0, 1, 1}},
    {"3 × 3", 2, 1, {1, 9, 37}, {1, 3, 3}, .pad_begin = {0, 1, 1}, .pad_end = {0, 1, 1}},
    {"3 × 3 in ceil mode, beyond the padding", 2, 1, {1, 8, 8}, {1, 3, 3}, {1, 3, 3}, .pad_begin = {0, 1, 1},
     .pad_end = {0, 1, 1}, .ceil_mode = true},
    {"a stride larger than the kernel", 2, 1, {1, 20, 21}, {1, 2, 3}, {1, 5, 4}},
    {"a huge stride", 2, 1, {1, 20, 21}, {1, 2, 3}, {1, 50, 40}},
    {"a huge dilation", 1, 1, {1, 20, 70}, {1, 3, 3}, .dilation = {1, 9, 33}},
    {"windows of padding only", 2, 1, {1, 3, 4}, {1, 2, 2}, .pad_begin = {0, 5, 4}, .pad_end = {0, 3, 9}},
    {"dilation over padding", 2, 1, {1, 7, 9}, {1, 3, 3}, .dilation = {1, 3, 4}, .pad_begin = {0, 3, 4},
     .pad_end = {0, 3, 4}},
    {"a window of the whole image", 3, 1, {1, 13, 17}, {1, 13, 17}},
    {"1D", 3, 1, {1, 1, 300}, {1, 1, 5}, {1, 1, 3}, .pad_begin = {0, 0, 2}},
    {"a window wider than a buffer", 1, 1, {1, 2, 9000}, {1, 1, 5000}, {1, 1, 700}},
    {"rows longer than a buffer", 1, 1, {1, 2, 9001}, {1, 2, 3}, {1, 1, 2}, .pad_begin = {0, 0, 1}},
    {"more rows in a window than are kept", 1, 1, {1, 90, 19}, {1, 80, 2}, {1, 5, 1}},
    {"3D", 2, 1, {7, 8, 19}, {3, 2, 3}, {2, 1, 2}, .pad_begin = {1, 0, 1}, .pad_end = {1, 1, 1}, .ceil_mode = true},
};
enum { RANDOM_ROWS = 110 };

/// What one window holds.
typedef struct window_sums {
    double sum, sizes, powers[4]; // powers[p]: Σ |x|ᵖ
    float best;                   // the maximum, or the first NaN
    int64_t inside, padded;       // positions within the tensor, and within the padded extent
    int64_t at[3];                // of the maximum; −1 for none
} window_sums;

static window_sums sums_of(const sdx_pool_window *w, const float *plane, const int64_t o[3]) {
    window_sums s = {.best = -INFINITY, .at = {-1, -1, -1}};
    for (int64_t tap = 0; tap < w->kernel[0] * w->kernel[1] * w->kernel[2]; tap++) {
        int64_t t[3] = {tap / w->kernel[2] / w->kernel[1], tap / w->kernel[2] % w->kernel[1], tap % w->kernel[2]};
        int64_t z[3];
        bool inside = true, padded = true;
        for (int k = 0; k < 3; k++) {
            z[k] = o[k] * w->stride[k] - w->pad_begin[k] + t[k] * w->dilation[k];
            inside &= z[k] >= 0 && z[k] < w->in[k];
            padded &= z[k] < w->in[k] + w->pad_end[k];
        }
        s.inside += inside;
        s.padded += padded;
        if (!inside) continue;
        float v = plane[(z[0] * w->in[1] + z[1]) * w->in[2] + z[2]];
        s.sum += v;
        for (int p = 1; p < 4; p++) s.powers[p] += pow(fabs((double)v), p);
        if (s.at[0] < 0 || v > s.best || (isnan(v) && !isnan(s.best))) {
            s.best = v;
            memcpy(s.at, z, sizeof z);
        }
    }
    return s;
}

static void check(table *t, const pooling_row *r) {
    sdx_pool_window w = window_of(r);
    table_row(t, "%s: planes %lld in %lld·%lld·%lld out %lld·%lld·%lld kernel %lld·%lld·%lld stride %lld·%lld·%lld"
              " dilation %lld·%lld·%lld pad %lld·%lld·%lld", r->what, (long long)r->batch, (long long)w.in[0],
              (long long)w.in[1], (long long)w.in[2], (long long)w.out[0], (long long)w.out[1], (long long)w.out[2],
              (long long)w.kernel[0], (long long)w.kernel[1], (long long)w.kernel[2], (long long)w.stride[0],
              (long long)w.stride[1], (long long)w.stride[2], (long long)w.dilation[0], (long long)w.dilation[1],
              (long long)w.dilation[2], (long long)w.pad_begin[0], (long long)w.pad_begin[1],
              (long long)w.pad_begin[2]);
    int64_t size = w.in[0] * w.in[1] * w.in[2], outputs = w.out[0] * w.out[1] * w.out[2], count = r->batch * outputs;
    float *x = input_floats(t, r->batch * size);
    if (random_chance(t, 3))
        for (int64_t i = 0; i < r->batch * size; i++) x[i] = roundf(x[i]); // ties
    if (random_chance(t, 4) && r->batch * size > 0) x[random_in(t, 0, r->batch * size - 1)] = NAN;
    int rank = w.in[0] == 1 && w.kernel[0] == 1 ? 2 : 3;
    result most = output(t, count, 4), with_indices = output(t, count, 4), indices = output(t, count, 8);
    result by_columns = output(t, count, 8), average[2], norm[4];
    for (int i = 0; i < 2; i++) average[i] = output(t, count, 4);
    for (int i = 1; i < 4; i++) norm[i] = output(t, count, 4);
    EACH_POOL(p) {
        sdx_pool *pool = t->pools[p];
        sdx_max_pool_f32(pool, x, most.of[p], NULL, r->batch, &w, 0, rank);
        sdx_max_pool_f32(pool, x, with_indices.of[p], by_columns.of[p], r->batch, &w, 1, rank);
        sdx_max_pool_f32(pool, x, with_indices.of[p], indices.of[p], r->batch, &w, 0, rank);
        for (int i = 0; i < 2; i++) sdx_average_pool_f32(pool, x, average[i].of[p], r->batch, &w, i);
        for (int i = 1; i < 4; i++) sdx_lp_pool_f32(pool, x, norm[i].of[p], r->batch, &w, i);
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t plane = i / outputs, o[3] = {i % outputs / w.out[2] / w.out[1], i / w.out[2] % w.out[1], i % w.out[2]};
        window_sums s = sums_of(&w, x + plane * size, o);
        table_near(t, "max", i, ((float *)most.of[0])[i], s.best, 0);
        table_near(t, "max with indices", i, ((float *)with_indices.of[0])[i], s.best, 0);
        int64_t index = -1, column_index = -1;
        if (s.at[0] >= 0) {
            index = plane * size + (s.at[0] * w.in[1] + s.at[1]) * w.in[2] + s.at[2];
            int64_t within = rank == 2 ? s.at[1] + w.in[1] * s.at[2]
                                       : s.at[0] + w.in[0] * (s.at[1] + w.in[1] * s.at[2]);
            column_index = plane * size + within;
        }
        table_near(t, "index", i, (double)((int64_t *)indices.of[0])[i], (double)index, 0);
        table_near(t, "index by columns", i, (double)((int64_t *)by_columns.of[0])[i], (double)column_index, 0);
        int64_t counts[2] = {s.inside, s.padded};
        for (int k = 0; k < 2; k++) {
            double n = (double)counts[k];
            table_near(t, k ? "average with padding" : "average", i, ((float *)average[k].of[0])[i],
                       counts[k] ? s.sum / n : NAN, counts[k] ? 2e-6 * (s.powers[1] + 1e-6) / n : 0);
        }
        for (int p = 1; p < 4; p++) {
            double want = p == 1 ? s.powers[1] : p == 2 ? sqrt(s.powers[2]) : cbrt(s.powers[3]);
            table_near(t, p == 1 ? "L1" : p == 2 ? "L2" : "L3", i, ((float *)norm[p].of[0])[i], want, 2e-6 * want);
        }
    }
}

static void check_global(table *t, int64_t planes, int64_t spatial) {
    table_row(t, "global, planes %lld of %lld", (long long)planes, (long long)spatial);
    float *x = input_floats(t, planes * spatial);
    result y[4];
    for (int i = 0; i < 4; i++) y[i] = output(t, planes, 4);
    EACH_POOL(p) {
        sdx_global_average_pool_f32(t->pools[p], x, y[0].of[p], planes, spatial);
        sdx_global_max_pool_f32(t->pools[p], x, y[1].of[p], planes, spatial);
        sdx_global_lp_pool_f32(t->pools[p], x, y[2].of[p], planes, spatial, 2);
        sdx_global_lp_pool_f32(t->pools[p], x, y[3].of[p], planes, spatial, 3);
    }
    for (int64_t plane = 0; plane < planes; plane++) {
        double sum = 0, sizes = 0, squares = 0, cubes = 0, most = -INFINITY;
        for (int64_t i = 0; i < spatial; i++) {
            double v = x[plane * spatial + i];
            sum += v;
            sizes += fabs(v);
            squares += v * v;
            cubes += fabs(v * v * v);
            most = fmax(most, v);
        }
        double wanted[4] = {sum / (double)spatial, most, sqrt(squares), cbrt(cubes)};
        double tolerances[4] = {1e-6 * sizes / (double)spatial, 0, 1e-6 * wanted[2], 3e-6 * wanted[3]};
        for (int i = 0; i < 4; i++)
            table_near(t, "average, max, L2, L3", i, ((float *)y[i].of[0])[plane], wanted[i], tolerances[i]);
    }
}

int kernel_table_pooling(char *message, size_t size) {
    table t = table_begin(message, size, 14);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        pooling_row row = i < COUNT(rows) ? rows[i] : random_pooling_row(&t, random_in(&t, 1, 4), 1, 14, 80);
        check(&t, &row);
    }
    static const int64_t globals[][2] = {{0, 5}, {1, 1}, {3, 17}, {5, 513}, {200, 9}, {2, 30001}};
    for (size_t i = 0; i < COUNT(globals); i++) check_global(&t, globals[i][0], globals[i][1]);
    return table_end(&t);
}
