#ifndef SDX_COST_MODEL_H
#define SDX_COST_MODEL_H
/// What a convolution costs by each algorithm, from its shape: the work that the plans of the kernels make, each kind of
/// it at its price in `sdx_conv_costs`. Everything is a double, so that no size overflows.
#include <stdbool.h>
#include "sdx_conv_choice.h"
#include "Geometry.h"
#include "WinogradRowsParts.h"

/// The tiles of an instruction set: floats of a vector; rows and vectors of Winograd's products; pixels and lanes of the
/// tiles in blocks; rows and columns of plain ones.
typedef struct {
    double vector, rows, vectors, pixels, lanes, plain_rows, plain_columns;
} cost_tiles;

static inline cost_tiles cost_tiles_of(sdx_isa isa) {
    static const cost_tiles all[SDX_ISA_COUNT] = {
        [SDX_ISA_BASELINE] = {4, 4, 2, 4, 8, 4, 8},
        [SDX_ISA_AVX2] = {8, 6, 2, 6, 16, 6, 16},
        [SDX_ISA_AVX512] = {16, 14, 2, 14, 32, 14, 32},
        [SDX_ISA_NEON] = {4, 6, 4, 5, 16, 8, 12},
    };
    return all[isa];
}

static inline double cost_ceil(double a, double b) { return __builtin_ceil(a / b); }
static inline double cost_least(double a, double b) { return a < b ? a : b; }
static inline double cost_most(double a, double b) { return a > b ? a : b; }
static inline double cost_beyond(double a, double b) { return a > b ? a - b : 0; }
static inline double cost_volume(const int64_t sizes[3]) {
    return (double)sizes[0] * (double)sizes[1] * (double)sizes[2];
}

/// Arithmetic, and weights that are fetched ahead of it: the longer hides most of the shorter.
static inline double cost_beside(double arithmetic, double weights) {
    return __builtin_sqrt(arithmetic * arithmetic + weights * weights);
}

/// The part of an axis's taps that lie inside the input, over all outputs: about, with padding alike on both sides.
static inline double cost_inside(const sdx_conv_params *p, int axis) {
    double out = (double)p->out[axis], taps = (double)p->kernel[axis], outside = 0;
    if (out < 1) return 1;
    for (int64_t t = 0; t < p->kernel[axis] && t < 32; t++) {
        // Outputs o with 0 <= o · stride + shift < in.
        double shift = (double)t * (double)p->dilation[axis] - (double)p->pad_begin[axis];
        double stride = (double)p->stride[axis];
        double first = shift < 0 ? __builtin_ceil(-shift / stride) : 0;
        double end = __builtin_ceil(((double)p->in[axis] - shift) / stride);
        outside += out - cost_most(0, cost_least(end, out) - first);
    }
    return cost_most(1 - outside / (out * taps), 0.05);
}

/// The part of an axis's taps that meet the input for any output.
static inline double cost_met(const sdx_conv_params *p, int axis) {
    double reach = (double)p->in[axis] + (double)(p->out[axis] - 1) * (double)p->stride[axis];
    return cost_least(1, reach / (double)p->dilation[axis] / (double)p->kernel[axis]);
}

/// The lanes of a group's m output channels, those of narrow panels at their price.
static inline double cost_lanes(double m, cost_tiles tiles, const sdx_conv_costs *c) {
    double all = cost_ceil(m, 8) * 8, lanes = __builtin_floor(all / tiles.lanes) * tiles.lanes, left = all - lanes;
    if (left >= 24) return lanes + 24 * c->panel_24;
    if (left >= 16) {
        lanes += 16 * (all == 16 ? c->alone_16 : c->panel_16);
        left -= 16;
    }
    return left > 0 ? lanes + 8 * (all == 8 ? c->alone_8 : c->panel_8) : lanes;
}

/// The values of a channel's input that are copied, each output slice all its rows with their padding (BlockedRows.h).
static inline double cost_copied(const sdx_conv_params *p) {
    if (cost_volume(p->kernel) == 1) return cost_volume(p->out); // what it reads alone
    double stride = (double)p->stride[2], period = p->dilation[2] % p->stride[2] == 0 ? 1 : stride;
    double columns = cost_least(period, (double)p->kernel[2]) *
                     ((double)p->out[2] + (double)(p->kernel[2] - 1) * (double)p->dilation[2] / stride);
    double rows = (double)(p->out[1] - 1) * (double)p->stride[1] + (double)(p->kernel[1] - 1) * (double)p->dilation[1] + 1;
    return (double)p->out[0] * (double)p->kernel[0] * rows * columns;
}

