"""Runs ONNX Runtime over the written cases, with the comparison that `sardonyx verify` makes; see Tools/conformance.

usage: conformance_peer.py FOLDER OUT.json [KIND/PATTERN …]

OUT.json: {case: "" for a pass, or why not}; a reason that begins with "not fed: " says that its Python API takes no
such value, which is not the runtime's fault and is counted apart.
"""

import fnmatch
import json
import multiprocessing
import os
import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

# It then tries models of an opset newer than the last one it knows, as it may know all the operators in them.
os.environ["ALLOW_RELEASED_ONNX_OPSET_ONLY"] = "0"
# Types that its Python API neither takes nor gives as numpy arrays, but as OrtValue over the same bits.
BITS = {"bfloat16": np.uint16, "float8_e4m3fn": np.uint8, "float8_e4m3fnuz": np.uint8, "float8_e5m2": np.uint8,
        "float8_e5m2fnuz": np.uint8}
UNKNOWN = ("int4", "uint4", "int2", "uint2", "float4_e2m1fn", "float8_e8m0fnu", "float6_e2m3fn", "float6_e3m2fn")
LIMIT = 60
"""Seconds for a case, in its own process where it needs one."""


class NotFed(Exception):
    pass


def read(path, info):
    data, kind = path.read_bytes(), info.type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind == "map_type":
        return numpy_helper.to_dict(onnx.MapProto.FromString(data))
    if kind == "optional_type":
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


def given(model):
    weights = {tensor.name for tensor in model.graph.initializer}
    return [info for info in model.graph.input if info.name not in weights]


def ort_value(value, info):
    """The value as ONNX Runtime's Python API takes it."""
    if isinstance(value, np.ndarray):
        if value.dtype.name in BITS:
            kind = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
            return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(
                np.ascontiguousarray(value).view(BITS[value.dtype.name]), kind)
        if value.dtype.kind in "cV" or value.dtype.name in UNKNOWN:
            raise NotFed(f"{value.dtype.name} as an input")
        if value.dtype.kind in "OU":
            return np.array(value, dtype=object)
        return value
    if value is None:
        raise NotFed("an empty optional")
    if isinstance(value, list):
        if not value:
            raise NotFed("an empty sequence")
        if any(isinstance(item, np.ndarray) and (item.dtype.kind in "cV" or item.dtype.name in BITS) for item in value):
            raise NotFed("a sequence of that type")
        return value
    if isinstance(value, dict):
        return value
    raise NotFed(f"{type(value).__name__} as an input")


def bound_run(session, feeds, infos, expected):
    """The outputs where some have types that its Python API cannot give: those are written into arrays of ours."""
    binding, arrays = session.io_binding(), {}
    for name, value in feeds.items():
        if isinstance(value, (list, dict)):
            raise NotFed("a sequence beside such a type")
        if isinstance(value, np.ndarray):
            value = onnxruntime.OrtValue.ortvalue_from_numpy(value)
        binding.bind_ortvalue_input(name, value)
    for info, value in zip(infos, expected):
        if isinstance(value, np.ndarray) and value.dtype.name in BITS:
            array = arrays[info.name] = np.zeros(value.shape, BITS[value.dtype.name])
            binding.bind_output(info.name, "cpu", 0, info.type.tensor_type.elem_type, value.shape, array.ctypes.data)
        else:
            binding.bind_output(info.name)
    session.run_with_iobinding(binding)
    came = binding.get_outputs()
    return [arrays[info.name].view(value.dtype) if info.name in arrays else came[i].numpy()
            for i, (info, value) in enumerate(zip(infos, expected))]


def problem_of(got, expected, rtol, atol):
    """None when equal in type and shape and close in value, as `verify` asks; else what is wrong."""
    if isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            return f"{len(got) if isinstance(got, list) else type(got).__name__} elements, {len(expected)} expected"
        return next((found for pair in zip(got, expected) if (found := problem_of(*pair, rtol, atol))), None)
    if isinstance(expected, dict):
        if not isinstance(got, dict) or set(got) != set(expected):
            return "other keys"
        apart = (key for key in expected if not same(np.asarray(got[key]), np.asarray(expected[key]), rtol, atol))
        return next((f"key {key}" for key in apart), None)
    if expected is None or got is None:
        return None if got is expected else f"{got!r}, {expected!r} expected"
    got, expected = np.asarray(got), np.asarray(expected)
    if got.dtype.kind in "OU" and expected.dtype.kind in "OU":
        text = lambda array: [item.decode() if isinstance(item, bytes) else str(item) for item in array.ravel()]
        return None if got.shape == expected.shape and text(got) == text(expected) else "other texts"
    if got.dtype != expected.dtype:
        return f"type {got.dtype}, {expected.dtype} expected"
    if got.shape != expected.shape:
        return f"shape {list(got.shape)}, {list(expected.shape)} expected"
    return None if same(got, expected, rtol, atol) else "other values"


