#ifndef SDX_TRANSPOSED_C8_PLAN_H
#define SDX_TRANSPOSED_C8_PLAN_H
/// How a transposed convolution in layout c8 is cut: plain arithmetic, the same for every ISA but for the tile's size.
///
/// Outputs are o = j · stride + residue; j is a "pixel", and a residue a small convolution of x with the taps that
/// reach it (Geometry.h). A chunk makes all residues of a box of pixels for a part of the output channels, from a copy of the
/// inputs around the box, with zeros where they lie outside x.
#include "Geometry.h"

enum {
    C8_MOST_STRIDE = 8,
    C8_MOST_KERNEL = 16,
    C8_MOST_TAPS = 512,          // of the whole kernel
    C8_MOST_SPACE = 1 << 22,     // floats of the copy for the smallest box
    C8_SPACE = 48 << 10,         // floats of the copy that are aimed at: 192 KB, for half of the second level of cache
    C8_ENOUGH_CHUNKS = 16,
};
/// The least multiply-adds that are worth a chunk of their own.
#define C8_CHUNK_WORK 1.5e6

typedef struct {
    residue_axis residues[C8_MOST_STRIDE];
    int64_t stride;
    int64_t low, high; // pixel j reads inputs j + low ... j + high
    int64_t pixels;    // of the first residue, which has the most; surplus ones are not stored
    int64_t box;       // pixels of the largest box
    int64_t boxes;
} c8_axis;

typedef struct {
    const sdx_conv_params *p;
    c8_axis axes[3];
    bool merged;      // all residues along W read the same inputs: their channels share a product
    int64_t products; // along W, 1 when merged
    int64_t units;    // of 8 channels of a product; when merged, (block of channels, residue)
    int64_t group_units, groups; // of one register tile
    int64_t part_groups, parts;  // of a chunk
    int64_t rows;                // of the register tile
    int64_t space_floats, table; // scratch of a worker: the copy, then the places of `table` pixels for each product
    int64_t worker_floats;
    const float *x, *packed, *bias;
    float *y, *workspace;
} c8_plan;