static inline double cost_in_blocks(
    const sdx_conv_params *p, sdx_conv_layout layout, const sdx_conv_costs *c, cost_tiles tiles, double cache) {
    double n = (double)p->n, groups = (double)p->groups, taps = cost_volume(p->kernel), pixels = cost_volume(p->out);
    double channels = (double)p->c / groups, m = (double)p->k / groups, width = (double)p->out[2];
    double results = n * pixels * (double)p->k * c->result * (layout == SDX_CONV_C8_TO_PLAIN ? c->result_plain : 1);
    if (p->groups == p->c && p->groups == p->k && layout == SDX_CONV_C8_TO_C8) // each value once a tap
        return c->start + results + n * pixels * (double)p->k * taps * 2 * c->multiply_add;
    bool strided = p->stride[0] != 1 || p->stride[1] != 1 || p->stride[2] != 1;
    double across = pixels == 1 && cost_inside(p, 1) * (double)p->kernel[1] <= 1 ? cost_inside(p, 2) : 1;
    // Images of one output each are one row of pixels.
    bool together = layout == SDX_CONV_C8_TO_C8 && p->groups == 1 && pixels == 1 && n > 1 && !repeats_pixels(p);
    if (together) {
        pixels = width = n;
        n = 1;
    }
    // Strided pointwise layers whose rows fill the tiles are read in place too: that is left out, some 2 % of their time.
    bool direct = taps == 1 && !strided && !together && !repeats_pixels(p);
    bool narrow = taps > 1 && !together && width * 2 <= tiles.pixels && p->c % 8 == 0; // a tile has several rows, with all their taps
    double rows = (double)p->out[0] * (double)p->out[1];
    double count = taps == 1 ? cost_ceil(pixels, tiles.pixels)
                   : narrow  ? (double)p->out[0] * cost_ceil((double)p->out[1], __builtin_floor(tiles.pixels / width))
                             : rows * cost_ceil(width, tiles.pixels);
    double terms = channels * taps * cost_inside(p, 0) * (narrow ? 1 : cost_inside(p, 1)) * across;
    double met = cost_met(p, 0) * cost_met(p, 1) * across; // else columns outside are zeros in the copy
    double bytes = 4 * channels * taps * cost_most(met, 0) * cost_ceil(m, 8) * 8 * groups; // of weights
    // A chunk is a piece of an output slice; each reads all weights.
    double passes = n * (double)p->out[0] * cost_ceil((double)p->out[1] * width, 400);
    double lanes = cost_lanes(m, tiles, c);
    if (layout == SDX_CONV_C8_TO_PLAIN) lanes = cost_least(lanes, 2.5 * m); // few channels by BlockedDot.h
    double work = n * (pixels + c->tile * count) * terms * lanes * groups;
    double copied = direct ? 0 : (double)p->n * (double)p->c * cost_copied(p);
    double fetched = bytes * c->weight + passes * cost_beyond(bytes, cache / 2) * c->far_weight;
    return c->start + cost_beside(work * c->multiply_add, fetched) + results +
           copied * c->copy * (layout == SDX_CONV_PLAIN_TO_C8 ? c->copy_plain : 1);
}

/// The register tiles of `rows` rows that are cut into `blocks` as even ones as can be.
static inline double cost_register_tiles(double rows, double blocks, double most) {
    double even = __builtin_floor(rows / blocks), larger = rows - even * blocks;
    return larger * cost_ceil(even + 1, most) + (blocks - larger) * cost_ceil(even, most);
}

