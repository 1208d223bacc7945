"""Operators that move, cut, repeat and pad, and those that ask for shapes."""

import numpy as np

from version_judges import ByHand, Later

from .table import case, floats, ints, scalar, strings, typed, values

X = values(2, 3, 4)
TEXT = strings("a", "bc", "", "d\u00e9", "e", "f").reshape(2, 3)

case("Identity", "*", X)
case("Identity", "14-", [values(2), values(3)])
case("Identity", "13-", TEXT)
case("Shape", "*", X)
case("Shape", "15-", X, start=1)
case("Shape", "15-", X, start=-2, end=-1)
case("Shape", "15-", X, start=2, end=1)
case("Shape", "*", scalar(1, np.float32))
case("Size", "*", X)
case("Size", "*", values(2, 0, 3))

# A length of 0 keeps the input's own; -1 takes what is left.
for shape in [(4, 6), (0, -1), (2, 3, 2, 2), (-1,)]:
    case("Reshape", "1-4", X, shape=list(shape), judge=Later(5, lambda inputs, a: ([inputs[0], np.array(a["shape"])],
         {})))
    case("Reshape", "5-", X, ints(*shape))
case("Reshape", "1-4", X, shape=[24], consumed_inputs=[0],
     judge=Later(5, lambda inputs, a: ([inputs[0], np.array(a["shape"])], {})))
case("Reshape", "14-", values(2, 0, 3), ints(0, 3, 7), allowzero=1)

case("Flatten", "*", X)
case("Flatten", "*", X, axis=0)
case("Flatten", "*", X, axis=3)
case("Flatten", "11-", X, axis=-1)
case("Transpose", "*", X)
case("Transpose", "*", X, perm=[1, 2, 0])

LONG = values(1, 3, 1, 2)
case("Squeeze", "1-10", LONG, axes=[0, 2])
case("Squeeze", "11-12", LONG, axes=[-4, 2], judge=ByHand(lambda x, axes: np.squeeze(x, tuple(axes))),
     wrong="Axes count from the input's own shape; the reference removes them one after the other and counts anew.")
case("Squeeze", "1-12", LONG)
case("Squeeze", "13-", LONG, ints(0, -2))
case("Squeeze", "13-", LONG)
case("Unsqueeze", "1-10", X, axes=[0, 4])
case("Unsqueeze", "11-12", X, axes=[0, -1])
case("Unsqueeze", "13-", X, ints(0, -1))
case("Unsqueeze", "13-", X, ints(4, 1))

case("Concat", "1-3", X, values(2, 3, 4), X, judge=ByHand(lambda *x: np.concatenate(x, 1)))
case("Concat", "1-3", X, values(2, 3, 1), axis=2)
case("Concat", "4-", X, values(2, 1, 4), X, axis=1)
case("Concat", "11-", X, values(2, 3, 1), axis=-1)
case("Concat", "4-", X, values(0, 3, 4), axis=0)


def parts(x, split=None, axis=0, count=2):
    return tuple(np.split(x, count if split is None else np.cumsum(split)[:-1], axis))


case("Split", "1", values(4, 3), outputs=2, judge=ByHand(parts))
case("Split", "1", values(4, 3), floats(1, 3), outputs=2, judge=ByHand(lambda x, split: parts(x, split.astype(int))))
case("Split", "1", values(4, 3), outputs=2, axis=1, split=[1, 2], judge=ByHand(parts))
case("Split", "2-12", values(4, 3), outputs=2)
case("Split", "2-12", values(4, 3), outputs=2, axis=1, split=[1, 2])
case("Split", "11-12", values(4, 3), outputs=3, axis=-1)
case("Split", "13-17", values(4, 3), outputs=2)
case("Split", "13-", values(4, 3), ints(3, 0, 1), outputs=3)
case("Split", "13-", values(4, 3), ints(1, 2), outputs=2, axis=-1)
case("Split", "18-", values(5, 3), outputs=2, num_outputs=2)
case("Split", "18-", values(4, 5), outputs=3, num_outputs=3, axis=1)

case("Slice", "1-9", X, starts=[0, 1], ends=[2, 3])
case("Slice", "1-9", X, starts=[1, -3], ends=[1000, -1], axes=[1, 2])
case("Slice", "10-", X, ints(0, 1), ints(2, 3))
case("Slice", "10-", X, ints(1, -1), ints(1000, -100), ints(1, 2), ints(1, -2))
case("Slice", "10-", X, *(typed("int32", ints(*row)) for row in [(3, 0), (0, 1), (-1, 0), (-1, 1)]))
case("Slice", "10-", X, ints(2), ints(1), ints(1))

