"""The programs that Tools/bench runs in turn, each in a process of its own; see bench.py.

usage: engines.py PEER MODEL FOLDER THREADS SECONDS
       engines.py convert MODEL TARGET
       The first prints what `sardonyx bench --json` prints, and writes FOLDER/PEER.npz with the last run's outputs; the second
       converts a model for MNN
"""

import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

Engine = collections.namedtuple("Engine", "title package")
OURS = "sardonyx"
REFERENCE = "ort"
PEERS = {
    REFERENCE: Engine("ONNX Runtime", "onnxruntime"),
    "ov": Engine("OpenVINO", "openvino"),
    "mnn": Engine("MNN", "MNN"),
}
TITLES = {OURS: OURS} | {key: engine.title for key, engine in PEERS.items()}
# The largest difference from the reference with which a time counts: ours, and a peer's.
LIMIT, PEER_LIMIT = 1e-4, 5e-3
SECONDS = 900


def memory(field):
    """Megabytes of this process: VmRSS, resident now; VmHWM, the most that ever was."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field))) / 1024


# One function a peer: takes (path, feeds, threads, folder) and imports what it needs; gives a function that opens the model,
# which in turn gives one that runs it. All compute in single precision, whatever the processor offers beside it.


def onnxruntime_engine(path, feeds, threads, folder):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3

    def opened():
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, feeds)
    return opened


def openvino_engine(path, feeds, threads, folder):
    import openvino
    core = openvino.Core()

    def opened():
        core.set_property("CPU", {
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
        model = core.read_model(path)
        # Static shapes are what it is fastest with.
        model.reshape({port.any_name: list(feeds[port.any_name].shape) for port in model.inputs})
        request = core.compile_model(model, "CPU").create_infer_request()
        return lambda: list(request.infer(feeds).values())
    return opened


def mnn_engine(path, feeds, threads, folder):
    import MNN.expr as expr
    import MNN.nn as nn
    kinds = {"f": (np.float32, expr.float), "i": (np.int32, expr.int), "u": (np.uint8, expr.uint8)}

    def variable(array):
        dtype, kind = kinds[array.dtype.kind]
        return expr.const(np.ascontiguousarray(array, dtype), list(array.shape), expr.NCHW, kind)

    def opened():
        # "high" is single precision.
        runtime = nn.create_runtime_manager(({"backend": "CPU", "numThread": threads, "precision": "high"},))
        names = json.loads((folder / "outputs.json").read_text())
        module = nn.load_module_from_file(str(folder / "model.mnn"), list(feeds), names, runtime_manager=runtime)
        variables = [variable(array) for array in feeds.values()]

        def run():
            results = module.forward(variables)
            results = results if isinstance(results, list) else [results]
            return [np.array(expr.convert(result, expr.NCHW).read()) for result in results]
        return run
    return opened


FUNCTIONS = {"ort": onnxruntime_engine, "ov": openvino_engine, "mnn": mnn_engine}


def child(peer, path, folder, threads, seconds):
    feeds = dict(np.load(folder / "feeds.npz"))
    opened = FUNCTIONS[peer](path, feeds, threads, folder)
    base, began = memory("VmRSS"), time.perf_counter()
    run = opened()
    outputs = run()
    start = time.perf_counter() - began
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        began = time.perf_counter()
        outputs = run()
        times.append(time.perf_counter() - began)
    record = {"median_ms": statistics.median(times) * 1e3, "start_ms": start * 1e3, "base_mb": base, "peak_mb": memory("VmHWM")}
    np.savez(folder / f"{peer}.npz", *[np.asarray(output) for output in outputs])
    print(json.dumps(record))


def convert(path, target):
    """Writes a model in MNN's own format, by its converter's library: the program `mnnconvert` around that also installs a
    package with pip and reports what it converted to a server."""
    import MNN  # noqa: F401, which `_tools` needs
    import _tools
    _tools.mnnconvert(["mnnconvert", "-f", "ONNX", "--modelFile", path, "--MNNModel", target, "--bizCode", "bench"])


def prepare(peer, path, folder):
    """What a peer needs once a model, outside what is measured."""
    if peer == "mnn":
        target = folder / "model.mnn"
        launch([sys.executable, os.path.abspath(__file__), "convert", str(path), str(target)])
        if not target.exists():
            raise RuntimeError("cannot be converted")


def launch(command):
    """A command's standard output. RuntimeError with its last line on standard error when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=SECONDS).returncode
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"more than {SECONDS} s") from None
        out.seek(0)
        err.seek(0)
        text = out.read().decode(errors="replace")
        if code:
            said = (err.read().decode(errors="replace").strip() or text.strip() or "it said nothing").splitlines()
            raise RuntimeError(f"exit code {code}: {said[-1][:160]}" if code > 0 else f"crashed with signal {-code}")
        return text


def record_of(text):
    """The JSON object on the last line that a program printed."""
    lines = text.strip().splitlines()
    try:
        return json.loads(lines[-1])
    except (IndexError, ValueError):
        raise RuntimeError("printed no figures") from None


def command_of(peer, path, folder, threads, seconds):
    return [sys.executable, os.path.abspath(__file__), peer, str(path), str(folder), str(threads), str(seconds)]


if __name__ == "__main__":
    if sys.argv[1] == "convert":
        convert(*sys.argv[2:])
    else:
        child(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
