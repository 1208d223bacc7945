"""Measures how long models take to open; see Tools/bench --loading.

usage: loading.py SARDONYX [--no-page] [--json OUT]
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

import pages


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def node(kind, inputs, output, attributes=b""):
    named = b"".join(data(1, name) for name in inputs) + data(2, output)
    return data(1, named + data(3, "node_" + output) + data(4, kind) + attributes)


def ints(name, values):
    return data(5, data(1, name) + b"".join(number(8, value) for value in values) + number(20, 7))


def tensor(name, dims, raw):
    return data(5, b"".join(number(1, dim) for dim in dims) + number(2, 1) + data(8, name) + data(9, raw))


def value(field, name, dims):
    shape = b"".join(data(1, number(1, dim)) for dim in dims)
    return data(field, data(1, name) + data(2, data(1, number(1, 1) + data(2, shape))))


def write(path, parts, output, dims):
    graph = b"".join(parts) + data(2, "g") + value(11, "v0", dims) + value(12, output, dims)
    path.write_bytes(number(1, 9) + data(7, graph) + data(8, data(1, "") + number(2, 20)))


def weights(path):
    """200 MB in 50 matrices, multiplied one after the other."""
    matrix = bytes(4 * 1024 * 1024)
    parts = []
    for i in range(50):
        parts += [node("MatMul", [f"v{i}", f"weight{i}"], f"v{i + 1}"), tensor(f"weight{i}", [1024, 1024], matrix)]
    write(path, parts, "v50", [1, 1024])


def chain(path):
    """30,000 nodes of one input each."""
    write(path, [node("Relu", [f"v{i}"], f"v{i + 1}") for i in range(30_000)], "v30000", [4])


def mixed(path):
    """30,000 nodes with attributes, small weights and two inputs."""
    parts = []
    for i in range(0, 30_000, 3):
        parts += [
            node("Transpose", [f"v{i}"], f"v{i + 1}", ints("perm", [1, 0])),
            node("Add", [f"v{i + 1}", f"w{i}"], f"v{i + 2}"), node("Sigmoid", [f"v{i + 2}"], f"v{i + 3}"),
            tensor(f"w{i}", [4], bytes(16)),
        ]
    write(path, parts, "v30000", [4, 4])


# Name, what writes it, and the bars: milliseconds for the reader, megabytes beside it.
MODELS = [("200 MB of weights", weights, 5, 40), ("30,000 nodes", chain, 150, None), ("30,000 mixed", mixed, 150, None)]
ROUNDS = 3
HEAD = ("| model | file, MB | reader, ms | Model, ms | first, ms | Session, ms | memory, MB | bar |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")

# From the file to packed weights, for the zoo: milliseconds.
READY = {"resnet50": 100}
OTHERS_READY = 300
READY_HEAD = "| model | file, MB | ready, ms | bar |\n| --- | ---: | ---: | --- |"


def measure(sardonyx, path):
    command = [sardonyx, "bench", str(path), "--loading", "--json"]
    return [json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            for _ in range(ROUNDS)]


def ready(sardonyx):
    """Measures the zoo's models; prints their rows and returns them, and the figures."""
    print("\n" + READY_HEAD, flush=True)
    rows, results = [], []
    for path in sorted((pages.TOP / "Models/zoo/filled").glob("*.onnx")):
        got = statistics.median(got["ready_ms"] for got in measure(sardonyx, path))
        bar = READY.get(path.name.split(".")[0], OTHERS_READY)
        rows.append(f"| {path.stem} | {path.stat().st_size / 1e6:.1f} | {got:.0f} | "
                    f"{bar} ms: {'kept' if got < bar else '**missed**'} |")
        results.append({"model": path.stem, "ready_ms": got})
        print(rows[-1], flush=True)
    return rows, results


def cells(name, size, got, milliseconds, megabytes):
    bar = f"{milliseconds} ms" + (f", {megabytes} MB" if megabytes else "")
    kept = got["open_ms"] < milliseconds and (not megabytes or got["open_mb"] < megabytes)
    return (f"| {name} | {size / 1e6:.1f} | {got['reader_ms']:.2f} | {got['open_ms']:.2f} | {got['first_ms']:.2f} | "
            f"{got['session_ms']:.2f} | {got['open_mb']:.1f} | {bar}: {'kept' if kept else '**missed**'} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sardonyx")
    parser.add_argument("--no-page", action="store_true")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    print(HEAD, flush=True)
    rows, figures = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for name, make, milliseconds, megabytes in MODELS:
            path = pathlib.Path(scratch) / "model.onnx"
            make(path)
            rounds = measure(arguments.sardonyx, path)
            got = {key: min(figures[key] for figures in rounds) for key in rounds[0]}
            rows.append(cells(name, path.stat().st_size, got, milliseconds, megabytes))
            figures.append({"model": name} | got)
            print(rows[-1], flush=True)
    zoo_rows, zoo_figures = ready(arguments.sardonyx)
    if not arguments.no_page:
        text = (f"Measured by `Tools/bench --loading` on {pages.machine()}, the least of {ROUNDS} "
                "processes, and within each of 9 times, but for the first. Reader: the file's structure read by COnnxReader "
                "alone. Model: `Model(contentsOf:)`, with every check and the inference of types. Session: types, folding and "
                "passes, without a plan. Memory: resident after the first opening, less what was resident before. The bar is "
                "for Model.")
        zoo = (f"The zoo's, the median of {ROUNDS} processes. Ready: from the file, the first time in the process, to a session "
               "with its plan and packed weights.")
        pages.write_section(
            pages.TOP / "Docs/Benchmarks.md", "loading", f"## Opening\n\n{text}\n\n{HEAD}\n" + "\n".join(rows)
            + f"\n\n{zoo}\n\n{READY_HEAD}\n" + "\n".join(zoo_rows), "Benchmarks")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(figures + zoo_figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
