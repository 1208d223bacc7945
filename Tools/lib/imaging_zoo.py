"""Models of the zoo on real images, each against its whole pipeline written a second time in Python.

The models' weights are random: what comes out means nothing, but every number of it is computed.
"""
import json
import pathlib

import nibabel
import numpy as np
import skimage
from skimage import io

import imaging_reference as reference
from imaging_support import voxels

SHARE = 0.999
# Labels may differ where the two best probabilities are as near as this: about twice the widest such tie between ONNX
# Runtime and the program, which was 2.9e-4, 7.2e-5, 9.7e-6 and 1.1e-4.
NEAR_TIE = {"swinunetr3d": 6e-4, "unet3d_res": 1.5e-4, "dynunet3d": 2e-5, "basicunet2d": 2.5e-4}
VALUES = 1e-4
BYTE = 1 / 255


def zoo(bench, name):
    return bench.models / "zoo/filled" / f"{name}.onnx"


def values(bench, title, found, wanted, share=VALUES):
    if found.shape != wanted.shape:
        return bench.check(title, False, f"shape {found.shape}, expected {wanted.shape}")
    worst = np.abs(found - wanted).max() / np.ptp(wanted)
    bench.check(title, worst <= share, f"values differ by {worst:.1e} of their range")


def labels(bench, title, network, found, wanted, scores):
    if found.shape != wanted.shape:
        return bench.check(title, False, f"shape {found.shape}, expected {wanted.shape}")
    share, gap = reference.near_ties(found, wanted, scores)
    counts = "/".join(str(np.count_nonzero(wanted == n)) for n in range(scores.shape[0]))
    bench.check(title, share >= SHARE and gap <= NEAR_TIE[network] and len(np.unique(wanted)) > 1,
                f"{100 * share:.4f} % of labels equal ({counts} voxels), widest tie that differs {gap:.1e}")


def picture_channels(**extra):
    return [{"name": name, "component": n, "intensity": [{"linear": {"factor": BYTE}}], **extra}
            for n, name in enumerate(("red", "green", "blue"))]


def fundus(bench):
    photograph = pathlib.Path(skimage.__file__).parent / "data/retina.jpg"
    image = np.moveaxis(io.imread(photograph), -1, 0)
    for name, smooth, activation in (("mobilenet_v3_large", False, "none"), ("resnet18", True, "softmax")):
        pipeline = bench.pipeline(f"fundus-{name}", zoo(bench, name), {
            "task": "classification",
            "input": {"channels": picture_channels(), "axes": "kji", "size": [224, 224], "antialias": smooth},
            "output": {"activation": activation}, "labels": [f"class {n}" for n in range(1000)],
            "results": {"measures": ["classes.json", "classes.csv"]}})
        results, _ = bench.apply(pipeline, photograph)
        wanted = reference.network(zoo(bench, name))(reference.resized(image, (224, 224), 1, smooth)[None] * BYTE)[0]
        if activation == "softmax":
            wanted = reference.softmax(wanted.astype(np.float64))
        classes = json.loads((results / "classes.json").read_text())["classes"]
        found = np.zeros(1000)
        for row in classes:
            found[int(row["name"].split()[1])] = row["probability"]
        values(bench, f"fundus, {name}", found, wanted)


def histology(bench):
    tile = pathlib.Path(skimage.__file__).parent / "data/ihc.png"
    image = io.imread(tile)[..., 1].astype(float) * BYTE
    for name, scheme, overlap in (("dncnn", "monai", 0.25), ("cyclegan", "nnunet", 0.5)):
        pipeline = bench.pipeline(f"histology-{name}", zoo(bench, name), {
            "task": "reconstruction",
            "input": {"channels": [{"name": "green", "component": 1, "intensity": [{"linear": {"factor": BYTE}}]}],
                      "axes": "kji"},
            "tiling": {"scheme": scheme, "size": [256, 256], "overlap": overlap},
            "output": {"restore_intensity": True}, "results": {"image": ["image.nii.gz", "image.png", "image.tif"]}})
        results, _ = bench.apply(pipeline, tile)
        run = reference.network(zoo(bench, name))
        wanted = reference.tiled(image[None], run, (256, 256), scheme, overlap)[0] / BYTE
        found = voxels(results / "image.nii.gz").squeeze().T
        values(bench, f"histology, {name}", found, wanted)
        # Pictures have the photograph's bytes; one more where the two engines' values round to different ones.
        limit = 0.5 + VALUES * np.ptp(wanted)
        for file in ("image.png", "image.tif"):
            seen = io.imread(results / file)
            worst = np.abs(seen - np.clip(wanted, 0, 255)).max() if seen.shape == wanted.shape else np.inf
            bench.check(f"histology, {name}, {file}", seen.dtype == np.uint8 and worst <= limit,
                        f"{seen.shape} {seen.dtype}, bytes at most {worst:.2f} from the values in 0 … 255")


def ct(bench):
    return bench.folder / "ct.nii.gz"


