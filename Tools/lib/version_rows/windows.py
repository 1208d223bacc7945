"""Convolutions, pooling and resampling: what moves a window over an image."""

import numpy as np

from version_judges import ByHand, Later

from .table import case, floats, ints, strings, typed, values

IMAGE = values(1, 4, 7, 6)
WEIGHTS = values(6, 4, 3, 3)

case("Conv", "*", IMAGE, WEIGHTS)
case("Conv", "*", IMAGE, WEIGHTS, values(6))
case("Conv", "*", IMAGE, values(6, 2, 3, 2), values(6), group=2, dilations=[2, 1], strides=[1, 2],
     pads=[1, 0, 2, 1], kernel_shape=[3, 2])
for auto in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
    case("Conv", "*", IMAGE, values(2, 4, 2, 3), auto_pad=auto, strides=[2, 2])
case("Conv", "*", values(2, 3, 9), values(4, 3, 3), values(4))
case("Conv", "*", values(1, 2, 4, 5, 6), values(3, 2, 2, 3, 3), values(3), pads=[1, 1, 1, 1, 1, 1])

NARROW = values(4, 3, 3, 3)
case("ConvTranspose", "*", IMAGE, NARROW)
case("ConvTranspose", "*", IMAGE, NARROW, values(3), strides=[2, 3], pads=[1, 0, 2, 1], output_padding=[1, 2])


