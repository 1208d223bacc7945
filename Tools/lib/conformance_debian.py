"""Writes the cases of Debian's libonnx-testdata, models of ONNX 1.12 and older opsets, as folders for `sardonyx verify`.

usage: conformance_debian.py FOLDER VERSION

FOLDER/cases/debian/CASE, the ten random ones FOLDER/random/debian/CASE. Does nothing when FOLDER holds them already.
"""

import hashlib
import pathlib
import shutil
import sys

import onnx

from conformance_cases import RANDOM

SOURCE = pathlib.Path("/usr/share/libonnx-testdata/data")
COUNTS = {"node": 932, "simple": 23, "pytorch-converted": 82, "pytorch-operator": 35}


def mend(path, info):
    """ONNX 1.12 wrote the bits of a bfloat16 as numbers of type uint16, and some values with another shape than the model
    declares. Returns whether the model's declaration has changed."""
    kind = info.type.tensor_type
    if info.type.WhichOneof("value") != "tensor_type":
        return False
    tensor = onnx.TensorProto.FromString(path.read_bytes())
    if kind.elem_type == onnx.TensorProto.BFLOAT16 and tensor.data_type == onnx.TensorProto.UINT16:
        tensor.data_type = onnx.TensorProto.BFLOAT16
        path.write_bytes(tensor.SerializeToString())
    declared = [dim.dim_value for dim in kind.shape.dim]
    if 0 in declared or declared == list(tensor.dims):
        return False
    kind.shape.ClearField("dim")
    for size in tensor.dims:
        kind.shape.dim.add(dim_value=size)
    return True


def main():
    top, version = pathlib.Path(sys.argv[1]), sys.argv[2]
    stamp = top / "debian.stamp"
    here = top / "cases/debian"
    version += " " + hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == version and here.is_dir():
        return
    for folder in (here, top / "random/debian"):
        shutil.rmtree(folder, ignore_errors=True)
    counts = {kind: 0 for kind in COUNTS}
    for source in sorted(SOURCE.glob("*/*/model.onnx")):
        kind, name = source.parts[-3:-1]
        counts[kind] = counts.get(kind, 0) + 1
        folder = (top / "random/debian" if name in RANDOM else here) / name
        shutil.copytree(source.parent, folder)
        model = onnx.load(source)
        weights = {tensor.name for tensor in model.graph.initializer}
        given = [info for info in model.graph.input if info.name not in weights]
        for data in folder.glob("test_data_set_*"):
            for word, infos in (("input", given), ("output", model.graph.output)):
                for i, info in enumerate(infos):
                    if (path := data / f"{word}_{i}.pb").exists() and mend(path, info):
                        (folder / "model.onnx").write_bytes(model.SerializeToString())
    if counts != COUNTS:
        sys.exit(f"libonnx-testdata {version} has other cases than expected: {counts}")
    stamp.write_text(version)
    print(f"conformance: {sum(counts.values())} cases of libonnx-testdata written: {counts}", file=sys.stderr)


if __name__ == "__main__":
    main()
