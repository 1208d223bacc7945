"""imaging_monai.py PROGRAM FOLDER: the values that `Tools/imaging tiles` left there, against MONAI's and nnU-Net's code.

The networks run in the program under test, a tile at a time, so that only the tiling is compared.
"""
import functools
import pathlib
import sys

import nibabel
import numpy as np
import torch
from monai.inferers import sliding_window_inference
from nnunetv2.inference import predict_from_raw_data

from imaging_support import Bench

LIMIT = 1e-5


class Network(torch.nn.Module):
    def __init__(self, bench, name):
        super().__init__()
        self.bench, self.model, self.folder = bench, bench.models / f"zoo/filled/{name}.onnx", bench.fresh("tile")

    def forward(self, batch):
        tile, outputs = self.folder / "tile.npy", []
        for one in batch.float().numpy():
            np.save(tile, one[None])
            self.bench.run("run", self.model, "--input", f"input={tile}", "--output-dir", self.folder)
            outputs.append(np.load(self.folder / "output.npy"))
        return torch.from_numpy(np.concatenate(outputs))


# nnU-Net weighs and adds in 16 bits, so that its own values differ by up to 3.8e-2 of their range here; with 32 bits it shows
# its scheme.
torch.half = torch.float32
predict_from_raw_data.compute_gaussian = functools.partial(predict_from_raw_data.compute_gaussian, dtype=torch.float32)


def nnunet(network, image, side, mirror, classes):
    predictor = predict_from_raw_data.nnUNetPredictor(tile_step_size=0.5, use_gaussian=True, use_mirroring=True, device=torch.device("cpu"),
                                perform_everything_on_device=False, allow_tqdm=False)

    class Configuration:
        patch_size = [side] * 3

    class Labels:
        num_segmentation_heads = classes

    predictor.network, predictor.configuration_manager, predictor.label_manager = network, Configuration(), Labels()
    predictor.allowed_mirroring_axes = mirror
    return predictor.predict_sliding_window_return_logits(image)


def main():
    bench = Bench(sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path("Models").resolve())
    part = np.asarray(nibabel.load(bench.folder / "part.nii.gz").dataobj, np.float64)
    image = torch.from_numpy(((np.clip(part, -100, 300) + 100) / 400).astype(np.float32))
    for name, side, scheme, weight, mirror, limit in (
            ("unet3d_res", 96, "monai", "gaussian", [], LIMIT), ("dynunet3d", 64, "monai", "constant", [], LIMIT),
            ("swinunetr3d", 64, "monai", "gaussian", [], LIMIT), ("dynunet3d", 64, "nnunet", "gaussian", [0, 2], LIMIT)):
        title = f"tiles-{name}-{scheme}-{weight}" + "-mirrored" * bool(mirror)
        found = np.moveaxis(nibabel.load(bench.folder / f"results/{title}/part/probabilities.nii").get_fdata(), -1, 0)
        network = Network(bench, name)
        with torch.no_grad():
            if scheme == "monai":
                mode = weight
                wanted = sliding_window_inference(image[None, None], (side,) * 3, 1, network, overlap=0.25, mode=mode)[0]
            else:
                wanted = nnunet(network, image[None], side, mirror, found.shape[0])
        wanted = wanted.float().numpy()
        worst = np.abs(found - wanted).max() / np.ptp(wanted)
        bench.check(title.replace("-", ", ") + ", their code", worst <= limit, f"values differ by {worst:.1e} of their range")
    sys.exit(1 if bench.failed else 0)


main()
