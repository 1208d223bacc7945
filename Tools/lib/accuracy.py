"""Compares sardonyx with ONNX Runtime; see Tools/accuracy.

usage: accuracy.py SARDONYX [--intermediates] [--real] [--json OUT] [--no-page] [--shape NAME=1,3,64,64] [MODEL …]
"""

import dataclasses
import json
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

import in_double
import models
import real_inputs

LIMIT = 1e-4
SEEDS = (0, 1, 2)
# Three models, two of them also as real exports where there are any, and three whose outputs hardly depend on their
# input (the last one's Softmax is saturated).
INTERMEDIATES = ["basicunet2d", "mobilenet_v3_large.dynamo", "ocr_cls", "resnet50", "densenet121_3d", "keras_resnet50v2"]
EXPORTED_INTERMEDIATES = ["basicunet2d (export)", "mobilenet_v3_large.dynamo (export)"]
TYPES = {f"tensor({name})": kind for name, kind in {
    "float": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "bool": 9, "float16": 10,
    "double": 11, "uint32": 12, "uint64": 13}.items()}


@dataclasses.dataclass
class Row:
    model: str
    inputs: str
    values: int = 0
    worst: float = 0.0
    where: str = ""
    problem: str = ""
    in_double: list = dataclasses.field(default_factory=list)
    """Of a row above the limit: what in_double.compare says about its worst value."""

    worst_case = None

    @property
    def good(self):
        return not self.problem and self.values > 0 and self.worst <= LIMIT

    def cells(self):
        if self.problem:
            return f"| {self.model} | {self.inputs} | – | – | {self.problem.replace('|', '/')} |"
        mark = "" if self.good else " **too large**"
        return f"| {self.model} | {self.inputs} | {self.values} | {self.worst:.1e}{mark} | {self.where} |"


def compare(program, path, feeds, names, row, reference):
    """Runs both and puts the worst difference into the row; returns sardonyx's outputs."""
    expected = reference.run(names, feeds)
    with tempfile.TemporaryDirectory() as scratch:
        ours = models.run_sardonyx(program, path, feeds, scratch, names)
    for name, a, b in zip(names, ours, expected):
        d = models.difference(a, b)
        row.values += 1
        if d > row.worst or not row.where:
            row.worst, row.where, row.worst_case = d, f"`{name}` {list(b.shape)}", (path, feeds, name)
            if (a.dtype, a.shape) != (b.dtype, b.shape):
                row.where += f", ours {a.dtype} {list(a.shape)}, theirs {b.dtype}"
    return ours, expected


def explain(program, row):
    """While the models' files are there: where a difference above the limit comes from."""
    if LIMIT < row.worst < float("inf"):
        row.in_double = in_double.compare(program, *row.worst_case)


def guarded(row, work):
    try:
        work()
    except Exception as problem:  # ONNX Runtime raises types of its own; the table names what went wrong
        row.problem = str(problem).replace("\n", " ")[:300]
    print(row.cells(), flush=True)
    return row


def outputs_row(program, name, path):
    row = Row(name, f"{len(SEEDS)} random")

    def work():
        reference = in_double.session(path)
        names = [output.name for output in reference.get_outputs()]
        for seed in SEEDS:
            compare(program, path, models.random_inputs(name, path, seed), names, row, reference)
        explain(program, row)
    return guarded(row, work)


def exposed(path, folder):
    """Copies of a model whose outputs are its intermediate values: [(path, names)]. Values whose file names would be the
    same go to different copies."""
    model = onnx.load(path)
    have = {output.name for output in model.graph.output}
    names = list(dict.fromkeys(name for node in model.graph.node for name in node.output if name and name not in have))
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    probe = folder / "probe.onnx"
    onnx.save(model, probe)
    types = {output.name: TYPES.get(output.type) for output in in_double.session(probe).get_outputs()}
    names = [name for name in names if types[name]]
    del model.graph.output[:]
    copies = []
    while names:
        now = {}
        for name in names:
            now.setdefault(name.replace("/", "_"), name)
        names = [name for name in names if name not in now.values()]
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        # The element type alone: a wrong shape must not be taken from here.
        copy.graph.output.extend(onnx.helper.make_tensor_value_info(name, types[name], None) for name in now.values())
        copies.append((folder / f"exposed_{len(copies)}.onnx", list(now.values())))
        onnx.save(copy, copies[-1][0])
    return copies


