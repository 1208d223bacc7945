"""Docs/Benchmarks.md: what bench.py measured, as tables and pictures."""

import pages
import plots
from bench_rows import FIRST, against, best, factor, figure, keys_of, label, mark, mean, means, notes, share
from engines import LIMIT, OURS, PEER_LIMIT, REFERENCE, TITLES

SERIES = {key: plots.Series(title, *style) for (key, title), style in zip(TITLES.items(), plots.STYLES)}
PAGE, PICTURES = pages.TOP / "Docs/Benchmarks.md", pages.TOP / "Docs/Images"


def about_line(about):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    count = f"{about['rounds']} round" + "s" * (about["rounds"] != 1)
    return (f"{about['machine']}; {about['threads']} threads, {count} of {about['seconds']:g} s a program; "
            f"{versions}; load average before, {about['load']:.1f}"
            + (": **the machine was busy with other work, and times say little**" if about["load"] > 1 else ""))


def table(head, rows):
    numbers = len(head) - 1
    return "\n".join([f"| {' | '.join(head)} |", "| --- |" + " ---: |" * numbers] + [f"| {' | '.join(row)} |" for row in rows])


def summary_table(rows):
    peers = [key for key in keys_of(rows) if key != OURS]
    head = ["peer's by ours", *(TITLES[key] for key in peers), "the best of them", "lowest", "above 1"]
    return table(head, [
        [what, *(mean(ratios[key]) for key in peers), mean(ratios["best"]), f"{min(ratios['best'], default=0):.2f}",
         f"{sum(ratio > 1 for ratio in ratios['best'])} of {len(ratios['best'])}"] for what, ratios in means(rows)])


def picture(name, text, alternative):
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / name).write_text(text)
    return f"![{alternative}](Images/{name})"


def bars(rows, field, title, axis, sides):
    """Each peer's figure by ours."""
    peers = [key for key in keys_of(rows) if key != OURS]

    def cell(row, key):
        what, ours = row["engines"].get(key, {}), row["engines"][OURS]
        if "ms" not in what or "ms" not in ours:
            return "failed"
        if key not in row["peers"]:
            return "wrong"
        return against(row, key, field)

    return plots.ratio_bars(title, axis, [SERIES[key] for key in peers],
                            [(row["model"], [cell(row, key) for key in peers]) for row in rows], sides)


def models_section(about, rows):
    keys = keys_of(rows)
    titles = [TITLES[key] for key in keys]

    def part(field, extra_head=(), extra=lambda row: []):
        return table(["model", *titles, *extra_head],
                     [[row["model"], *(figure(row, key, field) for key in keys), *extra(row)] for row in rows])

    text = [
        f"Measured by `Tools/bench` on {about_line(about)}. A round runs each program once, in a process of its own, in turn, "
        "so that a drift of the machine's speed hits all alike. All compute in single precision.",
        f"{sum(row['right'] for row in rows)} of {len(rows)} models right: what ours gives differs from ONNX Runtime's by at "
        f"most {LIMIT:.0e}. Over these, the geometric means of each peer's figures by ours (above 1: sardonyx is faster, starts "
        "sooner, takes less):",
        summary_table(rows),
        "## Time",
        picture("bench-time.svg", bars(
            rows, "ms", "Time per run: each peer's by sardonyx's", "peer's time / sardonyx's time, per run",
            ("peer is faster", "sardonyx is faster")), "Each peer's time by sardonyx's, per model"),
        "Milliseconds per run: the median of a round's runs after the first, and the best round's. Ratio: the fastest peer's "
        "time by ours, median over the rounds (above 1: sardonyx is the fastest).",
        part("ms", ["ratio"], lambda row: [factor(row.get("ratio")) + mark(row)]) if not about["peak_gflops"] else
        f"Of peak: our share of the {about['peak_gflops']:.0f} GFLOP/s of multiply-adds that the threads reached at the start, "
        "by the operators' own arithmetic, of which Winograd's algorithm saves a part: it can be more than 100 %.\n\n"
        + part("ms", ["ratio", "of peak"], lambda row: [factor(row.get("ratio")) + mark(row), share(row, about)]),
        "## Start",
        picture("bench-start.svg", bars(
            rows, "start_ms", "Start: each peer's by sardonyx's", "peer's start / sardonyx's start",
            ("peer starts sooner", "sardonyx starts sooner")), "Each peer's start by sardonyx's, per model"),
        "Milliseconds from the file to the first output: read, compile, pack, run once; the least of the rounds. The conversion "
        "of a model into MNN's own format, beforehand, is not counted.",
        part("start_ms"),
        "## Memory",
        picture("bench-memory.svg", bars(
            rows, "mb", "Memory: each peer's by sardonyx's", "peer's memory / sardonyx's memory",
            ("peer takes less", "sardonyx takes less")), "Each peer's memory by sardonyx's, per model"),
        "Megabytes: the most that was resident, less what was before the model was opened; the least of the rounds. Ratio: "
        "the leanest peer's by ours.",
        part("mb", ["ratio"], lambda row: [factor(best(row, "mb"))]),
        "## Difference",
        f"max |a − b| / max |b| over the outputs, b being ONNX Runtime's. A peer above {PEER_LIMIT:.0e} does not count; a row "
        f"where ours is above {LIMIT:.0e} does not count in the means, and is compared with double precision below. The "
        "`light_` models are onnx's own test graphs with constant weights: all their classes are alike, and where huge numbers "
        "enter their softmax its answer hangs on the last bits of sums, so that a peer can be far off without a fault.",
        table(["model", *(TITLES[key] for key in keys if key != REFERENCE)],
              [[row["model"], *(figure(row, key, "difference") + (mark(row) if key == OURS else "")
                                for key in keys if key != REFERENCE)] for row in rows]),
    ]
    return "\n\n".join(part for part in [*text, notes(rows)] if part)


