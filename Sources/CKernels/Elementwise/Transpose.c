/// Strided copies and transpositions of elements of 1, 2, 4, 8 and 16 bytes: sdx_transpose, sdx_copy_strided, sdx_fill.
#include <string.h>

#include "../include/sdx_elementwise.h"
#include "StridedBox.h"
#define SDX_SELF "../Elementwise/Transpose.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS

#define v8 SDX_FN(tr_v8)
#define v8_any SDX_FN(tr_v8_any)
typedef uint32_t v8 __attribute__((ext_vector_type(8)));
typedef uint32_t v8_any __attribute__((ext_vector_type(8), aligned(1), may_alias));

/// dst[r·ds + c] = src[c·ss + r] for a tile of 8×8 words.
SDX_INLINE void SDX_FN(tile8x8)(const char *src, int64_t ss, char *dst, int64_t ds) {
    v8 a[8], b[8];
    for (int i = 0; i < 8; i++) a[i] = *(const v8_any *)(src + i * ss * 4);
    for (int i = 0; i < 8; i += 2) {
        b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
        a[i] = __builtin_shufflevector(b[i], b[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 1] = __builtin_shufflevector(b[i], b[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        a[i + 2] = __builtin_shufflevector(b[i + 1], b[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 3] = __builtin_shufflevector(b[i + 1], b[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
    }
    for (int i = 0; i < 4; i++) {
        *(v8_any *)(dst + i * ds * 4) = __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *(v8_any *)(dst + (i + 4) * ds * 4) = __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}
#undef v8
#undef v8_any

/// dst[r·ds + c] = src[c·ss + r], r in 0 ..< rows, c in 0 ..< columns, both multiples of 8; words.
static void SDX_FN(transpose4)(const char *src, int64_t ss, char *dst, int64_t ds, int64_t rows, int64_t columns) {
    for (int64_t r = 0; r < rows; r += 16)          // 16 words: whole cache lines of src …
        for (int64_t c = 0; c < columns; c += 16)   // … and of dst
            for (int64_t i = c; i < c + 16 && i < columns; i += 8)
                for (int64_t k = r; k < r + 16 && k < rows; k += 8)
                    SDX_FN(tile8x8)(src + (i * ss + k) * 4, ss, dst + (k * ds + i) * 4, ds);
}

#else

SDX_TABLE(transpose4, (const char *, int64_t, char *, int64_t, int64_t, int64_t))

typedef uint8_t u1;
typedef uint16_t u2 __attribute__((aligned(1), may_alias));
typedef uint32_t u4 __attribute__((aligned(1), may_alias));
typedef uint64_t u8 __attribute__((aligned(1), may_alias));
typedef struct __attribute__((packed, may_alias)) {
    uint64_t half[2];
} u16;
typedef uint8_t v16x1 __attribute__((ext_vector_type(16)));
typedef uint8_t v16x1_any __attribute__((ext_vector_type(16), aligned(1), may_alias));
typedef uint16_t v8x2 __attribute__((ext_vector_type(8)));
typedef uint16_t v8x2_any __attribute__((ext_vector_type(8), aligned(1), may_alias));

// n rounds of zipping row i with row i + n/2 transpose 2ⁿ rows.
static inline void tile16x16_bytes(const char *src, int64_t ss, char *dst, int64_t ds) {
    v16x1 a[16], b[16];
    for (int i = 0; i < 16; i++) a[i] = *(const v16x1_any *)(src + i * ss);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 8; i++) {
            b[2 * i] = SDX_ZIP_LOW_16(a[i], a[i + 8]);
            b[2 * i + 1] = SDX_ZIP_HIGH_16(a[i], a[i + 8]);
        }
        memcpy(a, b, sizeof a);
    }
    for (int i = 0; i < 16; i++) *(v16x1_any *)(dst + i * ds) = a[i];
}
static inline void tile8x8_halves(const char *src, int64_t ss, char *dst, int64_t ds) {
    v8x2 a[8], b[8];
    for (int i = 0; i < 8; i++) a[i] = *(const v8x2_any *)(src + i * ss * 2);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) {
            b[2 * i] = SDX_ZIP_LOW_8(a[i], a[i + 4]);
            b[2 * i + 1] = SDX_ZIP_HIGH_8(a[i], a[i + 4]);
        }
        memcpy(a, b, sizeof a);
    }
    for (int i = 0; i < 8; i++) *(v8x2_any *)(dst + i * ds * 2) = a[i];
}

// For each size: a row with any strides, and dst[r·ds + c] = src[c·ss + r].
#define DEFINE(T)                                                                                                      \
    static void row_##T(const char *src, int64_t ss, char *dst, int64_t ds, int64_t n) {                               \
        const T *s = (const T *)src;                                                                                   \
        T *d = (T *)dst;                                                                                               \
        if (ds == 1 && ss == 0) {                                                                                      \
            T value = *s;                                                                                              \
            for (int64_t i = 0; i < n; i++) d[i] = value;                                                              \
        } else if (ds == 1 && ss == 2) {                                                                               \
            for (int64_t i = 0; i < n; i++) d[i] = s[2 * i];                                                           \
        } else {                                                                                                       \
            for (int64_t i = 0; i < n; i++) d[i * ds] = s[i * ss];                                                     \
        }                                                                                                              \
    }                                                                                                                  \
    static void block_##T(const char *src, int64_t ss, char *dst, int64_t ds, int64_t rows, int64_t columns) {         \
        const T *s = (const T *)src;                                                                                   \
        T *d = (T *)dst;                                                                                               \
        if (columns <= 4 && ds == columns) { /* few channels, interleaved */                                           \
            if (columns == 2)                                                                                          \
                for (int64_t r = 0; r < rows; r++) d[2 * r] = s[r], d[2 * r + 1] = s[ss + r];                          \
            else if (columns == 3)                                                                                     \
                for (int64_t r = 0; r < rows; r++)                                                                     \
                    d[3 * r] = s[r], d[3 * r + 1] = s[ss + r], d[3 * r + 2] = s[2 * ss + r];                           \
            else                                                                                                       \
                for (int64_t r = 0; r < rows; r++)                                                                     \
                    for (int64_t c = 0; c < columns; c++) d[columns * r + c] = s[c * ss + r];                          \
            return;                                                                                                    \
        }                                                                                                              \
        if (rows == 3 && ss == 3) {                                                                                    \
            for (int64_t c = 0; c < columns; c++)                                                                      \
                d[c] = s[3 * c], d[ds + c] = s[3 * c + 1], d[2 * ds + c] = s[3 * c + 2];                               \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t r = 0; r < rows; r++)                                                                             \
            for (int64_t c = 0; c < columns; c++) d[r * ds + c] = s[c * ss + r];                                       \
    }
DEFINE(u1)
DEFINE(u2)
DEFINE(u4)
DEFINE(u8)
DEFINE(u16)
#undef DEFINE

typedef void (*block_function)(const char *, int64_t, char *, int64_t, int64_t, int64_t);

/// The whole of a transposition block: full tiles, then the right and lower edges.
static void transpose_block(
    int size, const char *src, int64_t ss, char *dst, int64_t ds, int64_t rows, int64_t columns) {
    static const block_function edges[] = {
        [1] = block_u1, [2] = block_u2, [4] = block_u4, [8] = block_u8, [16] = block_u16};
    int64_t tile = size == 1 ? 16 : size <= 4 ? 8 : 1, r = rows / tile * tile, c = columns / tile * tile;
    if (tile == 1 || r == 0 || c == 0) {
        edges[size](src, ss, dst, ds, rows, columns);
        return;
    }
    if (size == 4) {
        SDX_CALL(transpose4)(src, ss, dst, ds, r, c);
    } else {
        for (int64_t i = 0; i < r; i += tile) {
            for (int64_t k = 0; k < c; k += tile) {
                const char *s = src + (k * ss + i) * size;
                char *d = dst + (i * ds + k) * size;
                if (size == 1) tile16x16_bytes(s, ss, d, ds);
                else tile8x8_halves(s, ss, d, ds);
            }
        }
    }
    if (c < columns) edges[size](src + c * ss * size, ss, dst + c * size, ds, r, columns - c);
    if (r < rows) edges[size](src + r * size, ss, dst + r * ds * size, ds, rows - r, columns);
}

static void copy_row(int size, const char *src, int64_t ss, char *dst, int64_t ds, int64_t n) {
    if (ss == 1 && ds == 1) {
        memcpy(dst, src, (size_t)(n * size));
        return;
    }
    switch (size) {
    case 1: row_u1(src, ss, dst, ds, n); break;
    case 2: row_u2(src, ss, dst, ds, n); break;
    case 4: row_u4(src, ss, dst, ds, n); break;
    case 8: row_u8(src, ss, dst, ds, n); break;
    default: row_u16(src, ss, dst, ds, n); break;
    }
}

typedef struct {
    sdx_box box; // stride[0] of src, stride[1] of dst
    const char *src;
    char *dst;
    int size;
    int64_t chunk;                                           // rows: elements; blocks: unused
    int64_t rows, columns, src_stride, dst_stride;           // of the 2D transposition
    int64_t row_block, column_block, row_blocks, column_blocks;
} copy_job;

static void copy_rows(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const copy_job *j = ctx;
    const sdx_box *box = &j->box;
    int last = box->rank - 1;
    int64_t begin = chunk * j->chunk, end = begin + j->chunk < box->total ? begin + j->chunk : box->total;
    int64_t at[SDX_BOX_RANK], offset[2], row = box->shape[last], ss = box->stride[0][last], ds = box->stride[1][last];
    sdx_box_seek(box, last, begin / row, at, offset);
    for (int64_t p = begin; p < end;) {
        int64_t r = p % row, n = row - r < end - p ? row - r : end - p;
        copy_row(
            j->size, j->src + (offset[0] + r * ss) * j->size, ss, j->dst + (offset[1] + r * ds) * j->size, ds, n);
        p += n;
        sdx_box_next(box, last, at, offset);
    }
}

/// box holds the outer dimensions only.
static void copy_blocks(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const copy_job *j = ctx;
    int64_t at[SDX_BOX_RANK], offset[2];
    int64_t r = chunk % j->row_blocks * j->row_block, c = chunk / j->row_blocks % j->column_blocks * j->column_block;
    int64_t rows = j->rows - r < j->row_block ? j->rows - r : j->row_block;
    int64_t columns = j->columns - c < j->column_block ? j->columns - c : j->column_block;
    sdx_box_seek(&j->box, j->box.rank, chunk / (j->row_blocks * j->column_blocks), at, offset);
    transpose_block(
        j->size, j->src + (offset[0] + c * j->src_stride + r) * j->size, j->src_stride,
        j->dst + (offset[1] + r * j->dst_stride + c) * j->size, j->dst_stride, rows, columns);
}

void sdx_copy_strided(
    sdx_pool *pool, int elem_size, const void *src, const int64_t *src_strides, void *dst,
    const int64_t *dst_strides, const int64_t *shape, int rank) {
    copy_job job = {.src = src, .dst = dst, .size = elem_size};
    sdx_box *box = &job.box;
    sdx_box_make(box, rank, shape, src_strides, dst_strides);
    if (box->total <= 0) return;
    int last = box->rank - 1, k = last;
    if (box->stride[1][last] == 1 && box->stride[0][last] != 1 && box->stride[0][last] != 0)
        for (k = last - 1; k >= 0 && box->stride[0][k] != 1; k--) {}
    if (k == last || k < 0) {
        job.chunk = 131072 / elem_size;
        sdx_parallel_for(pool, (box->total + job.chunk - 1) / job.chunk, copy_rows, &job);
        return;
    }
    job.rows = box->shape[k];
    job.dst_stride = box->stride[1][k];
    job.columns = box->shape[last];
    job.src_stride = box->stride[0][last];
    box->rank = last - 1;
    int64_t outer = box->total / (job.rows * job.columns);
    for (int i = k; i < last - 1; i++) {
        box->shape[i] = box->shape[i + 1];
        box->stride[0][i] = box->stride[0][i + 1];
        box->stride[1][i] = box->stride[1][i + 1];
    }
    // About 64 KB a block, wide in whichever direction there is room.
    int64_t block = 65536 / elem_size;
    job.row_block = job.rows < 64 ? job.rows : 64;
    job.column_block = block / job.row_block / 16 * 16;
    if (job.column_block > job.columns) {
        job.column_block = job.columns;
        job.row_block = block / job.columns / 16 * 16;
        if (job.row_block < 64) job.row_block = 64;
        if (job.row_block > job.rows) job.row_block = job.rows;
    }
    job.row_blocks = (job.rows + job.row_block - 1) / job.row_block;
    job.column_blocks = (job.columns + job.column_block - 1) / job.column_block;
    sdx_parallel_for(pool, outer * job.row_blocks * job.column_blocks, copy_blocks, &job);
}

void sdx_transpose(
    sdx_pool *pool, int elem_size, const void *src, void *dst, const int64_t *shape, const int64_t *src_strides,
    int rank) {
    int64_t dst_strides[SDX_BOX_RANK], stride = 1;
    for (int k = rank - 1; k >= 0; k--) {
        dst_strides[k] = stride;
        stride *= shape[k];
    }
    sdx_copy_strided(pool, elem_size, src, src_strides, dst, dst_strides, shape, rank);
}

void sdx_fill(sdx_pool *pool, int elem_size, const void *value, void *dst, int64_t n) {
    const int64_t none = 0, one = 1;
    sdx_copy_strided(pool, elem_size, value, &none, dst, &one, &n, 1);
}
#endif