def intermediates_row(program, name, path):
    row = Row(name, "1 random, every value")

    def work():
        feeds = models.random_inputs(name, path, 0)
        with tempfile.TemporaryDirectory() as scratch:
            for copy, names in exposed(path, pathlib.Path(scratch)):
                compare(program, copy, feeds, names, row, in_double.session(copy))
            explain(program, row)
    return guarded(row, work)


def real_rows(program):
    for name, path in models.find(list(real_inputs.INPUTS)):
        what, make = real_inputs.INPUTS[name]
        row = Row(name, what)

        def work():
            reference = in_double.session(path)
            names = [output.name for output in reference.get_outputs()]
            ours, expected = compare(program, path, make(path), names, row, reference)
            row.where += real_inputs.meaning(name, path, ours[0], expected[0])
            explain(program, row)
        yield guarded(row, work)


def page(sections):
    text = [
        f"Measured by `Tools/accuracy` against ONNX Runtime {onnxruntime.__version__} (CPU, its default optimisations) on "
        f"{models.machine()}. The difference is max |a − b| / max |b| over a value; the limit is {LIMIT:.0e}."]
    for title, rows in sections:
        good = sum(row.good for row in rows)
        text += [f"## {title}", f"{good} of {len(rows)} within the limit.\n\n"
                 "| model | inputs | values compared | largest difference | where |\n| --- | --- | ---: | ---: | --- |\n"
                 + "\n".join(row.cells() for row in rows)]
    if not models.exports():
        text.insert(1, "The real exports were not measured: `Tools/zoo export` makes them.")
    if late := [row for _, rows in sections for row in rows if row.in_double]:
        text += [
            "## Rows above the limit, against double precision",
            "Each runtime's largest error as a share of the value's largest number, measured at the inputs of the largest "
            "difference against the same network in double precision. Last, the error of the node that makes the value "
            "alone, on the inputs that the runtime itself computed for it: where that is small, the difference was in the "
            "node's inputs already and the node enlarged it.",
            "\n".join([f"| model | value | {' | '.join(in_double.COLUMNS)} |",
                       "| --- | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |", *map(double_cells, late)])]
    return "\n\n".join(text)


def double_cells(row):
    figures = (figure if isinstance(figure, str) else f"{figure:.1e}" for figure in row.in_double)
    return f"| {row.model} | {row.where.split(' ')[0]} | {' | '.join(figures)} |"


def main():
    parser = models.Arguments()
    parser.add_argument("--intermediates", action="store_true")
    parser.add_argument("--real", action="store_true")
    arguments = parser.read()
    program, everything = arguments.sardonyx, not (arguments.models or arguments.intermediates or arguments.real)
    sections = []
    if everything or not (arguments.intermediates or arguments.real):
        rows = [outputs_row(program, *model) for model in models.find(arguments.models)]
        sections.append(("Outputs", rows))
    if everything and models.exports():
        rows = [outputs_row(program, *model) for model in models.exports().items()]
        sections.insert(0, ("Outputs of the real exports", rows))
    if everything or arguments.intermediates:
        exported = [name for name in EXPORTED_INTERMEDIATES if name in models.exports()]
        rows = [intermediates_row(program, *model) for model in models.find(arguments.models or INTERMEDIATES + exported)]
        sections.append(("Intermediate values", rows))
    if everything or arguments.real:
        sections.append(("Real inputs", list(real_rows(program))))
    if everything and not arguments.no_page:
        models.write_section(models.TOP / "Docs/Accuracy.md", "accuracy", page(sections), "Accuracy")
    rows = [row for _, rows in sections for row in rows]
    for row in rows:
        if row.in_double:
            print(double_cells(row))
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n")
    bad = [row.model for row in rows if not row.good]
    print(f"accuracy: {len(rows) - len(bad)} of {len(rows)} within {LIMIT:.0e}" + (f"; not: {', '.join(bad)}" if bad else ""))
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
