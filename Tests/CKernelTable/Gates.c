/// Gates of recurrent layers.
#include "Table.h"

typedef struct gates_row {
    const char *what;
    int64_t batch, hidden;
    int64_t gap; // floats between rows of the gates
    bool recurrent, peephole, input_forget;
    float clip;
} gates_row;

static const gates_row rows[] = {
    {"no batch", 0, 5, 0, true},
    {"nothing hidden", 3, 0, 2, true},
    {"one", 1, 1, 0, true},
    {"one less than a vector", 2, 15, 1, true},
    {"one more than a vector", 2, 17, 0, false, true},
    {"whole vectors", 3, 32, 0, true, true},
    {"a clip", 2, 40, 3, true, false, false, 0.8f},
    {"coupled gates", 2, 33, 0, true, true, true},
    {"coupled gates without recurrence", 2, 9, 0, false, false, true, 0.5f},
    {"several chunks", 40, 300, 5, true, true},
};
enum { RANDOM_ROWS = 60 };

static gates_row random_row(table *t) {
    return (gates_row){"random", random_in(t, 1, 9), random_in(t, 1, 70), random_in(t, 0, 5), random_chance(t, 2),
                       random_chance(t, 2), random_chance(t, 2), random_chance(t, 2) ? 0.8f : 0};
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double clip(double x, double limit) { return limit > 0 ? fmax(-limit, fmin(limit, x)) : x; }

// A few ULP of values below 1, and of their products with the cell.
static const double tolerance = 2e-6;

static void check_lstm(table *t, const gates_row *r) {
    int64_t h = r->hidden, row = 4 * h + r->gap, state = r->batch * h;
    float *gates = input_floats(t, r->batch * row), *recurrent = r->recurrent ? input_floats(t, r->batch * row) : NULL;
    float *peephole = r->peephole ? input_floats(t, 3 * h) : NULL, *before = input_floats(t, state);
    result cell = output(t, state, 4), hidden = output(t, state, 4);
    EACH_POOL(p) {
        sdx_lstm_gates_f32(t->pools[p], gates, row, recurrent, row, peephole, before, cell.of[p], hidden.of[p],
                           r->batch, h, r->clip, r->input_forget);
    }
    float *both = copy_of(t, before, state, 4), *again = copy_of(t, before, state, 4);
    sdx_lstm_gates_f32(
        t->pools[2], gates, row, recurrent, row, peephole, both, both, again, r->batch, h, r->clip, r->input_forget);
    table_equal_bytes(t, "cell in place", both, cell.of[0], (size_t)state * 4);
    table_equal_bytes(t, "hidden with the cell in place", again, hidden.of[0], (size_t)state * 4);
    for (int64_t i = 0; i < state; i++) {
        int64_t b = i / h, k = i % h;
        double g[4]; // input, output, forget, cell
        for (int q = 0; q < 4; q++) {
            int64_t at = b * row + q * h + k;
            g[q] = gates[at] + (recurrent ? recurrent[at] : 0.0);
        }
        double c = before[i];
        if (peephole) {
            g[0] += peephole[k] * c;
            g[2] += peephole[2 * h + k] * c;
        }
        double in = sigmoid(clip(g[0], r->clip)), keep = r->input_forget ? 1 - in : sigmoid(clip(g[2], r->clip));
        c = keep * c + in * tanh(clip(g[3], r->clip));
        if (peephole) g[1] += peephole[h + k] * c;
        double y = sigmoid(clip(g[1], r->clip)) * tanh(c); // the cell itself is not clipped
        table_near(t, "LSTM cell", i, ((float *)cell.of[0])[i], c, tolerance);
        table_near(t, "LSTM hidden", i, ((float *)hidden.of[0])[i], y, tolerance);
    }
}

static void check_gru(table *t, const gates_row *r) {
    int64_t h = r->hidden, row = 3 * h + r->gap, two = 2 * h + r->gap, one = h + r->gap, state = r->batch * h;
    float *x = input_floats(t, r->batch * row), *before = input_floats(t, state);
    float *recurrent = input_floats(t, r->batch * row), *recurrent_two = input_floats(t, r->batch * two);
    float *recurrent_one = input_floats(t, r->batch * one);
    result linear = output(t, state, 4), update = output(t, state, 4), reset = output(t, state, 4);
    result y = output(t, state, 4);
    EACH_POOL(p) {
        sdx_gru_gates_f32(t->pools[p], x, row, recurrent, row, before, linear.of[p], r->batch, h, r->clip);
        sdx_gru_reset_f32(
            t->pools[p], x, row, recurrent_two, two, before, update.of[p], reset.of[p], r->batch, h, r->clip);
        sdx_gru_output_f32(
            t->pools[p], x, row, recurrent_one, one, update.of[p], before, y.of[p], r->batch, h, r->clip);
    }
    float *both = copy_of(t, before, state, 4);
    sdx_gru_gates_f32(t->pools[2], x, row, recurrent, row, both, both, r->batch, h, r->clip);
    table_equal_bytes(t, "GRU in place", both, linear.of[0], (size_t)state * 4);
    const double limit = r->clip;
    for (int64_t i = 0; i < state; i++) {
        int64_t b = i / h, k = i % h;
        const float *xs = x + b * row + k, *rs = recurrent + b * row + k, *two_s = recurrent_two + b * two + k;
        double z = sigmoid(clip((double)xs[0] + rs[0], limit)), q = sigmoid(clip((double)xs[h] + rs[h], limit));
        double n = tanh(clip(xs[2 * h] + q * rs[2 * h], limit));
        table_near(t, "GRU", i, ((float *)linear.of[0])[i], (1 - z) * n + z * before[i], tolerance);
        z = sigmoid(clip((double)xs[0] + two_s[0], limit));
        q = sigmoid(clip((double)xs[h] + two_s[h], limit)) * before[i];
        table_near(t, "GRU update", i, ((float *)update.of[0])[i], z, tolerance);
        table_near(t, "GRU reset", i, ((float *)reset.of[0])[i], q, tolerance);
        n = tanh(clip((double)xs[2 * h] + recurrent_one[b * one + k], limit));
        table_near(t, "GRU output", i, ((float *)y.of[0])[i], (1 - z) * n + z * before[i], tolerance);
    }
}

int kernel_table_gates(char *message, size_t size) {
    table t = table_begin(message, size, 9);
    for (size_t i = 0; i < COUNT(rows) + RANDOM_ROWS; i++) {
        gates_row row = i < COUNT(rows) ? rows[i] : random_row(&t);
        table_row(&t, "%s: batch %lld hidden %lld gap %lld recurrent %d peephole %d coupled %d clip %g", row.what,
                  (long long)row.batch, (long long)row.hidden, (long long)row.gap, row.recurrent, row.peephole,
                  row.input_forget, row.clip);
        check_lstm(&t, &row);
        check_gru(&t, &row);
    }
    return table_end(&t);
}
