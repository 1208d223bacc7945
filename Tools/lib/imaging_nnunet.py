"""nnU-Net from its planner to its predictor, against `sardonyx apply` on the same folder.

nnU-Net plans, builds and predicts itself; only the network's weights are random, and the planner's network and patch are
made small. `torch.half` is 32 bits here: nnU-Net adds its tiles up in 16, which hides what is to be compared.
"""
import functools
import json
import os

import nibabel
import numpy as np
import torch

# The limits lie above what was measured: the shares of labels equal were 99.99 % and more.
SHARE = 0.999
NEAR_TIE = 1e-4

# Regions of labels, and which label each paints.
REGIONS = {"background": 0, "whole": [1, 2], "core": [2]}


def turned(spacing, angle=0.2):
    """An affine that is neither straight nor RAS."""
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return nibabel.affines.from_matvec(turn @ np.diag([-1, -1, 1]) @ np.diag(spacing), [31, -20, 12.5])


def save(path, voxels, spacing):
    nibabel.save(nibabel.Nifti1Image(voxels, turned(spacing)), path)


def dataset(folder, name, channels, labels, training, part):
    """Studies cut out of the CT; bone and soft tissue are the labels."""
    root = folder / "raw" / name
    for each in ("imagesTr", "labelsTr", "imagesTs"):
        (root / each).mkdir(parents=True)
    description = {"channel_names": {str(n): c for n, c in enumerate(channels)}, "labels": labels,
                   "numTraining": len(training) - 1, "file_ending": ".nii.gz"}
    if labels is REGIONS:
        description["regions_class_order"] = [1, 2]
    (root / "dataset.json").write_text(json.dumps(description))
    for n, (spacing, region) in enumerate(training):
        image = part[region].astype(np.int16)
        test = n == len(training) - 1
        for c in range(len(channels)):
            save(root / ("imagesTs" if test else "imagesTr") / f"study_{n:03}_{c:04}.nii.gz", image if c == 0 else image // 2 + image[::-1] // 3, spacing)
        if not test:
            save(root / f"labelsTr/study_{n:03}.nii.gz", (image > 30).astype(np.uint8) + (image > 300), spacing)
    return root


def plan(number, memory):
    """The dataset's plans by nnU-Net's own planner."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments
    extract_fingerprints([number], num_processes=1, show_progress_bar=False)
    return plan_experiments([number], gpu_memory_target_in_gb=memory)


def trained(root, preprocessed, configuration, patch, trainer="nnUNetTrainer"):
    """What training leaves, with random weights; and the network as model.onnx beside it."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
    plans = json.loads((preprocessed / root.name / "nnUNetPlans.json").read_text())
    chosen = plans["configurations"][configuration]
    chosen["patch_size"] = patch
    network = chosen["architecture"]["arch_kwargs"]
    network["features_per_stage"] = [8 * min(4, n + 1) for n in range(network["n_stages"])]
    description = json.loads((root / "dataset.json").read_text())
    manager = PlansManager(plans)
    torch.manual_seed(4)
    model = nnUNetTrainer.build_network_architecture(
        manager, manager.get_configuration(configuration), len(description["channel_names"]),
        manager.get_label_manager(description).num_segmentation_heads, False).eval()
    folder = root.parents[1] / "results" / root.name / f"{trainer}__nnUNetPlans__{configuration}"
    (folder / "fold_0").mkdir(parents=True)
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(description))
    torch.save({"network_weights": model.state_dict(), "trainer_name": trainer,
                "init_args": {"configuration": configuration},
                "inference_allowed_mirroring_axes": tuple(range(len(patch)))}, folder / "fold_0/checkpoint_final.pth")
    torch.onnx.export(model, (torch.zeros(1, len(description["channel_names"]), *patch),), folder / "model.onnx",
                      dynamo=False, opset_version=17, input_names=["input"], output_names=["output"])
    return folder


def predicted(folder, root, output):
    """nnU-Net's labels and probabilities [channels, k, j, i]."""
    from nnunetv2.inference import predict_from_raw_data
    torch.half = torch.float32
    halved = predict_from_raw_data.compute_gaussian
    whole = functools.partial(halved, dtype=torch.float32)
    whole.cache_clear = getattr(halved, "cache_clear", None)
    predict_from_raw_data.compute_gaussian = whole
    predictor = predict_from_raw_data.nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), (0,))
    output.mkdir()
    predictor.predict_from_files_sequential(str(root / "imagesTs"), str(output), save_probabilities=True)
    labels = next(output.glob("*.nii.gz"))
    return nibabel.load(labels), np.load(str(labels).replace(".nii.gz", ".npz"))["probabilities"]
