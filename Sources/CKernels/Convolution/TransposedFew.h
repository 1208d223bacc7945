/// Transposed convolution from layout c8 to 1 ... 7 plain channels, in one ISA pass; after TransposedC8Plan.h and Activation.h.
/// No include guard: on purpose.
///
/// The lanes are pixels along W, so that none is wasted on channels that are not there: a box of inputs is copied with its
/// channels plain, and a tile is some vectors of pixels, of one row or several, by all output channels. All residues of a
/// tile come one after the other, while its inputs are in the first level of cache, and those along W are stored interleaved.
/// Packed weights: [residue d][residue h][residue w][c][tap][k].

#undef FEW_ZIP_LOW
#undef FEW_ZIP_HIGH
#if SDX_V == 16
#define FEW_ZIP_LOW SDX_ZIP_LOW_16
#define FEW_ZIP_HIGH SDX_ZIP_HIGH_16
#elif SDX_V == 8
#define FEW_ZIP_LOW SDX_ZIP_LOW_8
#define FEW_ZIP_HIGH SDX_ZIP_HIGH_8
#else
#define FEW_ZIP_LOW SDX_ZIP_LOW_4
#define FEW_ZIP_HIGH SDX_ZIP_HIGH_4
#endif
#undef FEW_VECTORS
#define FEW_VECTORS 8 // the most of a tile

/// Vectors of a tile of k channels: with sums, the weights of a tap and a vector of x in the registers.
static int SDX_FN(few_vectors)(int64_t k) {
#if SDX_TARGET_AVX512 || SDX_TARGET_NEON
    static const int vectors[C8_MOST_FEW] = {8, 8, 8, 6, 4, 4, 3};
#else
    static const int vectors[C8_MOST_FEW] = {8, 6, 4, 2, 2, 1, 1};
#endif
    return vectors[k - 1];
}

typedef struct {
    const float *x;         // of the box's copy
    int64_t channel;        // floats from a channel to the next one
    int64_t channels;
    const int64_t *taps;    // places relative to a pixel's
    int64_t tap_count;
    const float *w;         // [channel][tap][k]
    int64_t at[FEW_VECTORS]; // places of the vectors' first pixels
} SDX_FN(few_tile);

