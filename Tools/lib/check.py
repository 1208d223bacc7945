"""The rules of Tools/check that need no build. Prints PATH:LINE: what is wrong; exits 1 if anything is."""

import json
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

# Each module and what it may import of ours; what those may import comes with them. Down only.
LAYERS = {
    "COnnxReader": [],
    "CKernels": [],
    "CCodecs": [],
    "CRegularExpressions": [],
    "CImageFormats": [],
    "CDigest": [],
    "SardonyxGraph": [],
    "SardonyxLoading": ["SardonyxGraph", "COnnxReader"],
    "SardonyxOperators": ["SardonyxGraph", "CKernels", "CCodecs", "CRegularExpressions"],
    "SardonyxCompiler": ["SardonyxGraph", "SardonyxOperators"],
    "SardonyxExecution": ["SardonyxCompiler", "CKernels"],
    "Sardonyx": ["SardonyxLoading", "SardonyxExecution"],
    "SardonyxImaging": ["CImageFormats", "CCodecs"],
    "SardonyxPipelines": ["Sardonyx", "SardonyxImaging", "CDigest"],
    "CSardonyx": ["Sardonyx"],
    "SardonyxCLI": ["SardonyxPipelines"],
}
# A static program with Foundation is 70 MB, without it 9 MB; FoundationEssentials is allowed everywhere.
FOUNDATION_ALLOWED = {"SardonyxImaging", "SardonyxPipelines", "SardonyxCLI"}
CODE = {".swift", ".c", ".h", ".cpp", ".hpp", ".py", ".sh"}
MAX_LINES = 500
MAX_BYTES = 3_000_000
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)"
)
# In Sources. What a model's bytes say must throw; our own broken invariants may trap, with preconditionFailure.
MARKERS = re.compile(r"\b(?:TODO|FIXME)\b")
TRAPS = re.compile(r"\bfatalError\s*\(|\btry!|\bas!")
# Absolute paths that exist on one machine only.
PATHS = re.compile(r"(?<![\w.$}*/-])/(?:home|root|work|tmp|Users|mnt)/")


class Report:
    def __init__(self):
        self.problems = []
        self.exceptions = []
        for line in (TOP / "Tools/lib/exceptions.txt").read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                cells = [cell.strip() for cell in line.split("|")]
                if len(cells) != 4 or not cells[3]:
                    sys.exit(f"Tools/lib/exceptions.txt: four cells, the last one a reason: {line}")
                self.exceptions.append((*cells[:3], line))
        self.used = set()

    def add(self, rule, path, message, number=None, text=""):
        for a_rule, a_path, a_text, line in self.exceptions:
            if a_rule == rule and a_path == str(path) and a_text in text:
                self.used.add(line)
                return
        where = f"{path}:{number}" if number else str(path)
        self.problems.append(f"{where}: {message} [{rule}]")


