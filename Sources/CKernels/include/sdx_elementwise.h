#ifndef SDX_ELEMENTWISE_H
#define SDX_ELEMENTWISE_H
/// Elementwise f32 kernels: unary and binary operators, strided copies, type conversions, gates of recurrent layers.
///
/// For all of them: pointers need the alignment of an element only; every element, but for which NaN it is, has the
/// same bits wherever it stands in the array (tails run the vector code on a part of a vector); work is cut by shape,
/// so results do not depend on the pool. Denormal inputs, intermediate values and results count as zero (the pool
/// flushes them). Sizes of 0 do nothing. ULP bounds are measured over all floats or dense samples of the stated range,
/// on every ISA, the larger one stated (baseline has no FMA).
#include "sdx_activation.h"
#include "sdx_pool.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// y as a function of x, alpha (a) and beta (b). A NaN gives a NaN unless noted.
typedef enum sdx_unary_op {
    SDX_UNARY_COPY = 0,         ///< x
    SDX_UNARY_RELU,             ///< max(x, 0)
    SDX_UNARY_LEAKY_RELU,       ///< x < 0 ? a·x : x
    SDX_UNARY_ELU,              ///< x < 0 ? a·(eˣ − 1) : x; 1 ULP
    SDX_UNARY_SELU,             ///< b·(x <= 0 ? a·(eˣ − 1) : x): a is ONNX's alpha, b its gamma; 3 ULP
    SDX_UNARY_CELU,             ///< max(0, x) + min(0, a·(e^(x/a) − 1)); 2 ULP
    SDX_UNARY_CLIP,             ///< min(max(x, a), b): b where a > b; a NaN stays NaN; ∓inf for a missing bound
    SDX_UNARY_SIGMOID,          ///< 1 / (1 + e⁻ˣ); 3 ULP
    SDX_UNARY_TANH,             ///< 2 ULP
    SDX_UNARY_EXP,              ///< 1 ULP
    SDX_UNARY_LOG,              ///< −inf at 0, NaN below; 1 ULP
    SDX_UNARY_ERF,              ///< 2 ULP
    SDX_UNARY_GELU_ERF,         ///< x/2 · (1 + erf(x/√2)); |error| <= 2⁻²³·|x|
    SDX_UNARY_GELU_TANH,        ///< x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))); |error| <= 2⁻²³·|x|
    SDX_UNARY_SOFTPLUS,         ///< ln(1 + eˣ), also where eˣ overflows; 2 ULP
    SDX_UNARY_SOFTSIGN,         ///< x / (1 + |x|); 2 ULP (NaN at ±inf)
    SDX_UNARY_HARD_SIGMOID,     ///< max(0, min(1, a·x + b))
    SDX_UNARY_HARD_SWISH,       ///< x · max(0, min(1, x/6 + 1/2))
    SDX_UNARY_SWISH,            ///< x / (1 + e^(−a·x)); SiLU is a = 1; 3 ULP for x > −86
    SDX_UNARY_MISH,             ///< x · tanh(ln(1 + eˣ)); 4 ULP for x > −86
    SDX_UNARY_ABS,              ///< |x|
    SDX_UNARY_NEG,              ///< −x
    SDX_UNARY_RECIPROCAL,       ///< 1 / x, correctly rounded
    SDX_UNARY_SQRT,             ///< correctly rounded; NaN below 0
    SDX_UNARY_FLOOR,            ///< exact
    SDX_UNARY_CEIL,             ///< exact
    SDX_UNARY_ROUND,            ///< to the nearest integer, ties to even
    SDX_UNARY_SIGN,             ///< −1, 0 or 1
    SDX_UNARY_THRESHOLDED_RELU, ///< x > a ? x : 0 (0 for NaN, as ONNX's function body)
    SDX_UNARY_SQUARE,           ///< x · x
    SDX_UNARY_AFFINE,           ///< a·x + b, one rounding with FMA, else two
    SDX_UNARY_COUNT
} sdx_unary_op;

