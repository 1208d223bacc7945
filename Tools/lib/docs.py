"""Symbol documentation and the articles' code; see Tools/check --docs.

usage: docs.py symbols GRAPH.json …          exits 1 when a public symbol has no doc comment
       docs.py code CATALOGUE OUTPUT-FOLDER  writes each page's Swift blocks as one file that compiles
"""

import json
import pathlib
import sys


def undocumented(path):
    graph = json.loads(pathlib.Path(path).read_text())
    for symbol in graph["symbols"]:
        name = ".".join(symbol["pathComponents"])
        # Written by the compiler, or by a protocol of Swift's own that says what it means.
        inherited = name.endswith(("init(rawValue:)", "==(_:_:)", "<(_:_:)", "hash(into:)"))
        if "docComment" not in symbol and not inherited:
            yield f"{graph['module']['name']}: {name} has no doc comment"


def code(page):
    """The page's Swift blocks, as the body of one function below the imports."""
    imports, body, inside = [], [], False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            inside = line == "```swift"
        elif inside and line.startswith("import "):
            imports.append(line)
        elif inside:
            body.append("    " + line)
    return "\n".join([*dict.fromkeys(imports), "", "func page() throws {", *body, "}", ""])


def main():
    command, *arguments = sys.argv[1:]
    if command == "symbols":
        problems = [problem for path in arguments for problem in undocumented(path)]
        print("\n".join(problems), end="\n" if problems else "")
        sys.exit(bool(problems))
    catalogue, output = map(pathlib.Path, arguments)
    for page in sorted(catalogue.glob("*.md")):
        (output / f"{page.stem}.swift").write_text(code(page))


if __name__ == "__main__":
    main()
