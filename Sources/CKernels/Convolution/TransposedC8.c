/// Transposed convolution from layout c8: TransposedC8Plan.h says how it is cut, TileC8.h is the inner product for channels in
/// blocks, TransposedFew.h is what makes a few plain channels.
#include <math.h>
#include "sdx_conv.h"
#include "TransposedC8Plan.h"
#define SDX_SELF "../Convolution/TransposedC8.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "../Gemm/Activation.h"
#include "TileC8.h"
#include "TransposedFew.h"

/// Lanes of group g: those of a full tile, or of half a one where that does.
static int64_t SDX_FN(c8_lanes)(const c8_plan *plan, int64_t g) {
    return 2 * (plan->units - g * SDX_C8_UNITS) <= SDX_C8_UNITS ? SDX_C8_UNITS * 4 : SDX_C8_UNITS * 8;
}

/// Lanes of all groups.
static int64_t SDX_FN(c8_all_lanes)(const c8_plan *plan) {
    if (plan->groups == 0) return 0;
    return (plan->groups - 1) * SDX_C8_UNITS * 8 + SDX_FN(c8_lanes)(plan, plan->groups - 1);
}

/// The taps of residue d, h, w.
static int64_t SDX_FN(c8_taps)(const c8_plan *plan, int64_t d, int64_t h, int64_t w) {
    return plan->axes[0].residues[d].axis.taps * plan->axes[1].residues[h].axis.taps *
           plan->axes[2].residues[w].axis.taps;
}

static int64_t SDX_FN(transposed_c8_packed_floats)(const sdx_conv_params *p) {
    if (c8_is_few(p)) return p->kernel[0] * p->kernel[1] * p->kernel[2] * p->c * p->k;
    c8_plan plan = c8_plan_weights(p, SDX_C8_UNITS, SDX_C8_ROWS);
    int64_t taps = 0;
    for (int64_t d = 0; d < p->stride[0]; d++)
        for (int64_t h = 0; h < p->stride[1]; h++)
            for (int64_t w = 0; w < plan.products; w++) taps += SDX_FN(c8_taps)(&plan, d, h, w);
    return taps * p->c * SDX_FN(c8_all_lanes)(&plan);
}

/// Packed: [residue d][residue h][group][residue w, unless merged][tap][c][lanes].
static void SDX_FN(transposed_c8_pack)(const sdx_conv_params *p, const float *w, float *packed) {
    if (c8_is_few(p)) {
        SDX_FN(few_pack)(p, w, packed);
        return;
    }
    c8_plan plan = c8_plan_weights(p, SDX_C8_UNITS, SDX_C8_ROWS);
    const int64_t *kernel = p->kernel, taps = kernel[0] * kernel[1] * kernel[2], stride = p->stride[2];
    for (int64_t at = 0; at < p->stride[0] * p->stride[1] * plan.groups * plan.products; at++) {
        int64_t rw = at % plan.products, group = at / plan.products % plan.groups;
        int64_t rh = at / plan.products / plan.groups % p->stride[1];
        int64_t rd = at / plan.products / plan.groups / p->stride[1];
        const residue_axis *d = &plan.axes[0].residues[rd], *h = &plan.axes[1].residues[rh];
        const residue_axis *v = &plan.axes[2].residues[rw];
        int64_t lanes = SDX_FN(c8_lanes)(&plan, group);
        for (int64_t i = 0; i < d->axis.taps * h->axis.taps * v->axis.taps; i++) {
            int64_t tw = i % v->axis.taps, th = i / v->axis.taps % h->axis.taps, td = i / v->axis.taps / h->axis.taps;
            int64_t row = ((d->first_tap + td * d->tap_step) * kernel[1] + h->first_tap + th * h->tap_step) * kernel[2];
            for (int64_t c = 0; c < p->c; c++)
                for (int64_t lane = 0; lane < lanes; lane++) {
                    int64_t unit = group * SDX_C8_UNITS + lane / 8, block = plan.merged ? unit / stride : unit;
                    const residue_axis *own = plan.merged ? &plan.axes[2].residues[unit % stride] : v;
                    int64_t tap = row + own->first_tap + tw * own->tap_step;
                    *packed++ = unit < plan.units ? w[(c * p->k + block * 8 + lane % 8) * taps + tap] : 0;
                }
        }
    }
}

