/// Group, instance and batch normalisation in the channel-blocked layout: sdx_group_norm_c8_f32,
/// sdx_scale_shift_c8_f32.
///
/// Statistics are taken a channel, eight at a time, and joined to those of groups: a group may be any number of
/// channels, within a block or over several.
#include <math.h>

#include "../include/sdx_normalization.h"
#define SDX_SELF "../Normalization/BlockedNorm.c"
#include "../Isa/EachIsa.h"

#ifndef SDX_BLOCKED_NORM_TYPES
#define SDX_BLOCKED_NORM_TYPES
/// Pixels that are read twice while in the first cache.
enum { NORM_BLOCK = 512 };

/// Mean and sum of squared deviations of a block's 8 channels over some pixels.
typedef struct {
    double mean[8], m2[8];
} block_moments;

/// y = act((x − mean)·scale + shift), a value a channel.
typedef struct {
    float mean[8], scale[8], shift[8];
} block_affine;
#endif

#if SDX_ISA_PASS
#include "../Elementwise/Blocked.h"
#include "../Reduction/BlockedSums.h"

static void SDX_FN(moments_of_block)(const float *x, int64_t pixels, block_moments *result) {
    d8 mean = (d8)(0.0), m2 = (d8)(0.0);
    for (int64_t at = 0; at < pixels; at += NORM_BLOCK) {
        const int64_t n = pixels - at < NORM_BLOCK ? pixels - at : NORM_BLOCK;
        const float *p = x + at * 8;
        const v8 rounded = __builtin_convertvector(block_sum(p, n) / (double)n, v8);
        float shift[8];
        v8store(shift, rounded);
        d8 sum, squares;
        block_deviations(p, n, shift, &sum, &squares);
        const d8 own = __builtin_convertvector(rounded, d8) + sum / (double)n;
        d8 deviations = squares - sum * (sum / (double)n);
        deviations = deviations < 0.0 ? (d8)(0.0) : deviations;
        const double all = (double)at + (double)n;
        const d8 d = own - mean;
        mean = at == 0 ? own : mean + d * ((double)n / all);
        m2 = at == 0 ? deviations : m2 + deviations + d * d * ((double)at * (double)n / all);
    }
    memcpy(result->mean, &mean, sizeof mean);
    memcpy(result->m2, &m2, sizeof m2);
}

/// n floats of a block, a multiple of 8.
static void SDX_FN(normalise_block)(
    const float *x, float *y, int64_t n, const block_affine *a, sdx_activation act) {
    const vf zero = vsplat(0), slope = vsplat(act.a);
    vf m[SDX_UNIT_VECTORS], s[SDX_UNIT_VECTORS], t[SDX_UNIT_VECTORS];
    unit_spread(a->mean, m);
    unit_spread(a->scale, s);
    unit_spread(a->shift, t);
#define RESULT vfma(v - m[k], s[k], t[k])
    switch (act.kind) {
    case SDX_ACTIVATION_NONE: SDX_EACH_UNIT(x, y, n, RESULT) break;
    case SDX_ACTIVATION_RELU: SDX_EACH_UNIT(x, y, n, vmax(zero, RESULT)) break;
    case SDX_ACTIVATION_LEAKY_RELU: SDX_EACH_UNIT(x, y, n, RESULT < 0.0f ? RESULT * slope : RESULT) break;
    default: // a piece at a time, while it is in the first cache
        for (int64_t i = 0; i < n; i += NORM_BLOCK * 8) {
            int64_t piece = n - i < NORM_BLOCK * 8 ? n - i : NORM_BLOCK * 8;
            SDX_EACH_UNIT(x + i, y + i, piece, RESULT)
            activate_floats(act, y + i, piece);
        }
    }
#undef RESULT
}
#else

SDX_TABLE(moments_of_block, (const float *, int64_t, block_moments *))
SDX_TABLE(normalise_block, (const float *, float *, int64_t, const block_affine *, sdx_activation))

// A chunk's floats; moments kept on the stack; floats of a cluster that is read twice from the second cache.
enum { CHUNK = 32768, MAX_PARTS = 512, FUSED_CLUSTER = 131072 };

/// Mean and sum of squared deviations of a group.
typedef struct {
    double mean, m2;
} group_moments;

/// Joins channels of equally many values to a group: sums of the means' distances from the first.
typedef struct {
    double first, sum, squares, m2;
    int64_t channels;
} joiner;

