"""Writes the cases of the version sweep: each version of each operator's schema, each of its attributes, each of its types.

usage: version_cases.py FOLDER [PATTERN]

FOLDER/cases/versions/OP-VERSION_TYPES_ROW/… as conformance_cases.py writes its own, and FOLDER/versions.json with what each
case covers and who judged it. The rows are in version_rows/. With a pattern, such as Reshape-*: only those versions, and
a line about each row that nobody could judge; without one such a row is an error. Does nothing when FOLDER holds what these
files and this onnx would write.
"""

import collections
import fnmatch
import hashlib
import json
import pathlib
import re
import shutil
import sys

import numpy as np
import onnx
from onnx import helper

from conformance_cases import write_case
from version_judges import judge, opsets, run_model
from version_rows import load
from version_rows.table import NAMES, NUMPY, convert, in_span, tensor_type

HERE = pathlib.Path(__file__).parent


def type_proto(name, shape=None):
    """TypeProto of a schema's type string; the shape goes to a tensor."""
    for word, make in (("seq", helper.make_sequence_type_proto), ("optional", helper.make_optional_type_proto)):
        if name.startswith(word + "("):
            return make(type_proto(name[len(word) + 1:-1]))
    if name.startswith("map("):
        key, value = name[4:-1].split(",", 1)
        value = value.strip()
        value = type_proto(value if "(" in value else f"tensor({value})", () if "(" not in value else None)
        return helper.make_map_type_proto(tensor_type(key.strip()), value)
    return helper.make_tensor_type_proto(tensor_type(name[7:-1]), shape)


def type_of(value):
    """The type string of a value, None when it does not tell."""
    if isinstance(value, np.ndarray):
        kind = NAMES.get(value.dtype) or ("string" if value.dtype.kind in "UOT" else None)
        return kind and f"tensor({kind})"
    if isinstance(value, list):
        inner = type_of(value[0]) if value else None
        return inner and f"seq({inner})"
    if isinstance(value, dict) and value:
        key, held = next(iter(value.items()))
        return f"map({'string' if isinstance(key, str) else 'int64'},{'string' if isinstance(held, str) else 'float'})"
    return None


def with_type(value, name):
    if name.startswith("optional("):
        return with_type(value, name[9:-1])
    if isinstance(value, list):
        return [with_type(item, name[name.index("(") + 1:-1]) for item in value]
    return convert(value, name[7:-1]) if isinstance(value, np.ndarray) else value


def settle(value, allowed):
    """The type that an input of a row takes among the allowed ones, None when there is none."""
    own = type_of(value)
    if own is None or own in allowed:
        return own or next((name for name in allowed if not name.startswith("tensor")), None)
    if isinstance(value, dict) or not own.endswith(("(float)", "(int64)", "(bool)")):
        return None
    choices = [name for name in allowed if name.startswith("seq") == own.startswith("seq") and "optional" not in name]
    element = re.search(r"\w+(?=\)+$)", own)[0]
    likely = [own.replace(element, kind) for kind in ("float", "int64", "int32", "uint8", "int8")]
    return next((name for name in [*likely, *choices] if name in choices), None)


def formals(schema, count):
    """The schema's formal input of each of so many."""
    listed = list(schema.inputs)
    return [listed[min(i, len(listed) - 1)] for i in range(count)]


def choices(schema, row, first):
    """{type variable: type} of each case of a row: its own types, then every other one of each variable."""
    allowed = {constraint.type_param_str: sorted(constraint.allowed_type_strs) for constraint in schema.type_constraints}
    base, several = {}, set()
    for formal, value in zip(formals(schema, len(row.inputs)), row.inputs):
        if value is None or formal.type_str not in allowed:
            continue
        name = row.bind.get(formal.type_str) or settle(value, allowed[formal.type_str])
        if name is None:
            return []
        if base.setdefault(formal.type_str, name) != name:
            several.add(formal.type_str)
    result = [base]
    if first if row.types is None else row.types:
        for variable, own in base.items():
            if variable in several:
                continue
            shape = own.split("tensor")[0]
            for name in allowed[variable]:
                if name != own and name.split("tensor")[0] == shape and not name.startswith("map") \
                        and not any(f"({skipped}" in name for skipped in row.skip):
                    result.append(base | {variable: name})
    return result


