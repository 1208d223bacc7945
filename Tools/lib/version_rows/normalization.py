"""Normalisations, products of matrices, attention and losses."""

import numpy as np
from onnx import parser

from version_judges import ByHand, Later

from .table import case, ints, typed, values

X = values(2, 4, 3, 5)
SCALE, BIAS, MEAN = values(4), values(4), values(4) * np.float32(0.5)
VARIANCE = values(4, low=0.5, high=2)


def batch_norm(x, scale, bias, mean, variance, epsilon=1e-5, momentum=0.9, spatial=1, is_test=1):
    shape = (1, -1) + (1,) * (x.ndim - 2) if spatial else (1, *x.shape[1:])
    scale, bias, mean, variance = (v.astype(np.float64).reshape(shape) for v in (scale, bias, mean, variance))
    return ((x - mean) / np.sqrt(variance + epsilon) * scale + bias).astype(x.dtype)


def trained(x, scale, bias, mean, variance, epsilon=1e-5, momentum=0.9, spatial=1, is_test=0):
    """Versions 1 to 9 in training: normalised by the batch, running mean and variance, then the batch's own."""
    own, spread = x.mean((0, 2, 3)), x.var((0, 2, 3))
    running = mean * momentum + own * (1 - momentum), variance * momentum + spread * (1 - momentum)
    return batch_norm(x, scale, bias, own, spread, epsilon), *running, own, spread


PARAMETERS = (SCALE, BIAS, MEAN, VARIANCE)
EACH = [values(4, 3, 5), values(4, 3, 5), values(4, 3, 5), values(4, 3, 5, low=0.5, high=2)]
by_hand = ByHand(lambda *inputs, consumed_inputs=None, **a: batch_norm(*inputs, **a))
case("BatchNormalization", "1", X, *PARAMETERS, is_test=1, judge=by_hand, consumed_inputs=[0, 0, 0, 1, 1])
case("BatchNormalization", "1", X, *PARAMETERS, is_test=1, judge=by_hand, consumed_inputs=[0, 0, 0, 1, 1], epsilon=0.25,
     momentum=0.5)
case("BatchNormalization", "1", X, *EACH, is_test=1, judge=by_hand, consumed_inputs=[0, 0, 0, 1, 1], spatial=0)
case("BatchNormalization", "6", X, *PARAMETERS, is_test=1, judge=by_hand)
case("BatchNormalization", "6", X, *PARAMETERS, is_test=1, judge=by_hand, epsilon=0.25, momentum=0.5)
case("BatchNormalization", "6", X, *EACH, is_test=1, judge=by_hand, spatial=0)
train = ByHand(lambda *inputs, consumed_inputs=None, **a: trained(*inputs, **a))
case("BatchNormalization", "1", X, *PARAMETERS, outputs=5, judge=train, consumed_inputs=[0, 0, 0, 1, 1])
case("BatchNormalization", "6-9", X, *PARAMETERS, outputs=5, momentum=0.75, judge=train)
case("BatchNormalization", "6", X, *PARAMETERS, judge=train)
case("BatchNormalization", "7-8", X, *PARAMETERS, judge=by_hand)
case("BatchNormalization", "7-8", X, *PARAMETERS, judge=by_hand, epsilon=0.25, momentum=0.5)
case("BatchNormalization", "7-8", X, *EACH, judge=by_hand, spatial=0)
case("BatchNormalization", "9", X, *PARAMETERS, judge=by_hand)
case("BatchNormalization", "9", X, *PARAMETERS, judge=by_hand, epsilon=0.25, momentum=0.5,
     wrong="With Y as its only output version 9 is in test mode, which takes the mean and variance given; the reference computes the batch's own.")
# The reference takes the root in the type of the variance, whatever the type of X.
case("BatchNormalization", "14-", X, *PARAMETERS, judge=by_hand)
case("BatchNormalization", "14-", X, *PARAMETERS, epsilon=0.25, momentum=0.5)
case("BatchNormalization", "14-", X, *PARAMETERS, training_mode=1, momentum=0.5, outputs=3)

NORMED = values(2, 4, 3)
case("InstanceNormalization", "*", X, SCALE, BIAS)
case("InstanceNormalization", "1-5", X, SCALE, BIAS, consumed_inputs=[0, 0, 0], epsilon=0.25)
case("InstanceNormalization", "*", X, SCALE, BIAS, epsilon=0.25)


def layer_norm(x, scale, bias=None, axis=-1, epsilon=1e-5, stash_type=1):
    axes = tuple(range(axis % x.ndim, x.ndim))
    wide = x.astype(np.float64)
    mean, spread = wide.mean(axes, keepdims=True), wide.var(axes, keepdims=True)
    inverse = 1 / np.sqrt(spread + epsilon)
    y = (wide - mean) * inverse * scale.astype(np.float64) + (0 if bias is None else bias.astype(np.float64))
    kept = np.float64 if stash_type == 11 else np.float32
    return y.astype(x.dtype), mean.astype(kept), inverse.astype(kept)