def conv_transpose(x, w, b=None, group=1, dilations=(1, 1), strides=(1, 1), kernel_shape=None, output_shape=None):
    """The sum of each element's stamp; what output_shape leaves out is cut off, the larger half before."""
    n, c, *size = x.shape
    per, kernel = w.shape[1], w.shape[2:]
    whole = [(s - 1) * st + (k - 1) * d + 1 for s, st, k, d in zip(size, strides, kernel, dilations)]
    y = np.zeros((n, per * group, *whole))
    for i, j, ki, kj, channel in np.ndindex(*size, *kernel, c):
        g = channel // (c // group)
        y[:, g * per:(g + 1) * per, i * strides[0] + ki * dilations[0], j * strides[1] + kj * dilations[1]] += (
            x[:, channel, i, j, None] * w[channel, :, ki, kj])
    if output_shape:
        cut = [a - b for a, b in zip(whole, output_shape)]
        y = y[:, :, *(slice(k - k // 2, k - k // 2 + s) for k, s in zip(cut, output_shape))]
    return (y if b is None else y + b.reshape(1, -1, 1, 1)).astype(x.dtype)


case("ConvTranspose", "*", IMAGE, values(4, 2, 3, 3), values(4), group=2, dilations=[2, 1],
     kernel_shape=[3, 3],
     judge=ByHand(conv_transpose), wrong="Each group has its own output channels; the reference cannot put them together.")
case("ConvTranspose", "*", IMAGE, NARROW, strides=[2, 2], output_shape=[14, 12], judge=ByHand(conv_transpose),
     wrong="The whole result is 15 × 13, of which output_shape = [14, 12] keeps a part; the reference refuses it.")
for auto in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
    case("ConvTranspose", "*", IMAGE, NARROW, auto_pad=auto, strides=[2, 2])
case("ConvTranspose", "*", values(2, 3, 5), values(3, 2, 3))

for kind in ("uint8", "int8"):
    x, w = typed(kind, np.arange(32).reshape(1, 2, 4, 4) * 3), typed("uint8", np.arange(24).reshape(3, 2, 2, 2) * 5)
    w8 = typed("int8", np.arange(24).reshape(3, 2, 2, 2) * 5 - 60)
    case("ConvInteger", "*", x, w)
    case("ConvInteger", "*", x, w8, typed(kind, np.array(7)), typed("int8", np.array(-3)))
    case("ConvInteger", "*", x, w8, typed(kind, np.array(7)), typed("int8", ints(-3, 0, 5)), pads=[1, 0, 1, 1],
         strides=[2, 1], dilations=[1, 2], kernel_shape=[2, 2])
    case("ConvInteger", "*", x, typed("uint8", np.arange(16).reshape(4, 1, 2, 2)), group=2, auto_pad="SAME_UPPER")
    one = np.float32(0.5)
    quantised = (x, np.array(one), typed(kind, np.array(4)), w8, np.array(one / 8), typed("int8", np.array(2)),
                 np.array(np.float32(12)), typed(kind, np.array(9)))
    case("QLinearConv", "*", *quantised)
    case("QLinearConv", "*", *quantised, typed("int32", ints(-100, 0, 100)), pads=[1, 0, 1, 1], strides=[2, 1],
         dilations=[1, 2], kernel_shape=[2, 2])
    case("QLinearConv", "*", *quantised[:3], w8[:2, :1], *quantised[4:], group=2, auto_pad="SAME_UPPER")

OFFSET = values(1, 18, 5, 4) * np.float32(0.5)


def deform_conv(x, w, offset):
    """In double; the reference keeps the places between the pixels in float, and rounds each product and sum."""
    wide, places = np.pad(x[0].astype(np.float64), ((0, 0), (1, 1), (1, 1))), offset[0].astype(np.float64)
    y = np.zeros((1, len(w), *offset.shape[2:]))

    def pixel(i, j):  # zeros beyond the image, of which the padding shows one
        i, j = (int(np.clip(at + 1, 0, size - 1)) for at, size in zip((i, j), wide.shape[1:]))
        return wide[:, i, j]

    for i, j, a, b in np.ndindex(*y.shape[2:], *w.shape[2:]):
        number = 2 * (a * w.shape[3] + b)
        down, right = i + a + places[number, i, j], j + b + places[number + 1, i, j]
        top, left = int(np.floor(down)), int(np.floor(right))
        at = sum((1 - abs(down - p)) * (1 - abs(right - q)) * pixel(p, q)
                 for p in (top, top + 1) for q in (left, left + 1))
        y[0, :, i, j] += w[:, :, a, b].astype(np.float64) @ at
    return y.astype(x.dtype)


case("DeformConv", "*", IMAGE, WEIGHTS, OFFSET, judge=ByHand(deform_conv))
case("DeformConv", "*", IMAGE, WEIGHTS, OFFSET, values(6), values(1, 9, 5, 4))
case("DeformConv", "*", IMAGE, values(6, 2, 3, 3), values(1, 36, 3, 4) * np.float32(0.5), values(6), group=2,
     offset_group=2, strides=[2, 2],
     pads=[1, 2, 1, 2], dilations=[2, 1], kernel_shape=[3, 3])
case("CausalConvWithState", "*", values(2, 3, 5), values(3, 1, 4), outputs=2)
case("CausalConvWithState", "*", values(2, 3, 5), values(3, 1, 4), values(3), values(2, 3, 3), outputs=2,
     activation="silu")


def max_pool(x, kernel_shape, strides, pads=None, auto_pad=None):
    """At SAME_LOWER's ceil(size / stride) places, or where the pads say."""
    if auto_pad:
        totals = [max((-(-size // step) - 1) * step + kernel - size, 0)
                  for size, step, kernel in zip(x.shape[2:], strides, kernel_shape)]
        pads = [total - total // 2 for total in totals] + [total // 2 for total in totals]
    rank = len(kernel_shape)
    if x.dtype.kind == "V":
        return max_pool(x.astype(np.float32), kernel_shape, strides, pads).astype(x.dtype)
    low = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    x = np.pad(x, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:])], constant_values=low)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel_shape, axis=tuple(range(2, 2 + rank)))
    windows = windows[(slice(None), slice(None), *(slice(None, None, s) for s in strides))]
    return windows.max(tuple(range(-rank, 0)))


SAME = {("MaxPool", "SAME_LOWER"): {
    "judge": ByHand(max_pool),
    "wrong": "With SAME_LOWER as with SAME_UPPER the output has ceil(input / stride) places, here 4 × 3; the reference gives 3 × 3."}}
case("MaxPool", "12-", IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 2], judge=ByHand(max_pool),
     types=True)

# Pooling.
for op, first in {"AveragePool": 1, "MaxPool": 1, "LpPool": 2}.items():
    dilated = {"AveragePool": 19, "MaxPool": 10, "LpPool": 18}[op]
    case(op, f"{first}-", IMAGE, kernel_shape=[2, 3], types=True, skip=("int8", "bfloat16") if op == "MaxPool" else ())
    first = 7 if op == "AveragePool" else first
    case(op, f"{first}-", IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 2])
    for auto in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
        case(op, f"{first}-", IMAGE, kernel_shape=[3, 2], strides=[2, 2], auto_pad=auto, **SAME.get((op, auto), {}))
    case(op, f"{first}-", values(1, 2, 8), kernel_shape=[3], strides=[2])
    case(op, f"{first}-", values(1, 2, 4, 5, 6), kernel_shape=[2, 3, 2])
    case(op, f"{10 if op == 'AveragePool' else dilated}-", IMAGE, kernel_shape=[3, 3], strides=[2, 3], ceil_mode=1)
    case(op, f"{dilated}-", IMAGE, kernel_shape=[2, 2], dilations=[2, 3])
unpadded = Later(7)
case("AveragePool", "1", IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 2], judge=unpadded,
     wrong="Version 1 divides by the number of elements without the padding; the reference counts the padding too.")
