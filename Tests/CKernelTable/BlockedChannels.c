/// The channel-blocked layout: what joins channels of a pixel, or moves them between channels and pixels.
#include "Blocked.h"

static void check_softmax(table *t, int64_t batch, int64_t channels, int64_t pixels, bool specials) {
    table_row(t, "softmax, batch %lld channels %lld pixels %lld specials %d", (long long)batch, (long long)channels,
              (long long)pixels, specials);
    int64_t count = batch * channels * pixels;
    float *x = input_floats(t, count);
    for (int64_t i = 0; i < count; i++) x[i] *= (float)(1 + i % 5);
    if (specials && count > 0) {
        x[random_in(t, 0, count - 1)] = NAN;
        x[random_in(t, 0, count - 1)] = -INFINITY;
    }
    result y = output(t, count, 4), logarithm = output(t, count, 4);
    EACH_POOL(p) {
        sdx_softmax_c8_f32(t->pools[p], x, y.of[p], batch, channels, pixels);
        sdx_log_softmax_c8_f32(t->pools[p], x, logarithm.of[p], batch, channels, pixels);
    }
    float *both = copy_of(t, x, count, 4);
    sdx_softmax_c8_f32(t->pools[1], both, both, batch, channels, pixels);
    table_equal_floats(t, "in place", both, y.of[0], count);
    for (int64_t k = 0; k < batch * pixels; k++) {
        double largest = -INFINITY, sum = 0;
        for (int64_t c = 0; c < channels; c++) {
            double v = x[blocked_at(channels, pixels, k / pixels, c, k % pixels)];
            if (isnan(v) || v > largest) largest = v;
        }
        for (int64_t c = 0; c < channels; c++)
            sum += exp(x[blocked_at(channels, pixels, k / pixels, c, k % pixels)] - largest);
        for (int64_t c = 0; c < channels; c++) {
            int64_t at = blocked_at(channels, pixels, k / pixels, c, k % pixels);
            double d = x[at] - largest, want = exp(d) / sum;
            table_near(t, "y", at, ((float *)y.of[0])[at], want, want == 0 ? 0 : (4 + fabs(d)) * 1.2e-7 * want);
            want = d - log(sum);
            table_near(t, "logarithm", at, ((float *)logarithm.of[0])[at], want,
                       3 * 6e-8 * fmax(fabs(want), fmax(fabs(d), log((double)channels))));
        }
    }
}

static void check_lrn(table *t, int64_t batch, int64_t channels, int64_t pixels, int64_t size, float beta) {
    const float alpha = 0.05f, bias = 1.5f;
    table_row(t, "LRN of %lld to the %g, batch %lld channels %lld pixels %lld", (long long)size, beta,
              (long long)batch, (long long)channels, (long long)pixels);
    if (!sdx_lrn_c8_supported(channels, size)) table_fail(t, "not supported");
    int64_t count = batch * channels * pixels;
    float *x = input_floats(t, count);
    result y = output(t, count, 4);
    EACH_POOL(p)
        sdx_lrn_c8_f32(t->pools[p], x, y.of[p], batch, channels, pixels, size, alpha, beta, bias);
    float *both = copy_of(t, x, count, 4);
    sdx_lrn_c8_f32(t->pools[2], both, both, batch, channels, pixels, size, alpha, beta, bias);
    table_equal_bytes(t, "in place", both, y.of[0], (size_t)count * 4);
    for (int64_t k = 0; k < batch * pixels; k++)
        for (int64_t c = 0; c < channels; c++) {
            double squares = 0;
            int64_t low = larger(c - (size - 1) / 2, 0), high = smaller(c + size / 2, channels - 1);
            for (int64_t q = low; q <= high; q++) {
                double v = x[blocked_at(channels, pixels, k / pixels, q, k % pixels)];
                squares += v * v;
            }
            int64_t at = blocked_at(channels, pixels, k / pixels, c, k % pixels);
            double want = x[at] / pow(bias + (double)alpha / (double)size * squares, beta);
            table_near(t, "y", at, ((float *)y.of[0])[at], want, 1e-6 * fabs(want));
        }
}

/// From a plane of h·w pixels of channels · size² channels to one of fewer channels, and back.
static void check_depth(table *t, int64_t batch, int64_t channels, int64_t h, int64_t w, int64_t size) {
    table_row(t, "depth and space, blocks of %lld, batch %lld channels %lld plane %lld·%lld", (long long)size,
              (long long)batch, (long long)channels, (long long)h, (long long)w);
    int64_t square = size * size, deep = channels * square, count = batch * deep * h * w;
    float *x = input_floats(t, count);
    result y[2] = {output(t, count, 4), output(t, count, 4)}, back = output(t, count, 4);
    EACH_POOL(p) {
        for (int crd = 0; crd < 2; crd++)
            sdx_depth_to_space_c8_f32(t->pools[p], batch, deep, h, w, size, crd, x, y[crd].of[p]);
        sdx_space_to_depth_c8_f32(t->pools[p], batch, channels, h * size, w * size, size, y[0].of[p], back.of[p]);
    }
    table_equal_bytes(t, "there and back", back.of[0], x, (size_t)count * 4);
    for (int64_t i = 0; i < count; i++) {
        int64_t pixel = i % (h * w), c = i / (h * w) % deep, image = i / (h * w) / deep;
        float v = x[blocked_at(deep, h * w, image, c, pixel)];
        for (int crd = 0; crd < 2; crd++) {
            int64_t k = crd ? c / square : c % channels, rest = crd ? c % square : c / channels;
            int64_t row = pixel / w * size + rest / size, column = pixel % w * size + rest % size;
            int64_t at = blocked_at(channels, h * w * square, image, k, row * w * size + column);
            table_near(t, crd ? "CRD" : "DCR", at, ((float *)y[crd].of[0])[at], v, 0);
        }
    }
}

int kernel_table_blocked_channels(char *message, size_t size) {
    table t = table_begin(message, size, 22);
    static const int64_t shapes[][3] = {{0, 8, 3}, {2, 8, 0},  {1, 8, 1},   {2, 24, 1},    {2, 16, 7},
                                        {1, 8, 8}, {2, 24, 9}, {1, 16, 33}, {1, 1000, 10}, {1, 8, 4097}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const int64_t *s = shapes[i];
        check_softmax(&t, s[0], s[1], s[2], false);
        check_softmax(&t, s[0], s[1], s[2], true);
        static const float betas[] = {0.75f, 0.5f, 1, 0.9f};
        for (int64_t k = 1; k <= 6; k++) check_lrn(&t, s[0], s[1], s[2], k, betas[k % 4]);
        check_lrn(&t, s[0], s[1], s[2], 32, 0.75f);
    }
    if (sdx_lrn_c8_supported(16, 33) || sdx_lrn_c8_supported(4096, 5) || sdx_lrn_c8_supported(12, 5))
        table_fail(&t, "LRN says it supports what it does not");
    static const int64_t depths[][4] = {{0, 8, 2, 2}, {1, 8, 1, 1}, {2, 8, 3, 5}, {2, 24, 2, 7}, {1, 16, 20, 33}};
    for (size_t i = 0; i < COUNT(depths); i++)
        for (int64_t block = 1; block <= 4; block++)
            check_depth(&t, depths[i][0], depths[i][1], depths[i][2], depths[i][3], block);
    return table_end(&t);
}
