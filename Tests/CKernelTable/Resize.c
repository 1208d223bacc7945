/// Resizing by nearest neighbour and by separable filters, with tables of taps.
#include "Table.h"

/// How an axis is resampled.
typedef enum { IDENTITY, TWICE, ANY, GAPS, WIDE } mapping;

typedef struct resize_row {
    const char *what;
    int64_t planes, in[3], out[3]; // the output of IDENTITY and TWICE follows from the input
    mapping mappings[3];
    int64_t taps[3]; // 0: 1
} resize_row;

static const resize_row rows[] = {
    {"no planes", 0, {1, 4, 4}, {1, 8, 8}, {ANY, ANY, ANY}},
    {"no outputs", 1, {1, 4, 4}, {1, 3, 0}, {ANY, ANY, ANY}},
    {"one", 1, {1, 1, 1}, {1, 1, 1}, {IDENTITY, IDENTITY, IDENTITY}},
    {"the identity", 2, {3, 5, 37}, {0}, {IDENTITY, IDENTITY, IDENTITY}},
    {"twice", 2, {1, 7, 40}, {0}, {IDENTITY, TWICE, TWICE}},
    {"twice in 3D", 1, {4, 5, 19}, {0}, {TWICE, TWICE, TWICE}},
    {"twice along W of short rows", 2, {1, 3, 3}, {0}, {IDENTITY, IDENTITY, TWICE}},
    {"from one value", 2, {1, 1, 1}, {1, 9, 33}, {IDENTITY, ANY, ANY}},
    {"to one value", 2, {1, 9, 33}, {1, 1, 1}, {IDENTITY, ANY, ANY}, {1, 9, 33}},
    {"rows alone", 2, {1, 9, 33}, {1, 20, 0}, {IDENTITY, ANY, IDENTITY}, {1, 4, 1}},
    {"columns alone", 2, {1, 9, 33}, {0, 0, 70}, {IDENTITY, IDENTITY, ANY}, {1, 1, 4}},
    {"outside", 2, {1, 9, 33}, {1, 12, 40}, {IDENTITY, GAPS, GAPS}, {1, 2, 3}},
    {"outside along D", 2, {5, 4, 9}, {6, 4, 9}, {GAPS, IDENTITY, IDENTITY}},
    {"more rows than are kept", 1, {9, 10, 12}, {2, 2, 20}, {ANY, ANY, ANY}, {9, 10, 3}},
    {"rows longer than a buffer", 1, {1, 2, 9001}, {1, 2, 150}, {IDENTITY, IDENTITY, ANY}, {1, 1, 6}},
    {"more taps than a buffer", 1, {1, 2, 9001}, {1, 3, 12}, {IDENTITY, ANY, WIDE}, {1, 2, 4500}},
    {"twice, longer than a buffer", 1, {1, 1, 5000}, {0}, {IDENTITY, IDENTITY, TWICE}},
};
enum { RANDOM_ROWS = 120 };

static resize_row random_row(table *t) {
    resize_row r = {"random", random_in(t, 1, 3)};
    bool gaps = random_chance(t, 4);
    for (int k = 0; k < 3; k++) {
        r.in[k] = k < 2 && random_chance(t, 2) ? 1 : random_in(t, 1, k == 2 ? 70 : 9);
        r.out[k] = random_in(t, 1, k == 2 ? 150 : 12);
        r.taps[k] = random_in(t, 1, smaller(r.in[k], 6));
        r.mappings[k] = random_chance(t, 3) ? TWICE : random_chance(t, 5) ? IDENTITY : gaps ? GAPS : ANY;
    }
    return r;
}

/// The tables of one axis, for both kernels.
typedef struct axis_tables {
    sdx_resize_axis filter;
    int32_t *first, *count, *nearest;
    float *weights;
} axis_tables;

static axis_tables tables_of(table *t, const resize_row *r, int k) {
    mapping how = r->mappings[k];
    int64_t in = r->in[k], out = how == IDENTITY ? in : how == TWICE ? 2 * in : r->out[k];
    bool linear = how == TWICE && in > 1; // from a single value nothing is interpolated
    int64_t taps = how == IDENTITY ? 1 : linear ? 2 : smaller(larger(r->taps[k], 1), in);
    axis_tables a;
    a.first = input_bytes(t, out, 4);
    a.count = input_bytes(t, out, 4);
    a.nearest = input_bytes(t, out, 4);
    a.weights = input_floats(t, out * taps);
    for (int64_t o = 0; o < out; o++) {
        bool gap = how == GAPS && random_chance(t, 6);
        a.first[o] = (int32_t)random_in(t, 0, in - taps);
        a.count[o] = gap ? 0 : (int32_t)(how == WIDE ? taps : random_in(t, 1, taps));
        a.nearest[o] = gap ? -1 : (int32_t)random_in(t, 0, in - 1);
        if (how == IDENTITY) a.first[o] = a.nearest[o] = (int32_t)o, a.weights[o] = 1;
        if (how == TWICE) a.nearest[o] = (int32_t)(o / 2);
        if (linear) { // half-pixel centres, the border's taps clamped
            int64_t at = o == 0 ? 0 : smaller((o - 1) / 2, in - 2);
            float part = o == 0 ? 0 : o + 1 == out ? 1 : o % 2 ? 0.25f : 0.75f;
            a.first[o] = (int32_t)at;
            a.count[o] = 2;
            a.weights[2 * o] = 1 - part;
            a.weights[2 * o + 1] = part;
        }
    }
    bool counted = how == GAPS || (how == ANY && random_chance(t, 2));
    a.filter = (sdx_resize_axis){in, out, taps, a.first, counted ? a.count : NULL, a.weights};
    return a;
}

