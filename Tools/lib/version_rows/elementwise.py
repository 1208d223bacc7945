"""Operators that work element by element, with broadcasting in both its forms."""

import math

import numpy as np

from version_judges import ByHand, Later

from .table import case, flags, floats, ints, scalar, strings, typed, values

X = values(2, 3, 4)
POSITIVE = values(2, 3, 4, low=0.4, high=3)
UNIT = values(2, 3, 4, low=-0.9, high=0.9)

# One input, no attribute.
for op in ["Abs", "Ceil", "Exp", "Floor", "Neg", "Relu", "Sigmoid", "Tanh"]:
    case(op, "*", X)
    case(op, "1-5", X, consumed_inputs=[0])
for op in ["Reciprocal", "Sqrt", "Log"]:
    case(op, "*", POSITIVE)
    case(op, "1-5", POSITIVE, consumed_inputs=[0])
for op in ["Atan", "Cos", "Cosh", "Sin", "Sinh", "Tan", "Asinh", "Mish", "Sign", "Softplus", "Softsign"]:
    case(op, "*", X)
# One sixth as the standard says it; the reference has the nearest float, for double too.
case("HardSwish", "*", X, judge=ByHand(
    lambda x: (x * np.clip(x.astype(np.float64) / 6 + 0.5, 0, 1)).astype(x.dtype)))


def erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x.astype(np.float64))


case("Erf", "*", X, judge=ByHand(lambda x: erf(x).astype(x.dtype)),
     wrong="The error function of 5 is below 1, which an integer cuts to 0; the reference rounds to float first, for double too.")
for op in ["Acos", "Asin", "Atanh"]:
    case(op, "*", UNIT)
case("Acosh", "*", values(2, 3, 4, low=1.1, high=5))
# Half to even, and both signs of zero.
case("Round", "*", floats(-2.5, -1.5, -0.5, -0.2, 0.2, 0.5, 1.5, 2.5, 2.6, 1e6))
case("Not", "*", flags(1, 0, 0, 1))
case("BitwiseNot", "*", ints(0, 1, 5, 100))
case("IsNaN", "*", floats(1, np.nan, -np.inf, 0, np.nan))
INFINITE = floats(1, np.nan, -np.inf, 0, np.inf)
case("IsInf", "*", INFINITE)
case("IsInf", "*", INFINITE, detect_negative=0)
case("IsInf", "*", INFINITE, detect_positive=0)
# The reference takes the error function in float, for double too.
case("Gelu", "*", X, judge=ByHand(lambda x: (0.5 * x * (1 + erf(x / math.sqrt(2)))).astype(x.dtype)))
case("Gelu", "*", X, approximate="tanh")

# One input, attributes that are numbers. The reference would take the later version's constants for Selu.
def selu(x):
    """In double, with the defaults as the attributes' type has them."""
    alpha, gamma = np.float64(np.float32(1.6732)), np.float64(np.float32(1.0507))
    wide = x.astype(np.float64)
    return (gamma * np.where(wide > 0, wide, alpha * np.expm1(wide))).astype(x.dtype)


case("Selu", "1-5", X, judge=ByHand(selu))
for op, attributes in {
    "Elu": {"alpha": 2.5}, "LeakyRelu": {"alpha": 0.3}, "Selu": {"alpha": 1.25, "gamma": 2.0},
    "HardSigmoid": {"alpha": 0.5, "beta": 0.25},
}.items():
    case(op, "*", X)
    case(op, "*", X, **attributes)
    case(op, "1-5", X, consumed_inputs=[0], **attributes)
for op, attributes in {
    "Celu": {"alpha": 2.0}, "ThresholdedRelu": {"alpha": 0.25}, "Swish": {"alpha": 0.5},
    "Shrink": {"lambd": 0.25, "bias": 0.125},
}.items():
    case(op, "*", X)
    case(op, "*", X, **attributes)


def clip(x, min=-np.inf, max=np.inf):
    return np.minimum(np.maximum(x, np.asarray(min, x.dtype)), np.asarray(max, x.dtype))


case("Clip", "1-10", X, judge=ByHand(clip))
case("Clip", "1-10", X, judge=ByHand(clip), min=-0.5, max=0.75)
case("Clip", "1-5", X, judge=ByHand(clip), min=-0.5, consumed_inputs=[0])
case("Clip", "11-", X, scalar(-0.5, np.float32), scalar(0.75, np.float32))
case("Clip", "11-", X, None, scalar(0.75, np.float32))
case("Clip", "11-", X, scalar(-0.5, np.float32))
case("Clip", "11-", X)

# Two inputs: through version 6 the second one is stretched only when `broadcast` says so, from the axis that `axis` names.


def stretched(inputs, attributes):
    a, b = inputs
    axis = attributes.pop("axis", None)
    if attributes.pop("broadcast", 0) and axis is not None:
        b = b.reshape(b.shape + (1,) * (a.ndim - axis % a.ndim - b.ndim))
    return [a, b], attributes


A, B = values(2, 3, 4), values(2, 3, 4, low=0.4, high=2)
BOOLS, OTHERS = A > 0, B > 1
FIRST = {**dict.fromkeys(["Add", "Sub", "Mul", "Div"], (A, B)), "Pow": (values(2, 3, 4, low=0.4, high=2), np.round(B)),
         **dict.fromkeys(["Greater", "Less"], (A, A.round())), "Equal": (ints(1, 2, 3, 4), ints(1, 3, 3, 5)),
         **dict.fromkeys(["And", "Or", "Xor"], (BOOLS, OTHERS))}