/// sums[k][vector][lane] = Σ w · x.
SDX_INLINE void SDX_FN(few_product)(const int k, const int vectors, const SDX_FN(few_tile) * t, float *sums) {
    vf sum[C8_MOST_FEW][FEW_VECTORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < k; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sum[i][v] = (vf){0};
    const float *w = t->w, *x = t->x, *at[FEW_VECTORS];
    for (int64_t c = 0; c < t->channels; c++, x += t->channel) {
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) at[v] = x + t->at[v];
        for (int64_t tap = 0; tap < t->tap_count; tap++, w += k) {
            vf weight[C8_MOST_FEW];
#pragma clang loop unroll(full)
            for (int i = 0; i < k; i++) weight[i] = vbroadcast(w + i);
            int64_t offset = t->taps[tap];
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) {
                vf value = vload(at[v] + offset);
#pragma clang loop unroll(full)
                for (int i = 0; i < k; i++) sum[i][v] = vfma(weight[i], value, sum[i][v]);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < k; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) vstore(sums + (i * vectors + v) * SDX_V, sum[i][v]);
}

#if SDX_TARGET_AVX512 || SDX_TARGET_NEON
#define SDX_FEW(ROW) ROW(1, 8) ROW(2, 8) ROW(3, 8) ROW(4, 6) ROW(5, 4) ROW(6, 4) ROW(7, 3)
#else
#define SDX_FEW(ROW) ROW(1, 8) ROW(2, 6) ROW(3, 4) ROW(4, 2) ROW(5, 2) ROW(6, 1) ROW(7, 1)
#endif
#define SDX_FEW_PRODUCT(K, VECTORS)                                                                                    \
    static void SDX_FN(few_product_##K)(const SDX_FN(few_tile) * t, float *sums) {                                     \
        SDX_FN(few_product)(K, VECTORS, t, sums);                                                                      \
    }
SDX_FEW(SDX_FEW_PRODUCT)
#define SDX_FEW_NAME(K, VECTORS) SDX_FN(few_product_##K),
static void (*const SDX_FN(few_products)[C8_MOST_FEW])(const SDX_FN(few_tile) *, float *) = {SDX_FEW(SDX_FEW_NAME)};
#undef SDX_FEW
#undef SDX_FEW_PRODUCT
#undef SDX_FEW_NAME

static void SDX_FN(few_pack)(const sdx_conv_params *p, const float *w, float *packed) {
    const int64_t *kernel = p->kernel, taps = kernel[0] * kernel[1] * kernel[2];
    for (int64_t at = 0; at < p->stride[0] * p->stride[1] * p->stride[2]; at++) {
        residue_axis d = transposed_residue(p, 0, at / p->stride[2] / p->stride[1]);
        residue_axis h = transposed_residue(p, 1, at / p->stride[2] % p->stride[1]);
        residue_axis v = transposed_residue(p, 2, at % p->stride[2]);
        for (int64_t c = 0; c < p->c; c++)
            for (int64_t i = 0; i < d.axis.taps * h.axis.taps * v.axis.taps; i++) {
                int64_t tw = i % v.axis.taps, th = i / v.axis.taps % h.axis.taps, td = i / v.axis.taps / h.axis.taps;
                int64_t tap = ((d.first_tap + td * d.tap_step) * kernel[1] + h.first_tap + th * h.tap_step) * kernel[2] +
                              v.first_tap + tw * v.tap_step;
                for (int64_t k = 0; k < p->k; k++) *packed++ = w[(c * p->k + k) * taps + tap];
            }
    }
}

/// Floats of a row of the copy: whole vectors, and what taps read beyond.
static inline int64_t SDX_FN(few_row)(const c8_plan *plan, int64_t pixels) {
    return c8_ceil(c8_ceil(pixels, SDX_V) * SDX_V + c8_halo(&plan->axes[2]), 16) * 16;
}

static inline int64_t SDX_FN(few_sums)(const sdx_conv_params *p) {
    return p->stride[2] * p->k * SDX_FN(few_vectors)(p->k) * SDX_V;
}

static c8_plan SDX_FN(few_plan_run)(const sdx_conv_params *p) {
    c8_plan plan = c8_plan_run(p, 1, 16);
    const c8_axis *a = plan.axes;
    plan.parts = 1;
    plan.space_floats =
        p->c * (a[0].box + c8_halo(&a[0])) * (a[1].box + c8_halo(&a[1])) * SDX_FN(few_row)(&plan, a[2].box);
    plan.worker_floats = c8_ceil(plan.space_floats + SDX_FN(few_sums)(p), 16) * 16;
    return plan;
}

/// Copies `count` pixels of 8 channels each to 8 rows `channel` floats apart.
static void SDX_FN(few_spread)(const float *from, int64_t count, float *to, int64_t channel) {
    typedef float eight __attribute__((ext_vector_type(8)));
    typedef float eight_any __attribute__((ext_vector_type(8), aligned(4), may_alias));
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        eight v[8], t[8];
#pragma clang loop unroll(full)
        for (int j = 0; j < 8; j++) v[j] = *(const eight_any *)(from + (i + j) * 8);
#pragma clang loop unroll(full)
        for (int round = 0; round < 3; round++) {
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++) {
                t[2 * j] = SDX_ZIP_LOW_8(v[j], v[j + 4]);
                t[2 * j + 1] = SDX_ZIP_HIGH_8(v[j], v[j + 4]);
            }
#pragma clang loop unroll(full)
            for (int j = 0; j < 8; j++) v[j] = t[j];
        }
#pragma clang loop unroll(full)
        for (int j = 0; j < 8; j++) *(eight_any *)(to + j * channel + i) = v[j];
    }
    for (; i < count; i++)
        for (int j = 0; j < 8; j++) to[j * channel + i] = from[i * 8 + j];
}

/// Copies the inputs around a box with their channels plain, zeros outside x.
static void SDX_FN(few_fill)(const c8_plan *plan, const c8_box *box, int64_t row, const float *x, float *space) {
    const int64_t *in = plan->p->in;
    c8_inputs around = c8_inputs_of(plan, box);
    const int64_t *begin = around.begin, *extent = around.extent, low = around.low, high = around.high;
    int64_t channel = extent[0] * extent[1] * row;
    for (int64_t b = 0; b < plan->p->c / 8; b++, x += in[0] * in[1] * in[2] * 8, space += 8 * channel)
        for (int64_t d = 0; d < extent[0]; d++)
            for (int64_t h = 0; h < extent[1]; h++) {
                int64_t id = begin[0] + d, ih = begin[1] + h, end = low;
                float *to = space + (d * extent[1] + h) * row;
                if (id >= 0 && id < in[0] && ih >= 0 && ih < in[1] && high > low) {
                    const float *from = x + ((id * in[1] + ih) * in[2] + begin[2] + low) * 8;
                    SDX_FN(few_spread)(from, high - low, to + low, channel);
                    end = high;
                }
                for (int j = 0; j < 8; j++) {
                    memset(to + j * channel, 0, (size_t)low * sizeof(float));
                    memset(to + j * channel + end, 0, (size_t)(row - end) * sizeof(float));
                }
            }
}

