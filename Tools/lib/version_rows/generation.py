"""What makes values out of nothing or nearly so: constants, ranges, windows and random numbers."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from version_judges import ByHand

from .table import INTEGERS, NUMPY, REALS, case, floats, ints, scalar, strings, tensor_type, typed, values

ALL = REALS + INTEGERS + ["bool", "string", "complex64", "complex128"]
SMALL = {"float8e4m3fn": 19, "float8e4m3fnuz": 19, "float8e5m2": 19, "float8e5m2fnuz": 19, "uint4": 21, "int4": 21,
         "float4e2m1": 23,
         "float8e8m0": 24, "uint2": 25, "int2": 25}


def message(name, array):
    return numpy_helper.from_array(typed(name, array), "value")


WHOLE = floats(1, 0, 1, 2).reshape(2, 2)
for name in ALL:
    since = 13 if name == "bfloat16" else 1
    case("Constant", f"{since}-", value=message(name, WHOLE), types=False)
for name, since in SMALL.items():
    case("Constant", f"{since}-", value=message(name, WHOLE + 1), types=False)
SPARSE = helper.make_sparse_tensor(helper.make_tensor("v", TensorProto.FLOAT, [2], [1.5, -2]), helper.make_tensor("i",
    TensorProto.INT64, [2], [1, 5]), [2, 3])
case("Constant", "11-", sparse_value=SPARSE, judge=ByHand(lambda sparse_value: np.array([[0, 1.5, 0], [0, 0, -2]],
     np.float32)))
case("Constant", "12-", value_float=1.5)
case("Constant", "12-", value_floats=[1.5, -2.0])
case("Constant", "12-", value_int=2**53 + 1)
case("Constant", "12-", value_ints=[3, -4])
case("Constant", "12-", value_string="d\u00e9", judge=ByHand(lambda value_string: np.array("d\u00e9", object)))
case("Constant", "12-", value_strings=["a", "b"], judge=ByHand(lambda value_strings: strings("a", "b")))

case("ConstantOfShape", "*", ints(2, 3))
case("ConstantOfShape", "*", ints(), value=message("int64", ints(7)))
for name in REALS + INTEGERS + ["bool"]:
    if name != "bfloat16":
        case("ConstantOfShape", "*", ints(2, 0, 3), value=message(name, floats(1)))
        case("ConstantOfShape", "*", ints(2, 3), value=message(name, floats(1)))
for name, since in SMALL.items():
    case("ConstantOfShape", f"{max(since, 20)}-", ints(2, 3), value=message(name, floats(1)))
case("ConstantOfShape", "20-", ints(2, 3), value=message("bfloat16", floats(1)))

case("EyeLike", "*", values(3, 4))
case("EyeLike", "*", values(3, 4), k=-1)
for name in ("int32", "double", "bool", "float16", "uint64"):
    case("EyeLike", "*", values(3, 4), k=1, dtype=tensor_type(name), bind={"T2": f"tensor({name})"})
case("Range", "*", scalar(1, np.float32), scalar(5, np.float32), scalar(1.5, np.float32))
for name in ("double", "int16", "int32", "int64"):
    case("Range", "*", typed(name, scalar(10)), typed(name, scalar(4)), typed(name, scalar(-2)))
for name in ("float16", "bfloat16"):
    case("Range", "27-", typed(name, scalar(1)), typed(name, scalar(5)), typed(name, scalar(1)), stash_type=1)
    case("Range", "27-", typed(name, scalar(1)), typed(name, scalar(5)), typed(name, scalar(1)),
         stash_type=tensor_type("double"))
for op in ("BlackmanWindow", "HammingWindow", "HannWindow"):
    case(op, "*", scalar(8))
    case(op, "*", typed("int32", scalar(8)), periodic=0)
    for name in ("double", "float16", "int32"):
        if name == "int32" and op == "BlackmanWindow":  # its middle is a rounding away from 1
            continue
        half = {"slack": {"float16": (2**-9, 2**-11)}, "why": "the reference takes the cosine of an angle in float16"}
        case(op, "*", scalar(8), output_datatype=tensor_type(name), bind={"T2": f"tensor({name})"},
             **(half if name == "float16" else {}))
MEL = scalar(8), scalar(16), scalar(8192), scalar(0, np.float32), scalar(4096, np.float32)
case("MelWeightMatrix", "*", *MEL)
case("MelWeightMatrix", "*", *MEL, output_datatype=tensor_type("double"), bind={"T3": "tensor(double)"})

# Random numbers: what no draw can change. A width of 0 is exact; of others the mean and the bounds of many are asked for.


def sampled(nodes):
    """A graph of nodes, given as (operator, inputs, outputs, attributes), whose last output no draw can change."""
    def make(row, version, infos, given):
        made = [helper.make_node(op, ins, outs, domain=row.domain, **attributes) for op, ins, outs,
                attributes in nodes(row, version)]
        last = made[-1].output[0]
        kind = row.bind["y"]
        expected = row.judge(*given)
        graph = helper.make_graph(made, f"{row.op}-{version}", infos, [helper.make_tensor_value_info(last,
            tensor_type(kind), expected.shape)])
        return graph, [expected], "numpy"
    return make


def drawn(ins=()):
    return lambda row, version: [(row.op, list(ins), ["y"], row.attributes)]


def averaged(ins=()):
    """The mean of many draws, rounded down after half is added: the nearest whole number."""
    def nodes(row, version):
        reduce = {"axes": [0], "keepdims": 0} if version < 18 else {"keepdims": 0}
        cast = [("Cast", ["y"], ["x"], {"to": "FLOAT" if version < 6 else 1})]
        half = [("Constant", [], ["half"], {"value": numpy_helper.from_array(np.float32(0.5), "half")})]
        return [(row.op, list(ins), ["y"], row.attributes), *cast, ("ReduceMean", ["x"], ["mean"], reduce), *half,
                ("Add", ["mean", "half"], ["more"], {}), ("Floor", ["more"], ["nearest"], {})]
    return nodes


for op, exact, wide in (("RandomNormal", {"mean": 2.5, "scale": 0.0}, {"mean": 3.0, "scale": 2.0}),
                        ("RandomUniform", {"low": 2.5, "high": 2.5}, {"low": 1.0, "high": 5.0})):
    for name in ("float", "double", "float16"):
        kind = NUMPY[name]
        fill = lambda *_, kind=kind: np.full((2, 3), 2.5, kind)
        case(op, "*", **exact, shape=[2, 3], seed=1.0, dtype=tensor_type(name), graph=sampled(drawn()),
             bind={"y": name}, judge=fill)
        case(op + "Like", "*", floats(1, 2, 3, 4, 5, 6).reshape(2, 3), **exact, seed=1.0, dtype=tensor_type(name),
             graph=sampled(drawn(["x0"])), bind={"y": name}, judge=fill, types=name == "float")
    case(op, "*", **wide, shape=[100000], seed=1.0, graph=sampled(averaged()), bind={"y": "float"},
         judge=lambda: np.array(3, np.float32))
    case(op + "Like", "*", np.zeros(100000, np.float32), **wide, graph=sampled(averaged(["x0"])), bind={"y": "float"},
         types=False,
         judge=lambda _: np.array(3, np.float32))
for name in ("float", "double", "int32", "bool"):
    case("Bernoulli", "*", floats(0, 1, 1, 0), seed=2.0, dtype=tensor_type(name), graph=sampled(drawn(["x0"])),
         bind={"y": name},
         judge=lambda x, kind=NUMPY[name]: x.astype(kind), types=name == "float")
case("Bernoulli", "*", floats(0, 1, 1, 0), graph=sampled(drawn(["x0"])), bind={"y": "float"}, judge=lambda x: x,
     types=False)
# The one class whose logarithm of a probability is not lost beside the others.
SURE = floats(-1e4, 0, -1e4, 0, -1e4, -1e4).reshape(2, 3)
for name in ("int32", "int64"):
    case("Multinomial", "*", SURE, sample_size=4, seed=1.0, dtype=tensor_type(name), graph=sampled(drawn(["x0"])),
         bind={"y": name},
         judge=lambda x, kind=NUMPY[name]: np.array([[1] * 4, [0] * 4], kind), types=name == "int32")
