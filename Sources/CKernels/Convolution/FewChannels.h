/// Convolution to one to four channels a group with a stride of 1 along W, in one ISA pass; after Direct.h. No include
/// guard.
///
/// Lanes are pixels of an output row. A tile holds the sums of all channels for a piece of a row, so that a vector of x
/// is loaded once for all of them. A chunk copies the input rows that its output rows read into scratch, with zeros
/// around them: rows of several slices, so that few are copied more than once.

enum {
    SDX_FN(few_most) = 4,          // channels of y in a group
    SDX_FN(few_terms) = 1024,      // of a sum
    SDX_FN(few_budget) = 12288,    // floats of copied rows that stay in the first cache
    SDX_FN(few_slices) = 49152,    // the same of all slices, in the second cache
    SDX_FN(few_limit) = 1 << 20,   // floats of scratch
    SDX_FN(few_chunks) = 16,
};

typedef struct {
    const sdx_conv_params *params;
    const float *x, *packed, *bias, *residual;
    float *y, *workspace;
    int64_t m, channels, terms;  // of a group
    int64_t row, rows, slices;   // floats of a copied row; copied rows of a slice; copied slices
    int64_t height, row_chunks;  // output rows of a chunk; chunks of a slice
    int64_t depth, slice_chunks; // output slices of a chunk; chunks of an image's slices
    int64_t vectors, tiles;      // of an output row
    int64_t worker_floats;
} SDX_FN(few_plan);

/// The vectors of a tile of m channels: sums, a vector of x and a weight fit the registers.
SDX_INLINE int64_t SDX_FN(few_vectors)(int64_t m) {
    const int64_t sums = SDX_V == 16 || SDX_TARGET_NEON ? 24 : 12;
    return sums / m < 8 ? sums / m : 8;
}

/// False where another kernel is to take the convolution.
static bool SDX_FN(plan_few)(const sdx_conv_params *p, SDX_FN(few_plan) * plan) {
    *plan = (SDX_FN(few_plan)){.params = p, .m = p->k / p->groups, .channels = p->c / p->groups};
    if (plan->m < 1 || plan->m > SDX_FN(few_most) || p->stride[2] != 1 || p->out[0] * p->out[1] * p->out[2] == 0)
        return false;
    double taps = (double)p->kernel[0] * (double)p->kernel[1] * (double)p->kernel[2];
    if (taps < 2 || plan->channels < 1 || taps * (double)plan->channels > SDX_FN(few_terms)) return false;
    double slices = (double)plan->channels * ((double)(p->kernel[0] - 1) * (double)p->dilation[0] + 1);
    double width = (double)p->out[2] + SDX_V + (double)(p->kernel[2] - 1) * (double)p->dilation[2];
    double span = (double)(p->kernel[1] - 1) * (double)p->dilation[1] + 1;
    if (slices * width * span > SDX_FN(few_limit)) return false;

    plan->terms = plan->channels * p->kernel[0] * p->kernel[1] * p->kernel[2];
    plan->vectors = (p->out[2] + SDX_V - 1) / SDX_V;
    int64_t most = SDX_FN(few_vectors)(plan->m), apart = (p->kernel[0] - 1) * p->dilation[0] + 1;
    plan->tiles = (plan->vectors + most - 1) / most;
    plan->row = plan->vectors * SDX_V + (p->kernel[2] - 1) * p->dilation[2];
    int64_t height = 1;
    while (height < p->out[1]) {
        double rows = (double)height * (double)p->stride[1] + span;
        if (rows * (double)plan->row * slices > SDX_FN(few_budget)) break;
        height++;
    }
    plan->row_chunks = (p->out[1] + height - 1) / height;
    plan->height = (p->out[1] + plan->row_chunks - 1) / plan->row_chunks;
    plan->rows = (plan->height - 1) * p->stride[1] + (p->kernel[1] - 1) * p->dilation[1] + 1;
    double one = (double)plan->channels * (double)plan->rows * (double)plan->row;
    double images = (double)p->n * (double)p->groups * (double)plan->row_chunks;
    plan->depth = 1;
    while (plan->depth < p->out[0]) {
        double more = (double)plan->depth * (double)p->stride[0] + (double)apart;
        if (one * more > SDX_FN(few_slices) || images * (double)p->out[0] < SDX_FN(few_chunks) * (double)(plan->depth + 1))
            break;
        plan->depth++;
    }
    plan->slice_chunks = (p->out[0] + plan->depth - 1) / plan->depth;
    plan->depth = (p->out[0] + plan->slice_chunks - 1) / plan->slice_chunks;
    plan->slices = (plan->depth - 1) * p->stride[0] + apart;
    plan->worker_floats = // a row's end is written over
        (plan->channels * plan->slices * plan->rows * plan->row + SDX_V + 15) / 16 * 16;
    return true;
}