for auto in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
    case("AveragePool", "1", IMAGE, kernel_shape=[3, 2], strides=[2, 2], auto_pad=auto, judge=unpadded)
case("AveragePool", "7-", IMAGE, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
case("MaxPool", "8-", IMAGE, kernel_shape=[3, 3], strides=[2, 2], outputs=2)
case("MaxPool", "8-", IMAGE, kernel_shape=[3, 3], strides=[2, 2], outputs=2, storage_order=1)


def lp_pool(x, kernel_shape, p=2.0, strides=None, pads=None, auto_pad="NOTSET"):
    strides, pads = strides or [1] * len(kernel_shape), pads or [0] * 2 * len(kernel_shape)
    rank = len(kernel_shape)
    x = np.pad(np.abs(x).astype(np.float64) ** p, [(0, 0), (0, 0), *zip(pads[:rank], pads[rank:])])
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel_shape, axis=tuple(range(2, 2 + rank)))
    windows = windows[(slice(None), slice(None), *(slice(None, None, s) for s in strides))]
    return windows.sum(tuple(range(-rank, 0))) ** (1 / p)


case("LpPool", "1", IMAGE, kernel_shape=[2, 3], judge=ByHand(lp_pool))
case("LpPool", "1", IMAGE, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 2], p=3.0, judge=ByHand(lp_pool))
case("LpPool", "1", IMAGE, kernel_shape=[2, 2], auto_pad="VALID", judge=ByHand(lp_pool))
case("LpPool", "2-", IMAGE, kernel_shape=[3, 3], strides=[2, 2], p=3)
for op in ["GlobalAveragePool", "GlobalMaxPool"]:
    case(op, "*", IMAGE)
case("GlobalAveragePool", "*", values(2, 3, 5))
case("GlobalMaxPool", "*", values(2, 3, 5), judge=ByHand(lambda x: x.max(2, keepdims=True)),
     wrong="The output keeps the input's rank; the reference drops the only spatial axis.")


def global_lp(x, p=2):
    return ((np.abs(x).astype(np.float64) ** p).sum(tuple(range(2, x.ndim)), keepdims=True) ** (1 / p)).astype(x.dtype)


