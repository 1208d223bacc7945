"""What the rows that bench.py measures say: figures beside each other, means, and lines as they are printed."""

import statistics

from engines import OURS, PEERS, TITLES

FIRST = {"models": ["model"], "size": ["model", "size"], "threads": ["model", "threads"]}


def label(section, row):
    if section == "size":
        return [row["model"], f"{row['side']}{'²' if row['axes'] == 2 else '³'}"]
    return [row["model"], str(row["threads"])] if section == "threads" else [row["model"]]


def keys_of(rows):
    return [key for key in TITLES if any(key in row["engines"] for row in rows)]


def figure(row, key, field):
    value = row["engines"].get(key, {}).get(field)
    if value is None:
        return "failed" if "error" in row["engines"].get(key, {}) else "–"
    if field == "difference":
        return f"{value:.0e}"
    doubt = "" if key == OURS or key in row["peers"] else " †"
    return (f"{value:.2f}" if field == "ms" and value < 100 else f"{value:.0f}") + doubt


def factor(value):
    return f"{value:.2f}" if value else "–"


def against(row, key, field):
    """A peer's figure by ours; None where it does not count. Memory under 1 MB is measured in pages: it counts as 1."""
    if key in row["peers"] and "ms" in row["engines"][OURS]:
        theirs, ours = (row["engines"][who][field] for who in (key, OURS))
        return max(theirs, 1) / max(ours, 1) if field == "mb" else theirs / ours


def best(row, field):
    """The best peer's figure by ours. For the time, the rounds' median."""
    if field == "ms":
        return row.get("ratio")
    return min((against(row, key, field) for key in row["peers"]), default=None) if "ratio" in row else None


FIELDS = {"ms": "time", "start_ms": "start", "mb": "memory"}


def means(rows):
    """[(what, {peer, or "best": [its figure by ours in each row where ours is right]})]."""
    found = []
    for field, what in FIELDS.items():
        ratios = {key: [against(row, key, field) for row in rows if row["right"]] for key in keys_of(rows) if key != OURS}
        ratios["best"] = [best(row, field) for row in rows if row["right"]]
        found.append((what, {key: [ratio for ratio in several if ratio] for key, several in ratios.items()}))
    return found


def mean(ratios):
    return f"{statistics.geometric_mean(ratios):.2f}" if ratios else "–"


def summary(rows):
    text = [f"{sum(row['right'] for row in rows)} of {len(rows)} models right."]
    for what, ratios in means(rows):
        if ratios["best"]:
            text.append(f"{what.capitalize()}: geometric mean of the best peer's by ours {mean(ratios['best'])}, lowest "
                        f"{min(ratios['best']):.2f}, above 1 in {sum(ratio > 1 for ratio in ratios['best'])}.")
    return " ".join(text)


def mark(row):
    """What keeps a row out of the mean: ours above the limit, which a note explains."""
    return "" if row["right"] else " **above**"


def share(row, about):
    """Ours of the peak, by the operators' own arithmetic."""
    if not (about["peak_gflops"] and row["macs"] and "ms" in row["engines"][OURS]):
        return "–"
    return f"{2e-4 * row['macs'] / row['engines'][OURS]['ms'] / about['peak_gflops']:.0f} %"


def notes(rows):
    """Why programs failed, and what stands above the limit."""
    found = []
    for row in rows:
        name = " ".join(label("size" if "side" in row else "models", row))
        for key, what in row["engines"].items():
            if "error" in what:
                found.append(f"- {name}: {TITLES[key]} failed: `{what['error'].replace('`', chr(39))}`")
            elif key in PEERS and key not in row["peers"]:
                found.append(f"- † {name}: {TITLES[key]}'s outputs are off by {what['difference']:.0e}; its figures do not count.")
        if "in_double" in row:
            errors = ", ".join(f"{TITLES[key]} {error:.1e}" for key, error in row["in_double"].items())
            found.append(f"- {name}: against the same network in double precision: {errors}.")
    return "\n".join(dict.fromkeys(found))


def head_line(section, peers):
    return f"{section}: " + ", ".join(FIRST[section] + [
        f"{TITLES[key]} ms / start ms / MB / difference" for key in [OURS, *peers]] + ["fastest peer's time by ours"])


def line(section, row):
    """A row as it is printed while the measuring goes on."""
    cells = [f"{key} failed ({what['error'][:60]})" if "error" in what else
             f"{key} {figure(row, key, 'ms')} / {what['start_ms']:.0f} / {what['mb']:.0f} / {what.get('difference', 0):.0e}"
             for key, what in row["engines"].items()]
    return f"{' '.join(label(section, row))}: {' | '.join(cells)} | {factor(row.get('ratio'))}{'' if row['right'] else ' WRONG'}"
