/// Measures every algorithm that can compute a convolution, for random convolutions of the kinds that imaging networks
/// have: how far the choice is from the best, and what costs its model should have; see Tools/kernels.
#define _GNU_SOURCE
#include <math.h>

#include "bench_support.h"
#include "choice_fit.h"

enum { MOST_ROWS = 1000 };

typedef struct {
    const float *x, *w, *bias;
    float *y;
    copies weights; // of no bytes where the algorithm does not support the row
    void *space;
    double time[2]; // least seconds so far with 1 and 2 threads
} candidate;

static size_t cold_bytes = (size_t)64 << 20; // of copies of the weights, of which each run takes another

static void prepare(const row *r, sdx_conv_algorithm a, candidate *c) {
    const sdx_conv_params *p = &r->p;
    sdx_winograd_form form = (sdx_winograd_form)a; // where it is one
    size_t bytes = a == SDX_CONV_BY_PLAIN           ? sdx_conv_f32_packed_bytes(p)
                   : a == SDX_CONV_BY_BLOCKS        ? sdx_conv_c8_f32_packed_bytes(p, r->layout)
                   : a == SDX_CONV_BY_WINOGRAD_ROWS ? sdx_winograd_rows_f32_packed_bytes(p)
                                                    : sdx_winograd_c8_f32_packed_bytes(p, form);
    size_t space = a == SDX_CONV_BY_PLAIN           ? sdx_conv_f32_workspace_bytes(p, 2)
                   : a == SDX_CONV_BY_BLOCKS        ? sdx_conv_c8_f32_workspace_bytes(p, r->layout, 2)
                   : a == SDX_CONV_BY_WINOGRAD_ROWS ? sdx_winograd_rows_f32_workspace_bytes(p, 2)
                                                    : sdx_winograd_c8_f32_workspace_bytes(p, form, 2);
    float *packed = memory(bytes);
    if (a == SDX_CONV_BY_PLAIN) sdx_conv_f32_pack(p, c->w, packed);
    else if (a == SDX_CONV_BY_BLOCKS) sdx_conv_c8_f32_pack(p, r->layout, c->w, packed);
    else if (a == SDX_CONV_BY_WINOGRAD_ROWS) sdx_winograd_rows_f32_pack(p, c->w, packed);
    else sdx_winograd_c8_f32_pack(p, form, c->w, packed);
    c->weights = make_copies(packed, bytes, cold_bytes);
    free(packed);
    c->space = memory(space);
}

static void run(const row *r, sdx_conv_algorithm a, candidate *c, sdx_pool *pool) {
    const sdx_conv_params *p = &r->p;
    const float *w = next_copy(&c->weights);
    if (a == SDX_CONV_BY_PLAIN) sdx_conv_f32_run(pool, p, c->x, w, c->bias, NULL, c->y, c->space);
    else if (a == SDX_CONV_BY_BLOCKS)
        sdx_conv_c8_f32_run(pool, p, r->layout, c->x, w, c->bias, NULL, c->y, c->space);
    else if (a == SDX_CONV_BY_WINOGRAD_ROWS)
        sdx_winograd_rows_f32_run(pool, p, c->x, w, c->bias, NULL, c->y, c->space);
    else sdx_winograd_c8_f32_run(pool, p, (sdx_winograd_form)a, c->x, w, c->bias, NULL, c->y, c->space);
}

static double seconds = 0.02; // of each measurement of a round
static int most_threads = 2, most_rounds = 10;
static sdx_pool *pools[2];

/// Runs all candidates in turns, each for `seconds` in all with each number of threads. Returns whether a least time
/// became less by more than a hundredth.
static bool turns(const row *r, candidate *candidates) {
    enum { TURNS = 5, LEAST_RUNS = 3 };
    double before[ALGORITHMS][2];
    bool improved = false;
    for (int a = 0; a < ALGORITHMS; a++) memcpy(before[a], candidates[a].time, sizeof before[a]);
    for (int turn = 0; turn < TURNS; turn++)
        for (int a = 0; a < ALGORITHMS; a++)
            for (int threads = 0; threads < most_threads && candidates[a].weights.base; threads++) {
                double *least = &candidates[a].time[threads];
                run(r, algorithms[a].algorithm, &candidates[a], pools[threads]);
                double begin = now(), start = begin;
                for (int runs = 0; runs < LEAST_RUNS || start - begin < seconds / TURNS; runs++) {
                    run(r, algorithms[a].algorithm, &candidates[a], pools[threads]);
                    double end = now();
                    if (end - start < *least) *least = end - start;
                    start = end;
                }
                improved |= *least < 0.99 * before[a][threads];
            }
    return improved;
}