case("GlobalLpPool", "*", IMAGE, judge=ByHand(global_lp))
case("GlobalLpPool", "1", IMAGE, p=3.0, judge=ByHand(global_lp))
case("GlobalLpPool", "2-", IMAGE, p=1, judge=ByHand(global_lp))
PICKED = values(1, 1, 2, 2)
WHERE = ints(5, 7, 13, 15).reshape(1, 1, 2, 2)
case("MaxUnpool", "*", PICKED, WHERE, kernel_shape=[2, 2], strides=[2, 2])
case("MaxUnpool", "*", PICKED, WHERE, ints(1, 1, 5, 5), kernel_shape=[2, 2], strides=[2, 2])
case("MaxUnpool", "*", PICKED, ints(0, 2, 6, 8).reshape(1, 1, 2, 2), kernel_shape=[3, 3], strides=[2, 2],
     pads=[1, 1, 1, 1])

# Resampling. Upsample, and Resize before version 11, count from the corner: x_in = x_out / scale.
SMALL = values(1, 2, 3, 4)


def resize(mode, scales):
    sharp = {"nearest_mode": "floor"} if mode == "nearest" else {}
    return lambda inputs, a: ([inputs[0], None, np.array(scales(inputs, a), np.float32)],
                              {"mode": mode, "coordinate_transformation_mode": "asymmetric", **sharp})


for mode, old in (("nearest", "nearest"), ("linear", "bilinear")):
    case("Upsample", "1", SMALL, mode=old, height_scale=2.0, width_scale=3.0, types=False,
         judge=Later(13, resize(mode, lambda _, a: [1, 1, a["height_scale"], a["width_scale"]]), "Resize"))
    case("Upsample", "7", SMALL, mode=mode, types=False, scales=[1.0, 1.0, 2.0, 1.5],
         judge=Later(13, resize(mode, lambda _, a: a["scales"]), "Resize"))
    case("Upsample", "9", SMALL, floats(1, 1, 2, 1.5), mode=mode, types=False,
         judge=Later(13, resize(mode, lambda inputs, _: inputs[1]), "Resize"))
    case("Resize", "10", SMALL, floats(1, 1, 2, 1.5), mode=mode, types=False,
         judge=Later(13, resize(mode, lambda inputs, _: inputs[1]), "Resize"))
# Version 10 does not say which point is nearest where an image shrinks.
case("Resize", "10", SMALL, floats(1, 1, 0.6, 2), mode="linear", types=False,
     judge=Later(13, resize("linear", lambda inputs, _: inputs[1]), "Resize"))
NONE = floats()
# Every type, those too that the reference cannot resample: each element twice.
twice = ByHand(lambda x, *_, **__: x.repeat(2, 2).repeat(2, 3))
case("Upsample", "1", SMALL, height_scale=2.0, width_scale=2.0, judge=twice, types=True)
case("Upsample", "7", SMALL, scales=[1.0, 1.0, 2.0, 2.0], judge=twice, types=True)
case("Upsample", "9", SMALL, floats(1, 1, 2, 2), judge=twice, types=True)
case("Resize", "10", SMALL, floats(1, 1, 2, 2), judge=twice, types=True)
case("Resize", "11-", SMALL, floats(), floats(1, 1, 2, 2), judge=twice, types=True)
BIG = values(1, 1, 4, 5)
for scales in (floats(1, 1, 2, 1.5), floats(1, 1, 0.7, 0.8)):
    case("Resize", "11-", BIG, NONE, scales)
    for mode in ("linear", "cubic"):
        case("Resize", "11-", BIG, NONE, scales, mode=mode)
        case("Resize", "18-", BIG, None, scales, mode=mode, antialias=1)
    for nearest in ("round_prefer_ceil", "floor", "ceil"):
        case("Resize", "11-", BIG, NONE, scales, nearest_mode=nearest)
    for way in ("align_corners", "asymmetric", "pytorch_half_pixel"):
        case("Resize", "11-", BIG, NONE, scales, mode="linear", coordinate_transformation_mode=way)
    case("Resize", "19-", BIG, None, scales, mode="linear", coordinate_transformation_mode="half_pixel_symmetric")
    case("Resize", "11-", BIG, NONE, scales, mode="cubic", cubic_coeff_a=-0.5, exclude_outside=1)
