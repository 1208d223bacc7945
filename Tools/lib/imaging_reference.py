"""A pipeline in NumPy, SciPy and ONNX Runtime: what `sardonyx apply` is to compute, written a second time.

Images are arrays [i, j, k] as stored. Written after SciPy's, MONAI's and nnU-Net's definitions; `imaging_monai.py`
compares the tiles with their own code.
"""
import itertools

import numpy as np
import onnxruntime
from scipy import ndimage


def network(path):
    """A function of a batch [n, channels, …]."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: np.ascontiguousarray(batch, np.float32)})[0]


def resized(image, shape, order, smooth=False):
    """Over the same field of view, the last axes of `image`; edges go on outside."""
    lead = image.ndim - len(shape)
    factors = np.array(shape) / image.shape[lead:]
    image = np.asarray(image, np.float64)
    if smooth:
        sigmas = np.maximum(0, (1 / factors - 1) / 2)
        image = ndimage.gaussian_filter(image, (0,) * lead + tuple(sigmas), mode="nearest")
    if order == 0:
        for axis, (new, old) in enumerate(zip(shape, image.shape[lead:])):
            # floor(x + 1/2) in whole numbers: no rounding turns a tie.
            index = (2 * np.arange(new) + 1) * old // (2 * new)
            image = image.take(index, axis + lead)
        return image
    out = np.stack([ndimage.zoom(x, factors, order=order, mode="nearest", grid_mode=True)
                    for x in image.reshape(-1, *image.shape[lead:])])
    return out.reshape(*image.shape[:lead], *shape)


def shape_at(shape, old, new):
    return tuple(int(x) for x in np.maximum(1, np.round(np.array(shape) * np.array(old) / np.array(new))))


def softmax(x, axis=0):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def monai_starts(count, tile, overlap):
    step = max(1, int(tile * (1 - overlap)))
    steps = int(np.ceil((count - tile) / step)) + 1
    return [min(n * step, count - tile) for n in range(steps)]


def nnunet_starts(count, tile, overlap):
    steps = int(np.ceil((count - tile) / (tile * (1 - overlap)))) + 1
    width = (count - tile) / max(1, steps - 1)
    return [int(np.round(width * n)) for n in range(steps)]


def monai_gaussian(size, sigma=0.125):
    weights = np.ones((1,) * len(size))
    for axis, side in enumerate(size):
        x = np.arange(side) - (side - 1) / 2
        shape = [1] * len(size)
        shape[axis] = side
        weights = weights * np.exp(-x**2 / (2 * (sigma * side) ** 2)).reshape(shape)
    return np.maximum(weights, max(weights.min(), 1e-3))


def nnunet_gaussian(size, sigma=0.125):
    weights = np.zeros(size)
    weights[tuple(x // 2 for x in size)] = 1
    weights = ndimage.gaussian_filter(weights, [x * sigma for x in size], mode="constant")
    weights /= weights.max()
    return np.where(weights == 0, weights[weights > 0].min(), weights)


def tiled(image, run, size, scheme, overlap, weight="gaussian", mirror=(), padding=0.0):
    """The network over an image [channels, axes…], its overlapping tiles averaged by their weights."""
    axes = image.shape[1:]
    missing = [max(0, s - n) for s, n in zip(size, axes)]
    borders = [(0, 0)] + [(m // 2, m - m // 2) for m in missing]
    image = np.pad(image, borders, constant_values=padding)
    starts = {"monai": monai_starts, "nnunet": nnunet_starts}[scheme]
    gaussian = {"monai": monai_gaussian, "nnunet": nnunet_gaussian}[scheme]
    weights = gaussian(size) if weight == "gaussian" else np.ones(size)
    total, norm = None, np.zeros(image.shape[1:])
    for corner in itertools.product(*(starts(n, s, overlap) for n, s in zip(image.shape[1:], size))):
        at = tuple(slice(c, c + s) for c, s in zip(corner, size))
        out = mirrored(run, image[(slice(None), *at)][None], mirror)[0]
        total = np.zeros((out.shape[0], *image.shape[1:])) if total is None else total
        total[(slice(None), *at)] += out * weights
        norm[at] += weights
    inside = tuple(slice(b, b + n) for (b, _), n in zip(borders[1:], axes))
    return (total / norm)[(slice(None), *inside)]


def mirrored(run, batch, mirror):
    """The mean over all combinations of mirrored axes, as nnU-Net does it."""
    flips = [c for n in range(len(mirror) + 1) for c in itertools.combinations([a + 2 for a in mirror], n)]
    return sum(np.flip(run(np.flip(batch, f)), f).astype(np.float64) for f in flips) / len(flips)


def near_ties(labels, wanted, scores):
    """(share of equal voxels, the largest gap between the two best scores [channels, …] where labels differ)."""
    differ = labels != wanted
    if not differ.any():
        return 1.0, 0.0
    best = np.sort(scores[:, differ], axis=0)
    return 1 - differ.mean(), float((best[-1] - best[-2]).max())
