"""What the parts of Tools/imaging share: running the command, and one line a check."""
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

import nibabel
import numpy as np

TEMPLATES = pathlib.Path("/usr/share/mricron/templates")


@dataclasses.dataclass
class Bench:
    """The program under test, a folder to work in, and what the checks said so far."""

    program: str
    folder: pathlib.Path
    models: pathlib.Path
    failed: int = 0
    passed: int = 0
    left_out: int = 0

    def check(self, name, holds, figure):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'pass' if holds else 'FAIL'}  {name}: {figure}", flush=True)

    def leave_out(self, name, reason):
        self.left_out += 1
        print(f"LEFT OUT  {name}: {reason}", flush=True)

    def note(self, name, figure):
        print(f"      {name}: {figure}", flush=True)

    def run(self, *arguments, expect=0):
        """Runs the program; gives its result, with `peak`, its most resident bytes. Another exit code is a failure."""
        command = [self.program, *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # A process that Python starts counts Python's own memory in ru_maxrss; the program's own peak is asked for
        # until it is gone.
        peak = [0]
        watch = threading.Thread(target=follow, args=(process.pid, peak))
        watch.start()
        output = process.stdout.read()
        process.wait()
        watch.join()
        process.stdout.close()
        if expect is not None and process.returncode != expect:
            shown = " ".join(command)
            raise RuntimeError(f"{shown}\nended with {process.returncode}, expected {expect}:\n{output}")
        done = subprocess.CompletedProcess(command, process.returncode, output)
        done.peak = peak[0]
        return done

    def fresh(self, *parts):
        """An empty folder."""
        path = self.folder.joinpath(*parts)
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def pipeline(self, name, model, fields):
        """A pipeline's folder; `fields` is written as JSON, which YAML contains."""
        path = self.fresh("pipelines", name)
        os.link(model, path / "model.onnx") if same_device(model, path) else shutil.copy(model, path / "model.onnx")
        (path / "pipeline.yaml").write_text(json.dumps({"name": name, **fields}, indent=1))
        return path

    def apply(self, pipeline, *inputs, options=(), expect=0):
        """Applies a pipeline; gives the folder of the first study's results and what the program said."""
        output = self.fresh("results", pipeline.name)
        done = self.run("apply", pipeline, *inputs, "--output", output, *options, expect=expect)
        return next((p for p in sorted(output.iterdir()) if p.is_dir()), output), done


def follow(pid, peak):
    """Leaves in peak[0] the most bytes that were resident in a process, asked for every 5 ms."""
    while True:
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        if not found:  # it has ended
            return
        peak[0] = max(peak[0], int(found[1]) * 1024)
        time.sleep(0.005)


def same_device(a, b):
    return os.stat(a).st_dev == os.stat(b).st_dev


def voxels(path):
    return np.asarray(nibabel.load(path).dataobj)


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / max(1, np.count_nonzero(a) + np.count_nonzero(b))


def part(bench, title, function):
    """Runs one part; what stops it is a failed check, and the other parts go on."""
    try:
        function(bench)
    except Exception as error:  # noqa: BLE001
        bench.check(title, False, f"{type(error).__name__}: {error}")
        if os.environ.get("IMAGING_TRACE"):
            sys.excepthook(*sys.exc_info())
