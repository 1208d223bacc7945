"""Measures sardonyx and ONNX Runtime in turn; see Tools/bench.

usage: bench.py SARDONYX [--threads N] [--rounds R] [--seconds S] [--json OUT] [--no-page] [--shape NAME=1,3,64,64] [MODEL …]
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx

import models

LIMIT = 1e-4


def resident():
    """Megabytes resident in this process now."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1024


def onnxruntime_child(path, folder, threads, seconds):
    """The reference's side, in a process of its own: prints what `sardonyx bench --json` prints."""
    import onnxruntime
    feeds = dict(np.load(f"{folder}/feeds.npz"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    base, began = resident(), time.perf_counter()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, feeds)
    start = time.perf_counter() - began
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        began = time.perf_counter()
        outputs = session.run(None, feeds)
        times.append(time.perf_counter() - began)
    np.savez(f"{folder}/reference.npz", *[np.asarray(output) for output in outputs])
    print(json.dumps({"median_ms": statistics.median(times) * 1e3, "start_ms": start * 1e3, "base_mb": base}))


def launch(command):
    """A command's last line as JSON, with peak_mb: its high-water mark as last seen while it ran."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        end, peak = time.monotonic() + 1800, 0.0
        while process.poll() is None:
            try:
                for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM"):
                        peak = max(peak, int(line.split()[1]) / 1024)
            except OSError:
                pass  # it has just ended
            if time.monotonic() > end:
                process.kill()
            time.sleep(0.02)
        out.seek(0)
        err.seek(0)
        lines = out.read().decode(errors="replace").strip().splitlines()
        if process.returncode or not lines:
            said = err.read().decode(errors="replace").strip().splitlines() or ["nothing on standard error"]
            raise RuntimeError(f"exit code {process.returncode}: {said[-1][:200]}")
        return json.loads(lines[-1]) | {"peak_mb": peak}


def measure(name, path, arguments):
    """One row: best round's median of each, ratio per round, worst difference; {"problem": why} when one fails."""
    feeds = models.random_inputs(name, path, 0)
    names = [output.name for output in onnx.load(path, load_external_data=False).graph.output]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        np.savez(folder / "feeds.npz", **feeds)
        shared = [str(arguments.threads), str(arguments.seconds)]
        commands = {
            "reference": [sys.executable, __file__, "--child", str(path), scratch, *shared],
            "ours": [arguments.sardonyx, "bench", str(path), "--threads", shared[0], "--seconds", shared[1], "--json",
                     "--dump-outputs", str(folder / "out"), *models.input_options(feeds, folder)],
        }
        got = {who: [] for who in commands}
        try:
            for _ in range(arguments.rounds):
                for who, command in commands.items():
                    got[who].append(launch(command))
            reference = list(np.load(folder / "reference.npz").values())
            ours = [models.read_output(folder / "out", output) for output in names]
        except (RuntimeError, OSError, ValueError) as problem:
            return {"model": name, "problem": str(problem).replace("\n", " ")}
    row = {"model": name, "difference": max(map(models.difference, ours, reference))}
    for who, rounds in got.items():
        row[who] = {
            "ms": min(r["median_ms"] for r in rounds), "start_ms": min(r["start_ms"] for r in rounds),
            "mb": min(r["peak_mb"] - r["base_mb"] for r in rounds)}
    row["ratio"] = statistics.median(a["median_ms"] / b["median_ms"] for a, b in zip(got["reference"], got["ours"]))
    return row


def cells(row):
    if "problem" in row:
        return f"| {row['model']} | – | – | – | – | – | {row['problem'].replace('|', '/')} |"
    ours, reference = row["ours"], row["reference"]
    wrong = "" if row["difference"] <= LIMIT else " **wrong**"
    return (f"| {row['model']} | {ours['ms']:.2f} | {reference['ms']:.2f} | {row['ratio']:.2f} | "
            f"{ours['start_ms']:.0f} / {reference['start_ms']:.0f} | {ours['mb']:.0f} / {reference['mb']:.0f} | "
            f"{row['difference']:.0e}{wrong} |")


HEAD = ("| model | sardonyx, ms | ONNX Runtime, ms | ratio | start, ms | memory, MB | difference |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |")


def page(rows, arguments, closing):
    from importlib.metadata import version
    text = (f"Measured by `Tools/bench` on {models.machine()}; {arguments.threads} threads, {arguments.rounds} rounds of "
            f"{arguments.seconds:g} s, against ONNX Runtime {version('onnxruntime')}. A round runs both, each in a process of "
            "its own; ms is the best round's median. Ratio: ONNX Runtime's time by ours, median over the rounds (above 1: "
            "sardonyx is faster). Start: from the file to the first output. Memory: peak, less what was resident before the "
            "model was opened. Start and memory: ours / theirs. Difference: max |a − b| / max |b| over the outputs.")
    return f"{text}\n\n{HEAD}\n" + "\n".join(map(cells, rows)) + f"\n\n{closing}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sardonyx")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--json")
    parser.add_argument("--no-page", action="store_true")
    parser.add_argument("--shape", action="append", default=[])
    parser.add_argument("models", nargs="*")
    arguments = parser.parse_intermixed_args()
    models.set_shapes(arguments.shape)
    print(HEAD, flush=True)
    rows = []
    for model in models.find(arguments.models):
        rows.append(measure(*model, arguments))
        print(cells(rows[-1]), flush=True)
    ratios = [row["ratio"] for row in rows if row.get("difference", LIMIT * 2) <= LIMIT]
    closing = f"{len(ratios)} of {len(rows)} models right and measured."
    if ratios:
        closing += f" Geometric mean of the ratios: {statistics.geometric_mean(ratios):.2f}; lowest: {min(ratios):.2f}."
    print(closing)
    if not arguments.no_page and not arguments.models:
        models.write_section(models.TOP / "Docs/Benchmarks.md", "bench", page(rows, arguments, closing), "Benchmarks")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=1) + "\n")
    sys.exit(len(ratios) < len(rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        onnxruntime_child(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
    else:
        main()
