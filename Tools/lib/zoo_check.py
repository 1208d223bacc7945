"""Runs SardonyxZoo over the models; see Tools/check --zoo.

usage: zoo_check.py SARDONYX_ZOO [MODEL …]
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import models


def main():
    program, *names = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        for number, (name, path) in enumerate(models.find(names)):
            arguments.append(str(path))
            for key, value in models.random_inputs(name, path, 0).items():
                file = pathlib.Path(folder) / f"{number}_{len(arguments)}.npy"
                np.save(file, value)
                arguments.append(f"{key}={file}")
        sys.exit(subprocess.run([program, *arguments], stdin=subprocess.DEVNULL).returncode)


if __name__ == "__main__":
    main()