def same(a, b, rtol, atol):
    if a.dtype.kind in "biu" or a.dtype.name in ("int4", "uint4", "int2", "uint2"):
        if a.dtype.kind == "b":
            return bool((a == b).all())
        wide = [x.astype(np.float64) for x in (a, b)]
        return bool((a == b).all() or (np.abs(wide[0] - wide[1]) <= atol + rtol * np.abs(wide[1])).all())
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        return bool(np.isclose(a.astype(wide), b.astype(wide), rtol=rtol, atol=atol, equal_nan=True).all())


def run(folder):
    """"" when the case passes, else why it does not."""
    model = onnx.load(folder / "model.onnx")
    tolerance = json.loads((folder / "tolerance.json").read_text()) if (folder / "tolerance.json").exists() else {}
    rtol, atol = tolerance.get("rtol", 1e-3), tolerance.get("atol", 1e-7)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        for data in sorted(folder.glob("test_data_set_*")):
            count = len(list(data.glob("input_*.pb")))
            feeds = {info.name: ort_value(read(data / f"input_{i}.pb", info), info)
                     for i, info in enumerate(given(model)[:count])}
            expected = [read(data / f"output_{i}.pb", info) for i, info in enumerate(model.graph.output)]
            odd = any(isinstance(value, onnxruntime.OrtValue) for value in feeds.values()) or any(
                isinstance(value, np.ndarray) and value.dtype.name in BITS for value in expected)
            outputs = bound_run(session, feeds, model.graph.output, expected) if odd else session.run(None, feeds)
            for i, info in enumerate(model.graph.output):
                found = problem_of(outputs[i], expected[i], rtol, atol)
                if found:
                    return f"output {info.name}: {found}"
    except NotFed as problem:
        return f"not fed: {problem}"
    except Exception as problem:
        return " ".join(str(problem).split())[:400] or type(problem).__name__
    return ""


def worker(folders, root, pipe):
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for folder in folders:
        pipe.send((str(folder.relative_to(root)), run(folder)))
    pipe.send(None)


def results(folders, root):
    """{case: why it fails, or ""}; a case that ends the process is named and the rest goes on in a new one."""
    found, rest = {}, list(folders)
    while rest:
        here, there = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=worker, args=(rest, root, there))
        process.start()
        there.close()
        ended = ""
        while True:
            try:
                if not here.poll(LIMIT):
                    ended = f"no end within {LIMIT} s"
                    process.kill()
                    break
                one = here.recv()
            except EOFError:
                ended = "ends the process"
                break
            if one is None:
                break
            found[one[0]] = one[1]
        process.join()
        rest = [folder for folder in rest if str(folder.relative_to(root)) not in found]
        if rest and ended:
            found[str(rest.pop(0).relative_to(root))] = f"{ended} (status {process.exitcode})"
    return found


def main():
    root, patterns = pathlib.Path(sys.argv[1]) / "cases", sys.argv[3:] or ["*"]
    folders = [path.parent for path in sorted(root.glob("*/*/model.onnx"))
               if any(fnmatch.fnmatch(str(path.parent.relative_to(root)), pattern) for pattern in patterns)]
    found = results(folders, root)
    pathlib.Path(sys.argv[2]).write_text(json.dumps(dict(sorted(found.items())), indent=0) + "\n")
    passed, unfed = sum(not why for why in found.values()), sum(why.startswith("not fed: ") for why in found.values())
    print(f"ONNX Runtime {onnxruntime.__version__}: {passed} of {len(found)} pass, {unfed} could not be fed",
          file=sys.stderr)


if __name__ == "__main__":
    main()