/// Stores the results of `count` pixels, sums[residue · plane + lane], a stride apart as far as `left` goes.
SDX_INLINE void SDX_FN(few_store)(
    const float *sums, int64_t plane, int64_t stride, int64_t count, int64_t left, float bias, sdx_activation activation,
    float *y) {
    vf add = vsplat(bias);
    if (stride == 2 && count == SDX_V && left >= 2 * SDX_V) {
        vf a = vactivate(activation, vload(sums) + add), b = vactivate(activation, vload(sums + plane) + add);
        vstore(y, FEW_ZIP_LOW(a, b));
        vstore(y + SDX_V, FEW_ZIP_HIGH(a, b));
        return;
    }
    for (int64_t r = 0; r < stride; r++) {
        float row[SDX_V];
        vstore(row, vactivate(activation, vload(sums + r * plane) + add));
        for (int64_t i = 0; i < count && i * stride + r < left; i++) y[i * stride + r] = row[i];
    }
}

static void SDX_FN(few_chunk)(void *context, int64_t chunk, int worker) {
    const c8_plan *plan = context;
    const sdx_conv_params *p = plan->p;
    const c8_axis *a = plan->axes;
    c8_box box = c8_box_of(plan, &chunk);
    int64_t row = SDX_FN(few_row)(plan, box.size[2]), rows = box.size[1] + c8_halo(&a[1]);
    int64_t out_pixels = p->out[0] * p->out[1] * p->out[2];
    float *space = plan->workspace + worker * plan->worker_floats, *sums = space + plan->space_floats;
    SDX_FN(few_fill)(plan, &box, row, plan->x + chunk * p->c * p->in[0] * p->in[1] * p->in[2], space);
    float *y = plan->y + chunk * p->k * out_pixels;

    SDX_FN(few_tile) tile = {.x = space, .channel = (box.size[0] + c8_halo(&a[0])) * rows * row, .channels = p->c};
    int64_t row_vectors = c8_ceil(box.size[2], SDX_V), all = box.size[0] * box.size[1] * row_vectors;
    const int vectors = SDX_FN(few_vectors)(p->k);
    int64_t plane = p->k * vectors * SDX_V;
    for (int64_t first = 0; first < all; first += vectors) {
        int64_t place[FEW_VECTORS][3]; // pixel in the box
        for (int v = 0; v < vectors; v++) {
            int64_t at = c8_least(first + v, all - 1); // beyond the end, the last once more
            place[v][0] = at / row_vectors / box.size[1];
            place[v][1] = at / row_vectors % box.size[1];
            place[v][2] = at % row_vectors * SDX_V;
            tile.at[v] = (place[v][0] * rows + place[v][1]) * row + place[v][2];
        }
        const float *w = plan->packed;
        for (int64_t dh = 0; dh < p->stride[0] * p->stride[1]; dh++) {
            int64_t residue[3] = {dh / p->stride[1], dh % p->stride[1], 0};
            for (residue[2] = 0; residue[2] < p->stride[2]; residue[2]++) {
                const gather_axis *g[3];
                for (int i = 0; i < 3; i++) g[i] = &a[i].residues[residue[i]].axis;
                int64_t taps[C8_MOST_TAPS], count = 0;
                for (int64_t td = 0; td < g[0]->taps; td++)
                    for (int64_t th = 0; th < g[1]->taps; th++)
                        for (int64_t tw = 0; tw < g[2]->taps; tw++)
                            taps[count++] = ((g[0]->first + td * g[0]->delta - a[0].low) * rows + g[1]->first +
                                             th * g[1]->delta - a[1].low) * row +
                                            g[2]->first + tw * g[2]->delta - a[2].low;
                tile.taps = taps;
                tile.tap_count = count;
                tile.w = w;
                SDX_FN(few_products)[p->k - 1](&tile, sums + residue[2] * plane);
                w += p->c * count * p->k;
            }
            for (int v = 0; v < vectors && first + v < all; v++) {
                int64_t od = (box.first[0] + place[v][0]) * p->stride[0] + residue[0];
                int64_t oh = (box.first[1] + place[v][1]) * p->stride[1] + residue[1];
                int64_t ow = (box.first[2] + place[v][2]) * p->stride[2];
                if (od >= p->out[0] || oh >= p->out[1]) continue;
                int64_t count = c8_least(box.size[2] - place[v][2], SDX_V);
                for (int64_t k = 0; k < p->k; k++)
                    SDX_FN(few_store)(
                        sums + (k * vectors + v) * SDX_V, plane, p->stride[2], count, p->out[2] - ow,
                        plan->bias ? plan->bias[k] : 0, p->activation,
                        y + k * out_pixels + (od * p->out[1] + oh) * p->out[2] + ow);
            }
        }
    }
}