/// As WinogradPlan.h cuts it.
static inline double cost_of_winograd(
    const sdx_conv_params *p, sdx_winograd_form form, const sdx_conv_costs *c, cost_tiles tiles, double cache) {
    const double enough = 8, least_depth = 8, block_bytes = 512 * 1024, shared_rows = 64;
    bool deep = (int)form & 1, strided = p->stride[1] == 2;
    double m = (double)((int)form >> 1), matrices = (m + 2) * (m + 2), n = (double)p->n, deep_stride = (double)p->stride[0];
    // Values of a tile's transformed input, each with a product; products that are transformed back.
    double values = strided ? (2 * m + 1) * (2 * m + 1) : matrices, points = strided ? (m + 1) * (m + 1) : matrices;
    double transform_in = c->transform_in * (strided && m > 2 ? 1.5 : 1); // the registers do not hold a window of 81 pixels
    double factors = deep ? 4 : (double)p->kernel[0], pitch = deep ? 2 : 1, levels = cost_ceil((double)p->out[0], pitch);
    double plane = cost_ceil((double)p->out[1], m) * cost_ceil((double)p->out[2], m), rows = n * plane;
    double channels = cost_ceil((double)p->c, cost_most(tiles.vector, 8)) * cost_most(tiles.vector, 8);
    double lanes = tiles.vector * tiles.vectors, padded = cost_ceil((double)p->k, tiles.vector) * tiles.vector;
    double panels = cost_ceil(padded, lanes), last = padded - (panels - 1) * lanes;
    double weights = 4 * matrices * factors * (double)p->c * padded, far = cost_beyond(weights, cache * 0.6);

    double row_bytes = 4 * (values * (factors + (deep ? 2 : 0)) * channels + points * pitch * lanes);
    double most = __builtin_floor(block_bytes / row_bytes / tiles.rows);
    most = tiles.rows * cost_least(cost_most(most, 1), 4);
    double blocks = cost_ceil(rows, most), ranges = 1;
    if (blocks < enough) {
        blocks = cost_least(cost_ceil(rows, tiles.rows), enough);
        ranges = cost_least(cost_most(__builtin_floor(levels * pitch / least_depth), 1), cost_ceil(enough, blocks));
    }
    bool shared = blocks * ranges < enough;
    // Rows of products, register tiles of them, passes over the weights, values transformed, input held for all.
    double products, count, passes, planes, held = 0;
    if (shared) {
        double more = deep ? 0 : __builtin_floor((factors - 1) / deep_stride), slices = n * (levels + more);
        products = (slices - more) * plane;
        passes = cost_most(cost_ceil(products, shared_rows), 1);
        double wanted = __builtin_floor(enough / panels);
        if (passes < wanted) passes = cost_least(wanted, cost_ceil(products, tiles.rows));
        count = cost_register_tiles(products, passes, tiles.rows);
        slices *= cost_least(deep_stride, factors);
        planes = plane * (deep ? n * (levels + 1) * 2 + c->transform_deep * 4 * slices : slices);
        held = 4 * values * channels * slices * plane * (deep ? 4 : 1);
        if (held > block_bytes && panels > 1) passes = 1; // a chunk is all products of a point
    } else {
        products = rows * levels;
        count = cost_register_tiles(rows, blocks, tiles.rows) * levels;
        passes = blocks * levels;
        double slices = deep ? levels * 2 : levels * cost_least(deep_stride, factors);
        if (factors > 1) slices += 2 * ranges;
        planes = rows * (slices + (deep ? c->transform_deep * 4 * levels : 0));
    }
    if (!(products > 0 && padded > 0)) return c->wino_start;
    double width = (panels - 1) * lanes + (last < lanes ? last * c->product_half : last);
    double rows_of_tiles = count * (cost_most(products / count, c->product_least) + c->product_tile);
    double fetched = weights * (passes * c->read + c->wino_weight) + far * passes * c->far_read;
    return cost_beside(values * factors * (double)p->c * width * rows_of_tiles * c->product, fetched) +
           values * channels * planes * transform_in + points * padded * pitch * products * c->transform_out +
           held * c->shared +
           cost_beyond(held, cache * 0.75) * c->far_shared + c->wino_start * (shared ? 2 : 1);
}

/// Winograd's along rows: a convolution in blocks at each point, of four times fewer columns.
static inline double cost_of_winograd_rows(
    const sdx_conv_params *p, const sdx_conv_costs *c, cost_tiles tiles, double cache) {
    double outputs = (double)p->n * (double)p->out[0] * (double)p->out[1];
    double across = cost_ceil((double)p->out[2], ROWS_TILE);
    double points = 6 * 2 + winograd_rows_at_infinity(p); // of both parts
    double terms = (double)p->c * (double)p->kernel[0] * (double)p->kernel[1] * cost_inside(p, 0) * cost_inside(p, 1);
    double work = outputs * (across + c->tile * cost_ceil(across, tiles.pixels)) * points * terms *
                  cost_lanes((double)p->k, tiles, c);
    double bytes = 4 * points * (double)p->c * (double)p->kernel[0] * (double)p->kernel[1] * (double)p->k;
    double fetched = bytes * c->weight + cost_ceil(outputs * across, 112) * cost_beyond(bytes, cache / 2) * c->far_weight;
    double rows = (double)p->n * (double)p->c * (double)p->in[0] * (double)p->in[1];
    double transformed = rows * (double)p->stride[2] * across * ROWS_POINTS;
    // Pixels are gathered one by one, and products are transformed back along one axis alone.
    return 2 * c->start + cost_beside(work * c->multiply_add, fetched) + transformed * 5 * c->copy +
           outputs * across * (double)p->k * (ROWS_POINTS * c->transform_out + ROWS_TILE * c->result) / 2;
}

static inline double cost_of_plain(
    const sdx_conv_params *p, const sdx_conv_costs *c, cost_tiles tiles, double cache) {
    double n = (double)p->n, groups = (double)p->groups, taps = cost_volume(p->kernel), pixels = cost_volume(p->out);
    double channels = (double)p->c / groups, m = (double)p->k / groups;
    double results = n * pixels * (double)p->k * c->plain_result;
    if (is_depthwise(p)) return c->plain_start + results + n * pixels * (double)p->k * taps * 8 * c->multiply_add;
    double columns = n * cost_ceil(pixels, tiles.plain_columns) * tiles.plain_columns;
    double rows = (m + c->plain_tile * cost_ceil(m, tiles.plain_rows)) * groups;
    double work = columns * channels * taps * rows;
    double gathered = columns * (double)p->c * taps * cost_most(1, m / 256);
    if (taps > 1) gathered *= 1 + c->gather_short * cost_beyond(tiles.plain_columns / cost_most(1, (double)p->out[2]), 1);
    if (p->stride[2] > 1) gathered *= c->gather_strided;
    double bytes = 4 * channels * taps * m * groups;
    return c->plain_start + work * c->plain_multiply_add + results + gathered * c->gather + bytes * c->plain_weight +
           n * cost_ceil(pixels, 400) * cost_beyond(bytes, cache / 2) * c->far_weight;
}
#endif
