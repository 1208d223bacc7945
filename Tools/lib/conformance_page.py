"""Writes Docs/Conformance.md from the results of a whole run; see Tools/conformance.

usage: conformance_page.py FOLDER OTHER.json

FOLDER/results.json are ours, FOLDER/versions.json tells what the sweep's cases cover, OTHER.json are ONNX Runtime's.
"""

import collections
import json
import pathlib
import sys

import onnx
import onnxruntime

import pages
from version_cases import AGREES

KINDS = {
    "node": "node", "simple": "simple", "pytorch-converted": "pytorch-converted", "pytorch-operator": "pytorch-operator",
    "light": "light: whole networks", "debian": "Debian's libonnx-testdata 1.12", "versions": "the version sweep"}
UNFED = "not fed: "
CONTRADICTING = [
    ["`test_cast_FLOAT_to_BFLOAT16`, `test_castlike_FLOAT_to_BFLOAT16`, `test_castlike_FLOAT_to_BFLOAT16_expanded`",
     "the expected values were cut, where the standard rounds to the nearest: 0.48033667 has the bits 3EF5EEB0 and is "
     "expected as 3EF5, though 3EF6 is nearer"],
    ["`test_adam_multiple`",
     "the expected values were made with epsilon = 0.01, which the model does not have; today's case of that name has it"],
    ["`test_dft_inverse`",
     "the expected values come from a transform in double precision; those of today's `test_dft_inverse_opset19`, the same "
     "node with the same input, from one in single. Two of them differ by 1.9e-7 where each allows 1e-7"]]


