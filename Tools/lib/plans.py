"""Writes what plans take beside what runs took; see Tools/bench --plans.

usage: plans.py SARDONYX [--no-page] [--json OUT] [--shape NAME=1,3,64,64] [MODEL …]
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import models

HEAD = ("| model | steps | all buffers | arena | of that the bound | scratch | packed | other | told | resident |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")


def answer(command):
    """What a command prints, as JSON."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()[:300]}")
    return json.loads(done.stdout)


def measure(program, name, path):
    feeds = models.random_inputs(name, path, 0)
    shapes = [word for key, value in feeds.items() for word in ("--shape", f"{key}={','.join(map(str, value.shape))}")]
    plan = answer([program, "inspect", str(path), "--json", *shapes])
    if "arena_bytes" not in plan:
        return None
    with tempfile.TemporaryDirectory() as folder:
        given = models.input_options(feeds, pathlib.Path(folder))
        run = answer([program, "bench", str(path), "--json", "--seconds", "0.1", "--threads", "2", *given])
    return {"model": name, "resident_mb": run["peak_mb"] - run["base_mb"],
            **{key: value for key, value in plan.items() if key.endswith("_bytes") or key in ("steps", "peak_memory_is_exact")}}


def cells(row):
    def mb(key):
        return f"{row[key] / (1 << 20):.1f}"
    bound = row["arena_lower_bound_bytes"] / row["arena_bytes"] if row["arena_bytes"] else 1
    least = "" if row["peak_memory_is_exact"] else "≥ "
    return (f"| {row['model']} | {row['steps']} | {mb('buffer_bytes')} | {mb('arena_bytes')} | {bound:.1%} | "
            f"{mb('workspace_bytes')} | {mb('packed_weight_bytes')} | {mb('constant_bytes')} | {least}{mb('peak_memory_bytes')} | "
            f"{row['resident_mb']:.1f} |")


def main():
    arguments = models.Arguments().read()
    print(HEAD, flush=True)
    rows = []
    for name, path in models.find(arguments.models):
        if row := measure(arguments.sardonyx, name, path):
            rows.append(row)
            print(cells(row), flush=True)
    closest = sum(row["arena_lower_bound_bytes"] == row["arena_bytes"] for row in rows)
    closing = f"{closest} of {len(rows)} arenas are as small as any placement of their buffers could be."
    print(closing)
    if not arguments.no_page and not arguments.models:
        text = (f"Measured by `Tools/bench --plans` on {models.machine()}, 2 threads; MB of 1,048,576 bytes. All buffers: values and "
                "scratch if nothing shared memory. Of that the bound: the largest sum of buffers alive at one step, as a share of "
                "the arena. Told: arena, packed weights and other constants, before the run. Resident: the process's peak less what "
                "it was before the model was opened, with inputs, outputs, the graph and the program's own pages.")
        models.write_section(
            models.TOP / "Docs/Planning.md", "plans", f"{text}\n\n{HEAD}\n" + "\n".join(map(cells, rows)) + f"\n\n{closing}",
            "Planning")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
