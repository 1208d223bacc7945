"""Measures sardonyx and its peers in turn; see Tools/bench.

usage: bench.py SARDONYX [--peers ort,ov,mnn] [--threads N] [--rounds R] [--seconds S] [--sweep size|threads] [--json OUT]
                [--redraw JSON] [--no-page] [--shape NAME=1,3,64,64] [MODEL …]
"""

import importlib.metadata
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile

import numpy as np
import onnx

import bench_page
import bench_rows
import engines
import in_double
import models
import sweep
from engines import LIMIT, OURS, PEER_LIMIT, REFERENCE


def difference(output, reference):
    """As models.difference, but for peers that widen types or drop axes of length 1."""
    output, reference = np.asarray(output), np.asarray(reference)
    if output.size != reference.size:
        return float("inf")
    return models.difference(output.reshape(reference.shape).astype(reference.dtype), reference)


def measure(name, path, arguments, threads):
    """One row: {"model", "threads", "engines": {key: figures or {"error": why}}} and what compares them. Figures are the
    best of the rounds; "ratio" is the median over the rounds of the fastest peer's time by ours."""
    feeds = models.random_inputs(name, path, 0)
    names = [output.name for output in onnx.load(path, load_external_data=False).graph.output]
    keys = [*arguments.peers, OURS]
    got, why, outputs = {key: [] for key in keys}, {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        np.savez(folder / "feeds.npz", **feeds)
        (folder / "outputs.json").write_text(json.dumps(names))
        ours = [arguments.sardonyx, "bench", str(path), "--threads", str(threads), "--seconds", str(arguments.seconds),
                "--json", "--dump-outputs", str(folder / "out"), *models.input_options(feeds, folder)]

        def attempt(key, work):
            """Leaves a program that failed out of what follows."""
            if key not in why:
                try:
                    return work()
                except (RuntimeError, OSError, ValueError) as problem:
                    why[key] = " ".join(str(problem).split())

        for peer in arguments.peers:
            attempt(peer, lambda: engines.prepare(peer, path, folder))
        for turn in range(arguments.rounds):
            # Each round starts with another one, so that none always follows the same.
            for key in keys[turn % len(keys):] + keys[:turn % len(keys)]:
                command = ours if key == OURS else engines.command_of(key, path, folder, threads, arguments.seconds)
                attempt(key, lambda: got[key].append(engines.record_of(engines.launch(command))))
        for peer in arguments.peers:
            outputs[peer] = attempt(peer, lambda: list(np.load(folder / f"{peer}.npz").values()))
        outputs[OURS] = attempt(OURS, lambda: [models.read_output(folder / "out", output) for output in names])
    row = {"model": name, "threads": threads, "engines": {}}
    for key in [OURS, *arguments.peers]:
        if key in why:
            row["engines"][key] = {"error": why[key]}
            continue
        row["engines"][key] = {
            "ms": min(r["median_ms"] for r in got[key]), "start_ms": min(r["start_ms"] for r in got[key]),
            "mb": min(r["peak_mb"] - r["base_mb"] for r in got[key])}
        if outputs.get(REFERENCE):
            compare = models.difference if key == OURS else difference
            row["engines"][key]["difference"] = max(map(compare, outputs[key], outputs[REFERENCE]))
    judge(row, got)
    row["macs"] = multiply_adds(arguments.sardonyx, path, feeds)
    if row["engines"][OURS].get("difference", 0) > LIMIT and REFERENCE not in why:
        attempt("double", lambda: row.update(in_double=double_errors(arguments.sardonyx, path, feeds, names, outputs)))
    return row


def judge(row, got):
    """Whether ours is right; which peers count, as their outputs are right too; and how fast the fastest of them is."""
    figures = row["engines"]
    ours = figures[OURS]
    row["right"] = ours.get("difference", LIMIT * 2) <= LIMIT
    row["peers"] = [key for key in figures if key != OURS and figures[key].get("difference", PEER_LIMIT * 2) <= PEER_LIMIT]
    if row["peers"] and "ms" in ours:
        row["ratio"] = statistics.median(
            min(got[key][i]["median_ms"] for key in row["peers"]) / record["median_ms"]
            for i, record in enumerate(got[OURS]))


def multiply_adds(program, path, feeds):
    """Of one run, as the operators are defined; None where the model cannot say."""
    shapes = [part for name, value in feeds.items() if value.ndim
              for part in ("--shape", f"{name}={','.join(map(str, value.shape))}")]
    try:
        return json.loads(engines.launch([program, "inspect", str(path), "--json", *shapes])).get("macs")
    except (RuntimeError, ValueError):
        return None


def peak(program, threads):
    """GFLOP/s of multiply-adds that these threads reach now, by a profile's closing line; None where it names none."""
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/relu.onnx"
        value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [64]) for name in "xy"]
        graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "relu", value[:1], value[1:])
        onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)]), path)
        text = engines.launch([program, "bench", path, "--threads", str(threads), "--seconds", "0", "--profile"])
    found = re.search(r"peak ([0-9.]+) GFLOP/s", text)
    return float(found[1]) if found else None