static void join_channel(joiner *g, double mean, double m2) {
    if (g->channels++ == 0) *g = (joiner){.first = mean, .channels = 1};
    double d = mean - g->first;
    g->sum += d;
    g->squares += d * d;
    g->m2 += m2;
}

/// The group's moments; every channel has n values.
static group_moments joined(const joiner *g, int64_t n) {
    double c = (double)g->channels, between = g->squares - g->sum * (g->sum / c);
    return (group_moments){g->first + g->sum / c, g->m2 + (double)n * (between < 0 ? 0 : between)};
}

typedef struct {
    const float *x, *scale, *bias;
    float *y;
    // A cluster is the fewest blocks that are whole groups.
    int64_t channels, per_group, pixels, cluster, clusters, per_chunk, split, splits;
    block_moments *parts; // [blocks of all images][splits], of which the first then holds those of all pixels
    double epsilon;
    sdx_activation act;
} group_job;

/// Channel c's part of y = act((x − mean)·scale + shift), within block `affine` as lane c % 8.
static void set_channel(const group_job *j, int64_t c, group_moments m, block_affine *affine) {
    double n = (double)j->per_group * (double)j->pixels, r = 1 / sqrt(m.m2 / n + j->epsilon);
    float mean = (float)m.mean;
    double s = j->scale ? r * j->scale[c] : r;
    affine->mean[c % 8] = mean;
    affine->scale[c % 8] = (float)s;
    affine->shift[c % 8] = (float)((mean - m.mean) * s + (j->bias ? j->bias[c] : 0));
}

/// Normalises pixels begin ..< end of a cluster, its groups' moments being in order.
static void apply(const group_job *j, int64_t cluster, const group_moments *groups, int64_t begin, int64_t end) {
    int64_t first = cluster * j->cluster; // a block among those of all images
    for (int64_t b = 0; b < j->cluster; b++) {
        block_affine affine;
        for (int64_t k = b * 8; k < b * 8 + 8; k++)
            set_channel(j, (first * 8 + k) % j->channels, groups[k / j->per_group], &affine);
        int64_t at = ((first + b) * j->pixels + begin) * 8;
        SDX_CALL(normalise_block)(j->x + at, j->y + at, (end - begin) * 8, &affine, j->act);
    }
}

/// Statistics and result of whole clusters, each by one worker: one pass from memory where a cluster fits the cache.
static void fused_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const group_job *j = ctx;
    int64_t end = (chunk + 1) * j->per_chunk < j->clusters ? (chunk + 1) * j->per_chunk : j->clusters;
    for (int64_t u = chunk * j->per_chunk; u < end; u++) {
        group_moments groups[8];
        joiner join = {0};
        for (int64_t b = 0, g = 0; b < j->cluster; b++) {
            block_moments m;
            SDX_CALL(moments_of_block)(j->x + (u * j->cluster + b) * j->pixels * 8, j->pixels, &m);
            for (int k = 0; k < 8; k++) {
                join_channel(&join, m.mean[k], m.m2[k]);
                if (join.channels < j->per_group) continue;
                groups[g++] = joined(&join, j->pixels);
                join = (joiner){0};
            }
        }
        apply(j, u, groups, 0, j->pixels);
    }
}

static void moments_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const group_job *j = ctx;
    int64_t block = chunk / j->splits, p = chunk % j->splits * j->split;
    int64_t n = j->pixels - p < j->split ? j->pixels - p : j->split;
    SDX_CALL(moments_of_block)(j->x + (block * j->pixels + p) * 8, n, &j->parts[chunk]);
}

static void apply_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const group_job *j = ctx;
    int64_t block = chunk / j->splits, p = chunk % j->splits * j->split;
    int64_t end = p + j->split < j->pixels ? p + j->split : j->pixels;
    block_affine affine;
    for (int k = 0; k < 8; k++) {
        group_moments m = {j->parts[block * j->splits].mean[k], j->parts[block * j->splits].m2[k]};
        set_channel(j, (block * 8 + k) % j->channels, m, &affine);
    }
    int64_t at = (block * j->pixels + p) * 8;
    SDX_CALL(normalise_block)(j->x + at, j->y + at, (end - p) * 8, &affine, j->act);
}

