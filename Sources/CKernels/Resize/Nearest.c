/// Nearest-neighbour resizing of elements of 1, 2, 4 and 8 bytes: sdx_resize_nearest. Plain C: it is bound by memory.
#include <string.h>

#include "../include/sdx_resize.h"

typedef uint8_t u1;
typedef uint16_t u2 __attribute__((aligned(1), may_alias));
typedef uint32_t u4 __attribute__((aligned(1), may_alias));
typedef uint64_t u8 __attribute__((aligned(1), may_alias));

/// What the table along w does.
typedef enum { ROW_ANY, ROW_ANY_INSIDE, ROW_COPY, ROW_TWICE } row_kind;

#define DEFINE(T)                                                                                                      \
    static void row_##T(row_kind kind, const void *x, void *y, const int32_t *index, int64_t n, const void *outside) { \
        const T *s = x;                                                                                                \
        T *d = y;                                                                                                      \
        const T e = *(const T *)outside;                                                                               \
        switch (kind) {                                                                                                \
        case ROW_COPY: memcpy(d, s, (size_t)n * sizeof(T)); break;                                                     \
        case ROW_TWICE:                                                                                                \
            for (int64_t i = 0; i < n / 2; i++) d[2 * i] = d[2 * i + 1] = s[i];                                        \
            if (n % 2) d[n - 1] = s[n / 2];                                                                            \
            break;                                                                                                     \
        case ROW_ANY_INSIDE:                                                                                           \
            for (int64_t i = 0; i < n; i++) d[i] = s[index[i]];                                                        \
            break;                                                                                                     \
        case ROW_ANY:                                                                                                  \
            for (int64_t i = 0; i < n; i++) d[i] = index[i] < 0 ? e : s[index[i]];                                     \
            break;                                                                                                     \
        }                                                                                                              \
    }                                                                                                                  \
    static void fill_##T(void *y, int64_t n, const void *outside) {                                                    \
        T *d = y;                                                                                                      \
        const T e = *(const T *)outside;                                                                               \
        for (int64_t i = 0; i < n; i++) d[i] = e;                                                                      \
    }
DEFINE(u1)
DEFINE(u2)
DEFINE(u4)
DEFINE(u8)
#undef DEFINE

typedef struct {
    const char *x;
    char *y;
    const int64_t *in, *out;
    const int32_t *const *index;
    const void *outside;
    int64_t rows, group;
    int size;
    row_kind kind;
    void (*row)(row_kind, const void *, void *, const int32_t *, int64_t, const void *);
    void (*fill)(void *, int64_t, const void *);
} nearest_job;

static void nearest_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const nearest_job *j = ctx;
    int64_t end = (chunk + 1) * j->group < j->rows ? (chunk + 1) * j->group : j->rows, n = j->out[2];
    const char *last = NULL; // the input row that the row before was made from
    for (int64_t row = chunk * j->group; row < end; row++) {
        int64_t oh = row % j->out[1], od = row / j->out[1] % j->out[0], plane = row / j->out[1] / j->out[0];
        int64_t d = j->index[0][od], h = j->index[1][oh];
        char *y = j->y + row * n * j->size;
        if (d < 0 || h < 0) {
            j->fill(y, n, j->outside);
            last = NULL;
            continue;
        }
        const char *x = j->x + ((plane * j->in[0] + d) * j->in[1] + h) * j->in[2] * j->size;
        if (x == last) memcpy(y, y - n * j->size, (size_t)(n * j->size));
        else j->row(j->kind, x, y, j->index[2], n, j->outside);
        last = x;
    }
}

void sdx_resize_nearest(
    sdx_pool *pool, int elem_size, const void *x, void *y, int64_t planes, const int64_t in[3], const int64_t out[3],
    const int32_t *const index[3], const void *extrapolation) {
    nearest_job job = {.x = x, .y = y, .in = in, .out = out, .index = index, .outside = extrapolation};
    job.size = elem_size;
    job.rows = planes * out[0] * out[1];
    if (job.rows <= 0 || out[2] <= 0) return;
    int copy = 1, twice = 1, outside = 0;
    for (int64_t i = 0; i < out[2]; i++) {
        copy &= index[2][i] == i;
        twice &= index[2][i] == i / 2;
        outside |= index[2][i] < 0;
    }
    job.kind = copy ? ROW_COPY : twice ? ROW_TWICE : outside ? ROW_ANY : ROW_ANY_INSIDE;
    job.row = elem_size == 1 ? row_u1 : elem_size == 2 ? row_u2 : elem_size == 4 ? row_u4 : row_u8;
    job.fill = elem_size == 1 ? fill_u1 : elem_size == 2 ? fill_u2 : elem_size == 4 ? fill_u4 : fill_u8;
    job.group = 32768 / out[2] + 1;
    sdx_parallel_for(pool, (job.rows + job.group - 1) / job.group, nearest_chunk, &job);
}
