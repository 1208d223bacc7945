/// Times kernels on tables of shapes; see Tools/kernels, which compiles and runs it.
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CKernels.h"

#pragma clang diagnostic ignored "-Wmissing-field-initializers" // rows leave out what is zero

typedef struct {
    const char *name;
    int64_t c, k;
    int64_t in[3], kernel[3], stride[3]; // D, H, W; "same" padding, kernel / 2
    int64_t groups;                      // 0 counts as 1
    sdx_conv_layout layout;              // 0: C8_TO_C8
} convolution;

#define FROM_PLAIN .layout = SDX_CONV_PLAIN_TO_C8
#define TO_PLAIN .layout = SDX_CONV_C8_TO_PLAIN

static const convolution convolutions[] = {
    {"3x3", 64, 64, {1, 56, 56}, {1, 3, 3}, {1, 1, 1}},
    {"3x3", 128, 128, {1, 28, 28}, {1, 3, 3}, {1, 1, 1}},
    {"3x3", 256, 256, {1, 14, 14}, {1, 3, 3}, {1, 1, 1}},
    {"3x3", 512, 512, {1, 7, 7}, {1, 3, 3}, {1, 1, 1}},
    {"1x1", 64, 64, {1, 56, 56}, {1, 1, 1}, {1, 1, 1}},
    {"1x1", 64, 256, {1, 56, 56}, {1, 1, 1}, {1, 1, 1}},
    {"1x1", 256, 64, {1, 56, 56}, {1, 1, 1}, {1, 1, 1}},
    {"1x1", 512, 128, {1, 28, 28}, {1, 1, 1}, {1, 1, 1}},
    {"1x1", 256, 1024, {1, 14, 14}, {1, 1, 1}, {1, 1, 1}},
    {"1x1", 1024, 256, {1, 14, 14}, {1, 1, 1}, {1, 1, 1}},
    {"1x1", 2048, 512, {1, 7, 7}, {1, 1, 1}, {1, 1, 1}},
    {"1x1", 512, 2048, {1, 7, 7}, {1, 1, 1}, {1, 1, 1}},
    {"1x1 s2", 256, 512, {1, 56, 56}, {1, 1, 1}, {1, 2, 2}},
    {"3x3 s2", 128, 128, {1, 56, 56}, {1, 3, 3}, {1, 2, 2}},
    {"7x7 s2", 3, 64, {1, 224, 224}, {1, 7, 7}, {1, 2, 2}, FROM_PLAIN},
    {"3x3 first", 1, 64, {1, 256, 256}, {1, 3, 3}, {1, 1, 1}, FROM_PLAIN},
    {"3x3 first s2", 3, 32, {1, 224, 224}, {1, 3, 3}, {1, 2, 2}, FROM_PLAIN},
    {"depthwise 3x3", 72, 72, {1, 56, 56}, {1, 3, 3}, {1, 1, 1}, 72},
    {"depthwise 3x3 s2", 96, 96, {1, 112, 112}, {1, 3, 3}, {1, 2, 2}, 96},
    {"depthwise 5x5", 120, 120, {1, 28, 28}, {1, 5, 5}, {1, 1, 1}, 120},
    {"depthwise 5x5 s2", 240, 240, {1, 28, 28}, {1, 5, 5}, {1, 2, 2}, 240},
    {"depthwise 5x5", 960, 960, {1, 7, 7}, {1, 5, 5}, {1, 1, 1}, 960},
    {"3x3x3", 32, 32, {64, 64, 64}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3", 16, 16, {64, 64, 64}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3", 8, 8, {64, 64, 64}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3", 8, 8, {128, 128, 128}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3", 64, 64, {32, 32, 32}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3 first s2", 1, 16, {96, 96, 96}, {3, 3, 3}, {2, 2, 2}, FROM_PLAIN},
    {"3x3 last", 64, 1, {1, 256, 256}, {1, 3, 3}, {1, 1, 1}, TO_PLAIN},
    {"1x1 last", 32, 2, {1, 256, 256}, {1, 1, 1}, {1, 1, 1}, TO_PLAIN},
};

typedef struct {
    const char *name;
    int64_t m, n, k;
} product;

static const product products[] = {
    {"gemm", 512, 512, 512},   {"gemm", 1024, 1024, 1024}, {"gemm", 197, 768, 768},
    {"gemm", 1, 1000, 2048},   {"gemm", 64, 3136, 576},    {"gemm", 197, 197, 64},
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds = 0.15, peak_gflops;
static char **words;
static int word_count;
static sdx_pool *pools[2]; // 1 and 2 threads

static bool wanted(const char *line) {
    for (int i = 0; i < word_count; i++)
        if (!strstr(line, words[i])) return false;
    return true;
}

static void *memory(size_t bytes) {
    void *p = NULL;
    if (bytes == SIZE_MAX || posix_memalign(&p, 64, bytes + 64) != 0) abort();
    memset(p, 0, bytes + 64);
    return p;
}

static float *random_floats(int64_t count) {
    float *x = memory((size_t)count * sizeof(float));
    uint32_t state = 1;
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    return x;
}

/// The least time of `body`, in seconds.
static double least(void (*body)(void *, sdx_pool *), void *context, sdx_pool *pool) {
    double best = 1e9, begin = now();
    body(context, pool);
    for (int i = 0; i < 3 || now() - begin < seconds; i++) {
        double start = now();
        body(context, pool);
        double took = now() - start;
        if (took < best) best = took;
    }
    return best;
}

/// One line: the times with 1 and 2 threads.
static void report(const char *line, const char *kernel, double flops, void (*body)(void *, sdx_pool *), void *context) {
    double time[2];
    for (int i = 0; i < 2; i++) time[i] = least(body, context, pools[i]);
    printf("%-44s %-8s %9.3f ms %7.1f %3.0f %%   %9.3f ms %7.1f %3.0f %%  %4.2f x\n", line, kernel, time[0] * 1e3,
           flops / time[0] * 1e-9, 1e-7 * flops / time[0] / peak_gflops, time[1] * 1e3, flops / time[1] * 1e-9,
           1e-7 * flops / time[1] / peak_gflops / 2, time[0] / time[1]);
    fflush(stdout);
}

typedef struct {
    sdx_conv_params p;
    sdx_conv_layout layout;
    const float *x, *packed, *bias;
    float *y;
    void *workspace;
} convolution_run;

static void run_plain(void *context, sdx_pool *pool) {
    convolution_run *r = context;
    sdx_conv_f32_run(pool, &r->p, r->x, r->packed, r->bias, NULL, r->y, r->workspace);
}
static void run_c8(void *context, sdx_pool *pool) {
    convolution_run *r = context;
    sdx_conv_c8_f32_run(pool, &r->p, r->layout, r->x, r->packed, r->bias, NULL, r->y, r->workspace);
}

static void run_winograd(void *context, sdx_pool *pool) {
    convolution_run *r = context;
    sdx_winograd_c8_f32_run(pool, &r->p, r->x, r->packed, r->bias, NULL, r->y, r->workspace);
}

static void time_convolution(const convolution *c) {
    convolution_run r = {.layout = c->layout ? c->layout : SDX_CONV_C8_TO_C8};
    sdx_conv_params *p = &r.p;
    *p = (sdx_conv_params){.n = 1, .c = c->c, .k = c->k, .groups = c->groups ? c->groups : 1};
    p->activation.kind = SDX_ACTIVATION_RELU;
    int64_t inputs = c->c, outputs = c->k, taps = 1;
    for (int i = 0; i < 3; i++) {
        p->in[i] = c->in[i];
        p->kernel[i] = c->kernel[i];
        p->stride[i] = c->stride[i];
        p->dilation[i] = 1;
        p->pad_begin[i] = c->kernel[i] / 2;
        p->out[i] = (c->in[i] + 2 * p->pad_begin[i] - c->kernel[i]) / c->stride[i] + 1;
        inputs *= p->in[i];
        outputs *= p->out[i];
        taps *= p->kernel[i];
    }
    char line[80];
    snprintf(line, sizeof line, "%s %ld>%ld @%ldx%ldx%ld", c->name, (long)c->c, (long)c->k, (long)c->in[0],
             (long)c->in[1], (long)c->in[2]);
    if (!wanted(line)) return;
    double flops = 2.0 * (double)outputs * (double)(p->c / p->groups * taps);
    int64_t weights = p->k * (p->c / p->groups) * taps;
    float *x = random_floats(inputs), *w = random_floats(weights), *bias = random_floats(p->k);
    float *y = random_floats(outputs);
    r.x = x;
    r.y = y;
    r.bias = bias;

    void *packed = memory(sdx_conv_f32_packed_bytes(p)), *space = memory(sdx_conv_f32_workspace_bytes(p, 2));
    sdx_conv_f32_pack(p, w, packed);
    r.packed = packed;
    r.workspace = space;
    report(line, "plain", flops, run_plain, &r);
    free(packed);
    free(space);

    if (sdx_conv_c8_f32_supported(p, r.layout)) {
        packed = memory(sdx_conv_c8_f32_packed_bytes(p, r.layout));
        space = memory(sdx_conv_c8_f32_workspace_bytes(p, r.layout, 2));
        sdx_conv_c8_f32_pack(p, r.layout, w, packed);
        r.packed = packed;
        r.workspace = space;
        report(line, "c8", flops, run_c8, &r);
        free(packed);
        free(space);
    }
    if (r.layout == SDX_CONV_C8_TO_C8 && sdx_winograd_c8_f32_supported(p)) {
        packed = memory(sdx_winograd_c8_f32_packed_bytes(p));
        space = memory(sdx_winograd_c8_f32_workspace_bytes(p, 2));
        sdx_winograd_c8_f32_pack(p, w, packed);
        r.packed = packed;
        r.workspace = space;
        report(line, "winograd", flops, run_winograd, &r);
        free(packed);
        free(space);
    }
    free(x);
    free(w);
    free(bias);
    free(y);
}

typedef struct {
    sdx_gemm_f32 g;
    void *workspace;
} product_run;

static void run_product(void *context, sdx_pool *pool) {
    product_run *r = context;
    sdx_gemm_f32_run(pool, &r->g, r->workspace);
}

static void time_product(const product *s) {
    char line[80];
    snprintf(line, sizeof line, "%s %ldx%ldx%ld", s->name, (long)s->m, (long)s->n, (long)s->k);
    if (!wanted(line)) return;
    float *a = random_floats(s->m * s->k), *b = random_floats(s->k * s->n), *c = random_floats(s->m * s->n);
    product_run r = {.g = {.m = s->m, .n = s->n, .k = s->k, .a = a, .lda = s->k, .b = b, .ldb = s->n, .c = c,
                           .ldc = s->n, .batch = 1, .alpha = 1}};
    double flops = 2.0 * (double)s->m * (double)s->n * (double)s->k;
    r.workspace = memory(sdx_gemm_f32_workspace_bytes(&r.g, 2));
    report(line, "b plain", flops, run_product, &r);
    free(r.workspace);
    float *packed = memory(sdx_gemm_f32_packed_b_bytes(s->k, s->n));
    sdx_gemm_f32_pack_b(s->k, s->n, b, s->n, 0, packed);
    r.g.packed_b = packed;
    r.workspace = memory(sdx_gemm_f32_workspace_bytes(&r.g, 2));
    report(line, "b packed", flops, run_product, &r);
    free(r.workspace);
    free(packed);
    free(a);
    free(b);
    free(c);
}

int main(int count, char **arguments) {
    int at = 1;
    for (; at + 1 < count && strncmp(arguments[at], "--", 2) == 0; at += 2) {
        if (strcmp(arguments[at], "--seconds") == 0) {
            seconds = atof(arguments[at + 1]);
        } else if (strcmp(arguments[at], "--isa") == 0) {
            int isa = 0;
            while (isa < SDX_ISA_COUNT && strcmp(arguments[at + 1], sdx_isa_name((sdx_isa)isa)) != 0) isa++;
            if (isa == SDX_ISA_COUNT || !sdx_isa_supported((sdx_isa)isa)) {
                fprintf(stderr, "kernels: this machine has no %s\n", arguments[at + 1]);
                return 2;
            }
            sdx_isa_set_cap((sdx_isa)isa);
        } else {
            break;
        }
    }
    if (at < count && strncmp(arguments[at], "--", 2) == 0) {
        fprintf(stderr, "kernels: unknown option %s, or no value for it\n", arguments[at]);
        return 2;
    }
    words = arguments + at;
    word_count = count - at;
    sdx_flush_denormals_begin();
    for (int i = 0; i < 2; i++) pools[i] = sdx_pool_create(i + 1);
    peak_gflops = sdx_peak_gflops(0.1);
    printf("%s, peak of one core %.1f GFLOP/s\n%-44s %-8s %12s %13s   %12s\n", sdx_isa_name(sdx_isa_current()),
           peak_gflops, "", "", "1 thread", "GFLOP/s", "2 threads");
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++) time_convolution(&convolutions[i]);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) time_product(&products[i]);
    return 0;
}
