"""Pages that tools write, and the line about the machine at their heads. Needs no package."""

import pathlib

TOP = pathlib.Path(__file__).resolve().parents[2]


def write_section(path, name, text, title):
    """Puts text between the marks of that name in a page, which keeps everything else."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = path.read_text() if path.exists() else f"# {title}\n\n{begin}\n{end}\n"
    if begin not in page:
        page += f"\n{begin}\n{end}\n"
    head, rest = page.split(begin, 1)
    path.write_text(f"{head}{begin}\n{text.strip()}\n{rest[rest.index(end):]}")


def machine():
    """One line about this machine, for the head of a table."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    flags = next((line.split() for line in lines if line.startswith(("flags", "Features"))), [])
    isa = next((name for name in ("avx512f", "avx2", "asimd") if name in flags), "baseline")
    return f"{cpu}, {len([line for line in lines if line.startswith('processor')])} CPUs, {isa}"
