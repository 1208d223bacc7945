"""Second looks at the official cases: the same models written otherwise must give the same answers.

usage: second_looks.py FOLDER            writes FOLDER/looks/LOOK/KIND/CASE from FOLDER/cases
       second_looks.py FOLDER SARDONYX   also runs `sardonyx verify` over them

Looks: `renamed` gives every value, node and graph another name; `weights as inputs` has weights and Constant nodes given by
the caller; `inputs as weights` has inputs in the file; `other inputs` has floating-point inputs moved toward zero by up to
2 %, and the outputs that onnx's reference evaluator gives for them. Besides these, the cases as they are run without
passes and under each cap of the instruction set. A look leaves out the cases that it cannot be taken at: no weights, no
tensors among the inputs, or an evaluator that does not give a case's own outputs.
"""

import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import warnings

import numpy as np
import onnx
from onnx import AttributeProto, numpy_helper
from onnx.reference import ReferenceEvaluator

import conformance
from conformance_cases import encode

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
# The evaluator compares indices as they are; the standard has those that are no integers cast to int64 first.
NOT_JUDGED = {"OneHot"}
CAPS = {"x86_64": ("baseline", "avx2"), "aarch64": ("baseline",)}


def graphs_of(node):
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


class Renaming:
    """New names for everything in a model, the same for the same old one."""

    def __init__(self):
        self.names = {}

    def name(self, old):
        return self.names.setdefault(old, f"value {len(self.names)}/é") if old else ""

    def rename_nodes(self, nodes):
        for node in nodes:
            node.name = f"node {len(self.names)}"
            node.input[:] = [self.name(name) for name in node.input]
            node.output[:] = [self.name(name) for name in node.output]
            for attribute in node.attribute if node.op_type == "Gradient" else ():  # which names values
                attribute.s = self.name(attribute.s.decode()).encode()
                attribute.strings[:] = [self.name(name.decode()).encode() for name in attribute.strings]
            for graph in graphs_of(node):
                self.rename_graph(graph)

    def rename_graph(self, graph):
        graph.name = "another graph"
        for item in [*graph.input, *graph.output, *graph.value_info, *graph.initializer]:
            item.name = self.name(item.name)
        for tensor in graph.sparse_initializer:
            tensor.values.name = self.name(tensor.values.name)
        del graph.quantization_annotation[:]
        self.rename_nodes(graph.node)


def renamed(model, data):
    renaming = Renaming()
    renaming.rename_graph(model.graph)
    for function in model.functions:
        function.input[:] = [renaming.name(name) for name in function.input]
        function.output[:] = [renaming.name(name) for name in function.output]
        del function.value_info[:]
        renaming.rename_nodes(function.node)
    return model, data


def given_inputs(model):
    weights = {tensor.name for tensor in model.graph.initializer}
    return [info for info in model.graph.input if info.name not in weights]


def weights_as_inputs(model, data):
    graph = model.graph
    constants = {}
    for node in list(graph.node):
        value = next((a.t for a in node.attribute if a.name == "value" and a.type == AttributeProto.TENSOR), None)
        if node.op_type == "Constant" and node.domain in ("", "ai.onnx") and value is not None:
            constants[node.output[0]] = value
            graph.node.remove(node)
    tensors = {tensor.name: tensor for tensor in graph.initializer} | constants
    if not tensors:
        return None
    values = dict(zip([info.name for info in given_inputs(model)], data[0]))
    known = {info.name for info in graph.input}
    for name, tensor in tensors.items():
        copy = onnx.TensorProto()
        copy.CopyFrom(tensor)
        copy.name = name
        values[name] = copy.SerializeToString()
        if name not in known:
            graph.input.append(onnx.helper.make_tensor_value_info(name, tensor.data_type, list(tensor.dims)))
    # A name that is an output too would be given and wanted.
    if set(tensors) & {info.name for info in graph.output}:
        return None
    del graph.initializer[:]
    return model, ([values[info.name] for info in graph.input], data[1])


def inputs_as_weights(model, data):
    graph = model.graph
    inputs = given_inputs(model)
    tensors = [info for info in inputs if info.type.WhichOneof("value") == "tensor_type"]
    if not tensors:
        return None
    left = []
    for info, value in zip(inputs, data[0]):
        if info not in tensors:
            left.append(value)
            continue
        tensor = onnx.TensorProto.FromString(value)
        tensor.name = info.name
        graph.initializer.append(tensor)
        if model.ir_version >= 4:
            graph.input.remove(info)
    return model, (left, data[1])


def python_value(value, info):
    """The value of a file as the reference evaluator takes it."""
    match info.type.WhichOneof("value"):
        case "tensor_type": return numpy_helper.to_array(onnx.TensorProto.FromString(value))
        case "sequence_type": return numpy_helper.to_list(onnx.SequenceProto.FromString(value))
        case "optional_type": return numpy_helper.to_optional(onnx.OptionalProto.FromString(value))
    raise ValueError("no value that the evaluator takes")


