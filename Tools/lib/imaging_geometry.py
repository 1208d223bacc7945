"""Tiles and splines through the command, where no network blurs what is compared: the model hands on what it gets."""
import nibabel
import numpy as np
import onnx
from onnx import TensorProto, helper

import imaging_reference as reference
from imaging_support import voxels
from imaging_zoo import ct, values, zoo

SPLINE = 1e-4
TILES = 1e-5


def identity(path):
    """A model that gives what it gets, [n, 1, d, h, w] of any size."""
    shape = ["n", 1, "d", "h", "w"]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "identity",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def sample(bench, name, shape, spacing):
    """A smooth field with noise, its values from about -1000 to 1000."""
    random = np.random.default_rng(11)
    grid = np.meshgrid(*(np.linspace(0, 7, n) for n in shape), indexing="ij")
    image = 500 * np.sin(grid[0] + 1.3 * grid[1]) + 400 * np.cos(grid[2] * 0.9) + random.normal(0, 60, shape)
    path = bench.folder / f"{name}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(image.astype(np.float32), np.diag([*spacing, 1])), path)
    return path, image.astype(np.float32)


def splines(bench):
    model = identity(bench.folder / "identity.onnx")
    cases = (
        ("finer", (40, 36, 30), (1.5, 1.5, 2), (1.1, 1, 0.9), False),
        ("coarser", (60, 50, 41), (0.7, 0.8, 1), (1.5, 1.9, 2.2), False),
        ("slices on and between others", (20, 18, 50), (1, 1, 1.5), (1, 1, 2), False),
        ("thick slices apart", (48, 50, 14), (0.8, 0.8, 5), (1, 1, 3.5), True),
        ("thick slices together", (48, 50, 14), (0.8, 0.8, 5), (1, 1, 3.5), False),
    )
    for title, shape, old, new, apart in cases:
        path, image = sample(bench, "spline", shape, old)
        inner = reference.shape_at(shape, old, new)
        for order, name in ((3, "cubic"), (1, "linear"), (0, "nearest")):
            pipeline = bench.pipeline(f"spline-{title.replace(' ', '-')}-{name}", model, {
                "task": "reconstruction", "tiling": {"scheme": "whole"},
                "input": {"channels": [{"name": "x"}], "axes": "ijk", "spacing": list(new), "interpolation": name,
                          "separate_anisotropic_axis": apart},
                "output": {"interpolation": name}, "results": {"image": "there.nii.gz"}})
            results, _ = bench.apply(pipeline, path)
            there = nnunet_resized if apart else reference.resized
            wanted = there(there(image, inner, order), shape, order)
            values(bench, f"resampled, {title}, {name}", voxels(results / "there.nii.gz"), wanted, SPLINE)


def nnunet_resized(image, shape, order):
    """nnU-Net's separate z: planes first, then slices by the nearest."""
    planes = np.stack([reference.resized(x, shape[:2], order) for x in np.moveaxis(np.asarray(image, float), 2, 0)], -1)
    return reference.resized(planes, (*shape[:2], shape[2]), 0)


def by_command(bench, model):
    """The program's own network, a tile at a time: what is compared is then only how tiles are cut and joined."""
    outputs = bench.fresh("tile")

    def run(batch):
        np.save(outputs / "tile.npy", np.ascontiguousarray(batch, np.float32))
        bench.run("run", model, "--input", f"input={outputs / 'tile.npy'}", "--output-dir", outputs)
        return np.load(outputs / "output.npy")
    return run


# Network, channels out, a tile's side, scheme, overlap, weight, mirrored axes.
TILED = (
    ("unet3d_res", 3, 96, "monai", 0.25, "gaussian", []), ("dynunet3d", 3, 64, "monai", 0.25, "constant", []),
    ("swinunetr3d", 2, 64, "monai", 0.25, "gaussian", []), ("dynunet3d", 3, 64, "nnunet", 0.5, "gaussian", [0, 2]))


def tile_values(bench, case):
    """The program's values [channels, …] of a part of the CT, and the part [i, j, k] as the network sees it."""
    name, outputs, side, scheme, overlap, weight, mirror = case
    part = nibabel.load(ct(bench)).slicer[70:180, 80:160, 20:80]
    path = bench.folder / "part.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.asarray(part.dataobj), part.affine), path)
    pipeline = bench.pipeline(tile_title(case).replace(", ", "-"), zoo(bench, name), {
        "task": "segmentation", "labels": ["one", "two"][:outputs - 1],
        "input": {"axes": "ijk", "channels": [{"name": "CT", "intensity": [
            {"scale": {"from": [-100, 300], "clip": True}}]}]},
        "tiling": {"scheme": scheme, "size": [side] * 3, "overlap": overlap, "weight": weight, "mirror": mirror},
        "output": {"decision": "argmax"}, "results": {"probabilities": "probabilities.nii"}})
    results, _ = bench.apply(pipeline, path)
    prepared = (np.clip(np.asarray(part.dataobj, float), -100, 300) + 100) / 400
    return np.moveaxis(voxels(results / "probabilities.nii"), -1, 0), prepared


def tile_title(case):
    name, _, _, scheme, _, weight, mirror = case
    return f"tiles, {name}, {scheme}, {weight}" + ", mirrored" * bool(mirror)


def tiles(bench):
    """Three networks' values on a part of the CT, by each scheme."""
    for case in TILED:
        found, prepared = tile_values(bench, case)
        name, _, side, scheme, overlap, weight, mirror = case
        scores = reference.tiled(
            prepared[None], by_command(bench, zoo(bench, name)), (side,) * 3, scheme, overlap, weight, mirror)
        values(bench, tile_title(case), found, scores, TILES)