static int64_t count_of(const sdx_resize_axis *a, int64_t o) { return a->count ? a->count[o] : a->taps; }

/// `lanes` is 1 for plain tensors, 8 for layout c8.
static void check_separable(table *t, const resize_row *r, const axis_tables tables[3], int lanes) {
    const float outside = -7;
    sdx_resize_axis axes[3] = {tables[0].filter, tables[1].filter, tables[2].filter};
    const int64_t *in = r->in, outs[3] = {axes[0].out, axes[1].out, axes[2].out};
    int64_t outputs = outs[0] * outs[1] * outs[2], size = in[0] * in[1] * in[2];
    int64_t count = r->planes * outputs;
    float *x = input_floats(t, r->planes * size * lanes);
    result y = output(t, count * lanes, 4);
    EACH_POOL(p) {
        if (lanes == 1) sdx_resize_separable_f32(t->pools[p], x, y.of[p], r->planes, axes, outside);
        else sdx_resize_separable_c8_f32(t->pools[p], x, y.of[p], r->planes, axes, outside);
    }
    for (int64_t at = 0; at < count * lanes; at++) {
        int64_t i = at / lanes;
        int64_t o[3] = {i % outputs / outs[2] / outs[1], i / outs[2] % outs[1], i % outs[2]}, n[3];
        for (int k = 0; k < 3; k++) n[k] = count_of(&axes[k], o[k]);
        double sum = 0, sizes = 0;
        for (int64_t a = 0; a < n[0]; a++)
            for (int64_t b = 0; b < n[1]; b++) {
                int64_t row = i / outputs * size +
                              ((axes[0].first[o[0]] + a) * in[1] + axes[1].first[o[1]] + b) * in[2] +
                              axes[2].first[o[2]];
                double weight = (double)axes[0].weights[o[0] * axes[0].taps + a] *
                                axes[1].weights[o[1] * axes[1].taps + b];
                for (int64_t c = 0; c < n[2]; c++) {
                    double term = weight * axes[2].weights[o[2] * axes[2].taps + c] * x[(row + c) * lanes + at % lanes];
                    sum += term;
                    sizes += fabs(term);
                }
            }
        bool has_taps = n[0] && n[1] && n[2];
        double tolerance = (double)(n[0] * n[1] + n[2] + 3) * 0x1p-24 * sizes + 1e-30;
        table_near(t, lanes == 1 ? "filtered" : "filtered in c8", at, ((float *)y.of[0])[at], has_taps ? sum : outside,
                   has_taps ? tolerance : 0);
    }
}

/// `element` bytes; 32 are a pixel in layout c8.
static void check_nearest(table *t, const resize_row *r, const axis_tables tables[3], int element) {
    uint64_t aligned_outside[4] = {0x0807060504030201};
    for (int i = 0; element == 32 && i < 8; i++) memcpy((char *)aligned_outside + 4 * i, &aligned_outside, 4);
    float outside;
    memcpy(&outside, aligned_outside, 4);
    const int32_t *const index[3] = {tables[0].nearest, tables[1].nearest, tables[2].nearest};
    const int64_t *in = r->in, outs[3] = {tables[0].filter.out, tables[1].filter.out, tables[2].filter.out};
    int64_t outputs = outs[0] * outs[1] * outs[2], size = in[0] * in[1] * in[2], count = r->planes * outputs;
    unsigned char *x = input_bytes(t, r->planes * size * (element == 32 ? 8 : 1), element == 32 ? 4 : (size_t)element);
    for (int64_t i = 0; i < r->planes * size * element; i++) x[i] = (unsigned char)random_bits(t);
    result y = output(t, element == 32 ? count * 8 : count, element == 32 ? 4 : (size_t)element);
    EACH_POOL(p) {
        if (element == 32)
            sdx_resize_nearest_c8_f32(t->pools[p], (float *)x, y.of[p], r->planes, in, outs, index, outside);
        else sdx_resize_nearest(t->pools[p], element, x, y.of[p], r->planes, in, outs, index, aligned_outside);
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t d = index[0][i % outputs / outs[2] / outs[1]], h = index[1][i / outs[2] % outs[1]];
        int64_t w = index[2][i % outs[2]];
        const unsigned char *want = (const unsigned char *)aligned_outside;
        if (d >= 0 && h >= 0 && w >= 0) want = x + (((i / outputs * in[0] + d) * in[1] + h) * in[2] + w) * element;
        table_equal_bytes(t, "nearest", (unsigned char *)y.of[0] + i * element, want, (size_t)element);
    }
}

int kernel_table_resize(char *message, size_t size) {
    table t = table_begin(message, size, 15);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        resize_row r = i < COUNT(rows) ? rows[i] : random_row(&t);
        table_row(&t, "%s: planes %lld in %lld·%lld·%lld out %lld·%lld·%lld mappings %d %d %d taps %lld %lld %lld",
                  r.what, (long long)r.planes, (long long)r.in[0], (long long)r.in[1], (long long)r.in[2],
                  (long long)r.out[0], (long long)r.out[1], (long long)r.out[2], r.mappings[0], r.mappings[1],
                  r.mappings[2], (long long)r.taps[0], (long long)r.taps[1], (long long)r.taps[2]);
        axis_tables tables[3];
        for (int k = 0; k < 3; k++) tables[k] = tables_of(&t, &r, k);
        check_separable(&t, &r, tables, 1);
        check_separable(&t, &r, tables, 8);
        check_nearest(&t, &r, tables, 32);
        for (int log = 0; log < 4; log++)
            if (i < COUNT(rows) || (int)(i % 4) == log) check_nearest(&t, &r, tables, 1 << log);
    }
    return table_end(&t);
}
