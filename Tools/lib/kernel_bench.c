/// Times kernels on tables of shapes; see Tools/kernels, which compiles and runs it.
#define _GNU_SOURCE
#include "bench_support.h"

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
    {"1x1 s2", 512, 1024, {1, 28, 28}, {1, 1, 1}, {1, 2, 2}},
    {"1x1 s2", 1024, 2048, {1, 14, 14}, {1, 1, 1}, {1, 2, 2}},
    {"3x3 s2", 128, 128, {1, 56, 56}, {1, 3, 3}, {1, 2, 2}},
    {"3x3 s2", 256, 256, {1, 28, 28}, {1, 3, 3}, {1, 2, 2}},
    {"3x3 s2", 512, 512, {1, 14, 14}, {1, 3, 3}, {1, 2, 2}},
    {"3x3 s2", 64, 128, {1, 56, 56}, {1, 3, 3}, {1, 2, 2}},
    {"3x3 s2", 32, 64, {1, 128, 128}, {1, 3, 3}, {1, 2, 2}},
    {"7x7 s2", 3, 64, {1, 224, 224}, {1, 7, 7}, {1, 2, 2}, FROM_PLAIN},
    {"7x7", 3, 64, {1, 256, 256}, {1, 7, 7}, {1, 1, 1}, FROM_PLAIN},
    {"7x7x7 s2", 1, 64, {64, 64, 64}, {7, 7, 7}, {2, 2, 2}, FROM_PLAIN},
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
    {"3x3x3", 128, 32, {16, 16, 16}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3", 128, 128, {16, 16, 16}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3", 256, 256, {8, 8, 8}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3", 320, 320, {8, 8, 8}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3", 512, 512, {8, 8, 8}, {3, 3, 3}, {1, 1, 1}},
    {"3x3x3 s2", 32, 64, {64, 64, 64}, {3, 3, 3}, {2, 2, 2}},
    {"3x3x3 s2", 64, 128, {32, 32, 32}, {3, 3, 3}, {2, 2, 2}},
    {"3x3x3 first s2", 1, 16, {96, 96, 96}, {3, 3, 3}, {2, 2, 2}, FROM_PLAIN},
    {"3x3 last", 64, 1, {1, 256, 256}, {1, 3, 3}, {1, 1, 1}, TO_PLAIN},
    {"1x1 last", 32, 2, {1, 256, 256}, {1, 1, 1}, {1, 1, 1}, TO_PLAIN},
};

typedef struct {
    const char *name;
    int64_t m, n, k;
    int64_t batch; // 0 counts as 1
    bool transpose_a, transpose_b;
} product;

static const product products[] = {
    {"gemm", 512, 512, 512},
    {"gemm", 1024, 1024, 1024},
    {"gemm", 49, 256, 256},
    {"gemm", 49, 512, 2048},
    {"gemm", 49, 2048, 512},
    {"gemm", 49, 1024, 1024},
    {"gemm", 196, 256, 256},
    {"gemm", 196, 512, 2048},
    {"gemm", 196, 2048, 512},
    {"gemm", 196, 1024, 1024},
    {"gemm", 3136, 256, 256},
    {"gemm", 3136, 512, 2048},
    {"gemm", 3136, 2048, 512},
    {"gemm", 3136, 1024, 1024},
    {"gemm", 4096, 256, 256},
    {"gemm", 4096, 512, 512},
    {"gemm", 256, 4096, 256},
    {"gemm", 256, 256, 4096},
    {"gemm narrow", 49, 64, 512},
    {"gemm narrow", 196, 64, 256},
    {"gemm narrow", 3136, 64, 256},
    {"gemm narrow", 3136, 64, 64},
    {"gemm shallow", 49, 512, 64},
    {"gemm shallow", 196, 256, 64},
    {"gemm shallow", 3136, 256, 64},
    {"gemm tall", 64, 3136, 576},
    {"gemm vit", 197, 384, 384},
    {"gemm vit", 197, 1152, 384},
    {"gemm vit", 197, 1536, 384},
    {"gemm vit", 197, 384, 1536},
    {"gemm vit", 197, 768, 768},
    {"gemm attention", 197, 197, 64, 6, .transpose_b = true},
    {"gemm attention", 197, 64, 197, 6},
    {"gemm attention", 197, 197, 64, 12, .transpose_b = true},
    {"gemm attention", 197, 64, 197, 12},
    {"gemm transposed a", 512, 512, 512, .transpose_a = true},
    {"gemm transposed b", 512, 512, 512, .transpose_b = true},
    {"gemm transposed a b", 196, 256, 256, .transpose_a = true, .transpose_b = true},
    {"gemm row", 1, 1000, 2048},
    {"gemm row", 1, 4096, 4096},
    {"gemm row transposed b", 1, 4096, 4096, .transpose_b = true},
    {"gemm column", 4096, 1, 4096},
};

