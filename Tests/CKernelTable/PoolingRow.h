#ifndef KERNEL_TABLE_POOLING_ROW_H
#define KERNEL_TABLE_POOLING_ROW_H
/// The shapes that pooling is checked with, whatever the layout.
#include "Table.h"

typedef struct pooling_row {
    const char *what;
    int64_t batch, channels;
    // D, H, W. A kernel, stride or dilation of 0 counts as 1.
    int64_t in[3], kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
    bool ceil_mode;
} pooling_row;

/// Any window on maps of up to `rows` rows and `columns` columns.
static inline pooling_row random_pooling_row(
    table *t, int64_t batch, int64_t channels, int64_t rows, int64_t columns) {
    pooling_row r = {"random", batch, channels};
    for (int k = 0; k < 3; k++) {
        bool flat = k < 2 && random_chance(t, 2);
        r.in[k] = flat ? 1 : random_in(t, 1, k == 2 ? columns : rows);
        r.kernel[k] = flat ? 1 : random_in(t, 1, 5);
        r.stride[k] = flat ? 1 : random_in(t, 1, 4);
        r.dilation[k] = random_chance(t, 3) ? random_in(t, 1, 3) : 1;
        r.pad_begin[k] = flat ? 0 : random_in(t, 0, r.kernel[k] - 1);
        r.pad_end[k] = flat ? 0 : random_in(t, 0, r.kernel[k] - 1);
        r.in[k] = larger(r.in[k], (r.kernel[k] - 1) * r.dilation[k] + 1 - r.pad_begin[k] - r.pad_end[k]);
    }
    r.ceil_mode = random_chance(t, 2);
    return r;
}

static inline sdx_pool_window window_of(const pooling_row *r) {
    sdx_pool_window w = {0};
    for (int k = 0; k < 3; k++) {
        w.in[k] = r->in[k];
        w.kernel[k] = larger(r->kernel[k], 1);
        w.stride[k] = larger(r->stride[k], 1);
        w.dilation[k] = larger(r->dilation[k], 1);
        w.pad_begin[k] = r->pad_begin[k];
        w.pad_end[k] = r->pad_end[k];
        int64_t room = w.in[k] + w.pad_begin[k] + w.pad_end[k] - (w.kernel[k] - 1) * w.dilation[k] - 1;
        w.out[k] = room < 0 ? 0 : (room + (r->ceil_mode ? w.stride[k] - 1 : 0)) / w.stride[k] + 1;
    }
    return w;
}
#endif