def double_errors(program, path, feeds, names, outputs):
    """Everyone's largest error against the same network in double precision, which sardonyx computes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        double = in_double.save_double(onnx.load(path), folder / "double.onnx")
        exact = models.run_sardonyx(program, double, in_double.wide(feeds), folder / "run", names)
    return {key: max(in_double.error(np.asarray(value).reshape(right.shape), right) for value, right in zip(values, exact))
            for key, values in outputs.items() if values}


def parsed():
    parser = models.Arguments()
    parser.add_argument("--peers", default=",".join(engines.PEERS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--sweep", choices=["size", "threads"])
    parser.add_argument("--redraw")
    arguments = parser.read()
    names = arguments.peers.split(",")
    if unknown := set(names) - set(engines.PEERS):
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are: {', '.join(engines.PEERS)}")
    arguments.peers = [key for key in engines.PEERS if key in names or key == REFERENCE]
    return arguments


def installed(arguments):
    """Leaves out the peers whose packages are not there; {title: version} of the others."""
    versions = {}
    for key in list(arguments.peers):
        try:
            versions[engines.TITLES[key]] = importlib.metadata.version(engines.PEERS[key].package)
        except importlib.metadata.PackageNotFoundError:
            print(f"bench: no {engines.TITLES[key]}: its package is not installed", file=sys.stderr)
            arguments.peers.remove(key)
    return versions


def main():
    arguments = parsed()
    if arguments.redraw:
        for section, part in json.loads(pathlib.Path(arguments.redraw).read_text()).items():
            bench_page.write(section, part["about"], part["rows"])
        return
    about = {"machine": models.machine(), "threads": arguments.threads, "rounds": arguments.rounds,
             "seconds": arguments.seconds, "versions": installed(arguments), "load": os.getloadavg()[0],
             "peak_gflops": peak(arguments.sardonyx, arguments.threads)}
    work = {
        "models": lambda: (measure(*model, arguments, arguments.threads) for model in models.find(arguments.models)),
        "size": lambda: sweep.size_rows(measure, arguments),
        "threads": lambda: sweep.thread_rows(measure, arguments),
    }
    report, wrong = {}, False
    sections = [arguments.sweep] if arguments.sweep else ["models"] if arguments.models else list(work)
    for section in sections:
        rows = []
        print(bench_rows.head_line(section, arguments.peers), flush=True)
        for row in work[section]():
            rows.append(row)
            print(bench_rows.line(section, row), flush=True)
        if section == "models":
            print(bench_rows.summary(rows), flush=True)
        wrong |= any(not row["right"] for row in rows)
        report[section] = {"about": about, "rows": rows}
        if not arguments.no_page and not arguments.models:
            bench_page.write(section, about, rows)
        if arguments.json:
            pathlib.Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