static double seconds = 0.15;
static size_t cold_bytes; // of copies of the weights, of which each run takes another
static char **words;
static int word_count;
static sdx_pool *pools[2]; // 1 and 2 threads

static bool wanted(const char *line) {
    for (int i = 0; i < word_count; i++)
        if (!strstr(line, words[i])) return false;
    return true;
}

/// Adds up `bytes` at x: reads them as fast as this thread can.
#define READ(name, target, lanes)                                                                                      \
    target static float name(const float *x, int64_t count) {                                                          \
        typedef float v __attribute__((ext_vector_type(lanes), aligned(4)));                                           \
        v sum[8] = {0};                                                                                                \
        for (int64_t i = 0; i + 8 * lanes <= count; i += 8 * lanes) {                                                  \
            const v *from = (const v *)(x + i);                                                                        \
            _Pragma("clang loop unroll(full)") for (int j = 0; j < 8; j++) sum[j] += from[j];                          \
        }                                                                                                              \
        float total = 0;                                                                                               \
        for (int j = 0; j < 8; j++) total += sum[j][0];                                                                \
        return total;                                                                                                  \
    }
#if defined(__x86_64__)
READ(read_avx512, __attribute__((target("avx512f"))), 16)
READ(read_avx2, __attribute__((target("avx2"))), 8)
#endif
READ(read_narrow, , 4)

typedef struct {
    const float *x;
    int64_t count;
} reading;
enum { READ_CHUNKS = 16 };

static void read_chunk(void *context, int64_t chunk, int worker) {
    const reading *r = context;
    static volatile float sinks[64];
    int64_t begin = r->count * chunk / READ_CHUNKS, end = r->count * (chunk + 1) / READ_CHUNKS;
#if defined(__x86_64__)
    sdx_isa isa = sdx_isa_current();
    sinks[worker * 16] = isa == SDX_ISA_AVX512 ? read_avx512(r->x + begin, end - begin)
                         : isa == SDX_ISA_AVX2 ? read_avx2(r->x + begin, end - begin)
                                               : read_narrow(r->x + begin, end - begin);
#else
    sinks[worker * 16] = read_narrow(r->x + begin, end - begin);
#endif
}
static void read_all(void *context, sdx_pool *pool) { sdx_parallel_for(pool, READ_CHUNKS, read_chunk, context); }

/// The least time of `body` in runs for about `budget` seconds, three at least; *best so far counts too.
static void least(double budget, void (*body)(void *, sdx_pool *), void *context, sdx_pool *pool, double *best) {
    double begin = now();
    for (int i = 0; i < 3 || now() - begin < budget; i++) {
        double start = now();
        body(context, pool);
        double took = now() - start;
        if (took < *best) *best = took;
    }
}