/// Copies the inputs around a box, zeros outside x.
static void SDX_FN(c8_fill)(const c8_plan *plan, const c8_box *box, const float *x, float *space) {
    const int64_t *in = plan->p->in;
    c8_inputs around = c8_inputs_of(plan, box);
    const int64_t *begin = around.begin, *extent = around.extent, low = around.low, high = around.high;
    for (int64_t b = 0; b < plan->p->c / 8; b++, x += in[0] * in[1] * in[2] * 8, space += box->block)
        for (int64_t d = 0; d < extent[0]; d++)
            for (int64_t h = 0; h < extent[1]; h++) {
                int64_t id = begin[0] + d, ih = begin[1] + h;
                float *to = space + (d * extent[1] + h) * extent[2] * 8;
                bool inside = id >= 0 && id < in[0] && ih >= 0 && ih < in[1] && high > low;
                int64_t from = inside ? low : 0, end = inside ? high : 0;
                memset(to, 0, (size_t)from * 32);
                if (inside)
                    memcpy(to + from * 8, x + ((id * in[1] + ih) * in[2] + begin[2] + from) * 8,
                           (size_t)(end - from) * 32);
                memset(to + end * 8, 0, (size_t)(extent[2] - end) * 32);
            }
}

/// The place in y of each pixel of the copy from the box's first one on, for a product; -1 for pixels outside the box
/// or y.
static void SDX_FN(c8_places)(const c8_plan *plan, const c8_box *box, const int64_t residue[3], c8_place *table) {
    const int64_t *out = plan->p->out, *stride = plan->p->stride;
    for (int64_t d = 0; d < box->size[0]; d++)
        for (int64_t h = 0; h < box->size[1]; h++) {
            c8_place *row = table + d * box->plane + h * box->row;
            int64_t od = (box->first[0] + d) * stride[0] + residue[0];
            int64_t oh = (box->first[1] + h) * stride[1] + residue[1];
            int64_t ow = box->first[2] * stride[2] + residue[2], start = (od * out[1] + oh) * out[2] + ow;
            int64_t count = od < out[0] && oh < out[1] && ow < out[2] ? c8_ceil(out[2] - ow, stride[2]) : 0;
            count = c8_least(count, box->size[2]);
            bool last = d + 1 == box->size[0] && h + 1 == box->size[1];
            int64_t end = last ? box->size[2] : h + 1 < box->size[1] ? box->row : box->plane - h * box->row;
            for (int64_t w = 0; w < count; w++) row[w] = (start + w * stride[2]) * 8;
            for (int64_t w = count; w < end; w++) row[w] = -1;
        }
}

/// Runs a tile whose results need more than a clamp, or of whose pixels not all units exist, into a buffer, and stores
/// them from there: of row r the units u with (first + u) % stride < left[r].
static void SDX_FN(c8_run_buffered)(
    const c8_tile *tile, void (*product)(const c8_tile *), int rows, int64_t first, int64_t stride,
    const int64_t *left, sdx_activation activation) {
    enum { STEP = SDX_V < 8 ? SDX_V : 8 };
    float buffer[SDX_C8_ROWS * SDX_C8_UNITS * 8];
    c8_place places[SDX_C8_ROWS];
    c8_tile own = *tile;
    for (int r = 0; r < rows; r++) places[r] = tile->pixels[r] < 0 ? -1 : r * SDX_C8_UNITS * 8;
    for (int u = 0; u < SDX_C8_UNITS; u++) own.units[u] = u * 8;
    own.paired = own.unit_count % 2 == 0;
    own.y = buffer;
    own.pixels = places;
    product(&own);
    for (int r = 0; r < rows; r++) {
        if (places[r] < 0) continue;
        for (int u = 0; u < tile->unit_count; u++) {
            if ((first + u) % stride >= left[r]) continue;
            float *to = tile->y + tile->pixels[r] + tile->units[u];
            for (int i = 0; i < 8; i += STEP)
                vstore_first(to + i, STEP, vactivate(activation, vload_first(buffer + places[r] + u * 8 + i, STEP)));
        }
    }
}

/// How many pixels in a row make the tiles that waste least: a row's, a plane's or the whole box's, with what lies
/// between them.
static int64_t SDX_FN(c8_span)(const c8_box *box) {
    int64_t plane = (box->size[1] - 1) * box->row + box->size[2], planes = box->size[0], rows = planes * box->size[1];
    int64_t lengths[3] = {box->size[2], plane, (planes - 1) * box->plane + plane}, times[3] = {rows, planes, 1};
    int64_t best = 0, best_cost = INT64_MAX;
    for (int i = 0; i < 3; i++) {
        int64_t tiles = c8_ceil(lengths[i], SDX_C8_ROWS), cost = times[i] * (lengths[i] + tiles);
        if (lengths[i] < 4 * tiles) cost = times[i] * 5 * tiles; // short tiles wait for their own sums
        if (cost < best_cost) best = lengths[i], best_cost = cost;
    }
    return best;
}

