/// Attention by blocks of queries, against sums in double.
#include "Table.h"

/// How an addend lies over [batch, queries, keys].
typedef enum { NOTHING, EVERYWHERE, SHARED, BY_KEY, BY_QUERY, MASK } addend;

typedef struct attention_row {
    const char *what;
    int64_t batch, queries, keys, depth, width;
    int keys_are_columns;
    addend addends[2];
} attention_row;

static const attention_row rows[] = {
    {"nothing", 0, 5, 5, 4, 4},
    {"no queries", 2, 0, 5, 4, 4},
    {"no keys give zeros", 2, 3, 0, 4, 4},
    {"no depth weighs all keys alike", 2, 3, 5, 0, 4},
    {"no width", 2, 3, 5, 4, 0},
    {"one", 1, 1, 1, 1, 1},
    {"a window of Swin's", 3, 343, 343, 8, 8, 1, {SHARED, MASK}},
    {"rows of ViT's", 2, 197, 197, 64, 64, 0},
    {"keys in columns", 3, 20, 33, 5, 7, 1, {EVERYWHERE}},
    {"an addend of each kind", 2, 19, 21, 3, 9, 0, {BY_QUERY, BY_KEY}},
    {"only the later addend", 2, 9, 21, 3, 9, 0, {NOTHING, EVERYWHERE}},
    {"more keys than a block holds for many queries", 1, 70, 5000, 4, 3, 0, {BY_KEY}},
    {"a last block that is smaller", 2, 97, 1000, 16, 8, 1, {MASK}},
};
enum { RANDOM_ROWS = 40 };

static attention_row random_row(table *t) {
    attention_row r = {"random", random_in(t, 1, 4), random_in(t, 1, 150), random_in(t, 1, 300), random_in(t, 1, 40)};
    r.width = random_in(t, 1, 40);
    r.keys_are_columns = random_chance(t, 2);
    for (int i = 0; i < 2; i++) r.addends[i] = (addend)random_in(t, NOTHING, MASK);
    return r;
}

static sdx_attention_addend make_addend(table *t, const attention_row *r, addend kind) {
    sdx_attention_addend a = {0};
    if (kind == NOTHING) return a;
    a.row_stride = kind == BY_KEY ? 0 : kind == BY_QUERY ? 1 : r->keys;
    a.key_stride = kind != BY_QUERY;
    int64_t each = (kind == BY_KEY ? 1 : r->queries) * (kind == BY_QUERY ? 1 : r->keys);
    bool is_shared = kind == SHARED || kind == BY_KEY;
    int64_t *offsets = input_bytes(t, r->batch, sizeof *offsets);
    for (int64_t b = 0; b < r->batch; b++) offsets[b] = is_shared ? 0 : (r->batch - 1 - b) * each;
    int64_t count = each * (is_shared && r->batch ? 1 : r->batch);
    float *values = input_floats(t, count);
    for (int64_t i = 0; i < count && kind == MASK; i++) values[i] = random_chance(t, 3) ? -100 : 0;
    a.values = values;
    a.offsets = offsets;
    return a;
}

static double addend_at(sdx_attention_addend a, int64_t b, int64_t query, int64_t key) {
    return a.values ? (double)a.values[a.offsets[b] + query * a.row_stride + key * a.key_stride] : 0;
}

static void check(table *t, const attention_row *r) {
    table_row(t, "%s: batch %lld queries %lld keys %lld depth %lld width %lld columns %d addends %d %d", r->what,
              (long long)r->batch, (long long)r->queries, (long long)r->keys, (long long)r->depth,
              (long long)r->width, r->keys_are_columns, r->addends[0], r->addends[1]);
    sdx_attention p = {
        .batch = r->batch, .queries = r->queries, .keys = r->keys, .depth = r->depth, .width = r->width,
        .keys_are_columns = r->keys_are_columns, .scale = 0.5f,
        .q = input_floats(t, r->batch * r->queries * r->depth), .k = input_floats(t, r->batch * r->keys * r->depth),
        .v = input_floats(t, r->batch * r->keys * r->width),
    };
    for (int i = 0; i < 2; i++) p.addends[i] = make_addend(t, r, r->addends[i]);
    int64_t count = r->batch * r->queries * r->width;
    result y = output(t, count, sizeof(float));
    EACH_POOL(i) {
        p.y = y.of[i];
        void *scratch = workspace(t, sdx_attention_f32_workspace_bytes(&p, pool_threads[i]));
        sdx_attention_f32_run(t->pools[i], &p, scratch);
    }
    double *scores = zeros(t, r->keys);
    for (int64_t at = 0; at < r->batch * r->queries; at++) {
        int64_t b = at / r->queries, query = at % r->queries;
        double most = -INFINITY, sum = 0, slack = 0;
        for (int64_t key = 0; key < r->keys; key++) {
            double s = 0, size = 0;
            for (int64_t d = 0; d < r->depth; d++) {
                int64_t in_k = r->keys_are_columns ? (b * r->depth + d) * r->keys + key
                                                   : (b * r->keys + key) * r->depth + d;
                double term = (double)p.q[at * r->depth + d] * (double)p.k[in_k] * (double)p.scale;
                s += term;
                size += fabs(term);
            }
            for (int i = 0; i < 2; i++) {
                s += addend_at(p.addends[i], b, query, key);
                size += fabs(addend_at(p.addends[i], b, query, key));
            }
            scores[key] = s;
            most = fmax(most, s);
            slack = fmax(slack, size * (double)(r->depth + 6));
        }
        for (int64_t key = 0; key < r->keys; key++) {
            slack = fmax(slack, scores[key] > most - 30 ? most - scores[key] : 0);
            sum += scores[key] = exp(scores[key] - most);
        }
        for (int64_t i = 0; i < r->width; i++) {
            double want = 0, size = 0;
            for (int64_t key = 0; key < r->keys; key++) {
                double term = scores[key] / sum * (double)p.v[(b * r->keys + key) * r->width + i];
                want += term;
                size += fabs(term);
            }
            table_near(t, "y", at * r->width + i, (double)((float *)y.of[0])[at * r->width + i], want,
                       size * (2 * slack + (double)r->keys + 16) * 0x1p-24);
        }
    }
}

int kernel_table_attention(char *message, size_t size) {
    table t = table_begin(message, size, 41);
    for (size_t i = 0; i < COUNT(rows); i++) check(&t, &rows[i]);
    for (int i = 0; i < RANDOM_ROWS; i++) {
        attention_row row = random_row(&t);
        check(&t, &row);
    }
    return table_end(&t);
}
