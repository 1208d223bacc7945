/// Products straight from x, without packing, for convolutions with few output channels: gathering a column panel would
/// cost a good part of multiplying it by a few row panels. In one ISA pass; after Pixels.h and MicroKernel.h.
/// No include guard.
///
/// It serves column panels whose pixels are a piece of one output row and read only inside x. The sums run in the same
/// order as those of packed panels: the bits are the same.

enum { SDX_FN(most_k) = SDX_BLOCK_K_BYTES / 4 };

static bool SDX_FN(is_direct)(const gather *g, int64_t m) {
    return m <= 48 && g->w.step == 1 && g->w.taps > 1;
}

/// The k values of one block, as places in x relative to the first pixel of a panel.
static void SDX_FN(find_offsets)(const gather *g, int64_t k0, int64_t k, int64_t *offsets) {
    int64_t tw = k0 % g->w.taps, rest = k0 / g->w.taps, th = rest % g->h.taps;
    rest /= g->h.taps;
    int64_t td = rest % g->d.taps, channel = rest / g->d.taps;
    for (int64_t i = 0; i < k; i++) {
        int64_t d = channel * g->d.in + g->d.first + td * g->d.delta, h = g->h.first + th * g->h.delta;
        offsets[i] = (d * g->h.in + h) * g->w.in + g->w.first + tw * g->w.delta;
        if (++tw < g->w.taps) continue;
        tw = 0;
        if (++th < g->h.taps) continue;
        th = 0;
        if (++td < g->d.taps) continue;
        td = 0;
        channel++;
    }
}

/// Whether outputs [o, o + count) read only inside the axis, with every tap.
static bool SDX_FN(inner)(const gather_axis *axis, int64_t o, int64_t count) {
    int64_t near = axis->first, far = near + (axis->taps - 1) * axis->delta;
    int64_t low = near < far ? near : far, high = near < far ? far : near;
    return o * axis->step + low >= 0 && (o + count - 1) * axis->step + high < axis->in;
}

/// Where the NR pixels from `pixel` on begin in a channel (at d, h, w times their steps); -1 where they are no direct
/// panel.
static int64_t SDX_FN(direct_start)(const gather *g, int64_t pixel) {
    int64_t ow = pixel % g->w.out, rest = pixel / g->w.out, oh = rest % g->h.out, od = rest / g->h.out;
    if (ow + NR > g->w.out) return -1;
    if (!SDX_FN(inner)(&g->w, ow, NR) || !SDX_FN(inner)(&g->h, oh, 1) || !SDX_FN(inner)(&g->d, od, 1)) return -1;
    return (od * g->d.step * g->h.in + oh * g->h.step) * g->w.in + ow;
}

/// c[i, j] = or += Σₚ a[p, i] · x[offsets[p] + j] for `rows` rows and NR columns.
SDX_INLINE void SDX_FN(direct_tile)(
    const int rows, int64_t k, const float *restrict a, const float *restrict x, const int64_t *restrict offsets,
    float *restrict c, int64_t ldc, int add) {
    vf sum[SDX_MR][SDX_NV];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * ldc, 1);
#pragma clang loop unroll(full)
        for (int j = 0; j < SDX_NV; j++) sum[i][j] = (vf){0};
    }
#pragma clang loop unroll_count(2)
    for (int64_t p = 0; p < k; p++) {
        const float *b = x + offsets[p];
        vf row[SDX_NV];
#pragma clang loop unroll(full)
        for (int j = 0; j < SDX_NV; j++) row[j] = vload(b + j * SDX_V);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            vf value = vbroadcast(a + i);
#pragma clang loop unroll(full)
            for (int j = 0; j < SDX_NV; j++) sum[i][j] = vfma(value, row[j], sum[i][j]);
        }
        a += rows;
    }
    TN(store_sums)(rows, SDX_NV, sum, c, ldc, add);
}

typedef void (*SDX_FN(direct_function))(
    int64_t k, const float *a, const float *x, const int64_t *offsets, float *c, int64_t ldc, int add);
#define SDX_DIRECT(R)                                                                                                  \
    static void SDX_FN(direct_##R)(                                                                                    \
        int64_t k, const float *a, const float *x, const int64_t *offsets, float *c, int64_t ldc, int add) {           \
        SDX_FN(direct_tile)(R, k, a, x, offsets, c, ldc, add);                                                         \
    }
SDX_DIRECT(1) SDX_DIRECT(2) SDX_DIRECT(3) SDX_DIRECT(4)
#if SDX_MR >= 6
SDX_DIRECT(5) SDX_DIRECT(6)
#endif
#if SDX_MR >= 8
SDX_DIRECT(7) SDX_DIRECT(8)
#endif
#if SDX_MR >= 14
SDX_DIRECT(9) SDX_DIRECT(10) SDX_DIRECT(11) SDX_DIRECT(12) SDX_DIRECT(13) SDX_DIRECT(14)
#endif
#undef SDX_DIRECT

/// By rows - 1.
static const SDX_FN(direct_function) SDX_FN(direct_functions)[SDX_MR] = {
    SDX_FN(direct_1), SDX_FN(direct_2), SDX_FN(direct_3), SDX_FN(direct_4),
#if SDX_MR >= 6
    SDX_FN(direct_5), SDX_FN(direct_6),
#endif
#if SDX_MR >= 8
    SDX_FN(direct_7), SDX_FN(direct_8),
#endif
#if SDX_MR >= 14
    SDX_FN(direct_9), SDX_FN(direct_10), SDX_FN(direct_11), SDX_FN(direct_12), SDX_FN(direct_13), SDX_FN(direct_14),
#endif
};

/// Does what multiply_block does for `block`, whose columns are the pixels from block->column0 on and whose b is
/// scratch for one packed panel; x is the first channel of the group.
static void SDX_FN(multiply_direct)(
    const SDX_FN(block_f32) * block, const gather *g, const float *x, float *space, int64_t k0) {
    int64_t offsets[SDX_FN(most_k)];
    SDX_FN(find_offsets)(g, k0, block->k, offsets);
    int64_t panels = SDX_FN(row_panels_f32)(block->m), first = SDX_FN(row_start_f32)(block->m, panels, block->panel0);
    const SDX_FN(epilogue_f32) *e = block->epilogue && !block->epilogue->nothing ? block->epilogue : NULL;
    for (int64_t column = block->column0; column < block->column1; column += NR) {
        int64_t columns = block->column1 - column < NR ? block->column1 - column : NR;
        int64_t start = columns == NR ? SDX_FN(direct_start)(g, column) : -1;
        float *c = block->c + (column - block->column0);
        if (start < 0) {
            SDX_FN(pack_pixels)(g, x, k0, block->k, column, columns, space);
            SDX_FN(block_f32) panel = *block;
            panel.b = space;
            panel.column0 = column;
            panel.column1 = column + columns;
            panel.c = c;
            SDX_FN(multiply_block_f32)(&panel);
            continue;
        }
        for (int64_t p = block->panel0; p < block->panel1; p++) {
            int64_t row = SDX_FN(row_start_f32)(block->m, panels, p);
            int64_t rows = SDX_FN(row_start_f32)(block->m, panels, p + 1) - row;
            const float *a = block->a + (row - first) * block->a_k + rows * block->a_k0;
            float *to = c + row * block->ldc;
            SDX_FN(direct_functions)[rows - 1](block->k, a, x + start, offsets, to, block->ldc, block->add);
            if (e) SDX_FN(finish_tile_f32)(e, to, block->ldc, to, block->ldc, rows, NR, 0, row, column);
        }
    }
}
