"""MONAI bundles as `monai.bundle run` runs them, against `sardonyx apply` on the same folder.

The configurations do what those of MONAI's model zoo do: CT at one spacing and in a window; labels decided on before
they go back; several sequences with regions that overlap; slices of a 2D network. The networks are small, their weights
random.
"""
import json

import monai.bundle
import nibabel
import numpy as np
import torch
from monai.networks.nets import UNet

from imaging_nnunet import oblique

# One voxel of 6e5 differed.
SHARE = 0.99999


def transform(name, keys="image", **arguments):
    return {"_target_": name, "keys": keys, **arguments}


LOAD = [transform("LoadImaged"), transform("EnsureChannelFirstd")]
SOFTMAX = transform("Activationsd", "pred", softmax=True)
ARGMAX = transform("AsDiscreted", "pred", argmax=True)


def back(nearest):
    return transform("Invertd", "pred", transform="@preprocessing", orig_keys="image", nearest_interp=nearest)


def window(size, overlap, **more):
    return {"_target_": "SlidingWindowInferer", "roi_size": size, "sw_batch_size": 4, "overlap": overlap, **more}


# name: (channels, classes, transforms before, inferer, transforms after)
BUNDLES = {
    "window": (1, 3, [
        *LOAD, transform("Orientationd", axcodes="RAS"), transform("Spacingd", pixdim=[1.5, 1.5, 2.0], mode="bilinear"),
        transform("ScaleIntensityRanged", a_min=-57, a_max=164, b_min=0, b_max=1, clip=True), transform("EnsureTyped"),
    ], window([48, 48, 32], 0.5), [SOFTMAX, back(False), ARGMAX]),
    "labels": (1, 4, [
        *LOAD, transform("EnsureTyped"), transform("Orientationd", axcodes="RAS"),
        transform("Spacingd", pixdim="$[1.5, 1.5, 1.5] if @highres else [3.0, 3.0, 3.0]", mode="bilinear"),
        transform("NormalizeIntensityd", nonzero=True), transform("ScaleIntensityd", minv=-1.0, maxv=1.0),
    ], window([48, 48, 48], 0.25, mode="gaussian", padding_mode="replicate"), [SOFTMAX, ARGMAX, back(True)]),
    "regions": (4, 3, [
        LOAD[0], transform("NormalizeIntensityd", nonzero=True, channel_wise=True),
    ], window([64, 64, 48], 0.5), [
        transform("Activationsd", "pred", sigmoid=True), back(False), transform("AsDiscreted", "pred", threshold=0.5)]),
    "slices": (1, 4, [
        *LOAD, transform("ScaleIntensityd"), transform("EnsureTyped"),
    ], {"_target_": "SliceInferer", "roi_size": [96, 96], "spatial_dim": 2}, [SOFTMAX, back(False), ARGMAX]),
    "cropped": (1, 3, [
        *LOAD, transform("Orientationd", axcodes="LPS"),
        transform("CropForegroundd", source_key="image", select_fn="$lambda x: x > -300", margin=3, allow_smaller=True),
        transform("Spacingd", pixdim=[2.0, 2.0, 2.0], mode=3),
        transform("ScaleIntensityRangePercentilesd", lower=1, upper=99, b_min=0, b_max=1, clip=True),
    ], window([48, 48, 48], 0.25, mode="gaussian"), [SOFTMAX, back(False), ARGMAX]),
}