MOVES = set("""
    Abs ArgMax ArgMin ArrayFeatureExtractor Binarizer BitCast Cast CastLike CategoryMapper Ceil CenterCropPad Clip Compress Concat
    ConcatFromSequence Constant ConstantOfShape DepthToSpace Dropout Expand EyeLike Flatten Floor Gather GatherElements GatherND
    GlobalMaxPool Hardmax Identity If Imputer Loop Max MaxPool MaxRoiPool MaxUnpool Min Mod Neg OneHot Optional OptionalGetElement Pad
    ReduceMax ReduceMin Relu Reshape ReverseSequence Round Scatter ScatterElements ScatterND SequenceAt SequenceConstruct
    SequenceErase SequenceInsert SequenceMap Sign Slice SpaceToDepth Split SplitToSequence Squeeze ThresholdedRelu Tile TopK
    Transpose TensorScatter Trilu Unique Unsqueeze Where ZipMap
    QuantizeLinear DequantizeLinear DynamicQuantizeLinear""".split())
"""What only moves, chooses or casts values, or rounds once as the standard says: any other bit is wrong."""

USUAL = {"float": (1e-5, 1e-6), "double": (1e-9, 1e-10), "float16": (2**-9, 0.0), "bfloat16": (2**-6, 0.0)}
"""{type: (share of each value, share of the largest)}; of half types two units in the last place."""

SUMS = set("""
    Attention AveragePool BatchNormalization ConvTranspose Gemm InstanceNormalization RotaryEmbedding""".split())
ROUNDED_SUMS = {"float16": 2**-11, "bfloat16": 2**-8}
"""Sums of terms that the reference rounds each to a half type may cancel: a unit of the largest value."""


def tolerances(values, row):
    """(relative, absolute) for what is expected: none unless an output has fractions that were computed."""
    relative = absolute = 0.0
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        kind = NAMES.get(value.dtype) if isinstance(value, np.ndarray) else None
        if kind not in USUAL or row.op in MOVES and kind not in row.slack:
            continue
        share, of_largest = USUAL[kind]
        if row.op in SUMS:
            of_largest = ROUNDED_SUMS.get(kind, of_largest)
        share, of_largest = row.slack.get(kind, (share, of_largest))
        finite = np.abs(value[np.isfinite(value)].astype(np.float64))
        relative, absolute = max(relative, share), max(absolute, of_largest * float(finite.max(initial=0)))
    return relative, absolute


AGREES = "agrees"


def describe(row, inputs):
    """The node of a case in a line: its inputs, small ones with their values, and its attributes."""
    shown = []
    for value in inputs:
        if isinstance(value, np.ndarray):
            kind = f"{NAMES.get(value.dtype, 'string')}{list(value.shape)}"
            shown.append(f"{kind} {[plain(item) for item in value.ravel()]}" if value.size <= 4 else kind)
        else:
            shown.append("none" if value is None else "a sequence")
    given = [f"{name} = {value}" for name, value in row.attributes.items()
             if isinstance(value, (int, float, str, list)) and len(str(value)) < 60]
    return f"{row.op}({', '.join(shown)}){': ' if given else ''}{', '.join(given)}"


def plain(item):
    if isinstance(item, np.floating):
        return float(f"{item:.6g}")
    return str(item) if isinstance(item, str) else item.item()


def reference_says(model, given, expected):
    """How the reference's answer to a case differs from what is expected."""
    try:
        answers = run_model(model, given)
    except Exception as problem:
        return f"{type(problem).__name__}: {' '.join(str(problem).split())[:160]}"
    for number, (said, right) in enumerate(zip(answers, expected)):
        if not isinstance(right, np.ndarray):
            continue
        said = np.asarray(said)
        if said.shape != right.shape:
            return f"output {number} has the shape {list(said.shape)}; {list(right.shape)} is right"
        if right.dtype.kind in "OU":
            apart = said.astype(str) != right.astype(str)
        else:
            wide = np.complex128 if right.dtype.kind == "c" else np.float64
            apart = ~np.isclose(said.astype(wide), right.astype(wide), rtol=1e-3, atol=1e-6, equal_nan=True)
        if apart.any():
            at = tuple(int(i) for i in np.argwhere(apart)[0])
            return (f"{int(apart.sum())} of {right.size} elements differ; {list(at)} is {plain(said[at])} and "
                    f"{plain(right[at])} is right")
    return AGREES


