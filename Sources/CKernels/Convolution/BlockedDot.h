/// Channel-blocked convolution to few plain output channels, in one ISA pass; after BlockedTiles.h. No include guard.
///
/// The lanes are the 8 channels of an input block, so that none is wasted on output channels that are not there; the
/// lanes of a sum are added at the end. Packed weights: panels of at most four output channels, each
/// [block][tap][output channel][8].

/// The most output channels that are computed so.
#undef BLOCKED_MOST_DOTS
#define BLOCKED_MOST_DOTS 7

#if SDX_TARGET_AVX512
typedef float SDX_FN(dots) __attribute__((ext_vector_type(16))); // two pixels
typedef float SDX_FN(dots_any) __attribute__((ext_vector_type(16), aligned(4), may_alias));
#else
typedef float SDX_FN(dots) __attribute__((ext_vector_type(8))); // one pixel, of one vector or two
typedef float SDX_FN(dots_any) __attribute__((ext_vector_type(8), aligned(4), may_alias));
#endif
typedef float SDX_FN(eight) __attribute__((ext_vector_type(8)));
typedef float SDX_FN(eight_any) __attribute__((ext_vector_type(8), aligned(4), may_alias));
enum {
    SDX_FN(dot_block) = 16, // pixels whose lanes are added together
    SDX_FN(dot_vector) = SDX_TARGET_AVX512 ? 2 : 1, // pixels of a vector
};

/// The output channels of the panel that begins where `left` remain.
SDX_INLINE int64_t SDX_FN(dot_panel)(int64_t left) { return left <= 4 ? left : (left + 1) / 2; }

/// Pixels of a tile: sums, weights and a value fit the registers.
SDX_INLINE int SDX_FN(dot_pixels)(int channels) {
#if SDX_TARGET_AVX512
    return channels == 4 ? 8 : 16;
#elif SDX_TARGET_NEON
    return channels == 1 ? 8 : channels == 4 ? 2 : 4;
#elif SDX_TARGET_AVX2
    return channels == 1 ? 8 : channels == 4 ? 2 : 4;
#else
    return channels == 1 ? 4 : channels == 2 ? 2 : 1;
#endif
}

/// sums[channel][pixel][8] = Σ x[pixel] · w over t's blocks and taps.
SDX_INLINE void SDX_FN(dot_tile)(const int vectors, const int channels, const blocked_tile *t, float *sums) {
    SDX_FN(dots) sum[4][8];
#pragma clang loop unroll(full)
    for (int k = 0; k < channels; k++)
#pragma clang loop unroll(full)
        for (int i = 0; i < vectors; i++) sum[k][i] = (SDX_FN(dots)){0};
    const float *x = t->x, *w = t->w;
    for (int64_t b = 0; b < t->blocks; b++, x += t->x_block, w += t->w_block)
        for (int64_t d = t->d.begin; d < t->d.end; d++) {
            const int64_t *offset = t->offsets + d * t->plane + t->first, *end = offset + t->count;
            const float *v = w + (d * t->plane + t->first) * channels * 8;
            for (; offset < end; offset++, v += channels * 8) {
                const float *p = x + *offset;
                SDX_FN(dots) weight[4];
#pragma clang loop unroll(full)
                for (int k = 0; k < channels; k++) {
                    SDX_FN(eight) one = *(const SDX_FN(eight_any) *)(v + k * 8);
#if SDX_TARGET_AVX512
                    weight[k] = __builtin_shufflevector(one, one, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7);
#else
                    weight[k] = one;
#endif
                }
#pragma clang loop unroll(full)
                for (int i = 0; i < vectors; i++) {
                    SDX_FN(dots) value = *(const SDX_FN(dots_any) *)(p + i * SDX_FN(dot_vector) * 8);
#pragma clang loop unroll(full)
                    for (int k = 0; k < channels; k++) {
#if SDX_HAS_FMA
                        sum[k][i] = __builtin_elementwise_fma(value, weight[k], sum[k][i]);
#else
                        sum[k][i] = value * weight[k] + sum[k][i];
#endif
                    }
                }
            }
        }
#pragma clang loop unroll(full)
    for (int k = 0; k < channels; k++)
#pragma clang loop unroll(full)
        for (int i = 0; i < vectors; i++)
            *(SDX_FN(dots_any) *)(sums + (k * SDX_FN(dot_block) + i * SDX_FN(dot_vector)) * 8) = sum[k][i];
}