static void SDX_FN(transposed_c8_chunk)(void *context, int64_t chunk, int worker) {
    const c8_plan *plan = context;
    const sdx_conv_params *p = plan->p;
    const c8_axis *a = plan->axes;
    int64_t part = chunk % plan->parts, rest = chunk / plan->parts;
    c8_box box = c8_box_of(plan, &rest);
    box.row = box.size[2] + c8_halo(&a[2]);
    box.plane = box.row * (box.size[1] + c8_halo(&a[1]));
    box.block = c8_space_block(box.size[0] + c8_halo(&a[0]), box.size[1] + c8_halo(&a[1]), box.row);
    int64_t out_pixels = p->out[0] * p->out[1] * p->out[2], group0 = c8_start(plan->groups, plan->parts, part);
    int64_t group1 = c8_start(plan->groups, plan->parts, part + 1), stride = p->stride[2];
    float *space = plan->workspace + worker * plan->worker_floats;
    c8_place *table = (c8_place *)(space + plan->space_floats);
    SDX_FN(c8_fill)(plan, &box, plan->x + rest * p->c * p->in[0] * p->in[1] * p->in[2], space);

    bool clamp = p->activation.kind == SDX_ACTIVATION_RELU || p->activation.kind == SDX_ACTIVATION_CLIP;
    bool direct = clamp || p->activation.kind == SDX_ACTIVATION_NONE;
    bool cut = plan->merged && p->out[2] % stride && c8_is_last(plan, &box); // the last pixels lack some residues
    c8_tile tile = {
        .x_block = box.block, .blocks = p->c / 8, .low = clamp ? p->activation.a : -INFINITY,
        .high = p->activation.kind == SDX_ACTIVATION_CLIP ? p->activation.b : INFINITY,
        .y = plan->y + rest * p->k * out_pixels,
    };
    if (p->activation.kind == SDX_ACTIVATION_RELU) tile.low = 0;
    sdx_activation later = direct ? (sdx_activation){SDX_ACTIVATION_NONE, 0, 0} : p->activation;
    int64_t span = SDX_FN(c8_span)(&box), all_lanes = SDX_FN(c8_all_lanes)(plan);
    int64_t d_step = span <= (box.size[1] - 1) * box.row + box.size[2] ? 1 : box.size[0];
    int64_t h_step = span == box.size[2] && d_step == 1 ? 1 : box.size[1];
    int64_t span_tiles = c8_ceil(span, SDX_C8_ROWS);

    const float *packed = plan->packed;
    for (int64_t dh = 0; dh < p->stride[0] * p->stride[1]; dh++) {
        int64_t residue[3] = {dh / p->stride[1], dh % p->stride[1], 0}, taps[C8_MOST_TAPS], *places = taps;
        int64_t starts[C8_MOST_STRIDE + 1] = {0}; // of the products' taps
        for (residue[2] = 0; residue[2] < plan->products; residue[2]++) {
            const gather_axis *g[3];
            for (int i = 0; i < 3; i++) g[i] = &a[i].residues[residue[i]].axis;
            for (int64_t td = 0; td < g[0]->taps; td++)
                for (int64_t th = 0; th < g[1]->taps; th++)
                    for (int64_t tw = 0; tw < g[2]->taps; tw++)
                        *places++ = 8 * ((g[0]->first + td * g[0]->delta - a[0].low) * box.plane +
                                         (g[1]->first + th * g[1]->delta - a[1].low) * box.row +
                                         g[2]->first + tw * g[2]->delta - a[2].low);
            starts[residue[2] + 1] = places - taps;
            SDX_FN(c8_places)(plan, &box, residue, table + residue[2] * plan->table);
        }
        int64_t all_taps = starts[plan->products];
        for (int64_t group = group0; group < group1; group++) {
            int64_t lanes = SDX_FN(c8_lanes)(plan, group), unit0 = group * SDX_C8_UNITS;
            const float *w = packed + unit0 * 8 * p->c * all_taps;
            float bias[SDX_C8_UNITS * 8] = {0};
            tile.unit_count = (int)c8_least(plan->units - unit0, SDX_C8_UNITS);
            tile.paired = plan->merged && tile.unit_count % 2 == 0;
            for (int u = 0; u < tile.unit_count; u++) {
                int64_t block = plan->merged ? (unit0 + u) / stride : unit0 + u;
                tile.units[u] = block * 8 * out_pixels + (plan->merged ? (unit0 + u) % stride * 8 : 0);
                tile.paired &= u % 2 == 0 || tile.units[u] == tile.units[u - 1] + 8;
                if (plan->bias) memcpy(bias + 8 * u, plan->bias + block * 8, 32);
            }
            tile.bias = bias;
            for (int64_t d = 0; d < box.size[0]; d += d_step)
                for (int64_t h = 0; h < box.size[1]; h += h_step)
                    for (int64_t i = 0; i < span_tiles; i++) {
                        int64_t in_span = c8_start(span, span_tiles, i);
                        int rows = (int)(c8_start(span, span_tiles, i + 1) - in_span);
                        int64_t pixel = d * box.plane + h * box.row + in_span;
                        SDX_FN(c8_product_function) product =
                            SDX_FN(c8_products)[rows - 1][lanes == SDX_C8_UNITS * 8];
                        tile.x = space + pixel * 8;
                        for (int64_t rw = 0; rw < plan->products; rw++) {
                            tile.taps = taps + starts[rw];
                            tile.tap_count = starts[rw + 1] - starts[rw];
                            tile.w = w + starts[rw] * p->c * lanes;
                            tile.pixels = table + rw * plan->table + pixel;
                            if (direct && !cut) {
                                product(&tile);
                                continue;
                            }
                            int64_t left[SDX_C8_ROWS];
                            for (int r = 0; r < rows; r++)
                                left[r] = cut ? p->out[2] - tile.pixels[r] / 8 % p->out[2] : stride;
                            SDX_FN(c8_run_buffered)(&tile, product, rows, unit0, stride, left, later);
                        }
                    }
        }
        packed += all_lanes * p->c * all_taps;
    }
}

