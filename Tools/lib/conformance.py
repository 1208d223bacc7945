"""Runs `sardonyx verify` over the written cases and compares with the ratchet; see Tools/conformance.

usage: conformance.py SARDONYX FOLDER RATCHET [--update [--drop]] [--kind KIND] [NAME …]
"""

import argparse
import collections
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import onnx


def verify(program, folders, root, options=()):
    """{case: None, or why it fails} of these folders, by their paths below root. A run that crashes is cut in parts,
    so that the case at fault is named and the others keep their results."""
    with tempfile.TemporaryDirectory() as scratch:
        report = pathlib.Path(scratch, "report.xml")
        try:
            done = subprocess.run(
                [program, "verify", "--junit", str(report), *options, *map(str, folders)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", timeout=60 + len(folders),
            )
            ending = f"exit code {done.returncode}: {(done.stdout.strip().splitlines() or ['no output'])[-1]}"
            whole = done.returncode in (0, 1) and report.exists()
            output = done.stdout
        except subprocess.TimeoutExpired:
            ending, whole = f"no end within {60 + len(folders)} s", False
        if whole:
            return read_report(report, output, folders, root)
    if len(folders) == 1:
        return {str(folders[0].relative_to(root)): f"crash: {ending}"}
    step = max(1, len(folders) // 8)
    result = {}
    for start in range(0, len(folders), step):
        result |= verify(program, folders[start:start + step], root, options)
    return result


def read_report(report, output, folders, root):
    """The results in a JUnit file, checked against the last line "N passed, N failed"."""
    by_name = {folder.name: str(folder.relative_to(root)) for folder in folders}
    result = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = by_name.get(case.get("name", "").rstrip("/").split("/")[-1])
        if name is None:
            sys.exit(f"verify reported a case that was not asked for: {case.get('name')}")
        problem = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        result[name] = None if problem is None else f"{problem.tag}: {problem.get('message') or problem.text or ''}".strip()
    missing = set(by_name.values()) - set(result)
    if missing:
        sys.exit(f"verify reported nothing about {len(missing)} cases, such as {min(missing)}")
    last = re.fullmatch(r"(\d+) passed, (\d+) failed", (output.strip().splitlines() or [""])[-1])
    passed = sum(why is None for why in result.values())
    if not last or (int(last[1]), int(last[2])) != (passed, len(result) - passed):
        sys.exit(f"verify's last line and its JUnit file disagree: {last and last[0]}, {passed} of {len(result)} passed")
    return result


def run(arguments):
    root = arguments.folder / "cases"
    result = {}
    for kind in sorted(path.name for path in root.iterdir()):
        if arguments.kind and kind != arguments.kind:
            continue
        folders = sorted(path for path in (root / kind).iterdir()
                         if not arguments.names or any(fnmatch.fnmatch(path.name, name) for name in arguments.names))
        if folders:
            result |= verify(arguments.sardonyx, folders, root)
    if not result:
        sys.exit("no case has such a name")
    return result


def summary(result):
    kinds = {}
    for name, why in sorted(result.items()):
        row = kinds.setdefault(name.split("/")[0], {"passed": 0, "cases": 0})
        row["cases"] += 1
        row["passed"] += why is None
    return kinds


def print_reasons(failing):
    """The commonest reasons, names of values and numbers left out."""
    reasons = collections.Counter(re.sub(r"'[^']*'|\"[^\"]*\"|[\d.]+(e-?\d+)?", "…", why)[:100] for why in failing.values())
    for reason, count in reasons.most_common(10):
        print(f"{count:6}  {reason}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sardonyx")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("ratchet", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--drop", action="store_true")
    parser.add_argument("--kind", choices=sorted(path.name for path in (pathlib.Path(sys.argv[2]) / "cases").iterdir()))
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    result = run(arguments)
    failing = {name: why for name, why in result.items() if why is not None}
    kinds = summary(result)

    if arguments.names:
        for name, why in sorted(result.items()):
            print(f"{name}: {why or 'pass'}")
        sys.exit(bool(failing))

    if not arguments.kind:
        reasons = {name: why or "" for name, why in sorted(result.items())}
        (arguments.folder / "results.json").write_text(json.dumps(reasons) + "\n")
    (arguments.folder / "failing.txt").write_text("".join(f"{name}: {why}\n" for name, why in sorted(failing.items())))
    counts, listing = arguments.ratchet / "passed.json", arguments.ratchet / "passing.txt"
    before = json.loads(counts.read_text())["kinds"] if counts.exists() else {}
    known = set(listing.read_text().split()) if listing.exists() else set()
    here = {name for name in known if name.split("/")[0] in kinds}
    broken = sorted(name for name in here if result.get(name, "no such case") is not None)
    fallen = [kind for kind, row in kinds.items() if row["passed"] < before.get(kind, {}).get("passed", 0)]

    print_reasons(failing)
    for kind, row in kinds.items():
        print(f"{kind}: {row['passed']} of {row['cases']} cases pass (ratchet: {before.get(kind, {}).get('passed', 0)})")
    print(f"conformance: {len(result) - len(failing)} of {len(result)} comparable cases pass; "
          f"why the others do not: {arguments.folder}/failing.txt")
    for name in broken:
        print(f"passed before and fails now: {name}: {result.get(name, 'no such case')}")
    for kind in fallen:
        print(f"{kind}: the number passed has fallen from {before[kind]['passed']} to {kinds[kind]['passed']}")
    if arguments.update and (arguments.drop or not broken):
        passing = {name for name, why in result.items() if why is None} | (known - here)
        arguments.ratchet.mkdir(parents=True, exist_ok=True)
        listing.write_text("".join(f"{name}\n" for name in sorted(passing)))
        merged = dict(sorted((before | kinds).items()))
        random = sorted(path.name for path in (arguments.folder / "random/node").iterdir())
        counts.write_text(json.dumps(
            {"onnx": onnx.__version__, "kinds": merged, "not_compared_random": random}, indent=4) + "\n")
        print(f"conformance: {counts} and {listing} written")
        return
    if broken or fallen:
        sys.exit(1)
    gained = sum(why is None and name not in known for name, why in result.items())
    if gained:
        print(f"conformance: {gained} cases pass that the ratchet does not hold yet: Tools/conformance --update")


if __name__ == "__main__":
    main()