case("Resize", "11-12", BIG, NONE, NONE, ints(1, 1, 7, 3), mode="linear")
case("Resize", "13-", BIG, None, None, ints(1, 1, 7, 3), mode="linear")
ROI = floats(0, 0, 0.2, 0.3, 1, 1, 0.9, 1.2)
case("Resize", "11-", BIG, ROI, floats(1, 1, 1, 1.25), mode="linear",
     coordinate_transformation_mode="tf_crop_and_resize",
     extrapolation_value=9.0)
case("Resize", "18-", BIG, None, None, ints(8, 7), axes=[2, 3], keep_aspect_ratio_policy="not_larger")
case("Resize", "18-", BIG, None, None, ints(7, 8), axes=[2, 3], keep_aspect_ratio_policy="not_smaller", mode="linear")
in_order = Later(19, lambda inputs, a: ([inputs[0], None, inputs[2][::-1].copy()], a | {"axes": [2, 3]}))
case("Resize", "18-", BIG, None, floats(1.5, 2), axes=[-1, 2], mode="linear", judge=in_order,
     wrong="Axes may count from the end and come in any order; the reference refuses these.")

GRID = values(1, 3, 4, 2, low=-1.2, high=1.2)
for mode in ("bilinear", "nearest", "bicubic"):
    new = {"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    for padding in ("zeros", "border", "reflection"):
        options = {"padding_mode": padding}
        judge = Later(20, lambda inputs, a, new=new: (inputs, a | {"mode": new}))
        case("GridSample", "16-19", BIG, GRID, mode=mode, judge=judge, types=False, **options)
        case("GridSample", "16-19", BIG, GRID, mode=mode, align_corners=1, judge=judge, types=False, **options)
        case("GridSample", "20-", BIG, GRID, mode=new, types=False, **options)
        case("GridSample", "20-", BIG, GRID, mode=new, align_corners=1, types=False, **options)
case("GridSample", "20-", values(1, 2, 3, 4, 5), values(1, 2, 2, 3, 3, low=-1.2, high=1.2), types=False)
# Integers among others take no fractions, so the types are shown with the nearest point. String has no zero to pad with.
case("GridSample", "16-19", BIG, GRID, mode="nearest", padding_mode="border", judge=Later(20), types=True,
     skip=("string",))
case("GridSample", "20-", BIG, GRID, mode="nearest", padding_mode="border", types=True, skip=("string",))
NAMED = strings(*"abcdef").reshape(1, 1, 2, 3)
case("GridSample", "*", NAMED, floats(-1, -1, 1, 1, 0, 1).reshape(1, 1, 3, 2), mode="nearest", padding_mode="border",
     align_corners=1,
     types=False, judge=ByHand(lambda x, grid, **_: strings("a", "f", "e").reshape(1, 1, 1, 3)))
THETA = values(2, 2, 3)


def affine_grid(theta, size):
    """In double; the reference rounds to float."""
    down, right = ((2 * np.arange(extent) + 1) / extent - 1 for extent in size[2:])
    places = np.stack([*np.meshgrid(right, down), np.ones((len(down), len(right)))], -1)
    return (places @ theta.astype(np.float64).swapaxes(1, 2)[:, None]).astype(theta.dtype)


case("AffineGrid", "*", THETA, ints(2, 3, 4, 5), judge=ByHand(affine_grid))
case("AffineGrid", "*", THETA, ints(2, 3, 4, 5), align_corners=1)
case("AffineGrid", "*", values(1, 3, 4), ints(1, 2, 3, 4, 5))