def rms_norm(x, scale, axis=-1, epsilon=1e-5, stash_type=1):
    """By the standard's function: the first stage in the stash type, rounded to the type of X, then times the scale."""
    wide = x.astype(np.float64 if stash_type == 11 else np.float32)
    first = (wide / np.sqrt((wide**2).mean(axis, keepdims=True) + wide.dtype.type(epsilon))).astype(x.dtype)
    return first.astype(scale.dtype) * scale


case("LayerNormalization", "*", NORMED, values(3), values(3), outputs=3, judge=ByHand(layer_norm))
case("LayerNormalization", "*", NORMED, values(4, 3), axis=1, epsilon=0.25)
DOUBLES = typed("double", NORMED), typed("double", values(3))
case("LayerNormalization", "*", *DOUBLES, stash_type=11, outputs=3, judge=ByHand(layer_norm))
# The reference rounds the result to the type of X.
case("RMSNormalization", "*", NORMED, values(3), judge=ByHand(rms_norm), slack={"double": (1e-6, 0.0)},
     why="the first stage is in float, as stash_type says")
case("RMSNormalization", "*", NORMED, values(4, 3), axis=1, epsilon=0.25)
case("RMSNormalization", "*", *DOUBLES, stash_type=11, judge=ByHand(rms_norm))