for op, (a, b) in FIRST.items():
    judge = Later(7, stretched)
    case(op, "1-6", a, b, judge=judge)
    case(op, "7-", a, b)
    if op in ("Add", "Sub", "Mul", "Div"):
        case(op, "1-5", a, b, judge=judge, consumed_inputs=[0, 0])
    if op == "Equal":
        a, b = np.arange(24).reshape(2, 3, 4) % 5, np.arange(24).reshape(2, 3, 4) % 4
    case(op, "1-6", a, b[0, 0], judge=judge, broadcast=1)
    case(op, "1-6", a, b[0, :, 0], judge=judge, broadcast=1, axis=1)
    case(op, "1-6", a, b[:, :, 0], judge=judge, broadcast=1, axis=0)
    case(op, "1-6", a, b[0, 0, 0], judge=judge, broadcast=1)
    case(op, "7-", a[:, :1], b[0])
    case(op, "7-", a[0, 0, 0], b)
    case(op, "7-", a[:, :0], b[:, :1])
for op in ["GreaterOrEqual", "LessOrEqual"]:
    case(op, "*", A, A.round())
    case(op, "*", A[:, :1], A.round()[0])
case("Equal", "19-", strings("a", "ß", ""), strings("a", "s", ""))
# Integers beyond what a float can hold.
case("Add", "7-", ints(2**53 + 1, -7), ints(1, 7), types=False)
case("Mul", "7-", ints(3037000499, -7), ints(3037000499, 7), types=False)
case("Div", "7-", ints(2**62 + 1, -7, 7, -8), ints(1, 2, -2, 3), types=False)
case("Pow", "12-", floats(2, 3, 4), ints(3, 2, 1), types=True)
case("Pow", "12-", floats(2, 3, 4), ints(-3, -2, 0))
case("Pow", "12-", ints(3, -3, 7), ints(39, 3, 0))
for op in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]:
    case(op, "*", ints(1, 5, 100, 0), ints(3, 4, 77, 9))
    case(op, "*", ints(1, 5, 100, 0).reshape(2, 2, 1), ints(3, 4, 77, 9))
for direction in ["LEFT", "RIGHT"]:
    case("BitShift", "*", typed("uint8", ints(16, 4, 1)), typed("uint8", ints(1, 2, 3)), direction=direction,
         types=True)
case("Mod", "13-,10", ints(7, -7, 7, -7, 6), ints(3, 3, -3, -3, 3))
case("Mod", "*", floats(7.5, -7.5, 7.5, -7.5), floats(2, 2, 2.5, 2.5), fmod=1, types=True)
case("Mod", "*", floats(7.5, -7.5, 7.5, -7.5), floats(2, 2, -2, -2), fmod=1)
case("Mod", "*", ints(7, -7, 7, -7), ints(3, 3, -3, -3), fmod=1)

slope = values(3, 1)
case("PRelu", "1-5", X, values(2, 3, 4, low=0, high=1), consumed_inputs=[0])
for span in ("1-6", "7-"):
    case("PRelu", span, X, values(2, 3, 4, low=0, high=1))
# Through version 6 a slope has one element or one a channel, the second axis.
case("PRelu", "1-6", X, floats(0.25), judge=Later(9))
case("PRelu", "1-6", X, slope[:, 0], judge=Later(9, lambda inputs, _: ([inputs[0], inputs[1].reshape(-1, 1)], {})))
case("PRelu", "7-", X, slope)

# Any number of inputs; one shape for all through version 7.
for op in ["Max", "Min", "Sum", "Mean"]:
    case(op, "*", A, B, X.round())
    case(op, "1-5", A, B, consumed_inputs=[0, 0])
    case(op, "*", A)
    case(op, "8-", A, B[0, 0], X[:, :1])
case("Where", "*", flags(1, 0, 1), floats(1, 2, 3), floats(4, 5, 6))
case("Where", "*", flags(1, 0, 1).reshape(3, 1), values(2, 1, 4), values(3, 4))
case("SwiGLU", "*", A, B)
case("SwiGLU", "*", A, B, alpha=1.5)

for alpha in (None, 0.5):
    case("Dropout", "7-11", X, ratio=alpha, outputs=1 if alpha else 2)
keep = ByHand(lambda x, is_test=0, ratio=0.5: x)
case("Dropout", "1-6", X, is_test=1, judge=keep)
case("Dropout", "1-6", X, is_test=1, ratio=0.25, judge=keep)
case("Dropout", "1-5", X, is_test=1, judge=keep, consumed_inputs=[0])
# Nothing is dropped at ratio 0, which shows the training form without a draw.
case("Dropout", "1-6", X, ratio=0.0, outputs=2, judge=ByHand(lambda x, ratio: (x, np.ones_like(x))))
case("Dropout", "12-", X, outputs=2)
case("Dropout", "12-", X, scalar(0.25, np.float32), outputs=2, seed=7)
case("Dropout", "12-", X, scalar(0.0, np.float32), scalar(True, bool), outputs=2, seed=7, types=True)