def write(folder, name):
    """The bundle, with its weights for MONAI and as ONNX."""
    channels, classes, before, inferer, after = BUNDLES[name]
    sides = inferer["roi_size"]
    network = {"_target_": "UNet", "spatial_dims": len(sides), "in_channels": channels, "out_channels": classes,
               "channels": [8, 16, 32], "strides": [2, 2], "num_res_units": 1}
    save = transform("SaveImaged", "pred", output_dir="@output_dir")
    inference = {
        "imports": ["$import glob"], "bundle_root": ".", "output_dir": "$@bundle_root + '/eval'", "highres": True,
        "images": [], "device": "$torch.device('cpu')", "network_def": network, "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": before},
        "dataset": {"_target_": "Dataset", "data": "$[{'image': @images}]", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1, "num_workers": 0},
        "inferer": inferer,
        "postprocessing": {"_target_": "Compose", "transforms": [*after, save]},
        "evaluator": {"_target_": "SupervisedEvaluator", "device": "@device", "val_data_loader": "@dataloader",
                      "network": "@network", "inferer": "@inferer", "postprocessing": "@postprocessing", "amp": False},
        "checkpointloader": {"_target_": "CheckpointLoader", "load_path": "$@bundle_root + '/models/model.pt'",
                             "load_dict": {"model": "@network"}},
        "initialize": ["$monai.utils.set_determinism(seed=123)", "$@checkpointloader(@evaluator)"],
        "run": ["$@evaluator.run()"]}
    metadata = {"version": "0.1.0", "task": name, "network_data_format": {
        "inputs": {"image": {"type": "image", "modality": "CT", "num_channels": channels, "spatial_shape": sides}},
        "outputs": {"pred": {"type": "image", "format": "segmentation", "num_channels": classes}}}}
    for each in ("configs", "models"):
        (folder / each).mkdir(parents=True)
    (folder / "configs/inference.json").write_text(json.dumps(inference, indent=4))
    (folder / "configs/metadata.json").write_text(json.dumps(metadata, indent=4))
    torch.manual_seed(7)
    model = UNet(**{k: v for k, v in network.items() if k != "_target_"}).eval()
    torch.save(model.state_dict(), folder / "models/model.pt")
    torch.onnx.export(model, (torch.zeros(1, channels, *sides),), folder / "models/model.onnx", dynamo=False,
                      opset_version=17, input_names=["image"], output_names=["pred"])
    return folder


def write_images(bench, name, channels):
    """A part of the CT; further channels are the head with zeros around it, each otherwise."""
    ct = np.asarray(nibabel.load(bench.folder / "ct.nii.gz").dataobj).astype(np.int16)[:120, 70:170, 20:70]
    paths = []
    for c in range(channels):
        voxels = ct if channels == 1 else np.where(ct > -200, np.roll(ct, c, 0) // (c + 1) + 700, 0).astype(np.int16)
        paths.append(bench.folder / "bundles" / f"{name}-{c}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(voxels, oblique((0.957, 0.957, 1.5))), paths[-1])
    return paths


def bundles(bench):
    folder = bench.fresh("bundles")
    for name, (channels, *_) in BUNDLES.items():
        bundle = write(folder / name, name)
        paths = write_images(bench, name, channels)
        given = [str(p) for p in paths]
        monai.bundle.run(config_file=str(bundle / "configs/inference.json"), bundle_root=str(bundle),
                         images=given if channels > 1 else given[0])
        wanted = nibabel.load(next((bundle / "eval").rglob("*.nii.gz")))
        inputs = given if channels == 1 else [f"channel {c}={path}" for c, path in enumerate(given)]
        results, _ = bench.apply(bundle, *inputs)
        found = nibabel.load(next(p for p in results.glob("*.nii.gz")))
        theirs = np.asarray(wanted.dataobj).squeeze()
        share = (np.asarray(found.dataobj).squeeze() == theirs).mean() if found.shape[:3] == wanted.shape[:3] else 0
        counts = "/".join(str(np.count_nonzero(theirs == n)) for n in np.unique(theirs))
        bench.check(f"bundle, {name}", share >= SHARE and len(np.unique(theirs)) > 1,
                    f"{100 * share:.5f} % of labels equal ({counts} voxels)")
        far = np.abs(found.affine - wanted.affine).max()
        bench.check(f"bundle, {name}, grid", far < 1e-4, f"affines {far:.1e} apart")
