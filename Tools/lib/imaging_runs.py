"""What happens around a run: memory by the number of slices, kills at any time, a disk that is full."""
import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import nibabel
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MEMORY_SPREAD = 0.05
KILLS = 15
MOST_ROUNDS = 100
STUDIES = 6


def five_classes(path):
    """A 3D model of any size with five outputs that hardly computes: memory and files are what is looked at."""
    weights = np.random.default_rng(2).normal(0, 0.3, (5, 1, 1, 1, 1)).astype(np.float32)
    shape = ["n", 1, "d", "h", "w"]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])], "five",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 5, "d", "h", "w"])],
        [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def five_class_pipeline(bench, name, size, results):
    return bench.pipeline(name, five_classes(bench.folder / "five.onnx"), {
        "task": "segmentation", "labels": ["one", "two", "three", "four"],
        "input": {"channels": [{"name": "CT", "intensity": [{"scale": {"from": [0, 1000]}}]}], "axes": "SAR"},
        "tiling": {"scheme": "monai", "size": size, "overlap": 0.25},
        "output": {"activation": "softmax", "decision": "argmax"}, "results": results})


def memory(bench):
    pipeline = five_class_pipeline(bench, "five-classes", [32, 256, 256], {
        "image": "labels.nii.gz", "measures": "measures.json"})
    x = np.linspace(0, 9, 512)
    plane = (500 + 250 * np.sin(x)[:, None] + 240 * np.cos(2 * x)).astype(np.int16)
    peaks = []
    for count in (200, 400, 800):
        path = bench.folder / "tall.nii"
        header = nibabel.Nifti1Header()
        header.set_data_dtype(np.int16)
        header.set_data_shape((512, 512, count))
        header.set_sform(np.diag([0.7, 0.7, 1, 1]), 1)
        header["magic"] = b"n+1"
        header["vox_offset"] = 352
        with open(path, "wb") as file:
            file.write(header.binaryblock + bytes(4))
            for k in range(count):
                file.write(np.roll(plane, 3 * k).tobytes(order="F"))
        _, done = bench.apply(pipeline, path)
        peaks.append(done.peak)
        told = [x for x in done.stdout.splitlines() if "memory" in x or "expected" in x or x.startswith("time")]
        bench.note(f"memory, 512×512×{count}", f"{done.peak / 1e6:.0f} MB resident at most; it says: " + "; ".join(
            " ".join(x.split()) for x in told))
        path.unlink()
    spread = max(peaks) / min(peaks) - 1
    bench.check("memory, 200 to 800 slices", spread <= MEMORY_SPREAD, f"peaks within {100 * spread:.1f} %")


def small_studies(bench, count=STUDIES):
    folder = bench.fresh("studies")
    for n in range(count):
        image = np.random.default_rng(n).integers(0, 1000, (40, 30, 20 + n)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(image, np.diag([1, 1, 2, 1])), folder / f"study{n}.nii.gz")
    return folder


ALL_RESULTS = {"image": ["labels.nii.gz", "labels.nrrd"], "probabilities": "probabilities.nii",
               "picture": "overlay.png", "measures": ["measures.json", "measures.csv"]}


def contents(folder):
    """The results by their paths; of a provenance, which has times, what is the same in every run."""
    return {str(p.relative_to(folder)): provenance(p) if p.name == "provenance.json" else p.read_bytes()
            for p in sorted(folder.rglob("*")) if p.is_file()}


def provenance(path):
    """The keys of a provenance, its identity, and whether the files beside it are those that it tells of."""
    try:
        told = json.loads(path.read_bytes())
        return sorted(told), told["identity"], sorted(
            (pathlib.Path(each["path"]).name, each["sha256"]) for each in told["outputs"]) == sorted(
            (p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in path.parent.iterdir()
            if p.is_file() and p != path and not p.name.startswith("."))
    except (ValueError, KeyError) as error:
        return f"not whole: {error}"


def interruptions(bench):
    pipeline = five_class_pipeline(bench, "killed", [16, 32, 32], ALL_RESULTS)
    studies = small_studies(bench)
    whole = bench.fresh("results", "whole")
    began = time.monotonic()
    bench.run("apply", pipeline, studies, "--output", whole)
    length = time.monotonic() - began
    wanted = contents(whole)
    told = [found for name, found in wanted.items() if name.endswith("provenance.json")]
    bench.check("provenances of one run", len(told) == STUDIES and all(x[-1] is True for x in told),
                f"{len(told)}, whose SHA-256 are those of the files beside them")
    names = {p.name for p in whole.rglob("*") if p.is_file()}
    chance = random.Random(5)
    halves, left, wrong, kills, rounds = set(), set(), set(), 0, 0
    while kills < KILLS and rounds < MOST_ROUNDS:
        rounds += 1
        output = bench.fresh("results", "killed")
        for is_first in True, False:
            began = time.monotonic()
            process = subprocess.Popen([bench.program, "apply", pipeline, studies, "--output", output, "--resume"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                if process.wait(chance.uniform(0, length)) != 0:
                    wrong.add(f"a run that nobody killed ended with {process.returncode}")
                # Faster than the run that was timed, whose disk may have been busy.
                length = min(length, time.monotonic() - began) if is_first else length
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += process.wait() == -signal.SIGKILL
            # What bears a result's name is whole at any time, but for the hidden folders where results are made.
            for name, data in contents(output).items():
                path = pathlib.Path(name)
                if not path.parent.name.startswith(".") and path.name in names and data != wanted[name]:
                    halves.add(name)
        bench.run("apply", pipeline, studies, "--output", output, "--resume")
        found = contents(output)
        left |= found.keys() - wanted.keys()
        wrong |= {name for name in wanted if found.get(name) != wanted[name]}
        for path in output.rglob("*.nii.gz"):
            np.asarray(nibabel.load(path).dataobj)
    bench.check("killed, what stood there", not halves and kills >= KILLS,
                f"{kills} kills, half-written: {sorted(halves) or 'nothing'}")
    bench.check("killed, resumed results", not wrong,
                f"{len(wanted)} files as of one run, but for: {sorted(wrong) or 'none'}")
    bench.check("killed, temporary files", not left, f"left behind: {sorted(left)[:4] or 'none'}")


def full_disk(bench):
    if os.geteuid() != 0 and "IMAGING_NAMESPACE" not in os.environ:
        return in_namespace(bench)
    pipeline = five_class_pipeline(bench, "full", [16, 32, 32], {"image": "labels.nii.gz", "probabilities": "p.nii"})
    studies = small_studies(bench, 3)
    # The middle one is too large for the disk, the others are not.
    image = np.zeros((128, 128, 64), np.int16)
    nibabel.save(nibabel.Nifti1Image(image, np.eye(4)), studies / "study1.nii.gz")
    # What a study keeps between its parts does not fit; then that fits, but not the results beside it.
    for megabytes in (8, 34):
        one_full_disk(bench, pipeline, studies, megabytes)


def in_namespace(bench):
    """The same as root of a namespace of its own, where the system lets people make one."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    trial = [*unshare, "mount", "-t", "tmpfs", "tmpfs", bench.folder]
    allowed = subprocess.run(trial, capture_output=True, text=True)
    if allowed.returncode:
        return bench.leave_out("full disk", f"it takes root, or a namespace: {allowed.stderr.strip()}")
    done = subprocess.run([*unshare, sys.executable, *sys.argv[:3], "full-disk"],
                          env={**os.environ, "IMAGING_NAMESPACE": "1"}, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    if "LEFT OUT" in done.stdout:
        return bench.leave_out("full disk, in a namespace", "the lines above")
    bench.check("full disk, in a namespace", done.returncode == 0, f"exit {done.returncode}, the lines above")


def one_full_disk(bench, pipeline, studies, megabytes):
    disk = bench.fresh("disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", disk],
                             capture_output=True, text=True)
    if mounted.returncode:
        return bench.leave_out(f"full disk of {megabytes} MB", mounted.stderr.strip())
    try:
        done = bench.run("apply", pipeline, studies, "--output", disk / "out", expect=None)
        said = [x for x in done.stdout.splitlines() if "study1" in x]
        clear = done.returncode == 4 and any("out/study1" in x and "No space left" in x for x in said)
        bench.check(f"full disk of {megabytes} MB, what it says", clear,
                    f"exit {done.returncode}: {' | '.join(' '.join(x.split()) for x in said)[:300]}")
        others = all((disk / f"out/study{n}/p.nii").exists() for n in (0, 2))
        rest = [p.name for p in (disk / "out/study1").rglob("*")] if (disk / "out/study1").exists() else []
        bench.check(f"full disk of {megabytes} MB, the others", others and not rest, f"study1 left {rest or 'nothing'}")
    finally:
        subprocess.run(["umount", disk], check=False)
