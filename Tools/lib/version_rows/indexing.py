"""Operators that take from, put to and look for: Gather, Scatter, NonZero, Unique, boxes."""

import numpy as np

from version_judges import ByHand, Later

from .table import case, flags, floats, ints, scalar, strings, values

X = values(3, 4)

case("Gather", "*", X, ints(2, 0, 2))
case("Gather", "*", X, ints(1, 3, 0, 0).reshape(2, 2), axis=1)
case("Gather", "11-", X, ints(-1, -3))
case("GatherElements", "*", X, ints(1, 2, 0, 1).reshape(1, 4))
case("GatherElements", "*", X, ints(1, -2, 0, 3, 1, 0).reshape(3, 2), axis=1)
case("GatherND", "*", values(2, 3, 4), ints(1, 2, 0, 0).reshape(2, 2))
case("GatherND", "12-", values(2, 3, 4), ints(1, 2).reshape(2, 1), batch_dims=1)

UPDATES = values(2, 4)
INDEX = ints(1, 0, 2, 0, 0, 2, 1, 2).reshape(2, 4)
elements = Later(18, op="ScatterElements")
case("Scatter", "*", X, INDEX, UPDATES, judge=elements)
case("Scatter", "*", X, INDEX.T[:3] % 4, values(3, 2), axis=1, judge=elements)
case("ScatterElements", "*", X, INDEX, UPDATES)
case("ScatterElements", "*", X, INDEX.T[:3] % 4, values(3, 2), axis=1)
DOUBLED = ints(1, 0, 2, 0, 1, 2, 1, 0).reshape(2, 4)
case("ScatterND", "*", X, ints(2, 0).reshape(2, 1), UPDATES)
case("ScatterND", "*", X, ints(2, 0, 0, -1).reshape(2, 2), values(2))
for reduction, since in {"add": 16, "mul": 16, "max": 18, "min": 18}.items():
    case("ScatterElements", f"{since}-", X, DOUBLED, UPDATES, reduction=reduction)
    case("ScatterND", f"{since}-", X, ints(2, 2).reshape(2, 1), UPDATES, reduction=reduction)

case("Compress", "*", X, flags(1, 0, 1), axis=0)
case("Compress", "*", X, flags(0, 1, 1, 0, 1))
case("Compress", "11-", X, flags(0, 1), axis=-1)
case("NonZero", "*", np.array([[1, 0, 2], [0, 0, -1]], np.float32))
case("Unique", "*", floats(2, 1, 1, 3, 4, 3), outputs=4)
case("Unique", "*", floats(2, 1, 1, 3, 4, 3), outputs=4, sorted=0)
case("Unique", "*", np.array([[1, 0, 1], [2, 5, 2]], np.float32), outputs=4, axis=1)
case("OneHot", "*", ints(0, 2, 1, 1), scalar(3), floats(0.5, 2), skip=("bool", "string"))
case("OneHot", "*", ints(0, 2, -1, 5), scalar(3), floats(0.5, 2), types=False)
hot = ByHand(lambda i, depth, v: v[(i[:, None] == np.arange(depth)).astype(int)])
for pair in (flags(0, 1), strings("off", "on")):
    case("OneHot", "*", ints(0, 2, 1), scalar(4), pair, judge=hot)
case("OneHot", "*", ints(0, 2, 1), scalar(4), floats(-1, 1), axis=0)

case("TensorScatter", "*", values(2, 1, 4, 3), values(2, 1, 2, 3), ints(1, 2))
case("TensorScatter", "*", values(2, 4, 3), values(2, 2, 3), axis=1)
case("TensorScatter", "*", values(2, 1, 4, 3), values(2, 1, 2, 3), ints(3, 0), mode="circular")

BOXES = floats(0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9, 0, 10, 1, 11).reshape(1, 4, 4)
SCORES = floats(0.9, 0.75, 0.6, 0.95).reshape(1, 1, 4)
case("NonMaxSuppression", "*", BOXES, SCORES, ints(3), floats(0.5), floats(0.0))
case("NonMaxSuppression", "*", BOXES, SCORES, ints(2), floats(0.5), floats(0.7))
CENTRES = floats(0.5, 0.5, 1, 1, 0.5, 0.6, 1, 1, 0.5, 0.4, 1, 1, 0.5, 10.5, 1, 1).reshape(1, 4, 4)
case("NonMaxSuppression", "*", CENTRES, SCORES, ints(3), floats(0.5), floats(0.0), center_point_box=1)
# No box is asked for.
case("NonMaxSuppression", "*", BOXES, SCORES, judge=ByHand(lambda *_: np.zeros((0, 3), np.int64)))

IMAGE = values(1, 2, 6, 6)
ROIS = floats(0, 0, 4, 4, 1, 2, 5, 5).reshape(2, 4)
half = Later(16, lambda inputs, attributes: (inputs,
                                             attributes | {"coordinate_transformation_mode": "output_half_pixel"}))
for span, judge in (("10", half), ("16-", None)):
    case("RoiAlign", span, IMAGE, ROIS, ints(0, 0), judge=judge)
    case("RoiAlign", span, IMAGE, ROIS, ints(0, 0), judge=judge, output_height=2, output_width=3, sampling_ratio=2,
         spatial_scale=0.5)
    case("RoiAlign", span, IMAGE, ROIS, ints(0, 0), judge=judge, output_height=2, output_width=2, sampling_ratio=2,
         mode="max")
case("RoiAlign", "16-", IMAGE, ROIS, ints(0, 0), output_height=2, output_width=2,
     coordinate_transformation_mode="output_half_pixel")


def roi_max(x, rois, pooled_shape, spatial_scale=1.0):
    """Cells from floor(i · size / count) to ceil((i + 1) · size / count) of a box with whole corners, both of them in it."""
    y = np.zeros((len(rois), x.shape[1], *pooled_shape), x.dtype)
    for r, (batch, *corners) in enumerate(rois.astype(np.float64)):
        left, top, right, bottom = (int(np.floor(c * spatial_scale + 0.5)) for c in corners)
        for i, j in np.ndindex(*pooled_shape):
            spans = []
            for start, end, k, count, size in ((top, bottom, i, pooled_shape[0], x.shape[2]),
                                               (left, right, j, pooled_shape[1], x.shape[3])):
                step = max(end - start + 1, 1) / count
                spans.append(slice(*(min(max(int(round_(edge * step)) + start, 0), size) for edge,
                                     round_ in ((k, np.floor), (k + 1, np.ceil)))))
            part = x[int(batch), :, spans[0], spans[1]]
            y[r, :, i, j] = part.max((1, 2)) if part.size else 0
    return y


case("MaxRoiPool", "*", IMAGE, floats(0, 0, 0, 3, 3, 0, 1, 2, 5, 5).reshape(2, 5), pooled_shape=[2, 2],
     judge=ByHand(roi_max))
case("MaxRoiPool", "*", IMAGE, floats(0, 0, 0, 7, 7, 0, 2, 4, 9, 10).reshape(2, 5), pooled_shape=[2, 3],
     spatial_scale=0.5, judge=ByHand(roi_max))
