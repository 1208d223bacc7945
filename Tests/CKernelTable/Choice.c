/// The choice of a convolution's algorithm.
#include "Table.h"

enum { ANY_WINOGRAD = -1 };

typedef struct {
    const char *what;
    int64_t n, c, k, in[3], kernel[3], stride[3], groups;
    sdx_conv_layout layout;
    int want;
} choice_row;

#define ONE {1, 1, 1}
static const choice_row rows[] = {
    {"a large map", 1, 64, 64, {1, 56, 56}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_WINOGRAD_4},
    {"a batch", 4, 32, 32, {1, 40, 40}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_WINOGRAD_4},
    {"a volume", 1, 32, 32, {24, 24, 24}, {3, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, ANY_WINOGRAD},
    {"one pixel", 1, 64, 64, {1, 1, 1}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"a stride of 2", 1, 64, 64, {1, 56, 56}, {1, 3, 3}, {1, 2, 2}, 1, SDX_CONV_C8_TO_C8, ANY_WINOGRAD},
    {"a stride of 2, a volume", 1, 64, 64, {32, 32, 32}, {3, 3, 3}, {2, 2, 2}, 1, SDX_CONV_C8_TO_C8, ANY_WINOGRAD},
    {"a stride of 2, weights from memory", 1, 512, 512, {1, 10, 10}, {1, 3, 3}, {1, 2, 2}, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"a stride of 3", 1, 64, 64, {1, 56, 56}, {1, 3, 3}, {1, 3, 3}, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"pointwise", 1, 64, 64, {1, 56, 56}, ONE, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"depthwise", 1, 64, 64, {1, 56, 56}, {1, 3, 3}, ONE, 64, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"groups", 1, 64, 64, {1, 56, 56}, {1, 3, 3}, ONE, 4, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"a picture", 1, 3, 64, {1, 96, 96}, {1, 3, 3}, ONE, 1, SDX_CONV_PLAIN_TO_C8, SDX_CONV_BY_BLOCKS},
    {"a picture, a long kernel", 1, 3, 64, {1, 96, 96}, {1, 7, 7}, {1, 2, 2}, 1, SDX_CONV_PLAIN_TO_C8, SDX_CONV_BY_WINOGRAD_ROWS},
    {"a volume, a long kernel", 1, 1, 32, {24, 24, 24}, {7, 7, 7}, {2, 2, 2}, 1, SDX_CONV_PLAIN_TO_C8, SDX_CONV_BY_WINOGRAD_ROWS},
    {"a mask", 1, 64, 1, {1, 96, 96}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_PLAIN, SDX_CONV_BY_BLOCKS},
    {"weights from memory", 1, 512, 512, {1, 3, 3}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"no images", 0, 256, 256, {1, 28, 28}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"no images, nothing in blocks", 0, 12, 20, {1, 9, 9}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_PLAIN},
    {"nothing in blocks", 1, 12, 20, {1, 9, 9}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_PLAIN},
};

/// Times of blocks, plain, F2, F2 deep, F4, F4 deep and along rows in microseconds, 0 for what is not possible, and what is chosen by
/// them for 512 to 512 channels, 3 x 3, whose weights are 9.4 MB in blocks, 16.8 by F2 and 37.7 by F4, in a network that
/// takes so many nanoseconds for each byte it holds: at 0.5 the 28.3 MB between blocks and F4 are worth 5.66 ms.
typedef struct {
    const char *what;
    double times[SDX_CONV_ALGORITHMS], time_per_byte;
    sdx_conv_algorithm chosen, fastest;
} times_row;

static const times_row times_rows[] = {
    {"blocks", {1000, 2000, 1500, 0, 1500}, 0.5, SDX_CONV_BY_BLOCKS, SDX_CONV_BY_BLOCKS},
    {"plain", {4000, 2000, 9000, 0, 9000}, 0.5, SDX_CONV_BY_PLAIN, SDX_CONV_BY_PLAIN},
    {"much slower, and less memory", {100000, 200000, 0, 0, 50000}, 0.5, SDX_CONV_BY_WINOGRAD_4, SDX_CONV_BY_WINOGRAD_4},
    {"little slower, and less memory", {0, 200000, 51000, 0, 50000}, 0.5, SDX_CONV_BY_WINOGRAD_2, SDX_CONV_BY_WINOGRAD_4},
    {"slower by less than the memory is worth", {20600, 0, 0, 0, 15000}, 0.5, SDX_CONV_BY_BLOCKS, SDX_CONV_BY_WINOGRAD_4},
    {"slower by more", {20700, 0, 0, 0, 15000}, 0.5, SDX_CONV_BY_WINOGRAD_4, SDX_CONV_BY_WINOGRAD_4},
    {"slower by more, in a slower network", {20700, 0, 0, 0, 15000}, 0.6, SDX_CONV_BY_BLOCKS, SDX_CONV_BY_WINOGRAD_4},
    {"a little slower where memory is free", {15001, 0, 0, 0, 15000}, 0, SDX_CONV_BY_WINOGRAD_4, SDX_CONV_BY_WINOGRAD_4},
    {"the first of two alike", {1000, 1000, 1000, 0, 1000}, 0.5, SDX_CONV_BY_BLOCKS, SDX_CONV_BY_BLOCKS},
    {"nothing else", {0, 7, 0, 0, 0}, 0.5, SDX_CONV_BY_PLAIN, SDX_CONV_BY_PLAIN},
    {"nothing at all", {0}, 0.5, SDX_CONV_BY_BLOCKS, SDX_CONV_BY_BLOCKS},
};

static sdx_conv_params parameters(const choice_row *r) {
    sdx_conv_params p = {.n = r->n, .c = r->c, .k = r->k, .groups = r->groups};
    for (int i = 0; i < 3; i++) {
        p.in[i] = r->in[i];
        p.kernel[i] = r->kernel[i];
        p.stride[i] = r->stride[i];
        p.dilation[i] = 1;
        p.pad_begin[i] = r->kernel[i] / 2;
        p.out[i] = (p.in[i] + 2 * p.pad_begin[i] - p.kernel[i]) / p.stride[i] + 1;
    }
    return p;
}

/// What must hold for any shape.
static void check(table *t, const sdx_conv_params *p, sdx_conv_layout layout) {
    const sdx_conv_costs *costs = sdx_conv_costs_of(sdx_isa_current());
    sdx_conv_choice_reasons choice = sdx_conv_choose(p, layout, costs);
    sdx_conv_choice_reasons again = sdx_conv_choose(p, layout, costs);
    if (choice.chosen != again.chosen || choice.fastest != again.fastest) table_fail(t, "two answers");
    if (sdx_conv_choice(p, layout) != choice.chosen) table_fail(t, "another choice without costs");
    double times[SDX_CONV_ALGORITHMS], chosen = 0, least = 0;
    sdx_conv_estimates(p, layout, costs, times);
    for (int a = 0; a < SDX_CONV_ALGORITHMS; a++) {
        sdx_conv_algorithm algorithm = sdx_conv_algorithms[a];
        double time = sdx_conv_time(p, layout, algorithm, costs);
        bool supported = sdx_conv_algorithm_supported(p, layout, algorithm);
        if (times[a] < time || isfinite(times[a]) != supported)
            table_fail(t, "algorithm %d takes %g and %g with all", (int)algorithm, time, times[a]);
        if (supported ? !(time > 0 && time < 1e40) : time != INFINITY)
            table_fail(t, "algorithm %d takes %g", (int)algorithm, time);
        if (algorithm == choice.chosen) chosen = times[a];
        if (algorithm == choice.fastest) least = times[a];
        if (supported && sdx_conv_algorithm_supported(p, layout, choice.fastest) == 0)
            table_fail(t, "%d is not supported, %d is", (int)choice.fastest, (int)algorithm);
    }
    // Alone, a convolution's weights are at most all of the memory.
    if (chosen > least * (1 + SDX_CONV_MEMORY_SHARE) * 1.000001) table_fail(t, "%g chosen, %g possible", chosen, least);
}

int kernel_table_choice(char *message, size_t size) {
    table t = table_begin(message, size, 23);
    int64_t cache = sdx_second_cache_bytes();
    if (cache < 128 << 10 || cache > 4 << 20) table_fail(&t, "a second cache of %lld bytes", (long long)cache);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const choice_row *r = &rows[i];
        sdx_conv_params p = parameters(r);
        table_row(&t, "%s", r->what);
        check(&t, &p, r->layout);
        int got = sdx_conv_choice(&p, r->layout);
        if (r->want == ANY_WINOGRAD ? got < SDX_CONV_BY_WINOGRAD_2 : got != r->want)
            table_fail(&t, "%d is chosen, not %d", got, r->want);
    }
    choice_row deep = {"", 1, 512, 512, {1, 7, 7}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, 0};
    sdx_conv_params large = parameters(&deep);
    for (size_t i = 0; i < COUNT(times_rows); i++) {
        const times_row *r = &times_rows[i];
        double times[SDX_CONV_ALGORITHMS];
        for (int a = 0; a < SDX_CONV_ALGORITHMS; a++) times[a] = r->times[a] > 0 ? r->times[a] * 1e3 : INFINITY;
        table_row(&t, "by times: %s", r->what);
        sdx_conv_choice_reasons got = sdx_conv_choose_by_times(&large, times, r->time_per_byte);
        if (got.chosen != r->chosen || got.fastest != r->fastest)
            table_fail(&t, "%d is chosen, %d is the fastest", (int)got.chosen, (int)got.fastest);
    }
    for (int i = 0; i < 2000; i++) {
        choice_row r = {"random", random_in(&t, 0, 2), random_in(&t, 0, 40) * 8, random_in(&t, 0, 40) * 8};
        bool huge = random_chance(&t, 4);
        r.groups = 1;
        r.layout = (sdx_conv_layout)random_in(&t, 1, 3);
        for (int j = 0; j < 3; j++) {
            r.in[j] = random_in(&t, 0, huge ? INT32_MAX : 40);
            r.kernel[j] = random_chance(&t, 2) ? 3 : random_in(&t, 1, huge ? 100000 : 7);
            r.stride[j] = random_chance(&t, 2) ? 1 : random_in(&t, 1, 3);
        }
        sdx_conv_params p = parameters(&r);
        for (int j = 0; j < 3; j++) p.out[j] = larger(0, p.out[j]);
        table_row(&t, "random row %d", i);
        check(&t, &p, r.layout);
    }
    return table_end(&t);
}