/// y[i] = op(x[i]) for i in 0 ..< n. y may be x, or must not overlap it.
void sdx_unary_f32(
    sdx_pool *_Nullable pool, sdx_unary_op op, const float *x, float *y, int64_t n, float alpha, float beta);

typedef enum sdx_binary_op {
    SDX_BINARY_ADD = 0, ///< a + b
    SDX_BINARY_SUB,     ///< a − b
    SDX_BINARY_MUL,     ///< a · b
    SDX_BINARY_DIV,     ///< a / b
    SDX_BINARY_MAX,     ///< the larger; NaN if either is NaN
    SDX_BINARY_MIN,     ///< the smaller; NaN if either is NaN
    SDX_BINARY_POW,     ///< aᵇ as C's powf, special cases too; 1 ULP
    SDX_BINARY_PRELU,   ///< a < 0 ? b·a : a
    SDX_BINARY_FMOD,    ///< C's fmodf: exact, the sign of a
    SDX_BINARY_COUNT
} sdx_binary_op;

/// The most dimensions of binary and strided kernels. Neighbours that the operands walk as one are merged inside.
#define SDX_MAX_RANK 32

/// y[i₀, …] = act(a[Σ iₖ·a_strides[k]] op b[Σ iₖ·b_strides[k]]) for i in the box `shape`; y is contiguous, row-major.
/// Strides count elements; 0 broadcasts, others may be anything. Fast where the innermost merged dimension has strides
/// 0 or 1. y may be a (or b) when that operand is contiguous and of y's shape, or must not overlap it. rank in 0 ...
/// SDX_MAX_RANK; act: SDX_ACTIVATION_NONE or SDX_ACTIVATION_RELU; traps on others.
void sdx_binary_f32(
    sdx_pool *_Nullable pool, sdx_binary_op op, const float *a, const int64_t *a_strides, const float *b,
    const int64_t *b_strides, float *y, const int64_t *shape, int rank, sdx_activation_kind act);

/// The most steps and operands of a chain.
#define SDX_CHAIN_STEPS 16
#define SDX_CHAIN_OPERANDS 16

/// A step of a chain: op(left), or left op right. Values are numbered: the operands, then the steps' results.
typedef struct sdx_chain_step {
    int is_binary;     ///< op is an sdx_binary_op, else an sdx_unary_op
    int op;
    int left, right;   ///< values before this step's own; right counts for binary steps only
    float alpha, beta; ///< of unary steps
} sdx_chain_step;

/// y[i₀, …] = the last step's result for i in the box `shape`, each step on the elements that the operands have there:
/// operand k at operands[k][Σ iⱼ·strides[k·rank + j]]. The bits are those of the steps as kernels of their own, but blocks
/// of the steps' results stay in the cache. y is contiguous, row-major, and may be an operand that is so too and of y's
/// shape; others must not overlap it. Strides as in sdx_binary_f32; rank in 1 ... SDX_MAX_RANK, operand_count in 1 ...
/// SDX_CHAIN_OPERANDS, step_count in 1 ... SDX_CHAIN_STEPS; traps on others. A binary step with POW is the same only where
/// its right value is one number.
void sdx_chain_f32(
    sdx_pool *_Nullable pool, const sdx_chain_step *steps, int step_count, const float *_Nonnull const *_Nonnull operands,
    int operand_count, const int64_t *strides, const int64_t *shape, int rank, float *y);

/// The channel-blocked layout c8: [n, c, pixels] stored as [n, c / 8, pixels, 8], c a multiple of 8. From the plain
/// layout (y[i, c / 8, p, c % 8] = x[i, c, p]) and back. Copies bits. No overlap.
void sdx_to_c8_f32(sdx_pool *_Nullable pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y);
void sdx_from_c8_f32(sdx_pool *_Nullable pool, int64_t n, int64_t c, int64_t pixels, const float *x, float *y);

