"""Exits 1 unless the packages named on the command line are installed in the versions of pins.txt."""

import importlib.metadata
import pathlib
import sys


def pins():
    lines = pathlib.Path(__file__).with_name("pins.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def installed(name):
    try:
        # "+cpu" and the like name a build of the same version.
        return importlib.metadata.version(name).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    wanted = pins()
    sys.exit(any(installed(name) != wanted[name] for name in sys.argv[1:]))
