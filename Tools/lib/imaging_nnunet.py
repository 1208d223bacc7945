"""nnU-Net from its planner to its predictor, against `sardonyx apply` on the folder that training leaves.

nnU-Net plans, builds and predicts by itself; random are the weights, and the networks are thinner than planned. nnU-Net
adds tiles up in 16 bits, which hides what is to be compared: `torch.half` is 32 bits here.
"""
import functools
import json
import os

import nibabel
import numpy as np
import torch

from imaging_reference import near_ties

# One voxel of 5.6e5 differed, at a tie of 1.7e-6.
SHARE = 0.9999
NEAR_TIE = 1e-5
REGIONS = {"background": 0, "whole": [1, 2], "core": [2]}


def oblique(spacing):
    """Neither straight nor RAS."""
    a = 0.2
    turn = np.array([[-np.cos(a), np.sin(a), 0], [-np.sin(a), -np.cos(a), 0], [0, 0, 1]])
    return nibabel.affines.from_matvec(turn @ np.diag(spacing), [31, -20, 12.5])


def thick_slices(ct):
    """A CT whose slices follow along i: its plans turn the axes and resample the slices apart."""
    spacings = (5, 0.9, 0.9), (5, 0.8, 0.8), (4, 0.9, 0.9), (4.5, 1.1, 1.1)
    return [(x, [ct[70 + 4 * n:160 + 4 * n:5, 90:170, 25:95]]) for n, x in enumerate(spacings)]


