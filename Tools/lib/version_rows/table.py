"""What the tables of the version sweep are made of: `case` adds a row, the rest makes its values.

A row is one node of an operator with its inputs and attributes, for a span of the operator's versions. Inputs are numpy
arrays, None where an optional one is left out, or lists of arrays for a sequence. An array of float32, int64 or bool stands
for its values: it takes another type where the version asks for one. Any other array has the type that is meant, and a
version that does not allow it has no such case.
"""

import dataclasses
import zlib

import ml_dtypes
import numpy as np
import onnx

ROWS = []

NUMPY = {
    "float": np.float32, "double": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16,
    "uint8": np.uint8, "uint16": np.uint16, "uint32": np.uint32, "uint64": np.uint64,
    "int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64,
    "bool": np.bool_, "string": np.object_, "complex64": np.complex64, "complex128": np.complex128,
    "float8e4m3fn": ml_dtypes.float8_e4m3fn, "float8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "float8e5m2": ml_dtypes.float8_e5m2, "float8e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "float8e8m0": ml_dtypes.float8_e8m0fnu, "float4e2m1": ml_dtypes.float4_e2m1fn,
    "float6e2m3": ml_dtypes.float6_e2m3fn, "float6e3m2": ml_dtypes.float6_e3m2fn,
    "uint4": ml_dtypes.uint4, "int4": ml_dtypes.int4, "uint2": ml_dtypes.uint2, "int2": ml_dtypes.int2,
}
NAMES = {np.dtype(kind): name for name, kind in NUMPY.items()}
REALS = ["float", "double", "float16", "bfloat16"]
INTEGERS = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]


@dataclasses.dataclass
class Row:
    op: str
    versions: str
    inputs: tuple
    attributes: dict
    domain: str = ""
    outputs: int = 1
    types: bool | None = None
    """Whether each type that the schema allows has a case; by default in an operator version's first row alone."""
    skip: tuple = ()
    """Types that other rows show."""
    judge: object = None
    wrong: str = ""
    """Why the reference is not believed, shown with its answer in Docs/Conformance.md."""
    slack: dict = dataclasses.field(default_factory=dict)
    """{type: (share of each value, share of the largest)} that an output of that type may be off by in place of the usual."""
    why: str = ""
    """Why there is such slack: where what is expected is inexact."""
    graph: object = None
    """A function of (row, version) that makes the whole graph, where one node is not enough."""
    bind: dict = dataclasses.field(default_factory=dict)
    """{type variable: type} where a value does not tell it, such as an empty sequence or one that may be missing."""

    def key(self):
        """A few letters that stay the row's own when others come before it."""
        def content(value):
            if isinstance(value, np.ndarray):
                if value.dtype == np.float64:  # without the digits that `fine` adds
                    value = value.astype(np.float32).astype(np.float64)
                return repr((value.dtype.name, value.shape, value.tolist())).encode()
            if isinstance(value, (list, tuple)):
                return b"".join(map(content, value))
            return value.SerializeToString() if hasattr(value, "SerializeToString") else repr(value).encode()

        parts = [*self.inputs, *sorted(self.attributes), *(self.attributes[name] for name in sorted(self.attributes)),
                 self.outputs, sorted(self.bind.items()), getattr(self.graph, "__qualname__", "")]
        return f"{zlib.crc32(b'|'.join(map(content, parts))) & 0xFFFFF:05x}"


def case(op, versions, *inputs, **options):
    """Adds a row. Options are Row's fields; anything else is an attribute of the node."""
    fields = {field.name for field in dataclasses.fields(Row)} - {"op", "versions", "inputs", "attributes"}
    own = {name: options.pop(name) for name in list(options) if name in fields}
    inputs = tuple(np.asarray(value) if isinstance(value, np.generic) else value for value in inputs)
    if bool(own.get("slack")) != bool(own.get("why")):
        raise ValueError(f"{op}: slack and its reason come together")
    ROWS.append(Row(op, str(versions), inputs, options, **own))


def in_span(version, span):
    """Whether a version lies in a span such as "7", "1-6", "13-" or "*", or in one of several with commas between."""
    for part in span.split(","):
        low, dash, high = part.partition("-")
        if part == "*" or int(low) <= version <= (int(high) if high else 999 if dash else int(low)):
            return True
    return False


def values(*shape, low=None, high=None):
    """Numbers of a normal distribution, or evenly spread between two; the same for the same shape."""
    generator = np.random.default_rng(zlib.crc32(repr((shape, low, high)).encode()))
    drawn = generator.normal(size=shape) if low is None else generator.uniform(low, high, size=shape)
    return drawn.astype(np.float32)


def ints(*numbers):
    return np.array(numbers, np.int64)


def floats(*numbers):
    return np.array(numbers, np.float32)


def strings(*texts):
    return np.array(texts, object)


def flags(*numbers):
    return np.array(numbers, bool)


def scalar(number, kind=np.int64):
    return np.array(number, kind)


def convert(array, name):
    """The array in that type. Numbers with fractions become three times as large in integers; what a type cannot hold
    becomes its nearest."""
    return np.asarray(converted(array, name))


def converted(array, name):
    kind = np.dtype(NUMPY[name])
    if array.dtype == kind:
        return array
    if name == "string":
        return np.array([f"{value:.3g}" if array.dtype.kind == "f" else str(value) for value in array.ravel()],
                        object).reshape(array.shape)
    if name == "bool":
        return array > 0
    if name.startswith("complex"):
        return (array + 1j * array.ravel()[::-1].reshape(array.shape)).astype(kind)
    if name.startswith(("int", "uint")):
        whole = np.round(array * 3) if array.dtype.kind == "f" else np.abs(array) if name[0] == "u" else array
        limits = ml_dtypes.iinfo(kind)
        return np.clip(whole.astype(np.int64), max(int(limits.min), -2**62), min(int(limits.max), 2**62)).astype(kind)
    if name.startswith(("float8", "float6", "float4")):
        return np.clip(array.astype(np.float32), 0.25 if name == "float8e8m0" else -6, 6).astype(kind)
    if name == "double" and array.dtype == np.float32:
        return fine(array)
    with np.errstate(over="ignore"):
        return array.astype(kind)


def fine(array):
    """float32 as double, with digits that float32 does not hold: less than half a unit of its last place, the same for the
    same number, so that equal ones stay equal and the order stays. Short numbers such as 2.5 stay as they are."""
    bits = array.view(np.uint32).astype(np.uint64)
    more = (bits & 0x7FFFFFFF) * 2654435761 & 0xFFFFFFF
    long = np.isfinite(array) & (bits & 0xFFF != 0)
    return (array.astype(np.float64).view(np.uint64) | np.where(long, more, 0).astype(np.uint64)).view(np.float64)


def typed(name, array):
    return convert(np.asarray(array), name)


def tensor_type(name):
    return onnx.helper.np_dtype_to_tensor_dtype(np.dtype(NUMPY[name]))
