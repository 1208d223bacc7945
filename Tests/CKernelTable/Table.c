#include "Table.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GUARD 0 // an exact allocation lets the sanitizer see the first byte beyond
#endif
#endif
#ifndef GUARD
#define GUARD 64
#endif

enum { INPUT_GUARD = 0xff, OUTPUT_GUARD = 0xa5 }; // an input's guard is NaN as float, double and half

struct allocation {
    allocation *next;
    unsigned char *base, *bytes;
    size_t front, size;
    int guard;
    int pool;        // of a result; 0 for anything else
    allocation *twin; // the same result of pool 0
};

table table_begin(char *message, size_t size, uint64_t seed) {
    table t = {.message = message, .size = size, .random = seed * 0x9e3779b97f4a7c15u + 1};
    if (size > 0) message[0] = 0;
    EACH_POOL(p) t.pools[p] = sdx_pool_create(pool_threads[p]);
    return t;
}

void table_fail(table *t, const char *format, ...) {
    if (t->failures++ > 0) return;
    int used = snprintf(t->message, t->size, "%s: %s: ", sdx_isa_name(sdx_isa_current()), t->row);
    if (used < 0 || (size_t)used >= t->size) return;
    va_list list;
    va_start(list, format);
    vsnprintf(t->message + used, t->size - (size_t)used, format, list);
    va_end(list);
}

static bool all_are(const unsigned char *bytes, size_t count, int value) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != value) return false;
    return true;
}

static void end_row(table *t) {
    for (allocation *a = t->allocations; a; a = a->next) {
        if (!all_are(a->base, a->front, a->guard)) table_fail(t, "wrote before the begin of %zu bytes", a->size);
        if (!all_are(a->bytes + a->size, GUARD, a->guard)) table_fail(t, "wrote beyond the end of %zu bytes", a->size);
        if (a->twin && memcmp(a->bytes, a->twin->bytes, a->size) != 0)
            table_fail(t, "pools of 1 and %d threads give different bits", pool_threads[a->pool]);
    }
    while (t->allocations) {
        allocation *a = t->allocations;
        t->allocations = a->next;
        free(a->base);
        free(a);
    }
}

void table_row(table *t, const char *format, ...) {
    end_row(t);
    va_list list;
    va_start(list, format);
    vsnprintf(t->row, sizeof t->row, format, list);
    va_end(list);
}

int table_end(table *t) {
    end_row(t);
    EACH_POOL(p) sdx_pool_destroy(t->pools[p]);
    return t->failures;
}

void table_near(table *t, const char *what, int64_t index, double got, double want, double tolerance) {
    bool right = isnan(want) ? isnan(got) : isinf(want) ? got == want : fabs(got - want) <= tolerance;
    if (!right) table_fail(t, "%s[%lld] is %.9g, not %.9g ± %.2g", what, (long long)index, got, want, tolerance);
}

void table_equal_bytes(table *t, const char *what, const void *got, const void *want, size_t bytes) {
    if (memcmp(got, want, bytes) == 0) return;
    size_t i = 0;
    while (((const char *)got)[i] == ((const char *)want)[i]) i++;
    table_fail(t, "%s: byte %zu of %zu differs", what, i, bytes);
}

void table_equal_floats(table *t, const char *what, const float *got, const float *want, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!(isnan(got[i]) && isnan(want[i])) && memcmp(&got[i], &want[i], sizeof(float)) != 0)
            table_fail(t, "%s[%lld] is %a, not %a", what, (long long)i, got[i], want[i]);
}

