/// Pointwise parts of recurrent layers: LSTM and GRU gates.
#include <math.h>

#include "../include/sdx_elementwise.h"
#define SDX_SELF "../Elementwise/Gates.c"
#include "../Isa/EachIsa.h"


#if SDX_ISA_PASS
#include "VectorMath.h"

#ifndef SDX_GATE_ROW
#define SDX_GATE_ROW
/// One batch row. `x` and `r` are rows of gates (r may be NULL), `state` the former c (LSTM) or h (GRU).
typedef struct {
    const float *x, *r, *peephole, *state, *z;
    float *out0, *out1;
    int64_t hidden;
    float clip;
    int input_forget;
} gate_row;
#endif

// The part of a vector that is left uses masked loads and stores: n lanes, SDX_V of them in the body.
#define LOAD(p) (m == SDX_V ? vload((p) + i) : vload_first((p) + i, m))
#define STORE(p, v) (m == SDX_V ? vstore((p) + i, v) : vstore_first((p) + i, m, v))
#define CLIP(v) vmin(limit, vmax(-limit, v))

static void SDX_FN(lstm_row)(const gate_row *g) {
    const int64_t h = g->hidden;
    const vf limit = vsplat(g->clip > 0 ? g->clip : INFINITY);
    for (int64_t i = 0; i < h; i += SDX_V) {
        int64_t m = h - i < SDX_V ? h - i : SDX_V;
        vf gi = LOAD(g->x), go = LOAD(g->x + h), gf = LOAD(g->x + 2 * h), gc = LOAD(g->x + 3 * h), c = LOAD(g->state);
        if (g->r) {
            gi += LOAD(g->r);
            go += LOAD(g->r + h);
            gf += LOAD(g->r + 2 * h);
            gc += LOAD(g->r + 3 * h);
        }
        if (g->peephole) {
            gi = vfma(LOAD(g->peephole), c, gi);
            gf = vfma(LOAD(g->peephole + 2 * h), c, gf);
        }
        vf in = vsigmoid(CLIP(gi));
        vf forget = g->input_forget ? 1.0f - in : vsigmoid(CLIP(gf));
        c = vfma(forget, c, in * vtanh(CLIP(gc)));
        if (g->peephole) go = vfma(LOAD(g->peephole + h), c, go);
        STORE(g->out0, c);
        STORE(g->out1, vsigmoid(CLIP(go)) * vtanh(c));
    }
}

static void SDX_FN(gru_row)(const gate_row *g) {
    const int64_t h = g->hidden;
    const vf limit = vsplat(g->clip > 0 ? g->clip : INFINITY);
    for (int64_t i = 0; i < h; i += SDX_V) {
        int64_t m = h - i < SDX_V ? h - i : SDX_V;
        vf z = vsigmoid(CLIP(LOAD(g->x) + LOAD(g->r)));
        vf r = vsigmoid(CLIP(LOAD(g->x + h) + LOAD(g->r + h)));
        vf n = vtanh(CLIP(vfma(r, LOAD(g->r + 2 * h), LOAD(g->x + 2 * h))));
        STORE(g->out0, vfma(z, LOAD(g->state), (1.0f - z) * n));
    }
}

static void SDX_FN(gru_reset_row)(const gate_row *g) {
    const int64_t h = g->hidden;
    const vf limit = vsplat(g->clip > 0 ? g->clip : INFINITY);
    for (int64_t i = 0; i < h; i += SDX_V) {
        int64_t m = h - i < SDX_V ? h - i : SDX_V;
        vf z = vsigmoid(CLIP(LOAD(g->x) + LOAD(g->r)));
        vf r = vsigmoid(CLIP(LOAD(g->x + h) + LOAD(g->r + h)));
        STORE(g->out0, z);
        STORE(g->out1, r * LOAD(g->state));
    }
}

