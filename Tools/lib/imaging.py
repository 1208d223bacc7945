"""Checks of the built command on real data. imaging.py PROGRAM FOLDER [PART …]"""
import pathlib
import subprocess
import sys
import time

from imaging_brain import brain
from imaging_geometry import splines, tiles
from imaging_measures import measures
from imaging_runs import full_disk, interruptions, memory
from imaging_support import Bench, part
from imaging_zoo import models


def files(bench):
    command = [sys.executable, "Tools/lib/reference_files.py", bench.program]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    bench.check("files", done.returncode == 0, done.stdout.strip())


PARTS = {"files": files, "brain": brain, "models": models, "splines": splines, "tiles": tiles, "measures": measures,
         "memory": memory, "interruptions": interruptions, "full-disk": full_disk}


def main():
    names = sys.argv[3:]
    unknown = [x for x in names if x not in PARTS]
    if unknown:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    bench = Bench(sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path("Models").resolve())
    for name, function in PARTS.items():
        if not names or name in names:
            began = time.monotonic()
            part(bench, name, function)
            bench.note(name, f"{time.monotonic() - began:.0f} s")
    left_out = f", {bench.left_out} left out" * bool(bench.left_out)
    print(f"{bench.passed} passed, {bench.failed} failed{left_out}")
    sys.exit(1 if bench.failed else 0)


main()
