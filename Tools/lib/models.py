"""The models that accuracy and speed are measured on, their inputs, and both runtimes behind the same function."""

import argparse
import gzip
import pathlib
import struct
import subprocess
import sys

import numpy as np
import onnx

from pages import TOP, machine, write_section

ZOO = TOP / "Models/zoo"
# The sizes that dynamic dimensions get, by model and input; elsewhere an unknown dimension is 1.
SHAPES = {
    "brain-extraction": {"img": [1, 1, 128, 128, 128]},
    "ocr_det": {"x": [1, 3, 480, 640]},
    "ocr_rec": {"x": [1, 3, 48, 320]},
    "ocr_cls": {"x": [1, 3, 48, 192]},
    "silero_vad": {"input": [1, 512], "state": [2, 1, 128], "sr": []},
    "magika": {"bytes": [2, 2048]},
}

GIVEN = {}


class Arguments(argparse.ArgumentParser):
    """What measurements of models take on the command line; each adds its own."""

    def __init__(self):
        super().__init__()
        self.add_argument("sardonyx")
        self.add_argument("--json")
        self.add_argument("--no-page", action="store_true")
        self.add_argument("--shape", action="append", default=[])
        self.add_argument("models", nargs="*")

    def read(self):
        arguments = self.parse_intermixed_args()
        set_shapes(arguments.shape)
        return arguments


def set_shapes(texts):
    """Takes NAME=1,3,64,64 from a command line: it goes before everything else."""
    for text in texts:
        name, _, sizes = text.rpartition("=")
        try:
            GIVEN[name] = [int(size) for size in sizes.split(",") if size]
        except ValueError:
            sys.exit(f"--shape wants NAME=1,3,64,64, not {text}")


def exports():
    """{name: path} of what `Tools/zoo export` has made here."""
    return {f"{path.stem} (export)": path for path in sorted((ZOO / "exported").glob("*.onnx"))}


def find(names):
    """[(name, path)] of the models named, or of all but the exports: the committed ones, the zoo's and those inside
    packages."""
    models = {path.parent.name: path for path in sorted(TOP.glob("Models/*/model.onnx"))}
    models |= {path.stem: path for folder in ("filled", "fetched") for path in sorted((ZOO / folder).glob("*.onnx"))}
    known = models | exports() | {name: pathlib.Path(name).resolve() for name in names if name.endswith(".onnx")}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no model named {', '.join(unknown)}; there are: {', '.join(known)}")
    return [(pathlib.Path(name).stem if name.endswith(".onnx") else name, known[name]) for name in names or models]


def inputs_of(path):
    """[(name, numpy type, shape with None for what is dynamic)] of what a caller must give."""
    graph = onnx.load(path, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    found = []
    for info in graph.input:
        if info.name not in weights:
            tensor = info.type.tensor_type
            shape = [d.dim_value if d.dim_value > 0 else None for d in tensor.shape.dim]
            found.append((info.name, onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type), shape))
    return found


def random_inputs(name, path, seed):
    """Inputs such as the model would meet: images around 0, volumes in [0, 1], bytes, sound."""
    generator = np.random.default_rng(seed)
    feeds = {}
    for key, dtype, shape in inputs_of(path):
        shape = GIVEN.get(key) or SHAPES.get(name, {}).get(key) or [d or 1 for d in shape]
        if (name, key) == ("silero_vad", "sr"):
            value = np.array(16000)
        elif (name, key) == ("silero_vad", "state"):
            value = np.zeros(shape) if seed == 0 else generator.standard_normal(shape) * 0.3
        elif name == "silero_vad":
            value = generator.standard_normal(shape) * 0.2
        elif name == "brain-extraction":
            value = generator.random(shape)
        elif dtype.kind in "iu":
            value = generator.integers(0, 256, shape)
        elif dtype.kind == "b":
            value = generator.integers(0, 2, shape)
        else:
            value = generator.standard_normal(shape)
        feeds[key] = np.asarray(value).astype(dtype)
    return feeds


def run_sardonyx(program, model, feeds, folder, names, timeout=1800):
    """The outputs of `sardonyx run`, in the order of names; raises RuntimeError with its last line on standard error."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([program, "run", str(model), *input_options(feeds, folder), "--output-dir", str(folder / "out")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["nothing on standard error"]
        raise RuntimeError(f"exit code {done.returncode}: {lines[-1][:300]}")
    return [read_output(folder / "out", name) for name in names]


def input_options(feeds, folder):
    options = []
    for i, (name, value) in enumerate(feeds.items()):
        np.save(folder / f"input_{i}.npy", value)
        options += ["--input", f"{name}={folder}/input_{i}.npy"]
    return options


def read_output(folder, name):
    path = folder / (name.replace("/", "_") + ".npy")
    if path.exists():
        return np.load(path)
    path = path.with_suffix("").with_name(path.stem + ".pb")
    if not path.exists():
        raise RuntimeError(f"no output file for {name}")
    return onnx.numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))


def difference(ours, reference):
    """max |a - b| / max |b|; infinite when type, shape, or the places of NaN and infinity differ."""
    a, b = np.asarray(ours), np.asarray(reference)
    if a.dtype != b.dtype or a.shape != b.shape:
        return float("inf")
    if b.dtype.kind not in "biuf":
        return 0.0 if np.array_equal(a, b) else float("inf")
    a, b = a.astype(np.float64), b.astype(np.float64)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True) or not np.isfinite(a[finite]).all():
        return float("inf")
    if not finite.any():
        return 0.0
    most, largest = np.abs(a[finite] - b[finite]).max(), np.abs(b[finite]).max()
    return float(most / largest) if largest else float(0 if most == 0 else most)


def read_nifti(path):
    """The voxels of a small NIfTI-1 file, scaled, as [x, y, z]."""
    data = gzip.open(path).read() if str(path).endswith(".gz") else pathlib.Path(path).read_bytes()
    order = "<" if struct.unpack_from("<i", data)[0] == 348 else ">"
    size = struct.unpack_from(order + "8h", data, 40)[1:4]
    code, = struct.unpack_from(order + "h", data, 70)
    start, slope, intercept = struct.unpack_from(order + "3f", data, 108)
    dtype = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 512: "u2"}[code]
    voxels = np.frombuffer(data, order + dtype, int(np.prod(size)), int(start)).reshape(size, order="F")
    return voxels.astype(np.float32) * (slope or 1) + intercept


def nearest(volume, size):
    """Nearest-neighbour resampling to a cube."""
    for axis, length in enumerate(volume.shape):
        volume = volume.take(((np.arange(size) + 0.5) * length / size).astype(int), axis)
    return volume