static inline int64_t c8_least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t c8_most(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t c8_ceil(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t c8_halo(const c8_axis *a) { return a->high - a->low; }

/// Where part i of `parts` equal ones of a length begins.
static inline int64_t c8_start(int64_t length, int64_t parts, int64_t i) {
    int64_t each = length / parts, more = length % parts;
    return i * each + c8_least(i, more);
}

/// Everything but the sizes of boxes.
static inline c8_axis c8_axis_of(const sdx_conv_params *p, int i) {
    c8_axis a = {.stride = p->stride[i], .low = INT64_MAX, .high = INT64_MIN};
    for (int64_t r = 0; r < a.stride; r++) {
        a.residues[r] = transposed_residue(p, i, r);
        const gather_axis *g = &a.residues[r].axis;
        if (g->taps == 0) continue;
        a.low = c8_least(a.low, g->first + (g->taps - 1) * g->delta);
        a.high = c8_most(a.high, g->first);
    }
    a.pixels = c8_ceil(p->out[i], a.stride);
    return a;
}

/// Floats from a block of 8 channels of the copy to the next one: an odd number of lines, or all blocks of a power of
/// two would share a few sets of the cache.
static inline int64_t c8_space_block(int64_t d, int64_t h, int64_t w) {
    return (c8_ceil(d * h * w * 8, 16) | 1) * 16;
}

static inline int64_t c8_space_of(const c8_plan *plan, int64_t d, int64_t h, int64_t w) {
    const c8_axis *a = plan->axes;
    return plan->p->c / 8 * c8_space_block(d + c8_halo(&a[0]), h + c8_halo(&a[1]), w + c8_halo(&a[2]));
}

static inline void c8_cut_axis(c8_axis *a, int64_t box) {
    a->boxes = c8_ceil(a->pixels, box);
    a->box = a->boxes ? c8_ceil(a->pixels, a->boxes) : 0;
}

/// Boxes of whole rows if possible, then of several rows and planes, as far as the copy stays small and there are
/// chunks enough.
static inline void c8_cut(c8_plan *plan) {
    const sdx_conv_params *p = plan->p;
    c8_axis *d = &plan->axes[0], *h = &plan->axes[1], *w = &plan->axes[2];
    double work = (double)p->c * (double)p->k;
    for (int i = 0; i < 3; i++) work *= (double)p->kernel[i];
    double pixels = (double)p->n * (double)d->pixels * (double)h->pixels * (double)w->pixels;
    double most = pixels / C8_ENOUGH_CHUNKS, worth = C8_CHUNK_WORK / (work + 1);
    if (most < worth) most = worth;
    if (most < 4 * (double)plan->rows) most = 4 * (double)plan->rows;
    int64_t target = most < 1e6 ? (int64_t)most : 1000000;

    int64_t box[3] = {1, 1, c8_least(w->pixels, target)}, least = 2 * plan->rows;
    while (box[2] > least && c8_space_of(plan, 1, 1, box[2]) > C8_SPACE) box[2] = c8_most(box[2] / 2, least);
    for (int i = 1; i >= 0; i--) { // rows while boxes hold whole rows, then planes while they hold whole planes
        if (i == 1 ? box[2] < w->pixels : box[1] < h->pixels || box[2] < w->pixels) break;
        int64_t area = box[2] * (i == 0 ? box[1] : 1);
        box[i] = c8_most(c8_least(plan->axes[i].pixels, target / c8_most(area, 1)), 1);
        while (box[i] > 1 && c8_space_of(plan, box[0], box[1], box[2]) > C8_SPACE) box[i]--;
    }
    for (int i = 0; i < 3; i++) c8_cut_axis(&plan->axes[i], c8_most(box[i], 1));

    double boxes = (double)p->n * (double)d->boxes * (double)h->boxes * (double)w->boxes;
    plan->parts = 1;
    if (boxes > 0 && boxes < C8_ENOUGH_CHUNKS) {
        double parts = C8_ENOUGH_CHUNKS / boxes, affordable = work * pixels / boxes / C8_CHUNK_WORK;
        if (parts > affordable) parts = affordable;
        plan->parts = c8_most(1, c8_least(plan->groups, (int64_t)parts));
    }
}

/// The parts that packing needs, which hold for any n, in and out.
static inline c8_plan c8_plan_weights(const sdx_conv_params *p, int64_t group_units, int64_t rows) {
    c8_plan plan = {.p = p, .group_units = group_units, .rows = rows, .merged = true};
    for (int i = 0; i < 3; i++) plan.axes[i] = c8_axis_of(p, i);
    const c8_axis *w = &plan.axes[2];
    for (int64_t r = 1; r < w->stride; r++) {
        const gather_axis *one = &w->residues[0].axis, *other = &w->residues[r].axis;
        plan.merged &= one->taps == other->taps && one->first == other->first;
    }
    plan.products = plan.merged ? 1 : w->stride;
    plan.units = p->k / 8 * (plan.merged ? w->stride : 1);
    plan.groups = c8_ceil(plan.units, group_units);
    return plan;
}

static inline c8_plan c8_plan_run(const sdx_conv_params *p, int64_t group_units, int64_t rows) {
    c8_plan plan = c8_plan_weights(p, group_units, rows);
    c8_cut(&plan);
    const c8_axis *a = plan.axes;
    plan.space_floats = c8_space_of(&plan, a[0].box, a[1].box, a[2].box);
    plan.table = (a[0].box + c8_halo(&a[0])) * (a[1].box + c8_halo(&a[1])) * (a[2].box + c8_halo(&a[2]));
    plan.worker_floats = c8_ceil(plan.space_floats + 2 * plan.table * plan.products, 16) * 16;
    return plan;
}

/// Where the pixels of a box lie in its copy.
typedef struct {
    int64_t first[3], size[3]; // pixels
    int64_t row, plane, block; // distances in the copy: of rows and planes in pixels, of blocks in floats
} c8_box;

/// The box of number `at` of those of all images, which leaves the image's number in `at`.
static inline c8_box c8_box_of(const c8_plan *plan, int64_t *at) {
    c8_box box;
    for (int i = 2; i >= 0; i--) {
        const c8_axis *a = &plan->axes[i];
        int64_t place = *at % a->boxes;
        *at /= a->boxes;
        box.first[i] = c8_start(a->pixels, a->boxes, place);
        box.size[i] = c8_start(a->pixels, a->boxes, place + 1) - box.first[i];
    }
    return box;
}

/// The inputs around a box.
typedef struct {
    int64_t begin[3], extent[3]; // the first of them, also outside x, and how many
    int64_t low, high;           // those of a row from `low` on and below `high` lie inside x
} c8_inputs;

static inline c8_inputs c8_inputs_of(const c8_plan *plan, const c8_box *box) {
    c8_inputs r;
    for (int i = 0; i < 3; i++) {
        r.begin[i] = box->first[i] + plan->axes[i].low;
        r.extent[i] = box->size[i] + c8_halo(&plan->axes[i]);
    }
    r.low = c8_least(c8_most(-r.begin[2], 0), r.extent[2]);
    r.high = c8_most(r.low, c8_least(plan->p->in[2] - r.begin[2], r.extent[2]));
    return r;
}

/// Whether a box ends where the axis W does.
static inline bool c8_is_last(const c8_plan *plan, const c8_box *box) {
    return box->first[2] + box->size[2] == plan->axes[2].pixels;
}

/// The most output channels that are no block, and plain.
enum { C8_MOST_FEW = 7 };
static inline bool c8_is_few(const sdx_conv_params *p) { return p->k > 0 && p->k <= C8_MOST_FEW; }

/// Whether the shape is one that the kernel serves: windows that a worker can hold.
static inline bool c8_transposed_supported(const sdx_conv_params *p) {
    if (p->groups != 1 || p->c % 8 || p->c > 1 << 20 || p->k > 1 << 20) return false;
    if (p->k % 8 && !c8_is_few(p)) return false;
    int64_t taps = 1;
    for (int i = 0; i < 3; i++) {
        if (p->stride[i] > C8_MOST_STRIDE || p->kernel[i] > C8_MOST_KERNEL || p->dilation[i] > 1024) return false;
        taps *= p->kernel[i];
    }
    if (taps > C8_MOST_TAPS) return false;
    c8_plan plan = c8_plan_weights(p, 1, 1);
    double space = (double)(p->c / 8) * (double)(2 * C8_MOST_KERNEL + c8_halo(&plan.axes[2])) * 8;
    for (int i = 0; i < 2; i++) space *= (double)(1 + c8_halo(&plan.axes[i]));
    return space <= C8_MOST_SPACE;
}
#endif
