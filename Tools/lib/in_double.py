"""Where a difference comes from: both runtimes against the same network in double precision."""

import pathlib
import tempfile

import numpy as np
import onnx
import onnxruntime

import models

SINGLE, DOUBLE = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
# Inputs that stay single-precision in a double network, by operator and place.
SINGLE_ONLY = {"Resize": 2, "Upsample": 1}
COLUMNS = ("largest value", "ONNX Runtime", "its optimiser off", "sardonyx", "made by", "ONNX Runtime, that node alone",
           "sardonyx, that node alone")


def session(model, optimised=True):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def widen(graph):
    """Makes every single-precision weight, constant, input, output and target of a Cast double."""
    def tensor(t):
        if t.data_type == SINGLE:
            t.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(t).astype(np.float64), t.name))

    for t in graph.initializer:
        tensor(t)
    nodes = []
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                tensor(attribute.t)
            elif attribute.type == onnx.AttributeProto.GRAPH:
                widen(attribute.g)
            elif (node.op_type, attribute.name, attribute.i) == ("Cast", "to", SINGLE):
                attribute.i = DOUBLE
            elif (node.op_type, attribute.name) == ("Constant", "value_float"):
                value = onnx.numpy_helper.from_array(np.array(attribute.f, np.float64))
                attribute.CopyFrom(onnx.helper.make_attribute("value", value))
        place = SINGLE_ONLY.get(node.op_type, len(node.input))
        if place < len(node.input) and node.input[place]:
            nodes.append(onnx.helper.make_node("Cast", [node.input[place]], [f"{node.output[0]} in single"], to=SINGLE))
            node.input[place] = nodes[-1].output[0]
        nodes.append(node)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    for info in [*graph.input, *graph.output]:
        if info.type.tensor_type.elem_type == SINGLE:
            info.type.tensor_type.elem_type = DOUBLE


def save_double(model, path):
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    widen(copy.graph)
    onnx.save(copy, path)
    return path


def wide(feeds):
    return {name: value.astype(np.float64) if value.dtype == np.float32 else value for name, value in feeds.items()}


def error(value, exact):
    return models.difference(np.asarray(value, np.float64), exact)


def alone(model, name):
    """The node that makes a value, with its constants, as a network; the inputs it must be given; its operator."""
    makers = {output: node for node in model.graph.node for output in node.output}
    weights = {t.name: t for t in model.graph.initializer}
    node = makers[name]
    part = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    part.graph.name = "alone"
    given = []
    for value in dict.fromkeys(node.input):
        if value in weights:
            part.graph.initializer.append(weights[value])
        elif value in makers and makers[value].op_type == "Constant":
            part.graph.node.append(makers[value])
        elif value:
            given.append(value)
    part.graph.node.append(node)
    part.graph.output.append(onnx.helper.make_tensor_value_info(name, SINGLE, None))
    return part, given, node.op_type


def compare(program, path, feeds, name):
    """One row, in the order of COLUMNS: the value's largest number; each runtime's largest error as a share of it; what
    kind of node makes the value, and the error of that node alone, on the inputs that the runtime itself computed."""
    model = onnx.load(path)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        double = save_double(model, folder / "double.onnx")
        exact, = models.run_sardonyx(program, double, wide(feeds), folder / "a", [name])
        ours, = models.run_sardonyx(program, path, feeds, folder / "b", [name])
        found = [float(np.abs(exact).max())]
        found += [error(session(path, optimised).run([name], feeds)[0], exact) for optimised in (True, False)]
        found.append(error(ours, exact))

        part, given, kind = alone(model, name)
        have = {output.name for output in model.graph.output}
        model.graph.output.extend(onnx.helper.make_tensor_value_info(value, SINGLE, None)
                                  for value in given if value not in have | feeds.keys())
        onnx.save(model, folder / "more.onnx")
        wanted = [name, *(value for value in given if value not in feeds)]
        runs = (session(folder / "more.onnx").run(wanted, feeds),
                models.run_sardonyx(program, folder / "more.onnx", feeds, folder / "c", wanted))
        found.append(kind)
        for values in runs:
            values = feeds | dict(zip(wanted, values))
            own = {value: values[value] for value in given}
            del part.graph.input[:]
            part.graph.input.extend(onnx.helper.make_tensor_value_info(
                value, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape) for value, array in own.items())
            double = save_double(part, folder / "part.onnx")
            step, = models.run_sardonyx(program, double, wide(own), folder / "d", [name])
            found.append(error(values[name], step))
        return found