/// Measures a row by every algorithm that can compute it.
static measured measure(const row *r) {
    const sdx_conv_params *p = &r->p;
    int64_t inputs = p->n * p->c * p->in[0] * p->in[1] * p->in[2];
    int64_t outputs = p->n * p->k * p->out[0] * p->out[1] * p->out[2];
    float *x = random_floats(inputs), *y = random_floats(outputs), *bias = random_floats(p->k);
    float *w = random_floats(p->k * (p->c / p->groups) * p->kernel[0] * p->kernel[1] * p->kernel[2]);
    candidate candidates[ALGORITHMS];
    for (int a = 0; a < ALGORITHMS; a++) {
        candidates[a] = (candidate){.x = x, .w = w, .bias = bias, .y = y, .time = {1e9, 1e9}};
        if (sdx_conv_algorithm_supported(p, r->layout, algorithms[a].algorithm))
            prepare(r, algorithms[a].algorithm, &candidates[a]);
    }
    // Neighbours' work looks like a bad choice: measured until nothing gets faster.
    turns(r, candidates);
    for (int round = 1; round < most_rounds && turns(r, candidates);) round++;
    measured m = {*r, {{0}}};
    for (int a = 0; a < ALGORITHMS; a++) {
        if (candidates[a].weights.base) memcpy(m.time[a], candidates[a].time, sizeof m.time[a]);
        free(candidates[a].weights.base);
        free(candidates[a].space);
    }
    free(x);
    free(y);
    free(w);
    free(bias);
    return m;
}

static int fastest(const measured *m, int threads) {
    int best = -1;
    for (int a = 0; a < ALGORITHMS; a++)
        if (m->time[a][threads] > 0 && (best < 0 || m->time[a][threads] < m->time[best][threads])) best = a;
    return best;
}

static const char *name_of(sdx_conv_algorithm algorithm) {
    int a = 0;
    while (algorithms[a].algorithm != algorithm) a++;
    return algorithms[a].name;
}

/// The mean and the worst of what a choice costs, and how many cost more than 1.15 and 1.5 times the best.
typedef struct {
    double sum, worst;
    int rows, slow, bad;
} summary;

static void add(summary *s, double ratio) {
    s->sum += ratio;
    s->rows++;
    if (ratio > s->worst) s->worst = ratio;
    s->slow += ratio > 1.15;
    s->bad += ratio > 1.5;
}

static void print_row(const measured *m, const sdx_conv_costs *costs, summary all[2], summary without_memory[2]) {
    const sdx_conv_params *p = &m->r.p;
    sdx_conv_choice_reasons choice = sdx_conv_choose(p, m->r.layout, costs);
    char shape[200];
    snprintf(shape, sizeof shape, "%ldx%ldx%ld", (long)p->in[0], (long)p->in[1], (long)p->in[2]);
    printf("%-14s %ld %4ld>%-4ld", m->r.what, (long)p->n, (long)p->c, (long)p->k);
    if (p->groups > 1) printf("/%-3ld", (long)p->groups);
    else printf("    ");
    printf(" %-10s k%ld%ld%ld s%ld%ld%ld d%-2ld", shape, (long)p->kernel[0], (long)p->kernel[1], (long)p->kernel[2],
           (long)p->stride[0], (long)p->stride[1], (long)p->stride[2], (long)p->dilation[2]);
    printf(" %-7s%-9s", name_of(choice.chosen), choice.chosen == choice.fastest ? "" : " (memory)");
    for (int threads = 0; threads < most_threads; threads++) {
        double best = m->time[fastest(m, threads)][threads];
        for (int a = 0; a < ALGORITHMS; a++) {
            double ratio = m->time[a][threads] / best;
            if (algorithms[a].algorithm == choice.fastest) add(&without_memory[threads], ratio);
            if (algorithms[a].algorithm != choice.chosen) continue;
            add(&all[threads], ratio);
            printf("  best %-7s %4.2f", algorithms[fastest(m, threads)].name, ratio);
        }
    }
    for (int threads = 0; threads < most_threads; threads++) {
        printf(" |");
        for (int a = 0; a < ALGORITHMS; a++) {
            if (m->time[a][threads] > 0) printf(" %7.3f", m->time[a][threads] * 1e3);
            else printf(" %7s", "-");
        }
    }
    printf(" |");
    for (int a = 0; a < ALGORITHMS; a++) {
        double time = sdx_conv_time(p, m->r.layout, algorithms[a].algorithm, costs);
        if (isfinite(time)) printf(" %7.3f", time * 1e-6);
        else printf(" %7s", "-");
    }
    printf("\n");
    fflush(stdout);
}