/// The same for a single pixel.
SDX_INLINE void SDX_FN(dot_pixel)(const int channels, const blocked_tile *t, float *sums) {
    SDX_FN(eight) sum[4] = {{0}};
    const float *x = t->x, *w = t->w;
    for (int64_t b = 0; b < t->blocks; b++, x += t->x_block, w += t->w_block)
        for (int64_t d = t->d.begin; d < t->d.end; d++)
            for (int64_t i = d * t->plane + t->first; i < d * t->plane + t->first + t->count; i++) {
                SDX_FN(eight) value = *(const SDX_FN(eight_any) *)(x + t->offsets[i]);
#pragma clang loop unroll(full)
                for (int k = 0; k < channels; k++) {
                    SDX_FN(eight) weight = *(const SDX_FN(eight_any) *)(w + (i * channels + k) * 8);
#if SDX_HAS_FMA
                    sum[k] = __builtin_elementwise_fma(value, weight, sum[k]);
#else
                    sum[k] = value * weight + sum[k];
#endif
                }
            }
#pragma clang loop unroll(full)
    for (int k = 0; k < channels; k++) *(SDX_FN(eight_any) *)(sums + k * SDX_FN(dot_block) * 8) = sum[k];
}

/// The sums of the lanes of 8 pixels [pixel][8], onto `to` where `add`. Each step adds halves while it interleaves
/// pixels.
SDX_INLINE void SDX_FN(add_lanes)(const float *sums, bool add, float *to) {
    SDX_FN(eight) v[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) v[i] = *(const SDX_FN(eight_any) *)(sums + 8 * i);
#pragma clang loop unroll(full)
    for (int half = 4; half > 0; half /= 2)
#pragma clang loop unroll(full)
        for (int i = 0; i < half; i++) v[i] = SDX_ZIP_LOW_8(v[i], v[i + half]) + SDX_ZIP_HIGH_8(v[i], v[i + half]);
    *(SDX_FN(eight_any) *)to = add ? *(const SDX_FN(eight_any) *)to + v[0] : v[0];
}

/// One row of `width` pixels by `channels` output channels: sums[channel · stride + pixel] = or, with `add`, +=.
SDX_INLINE void SDX_FN(dot_row)(
    const int channels, blocked_tile *t, float *sums, int64_t stride, int64_t width, bool add) {
    _Alignas(64) float local[4 * SDX_FN(dot_block) * 8];
    const float *x = t->x;
    for (int64_t pixel = 0; pixel < width; pixel += SDX_FN(dot_block)) {
        int64_t count = width - pixel < SDX_FN(dot_block) ? width - pixel : SDX_FN(dot_block), i = 0;
        const int step = SDX_FN(dot_pixels)(channels);
        for (; i + step <= count; i += step) {
            t->x = x + (pixel + i) * 8;
            SDX_FN(dot_tile)(step / SDX_FN(dot_vector), channels, t, local + i * 8);
        }
        for (; i < count; i++) {
            t->x = x + (pixel + i) * 8;
            SDX_FN(dot_pixel)(channels, t, local + i * 8);
        }
        for (int64_t p = i; p < (i + 7) / 8 * 8; p++) // the lanes of no pixel
            for (int k = 0; k < channels; k++)
                *(SDX_FN(eight_any) *)(local + (k * SDX_FN(dot_block) + p) * 8) = (SDX_FN(eight)){0};
        for (int k = 0; k < channels; k++)
            for (i = 0; i < count; i += 8) {
                const float *from = local + (k * SDX_FN(dot_block) + i) * 8;
                float *to = sums + k * stride + pixel + i, rest[8];
                if (i + 8 <= count) {
                    SDX_FN(add_lanes)(from, add, to);
                } else {
                    SDX_FN(add_lanes)(from, false, rest);
                    for (int64_t j = 0; i + j < count; j++) to[j] = add ? to[j] + rest[j] : rest[j];
                }
            }
    }
}
static void SDX_FN(dot_row_1)(blocked_tile *t, float *sums, int64_t stride, int64_t width, bool add) {
    SDX_FN(dot_row)(1, t, sums, stride, width, add);
}
static void SDX_FN(dot_row_2)(blocked_tile *t, float *sums, int64_t stride, int64_t width, bool add) {
    SDX_FN(dot_row)(2, t, sums, stride, width, add);
}
static void SDX_FN(dot_row_3)(blocked_tile *t, float *sums, int64_t stride, int64_t width, bool add) {
    SDX_FN(dot_row)(3, t, sums, stride, width, add);
}
static void SDX_FN(dot_row_4)(blocked_tile *t, float *sums, int64_t stride, int64_t width, bool add) {
    SDX_FN(dot_row)(4, t, sums, stride, width, add);
}
static void (*const SDX_FN(dot_rows)[4])(blocked_tile *, float *, int64_t, int64_t, bool) = {
    SDX_FN(dot_row_1), SDX_FN(dot_row_2), SDX_FN(dot_row_3), SDX_FN(dot_row_4)};
