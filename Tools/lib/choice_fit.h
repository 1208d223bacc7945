#ifndef CHOICE_FIT_H
#define CHOICE_FIT_H
/// Finds the costs of the model that agree best with measured rows, for choice_bench.c.
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "choice_rows.h"

/// A row and its least seconds with 1 and 2 threads by each of `algorithms`; 0 where there are none.
typedef struct {
    row r;
    double time[ALGORITHMS][2];
} measured;

enum { COSTS = sizeof(sdx_conv_costs) / sizeof(double) };

static double soft(double e) { return sqrt(1 + e * e * 100) - 1; }

/// How far the model is from the measurement: mostly the ratios within a row, for clocks and neighbours change between
/// rows.
static double misfit(const measured *rows, int count, const double *logs, const double *first) {
    double values[COSTS], total = 0;
    for (int i = 0; i < COSTS; i++) values[i] = exp(logs[i]);
    sdx_conv_costs c;
    memcpy(&c, values, sizeof c);
    for (int i = 0; i < count; i++) {
        double e[ALGORITHMS], w[ALGORITHMS], mean = 0, weight = 0;
        for (int a = 0; a < ALGORITHMS; a++) {
            w[a] = rows[i].time[a][0] == 0 ? 0 : a == 0 ? 0.3 : 1;
            if (w[a] == 0) continue;
            e[a] = log(sdx_conv_time(&rows[i].r.p, rows[i].r.layout, algorithms[a].algorithm, &c) /
                       (rows[i].time[a][0] * 1e9));
            mean += w[a] * e[a];
            weight += w[a];
        }
        mean /= weight;
        for (int a = 0; a < ALGORITHMS; a++)
            if (w[a] > 0) total += soft((e[a] - mean) * w[a]);
        total += soft(0.25 * mean);
    }
    for (int i = 0; i < COSTS; i++) total += 0.02 * (logs[i] - first[i]) * (logs[i] - first[i]) * sqrt((double)count);
    return total;
}

/// Descends one cost after the other with steps that shrink where nothing is gained.
static void fit(const measured *rows, int count, sdx_conv_costs *costs) {
    double logs[COSTS], first[COSTS], step[COSTS], least;
    memcpy(logs, costs, sizeof *costs);
    for (int i = 0; i < COSTS; i++) {
        first[i] = logs[i] = log(logs[i]);
        step[i] = 0.3;
    }
    least = misfit(rows, count, logs, first);
    // What the rows, which are no tiny ones, hardly show keeps its value.
#define AT(name) (offsetof(sdx_conv_costs, name) / sizeof(double))
    step[AT(start)] = step[AT(wino_start)] = step[AT(plain_start)] = step[AT(reorder)] = 0;
#undef AT
    for (int round = 0; round < 60; round++)
        for (int i = 0; i < COSTS; i++) {
            if (step[i] == 0) continue;
            double was = logs[i];
            bool better = false;
            for (int sign = 1; sign >= -1 && !better; sign -= 2) {
                logs[i] = was + sign * step[i];
                double now = misfit(rows, count, logs, first);
                if (now < least) {
                    least = now;
                    better = true;
                }
            }
            if (!better) logs[i] = was;
            step[i] *= better ? 1.3 : 0.6;
            if (step[i] < 0.01) step[i] = 0.01;
        }
    for (int i = 0; i < COSTS; i++) logs[i] = exp(logs[i]);
    memcpy(costs, logs, sizeof *costs);
    fprintf(stderr, "misfit %.4f a row\n", least / count);
}

static void print_costs(const sdx_conv_costs *c) {
#define COST(name) printf("        ." #name " = %.3g,\n", c->name);
    COST(multiply_add) COST(tile) COST(alone_8) COST(panel_8) COST(alone_16) COST(panel_16) COST(panel_24) COST(copy)
    COST(copy_plain) COST(result) COST(result_plain) COST(weight) COST(far_weight) COST(start) COST(product)
    COST(product_tile) COST(product_least) COST(product_half) COST(transform_in) COST(transform_deep) COST(transform_out) COST(shared)
    COST(far_shared) COST(read) COST(far_read) COST(wino_weight) COST(wino_start) COST(plain_multiply_add)
    COST(plain_tile) COST(gather) COST(gather_short) COST(gather_strided) COST(plain_result) COST(plain_weight) COST(plain_start) COST(reorder)
#undef COST
}
#endif