/// sums[i][j] += Σₚ w[p, i] · x[offsets[p] + j] for m channels and `vectors` vectors of pixels, which are stored with
/// bias and residual, `count` pixels in all.
SDX_INLINE void SDX_FN(few_tile)(
    const int m, const int vectors, int64_t terms, const float *restrict w, const float *restrict x,
    const int64_t *restrict offsets, const float *bias, const float *residual, float *y, int64_t plane, int64_t count) {
    vf sum[SDX_FN(few_most)][8];
#pragma clang loop unroll(full)
    for (int i = 0; i < m; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) sum[i][j] = vsplat(bias ? bias[i] : 0);
    for (int64_t p = 0; p < terms; p++, w += m) {
        const float *from = x + offsets[p];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            vf v = vload(from + j * SDX_V);
#pragma clang loop unroll(full)
            for (int i = 0; i < m; i++) sum[i][j] = vfma(vbroadcast(w + i), v, sum[i][j]);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < m; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            int64_t n = count - j * SDX_V, at = i * plane + j * SDX_V;
            if (j == vectors - 1 && n < SDX_V) {
                if (residual) sum[i][j] = sum[i][j] + vload_first(residual + at, n);
                vstore_first(y + at, n, sum[i][j]);
            } else {
                if (residual) sum[i][j] = sum[i][j] + vload(residual + at);
                vstore(y + at, sum[i][j]);
            }
        }
}

typedef void (*SDX_FN(few_function))(
    int64_t terms, const float *w, const float *x, const int64_t *offsets, const float *bias, const float *residual,
    float *y, int64_t plane, int64_t count);
#undef SDX_FEW
#define SDX_FEW(M, N)                                                                                                  \
    static void SDX_FN(few_##M##_##N)(                                                                                 \
        int64_t terms, const float *w, const float *x, const int64_t *offsets, const float *bias,                      \
        const float *residual, float *y, int64_t plane, int64_t count) {                                               \
        SDX_FN(few_tile)(M, N, terms, w, x, offsets, bias, residual, y, plane, count);                                 \
    }
#undef SDX_FEW_ALL
#define SDX_FEW_ALL(M)                                                                                                 \
    SDX_FEW(M, 1) SDX_FEW(M, 2) SDX_FEW(M, 3) SDX_FEW(M, 4) SDX_FEW(M, 5) SDX_FEW(M, 6) SDX_FEW(M, 7) SDX_FEW(M, 8)
