#define _GNU_SOURCE
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "sdx_conv_choice.h"
#include "CostModel.h"

static const sdx_conv_costs costs[SDX_ISA_COUNT] = {
#include "Costs.h"
};

const sdx_conv_algorithm sdx_conv_algorithms[SDX_CONV_ALGORITHMS] = {
    SDX_CONV_BY_BLOCKS,     SDX_CONV_BY_PLAIN,           SDX_CONV_BY_WINOGRAD_2, SDX_CONV_BY_WINOGRAD_2_DEEP,
    SDX_CONV_BY_WINOGRAD_4, SDX_CONV_BY_WINOGRAD_4_DEEP, SDX_CONV_BY_WINOGRAD_ROWS,
};

const sdx_conv_costs *sdx_conv_costs_of(sdx_isa isa) { return &costs[isa]; }

/// What the system says, or 0. Of the first CPU: where CPUs differ, the C library may ask the one that it runs on.
static int64_t second_cache(void) {
    const char *text = getenv("SARDONYX_L2_BYTES");
    if (text) return atoll(text);
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cache/index2/size", "re");
    if (file) {
        long amount = 0;
        char unit = 0;
        if (fscanf(file, "%ld%c", &amount, &unit) < 1 || amount < 0 || amount > 1 << 20) amount = 0;
        fclose(file);
        if (amount > 0) return (int64_t)amount * (unit == 'K' ? 1 << 10 : unit == 'M' ? 1 << 20 : 1);
    }
#ifdef _SC_LEVEL2_CACHE_SIZE
    return sysconf(_SC_LEVEL2_CACHE_SIZE);
#else
    return 0;
#endif
}

int64_t sdx_second_cache_bytes(void) {
    static _Atomic int64_t known;
    int64_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
    if (bytes) return bytes;
    bytes = second_cache();
    if (bytes <= 0) bytes = 1 << 20;
    if (bytes < 128 << 10) bytes = 128 << 10;
    if (bytes > 4 << 20) bytes = 4 << 20;
    atomic_store_explicit(&known, bytes, memory_order_relaxed); // threads that race write the same
    return bytes;
}

int sdx_conv_algorithm_supported(const sdx_conv_params *p, sdx_conv_layout layout, sdx_conv_algorithm algorithm) {
    switch (algorithm) {
    case SDX_CONV_BY_PLAIN: return sdx_conv_params_valid(p) && !repeats_pixels(p);
    case SDX_CONV_BY_BLOCKS: return sdx_conv_c8_f32_supported(p, layout);
    case SDX_CONV_BY_WINOGRAD_ROWS: return layout == SDX_CONV_PLAIN_TO_C8 && sdx_winograd_rows_f32_supported(p);
    default: return layout == SDX_CONV_C8_TO_C8 && sdx_winograd_c8_f32_supported(p, (sdx_winograd_form)algorithm);
    }
}

double sdx_conv_time(
    const sdx_conv_params *p, sdx_conv_layout layout, sdx_conv_algorithm algorithm, const sdx_conv_costs *c) {
    if (!sdx_conv_algorithm_supported(p, layout, algorithm)) return INFINITY;
    cost_tiles tiles = cost_tiles_of(sdx_isa_current());
    double cache = (double)sdx_second_cache_bytes();
    switch (algorithm) {
    case SDX_CONV_BY_PLAIN: return cost_of_plain(p, c, tiles, cache);
    case SDX_CONV_BY_BLOCKS: return cost_in_blocks(p, layout, c, tiles, cache);
    case SDX_CONV_BY_WINOGRAD_ROWS: return cost_of_winograd_rows(p, c, tiles, cache);
    default: return cost_of_winograd(p, (sdx_winograd_form)algorithm, c, tiles, cache);
    }
}

