"""imaging_throughput.py PROGRAM FOLDER [PART …]: what stands around the network, beside the network's own time.

Printed, not judged: the figures are those of one machine in one hour. Run it where nothing else runs.
"""
import json
import pathlib
import statistics
import sys
import time
import zlib

import nibabel
import numpy as np
import onnx
from onnx import helper, numpy_helper
from scipy import ndimage

from imaging_support import TEMPLATES, Bench
from imaging_zoo import ct, zoo

ROUNDS = 5
# Of the scale -1000 to 1000: air, soft tissue, three of bone.
DENSITIES = 0.25, 0.575, 0.65, 0.8


def report(bench, title, results):
    """One line: the run's parts, and all of them but the network in shares of it."""
    told = [json.loads((folder / "provenance.json").read_text()) for folder in results]
    parts = {name: statistics.median(x["partsInSeconds"][name] for x in told) for name in told[0]["partsInSeconds"]}
    network = parts.pop("network")
    around = sum(parts.values())
    bench.note(title, ", ".join(f"{name} {seconds:.2f}" for name, seconds in parts.items())
               + f" s: {around:.2f} s beside {network:.2f} s in the network, {100 * around / network:.0f} %")


def demo(bench):
    """Median of several runs; the first one, which warms the disk's cache, does not count."""
    results = []
    for n in range(ROUNDS + 1):
        output = bench.fresh("results", f"demo-{n}")
        bench.run("apply", bench.models / "brain-extraction", TEMPLATES / "ch2.nii.gz", "--output", output)
        results.append(output / "ch2")
    report(bench, f"brain extraction on ch2, median of {ROUNDS}", results[1:])


def by_density(source, path):
    """The network with five classes, which follow the CT's density as a trained network's follow anatomy: random
    weights alone give labels like noise, whose surfaces take longer to measure than those of any organ."""
    model = onnx.load(source)
    graph, given = model.graph, model.graph.output[0]
    channels, width = given.type.tensor_type.shape.dim[1].dim_value, len(given.type.tensor_type.shape.dim) - 2
    given_name, given.name = given.name, "classes"
    given.type.tensor_type.shape.dim[1].dim_value = 5
    # Lines of slope 0 to 4, each the highest between two densities.
    slopes = np.arange(5, dtype=np.float32)
    heights = -np.concatenate([[0], np.cumsum(DENSITIES)]).astype(np.float32)
    weights = {"few": np.full((5, channels), 1e-4, np.float32), "slopes": slopes[:, None], "heights": heights}
    for name, values in weights.items():
        shape = (*values.shape, *[1] * width) if values.ndim == 2 else values.shape
        graph.initializer.append(numpy_helper.from_array(values.reshape(shape), name))
    graph.node.extend([
        helper.make_node("Conv", [given_name, "few"], ["learned"]),
        helper.make_node("Conv", [graph.input[0].name, "slopes", "heights"], ["density"]),
        helper.make_node("Add", ["learned", "density"], ["classes"])])
    onnx.save(model, path)
    return path


def large_volume(bench):
    """The CT as 512×512×300 voxels of 16 bits, compressed."""
    path = bench.folder / "large.nii.gz"
    image = nibabel.load(ct(bench))
    factors = np.array([512, 512, 300]) / image.shape
    voxels = ndimage.zoom(np.asarray(image.dataobj), factors, order=1, mode="nearest", grid_mode=True)
    affine = image.affine @ np.diag([*(1 / factors), 1])
    nibabel.save(nibabel.Nifti1Image(voxels.astype(np.int16), affine), path)
    return path


def large(bench):
    path = large_volume(bench)
    for name, parameters, side in (("dynunet3d", "16.5 million", 64), ("unet3d_res", "4.8 million", 96)):
        pipeline = bench.pipeline("large", by_density(zoo(bench, name), bench.folder / "by-density.onnx"), {
            "task": "segmentation", "labels": ["soft tissue", "bone", "dense bone", "teeth"],
            "input": {"channels": [{"name": "CT", "intensity": [{"scale": {"from": [-1000, 1000]}}]}]},
            "tiling": {"scheme": "monai", "size": [side] * 3, "overlap": 0.25},
            "output": {"activation": "softmax", "decision": "argmax"},
            "results": {"image": "labels.nii.gz", "measures": ["measures.csv", "measures.json"]}})
        results, done = bench.apply(pipeline, path)
        title = f"512×512×300, five classes, {name} of {parameters} parameters"
        report(bench, title, [results])
        bench.note(title, f"at most {done.peak / 1e6:.0f} MB resident")


def turning(bench):
    """A compressed volume to another orientation, in how much memory."""
    path = large_volume(bench)
    began = time.monotonic()
    done = bench.run("convert", path, bench.folder / "turned.nii", "--orientation", "PIR")
    bench.note("512×512×300 of 16 bits from .nii.gz to another orientation",
               f"{time.monotonic() - began:.1f} s, at most {done.peak / 1e6:.0f} MB resident")


def compression(bench):
    """Labels and grey values written as .nii.gz, beside level 6 of zlib."""
    volume = np.asarray(nibabel.load(large_volume(bench)).dataobj)
    labels = np.digitize(volume, 2000 * np.array(DENSITIES) - 1000).astype(np.uint8)
    for title, voxels in (("labels", labels), ("values of 16 bits", volume)):
        plain, packed = bench.folder / "plain.nii", bench.folder / "packed.nii.gz"
        nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), plain)
        began = time.monotonic()
        bench.run("convert", plain, packed)
        ours = time.monotonic() - began
        began = time.monotonic()
        size = len(zlib.compress(plain.read_bytes(), 6))
        theirs = time.monotonic() - began
        bytes = plain.stat().st_size
        bench.note(f"512×512×300 {title}, to .nii.gz",
                   f"{bytes / 1e6 / ours:.0f} MB/s and {bytes / packed.stat().st_size:.1f} times smaller; "
                   f"level 6 of zlib {bytes / 1e6 / theirs:.0f} MB/s and {bytes / size:.1f} times")


PARTS = {"demo": demo, "large": large, "turning": turning, "compression": compression}


def main():
    bench = Bench(sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path("Models").resolve())
    names = sys.argv[3:] or list(PARTS)
    if unknown := [x for x in names if x not in PARTS]:
        sys.exit(f"no such part of --throughput: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in names:
        PARTS[name](bench)


main()