SDX_FEW_ALL(1) SDX_FEW_ALL(2) SDX_FEW_ALL(3) SDX_FEW_ALL(4)
#undef SDX_FEW_NAMES
#define SDX_FEW_NAMES(M)                                                                                               \
    {SDX_FN(few_##M##_1), SDX_FN(few_##M##_2), SDX_FN(few_##M##_3), SDX_FN(few_##M##_4),                               \
     SDX_FN(few_##M##_5), SDX_FN(few_##M##_6), SDX_FN(few_##M##_7), SDX_FN(few_##M##_8)}
/// By channels - 1 and vectors - 1.
static const SDX_FN(few_function) SDX_FN(few_functions)[SDX_FN(few_most)][8] = {
    SDX_FEW_NAMES(1), SDX_FEW_NAMES(2), SDX_FEW_NAMES(3), SDX_FEW_NAMES(4)};

/// row[0 ..< length) = `pad` zeros, `count` values, zeros. Writes up to a vector beyond: the next row comes after.
SDX_INLINE void SDX_FN(few_copy_row)(float *row, int64_t length, int64_t pad, const float *from, int64_t count) {
    int64_t i = 0;
    for (; i < pad; i += SDX_V) vstore(row + i, vsplat(0));
    for (i = 0; i + SDX_V <= count; i += SDX_V) vstore(row + pad + i, vload(from + i));
    if (i < count) vstore(row + pad + i, vload_first(from + i, count - i));
    for (i = pad + count; i < length; i += SDX_V) vstore(row + i, vsplat(0));
}

/// Copies the rows that outputs [oh, oh + height) of `depth` slices from od on read, of all channels of x.
static void SDX_FN(few_copy)(
    const SDX_FN(few_plan) * plan, const float *x, int64_t od, int64_t depth, int64_t oh, int64_t height, float *to) {
    const sdx_conv_params *p = plan->params;
    int64_t width = p->in[2], plane = p->in[1] * width;
    int64_t pad = p->pad_begin[2] < plan->row ? p->pad_begin[2] : plan->row;
    int64_t inside = plan->row - pad < width ? plan->row - pad : width, first = oh * p->stride[1] - p->pad_begin[1];
    int64_t rows = (height - 1) * p->stride[1] + (p->kernel[1] - 1) * p->dilation[1] + 1;
    int64_t slices = (depth - 1) * p->stride[0] + (p->kernel[0] - 1) * p->dilation[0] + 1;
    for (int64_t c = 0; c < plan->channels; c++, to += (plan->slices - slices) * plan->rows * plan->row)
        for (int64_t t = 0; t < slices; t++, to += plan->rows * plan->row) {
            int64_t id = od * p->stride[0] + t - p->pad_begin[0];
            const float *from = x + (c * p->in[0] + id) * plane;
            for (int64_t r = 0; r < rows; r++) {
                int64_t ih = first + r;
                float *row = to + r * plan->row;
                bool exists = id >= 0 && id < p->in[0] && ih >= 0 && ih < p->in[1];
                SDX_FN(few_copy_row)(row, plan->row, pad, exists ? from + ih * width : x, exists ? inside : 0);
            }
        }
}

static void SDX_FN(few_chunk)(void *context, int64_t chunk, int worker) {
    const SDX_FN(few_plan) *plan = context;
    const sdx_conv_params *p = plan->params;
    int64_t oh0 = chunk % plan->row_chunks * plan->height, rest = chunk / plan->row_chunks;
    int64_t od0 = rest % plan->slice_chunks * plan->depth, image = rest / plan->slice_chunks; // image · groups + group
    int64_t depth = p->out[0] - od0 < plan->depth ? p->out[0] - od0 : plan->depth;
    int64_t height = p->out[1] - oh0 < plan->height ? p->out[1] - oh0 : plan->height;
    if (height <= 0 || depth <= 0) return;
    float *space = plan->workspace + worker * plan->worker_floats;
    SDX_FN(few_copy)(
        plan, plan->x + image * plan->channels * p->in[0] * p->in[1] * p->in[2], od0, depth, oh0, height,
        space);
    int64_t offsets[SDX_FN(few_terms)], n = 0;
    for (int64_t c = 0; c < plan->channels; c++)
        for (int64_t d = 0; d < p->kernel[0]; d++)
            for (int64_t h = 0; h < p->kernel[1]; h++)
                for (int64_t w = 0; w < p->kernel[2]; w++)
                    offsets[n++] = ((c * plan->slices + d * p->dilation[0]) * plan->rows + h * p->dilation[1]) * plan->row +
                                   w * p->dilation[2];

    int64_t plane = p->out[0] * p->out[1] * p->out[2], group = image % p->groups;
    const float *w = plan->packed + group * plan->m * plan->terms;
    const float *bias = plan->bias ? plan->bias + group * plan->m : NULL;
    bool activates = p->activation.kind != SDX_ACTIVATION_NONE;
    for (int64_t i = 0; i < depth * height; i++) {
        int64_t d = i / height, r = i % height;
        const float *from = space + (d * p->stride[0] * plan->rows + r * p->stride[1]) * plan->row;
        int64_t at = image * plan->m * plane + ((od0 + d) * p->out[1] + oh0 + r) * p->out[2];
        for (int64_t t = 0, vector = 0, vectors; t < plan->tiles; t++, vector += vectors) {
            vectors = plan->vectors / plan->tiles + (t < plan->vectors % plan->tiles);
            int64_t place = at + vector * SDX_V;
            SDX_FN(few_functions)[plan->m - 1][vectors - 1](
                plan->terms, w, from + vector * SDX_V, offsets, bias,
                plan->residual ? plan->residual + place : NULL, plan->y + place, plane, p->out[2] - vector * SDX_V);
        }
        for (int64_t k = 0; activates && k < plan->m; k++) {
            float *y = plan->y + at + k * plane;
            for (int64_t j = 0; j < p->out[2]; j += SDX_V) {
                int64_t count = p->out[2] - j < SDX_V ? p->out[2] - j : SDX_V;
                vstore_first(y + j, count, vactivate(p->activation, vload_first(y + j, count)));
            }
        }
    }
}

static void SDX_FN(few_run)(
    sdx_pool *pool, SDX_FN(few_plan) * plan, const float *x, const float *packed, const float *bias,
    const float *residual, float *y, float *workspace) {
    plan->x = x;
    plan->packed = packed;
    plan->bias = bias;
    plan->residual = residual;
    plan->y = y;
    plan->workspace = workspace;
    const sdx_conv_params *p = plan->params;
    sdx_parallel_for(pool, p->n * p->groups * plan->slice_chunks * plan->row_chunks, SDX_FN(few_chunk), plan);
}
