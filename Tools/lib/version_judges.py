"""Who says what a case of the version sweep must give: ONNX's ReferenceEvaluator at the version's own opset; the same
node at a later opset that means the same; the node rewritten to a later version; or numpy."""

import warnings

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

HINTS = ["consumed_inputs"]
"""Attributes without a meaning of their own: they allowed an operator to overwrite its inputs."""


def opsets(domain, version):
    if domain == "":
        return [helper.make_opsetid("", version)]
    return [helper.make_opsetid(domain, version), helper.make_opsetid("", 28 if "preview" in domain else 15)]


def evaluate(node, infos, inputs, domain, version, functions=()):
    """The outputs of one node by the reference."""
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    graph = helper.make_graph([node], "reference", infos, outputs)
    return run_model(helper.make_model(graph, opset_imports=opsets(domain, version)), inputs)


def run_model(model, inputs):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        names = [info.name for info in model.graph.input]
        return list(ReferenceEvaluator(model).run(None, dict(zip(names, inputs))))


def without(node, names):
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    kept = [attribute for attribute in node.attribute if attribute.name not in names]
    del copy.attribute[:]
    copy.attribute.extend(kept)
    return copy


class Later:
    """The reference's answer for this node written in a later version: `rewrite` takes the inputs and the attributes of
    the old one and returns those of the new one; `after` may work on what the reference says."""

    def __init__(self, version, rewrite=lambda inputs, attributes: (inputs, attributes), op=None, after=None):
        self.version, self.rewrite, self.op, self.after = version, rewrite, op, after
        self.name = f"converted to {op + '-' if op else 'opset '}{version}"

    def __call__(self, row, inputs, attributes, version):
        inputs, attributes = self.rewrite(list(inputs), {k: v for k, v in attributes.items() if k not in HINTS})
        names = [f"x{i}" if value is not None else "" for i, value in enumerate(inputs)]
        node = helper.make_node(self.op or row.op, names, [f"y{i}" for i in range(row.outputs)], domain=row.domain,
                                **attributes)
        infos = [onnx.ValueInfoProto(name=name) for name in names if name]
        outputs = evaluate(node, infos, [value for value in inputs if value is not None], row.domain, self.version)
        return self.after(outputs) if self.after else outputs


class ByHand:
    """numpy's answer: a function of the inputs, with the attributes by name."""

    name = "numpy"

    def __init__(self, function):
        self.function = function

    def __call__(self, row, inputs, attributes, version):
        with np.errstate(all="ignore"):
            result = self.function(*inputs, **{k: v for k, v in attributes.items() if k not in HINTS})
        return list(result) if isinstance(result, tuple) else [result]


def judge(row, node, infos, inputs, attributes, version, versions):
    """(outputs, who said so). `versions` are the operator's versions that the row covers."""
    if row.judge is not None:
        return row.judge(row, inputs, attributes, version), row.judge.name
    given = [value for value in inputs if value is not None]
    plain = without(node, HINTS)
    try:
        return evaluate(plain, infos, given, row.domain, version), "reference"
    except Exception as problem:  # whatever it lacks: a later version of the same form may have it
        for later in sorted((v for v in versions if v > version), reverse=True):
            try:
                return evaluate(plain, infos, given, row.domain, later), f"reference at opset {later}"
            except Exception:
                continue
        raise problem
