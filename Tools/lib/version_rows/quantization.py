"""Casts between all types, and the quantised forms."""

import ml_dtypes
import numpy as np

from version_judges import ByHand, Later

from .table import INTEGERS, REALS, case, flags, floats, ints, scalar, strings, tensor_type, typed, values

X = floats(-2.6, -1.5, -0.4, 0, 0.5, 1.5, 2.4, 5.6)
SMALL_FLOATS = ["float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "float4e2m1"]
NARROW = ["float6e2m3", "float6e3m2"]
SMALL_INTS = ["uint4", "int4", "uint2", "int2"]

# Version 1 names the type, later ones number it. Numbers that every type holds, then numbers that only some do.
WHOLE = floats(0, 1, 2, 3, 1, 0)
for name in REALS + INTEGERS + ["bool"]:
    if name != "bfloat16":
        case("Cast", "1-5", X if name in REALS else WHOLE, to=name.upper(),
             judge=Later(9, lambda inputs, a: (inputs, {"to": tensor_type(a["to"].lower())})), types=name in ("float",
                 "int32", "bool"))
for name in REALS + INTEGERS + ["bool", *SMALL_FLOATS, *NARROW, *SMALL_INTS]:
    since = {"bfloat16": 13, "float4e2m1": 23, "float6e2m3": 28, "float6e3m2": 28, "uint4": 21, "int4": 21, "uint2": 25,
             "int2": 25}.get(name, 19 if name in SMALL_FLOATS else 6)
    case("Cast", f"{since}-", X if name in REALS + SMALL_FLOATS + NARROW else WHOLE, to=tensor_type(name),
         types=name in ("float", "int32", "bool", "int8"),
         bind={"T2": f"tensor({name})"}, skip=("string", "float8e8m0"))
    if name in ("uint4", "int4"):
        for kind in REALS + INTEGERS:
            case("Cast", f"{since}-", typed(kind, WHOLE), to=tensor_type(name), bind={"T2": f"tensor({name})"},
                 types=False)
    if name in SMALL_FLOATS and name != "float4e2m1":
        case("Cast", f"{since}-", floats(1e6, -1e6, np.inf, np.nan), to=tensor_type(name), saturate=0,
             bind={"T2": f"tensor({name})"}, types=False)
        case("Cast", f"{since}-", floats(1e6, -1e6, np.inf, np.nan), to=tensor_type(name),
             bind={"T2": f"tensor({name})"}, types=False)
case("Cast", "9-", strings("3.14", "-7e2", "inf", "NaN"), to=tensor_type("float"), types=False)
case("Cast", "9-", strings("42", "-7", "0"), to=tensor_type("int64"), types=False)
case("Cast", "9-", ints(42, -7, 0), to=tensor_type("string"), judge=ByHand(lambda x, to: x.astype(str).astype(object)),
     bind={"T2": "tensor(string)"}, types=False)
# Halfway between the powers of two that are all of this type.
HALVES = floats(1, 1.4, 1.5, 1.6, 3, 0.3)
for mode in ("up", "down", "nearest"):
    case("Cast", "24-", HALVES, to=tensor_type("float8e8m0"), round_mode=mode, bind={"T2": "tensor(float8e8m0)"},
         types=False)
    case("CastLike", "24-", HALVES, typed("float8e8m0", floats(1)), round_mode=mode, bind={"T2": "tensor(float8e8m0)"},
         types=False,
         judge=Later(24, lambda inputs, a: (inputs[:1], a | {"to": tensor_type("float8e8m0")}), "Cast"))
for name in ("float", "float16", "int32"):
    case("Cast", "24-", typed("float8e8m0", floats(1, 2, 4, 64)), to=tensor_type(name), bind={"T2": f"tensor({name})"},
         types=False)
case("CastLike", "*", X, scalar(1.0, np.float32))
for name in INTEGERS + ["bool", "double", "float16"]:
    case("CastLike", "*", WHOLE, typed(name, floats(1)), bind={"T2": f"tensor({name})"}, types=False)
for name in SMALL_FLOATS[:4]:
    case("CastLike", "19-", floats(1e6, -1e6, 1.5), typed(name, floats(1)), saturate=0, bind={"T2": f"tensor({name})"},
         types=False)
# Each type to an unsigned one of its width, and back.
WIDTHS = {8: ["int8", *SMALL_FLOATS[:4], "float8e8m0"], 16: ["int16", "float16", "bfloat16"], 32: ["int32", "float"],
          64: ["int64", "double", "complex64"], 4: ["int4", "float4e2m1"], 2: ["int2"]}
for width, names in WIDTHS.items():
    for name in names:
        for a, b in ((name, f"uint{width}"), (f"uint{width}", name)):
            case("BitCast", "*", typed(a, WHOLE), to=tensor_type(b), bind={"T2": f"tensor({b})"}, types=False)
case("BitCast", "*", flags(1, 0, 1), to=tensor_type("uint8"), bind={"T2": "tensor(uint8)"}, types=False)
case("BitCast", "*", typed("complex128", WHOLE), to=tensor_type("complex128"), bind={"T2": "tensor(complex128)"},
     types=False)
BITS = {"float": "int32", "double": "uint64", "float16": "int16", "bfloat16": "uint16", "int8": "uint8",
        "uint32": "float", "int64": "double"}
for name, other in BITS.items():
    case("BitCast", "*", typed(name, X), to=tensor_type(other), bind={"T2": f"tensor({other})"}, types=False)


MATRIX = values(3, 4) * np.float32(4)
SCALES = floats(0.5, 0.25, 2, 1)


def quantize(x, scale, zero=None, axis=1, **_):
    """To the nearest, half to even; what does not fit becomes the nearest that does."""
    kind = np.dtype(np.uint8) if zero is None else zero.dtype
    place = (-1,) + (1,) * (x.ndim - 1 - axis % x.ndim)
    scale = scale.reshape(place) if scale.size > 1 else scale
    zero = 0 if zero is None else zero.reshape(place).astype(np.int64) if zero.size > 1 else zero.astype(np.int64)
    limits = ml_dtypes.iinfo(kind)
    return np.clip(np.rint(x / scale) + zero, int(limits.min), int(limits.max)).astype(kind)


def dequantize(x, scale, zero=None, axis=1, **_):
    place = (-1,) + (1,) * (x.ndim - 1 - axis % x.ndim)
    scale = scale.reshape(place) if scale.size > 1 else scale
    zero = 0 if zero is None else zero.reshape(place).astype(np.int64) if zero.size > 1 else zero.astype(np.int64)
    return ((x.astype(np.int64) - zero) * scale.astype(np.float32)).astype(np.float32)


HALF = scalar(0.5, np.float32)
for kind in ("uint8", "int8"):
    zero = typed(kind, scalar(3))
    held = typed(kind, np.arange(12).reshape(3, 4) * 9)
    case("QuantizeLinear", "10-", MATRIX, HALF, zero, types=kind == "uint8", skip=("int32", "float8", "float6",
         "float4"))
    case("QuantizeLinear", "13-", MATRIX, SCALES, typed(kind, ints(1, 2, 3, 4)))
    case("QuantizeLinear", "13-", MATRIX, SCALES[:3], typed(kind, ints(1, 2, 3)), axis=0)
    case("DequantizeLinear", "10-18", held, HALF, zero, judge=ByHand(dequantize))
    case("DequantizeLinear", "13-18", held, SCALES, typed(kind, ints(1, 2, 3, 4)), judge=ByHand(dequantize))
    case("DequantizeLinear", "13-18", held, SCALES[:3], typed(kind, ints(1, 2, 3)), axis=-2, judge=ByHand(dequantize))
    case("DequantizeLinear", "19-", held, HALF, zero, types=kind == "uint8", skip=("int32", "float8", "float6",
         "float4"))
    case("DequantizeLinear", "19-", held, SCALES[:3], typed(kind, ints(1, 2, 3)), axis=0)
case("QuantizeLinear", "10-", typed("int32", ints(-7, 5, 300)), HALF, types=False, judge=ByHand(quantize))
case("DequantizeLinear", "10-", typed("int32", ints(-7, 5, 300)), HALF, judge=ByHand(dequantize))
case("QuantizeLinear", "10-", MATRIX, HALF)
case("DequantizeLinear", "10-", typed("uint8", np.arange(12).reshape(3, 4)), HALF, judge=ByHand(dequantize))
for kind in ("uint4", "int4", "uint16", "int16", "uint2", "int2"):
    since = {"2": 25, "4": 21, "6": 21}[kind[-1]]
    case("QuantizeLinear", f"{since}-", MATRIX, HALF, typed(kind, scalar(1)), types=False, judge=ByHand(quantize))
    case("DequantizeLinear", f"{since}-", typed(kind, np.arange(12).reshape(3, 4) % 3), HALF, typed(kind, scalar(1)),
         judge=ByHand(dequantize))
for kind in SMALL_FLOATS + NARROW:
    since = 28 if kind in NARROW else 23 if kind == "float4e2m1" else 19
    case("QuantizeLinear", f"{since}-", MATRIX, HALF, typed(kind, scalar(0.0, np.float32)), types=False)
    case("DequantizeLinear", f"{since}-", typed(kind, floats(0, 1, -1.5, 6)), HALF)
    if kind.startswith("float8"):
        case("QuantizeLinear", f"{since}-", MATRIX * np.float32(1e5), HALF, typed(kind, scalar(0.0, np.float32)),
             saturate=0, types=False)
for name in ("float16", "bfloat16"):
    case("QuantizeLinear", "19-", typed(name, MATRIX), typed(name, HALF), typed("uint8", scalar(3)), types=False)
    case("DequantizeLinear", "19-", typed("uint8", np.arange(12).reshape(3, 4)), typed(name, HALF),
         typed("uint8", scalar(3)), types=False)
for span, variable in (("21-22", "T2"), ("23-", "T3")):
    case("QuantizeLinear", span, MATRIX, HALF, output_dtype=tensor_type("int8"), bind={variable: "tensor(int8)"})
case("QuantizeLinear", "21-", MATRIX, values(3, 2, low=0.3, high=1), typed("int8", np.arange(6).reshape(3, 2)),
     block_size=2)
case("QuantizeLinear", "23-", typed("float16", MATRIX), typed("float16", HALF), typed("uint8", scalar(3)),
     precision=tensor_type("float"))
case("DequantizeLinear", "21-", typed("int8", np.arange(12).reshape(3, 4)), values(3, 2, low=0.3, high=1),
     typed("int8", np.arange(6).reshape(3, 2)), block_size=2)
case("DequantizeLinear", "23-", typed("int8", np.arange(12).reshape(3, 4)), HALF, typed("int8", scalar(3)),
     output_dtype=tensor_type("float16"),
     bind={"T3": "tensor(float16)"})
# A scale that is a power of two by its type.
TWO = typed("float8e8m0", scalar(2.0, np.float32))
case("QuantizeLinear", "24-", MATRIX, TWO, typed("int8", scalar(3)), types=False,
     judge=ByHand(lambda x, scale, zero: quantize(x, scale.astype(np.float32), zero)))
case("DequantizeLinear", "24-", typed("int8", np.arange(12).reshape(3, 4)), TWO, output_dtype=tensor_type("float"),
     bind={"T3": "tensor(float)"}, types=False, judge=ByHand(lambda x, scale, output_dtype: x.astype(np.float32) * 2))
case("DynamicQuantizeLinear", "*", MATRIX, outputs=3)
case("DynamicQuantizeLinear", "*", values(5, low=1, high=4), outputs=3)
for kind in ("uint8", "int8"):
    a, b = typed(kind, np.arange(6).reshape(2, 3) * 20), typed(kind, np.arange(12).reshape(3, 4) * 9)
    zero = typed(kind, scalar(5))
    one = np.float32
    case("QLinearMatMul", "*", a, scalar(0.25, one), zero, b, scalar(0.5, one), zero, scalar(8, one), zero, types=False)
    case("QLinearMatMul", "*", a, scalar(0.25, one), zero, b, scalar(0.5, one),
         typed("int8", scalar(-2)) if kind == "int8" else zero, scalar(16, one), typed("int8", scalar(-9)), types=False)


def product(a, sa, za, b, sb, zb, sy, zy):
    """In double precision; the reference reads float8 as integers."""
    a, sa, za, b, sb, zb, sy = (v.astype(np.float64) for v in (a, sa, za, b, sb, zb, sy))
    y = (a - za) @ (b - zb) * (sa * sb / sy)
    return np.clip(np.rint(y) + zy, -128, 127).astype(np.int8)


B8 = typed("int8", np.arange(12).reshape(3, 4) * 9)
for name in SMALL_FLOATS[:4]:
    x, none = typed(name, values(2, 3) * np.float32(2)), typed(name, floats(0))
    steps = floats(0.25), floats(0.5), floats(2)
    case("QLinearMatMul", "21-", x, steps[0], none, B8, steps[1], typed("int8", ints(5)), steps[2],
         typed("int8", ints(3)), judge=ByHand(product), types=False)
    case("QLinearMatMul", "21-", B8.T.copy(), steps[0], typed("int8", ints(5)), x.T.copy().reshape(3, 2), steps[1],
         none, steps[2], typed("int8", ints(3)),
         judge=ByHand(product), types=False)
for name in ("float16", "bfloat16"):
    case("QLinearMatMul", "21-", a, typed(name, floats(0.25)), typed("int8", ints(5)), b, typed(name, floats(0.5)),
         typed("int8", ints(5)), typed(name, floats(8)), typed("int8", ints(5)), types=False)