def table(head, rows, right):
    """A table of rows; the last `right` columns are figures."""
    rule = " | ".join(["---"] * (len(head) - right) + ["---:"] * right)
    return "\n".join([f"| {' | '.join(head)} |", f"| {rule} |", *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def cell(text):
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


class Tally:
    """Cases, ours passed, theirs passed and theirs that could not be fed."""

    def __init__(self):
        self.cases = self.ours = self.theirs = self.unfed = 0

    def add(self, ours, theirs):
        self.cases += 1
        self.ours += not ours
        self.theirs += not theirs
        self.unfed += theirs.startswith(UNFED)

    def figures(self):
        return [self.cases, self.ours, self.theirs, self.unfed] if self.cases else ["–"] * 4


def operators(folder):
    """The (domain, operator)s of a case's graph, without those of graphs inside it."""
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    return {("" if node.domain == "ai.onnx" else node.domain, node.op_type) for node in model.graph.node}


def element(name):
    """The element type in a type string of a schema."""
    return name.replace(")", "").split("(")[-1].split(",")[-1].strip()


def totals(ours, theirs):
    tallies, whole = collections.defaultdict(Tally), Tally()
    for name, why in ours.items():
        tallies[name.split("/")[0]].add(why, theirs[name])
        whole.add(why, theirs[name])
    rows = [[title, *tallies[kind].figures()] for kind, title in KINDS.items() if kind in tallies]
    return table(["cases", "in all", "Sardonyx passes", "ONNX Runtime passes", "could not be fed to it"],
                 rows + [["**all**", *whole.figures()]], 4)


def summary(ours, random):
    """The counts in a sentence; so many `random` node cases passed by statistics, without which there is no page."""
    kinds = collections.Counter(name.split("/")[0] for name in ours)
    passed = collections.Counter(name.split("/")[0] for name, why in ours.items() if not why)
    text = (f"Sardonyx passes {passed['node'] + random:,} of {kinds['node'] + random:,} node cases of onnx.backend.test "
            f"({passed['node']:,} by value, {random} by statistics), and {sum(passed.values()):,} of {len(ours):,} cases "
            "in all by value")
    failing = len(ours) - sum(passed.values())
    return text + (f"; the {failing} that fail are listed at the end." if failing else ".")


def operator_rows(root, ours, theirs, sweep):
    """A row an operator: its versions, types, official cases (node and Debian's) and the sweep's."""
    official, swept, types = (collections.defaultdict(Tally), collections.defaultdict(Tally),
                              collections.defaultdict(set))
    for name, why in ours.items():
        kind, case = name.split("/")
        if kind == "versions":
            entry = sweep["cases"][case]
            key = entry["domain"], entry["op"]
            swept[key].add(why, theirs[name])
            if not why:
                types[key] |= {element(item) for item in entry["types"]}
        elif kind in ("node", "debian"):
            for key in operators(root / kind / case):
                official[key].add(why, theirs[name])
    versions, allowed = collections.defaultdict(list), collections.defaultdict(set)
    for schema in onnx.defs.get_all_schemas_with_history():
        key = schema.domain, schema.name
        versions[key].append(schema.since_version)
        inputs = {item.type_str for item in schema.inputs}
        for constraint in schema.type_constraints:
            if constraint.type_param_str in inputs:
                allowed[key] |= {element(name) for name in constraint.allowed_type_strs}
    for key in sorted(versions):
        domain, op = key
        missing = sorted(allowed[key] - types[key])
        kinds = f"{len(allowed[key] & types[key])} of {len(allowed[key])}" if allowed[key] else "–"
        if 0 < len(missing) <= 3:
            kinds += f", without {', '.join(missing)}"
        a, b = official[key].figures(), swept[key].figures()
        yield [f"{domain + '.' if domain else ''}{op}", ", ".join(map(str, sorted(versions[key]))), kinds, *a[:3],
               *b[:3]]


def wrong_sections(sweep, theirs):
    """What the reference says beside what the standard asks, a section for each reason."""
    groups = collections.defaultdict(list)
    for name, entry in sweep["cases"].items():
        if "wrong" in entry and entry["reference"] != AGREES:
            groups[entry["op"], entry["wrong"]].append((name, entry))
    for (op, reason), cases in sorted(groups.items()):
        versions = ", ".join(map(str, sorted({entry["version"] for _, entry in cases})))
        name, entry = cases[0]
        other = theirs[f"versions/{name}"]
        verdict = ("could not be fed" if other.startswith(UNFED) else
                   f"differs: {other}" if other.startswith("output ") else "refuses the model" if other else "agrees with the standard")
        yield "\n".join([
            f"### {op} {versions}", "", reason, "",
            f"- case: `{name}`: {cell(entry['model'])}",
            f"- the reference: {cell(entry['reference'])}",
            f"- ONNX Runtime: {cell(verdict)}"])


def judges(sweep):
    counts = collections.Counter()
    for entry in sweep["cases"].values():
        who = entry["judge"]
        counts["the reference at the version's own opset" if who == "reference" else
               "numpy, by the standard's text" if who == "numpy" else
               "the reference, the node rewritten to a later version" if who.startswith("converted") else
               "the reference at a later opset"] += 1
    return table(["what the sweep's expected outputs come from", "cases"], counts.most_common(), 1)


def reasons(ours):
    rows = [[f"`{name}`", cell(why)[:200]] for name, why in sorted(ours.items()) if why]
    return table(["case", "why"], rows, 0) if rows else "None."


def page(top, other):
    ours = json.loads((top / "results.json").read_text())
    sweep = json.loads((top / "versions.json").read_text())
    theirs = json.loads(pathlib.Path(other).read_text())
    if set(ours) != set(theirs):
        sys.exit("the two runs are of other cases")
    head = ["operator", "versions", "types", "official", "ours", "ORT", "sweep", "ours", "ORT"]
    return "\n\n".join([
        f"Written by `Tools/conformance --page` with onnx {onnx.__version__} and ONNX Runtime {onnxruntime.__version__} (its CPU provider, through "
        "its Python API). Both are compared alike: type and shape exactly, values by |a − b| ≤ atol + rtol · |b| with the "
        "tolerances that the case states. Ten of the official node cases draw random numbers: their types, shapes and "
        "statistics are checked apart.",
        summary(ours, len(list((top / "random/node").iterdir()))),
        totals(ours, theirs),
        "## The version sweep",
        f"Models made from the schemas of onnx {onnx.__version__}: {sweep['covered']} of its {sweep['schemas']} schema versions have "
        f"{len(sweep['cases'])} cases, each with the opset of its version; {sweep['moved']} of {sweep['attributes']} attributes are "
        "moved off their defaults. Each type that a version allows for its inputs has a case where the judge knows it. "
        f"Withdrawn in the standard: {', '.join(sweep['deprecated'])}. Without a case: {', '.join(sweep['without']) or 'none'}"
        f"{'; attributes that no case moves: ' + ', '.join(sweep['unmoved']) if sweep['unmoved'] else ''}.",
        judges(sweep),
        "## Operators",
        "Official cases are those of onnx.backend.test and of libonnx-testdata whose graph has the operator. Types are those of "
        "the operator's inputs, in any version, that a passing case of the sweep has.",
        table(head, operator_rows(top / "cases", ours, theirs, sweep), 6),
        "## Where the reference is wrong",
        "Cases of the sweep in which the reference evaluator does not do what the operator's page says. What is expected there "
        "is computed by numpy, or by the reference from a model that says the same otherwise.",
        *wrong_sections(sweep, theirs),
        "### Files of libonnx-testdata 1.12", "Written otherwise than the standard's encoding has it, and mended before any "
        "runtime reads them: bfloat16 tensors that call themselves uint16, and inputs of `test_castlike_*BFLOAT16*` whose shape "
        "is not the declared one. Five cases contradict the standard, or its cases of today, and are left as they are "
        "([decision 7](Decisions/0007-cases-that-contradict.md)):",
        table(["case", "what is wrong with it"], CONTRADICTING, 0),
        "## Cases that fail", reasons(ours)])


def main():
    top, other = pathlib.Path(sys.argv[1]), sys.argv[2]
    pages.write_section(pages.TOP / "Docs/Conformance.md", "conformance", page(top, other), "Conformance")


if __name__ == "__main__":
    main()
