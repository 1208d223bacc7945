/// Padding of the spatial axes in layout c8. It copies bits: every value is looked up by itself.
#include "Table.h"

typedef struct pad_row {
    const char *what;
    int64_t n, c, in[3], pad[3], out[3]; // pad: of sdx_pad_c8_f32; cropped pixels where negative
} pad_row;

static const pad_row pads[] = {
    {"no batch", 0, 8, {1, 3, 4}, {0, 1, 1}, {1, 5, 6}},
    {"no channels", 1, 0, {1, 3, 4}, {0, 1, 1}, {1, 5, 6}},
    {"no outputs", 1, 8, {1, 3, 4}, {0, 1, 1}, {1, 0, 6}},
    {"an empty input", 1, 8, {1, 0, 4}, {0, 1, 1}, {1, 3, 6}},
    {"an input empty along W", 1, 8, {1, 3, 0}, {0, 1, 1}, {1, 5, 6}},
    {"nothing", 2, 16, {2, 3, 4}, {0, 0, 0}, {2, 3, 4}},
    {"one pixel", 1, 8, {1, 1, 1}, {2, 3, 4}, {5, 5, 9}},
    {"two pixels, many times around", 1, 8, {1, 2, 2}, {0, 7, 8}, {1, 20, 21}},
    {"a frame", 2, 24, {1, 5, 7}, {0, 2, 3}, {1, 9, 13}},
    {"a frame in 3D", 1, 16, {3, 4, 5}, {1, 2, 1}, {6, 7, 8}},
    {"rows alone", 1, 8, {1, 9, 33}, {0, 4, 0}, {1, 20, 33}},
    {"columns alone", 1, 8, {1, 9, 33}, {0, 0, 5}, {1, 9, 40}},
    {"negative in front", 1, 8, {3, 6, 9}, {-1, -2, -3}, {4, 6, 9}},
    {"cropped at both ends", 1, 8, {3, 6, 9}, {-1, -2, -3}, {1, 2, 3}},
    {"all outside", 1, 8, {2, 2, 2}, {9, 9, 9}, {3, 3, 3}},
    {"all beyond", 1, 8, {2, 2, 2}, {-9, -9, -9}, {3, 3, 3}},
};

enum { RANDOM_ROWS = 150 };

/// The element at i by stepping: reflections and periods are taken one by one.
static int64_t stands_at(sdx_pad_mode mode, int64_t i, int64_t in) {
    if (in == 0) return -1;
    while (i < 0 || i >= in) {
        if (mode == SDX_PAD_CONSTANT) return -1;
        if (mode == SDX_PAD_EDGE || in == 1) i = i < 0 ? 0 : in - 1;
        else if (mode == SDX_PAD_WRAP) i += i < 0 ? in : -in;
        else i = i < 0 ? -i : 2 * (in - 1) - i;
    }
    return i;
}

/// A copy of x in c8 whose element i along an axis is index[axis][i], or `value`.
static void compare(
    table *t, const char *what, int64_t planes, const int64_t in[3], const int64_t out[3], const float *x,
    int64_t *const index[3], float value, const float *got) {
    int64_t outputs = out[0] * out[1] * out[2];
    for (int64_t i = 0; i < planes * outputs * 8; i++) {
        int64_t lane = i % 8, o = i / 8 % outputs, plane = i / 8 / outputs;
        int64_t d = index[0][o / out[2] / out[1]], h = index[1][o / out[2] % out[1]], w = index[2][o % out[2]];
        float want = d < 0 || h < 0 || w < 0 ? value : x[(((plane * in[0] + d) * in[1] + h) * in[2] + w) * 8 + lane];
        table_equal_bytes(t, what, got + i, &want, 4);
    }
}

static void check_pad(table *t, const pad_row *r) {
    static const char *const names[] = {"constant", "edge", "reflect", "wrap"};
    table_row(t, "pad, %s: n %lld c %lld in %lld·%lld·%lld pad %lld %lld %lld out %lld·%lld·%lld", r->what,
              (long long)r->n, (long long)r->c, (long long)r->in[0], (long long)r->in[1], (long long)r->in[2],
              (long long)r->pad[0], (long long)r->pad[1], (long long)r->pad[2], (long long)r->out[0],
              (long long)r->out[1], (long long)r->out[2]);
    int64_t size = r->in[0] * r->in[1] * r->in[2], outputs = r->out[0] * r->out[1] * r->out[2];
    float *x = input_floats(t, r->n * r->c * size);
    sprinkle_specials(t, x, r->n * r->c * size);
    for (int mode = SDX_PAD_CONSTANT; mode <= SDX_PAD_WRAP; mode++) {
        int64_t *index[3];
        for (int k = 0; k < 3; k++) {
            index[k] = input_bytes(t, r->out[k], sizeof(int64_t));
            for (int64_t o = 0; o < r->out[k]; o++)
                index[k][o] = stands_at((sdx_pad_mode)mode, o - r->pad[k], r->in[k]);
        }
        result y = output(t, r->n * r->c * outputs, sizeof(float));
        EACH_POOL(p)
        sdx_pad_c8_f32(t->pools[p], r->n, r->c, r->in, r->pad, r->out, (sdx_pad_mode)mode, -2.5f, x, y.of[p]);
        compare(t, names[mode], r->n * r->c / 8, r->in, r->out, x, index, -2.5f, y.of[0]);
    }
}

int kernel_table_pad_c8(char *message, size_t size) {
    table t = table_begin(message, size, 37);
    for (size_t i = 0; i < COUNT(pads) + RANDOM_ROWS; i++) {
        pad_row r = i < COUNT(pads) ? pads[i] : (pad_row){"random", random_in(&t, 1, 2), 8 * random_in(&t, 1, 3)};
        for (int k = 0; k < 3 && i >= COUNT(pads); k++) {
            bool flat = k < 2 && random_chance(&t, 3);
            r.in[k] = flat ? 1 : random_in(&t, 1, k == 2 ? 40 : 6);
            r.pad[k] = flat ? 0 : random_in(&t, -2, 7);
            r.out[k] = flat ? 1 : random_in(&t, 1, k == 2 ? 60 : 12);
        }
        check_pad(&t, &r);
    }
    return table_end(&t);
}