def sequences(ct):
    """Two sequences with zeros around the head: normalised inside it, cropped to it."""
    spacings = (2, 2, 2.5), (2.1, 2.2, 2.4), (1.9, 1.9, 2.6), (2.4, 2.3, 2.2)
    studies = []
    for n, spacing in enumerate(spacings):
        part = ct[30 + n:230:3, 30:230:3, 20 + n:90:3].astype(int)
        first = np.pad(np.where(part > -300, part + 1000, 0), ((9, 5), (4, 12), (3, 3)))
        studies.append((spacing, [first, np.where(first > 0, first // 2 + first[:, ::-1] // 3 + 1, 0)]))
    return studies


# Number and name, channels, labels, studies (the last is predicted), what dataset.json says besides, configurations.
DATASETS = (
    (1, "Dataset001_Slices", ["CT"], {"background": 0, "soft": 1, "bone": 2}, thick_slices, {}, ("3d_fullres", "2d")),
    (2, "Dataset002_Sequences", ["T1", "T2"], REGIONS, sequences,
     {"regions_class_order": [1, 2], "overwrite_image_reader_writer": "NibabelIOWithReorient"}, ("3d_fullres",)))


def write_dataset(root, channels, labels, studies, more):
    for each in ("imagesTr", "labelsTr", "imagesTs"):
        (root / each).mkdir(parents=True)
    (root / "dataset.json").write_text(json.dumps({
        "channel_names": {str(n): c for n, c in enumerate(channels)}, "labels": labels,
        "numTraining": len(studies) - 1, "file_ending": ".nii.gz", **more}))

    def save(path, voxels, spacing):
        nibabel.save(nibabel.Nifti1Image(voxels, oblique(spacing)), root / path)

    for n, (spacing, images) in enumerate(studies):
        isTest = n == len(studies) - 1
        for c, image in enumerate(images):
            save(f"images{'Ts' if isTest else 'Tr'}/study{n}_{c:04}.nii.gz", image.astype(np.int16), spacing)
        if not isTest:
            middle, high = np.percentile(images[0], [60, 90])
            save(f"labelsTr/study{n}.nii.gz", ((images[0] > middle) + (images[0] > high)).astype(np.uint8), spacing)


def train(folder, root, configuration):
    """What training leaves in a folder, after the planner's plans, and the network as model.onnx beside it."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
    plans = json.loads((folder / "preprocessed" / root.name / "nnUNetPlans.json").read_text())
    chosen = plans["configurations"][configuration]
    arguments = chosen["architecture"]["arch_kwargs"]
    arguments["features_per_stage"] = [8 * min(4, n + 1) for n in range(arguments["n_stages"])]
    dataset = json.loads((root / "dataset.json").read_text())
    manager = PlansManager(plans)
    torch.manual_seed(4)
    channels, patch = len(dataset["channel_names"]), chosen["patch_size"]
    network = nnUNetTrainer.build_network_architecture(
        manager, manager.get_configuration(configuration), channels,
        manager.get_label_manager(dataset).num_segmentation_heads, False).eval()
    trained = folder / "results" / root.name / f"nnUNetTrainer__nnUNetPlans__{configuration}"
    (trained / "fold_0").mkdir(parents=True)
    (trained / "plans.json").write_text(json.dumps(plans))
    (trained / "dataset.json").write_text(json.dumps(dataset))
    torch.save({"network_weights": network.state_dict(), "trainer_name": "nnUNetTrainer",
                "init_args": {"configuration": configuration},
                "inference_allowed_mirroring_axes": tuple(range(len(patch)))}, trained / "fold_0/checkpoint_final.pth")
    torch.onnx.export(network, (torch.zeros(1, channels, *patch),), trained / "model.onnx", dynamo=False,
                      opset_version=17, input_names=["input"], output_names=["output"])
    return trained


def predict(trained, images, output):
    """nnU-Net's labels and probabilities [channels, k, j, i]."""
    from nnunetv2.inference import predict_from_raw_data as theirs
    predictor = theirs.nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(trained), (0,))
    output.mkdir()
    half, gaussian = torch.half, theirs.compute_gaussian
    whole = functools.partial(gaussian, dtype=torch.float32)
    whole.cache_clear = gaussian.cache_clear
    torch.half, theirs.compute_gaussian = torch.float32, whole
    try:
        predictor.predict_from_files_sequential(str(images), str(output), save_probabilities=True)
    finally:
        torch.half, theirs.compute_gaussian = half, gaussian
    labels = next(output.glob("*.nii.gz"))
    return nibabel.load(labels), np.load(str(labels).replace(".nii.gz", ".npz"))["probabilities"]


def nnunet(bench):
    folder = bench.fresh("nnunet")
    for each in ("raw", "preprocessed", "results"):
        (folder / each).mkdir()
        os.environ[f"nnUNet_{each}"] = str(folder / each)
    # They read those variables.
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments
    ct = np.asarray(nibabel.load(bench.folder / "ct.nii.gz").dataobj)
    for number, name, channels, labels, studies, more, configurations in DATASETS:
        root = folder / "raw" / name
        write_dataset(root, channels, labels, studies(ct), more)
        extract_fingerprints([number], num_processes=1, verbose=False, show_progress_bar=False)
        plan_experiments([number], gpu_memory_target_in_gb=1)
        for configuration in configurations:
            trained = train(folder, root, configuration)
            image, scores = predict(trained, root / "imagesTs", folder / f"{name}-{configuration}")
            results, _ = bench.apply(trained, root / "imagesTs")
            compare(bench, f"{name}, {configuration}", nibabel.load(results / "labels.nii.gz"), image,
                    scores.transpose(0, 3, 2, 1), labels is REGIONS)


def compare(bench, title, found, wanted, scores, are_regions):
    labels, theirs = np.asarray(found.dataobj), np.asarray(wanted.dataobj)
    if are_regions:
        differ = labels != theirs
        share, gap = 1 - differ.mean(), np.abs(scores[:, differ] - 0.5).min(0).max() if differ.any() else 0
    else:
        share, gap = near_ties(labels, theirs, scores)
    counts = "/".join(map(str, np.bincount(theirs.ravel())))
    bench.check(f"nnU-Net, {title}", share >= SHARE and gap <= NEAR_TIE and len(np.unique(theirs)) > 1,
                f"{100 * share:.4f} % of labels equal ({counts} voxels), widest tie that differs {gap:.1e}")
    far = np.abs(found.affine - wanted.affine).max()
    bench.check(f"nnU-Net, {title}, grid", far < 1e-4, f"affines {far:.1e} apart")