/// ONNX's DepthToSpace and SpaceToDepth by blocks of size · size pixels, x [n, c, h, w] and y in c8, both of a multiple
/// of 8 channels. DepthToSpace: y[i, k, h·size + r, w·size + s] = x[i, (r·size + s)·c/size² + k, h, w], or with
/// column_row_depth (mode CRD, PyTorch's pixel shuffle) x[i, (k·size + r)·size + s, h, w]. No overlap.
void sdx_depth_to_space_c8_f32(
    sdx_pool *_Nullable pool, int64_t n, int64_t c, int64_t h, int64_t w, int64_t size, int column_row_depth,
    const float *x, float *y);
void sdx_space_to_depth_c8_f32(
    sdx_pool *_Nullable pool, int64_t n, int64_t c, int64_t h, int64_t w, int64_t size, const float *x, float *y);

/// y[i, c, p] = act(x[i, c, p] op b[i·b_stride + c]), x and y in c8: b_stride 0 for values that all images share, c for
/// values an image. op: all but POW and FMOD, which trap. y may be x, or must not overlap it or b.
void sdx_channel_binary_c8_f32(
    sdx_pool *_Nullable pool, sdx_binary_op op, int64_t n, int64_t c, int64_t pixels, const float *x, const float *b,
    int64_t b_stride, float *y, sdx_activation act);

/// What stands outside a padded tensor.
typedef enum sdx_pad_mode {
    SDX_PAD_CONSTANT = 0, ///< a value
    SDX_PAD_EDGE,         ///< the nearest element
    SDX_PAD_REFLECT,      ///< mirrored without repeating the first or last element, as often as needed
    SDX_PAD_WRAP,         ///< periodic
} sdx_pad_mode;

/// y[i, c, o] = x[i, c, o − pad_begin] over the spatial axes D, H, W, in c8; what lies outside x is as `mode` says
/// (`value` where x is empty). pad_begin may be negative, `out` is any size >= 0. Copies bits. No overlap.
void sdx_pad_c8_f32(
    sdx_pool *_Nullable pool, int64_t n, int64_t c, const int64_t in[_Nonnull 3], const int64_t pad_begin[_Nonnull 3],
    const int64_t out[_Nonnull 3], sdx_pad_mode mode, float value, const float *x, float *y);

/// dst[i₀, …] = src[Σ iₖ·src_strides[k]], dst contiguous of `shape`. Strides count elements, may be 0 or negative.
/// elem_size: 1, 2, 4, 8 or 16 bytes. No overlap.
/// Rows are copied where src's innermost stride is 1, filled where it is 0, else 2D blocks are transposed.
void sdx_transpose(
    sdx_pool *_Nullable pool, int elem_size, const void *src, void *dst, const int64_t *shape,
    const int64_t *src_strides, int rank);

/// dst[Σ iₖ·dst_strides[k]] = src[Σ iₖ·src_strides[k]] for i in the box `shape`: sdx_transpose into a part of a larger
/// array (Concat, Pad, ScatterND of slices). No two i may share a dst element. src_strides of 0 fill with one element.
void sdx_copy_strided(
    sdx_pool *_Nullable pool, int elem_size, const void *src, const int64_t *src_strides, void *dst,
    const int64_t *dst_strides, const int64_t *shape, int rank);

/// dst[i] = *value for n elements of elem_size bytes.
void sdx_fill(sdx_pool *_Nullable pool, int elem_size, const void *value, void *dst, int64_t n);

/// Half and bfloat16 storage. To f32 exact; from f32 rounds to nearest even, overflow gives inf, a NaN stays a (quiet)
/// NaN with its sign and the high bits of its payload, half denormals are kept. No overlap.
void sdx_convert_f16_f32(sdx_pool *_Nullable pool, const uint16_t *x, float *y, int64_t n);
void sdx_convert_f32_f16(sdx_pool *_Nullable pool, const float *x, uint16_t *y, int64_t n);
void sdx_convert_bf16_f32(sdx_pool *_Nullable pool, const uint16_t *x, float *y, int64_t n);
void sdx_convert_f32_bf16(sdx_pool *_Nullable pool, const float *x, uint16_t *y, int64_t n);