/// One line: the times with 1 and 2 threads, and the share of the peak, which is measured in turns with them: clocks
/// and neighbours change it meanwhile. With `read`, the share is of the bandwidth of reading those bytes.
static void report_against(
    const char *line, const char *kernel, double flops, void (*body)(void *, sdx_pool *), void *context,
    const reading *read) {
    double time[2] = {1e9, 1e9}, read_time[2] = {1e9, 1e9}, peak = 0;
    enum { TURNS = 20 };
    for (int turn = 0; turn < TURNS; turn++)
        for (int i = 0; i < 2; i++) {
            if (read) {
                least(seconds / TURNS / 2, read_all, (void *)read, pools[i], &read_time[i]);
            } else {
                double here = sdx_peak_gflops(seconds / TURNS / 4);
                if (here > peak) peak = here;
            }
            least(seconds / TURNS, body, context, pools[i], &time[i]);
        }
    double amount[2], share[2], scale = read ? (double)read->count * sizeof(float) : flops;
    for (int i = 0; i < 2; i++) {
        amount[i] = scale / time[i] * 1e-9;
        share[i] = read ? 100 * read_time[i] / time[i] : 100 * amount[i] / peak / (i + 1);
    }
    printf("%-40s %-8s %9.3f ms %7.1f %3.0f %%   %9.3f ms %7.1f %3.0f %%  %4.2f x   %6.1f %s\n", line, kernel,
           time[0] * 1e3, amount[0], share[0], time[1] * 1e3, amount[1], share[1], time[0] / time[1],
           read ? scale / read_time[0] * 1e-9 : peak, read ? "GB/s" : "GFLOP/s");
    fflush(stdout);
}

static void report(
    const char *line, const char *kernel, double flops, void (*body)(void *, sdx_pool *), void *context) {
    report_against(line, kernel, flops, body, context, NULL);
}

typedef struct {
    sdx_conv_params p;
    sdx_conv_layout layout;
    sdx_winograd_form form;
    const float *x, *bias;
    copies weights;
    float *y;
    void *workspace;
} convolution_run;

static void run_plain(void *context, sdx_pool *pool) {
    convolution_run *r = context;
    sdx_conv_f32_run(pool, &r->p, r->x, next_copy(&r->weights), r->bias, NULL, r->y, r->workspace);
}
static void run_c8(void *context, sdx_pool *pool) {
    convolution_run *r = context;
    sdx_conv_c8_f32_run(pool, &r->p, r->layout, r->x, next_copy(&r->weights), r->bias, NULL, r->y, r->workspace);
}

static void run_winograd(void *context, sdx_pool *pool) {
    convolution_run *r = context;
    sdx_winograd_c8_f32_run(pool, &r->p, r->form, r->x, next_copy(&r->weights), r->bias, NULL, r->y, r->workspace);
}

