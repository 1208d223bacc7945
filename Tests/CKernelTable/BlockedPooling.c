/// Max and average pooling in the channel-blocked layout, and the global ones.
#include "Blocked.h"
#include "PoolingRow.h"

static const pooling_row rows[] = {
    {"no images", 0, 8, {1, 5, 5}, {1, 2, 2}},
    {"an empty output", 2, 8, {1, 1, 1}, {1, 3, 3}},
    {"an empty input", 2, 8, {1, 0, 3}, {1, 1, 1}, .pad_begin = {0, 1, 1}},
    {"one", 1, 8, {1, 1, 1}, {1, 1, 1}},
    {"2 × 2", 2, 24, {1, 8, 9}, {1, 2, 2}, {1, 2, 2}},
    {"2 × 2 in ceil mode", 2, 8, {1, 9, 11}, {1, 2, 2}, {1, 2, 2}, .ceil_mode = true},
    {"2 × 2 × 2", 1, 16, {6, 8, 11}, {2, 2, 2}, {2, 2, 2}},
    {"2 × 2 with padding", 1, 16, {1, 9, 12}, {1, 2, 2}, {1, 2, 2}, .pad_begin = {0, 1, 1}, .pad_end = {0, 1, 1}},
    {"3 × 3 with stride 2", 2, 8, {1, 15, 20}, {1, 3, 3}, {1, 2, 2}, .pad_begin = {0, 1, 1}, .pad_end = {0, 1, 1}},
    {"3 × 3", 1, 24, {1, 9, 17}, {1, 3, 3}, .pad_begin = {0, 1, 1}, .pad_end = {0, 1, 1}},
    {"3 × 3 in ceil mode, beyond the padding", 2, 8, {1, 8, 8}, {1, 3, 3}, {1, 3, 3}, .pad_begin = {0, 1, 1},
     .pad_end = {0, 1, 1}, .ceil_mode = true},
    {"3 × 3 with stride 3", 2, 16, {1, 10, 31}, {1, 3, 3}, {1, 3, 3}},
    {"1 × 3 with stride 3", 2, 16, {1, 2, 31}, {1, 1, 3}, {1, 1, 3}},
    {"segments of padding only", 1, 8, {1, 3, 5}, {1, 3, 4}, .pad_begin = {0, 1, 600}, .pad_end = {0, 0, 600}},
    {"13 × 13 with padding", 1, 8, {1, 13, 20}, {1, 13, 13}, .pad_begin = {0, 6, 6}, .pad_end = {0, 6, 6}},
    {"a stride larger than the kernel", 1, 8, {1, 20, 21}, {1, 2, 3}, {1, 5, 4}},
    {"a huge stride", 2, 8, {1, 20, 21}, {1, 2, 3}, {1, 50, 40}},
    {"a huge dilation", 1, 8, {1, 20, 70}, {1, 3, 3}, .dilation = {1, 9, 33}},
    {"windows of padding only", 2, 8, {1, 3, 4}, {1, 2, 2}, .pad_begin = {0, 5, 4}, .pad_end = {0, 3, 9}},
    {"large windows of padding only", 1, 8, {1, 3, 4}, {1, 5, 5}, .pad_begin = {0, 9, 9}, .pad_end = {0, 9, 9}},
    {"dilation over padding", 1, 8, {1, 7, 9}, {1, 3, 3}, .dilation = {1, 3, 4}, .pad_begin = {0, 3, 4},
     .pad_end = {0, 3, 4}},
    {"a window of the whole image", 2, 16, {1, 13, 17}, {1, 13, 17}},
    {"1D", 2, 8, {1, 1, 100}, {1, 1, 5}, {1, 1, 3}, .pad_begin = {0, 0, 2}},
    {"a window that is summed in double", 1, 8, {1, 2, 200}, {1, 1, 70}, {1, 1, 50}, .pad_begin = {0, 0, 30}},
    {"a window wider than a buffer", 1, 8, {1, 3, 1500}, {1, 3, 600}, {1, 1, 300}},
    {"rows longer than a buffer", 1, 8, {1, 5, 1201}, {1, 5, 4}, {1, 1, 1}, .pad_begin = {0, 0, 1}},
    {"many rows in a window", 1, 8, {1, 90, 7}, {1, 80, 3}, {1, 5, 1}},
    {"3D", 2, 8, {7, 8, 9}, {3, 2, 3}, {2, 1, 2}, .pad_begin = {1, 0, 1}, .pad_end = {1, 1, 1}, .ceil_mode = true},
    {"3 × 3 × 3", 1, 8, {5, 6, 9}, {3, 3, 3}, .pad_begin = {1, 1, 1}, .pad_end = {1, 1, 1}},
};
enum { RANDOM_ROWS = 100 };

/// What one channel's window holds; `channel` is the first of its values, 8 floats from pixel to pixel.
typedef struct window_sums {
    double sum, sizes;
    float best;             // the maximum, or NaN
    int64_t inside, padded; // positions within the tensor, and within the padded extent
} window_sums;