static int64_t SDX_FN(transposed_c8_worker_floats)(const sdx_conv_params *p) {
    if (c8_is_few(p)) return SDX_FN(few_plan_run)(p).worker_floats;
    return c8_plan_run(p, SDX_C8_UNITS, SDX_C8_ROWS).worker_floats;
}

static void SDX_FN(transposed_c8_run)(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias, float *y,
    float *workspace) {
    c8_plan plan = c8_is_few(p) ? SDX_FN(few_plan_run)(p) : c8_plan_run(p, SDX_C8_UNITS, SDX_C8_ROWS);
    plan.x = x;
    plan.packed = packed;
    plan.bias = bias;
    plan.y = y;
    plan.workspace = workspace;
    int64_t boxes = plan.axes[0].boxes * plan.axes[1].boxes * plan.axes[2].boxes;
    void (*chunk)(void *, int64_t, int) = c8_is_few(p) ? SDX_FN(few_chunk) : SDX_FN(transposed_c8_chunk);
    sdx_parallel_for(pool, p->n * boxes * plan.parts, chunk, &plan);
}
#else
SDX_TABLE_OF(int64_t, transposed_c8_packed_floats, (const sdx_conv_params *))
SDX_TABLE_OF(int64_t, transposed_c8_worker_floats, (const sdx_conv_params *))
SDX_TABLE(transposed_c8_pack, (const sdx_conv_params *, const float *, float *))
SDX_TABLE(transposed_c8_run, (sdx_pool *, const sdx_conv_params *, const float *, const float *, const float *,
                              float *, float *))

static size_t bytes_of(int64_t floats, int64_t times) {
    int64_t bytes;
    if (floats < 0 || __builtin_mul_overflow(floats, times * (int64_t)sizeof(float), &bytes)) return SIZE_MAX;
    return (size_t)bytes;
}

int sdx_conv_transpose_c8_f32_supported(const sdx_conv_params *p) {
    return sdx_conv_params_valid(p) && !repeats_pixels(p) && c8_transposed_supported(p);
}
size_t sdx_conv_transpose_c8_f32_packed_bytes(const sdx_conv_params *p) {
    if (!sdx_conv_transpose_c8_f32_supported(p)) return SIZE_MAX;
    return bytes_of(SDX_CALL(transposed_c8_packed_floats)(p), 1);
}
void sdx_conv_transpose_c8_f32_pack(const sdx_conv_params *p, const float *w, float *packed) {
    if (p->c > 0 && p->k > 0) SDX_CALL(transposed_c8_pack)(p, w, packed);
}
size_t sdx_conv_transpose_c8_f32_workspace_bytes(const sdx_conv_params *p, int workers) {
    if (!sdx_conv_transpose_c8_f32_supported(p) || workers < 1) return SIZE_MAX;
    return bytes_of(SDX_CALL(transposed_c8_worker_floats)(p), workers);
}
void sdx_conv_transpose_c8_f32_run(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias, float *y,
    void *workspace) {
    if (p->n <= 0 || p->k <= 0 || p->out[0] <= 0 || p->out[1] <= 0 || p->out[2] <= 0) return;
    SDX_CALL(transposed_c8_run)(pool, p, x, packed, bias, y, workspace);
}
#endif