def head(bench):
    """Three networks on the CT: 3D on 2 mm, 3D as nnU-Net on 3 mm, 2D by slices."""
    image = nibabel.load(ct(bench)).as_reoriented([[0, -1], [1, 1], [2, 1]])
    source = np.asarray(image.dataobj).astype(float)
    spacing = nibabel.affines.voxel_sizes(image.affine)
    window = {"scale": {"from": [-100, 300], "to": [0, 1], "clip": True}}

    def scaled(x):
        return np.clip((x + 100) / 400, 0, 1)

    def finish(title, network, pipeline, scores, used=slice(None)):
        results, _ = bench.apply(pipeline, ct(bench))
        found = nibabel.load(results / "labels.nii.gz")
        values_there = np.asarray(found.as_reoriented([[0, -1], [1, 1], [2, 1]]).dataobj)
        labels(bench, title, network, values_there[..., used], scores.argmax(0)[..., used], scores[..., used])
        kept = np.allclose(found.affine, nibabel.load(ct(bench)).affine, atol=1e-4)
        bench.check(f"{title}, grid", kept, f"{found.shape}, the source's")

    common = {"task": "segmentation", "results": {
        "image": "labels.nii.gz", "picture": "overlay.png", "measures": ["measures.json", "measures.csv"]}}
    three = reference.network(zoo(bench, "unet3d_res"))
    pipeline = bench.pipeline("ct-unet3d_res", zoo(bench, "unet3d_res"), {**common, "labels": ["one", "two"],
        "input": {"channels": [{"name": "CT", "intensity": [window]}], "axes": "RAS", "spacing": [2, 2, 2]},
        "tiling": {"scheme": "monai", "size": [96, 96, 96], "overlap": 0.25},
        "output": {"activation": "softmax", "decision": "argmax"}})
    small = scaled(reference.resized(source, reference.shape_at(source.shape, spacing, [2, 2, 2]), 1))
    scores = reference.softmax(reference.tiled(small[None], three, (96,) * 3, "monai", 0.25))
    finish("CT, unet3d_res", "unet3d_res", pipeline, reference.resized(scores, source.shape, 1))

    nn = reference.network(zoo(bench, "dynunet3d"))
    pipeline = bench.pipeline("ct-dynunet3d", zoo(bench, "dynunet3d"), {**common, "labels": ["one", "two"],
        "input": {"channels": [{"name": "CT", "intensity": [{"clip_percentiles": {"low": 0.5, "high": 99.5}},
                                                           {"z_score": {"region": {"above": -300}}}]}],
                  "axes": "RAS", "spacing": [3, 3, 3], "interpolation": "cubic", "intensity_first": True},
        "tiling": {"scheme": "nnunet", "size": [64, 64, 64], "overlap": 0.5, "mirror": [2]},
        "output": {"activation": "softmax", "activate_last": True, "decision": "argmax"}})
    clipped = np.clip(source, *np.percentile(source, [0.5, 99.5]))
    inside = clipped[clipped > -300]
    changed = (clipped - inside.mean()) / inside.std()
    small = reference.resized(changed, reference.shape_at(source.shape, spacing, [3, 3, 3]), 3)
    scores = reference.tiled(small[None], nn, (64,) * 3, "nnunet", 0.5, mirror=[2])
    finish("CT, dynunet3d", "dynunet3d", pipeline, reference.softmax(reference.resized(scores, source.shape, 1)))

    flat = reference.network(zoo(bench, "basicunet2d"))
    pipeline = bench.pipeline("ct-basicunet2d", zoo(bench, "basicunet2d"), {**common, "labels": ["one"],
        "input": {"channels": [{"name": "CT", "intensity": [window]}], "axes": "IPL"},
        "tiling": {"scheme": "monai", "size": [256, 256], "overlap": 0.25},
        "output": {"activation": "softmax", "decision": "argmax"}})
    slices = scaled(source).transpose(2, 1, 0)[:, ::-1, ::-1]
    scores = np.stack([reference.tiled(x[None], flat, (256, 256), "monai", 0.25) for x in slices[::-1]])
    scores = reference.softmax(scores[::-1, :, ::-1, ::-1].transpose(1, 3, 2, 0))
    # On a blank slice ONNX Runtime's instance normalization makes 0.009 of rounding errors, where 0 is right.
    finish("CT, basicunet2d by slices", "basicunet2d", pipeline, scores, np.ptp(scaled(source), axis=(0, 1)) > 0)


def series(bench):
    path = pathlib.Path(nibabel.__file__).parent / "tests/data/example4d.nii.gz"
    image = nibabel.load(path)
    pipeline = bench.pipeline("mr-swinunetr3d", zoo(bench, "swinunetr3d"), {
        "task": "segmentation", "labels": ["one"],
        "input": {"channels": [{"name": "MR", "intensity": ["z_score"]}], "axes": "ijk"},
        "tiling": {"scheme": "monai", "size": [64, 64, 64], "overlap": 0.25, "weight": "constant"},
        "output": {"activation": "softmax", "decision": "argmax"},
        "results": {"image": "labels.nii.gz", "probabilities": "probabilities.nii.gz", "picture": "overlay.png",
                    "measures": "measures.json"}})
    results, _ = bench.apply(pipeline, path)
    found = voxels(results / "labels.nii.gz")
    run = reference.network(zoo(bench, "swinunetr3d"))
    frames = np.moveaxis(image.get_fdata(), -1, 0)
    scores = np.stack([
        reference.softmax(reference.tiled(((x - x.mean()) / x.std())[None], run, (64,) * 3, "monai", 0.25, "constant"))
        for x in frames], -1)
    labels(bench, "4D MR, swinunetr3d", "swinunetr3d", found, scores.argmax(0), scores)
    # The channels of the first volume, then those of the second.
    wanted = np.concatenate([np.moveaxis(scores[..., t], 0, -1) for t in range(scores.shape[-1])], -1)
    values(bench, "4D MR, probabilities", voxels(results / "probabilities.nii.gz"), wanted, NEAR_TIE["swinunetr3d"])


def models(bench):
    fundus(bench)
    histology(bench)
    series(bench)
    head(bench)