static void print_summary(const char *what, const summary *s) {
    printf("%-40s %.3f x the best on average, %.2f x at worst; %d of %d above 1.15, %d above 1.5\n", what,
           s->sum / s->rows, s->worst, s->slow, s->rows, s->bad);
}

int main(int count, char **arguments) {
    int64_t seed = 7, rows = 200;
    bool calibrates = false;
    for (int i = 1; i < count; i++) {
        const char *option = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        if (strcmp(option, "--calibrate") == 0) {
            calibrates = true;
            seed = 2; // not the rows that the choice is judged by
            most_threads = 1;
            continue;
        }
        if (strcmp(option, "--seed") == 0) {
            seed = atoll(value);
        } else if (strcmp(option, "--rows") == 0) {
            rows = atoll(value);
        } else if (strcmp(option, "--rounds") == 0) {
            most_rounds = atoi(value);
        } else if (strcmp(option, "--threads") == 0) {
            most_threads = atoi(value) == 1 ? 1 : 2;
        } else if (strcmp(option, "--seconds") == 0) {
            seconds = atof(value);
        } else if (strcmp(option, "--cold") == 0) {
            cold_bytes = (size_t)atol(value) << 20;
        } else if (strcmp(option, "--isa") == 0) {
            if (!set_isa(value)) return 2;
        } else {
            fprintf(stderr, "kernels: unknown option %s\n", option);
            return 2;
        }
        i++;
    }
    if (rows < 1 || rows > MOST_ROWS) {
        fprintf(stderr, "kernels: --rows is from 1 to %d\n", MOST_ROWS);
        return 2;
    }
    state = (uint64_t)seed * 0x9E3779B97F4A7C15u;
    sdx_flush_denormals_begin();
    for (int i = 0; i < 2; i++) pools[i] = sdx_pool_create(i + 1);
    sdx_conv_costs costs = *sdx_conv_costs_of(sdx_isa_current());
    summary all[2] = {{0}}, without_memory[2] = {{0}};
    static measured found[MOST_ROWS];
    printf("%s, second cache %.0f KB. Milliseconds with 1 | 2 threads | as estimated, each by plain, blocks, F2, F2 deep, "
           "F4, F4 deep, along rows\n",
           sdx_isa_name(sdx_isa_current()), (double)sdx_second_cache_bytes() / 1024);
    for (int64_t i = 0; i < rows; i++) {
        row r = random_row();
        found[i] = measure(&r);
        print_row(&found[i], &costs, all, without_memory);
    }
    for (int threads = 0; threads < most_threads; threads++) {
        print_summary(threads ? "2 threads" : "1 thread", &all[threads]);
        print_summary(threads ? "2 threads, were memory free" : "1 thread, were memory free", &without_memory[threads]);
    }
    if (!calibrates) return 0;
    fit(found, (int)rows, &costs);
    printf("\n[SDX_ISA_%s] = {\n", sdx_isa_current() == SDX_ISA_AVX512 ? "AVX512"
                                   : sdx_isa_current() == SDX_ISA_AVX2 ? "AVX2"
                                   : sdx_isa_current() == SDX_ISA_NEON ? "NEON"
                                                                       : "BASELINE");
    print_costs(&costs);
    printf("},\n");
    return 0;
}