/// Joins the splits of each block, then the channels of each group, whose moments each of its channels then has.
static void join_parts(const group_job *j, int64_t blocks) {
    for (int64_t b = 0; b < blocks; b++) {
        block_moments *all = j->parts + b * j->splits;
        for (int64_t s = 1; s < j->splits; s++) {
            double before = (double)(s * j->split);
            double n = (double)(j->pixels - s * j->split < j->split ? j->pixels - s * j->split : j->split);
            for (int k = 0; k < 8; k++) {
                double d = all[s].mean[k] - all->mean[k];
                all->mean[k] += d * (n / (before + n));
                all->m2[k] += all[s].m2[k] + d * d * (before * n / (before + n));
            }
        }
    }
    if (j->per_group == 1) return;
    for (int64_t first = 0; first < blocks * 8; first += j->per_group) {
        joiner join = {0};
        for (int64_t c = first; c < first + j->per_group; c++)
            join_channel(&join, j->parts[c / 8 * j->splits].mean[c % 8], j->parts[c / 8 * j->splits].m2[c % 8]);
        group_moments m = joined(&join, j->pixels);
        for (int64_t c = first; c < first + j->per_group; c++) {
            j->parts[c / 8 * j->splits].mean[c % 8] = m.mean;
            j->parts[c / 8 * j->splits].m2[c % 8] = m.m2;
        }
    }
}

void sdx_group_norm_c8_f32(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t groups, int64_t channels_per_group,
    int64_t pixels, const float *scale, const float *bias, float epsilon, sdx_activation act) {
    if (batch <= 0 || groups <= 0 || channels_per_group <= 0 || pixels <= 0) return;
    group_job job = {.x = x, .scale = scale, .bias = bias, .y = y, .channels = groups * channels_per_group,
                     .per_group = channels_per_group, .pixels = pixels, .epsilon = epsilon, .act = act};
    // lcm(8, channels_per_group) / 8 blocks
    job.cluster = channels_per_group;
    for (int k = 0; k < 3 && job.cluster % 2 == 0; k++) job.cluster /= 2;
    int64_t blocks = batch * (job.channels / 8), floats = job.cluster * pixels * 8;
    job.clusters = blocks / job.cluster;
    if (blocks > MAX_PARTS || (job.clusters >= 16 && floats <= FUSED_CLUSTER)) {
        job.per_chunk = CHUNK / 2 / floats + 1;
        sdx_parallel_for(pool, (job.clusters + job.per_chunk - 1) / job.per_chunk, fused_chunk, &job);
        return;
    }
    block_moments parts[MAX_PARTS];
    int64_t splits = (pixels - 1) / (CHUNK / 8) + 1;
    if (splits > MAX_PARTS / blocks) splits = MAX_PARTS / blocks;
    job.split = ((pixels - 1) / splits / NORM_BLOCK + 1) * NORM_BLOCK;
    job.splits = (pixels - 1) / job.split + 1;
    job.parts = parts;
    sdx_parallel_for(pool, blocks * job.splits, moments_chunk, &job);
    join_parts(&job, blocks);
    sdx_parallel_for(pool, blocks * job.splits, apply_chunk, &job);
}

typedef struct {
    const float *x, *scale, *shift;
    float *y;
    int64_t blocks, block, total;
    sdx_activation act;
} affine_job;

static void affine_chunk(void *ctx, int64_t chunk, int worker) {
    (void)worker;
    const affine_job *j = ctx;
    int64_t begin = chunk * CHUNK, end = begin + CHUNK < j->total ? begin + CHUNK : j->total;
    for (int64_t i = begin; i < end;) {
        int64_t at = i / j->block, stop = (at + 1) * j->block < end ? (at + 1) * j->block : end;
        block_affine affine = {0};
        memcpy(affine.scale, j->scale + at % j->blocks * 8, sizeof affine.scale);
        memcpy(affine.shift, j->shift + at % j->blocks * 8, sizeof affine.shift);
        SDX_CALL(normalise_block)(j->x + i, j->y + i, stop - i, &affine, j->act);
        i = stop;
    }
}

void sdx_scale_shift_c8_f32(
    sdx_pool *pool, const float *x, float *y, int64_t batch, int64_t channels, int64_t pixels, const float *scale,
    const float *shift, sdx_activation act) {
    if (batch <= 0 || channels <= 0 || pixels <= 0) return;
    affine_job job = {x, scale, shift, y, channels / 8, pixels * 8, batch * channels * pixels, act};
    sdx_parallel_for(pool, (job.total + CHUNK - 1) / CHUNK, affine_chunk, &job);
}
#endif
