"""The rows of the version sweep, one module a kind of operator; see table.py."""

import importlib
import pathlib

from .table import ROWS


def load():
    """Every row of every module."""
    for path in sorted(pathlib.Path(__file__).parent.glob("*.py")):
        if path.stem not in ("__init__", "table"):
            importlib.import_module(f".{path.stem}", __package__)
    return ROWS
