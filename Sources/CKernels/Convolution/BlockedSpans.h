/// Channel-blocked depthwise convolution with windows of 3 or 5 columns and strides of 1 or 2, in one ISA pass; after
/// BlockedDepthwise.h. No include guard.
///
/// Reads x itself. An output row is cut into spans whose sums stay in registers; every pixel of an input row that a
/// span reads is loaded once, and columns outside the input count as zeros. On AVX-512 a vector holds two neighbouring
/// pixels where the stride is 1.

typedef struct {
    const float *x;    // column 0 of the first row that the taps meet
    const float *w;    // [row][column][8], from that row on
    const float *bias; // 8 values, or NULL
    float *y;
    int64_t rows, row_step; // rows that taps meet; floats of x from one to the next
    int64_t first, width;   // column of x under the first output's first tap, perhaps outside; columns of x
    int64_t pixels;         // outputs
    sdx_activation_kind kind; // RELU or CLIP for the bounds, HARD_SWISH, or NONE
    float low, high;
} SDX_FN(span);

enum { SDX_FN(most_span) = 8 }; // vectors of sums

#define SDX_SPAN_LANES (SDX_V < 8 ? SDX_V : 8)
typedef float SDX_FN(span_lanes) __attribute__((ext_vector_type(SDX_SPAN_LANES)));
typedef float SDX_FN(span_lanes_any) __attribute__((ext_vector_type(SDX_SPAN_LANES), aligned(4), may_alias));
static const float SDX_FN(span_zeros)[8];

/// The activation of sums; a NaN stays.
#define SDX_SPAN_FINISH(NAME, V)                                                                                       \
    SDX_INLINE V NAME(const SDX_FN(span) * t, V v) {                                                                   \
        if (t->kind == SDX_ACTIVATION_CLIP) {                                                                          \
            V low = t->low - (V){0}, high = t->high - (V){0};                                                          \
            v = low > v ? low : v;                                                                                     \
            return high < v ? high : v;                                                                                \
        }                                                                                                              \
        if (t->kind != SDX_ACTIVATION_HARD_SWISH) return v;                                                            \
        V zero = {0}, one = 1.0f - (V){0};                                                                             \
        V gate = SDX_SPAN_FMA(v, 1.0f / 6 - (V){0}, 0.5f - (V){0});                                                    \
        gate = zero > gate ? zero : gate;                                                                              \
        return v * (one < gate ? one : gate);                                                                          \
    }
#undef SDX_SPAN_FMA
#if SDX_HAS_FMA
#define SDX_SPAN_FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define SDX_SPAN_FMA(a, b, c) ((a) * (b) + (c))
#endif
SDX_SPAN_FINISH(SDX_FN(span_finish), SDX_FN(span_lanes))
#if SDX_V == 16
SDX_SPAN_FINISH(SDX_FN(span_finish_pair), vf)
#endif
#undef SDX_SPAN_FINISH

/// `pixels` outputs of windows of `columns` columns; with `edge` some lie outside the input.
SDX_INLINE void SDX_FN(span_pixels)(
    const int pixels, const int columns, const int stride, const bool edge, const SDX_FN(span) * t) {
    typedef SDX_FN(span_lanes) lanes;
    for (int lane = 0; lane < 8; lane += SDX_SPAN_LANES) {
        lanes sum[SDX_FN(most_span)], start = {0};
        if (t->bias) start = *(const SDX_FN(span_lanes_any) *)(t->bias + lane);
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++) sum[i] = start;
        const float *x = t->x + lane + t->first * 8, *w = t->w + lane;
        for (int64_t row = 0; row < t->rows; row++, x += t->row_step, w += columns * 8) {
            lanes weight[5];
#pragma clang loop unroll(full)
            for (int k = 0; k < columns; k++) weight[k] = *(const SDX_FN(span_lanes_any) *)(w + k * 8);
#pragma clang loop unroll(full)
            for (int i = 0; i < (pixels - 1) * stride + columns; i++) {
                const float *from = x + i * 8;
                if (edge && (uint64_t)(t->first + i) >= (uint64_t)t->width) from = SDX_FN(span_zeros);
                lanes v = *(const SDX_FN(span_lanes_any) *)from;
#pragma clang loop unroll(full)
                for (int k = 0; k < columns; k++) {
                    if (i < k || (i - k) % stride != 0 || (i - k) / stride >= pixels) continue;
                    lanes *to = &sum[(i - k) / stride];
                    *to = SDX_SPAN_FMA(weight[k], v, *to);
                }
            }
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++)
            *(SDX_FN(span_lanes_any) *)(t->y + i * 8 + lane) = SDX_FN(span_finish)(t, sum[i]);
    }
}

