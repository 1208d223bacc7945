"""imaging_monai.py PROGRAM FOLDER [PART …]: the program against MONAI's and nnU-Net's own code.

`sliding`: values of tiled networks, against their sliding windows; the networks run in the program, a tile at a time,
so that only the tiling is compared. `bundles` and `nnunet`: whole folders of theirs, from file to file.
"""
import functools
import pathlib
import sys
import warnings

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from nnunetv2.inference import predict_from_raw_data

from imaging_bundle import bundles
from imaging_geometry import TILED, TILES, by_command, tile_title, tile_values
from imaging_nnunet import nnunet
from imaging_support import Bench, part
from imaging_zoo import values, zoo


class Network(torch.nn.Module):
    """A tile at a time in the program."""

    def __init__(self, bench, name):
        super().__init__()
        self.run = by_command(bench, zoo(bench, name))

    def forward(self, batch):
        return torch.from_numpy(np.concatenate([self.run(tile[None]) for tile in batch.float().numpy()]))


def nnunets_window(network, image, side, mirror, classes):
    """nnU-Net weighs and adds in 16 bits, so that its values differ by up to 3.8e-2 of their range; in 32 it shows its
    scheme."""
    half, gaussian = torch.half, predict_from_raw_data.compute_gaussian
    predictor = predict_from_raw_data.nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)

    class Configuration:
        patch_size = [side] * 3

    class Labels:
        num_segmentation_heads = classes

    predictor.network, predictor.configuration_manager, predictor.label_manager = network, Configuration(), Labels()
    predictor.allowed_mirroring_axes = mirror
    torch.half = torch.float32
    predict_from_raw_data.compute_gaussian = functools.partial(gaussian, dtype=torch.float32)
    try:
        return predictor.predict_sliding_window_return_logits(image)
    finally:
        torch.half, predict_from_raw_data.compute_gaussian = half, gaussian


@torch.no_grad()
def sliding(bench):
    for case in TILED:
        name, outputs, side, scheme, overlap, weight, mirror = case
        found, prepared = tile_values(bench, case)
        image, network = torch.from_numpy(prepared.astype(np.float32)), Network(bench, name)
        if scheme == "monai":
            wanted = sliding_window_inference(
                image[None, None], (side,) * 3, 1, network, overlap=overlap, mode=weight)[0]
        else:
            wanted = nnunets_window(network, image[None], side, mirror, outputs)
        values(bench, tile_title(case) + ", their code", found, wanted.float().numpy(), TILES)


PARTS = {"sliding": sliding, "bundles": bundles, "nnunet": nnunet}


def main():
    warnings.filterwarnings("ignore")
    bench = Bench(sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path("Models").resolve())
    names = sys.argv[3:] or list(PARTS)
    if unknown := [x for x in names if x not in PARTS]:
        sys.exit(f"no such part of --monai: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in names:
        part(bench, name, PARTS[name])
    print(f"{bench.passed} passed, {bench.failed} failed")
    sys.exit(1 if bench.failed else 0)


# nnU-Net's planner starts processes that read this file again.
if __name__ == "__main__":
    main()