def files():
    """Every file that is committed or would be."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=TOP, capture_output=True, check=True,
        ).stdout.decode()
        names = {name for name in listing.split("\0") if name}
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        names = set()
        for folder, below, found in os.walk(TOP):
            below[:] = [name for name in below if not name.startswith((".build", ".venv", ".git"))]
            names |= {os.path.relpath(os.path.join(folder, name), TOP) for name in found}
    return sorted(pathlib.PurePath(name) for name in names if (TOP / name).is_file())


def closure(table, start):
    seen, todo = set(), list(table.get(start, []))
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += table.get(name, [])
    return seen


def package_targets():
    done = subprocess.run(["swift", "package", "dump-package"], cwd=TOP, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip() or "swift package dump-package failed")
    targets = {}
    for target in json.loads(done.stdout)["targets"]:
        names = [next(iter(dependency.values()))[0] for dependency in target["dependencies"]]
        is_test = target["type"] == "test" or (target.get("path") or "").startswith("Tests/")
        targets[target["name"]] = (is_test, names)
        flags = [s for s in target.get("settings", []) if "unsafeFlags" in s.get("kind", {})]
        if flags:
            sys.exit(f"Package.swift: {target['name']} has unsafeFlags, which forbid use as a dependency")
    return targets


def check_imports(report, paths):
    targets = package_targets()
    table = {name: names for name, (_, names) in targets.items()}
    for name, (is_test, names) in targets.items():
        if is_test:
            continue
        if name not in LAYERS:
            report.add("import", "Package.swift", f"{name} has no place in the layer table of Tools/lib/check.py", text=name)
            continue
        for other in names:
            if other in LAYERS and other not in closure(LAYERS, name):
                report.add("import", "Package.swift", f"{name} must not depend on {other}", text=f"{name} {other}")
    for path in paths:
        parts = path.parts
        if path.suffix != ".swift" or parts[0] not in ("Sources", "Tests") or len(parts) < 3:
            continue
        module, is_source = parts[1], parts[0] == "Sources"
        for number, line in enumerate((TOP / path).read_text().splitlines(), 1):
            found = IMPORT.match(line)
            if not found:
                continue
            name = found.group(1)
            if is_source and name == "Foundation" and module not in FOUNDATION_ALLOWED:
                report.add("foundation", path, "imports Foundation; use FoundationEssentials or Glibc", number, line)
            if name not in LAYERS:
                continue
            if is_source and name not in closure(LAYERS, module):
                report.add("import", path, f"{module} must not import {name}", number, line)
            if module in table and name not in closure(table, module):
                report.add("import", path, f"Package.swift gives {module} no dependency on {name}", number, line)


def check_text(report, paths):
    for path in paths:
        data = (TOP / path).read_bytes()
        if len(data) > MAX_BYTES:
            report.add("size", path, f"{len(data)} bytes; at most {MAX_BYTES}")
        if b"\0" in data[:8192]:
            continue
        lines = data.decode(errors="replace").splitlines()
        is_code = path.suffix in CODE or (path.suffix == "" and lines[:1] and lines[0].startswith("#!"))
        if is_code and len(lines) > MAX_LINES:
            report.add("length", path, f"{len(lines)} lines; at most {MAX_LINES}: two things live here")
        for number, line in enumerate(lines, 1):
            if PATHS.search(line) and "XXXXXX" not in line:  # a template of mkdtemp is fine anywhere
                report.add("path", path, "names a path of one machine", number, line)
            if path.parts[0] != "Sources":
                continue
            if MARKERS.search(line):
                report.add("marker", path, "unfinished", number, line)
            if path.suffix == ".swift" and TRAPS.search(line.split("//")[0]):
                report.add("trap", path, "traps; throw a SardonyxError", number, line)


def check_licences(report, paths):
    names = {str(path) for path in paths}
    if "Apache License" not in (TOP / "LICENSE").read_text()[:400] if "LICENSE" in names else True:
        report.add("licence", "LICENSE", "the Apache-2.0 licence's text is missing")
    for folder in sorted({path.parts[1] for path in paths if path.parts[0] == "Models" and len(path.parts) > 2}):
        has = lambda *choices: any(f"Models/{folder}/{name}" in names for name in choices)
        if not has("LICENSE", "LICENSE.txt", "LICENSE.md"):
            report.add("licence", f"Models/{folder}", "no LICENSE")
        if not has("PROVENANCE.md", "README.md"):
            report.add("licence", f"Models/{folder}", "no PROVENANCE.md or README.md")


def main():
    report, paths = Report(), files()
    check_imports(report, paths)
    check_text(report, paths)
    check_licences(report, paths)
    for *_, line in report.exceptions:
        if line not in report.used:
            report.problems.append(f"Tools/lib/exceptions.txt: nothing needs this any more: {line}")
    print("\n".join(report.problems) or f"check: {len(paths)} files: imports, length, markers, paths, licences: ok")
    sys.exit(bool(report.problems))


if __name__ == "__main__":
    main()