double sdx_conv_weight_bytes(const sdx_conv_params *p, sdx_conv_algorithm algorithm) {
    double weights = 4 * (double)(p->c / p->groups) * (double)p->k;
    if (algorithm < SDX_CONV_BY_WINOGRAD_2) return weights * cost_volume(p->kernel);
    if (algorithm == SDX_CONV_BY_WINOGRAD_ROWS)
        return weights * (double)p->kernel[0] * (double)p->kernel[1] * (12 + winograd_rows_at_infinity(p));
    double m = (double)((int)algorithm >> 1);
    return weights * (m + 2) * (m + 2) * ((int)algorithm & 1 ? 4 : (double)p->kernel[0]);
}

/// What a plain kernel costs the layers around it: values that lie in blocks are reordered, and the loss.
static double plain_surcharge(const sdx_conv_params *p, sdx_conv_layout layout, double time, const sdx_conv_costs *c) {
    double values = layout == SDX_CONV_PLAIN_TO_C8 ? 0 : (double)p->c * cost_volume(p->in);
    if (layout != SDX_CONV_C8_TO_PLAIN) values += (double)p->k * cost_volume(p->out);
    return (double)p->n * values * c->reorder + SDX_CONV_PLAIN_LOSS * time;
}

void sdx_conv_estimates(
    const sdx_conv_params *p, sdx_conv_layout layout, const sdx_conv_costs *c, double *times) {
    for (int i = 0; i < SDX_CONV_ALGORITHMS; i++) {
        times[i] = sdx_conv_time(p, layout, sdx_conv_algorithms[i], c);
        if (sdx_conv_algorithms[i] == SDX_CONV_BY_PLAIN) times[i] += plain_surcharge(p, layout, times[i], c);
    }
}

/// The place of the least time among the algorithms; -1 where none is supported.
static int fastest(const double *times) {
    int best = -1;
    for (int i = 0; i < SDX_CONV_ALGORITHMS; i++)
        if (isfinite(times[i]) && (best < 0 || times[i] < times[best])) best = i;
    return best;
}

double sdx_conv_time_per_byte(const sdx_conv_params *p, const double *times) {
    int best = fastest(times);
    double values = (double)p->c * cost_volume(p->in) + (double)p->k * cost_volume(p->out);
    if (best < 0 || !((double)p->n * values > 0)) return 0;
    return times[best] / (4 * (double)p->n * values + sdx_conv_weight_bytes(p, sdx_conv_algorithms[best]));
}

sdx_conv_choice_reasons sdx_conv_choose_by_times(
    const sdx_conv_params *p, const double *times, double time_per_byte) {
    const sdx_conv_algorithm *all = sdx_conv_algorithms;
    sdx_conv_choice_reasons choice = {SDX_CONV_BY_BLOCKS, SDX_CONV_BY_BLOCKS};
    int best = fastest(times);
    // Nothing to compute: no more weights than there are.
    bool is_empty = p->n == 0 || p->k == 0 || cost_volume(p->out) == 0;
    if (is_empty && !isfinite(times[0])) choice.chosen = choice.fastest = SDX_CONV_BY_PLAIN;
    if (is_empty || best < 0) return choice;
    choice.fastest = all[best];
    double least_price = INFINITY;
    for (int i = 0; i < SDX_CONV_ALGORITHMS; i++) {
        double price = times[i] + sdx_conv_weight_bytes(p, all[i]) * SDX_CONV_MEMORY_SHARE * time_per_byte;
        if (!(price < least_price)) continue;
        least_price = price;
        choice.chosen = all[i];
    }
    return choice;
}

sdx_conv_choice_reasons sdx_conv_choose(
    const sdx_conv_params *p, sdx_conv_layout layout, const sdx_conv_costs *c) {
    double times[SDX_CONV_ALGORITHMS];
    sdx_conv_estimates(p, layout, c, times);
    return sdx_conv_choose_by_times(p, times, sdx_conv_time_per_byte(p, times));
}

sdx_conv_algorithm sdx_conv_choice(const sdx_conv_params *p, sdx_conv_layout layout) {
    return sdx_conv_choose(p, layout, sdx_conv_costs_of(sdx_isa_current())).chosen;
}
