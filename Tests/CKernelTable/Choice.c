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
    {"a stride", 1, 64, 64, {1, 56, 56}, {1, 3, 3}, {1, 2, 2}, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"pointwise", 1, 64, 64, {1, 56, 56}, ONE, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"depthwise", 1, 64, 64, {1, 56, 56}, {1, 3, 3}, ONE, 64, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"groups", 1, 64, 64, {1, 56, 56}, {1, 3, 3}, ONE, 4, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"a picture", 1, 3, 64, {1, 96, 96}, {1, 3, 3}, ONE, 1, SDX_CONV_PLAIN_TO_C8, SDX_CONV_BY_BLOCKS},
    {"a mask", 1, 64, 1, {1, 96, 96}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_PLAIN, SDX_CONV_BY_BLOCKS},
    {"weights from memory", 1, 512, 512, {1, 5, 5}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"no images", 0, 256, 256, {1, 28, 28}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_BLOCKS},
    {"no images, nothing in blocks", 0, 12, 20, {1, 9, 9}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_PLAIN},
    {"nothing in blocks", 1, 12, 20, {1, 9, 9}, {1, 3, 3}, ONE, 1, SDX_CONV_C8_TO_C8, SDX_CONV_BY_PLAIN},
};

static const sdx_conv_algorithm all[] = {
    SDX_CONV_BY_PLAIN,      SDX_CONV_BY_BLOCKS,          SDX_CONV_BY_WINOGRAD_2, SDX_CONV_BY_WINOGRAD_2_DEEP,
    SDX_CONV_BY_WINOGRAD_4, SDX_CONV_BY_WINOGRAD_4_DEEP,
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
    for (size_t a = 0; a < COUNT(all); a++) {
        double time = sdx_conv_time(p, layout, all[a], costs);
        bool supported = sdx_conv_algorithm_supported(p, layout, all[a]);
        if (supported ? !(time > 0 && time < 1e40) : time != INFINITY)
            table_fail(t, "algorithm %d takes %g", (int)all[a], time);
        if (supported && sdx_conv_algorithm_supported(p, layout, choice.fastest) == 0)
            table_fail(t, "%d is not supported, %d is", (int)choice.fastest, (int)all[a]);
    }
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