static void SDX_FN(gru_output_row)(const gate_row *g) {
    const int64_t h = g->hidden;
    const vf limit = vsplat(g->clip > 0 ? g->clip : INFINITY);
    for (int64_t i = 0; i < h; i += SDX_V) {
        int64_t m = h - i < SDX_V ? h - i : SDX_V;
        vf n = vtanh(CLIP(LOAD(g->x + 2 * h) + LOAD(g->r)));
        vf z = LOAD(g->z);
        STORE(g->out0, vfma(z, LOAD(g->state), (1.0f - z) * n));
    }
}
#undef LOAD
#undef STORE
#undef CLIP

#else

SDX_TABLE(lstm_row, (const gate_row *))
SDX_TABLE(gru_row, (const gate_row *))
SDX_TABLE(gru_reset_row, (const gate_row *))
SDX_TABLE(gru_output_row, (const gate_row *))

typedef struct {
    gate_row first; // of batch row 0
    int64_t x_stride, r_stride, batch, rows;
    void (*row)(const gate_row *);
} gate_job;

static void gate_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const gate_job *j = ctx;
    int64_t end = (chunk + 1) * j->rows < j->batch ? (chunk + 1) * j->rows : j->batch;
    for (int64_t b = chunk * j->rows; b < end; b++) {
        gate_row g = j->first;
        int64_t at = b * g.hidden;
        g.x += b * j->x_stride;
        g.state += at;
        g.out0 += at;
        if (g.r) g.r += b * j->r_stride;
        if (g.z) g.z += at;
        if (g.out1) g.out1 += at;
        j->row(&g);
    }
}

static void run_gates(sdx_pool *pool, gate_job *job) {
    if (job->batch <= 0 || job->first.hidden <= 0) return;
    job->rows = 2048 / job->first.hidden + 1;
    sdx_parallel_for(pool, (job->batch + job->rows - 1) / job->rows, gate_chunk, job);
}

void sdx_lstm_gates_f32(
    sdx_pool *pool, const float *gates, int64_t gates_stride, const float *recurrent, int64_t recurrent_stride,
    const float *peephole, const float *c_prev, float *c, float *h, int64_t batch, int64_t hidden, float clip,
    int input_forget) {
    gate_row row = {gates, recurrent, peephole, c_prev, NULL, c, h, hidden, clip, input_forget};
    gate_job job = {row, gates_stride, recurrent_stride, batch, 0, SDX_CALL(lstm_row)};
    run_gates(pool, &job);
}

void sdx_gru_gates_f32(
    sdx_pool *pool, const float *x, int64_t x_stride, const float *recurrent, int64_t recurrent_stride,
    const float *h_prev, float *h, int64_t batch, int64_t hidden, float clip) {
    gate_row row = {x, recurrent, NULL, h_prev, NULL, h, NULL, hidden, clip, 0};
    gate_job job = {row, x_stride, recurrent_stride, batch, 0, SDX_CALL(gru_row)};
    run_gates(pool, &job);
}

void sdx_gru_reset_f32(
    sdx_pool *pool, const float *x, int64_t x_stride, const float *recurrent, int64_t recurrent_stride,
    const float *h_prev, float *z, float *reset, int64_t batch, int64_t hidden, float clip) {
    gate_row row = {x, recurrent, NULL, h_prev, NULL, z, reset, hidden, clip, 0};
    gate_job job = {row, x_stride, recurrent_stride, batch, 0, SDX_CALL(gru_reset_row)};
    run_gates(pool, &job);
}

void sdx_gru_output_f32(
    sdx_pool *pool, const float *x, int64_t x_stride, const float *recurrent, int64_t recurrent_stride,
    const float *z, const float *h_prev, float *h, int64_t batch, int64_t hidden, float clip) {
    gate_row row = {x, recurrent, NULL, h_prev, z, h, NULL, hidden, clip, 0};
    gate_job job = {row, x_stride, recurrent_stride, batch, 0, SDX_CALL(gru_output_row)};
    run_gates(pool, &job);
}
#endif
