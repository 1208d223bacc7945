"""Writes the cases of onnx.backend.test as folders for `sardonyx verify`.

usage: conformance_cases.py FOLDER

FOLDER/cases/KIND/CASE/{model.onnx, tolerance.json, test_data_set_K/{input,output}_I.pb}; FOLDER/random/node/CASE for
the cases whose outputs are random. Does nothing when FOLDER holds what this file and this onnx would write.
"""

import hashlib
import json
import pathlib
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

COUNTS = {"node": 1884, "simple": 23, "pytorch-converted": 82, "pytorch-operator": 35, "light": 9}
# Their expected outputs are one draw of a generator that the standard leaves open.
RANDOM = {
    "test_bernoulli", "test_bernoulli_double", "test_bernoulli_double_expanded", "test_bernoulli_expanded",
    "test_bernoulli_seed", "test_bernoulli_seed_expanded", "test_training_dropout", "test_training_dropout_default",
    "test_training_dropout_default_mask", "test_training_dropout_mask",
}


def encode_map(value, kind, name):
    """A MapProto whose values have the type declared; onnx's own helper takes numbers alone."""
    message = onnx.MapProto(name=name, key_type=kind.key_type)
    if kind.key_type == onnx.TensorProto.STRING:
        message.string_keys.extend(key.encode() for key in value)
    else:
        message.keys.extend(value)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.value_type.tensor_type.elem_type)
    message.values.elem_type = onnx.SequenceProto.TENSOR
    message.values.tensor_values.extend(numpy_helper.from_array(np.array(held, dtype)) for held in value.values())
    return message


def encode(value, info):
    """The bytes of a value as the message that the graph declares for it."""
    kind = info.type.WhichOneof("value")
    if kind == "map_type":
        message = encode_map(value, info.type.map_type, info.name)
    elif kind == "sequence_type" and info.type.sequence_type.elem_type.WhichOneof("value") == "map_type":
        message = onnx.SequenceProto(name=info.name, elem_type=onnx.SequenceProto.MAP)
        message.map_values.extend(encode_map(item, info.type.sequence_type.elem_type.map_type, "") for item in value)
    elif kind == "sequence_type":
        message = numpy_helper.from_list(value, info.name)
    elif kind == "optional_type":
        message = numpy_helper.from_optional(value, info.name)
    elif isinstance(value, onnx.TensorProto):
        message = value
    else:
        message = numpy_helper.from_array(value, info.name)
    return message.SerializeToString()


def write_case(folder, model, data_sets, rtol, atol):
    folder.mkdir(parents=True)
    # Old models list their weights among the inputs; input_I.pb counts those that the caller gives.
    weights = {tensor.name for tensor in model.graph.initializer}
    given = [info for info in model.graph.input if info.name not in weights]
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    for k, (inputs, outputs) in enumerate(data_sets):
        data = folder / f"test_data_set_{k}"
        data.mkdir()
        for word, values, infos in (("input", inputs, given), ("output", outputs, model.graph.output)):
            for i, value in enumerate(values):
                (data / f"{word}_{i}.pb").write_bytes(encode(value, infos[i]))
    write_tolerance(folder, rtol, atol)


def write_tolerance(folder, rtol, atol):
    (folder / "tolerance.json").write_text(json.dumps({"rtol": rtol, "atol": atol}) + "\n")


def relative_tolerance(case):
    """What onnx's own runner allows: at least two units of bfloat16 where that is the type of the outputs."""
    types = {info.type.tensor_type.elem_type for info in case.model.graph.output}
    return max(case.rtol, 2**-6) if types == {onnx.TensorProto.BFLOAT16} else case.rtol


def write_light(folder, case):
    """One of the nine models that the package ships with weights of a constant, an input of rising numbers and outputs."""
    source = pathlib.Path(onnx.__file__).parent.parent / case.url
    model = onnx.load(source)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = []
    for info in model.graph.input:
        if info.name not in weights:
            shape = [dimension.dim_value or 1 for dimension in info.type.tensor_type.shape.dim]
            size = int(np.prod(shape))
            inputs.append((np.arange(size).reshape(shape) / size).astype(np.float32))
    outputs = []
    for i in range(len(model.graph.output)):
        output = onnx.TensorProto()
        output.ParseFromString(source.with_name(f"{source.stem}_output_{i}.pb").read_bytes())
        outputs.append(output)
    write_case(folder, model, [(inputs, outputs)], case.rtol, case.atol)


def main():
    top = pathlib.Path(sys.argv[1])
    stamp = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest() + " " + onnx.__version__
    if (top / "stamp").exists() and (top / "stamp").read_text() == stamp:
        return
    for name in ("stamp", "cases", "random"):
        path = top / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    warnings.simplefilter("ignore")
    counts, randoms = {}, set()
    for kind in COUNTS:
        for case in load_model_tests(kind="real" if kind == "light" else kind):
            counts[kind] = counts.get(kind, 0) + 1
            is_random = kind == "node" and case.name in RANDOM
            folder = top / ("random" if is_random else "cases") / kind / case.name
            if is_random:
                randoms.add(case.name)
            if kind == "light":
                write_light(folder, case)
            elif kind == "node":
                write_case(folder, case.model, case.data_sets, relative_tolerance(case), case.atol)
            else:
                shutil.copytree(case.model_dir, folder)
                write_tolerance(folder, case.rtol, case.atol)
    if counts != COUNTS or randoms != RANDOM:
        sys.exit(f"onnx {onnx.__version__} has other cases than expected: {counts}, random: {sorted(randoms)}")
    (top / "stamp").write_text(stamp)
    print(f"conformance: {sum(counts.values())} cases written: {counts}, {len(randoms)} of them random", file=sys.stderr)


if __name__ == "__main__":
    main()