#if SDX_V == 16
SDX_INLINE vf SDX_FN(span_twice)(const float *p) {
    SDX_FN(span_lanes) v = *(const SDX_FN(span_lanes_any) *)p;
    return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/// As span_pixels with a stride of 1, for 2 · `pairs` outputs, or one fewer.
SDX_INLINE void SDX_FN(span_pairs)(const int pairs, const int columns, const bool edge, const SDX_FN(span) * t) {
    const int places = 2 * pairs - 2 + columns; // that pairs of columns begin at
    vf sum[SDX_FN(most_span)], start = {0};
    if (t->bias) start = SDX_FN(span_twice)(t->bias);
#pragma clang loop unroll(full)
    for (int i = 0; i < pairs; i++) sum[i] = start;
    const float *x = t->x + t->first * 8, *w = t->w;
    __mmask16 inside[2 * SDX_FN(most_span) + 3];
    if (edge)
#pragma clang loop unroll(full)
        for (int i = 0; i < places; i++) {
            int64_t at = t->first + i;
            inside[i] = (__mmask16)(((uint64_t)at < (uint64_t)t->width ? 0xff : 0) |
                                    ((uint64_t)(at + 1) < (uint64_t)t->width ? 0xff00 : 0));
        }
    for (int64_t row = 0; row < t->rows; row++, x += t->row_step, w += columns * 8) {
        vf weight[5];
#pragma clang loop unroll(full)
        for (int k = 0; k < columns; k++) weight[k] = SDX_FN(span_twice)(w + k * 8);
#pragma clang loop unroll(full)
        for (int i = 0; i < places; i++) {
            // No more columns than a window's rest lie outside on either side.
            vf v;
            if (edge && (i < columns - 1 || i >= places - columns)) v = (vf)_mm512_maskz_loadu_ps(inside[i], x + i * 8);
            else v = vload(x + i * 8);
#pragma clang loop unroll(full)
            for (int k = i % 2; k < columns; k += 2)
                if (i >= k && (i - k) / 2 < pairs) sum[(i - k) / 2] = vfma(weight[k], v, sum[(i - k) / 2]);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < pairs; i++) {
        sum[i] = SDX_FN(span_finish_pair)(t, sum[i]);
        if (i < pairs - 1 || t->pixels % 2 == 0) vstore(t->y + i * 16, sum[i]);
        else *(SDX_FN(span_lanes_any) *)(t->y + i * 16) = sum[i].lo;
    }
}
#endif

// A function for each window, stride and edge, which takes any number of pixels up to most_span (pairs where so).
#undef SDX_SPAN_CASE
#define SDX_SPAN_CASE(N, COLUMNS, STRIDE, EDGE)                                                                        \
    case N: SDX_FN(span_pixels)(N, COLUMNS, STRIDE, EDGE, t); break;
#undef SDX_SPAN_PAIR
#define SDX_SPAN_PAIR(N, COLUMNS, STRIDE, EDGE)                                                                        \
    case N: SDX_FN(span_pairs)(N, COLUMNS, EDGE, t); break;
#undef SDX_SPAN
#define SDX_SPAN(COUNT, CASE, COLUMNS, STRIDE, EDGE)                                                                   \
    static void SDX_FN(span_##COLUMNS##_##STRIDE##_##EDGE)(const SDX_FN(span) * t) {                                   \
        switch (COUNT) {                                                                                               \
            CASE(1, COLUMNS, STRIDE, EDGE) CASE(2, COLUMNS, STRIDE, EDGE) CASE(3, COLUMNS, STRIDE, EDGE)               \
            CASE(4, COLUMNS, STRIDE, EDGE) CASE(5, COLUMNS, STRIDE, EDGE) CASE(6, COLUMNS, STRIDE, EDGE)               \
            CASE(7, COLUMNS, STRIDE, EDGE) CASE(8, COLUMNS, STRIDE, EDGE)                                              \
        }                                                                                                              \
    }
#if SDX_V == 16
#define SDX_SPAN_1(COLUMNS, EDGE) SDX_SPAN((t->pixels + 1) / 2, SDX_SPAN_PAIR, COLUMNS, 1, EDGE)
#else
#define SDX_SPAN_1(COLUMNS, EDGE) SDX_SPAN(t->pixels, SDX_SPAN_CASE, COLUMNS, 1, EDGE)
#endif
SDX_SPAN_1(3, 0)
SDX_SPAN_1(3, 1)
SDX_SPAN_1(5, 0)
SDX_SPAN_1(5, 1)
SDX_SPAN(t->pixels, SDX_SPAN_CASE, 3, 2, 0)
SDX_SPAN(t->pixels, SDX_SPAN_CASE, 3, 2, 1)
SDX_SPAN(t->pixels, SDX_SPAN_CASE, 5, 2, 0)
SDX_SPAN(t->pixels, SDX_SPAN_CASE, 5, 2, 1)
#undef SDX_SPAN_1

/// By columns 3 and 5, stride - 1 and edge.
static void (*const SDX_FN(spans)[2][2][2])(const SDX_FN(span) *) = {
    {{SDX_FN(span_3_1_0), SDX_FN(span_3_1_1)}, {SDX_FN(span_3_2_0), SDX_FN(span_3_2_1)}},
    {{SDX_FN(span_5_1_0), SDX_FN(span_5_1_1)}, {SDX_FN(span_5_2_0), SDX_FN(span_5_2_1)}},
};

/// Whether the spans take this depthwise convolution: a window in a plane, no wider than the padding's counterpart.
static bool SDX_FN(spans_fit)(const sdx_conv_params *p) {
    if (p->kernel[0] != 1 || p->stride[0] != 1 || p->pad_begin[0] != 0 || p->in[0] != p->out[0]) return false;
    if (repeats_pixels(p)) return false;
    if (p->kernel[2] != 3 && p->kernel[2] != 5) return false;
    if (p->stride[2] > 2 || p->dilation[2] != 1 || p->in[2] < 1) return false;
    int64_t last = (p->out[2] - 1) * p->stride[2] - p->pad_begin[2] + p->kernel[2] - 1; // the last output's last column
    return p->pad_begin[2] < p->kernel[2] && last < p->in[2] + p->kernel[2] - 1;
}

typedef struct {
    const sdx_conv_params *params;
    const float *x, *packed, *bias;
    float *y;
    int64_t rows, chunk_rows; // of y over all planes and blocks of channels
} SDX_FN(spans_job);

static void SDX_FN(spans_chunk)(void *context, int64_t chunk, int worker) {
    (void)worker;
    const SDX_FN(spans_job) *job = context;
    const sdx_conv_params *p = job->params;
    int64_t columns = p->kernel[2], stride = p->stride[2], width = p->out[2];
    int64_t most = SDX_FN(most_span) * (SDX_V == 16 && stride == 1 ? 2 : 1);
    int64_t count = (width + most - 1) / most, each = (width + count - 1) / count;
    if (most > SDX_FN(most_span)) each = (each + 1) / 2 * 2; // whole pairs but for the last span
    void (*const *spans)(const SDX_FN(span) *) = SDX_FN(spans)[columns / 2 - 1][stride - 1];
    SDX_FN(span) t = {.row_step = p->dilation[1] * p->in[2] * 8, .width = p->in[2]};
    float low, high;
    bool clamp = SDX_FN(clamps)(p->activation, &low, &high);
    t.kind = clamp ? SDX_ACTIVATION_CLIP
                   : p->activation.kind == SDX_ACTIVATION_HARD_SWISH ? SDX_ACTIVATION_HARD_SWISH : SDX_ACTIVATION_NONE;
    t.low = low;
    t.high = high;
    int64_t end = job->rows - chunk * job->chunk_rows < job->chunk_rows ? job->rows : (chunk + 1) * job->chunk_rows;
    for (int64_t row = chunk * job->chunk_rows; row < end; row++) {
        int64_t oh = row % p->out[1], plane = row / p->out[1], block = plane / p->out[0] % (p->c / 8);
        tap_range h = taps_inside(p, 1, oh);
        int64_t ih = oh * p->stride[1] - p->pad_begin[1] + h.begin * p->dilation[1];
        t.rows = h.end - h.begin;
        t.x = job->x + (t.rows > 0 ? (plane * p->in[1] + ih) * p->in[2] * 8 : 0);
        t.w = job->packed + (block * p->kernel[1] + h.begin) * columns * 8;
        t.bias = job->bias ? job->bias + block * 8 : NULL;
        float *y = job->y + row * width * 8;
        for (int64_t ow = 0; ow < width; ow += t.pixels) {
            t.pixels = width - ow < each ? width - ow : each;
            t.first = ow * stride - p->pad_begin[2];
            t.y = y + ow * 8;
            int64_t beyond = t.first + ((each - 1) * stride) + columns;
            spans[t.first < 0 || beyond > t.width](&t);
        }
        if (t.kind == SDX_ACTIVATION_NONE && p->activation.kind != SDX_ACTIVATION_NONE)
            SDX_FN(activate_values)(p->activation, y, 8 * width);
    }
}

static void SDX_FN(spans_run)(
    sdx_pool *pool, const sdx_conv_params *p, const float *x, const float *packed, const float *bias, float *y) {
    SDX_FN(spans_job) job = {p, x, packed, bias, y, p->n * (p->c / 8) * p->out[0] * p->out[1], 1};
    if (job.rows * p->out[2] == 0) return;
    double work = (double)p->out[2] * p->kernel[1] * p->kernel[2] * 8;
    job.chunk_rows = work > 6e4 ? 1 : (int64_t)(6e4 / work) + 1;
    sdx_parallel_for(pool, (job.rows + job.chunk_rows - 1) / job.chunk_rows, SDX_FN(spans_chunk), &job);
}
