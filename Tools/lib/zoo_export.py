"""Exports the zoo's PyTorch networks with both of PyTorch's exporters; see Tools/zoo.

usage: zoo_export.py [NAME …]

The weights are the constructors' own random ones, from seed 0. Batch norms get the statistics of what they see, so
that an untrained network's output depends on its input; a network whose output hardly does is refused.
"""

import logging
import pathlib
import sys
import warnings

import torch
from torch import nn

EXPORTED = pathlib.Path(__file__).resolve().parents[2] / "Models/zoo/exported"
# Of an output's largest value: how much two random inputs' outputs must differ.
LEAST_SPREAD = 0.05
# What a file's name ends with, the exporter (torch.export or TorchScript), the opset.
EXPORTERS = (("", False, 17), (".dynamo", True, 20))


def networks():
    """{name: (constructor, input's shape)}."""
    torchvision = import_torchvision()
    import timm
    from monai.networks.nets import BasicUNet, DenseNet121, DynUNet, SwinUNETR, UNet

    vision = torchvision.models
    image, picture, cube = (1, 3, 224, 224), (1, 1, 256, 256), (1, 1, 64, 64, 64)
    return {
        "resnet18": (vision.resnet18, image),
        "resnet50": (vision.resnet50, image),
        "mobilenet_v3_large": (vision.mobilenet_v3_large, image),
        "vit_small": (lambda: timm.create_model("vit_small_patch16_224", exportable=True), image),
        "basicunet2d": (lambda: BasicUNet(2, 1, 2, features=(32, 32, 64, 128, 256, 32)), picture),
        "dncnn": (dncnn, picture),
        "cyclegan": (CycleGAN, picture),
        "unet3d_res": (lambda: UNet(3, 1, 3, (16, 32, 64, 128, 256), (2, 2, 2, 2), num_res_units=2),
                       (1, 1, 96, 96, 96)),
        "dynunet3d": (lambda: DynUNet(3, 1, 3, kernel_size=[3] * 5, strides=[1, 2, 2, 2, 2],
                                      upsample_kernel_size=[2] * 4, filters=[32, 64, 128, 256, 320]), cube),
        "swinunetr3d": (lambda: SwinUNETR(in_channels=1, out_channels=2, feature_size=24), cube),
        "densenet121_3d": (lambda: DenseNet121(3, 1, 2), cube),
    }


def import_torchvision():
    """torchvision, also where its compiled operators do not load, as PyPI's (for CUDA) do not beside a torch for CPUs
    alone: its import then misses the declarations of two of them, which no network here uses."""
    try:
        import torchvision
    except RuntimeError:
        for module in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[module]
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision


class Residual(nn.Module):
    """x + sign · body(x)."""

    def __init__(self, *body, sign=1):
        super().__init__()
        self.body, self.sign = nn.Sequential(*body), sign

    def forward(self, x):
        return x + self.body(x) if self.sign > 0 else x - self.body(x)


def dncnn(depth=17, width=64):
    """The denoiser of Zhang et al. 2017: the network estimates the noise, which is taken away."""
    layers = [nn.Conv2d(1, width, 3, padding=1), nn.ReLU()]
    for _ in range(depth - 2):
        layers += [nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return Residual(*layers, nn.Conv2d(width, 1, 3, padding=1), sign=-1)


class CycleGAN(nn.Sequential):
    """The generator of Zhu et al. 2017: two steps down, residual blocks, two steps up."""

    def __init__(self, width=32, blocks=6):
        def normed(convolution):
            return [convolution, nn.InstanceNorm2d(convolution.out_channels)]

        deep = 4 * width
        layers = [nn.ReflectionPad2d(3), *normed(nn.Conv2d(1, width, 7)), nn.ReLU()]
        for channels in (width, 2 * width):
            layers += [*normed(nn.Conv2d(channels, 2 * channels, 3, 2, 1)), nn.ReLU()]
        for _ in range(blocks):
            layers.append(Residual(nn.ReflectionPad2d(1), *normed(nn.Conv2d(deep, deep, 3)), nn.ReLU(),
                                   nn.ReflectionPad2d(1), *normed(nn.Conv2d(deep, deep, 3))))
        for channels in (deep, deep // 2):
            layers += [*normed(nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, 1)), nn.ReLU()]
        super().__init__(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 1, 7), nn.Tanh())


def calibrate(model, shape):
    """Gives batch norms the statistics of two batches of noise; exits when the output hardly depends on the input."""
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    with torch.no_grad():
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
            norm.train()
        for _ in range(2 if norms else 0):
            model(torch.randn(2, *shape[1:]))
        for norm in norms:
            norm.eval()
            norm.momentum = 0.1
        first, second = model(torch.randn(shape)), model(torch.randn(shape))
    spread = float((first - second).abs().max() / first.abs().max())
    if not spread >= LEAST_SPREAD:
        raise ValueError(f"the output hardly depends on the input: two differ by {spread:.1e} of the largest value")
    return spread


def export(name, make, shape):
    """Writes the files that are not there yet."""
    paths = {EXPORTED / f"{name}{suffix}.onnx": (dynamo, opset) for suffix, dynamo, opset in EXPORTERS}
    if all(path.exists() for path in paths):
        return
    torch.manual_seed(0)
    model = make().eval()
    spread = calibrate(model, shape)
    x = torch.randn(shape)
    for path, (dynamo, opset) in paths.items():
        if path.exists():
            continue
        part = path.with_suffix(".part")
        torch.onnx.export(model, (x,), part, dynamo=dynamo, opset_version=opset, input_names=["input"],
                          output_names=["output"], **({"external_data": False, "verbose": False} if dynamo else {}))
        part.replace(path)
        size = path.stat().st_size / 1e6
        print(f"zoo: exported/{path.name}: {size:.1f} MB; two outputs differ by {spread:.2f}", flush=True)


def main(names):
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    zoo, failed = networks(), False
    if unknown := set(names) - set(zoo):
        sys.exit(f"zoo: no network named {', '.join(sorted(unknown))}; there are: {', '.join(zoo)}")
    EXPORTED.mkdir(parents=True, exist_ok=True)
    for name in names or zoo:
        try:
            export(name, *zoo[name])
        except Exception as problem:  # the exporters raise types of their own; the other networks still get their turn
            failed = True
            print(f"zoo: {name}: {str(problem).strip()[:300]}", file=sys.stderr, flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main(sys.argv[1:])