static window_sums sums_of(const sdx_pool_window *w, const float *channel, const int64_t o[3]) {
    window_sums s = {.best = -INFINITY};
    for (int64_t tap = 0; tap < w->kernel[0] * w->kernel[1] * w->kernel[2]; tap++) {
        int64_t t[3] = {tap / w->kernel[2] / w->kernel[1], tap / w->kernel[2] % w->kernel[1], tap % w->kernel[2]};
        int64_t z[3];
        bool inside = true, padded = true;
        for (int k = 0; k < 3; k++) {
            z[k] = o[k] * w->stride[k] - w->pad_begin[k] + t[k] * w->dilation[k];
            inside &= z[k] >= 0 && z[k] < w->in[k];
            padded &= z[k] < w->in[k] + w->pad_end[k];
        }
        s.inside += inside;
        s.padded += padded;
        if (!inside) continue;
        float v = channel[((z[0] * w->in[1] + z[1]) * w->in[2] + z[2]) * 8];
        s.sum += v;
        s.sizes += fabs((double)v);
        if (isnan(v) || v > s.best) s.best = v; // a NaN stays: nothing is larger
    }
    return s;
}

static void check(table *t, const pooling_row *r) {
    sdx_pool_window w = window_of(r);
    table_row(t, "%s: batch %lld channels %lld in %lld·%lld·%lld out %lld·%lld·%lld kernel %lld·%lld·%lld"
              " stride %lld·%lld·%lld dilation %lld·%lld·%lld pad %lld·%lld·%lld", r->what, (long long)r->batch,
              (long long)r->channels, (long long)w.in[0], (long long)w.in[1], (long long)w.in[2],
              (long long)w.out[0], (long long)w.out[1], (long long)w.out[2], (long long)w.kernel[0],
              (long long)w.kernel[1], (long long)w.kernel[2], (long long)w.stride[0], (long long)w.stride[1],
              (long long)w.stride[2], (long long)w.dilation[0], (long long)w.dilation[1], (long long)w.dilation[2],
              (long long)w.pad_begin[0], (long long)w.pad_begin[1], (long long)w.pad_begin[2]);
    int64_t size = w.in[0] * w.in[1] * w.in[2], outputs = w.out[0] * w.out[1] * w.out[2];
    int64_t planes = r->batch * r->channels, count = planes * outputs;
    float *x = input_floats(t, planes * size);
    if (random_chance(t, 2)) { // in many windows, or so few that a row's only one may be the last tap of one
        int64_t one_in = random_chance(t, 2) ? 50 : 1000;
        for (int64_t i = 0; i < planes * size; i++)
            if (random_chance(t, one_in)) x[i] = NAN;
    }
    result most = output(t, count, 4), average[2];
    for (int i = 0; i < 2; i++) average[i] = output(t, count, 4);
    EACH_POOL(p) {
        sdx_max_pool_c8_f32(t->pools[p], x, most.of[p], planes, &w);
        for (int i = 0; i < 2; i++) sdx_average_pool_c8_f32(t->pools[p], x, average[i].of[p], planes, &w, i);
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t pixel = i / 8 % outputs, o[3] = {pixel / w.out[2] / w.out[1], pixel / w.out[2] % w.out[1],
                                                 pixel % w.out[2]};
        window_sums s = sums_of(&w, x + i / 8 / outputs * size * 8 + i % 8, o);
        table_near(t, "max", i, ((float *)most.of[0])[i], s.best, 0);
        int64_t counts[2] = {s.inside, s.padded};
        for (int k = 0; k < 2; k++) {
            double n = (double)counts[k];
            table_near(t, k ? "average with padding" : "average", i, ((float *)average[k].of[0])[i],
                       counts[k] ? s.sum / n : NAN, counts[k] ? 1e-6 * (s.sizes + 1e-6) / n : 0);
        }
    }
}

static void check_global(table *t, int64_t batch, int64_t channels, int64_t pixels) {
    table_row(t, "global, batch %lld channels %lld pixels %lld", (long long)batch, (long long)channels,
              (long long)pixels);
    float *x = input_floats(t, batch * channels * pixels);
    if (random_chance(t, 2) && batch * pixels > 0) x[random_in(t, 0, batch * channels * pixels - 1)] = NAN;
    result average = output(t, batch * channels, 4), most = output(t, batch * channels, 4);
    EACH_POOL(p) {
        sdx_global_average_pool_c8_f32(t->pools[p], batch, channels, pixels, x, average.of[p]);
        sdx_global_max_pool_c8_f32(t->pools[p], batch, channels, pixels, x, most.of[p]);
    }
    for (int64_t i = 0; i < batch * channels; i++) {
        double sum = 0, sizes = 0, best = -INFINITY;
        for (int64_t p = 0; p < pixels; p++) {
            double v = x[blocked_at(channels, pixels, i / channels, i % channels, p)];
            sum += v;
            sizes += fabs(v);
            if (isnan(v) || v > best) best = v;
        }
        table_near(t, "average", i, ((float *)average.of[0])[i], sum / (double)pixels,
                   5e-7 * sizes / (double)pixels);
        table_near(t, "max", i, ((float *)most.of[0])[i], best, 0);
    }
}

int kernel_table_blocked_pooling(char *message, size_t size) {
    table t = table_begin(message, size, 21);
    for (int k = 0; k < 6; k++)
        for (size_t i = 0; i < COUNT(rows); i++) check(&t, &rows[i]);
    for (int i = 0; i < RANDOM_ROWS; i++) {
        pooling_row row = random_pooling_row(&t, random_in(&t, 1, 2), 8 * random_in(&t, 1, 3), 9, 30);
        check(&t, &row);
    }
    static const int64_t globals[][3] = {{0, 8, 5}, {2, 8, 0}, {1, 8, 1},   {2, 24, 17},   {1, 16, 513}, {2, 8, 4000},
                                         {3, 8, 65}, {1, 800, 9}, {2, 8, 30001}, {1, 8, 70001}};
    for (size_t i = 0; i < COUNT(globals); i++) check_global(&t, globals[i][0], globals[i][1], globals[i][2]);
    return table_end(&t);
}