for mode in ["constant", "reflect", "edge"]:
    case("Pad", "1", values(2, 3, 4), paddings=[0, 1, 2, 0, 1, 3], mode=mode,
         judge=Later(2, lambda inputs, a: (inputs, {"pads": a["paddings"],
                                                    **{k: v for k, v in a.items() if k != "paddings"}})))
    case("Pad", "2-10", values(2, 3, 4), pads=[0, 1, 2, 0, 1, 3], mode=mode)
    case("Pad", "11-", values(2, 3, 4), ints(0, 1, 2, 0, 1, 3), mode=mode, skip=("string", "float8e8m0"))
case("Pad", "1", X, paddings=[0, 1, 2, 0, 0, 0], value=1.5, judge=Later(2, lambda inputs,
     a: (inputs, {"pads": a["paddings"], "value": a["value"]})))
case("Pad", "2-10", X, pads=[0, 1, 2, 0, 0, 0], value=1.5)


def cut_and_pad(x, pads=None, constant=None, value=0.0):
    """Less than nothing is cut off, which the reference refuses."""
    before, after = np.array(pads).reshape(2, -1)
    x = x[tuple(slice(max(-b, 0), n - max(-a, 0)) for b, a, n in zip(before, after, x.shape))]
    y = np.full([n + max(b, 0) + max(a, 0) for n, b, a in zip(x.shape, before, after)],
                value if constant is None else constant[()], x.dtype)
    y[tuple(slice(max(b, 0), max(b, 0) + n) for b, n in zip(before, x.shape))] = x
    return y


case("Pad", "2-10", X, pads=[0, -1, 2, 0, 0, -1], value=0.5, judge=ByHand(cut_and_pad),
     wrong="The standard allows negative padding, which removes elements; the reference refuses it.")
case("Pad", "11-", X, ints(0, -1, 2, 0, 0, -1), scalar(1.5, np.float32), judge=ByHand(cut_and_pad), types=True)
case("Pad", "13-", TEXT, ints(0, 1, 1, 0), judge=ByHand(lambda x, pads: cut_and_pad(x, pads, value="")))
case("Pad", "18-", X, ints(1, 2, 0, 1), scalar(2, np.float32), ints(-1, 1), types=True)
case("Pad", "19-", X, ints(0, 1, 2, 0, 2, 3), mode="wrap")

case("Tile", "1-5", X, scalar(3, np.float32), scalar(1, np.float32), judge=ByHand(lambda x, n,
     axis: np.tile(x, [int(n) if i == axis else 1 for i in range(3)])))
case("Tile", "6-", X, ints(2, 1, 3))
case("Tile", "6-", X, ints(2, 0, 1))
case("Expand", "*", values(3, 1), ints(2, 1, 4))
case("Expand", "*", values(3, 1), ints(1))

IMAGE = values(1, 8, 2, 3)
case("DepthToSpace", "*", IMAGE, blocksize=2)
case("DepthToSpace", "11-", IMAGE, blocksize=2, mode="CRD")


def space_to_depth_crd(x, blocksize, mode):
    n, c, h, w = x.shape
    y = x.reshape(n, c, h // blocksize, blocksize, w // blocksize, blocksize).transpose(0, 1, 3, 5, 2, 4)
    return y.reshape(n, c * blocksize**2, h // blocksize, w // blocksize)


case("SpaceToDepth", "*", values(1, 2, 4, 6), blocksize=2)
case("SpaceToDepth", "28-", values(1, 2, 4, 6), blocksize=2, mode="CRD", judge=ByHand(space_to_depth_crd))

case("CenterCropPad", "*", X, ints(4, 1, 4), skip=("string",))
case("CenterCropPad", "*", TEXT, ints(3, 1), judge=ByHand(lambda x,
                                                          shape: np.concatenate([x[:, 1:2], strings("").reshape(1,
                                                          1)])))
case("CenterCropPad", "*", X, ints(1, 7), axes=[1, -1])
case("Trilu", "*", values(2, 3, 4), skip=("string",))
case("Trilu", "*", TEXT, judge=ByHand(lambda x: np.where(np.triu(np.ones(x.shape, bool)), x, "").astype(object)))
case("Trilu", "*", values(2, 3, 4), scalar(1), upper=0)
case("Trilu", "*", values(2, 3, 4), scalar(-1))
case("ReverseSequence", "*", values(4, 3, 2), ints(2, 4, 1))
case("ReverseSequence", "*", values(3, 4, 2), ints(2, 4, 1), batch_axis=0, time_axis=1)
case("Col2Im", "*", values(1, 8, 9), ints(4, 4), ints(2, 2), skip=("string",))
case("Col2Im", "*", values(1, 4, 9), ints(5, 5), ints(2, 2), dilations=[2, 2])
case("Col2Im", "*", values(1, 4, 9), ints(4, 4), ints(2, 2), pads=[1, 1, 1, 1], strides=[2, 2])