uint64_t random_bits(table *t) {
    // splitmix64
    uint64_t z = t->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t random_in(table *t, int64_t low, int64_t high) {
    return low + (int64_t)(random_bits(t) % (uint64_t)(high - low + 1));
}

bool random_chance(table *t, int64_t n) { return random_in(t, 1, n) == 1; }

double random_unit(table *t) { return (double)(random_bits(t) >> 11) / 4503599627370496.0 - 1; }

float random_normal(table *t) {
    double sum = 0;
    for (int i = 0; i < 4; i++) sum += random_unit(t);
    return (float)sum;
}

/// Aligned to `element` bytes only, or to a line where that is what `element` says.
static allocation *allocate(table *t, size_t bytes, size_t element, int guard) {
    allocation *a = calloc(1, sizeof *a);
    if (!a) abort();
    a->front = GUARD + (size_t)random_in(t, 0, 3) * element;
    a->size = bytes;
    a->guard = guard;
    size_t size = a->front + bytes + GUARD;
    size += size == 0;
    a->base = element < LINE ? malloc(size) : aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);
    if (!a->base) abort();
    a->bytes = a->base + a->front;
    memset(a->base, guard, a->front);
    memset(a->bytes + bytes, guard, GUARD);
    a->next = t->allocations;
    t->allocations = a;
    return a;
}

void *input_bytes(table *t, int64_t count, size_t element) {
    return allocate(t, (size_t)count * element, element, INPUT_GUARD)->bytes;
}

float *input_floats(table *t, int64_t count) {
    float *x = input_bytes(t, count, sizeof(float));
    for (int64_t i = 0; i < count; i++) x[i] = random_normal(t);
    return x;
}

void sprinkle_specials(table *t, float *x, int64_t count) {
    static const float specials[] = {NAN, INFINITY, -INFINITY, 0, -0.0f, 1e30f};
    for (int i = 0; i < 3 && count > 0; i++) x[random_in(t, 0, count - 1)] = specials[random_in(t, 0, 5)];
}

static result filled(table *t, size_t bytes, size_t alignment) {
    static const int fills[POOLS] = {0x7b, 0xff, 0x00, 0x55};
    result r;
    allocation *first = NULL;
    EACH_POOL(p) {
        allocation *a = allocate(t, bytes, alignment, OUTPUT_GUARD);
        a->pool = p;
        a->twin = first;
        if (p == 0) first = a;
        memset(a->bytes, fills[p], a->size);
        r.of[p] = a->bytes;
    }
    return r;
}

result output(table *t, int64_t count, size_t element) { return filled(t, (size_t)count * element, element); }
result output_in_lines(table *t, int64_t count, size_t element) { return filled(t, (size_t)count * element, LINE); }

void *workspace(table *t, size_t bytes) {
    allocation *a = allocate(t, bytes, sizeof(double), OUTPUT_GUARD);
    memset(a->bytes, 0xff, bytes); // NaN
    return a->bytes;
}

double *zeros(table *t, int64_t count) {
    allocation *a = allocate(t, (size_t)count * sizeof(double), sizeof(double), OUTPUT_GUARD);
    memset(a->bytes, 0, a->size);
    return (double *)(void *)a->bytes;
}

void *copy_of(table *t, const void *from, int64_t count, size_t element) {
    allocation *a = allocate(t, (size_t)count * element, element, OUTPUT_GUARD);
    memcpy(a->bytes, from, a->size);
    return a->bytes;
}

double activate(sdx_activation f, double x) {
    if (isnan(x)) return x;
    switch (f.kind) {
    case SDX_ACTIVATION_NONE: return x;
    case SDX_ACTIVATION_RELU: return fmax(x, 0);
    case SDX_ACTIVATION_LEAKY_RELU: return x < 0 ? x * f.a : x;
    case SDX_ACTIVATION_CLIP: return fmin(fmax(x, f.a), f.b);
    case SDX_ACTIVATION_SIGMOID: return 1 / (1 + exp(-x));
    case SDX_ACTIVATION_TANH: return tanh(x);
    case SDX_ACTIVATION_HARD_SIGMOID: return fmin(fmax(f.a * x + f.b, 0), 1);
    case SDX_ACTIVATION_HARD_SWISH: return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    case SDX_ACTIVATION_SILU: return x / (1 + exp(-x));
    case SDX_ACTIVATION_GELU: return 0.5 * x * (1 + erf(x / sqrt(2)));
    case SDX_ACTIVATION_GELU_TANH: return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case SDX_ACTIVATION_ELU: return x < 0 ? f.a * expm1(x) : x;
    }
    return NAN;
}