/// y[i] = scale·(x[i] − zero): the difference is exact, one rounding. zero = 0, scale = 1 is a cast.
void sdx_convert_u8_f32(sdx_pool *_Nullable pool, const uint8_t *x, float *y, int64_t n, float scale, int32_t zero);
void sdx_convert_i8_f32(sdx_pool *_Nullable pool, const int8_t *x, float *y, int64_t n, float scale, int32_t zero);

/// y[i] = saturate(round_half_even(x[i] / scale) + zero), ONNX's QuantizeLinear. NaN gives the smallest value.
void sdx_quantize_f32_u8(sdx_pool *_Nullable pool, const float *x, uint8_t *y, int64_t n, float scale, int32_t zero);
void sdx_quantize_f32_i8(sdx_pool *_Nullable pool, const float *x, int8_t *y, int64_t n, float scale, int32_t zero);

/// y[i] = the low 8 bits of x[i] truncated toward zero, as numpy casts on x86 (u8 and i8 alike: y holds the bits).
/// Values beyond int32 and NaN count as −2³¹, hence give 0.
void sdx_cast_f32_8bit(sdx_pool *_Nullable pool, const float *x, uint8_t *y, int64_t n);

/// One LSTM step, default activations (sigmoid, tanh, tanh). Per batch row, gates in ONNX's order i, o, f, c:
///   g = clip(gates + recurrent); i = σ(gᵢ + Pᵢ·c_prev); f = σ(g_f + P_f·c_prev); c = f·c_prev + i·tanh(g_c)
///   o = σ(g_o + P_o·c); h = o·tanh(c)
/// gates: [batch, 4·hidden] pre-activations with biases, rows gates_stride floats apart; recurrent: the same shape,
/// added, or NULL. peephole: [3·hidden] in the order i, o, f, or NULL. clip: the arguments of σ and of tanh(g_c) are
/// clipped to ±clip when clip > 0, peepholes included. input_forget couples f = 1 − i. c_prev, c, h: [batch, hidden],
/// contiguous; c may be c_prev.
void sdx_lstm_gates_f32(
    sdx_pool *_Nullable pool, const float *gates, int64_t gates_stride, const float *_Nullable recurrent,
    int64_t recurrent_stride, const float *_Nullable peephole, const float *c_prev, float *c, float *h, int64_t batch,
    int64_t hidden, float clip, int input_forget);

/// One GRU step with linear_before_reset = 1, default activations, gates in ONNX's order z, r, h:
///   z = σ(x_z + r_z); r = σ(x_r + r_r); n = tanh(x_h + r·r_h); h = (1 − z)·n + z·h_prev
/// x: [batch, 3·hidden] = X·Wᵀ + Wb; recurrent: [batch, 3·hidden] = H·Rᵀ + Rb; strides between rows in floats.
/// h may be h_prev.
void sdx_gru_gates_f32(
    sdx_pool *_Nullable pool, const float *x, int64_t x_stride, const float *recurrent, int64_t recurrent_stride,
    const float *h_prev, float *h, int64_t batch, int64_t hidden, float clip);

/// The first half of a GRU step with linear_before_reset = 0: z = σ(x_z + r_z), reset = σ(x_r + r_r)·h_prev.
/// recurrent: [batch, 2·hidden] (z, r). z, reset: [batch, hidden].
void sdx_gru_reset_f32(
    sdx_pool *_Nullable pool, const float *x, int64_t x_stride, const float *recurrent, int64_t recurrent_stride,
    const float *h_prev, float *z, float *reset, int64_t batch, int64_t hidden, float clip);

/// The second half: n = tanh(x_h + recurrent); h = (1 − z)·n + z·h_prev.
/// recurrent: [batch, hidden] = reset·R_hᵀ + Rb_h.
void sdx_gru_output_f32(
    sdx_pool *_Nullable pool, const float *x, int64_t x_stride, const float *recurrent, int64_t recurrent_stride,
    const float *z, const float *h_prev, float *h, int64_t batch, int64_t hidden, float clip);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