def group_norm(x, scale, bias, num_groups, epsilon=1e-5, stash_type=1):
    groups = x.astype(np.float64).reshape(x.shape[0], num_groups, -1)
    y = (groups - groups.mean(2, keepdims=True)) / np.sqrt(groups.var(2, keepdims=True) + epsilon)
    if len(scale) == num_groups:
        scale, bias = scale.repeat(x.shape[1] // num_groups), bias.repeat(x.shape[1] // num_groups)
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return (y.reshape(x.shape) * scale.astype(np.float64).reshape(shape) + bias.astype(np.float64).reshape(shape)).astype(x.dtype)


case("GroupNormalization", "18", X, values(2), values(2), num_groups=2, judge=ByHand(group_norm))
case("GroupNormalization", "18", X, values(2), values(2), num_groups=2, epsilon=0.25, judge=ByHand(group_norm))
case("GroupNormalization", "21-", X, SCALE, BIAS, num_groups=2, judge=ByHand(group_norm))
case("GroupNormalization", "21-", typed("double", X), typed("double", SCALE), typed("double", BIAS), num_groups=2,
     epsilon=0.25, stash_type=11, judge=ByHand(group_norm))


def lrn(x, size, alpha=1e-4, beta=0.75, bias=1.0):
    sums = [(x[:, max(0, c - (size - 1) // 2):c + size // 2 + 1].astype(np.float64) ** 2).sum(1) for c in range(x.shape[1])]
    return (x / (bias + alpha / size * np.stack(sums, 1)) ** beta).astype(x.dtype)


case("LRN", "*", X, size=3, judge=ByHand(lrn))
case("LRN", "*", X, size=2, alpha=0.5, beta=0.5, bias=2.0, judge=ByHand(lrn),
     wrong="Every channel is divided; the reference loops over as many channels as there are images, here 2 of 4.")


def mvn(x, axes=(0, 2, 3)):
    wide, axes = x.astype(np.float64), tuple(axes)
    return ((wide - wide.mean(axes, keepdims=True)) / (wide.std(axes, keepdims=True) + 1e-9)).astype(x.dtype)


case("MeanVarianceNormalization", "*", X, judge=ByHand(mvn))
case("MeanVarianceNormalization", "*", X, axes=[1, 3])

# Products.
A, B = values(3, 4), values(4, 5)
case("MatMul", "*", A, B)
case("MatMul", "*", values(2, 1, 3, 4), values(3, 4, 2))
case("MatMul", "*", values(4), B)
case("MatMul", "9-", np.array([[2**53 + 1, 1]], np.int64), np.array([[1], [2]], np.int64))
gemm = Later(7, lambda inputs, a: (inputs, {k: v for k, v in a.items() if k != "broadcast"}))
case("Gemm", "1-6", A, B, values(3, 5), judge=gemm)
case("Gemm", "1-6", A, B, values(5), broadcast=1, alpha=0.5, beta=2.0, judge=gemm)
case("Gemm", "1-6", A.T.copy(), B.T.copy(), values(3, 5), transA=1, transB=1, judge=gemm)
case("Gemm", "7-", A, B, values(5))
case("Gemm", "7-", A.T.copy(), B.T.copy(), values(3, 1), transA=1, transB=1, alpha=0.5, beta=2.0)
case("Gemm", "11-", A, B)
case("MatMulInteger", "*", typed("uint8", np.arange(12).reshape(3, 4) * 9), typed("uint8", np.arange(8).reshape(4,
     2) * 7), types=True)
case("MatMulInteger", "*", typed("uint8", np.arange(12).reshape(3, 4) * 9), typed("int8", np.arange(8).reshape(4,
     2) * 7 - 30),
     typed("uint8", ints(3, 1, 0).reshape(3, 1)), typed("int8", ints(-3, 4)))

# Attention.
Q, K, V = values(1, 4, 3, 8), values(1, 2, 5, 8), values(1, 2, 5, 6)
case("Attention", "*", Q, K, V)
case("Attention", "*", Q, K, V, values(3, 5), is_causal=1, scale=0.3, softcap=2.0, softmax_precision=1)
case("Attention", "*", Q, K, V, values(3, 5), types=True)
case("Attention", "*", values(1, 3, 32), values(1, 5, 16), values(1, 5, 12), q_num_heads=4, kv_num_heads=2)
case("Attention", "*", Q, K, V, None, values(1, 2, 2, 8), values(1, 2, 2, 6), outputs=4, qk_matmul_output_mode=1)
case("Attention", "*", Q, K, V, np.array([[1, 0, 1, 1, 0]] * 3, bool), outputs=4, qk_matmul_output_mode=3)
case("Attention", "24-", Q, K, V, None, None, None, ints(3))
case("Attention", "25-", Q, K, V, left_window_size=1, right_window_size=1)
COS, SIN = np.cos(values(6, 4)), np.sin(values(6, 4))
PLACES = ints(0, 1, 2, 3, 4, 5).reshape(2, 3)
case("RotaryEmbedding", "*", values(2, 4, 3, 8), COS, SIN, PLACES)
case("RotaryEmbedding", "*", values(2, 3, 32), COS, SIN, PLACES, num_heads=4, interleaved=1)
case("RotaryEmbedding", "*", values(2, 4, 3, 8), COS[:, :2], SIN[:, :2], PLACES, rotary_embedding_dim=4)
for rule in ("linear", "gated", "delta", "gated_delta"):
    gate = np.log(values(1, 5, 2, low=0.3, high=0.9)) if "gated" in rule else None
    beta = values(1, 5, 2, low=0.2, high=0.8) if "delta" in rule else None
    extra = (None, gate, beta) if gate is not None or beta is not None else ()
    extra = extra[:3 if beta is not None else 2]
    case("LinearAttention", "*", values(1, 5, 8), values(1, 5, 8), values(1, 5, 6), *extra, outputs=2, q_num_heads=2,
         kv_num_heads=2,
         update_rule=rule, types=rule == "linear")
case("LinearAttention", "*", values(1, 5, 8), values(1, 5, 8), values(1, 5, 6), values(1, 2, 4, 3),
     np.log(values(1, 5, 2, low=0.3, high=0.9)),
     values(1, 5, 2, low=0.2, high=0.8), outputs=2, q_num_heads=2, kv_num_heads=2, scale=0.25, chunk_size=2)


def flex_attention(q, k, v):
    """In double; the reference takes the root of the scale in float."""
    scores = q.astype(np.float64) @ k.astype(np.float64).swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    return (shares / shares.sum(-1, keepdims=True) @ v.astype(np.float64)).astype(v.dtype)


case("FlexAttention", "*", values(1, 2, 3, 4), values(1, 2, 5, 4), values(1, 2, 5, 4), domain="ai.onnx.preview",
     judge=ByHand(flex_attention))
case("FlexAttention", "*", values(1, 2, 3, 4), values(1, 2, 5, 4), values(1, 2, 5, 4), domain="ai.onnx.preview",
     scale=0.25, softmax_precision=1)
for name, text in (("score_mod", "y = Add(x, c)"), ("prob_mod", "y = Mul(x, c)")):
    changed = parser.parse_graph(f"change (float[B, H, L, S] x) => (float[B, H, L, S] y) <float c = {{0.5}}> {{ {text} }}")
    case("FlexAttention", "*", values(1, 2, 3, 4), values(1, 2, 5, 4), values(1, 2, 5, 4), domain="ai.onnx.preview",
         types=False,
         **{name: changed})

# Losses.
SCORES = values(3, 4, 2)
LABELS = ints(0, 3, 1, 2, 2, 1).reshape(3, 2)
LOGS = np.log(values(3, 4, 2, low=0.1, high=0.9))
WEIGHTS = values(4, low=0.5, high=2)
for op, x, outputs in (("NegativeLogLikelihoodLoss", LOGS, 1), ("SoftmaxCrossEntropyLoss", SCORES, 2)):
    case(op, "*", x, LABELS, outputs=outputs)
    case(op, "*", x, LABELS, WEIGHTS, outputs=outputs, ignore_index=2)
    case(op, "*", x, LABELS, WEIGHTS, reduction="sum")
    case(op, "*", x, LABELS, reduction="none")
