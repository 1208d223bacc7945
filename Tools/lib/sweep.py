"""The sweeps of Tools/bench: one network at many sizes, and some on 1, 2, 4 … threads."""

import os
import pathlib
import tempfile

import onnx

import models

# Networks of the zoo that are convolutions from end to end, so that any side that halves often enough will do; the
# input's number of spatial axes; the sides.
SIZES = {"basicunet2d": (2, [64, 128, 256, 512, 1024]), "unet3d_res": (3, [32, 64, 96, 128, 160])}
THREADS = ["basicunet2d", "unet3d_res", "resnet50", "mobilenet_v3_large", "vit_small"]


def thread_counts():
    """1, 2, 4 … and the number of this machine's CPUs."""
    available, counts, count = len(os.sched_getaffinity(0)), [], 1
    while count < available:
        counts.append(count)
        count *= 2
    return [*counts, available]


def resized(path, axes, side, target):
    """A copy of a model whose inputs' last axes have this length, and whose shapes in between are to be found anew."""
    model = onnx.load(path)
    for info in model.graph.input:
        dims = info.type.tensor_type.shape.dim
        if len(dims) == axes + 2:
            for dim in dims[2:]:
                dim.dim_value = side
    for info in model.graph.output:
        info.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    onnx.save(model, target)
    return target


def size_rows(measure, arguments):
    for name, (axes, sides) in SIZES.items():
        (_, path), = models.find([name])
        for side in sides:
            with tempfile.TemporaryDirectory() as scratch:
                copy = resized(path, axes, side, pathlib.Path(scratch) / "model.onnx")
                yield measure(name, copy, arguments, arguments.threads) | {"side": side, "axes": axes}


def thread_rows(measure, arguments):
    for name, path in models.find(arguments.models or THREADS):
        for threads in thread_counts():
            yield measure(name, path, arguments, threads)