class Writer:
    def __init__(self, top, pattern):
        self.top, self.pattern = top, pattern
        self.index, self.problems, self.counts = {}, [], collections.Counter()

    def write_row(self, row, schema, versions, types):
        inputs, infos, names = [], [], []
        for i, (formal, value) in enumerate(zip(formals(schema, len(row.inputs)), row.inputs)):
            if value is None:
                names.append("")
                inputs.append(None)
                continue
            name = types.get(formal.type_str) or formal.type_str
            if formal.is_homogeneous is False and type_of(value):
                name = type_of(value)
            value = with_type(value, name)
            names.append(f"x{i}")
            inputs.append(value)
            shape = value.shape if isinstance(value, np.ndarray) else None
            infos.append(helper.make_value_info(f"x{i}", type_proto(name, shape)))
        version = schema.since_version
        given = [value for value in inputs if value is not None]
        if row.graph:
            graph, expected, who = row.graph(row, version, infos, given)
        else:
            out = [f"y{i}" for i in range(row.outputs)]
            node = helper.make_node(row.op, names, out, name="node", domain=row.domain)
            node.attribute.extend(helper.make_attribute(k, v, attr_type=schema.attributes[k].type.value)
                                  for k, v in row.attributes.items() if v is not None)
            graph = helper.make_graph([node], f"{row.op}-{version}", infos, [])
            expected, who = judge(row, node, infos, inputs, row.attributes, version, versions)
            expected = expected[:row.outputs]
            expected = [self.settled_output(row, schema, i, value, types) for i, value in enumerate(expected)]
            for name, (kind, value) in zip(out, expected):
                shape = value.shape if isinstance(value, np.ndarray) else None
                graph.output.append(helper.make_value_info(name, type_proto(kind, shape)))
            expected = [value for _, value in expected]
        model = helper.make_model(graph, opset_imports=opsets(row.domain, version), producer_name="version sweep")
        model.ir_version = max(3, helper.find_min_ir_version_for(list(model.opset_import), ignore_unknown=True))
        shown = "_".join(re.sub(r"tensor\((\w+)\)", r"\1", name).replace("(", "-").replace(")", "").replace(",", "-").replace(" ", "")
                         for name in types.values()) or "none"
        name = f"{row.op}-{version}_{shown}_{row.key()}"
        if name in self.index:  # an earlier row has said so already
            return
        folder = self.top / "cases/versions" / name
        try:
            write_case(folder, model, [(given, expected)], *tolerances(expected, row))
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        moved = sorted(k for k, v in row.attributes.items() if self.off_default(schema, k, v))
        self.index[name] = {"domain": row.domain, "op": row.op, "version": version,
                            "types": sorted(set(types.values())), "attributes": moved,
                            "judge": who}
        if row.wrong:
            self.index[name] |= {"wrong": row.wrong, "model": describe(row, inputs),
                                 "reference": reference_says(model, given, expected)}
        self.counts[row.domain, row.op, version] += 1

    def settled_output(self, row, schema, i, value, types):
        """(type string, value) as the schema declares the output, which the reference does not always keep to."""
        formal = schema.outputs[min(i, len(schema.outputs) - 1)]
        own = type_of(value)
        if own is None and not isinstance(value, (list, dict)):
            value = np.array(value)
            own = type_of(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in "UT":
            value = value.astype(object)
        kind = formal.type_str if "(" in formal.type_str else types.get(formal.type_str)
        kind = row.bind.get(formal.type_str) or kind or own
        if isinstance(value, np.ndarray) and kind.startswith("tensor") and own != kind:
            value = value.astype(NUMPY[kind[7:-1]])
        return kind, value

    @staticmethod
    def off_default(schema, name, value):
        default = schema.attributes[name].default_value
        if not default.name:
            return True
        default = helper.get_attribute_value(default)
        return value != (default.decode() if isinstance(default, bytes) else default)

    def write(self, rows):
        by_op = collections.defaultdict(list)
        for row in rows:
            by_op[row.domain, row.op].append(row)
        schemas = collections.defaultdict(dict)
        for schema in onnx.defs.get_all_schemas_with_history():
            schemas[schema.domain, schema.name][schema.since_version] = schema
        if unknown := set(by_op) - set(schemas):
            sys.exit(f"no such operator: {unknown}")
        used = set()
        for key, all_versions in sorted(schemas.items()):
            for version, schema in sorted(all_versions.items()):
                if not fnmatch.fnmatch(f"{key[1]}-{version}", self.pattern):
                    continue
                first = True
                for number, row in enumerate(by_op[key]):
                    if not in_span(version, row.versions):
                        continue
                    covered = [v for v in all_versions if in_span(v, row.versions)]
                    spread, first = choices(schema, row, first), first and row.types is False
                    for types in spread:
                        used.add((key, number))
                        try:
                            self.write_row(row, schema, covered, types)
                        except Exception as problem:
                            said = " ".join(str(problem).split())[:200]
                            self.problems.append(f"{row.op}-{version} row {number} {types}: {type(problem).__name__}: {said}")
        agreed = collections.defaultdict(set)
        for name, entry in self.index.items():
            if "wrong" in entry:
                agreed[entry["op"], entry["wrong"]].add(entry["reference"] == AGREES)
        self.problems += [f"{op}: the reference is not wrong: {reason}"
                          for (op, reason), found in agreed.items() if all(found)]
        if self.pattern == "*":
            self.problems += [f"{op} row {number} gives no case: its types or versions fit no schema"
                              for (domain, op), listed in by_op.items() for number in range(len(listed))
                              if ((domain, op), number) not in used]
        return schemas


def gaps(schemas, index):
    """The schema versions without a case, and the attributes that no case moves off their default."""
    cases, moved = set(), set()
    for entry in index.values():
        key = (entry["domain"], entry["op"], entry["version"])
        cases.add(key)
        moved |= {(*key, name) for name in entry["attributes"]}
    every = [(*key, version, schema) for key, versions in schemas.items() for version, schema in versions.items()]
    return {
        "schemas": len(every), "covered": len(cases),
        "deprecated": sorted(f"{op}-{version}" for _, op, version, schema in every if schema.deprecated),
        "without": sorted(f"{op}-{version}" for domain, op, version, _ in every if (domain, op, version) not in cases),
        "attributes": sum(len(schema.attributes) for *_, schema in every), "moved": len(moved),
        "unmoved": sorted(f"{op}-{version}.{name}"
                          for domain, op, version, schema in every for name in schema.attributes
                          if (domain, op, version, name) not in moved),
    }


def main():
    top, pattern = pathlib.Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "*"
    sources = sorted([*HERE.glob("version_*.py"), *HERE.glob("version_rows/*.py"), HERE / "conformance_cases.py"])
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest() + " " + onnx.__version__
    mark = top / "versions.stamp"
    if mark.exists() and mark.read_text() == stamp and (top / "cases/versions").is_dir():
        return
    mark.unlink(missing_ok=True)
    shutil.rmtree(top / "cases/versions", ignore_errors=True)
    writer = Writer(top, pattern)
    schemas = writer.write(load())
    found = gaps(schemas, writer.index)
    (top / "versions.json").write_text(json.dumps(found | {"cases": writer.index}, indent=0) + "\n")
    for problem in writer.problems:
        print(problem, file=sys.stderr)
    print(f"version sweep: {len(writer.index)} cases written: {found['covered']} of {found['schemas']} schema versions; "
          f"{found['moved']} of {found['attributes']} attributes off their defaults",
          file=sys.stderr)
    if pattern == "*":
        if writer.problems:
            sys.exit(1)
        mark.write_text(stamp)


if __name__ == "__main__":
    main()
