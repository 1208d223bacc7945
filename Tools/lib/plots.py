"""Small SVG pictures for the pages: the same figures give the same bytes. Needs no package."""

import collections
import math
from xml.sax.saxutils import escape

Series = collections.namedtuple("Series", "name colour mark")
# Okabe and Ito's colours, which the colour-blind can tell apart, and marks for those who see none.
STYLES = [("#d55e00", "circle"), ("#0072b2", "square"), ("#009e73", "triangle"), ("#cc79a7", "diamond")]
INK, GREY, PALE = "#222222", "#666666", "#e4e4e4"


def short(number):
    """Three digits at most, without trailing zeros: 0.25, 7.5, 120."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


class Picture:
    def __init__(self, width, height, title):
        self.size, self.parts = (width, height), []
        self.text(width / 2, 22, title, anchor="middle", size=15, weight="bold")

    def line(self, x1, y1, x2, y2, colour=PALE, width=1.0):
        self.parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width="{width:g}"/>')

    def rect(self, x, y, width, height, colour, opacity=1.0):
        faded = f' opacity="{opacity:g}"' if opacity < 1 else ""
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"{faded}/>')

    def text(self, x, y, text, anchor="start", size=12, colour=INK, weight="", turn=False):
        turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
        bold = f' font-weight="{weight}"' if weight else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"'
                          f'{bold}{turned}>{escape(text)}</text>')

    def mark(self, kind, x, y, colour, filled=True):
        shapes = {
            "circle": f'circle cx="{x:.1f}" cy="{y:.1f}" r="4"',
            "square": f'rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"',
            "triangle": f'path d="M{x:.1f} {y - 5:.1f}l4.5 8h-9z"',
            "diamond": f'path d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5-5z"',
        }
        self.parts.append(f'<{shapes[kind]} fill="{colour if filled else "#ffffff"}" stroke="{colour}"/>')

    def path(self, points, colour):
        steps = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)
        self.parts.append(f'<path d="M{steps}" fill="none" stroke="{colour}" stroke-width="2"/>')

    def legend(self, y, series, with_marks):
        widths = [46 + 7 * len(each.name) for each in series]
        x = (self.size[0] - sum(widths)) / 2
        for each, width in zip(series, widths):
            if with_marks:
                self.line(x - 5, y - 4, x + 17, y - 4, each.colour, 2)
                self.mark(each.mark, x + 6, y - 4, each.colour)
            else:
                self.rect(x, y - 10, 12, 12, each.colour)
            self.text(x + 22, y, each.name)
            x += width

    def svg(self):
        width, height = self.size
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}" '
                f'viewBox="0 0 {width} {height:.0f}" font-family="Helvetica, Arial, DejaVu Sans, sans-serif">\n'
                f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


# Where the axis of bars has a tick; what lies beyond is cut and says its number.
RATIOS = [1 / 8, 1 / 4, 1 / 2, 3 / 4, 1, 1.5, 2, 3, 4, 6, 8, 12, 16]


def ratio_bars(title, axis, series, rows, sides):
    """Bars from 1 to each figure, on a logarithmic axis. rows: [(label, [figure or a word why there is none])], one for each
    of series. sides: what lies left and right of 1."""
    thick, gap, left, right, top = 7, 7, 190, 50, 92
    figures = [cell for _, cells in rows for cell in cells if not isinstance(cell, str)]
    low = max([tick for tick in RATIOS if tick <= min([0.75, *figures])], default=RATIOS[0])
    high = min([tick for tick in RATIOS if tick >= max([2, *figures])], default=RATIOS[-1])
    each = thick * len(series) + gap
    width, height = 860, top + each * len(rows) + 46
    picture = Picture(width, height, title)
    place = lambda value: left + (width - left - right) * math.log(min(max(value, low), high) / low) / math.log(high / low)
    picture.legend(48, series, False)
    bottom = height - 42
    for tick in RATIOS:
        if low <= tick <= high:
            picture.line(place(tick), top - 6, place(tick), bottom)
            for y in (top - 12, bottom + 16):
                picture.text(place(tick), y, f"{tick:g}", anchor="middle", size=11, colour=GREY)
    picture.text(place(1) - 12, top - 26, f"← {sides[0]}", anchor="end", size=11, colour=GREY)
    picture.text(place(1) + 12, top - 26, f"{sides[1]} →", size=11, colour=GREY)
    for i, (label, cells) in enumerate(rows):
        y = top + each * i
        if i % 2 == 0:
            picture.rect(0, y - gap / 2, left - 4, each, "#f5f5f5")
        picture.text(left - 10, y + each / 2 - gap / 2 + 4, label, anchor="end")
        for k, (cell, (_, colour, _)) in enumerate(zip(cells, series)):
            at = y + thick * k
            if isinstance(cell, str):
                picture.text(place(1) + 3, at + 6, cell, size=8, colour=GREY)
                continue
            first, last = sorted((place(1), place(cell)))
            picture.rect(first, at, max(last - first, 0.8), thick - 1, colour)
            if cell > high:
                picture.text(last + 3, at + 6, short(cell), size=8)
            elif cell < low:
                picture.text(first - 3, at + 6, short(cell), anchor="end", size=8)
    picture.line(place(1), top - 6, place(1), bottom, INK, 1.5)
    picture.text(left + (width - left - right) / 2, height - 10, axis, anchor="middle")
    return picture.svg()


def ticks(low, high):
    """1, 2 and 5 times powers of ten around an interval; only the powers where it is long."""
    steps = (1,) if high / low > 300 else (1, 2, 5)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [step * 10.0 ** power for power in powers for step in steps]
    first = max((t for t in found if t <= low), default=found[0])
    last = min((t for t in found if t >= high), default=found[-1])
    return [t for t in found if first <= t <= last]


def panels(title, series, plots):
    """Two panels a row, both axes logarithmic. plots: [(title, x axis, y axis, {x: label}, lines)], lines being, for each of
    series, [(x, y, whether it counts)]."""
    wide, tall, left, gap, top = 350, 240, 70, 80, 90
    picture = Picture(860, top + math.ceil(len(plots) / 2) * (tall + gap) - 30, title)
    picture.legend(48, series, True)
    for i, (name, x_axis, y_axis, labels, lines) in enumerate(plots):
        x0, y0 = left + (i % 2) * (wide + gap), top + (i // 2) * (tall + gap)
        values = [y for line in lines for _, y, _ in line]
        if not values:
            continue
        marks = ticks(min(values), max(values))
        across = math.log(max(labels) / min(labels)) or 1
        x_of = lambda x: x0 + 15 + (wide - 30) * math.log(x / min(labels)) / across
        y_of = lambda y: y0 + tall * (1 - math.log(y / marks[0]) / math.log(marks[-1] / marks[0]))
        picture.text(x0 + wide / 2, y0 - 10, name, anchor="middle", weight="bold")
        for y in marks:
            picture.line(x0, y_of(y), x0 + wide, y_of(y))
            picture.text(x0 - 6, y_of(y) + 4, short(y), anchor="end", size=11, colour=GREY)
        for x, label in labels.items():
            picture.line(x_of(x), y0, x_of(x), y0 + tall)
            picture.text(x_of(x), y0 + tall + 16, label, anchor="middle", size=11, colour=GREY)
        picture.line(x0, y0 + tall, x0 + wide, y0 + tall, GREY)
        picture.line(x0, y0, x0, y0 + tall, GREY)
        picture.text(x0 + wide / 2, y0 + tall + 36, x_axis, anchor="middle")
        picture.text(x0 - 44, y0 + tall / 2, y_axis, anchor="middle", turn=True)
        for k in reversed(range(len(lines))):
            points = [(x_of(x), y_of(y), counts) for x, y, counts in lines[k]]
            if points:
                picture.path(points, series[k].colour)
            for x, y, counts in points:
                picture.mark(series[k].mark, x, y, series[k].colour, counts)
    return picture.svg()