def sweep_table(section, rows, field):
    keys = keys_of(rows)
    return table([*FIRST[section], *(TITLES[key] for key in keys), *(["ratio"] if field == "ms" else [])],
                 [[*label(section, row), *(figure(row, key, field) for key in keys),
                   *([factor(row.get("ratio")) + mark(row)] if field == "ms" else [])] for row in rows])


def size_section(about, rows):
    keys, plotted = keys_of(rows), []
    for field, axis in (("ms", "time per run, ms"), ("mb", "memory, MB")):
        for name in dict.fromkeys(row["model"] for row in rows):
            of_model = [row for row in rows if row["model"] == name]
            axes = of_model[0]["axes"]
            lines = [[(row["side"], row["engines"][key][field], key == OURS or key in row["peers"])
                      for row in of_model if "ms" in row["engines"].get(key, {})] for key in keys]
            labels = {row["side"]: f"{row['side']}{'²' if axes == 2 else '³'}" for row in of_model}
            plotted.append((name, "image, pixels" if axes == 2 else "volume, voxels", axis, labels, lines))
    image = plots.panels("Cost against image size", [SERIES[key] for key in keys], plotted)
    return "\n\n".join(part for part in [
        "## Cost against image size",
        f"Measured by `Tools/bench --sweep size` on {about_line(about)}. Both axes of each plot are logarithmic; "
        "hollow marks are of outputs that are wrong.",
        picture("bench-size.svg", image, "Time and memory against image size"),
        "Milliseconds per run:", sweep_table("size", rows, "ms"),
        "Megabytes:", sweep_table("size", rows, "mb"), notes(rows)] if part)


def threads_section(about, rows):
    keys = keys_of(rows)
    counts = sorted({row["threads"] for row in rows})
    single = {row["model"]: row for row in rows if row["threads"] == counts[0]}
    speedups = []
    for row in rows:
        if row["threads"] == counts[-1]:
            cells = []
            for key in keys:
                one, many = (r["engines"].get(key, {}).get("ms") for r in (single[row["model"]], row))
                cells.append(one / many if one and many else "failed")
            speedups.append((row["model"], cells))
    image = plots.ratio_bars(
        f"What {counts[-1]} threads bring", f"time with {counts[0]} thread / time with {counts[-1]}",
        [SERIES[key] for key in keys], speedups, ("slower", "faster"))
    return "\n\n".join(part for part in [
        "## Cost against threads",
        f"Measured by `Tools/bench --sweep threads` on {about_line(about)}. Milliseconds per run.".replace(
            f"{about['threads']} threads, ", ""),
        picture("bench-threads.svg", image, f"The gain from {counts[-1]} threads, per model"),
        sweep_table("threads", rows, "ms"), notes(rows)] if part)


SECTIONS = {"models": models_section, "size": size_section, "threads": threads_section}
# Marks in the page.
MARKS = {"models": "bench", "size": "size", "threads": "threads"}


def write(section, about, rows):
    pages.write_section(PAGE, MARKS[section], SECTIONS[section](about, rows), "Benchmarks")