def is_close(a, b, tolerance):
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(is_close, a, b, [tolerance] * len(a)))
    if a is None or b is None:
        return a is b
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind in "OSUT":
        return a.tolist() == b.tolist()
    if a.dtype.kind == "V" or a.dtype.itemsize == 1 or a.dtype.name == "bfloat16":
        a, b = a.astype(np.float32), b.astype(np.float32)
    return np.allclose(a, b, tolerance["rtol"], tolerance["atol"], equal_nan=True)


def nearer_zero(value, random):
    if not isinstance(value, np.ndarray) or value.dtype not in (np.float16, np.float32, np.float64):
        return value
    # One whole number may be a count.
    if value.size == 1 and value.item().is_integer():
        return value
    return (value * (1 - 0.02 * random.random(value.shape))).astype(value.dtype)


def other_inputs(model, data, tolerance, name):
    infos = given_inputs(model)
    inputs = [python_value(value, info) for value, info in zip(data[0], infos)]
    expected = [python_value(value, info) for value, info in zip(data[1], model.graph.output)]
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big"))
    others = [nearer_zero(value, random) for value in inputs]
    if all(a is b for a, b in zip(others, inputs)) or any(node.op_type in NOT_JUDGED for node in model.graph.node):
        return None
    evaluator = ReferenceEvaluator(model)
    names = [info.name for info in infos]
    if not all(is_close(a, b, tolerance) for a, b in zip(evaluator.run(None, dict(zip(names, inputs))), expected)):
        return None
    results = evaluator.run(None, dict(zip(names, others)))
    return model, ([encode(value, info) for value, info in zip(others, infos)],
                   [encode(value, info) for value, info in zip(results, model.graph.output)])


def write(folder, model, data, tolerance):
    (folder / "test_data_set_0").mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "tolerance.json").write_text(tolerance)
    for word, values in zip(("input", "output"), data):
        for index, value in enumerate(values):
            (folder / "test_data_set_0" / f"{word}_{index}.pb").write_bytes(value)


def files(folder, word):
    count = len(list(folder.glob(f"{word}_*.pb")))
    return [(folder / f"{word}_{index}.pb").read_bytes() for index in range(count)]


def write_all(top):
    stamp = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in (pathlib.Path(__file__), top / "stamp"))
    looks = top / "looks"
    if (looks / "stamp").exists() and (looks / "stamp").read_text() == stamp:
        return
    shutil.rmtree(looks, ignore_errors=True)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    for kind in KINDS:
        for case in sorted((top / "cases" / kind).iterdir()):
            text = (case / "tolerance.json").read_text()
            source = (case / "model.onnx").read_bytes()
            data = tuple(files(case / "test_data_set_0", word) for word in ("input", "output"))
            for name, look in LOOKS.items():
                try:
                    found = look(onnx.ModelProto.FromString(source), data, json.loads(text), case.name)
                # What the evaluator cannot do it says with any kind of exception.
                except Exception:
                    if name != "other inputs":
                        raise
                    continue
                if found:
                    write(looks / name / kind / case.name, *found, text)
    (looks / "stamp").write_text(stamp)


LOOKS = {
    "renamed": lambda model, data, tolerance, name: renamed(model, data),
    "weights as inputs": lambda model, data, tolerance, name: weights_as_inputs(model, data),
    "inputs as weights": lambda model, data, tolerance, name: inputs_as_weights(model, data),
    "other inputs": other_inputs,
}


def run(top, program):
    """{look: {case: None or why it fails}}"""
    def cases(root):
        return [case for kind in KINDS if (root / kind).exists() for case in sorted((root / kind).iterdir())]

    results = {name: conformance.verify(program, cases(top / "looks" / name), top / "looks" / name) for name in LOOKS}
    plain = top / "cases"
    results["without passes"] = conformance.verify(program, cases(plain), plain, ["--unoptimized"])
    for cap in CAPS.get(platform.machine(), ()):
        os.environ["SARDONYX_MAX_ISA"] = cap
        results[f"at most {cap}"] = conformance.verify(program, cases(plain), plain)
        del os.environ["SARDONYX_MAX_ISA"]
    return results


def main():
    top = pathlib.Path(sys.argv[1])
    write_all(top)
    if len(sys.argv) < 3:
        return
    failed = False
    for look, result in run(top, sys.argv[2]).items():
        failing = {name: why for name, why in result.items() if why is not None}
        print(f"{look}: {len(result) - len(failing)} of {len(result)} cases give the same answers")
        for name, why in sorted(failing.items())[:20]:
            print(f"  {name}: {why[:300]}")
        failed |= bool(failing)
    sys.exit(failed)


if __name__ == "__main__":
    main()