static void run_winograd_rows(void *context, sdx_pool *pool) {
    convolution_run *r = context;
    sdx_winograd_rows_f32_run(pool, &r->p, r->x, next_copy(&r->weights), r->bias, NULL, r->y, r->workspace);
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
    r.weights = make_copies(packed, sdx_conv_f32_packed_bytes(p), cold_bytes);
    free(packed);
    r.workspace = space;
    report(line, "plain", flops, run_plain, &r);
    free(r.weights.base);
    free(space);

    if (sdx_conv_c8_f32_supported(p, r.layout)) {
        packed = memory(sdx_conv_c8_f32_packed_bytes(p, r.layout));
        space = memory(sdx_conv_c8_f32_workspace_bytes(p, r.layout, 2));
        sdx_conv_c8_f32_pack(p, r.layout, w, packed);
        r.weights = make_copies(packed, sdx_conv_c8_f32_packed_bytes(p, r.layout), cold_bytes);
        free(packed);
        r.workspace = space;
        report(line, "c8", flops, run_c8, &r);
        free(r.weights.base);
        free(space);
    }
    // The form of the choice, where it is one of Winograd's.
    sdx_conv_algorithm choice = sdx_conv_choice(p, r.layout);
    if (choice >= SDX_CONV_BY_WINOGRAD_2) {
        bool rows = choice == SDX_CONV_BY_WINOGRAD_ROWS;
        r.form = (sdx_winograd_form)choice;
        size_t bytes = rows ? sdx_winograd_rows_f32_packed_bytes(p) : sdx_winograd_c8_f32_packed_bytes(p, r.form);
        packed = memory(bytes);
        space = memory(
            rows ? sdx_winograd_rows_f32_workspace_bytes(p, 2) : sdx_winograd_c8_f32_workspace_bytes(p, r.form, 2));
        if (rows) sdx_winograd_rows_f32_pack(p, w, packed);
        else sdx_winograd_c8_f32_pack(p, r.form, w, packed);
        r.weights = make_copies(packed, bytes, cold_bytes);
        free(packed);
        r.workspace = space;
        report(line, "winograd", flops, rows ? run_winograd_rows : run_winograd, &r);
        free(r.weights.base);
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
    int64_t batch = s->batch ? s->batch : 1;
    int end = snprintf(line, sizeof line, "%s %ldx%ldx%ld", s->name, (long)s->m, (long)s->n, (long)s->k);
    if (batch > 1) snprintf(line + end, sizeof line - (size_t)end, " x%ld", (long)batch);
    if (!wanted(line)) return;
    float *a = random_floats(batch * s->m * s->k), *b = random_floats(batch * s->k * s->n);
    float *c = random_floats(batch * s->m * s->n);
    product_run r = {.g = {.m = s->m, .n = s->n, .k = s->k, .a = a, .lda = s->transpose_a ? s->m : s->k, .b = b,
                           .ldb = s->transpose_b ? s->k : s->n, .c = c, .ldc = s->n, .batch = batch, .alpha = 1,
                           .transpose_a = s->transpose_a, .transpose_b = s->transpose_b,
                           .batch_stride_a = s->m * s->k, .batch_stride_b = s->k * s->n,
                           .batch_stride_c = s->m * s->n}};
    double flops = 2.0 * (double)batch * (double)s->m * (double)s->n * (double)s->k;
    // A vector's product is as fast as its matrix is read.
    reading bytes = {s->n == 1 ? a : b, s->n == 1 ? s->m * s->k : s->k * s->n};
    const reading *read = s->m == 1 || s->n == 1 ? &bytes : NULL;
    r.workspace = memory(sdx_gemm_f32_workspace_bytes(&r.g, 2));
    report_against(line, "b plain", flops, run_product, &r, read);
    free(r.workspace);
    if (batch == 1 && s->n > 1) {
        float *packed = memory(sdx_gemm_f32_packed_b_bytes(s->k, s->n));
        sdx_gemm_f32_pack_b(s->k, s->n, b, r.g.ldb, s->transpose_b, packed);
        r.g.packed_b = packed;
        bytes.x = packed;
        r.workspace = memory(sdx_gemm_f32_workspace_bytes(&r.g, 2));
        report_against(line, "b packed", flops, run_product, &r, read);
        free(r.workspace);
        free(packed);
    }
    free(a);
    free(b);
    free(c);
}

int main(int count, char **arguments) {
    int at = 1;
    for (; at + 1 < count && strncmp(arguments[at], "--", 2) == 0; at += 2) {
        if (strcmp(arguments[at], "--seconds") == 0) {
            seconds = atof(arguments[at + 1]);
        } else if (strcmp(arguments[at], "--cold") == 0) {
            cold_bytes = (size_t)atol(arguments[at + 1]) << 20;
        } else if (strcmp(arguments[at], "--isa") == 0) {
            if (!set_isa(arguments[at + 1])) return 2;
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
    printf("%s, peak of one core %.1f GFLOP/s\n%-40s %-8s %12s %14s %12s %16s %16s\n", sdx_isa_name(sdx_isa_current()),
           sdx_peak_gflops(0.1), "", "", "1 thread", "GFLOP/s", "2 threads", "GFLOP/s", "beside it");
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++) time_convolution(&convolutions[i]);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) time_product(&products[i]);
    return 0;
}
