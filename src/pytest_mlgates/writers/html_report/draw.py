"""Pictures of what gates show: a kilobyte or two each, and the same numbers as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pytest_mlgates.core.pictures import Histogram, Intervals, Lines, Picture, Point, Shares
from pytest_mlgates.core.words import number
from pytest_mlgates.writers.html_report.axis import Axis
from pytest_mlgates.writers.html_report.svg import CHARACTER, Canvas, short

__all__ = ["draw", "gauge", "numbers", "sane", "spark"]

_WIDTH = 640
_LABELS = 190
_RIGHT = 560
_ROW = 20
MAX_ROWS = 20
MAX_PARTS = 8
MAX_MARKS = 4
MAX_NUMBERS = 60


def draw(picture: Picture) -> str:
    """Return a picture as an ``<svg>`` element; its texts are escaped, its numbers finite."""
    match picture:
        case Intervals():
            return _intervals(picture)
        case Histogram():
            return _histogram(picture)
        case Shares():
            return _shares(picture)
    return _lines(picture)


def sane(picture: Picture) -> bool:
    """Tell whether there is something to draw, all of it finite."""
    points, others, filled = _content(picture)
    ends = [end for point in points for end in _ends(point)]
    return bool(filled and (ends or others)) and all(map(math.isfinite, [*ends, *others]))


def _content(picture: Picture) -> tuple[Sequence[Point], list[float], bool]:
    """Return the points of a picture, its other numbers, and whether it is of one piece."""
    match picture:
        case Histogram():
            limit = [] if picture.limit is None else [picture.limit]
            others = [*picture.edges, *picture.counts, *limit]
            return picture.marks, others, len(picture.edges) == len(picture.counts) + 1 > 1
        case Shares():
            limit = [] if picture.limit is None else [picture.limit]
            return picture.parts, limit, any(part.value > 0 for part in picture.parts)
        case Intervals():
            return picture.points, list(picture.limits), bool(picture.points)
    whole = bool(picture.points) and len(picture.at) in (0, len(picture.points))
    return picture.points, [*picture.limits, *picture.at], whole


def numbers(picture: Picture) -> tuple[tuple[str, ...], list[tuple[str, ...]], int]:
    """Return what a picture shows as a table: heading, rows, and how many rows were left out."""
    unit = f" ({picture.unit})" if picture.unit else ""
    heading: tuple[str, ...]
    rows: list[tuple[str, ...]]
    match picture:
        case Histogram():
            heading = (f"from{unit}", f"to{unit}", "count")
            edges = picture.edges
            rows = [
                (number(low), number(high), number(count))
                for low, high, count in zip(edges[:-1], edges[1:], picture.counts, strict=True)
            ]
        case Shares():
            heading = ("part", f"amount{unit}", "counted as bad")
            rows = [
                (part.label, number(part.value), "yes" if part.bad else "no")
                for part in picture.parts
            ]
        case Intervals():
            heading = ("", f"value{unit}", "from", "to")
            rows = [(point.label, *_words(point)) for point in picture.points]
        case _:
            heading = (picture.along, f"value{unit}", "from", "to")
            names = map(number, picture.at) if picture.at else (p.label for p in picture.points)
            rows = [
                (name, *_words(point)) for name, point in zip(names, picture.points, strict=True)
            ]
    return heading, rows[:MAX_NUMBERS], max(0, len(rows) - MAX_NUMBERS)


def _words(point: Point) -> tuple[str, str, str]:
    low, high = ("" if end is None else number(end) for end in (point.low, point.high))
    return number(point.value), low, high


def gauge(value: float, low: float, high: float, limit: float, worse: str) -> str:
    """Return a small picture for a table cell: the interval, the limit, and what lies beyond it."""
    # so that there is room beyond the limit, where a number should not be
    room = (1.25 if worse == "up" else -0.25) * limit
    axis = Axis.over([value, low, high, limit, room, 0.0], 4, 136)
    canvas = Canvas(140, 18, f"{number(low)} to {number(high)}, limit {number(limit)}")
    edge = axis.place(limit)
    left, right = (edge, axis.right) if worse == "up" else (axis.left, edge)
    if right > left:
        canvas.bar("beyond", left, 1, right, 16)
    canvas.line("axis", axis.left, 9, axis.right, 9)
    canvas.bar("interval", axis.place(low), 6, axis.place(high), 6)
    canvas.dot("value", axis.place(value), 9)
    canvas.line("limit", edge, 1, edge, 17)
    return str(canvas)


def spark(points: Sequence[Point], limit: float | None) -> str:
    """Return a small picture for a table cell: how a number went from run to run."""
    values = [point.value for point in points]
    limits = [] if limit is None else [limit]
    axis = Axis.over([*values, *limits], 24, 4)
    first, last = number(values[0]), number(values[-1])
    canvas = Canvas(110, 28, f"{len(values)} runs, from {first} to {last}")
    step = 98 / max(1, len(values) - 1)
    places = [(round(6 + step * i, 1), axis.place(value)) for i, value in enumerate(values)]
    for y in map(axis.place, limits):
        canvas.line("limit", 2, y, 108, y)
    canvas.path("polyline", "run", places)
    for point, (x, y) in zip(points, places, strict=True):
        if point.bad or point is points[-1]:
            canvas.dot("value bad" if point.bad else "value", x, y, 3)
    return str(canvas)


def _intervals(picture: Intervals) -> str:
    shown, more = _worst(picture.points, MAX_ROWS)
    ends = [end for point in shown for end in _ends(point)]
    axis = Axis.over([*ends, *picture.limits], _LABELS, _RIGHT)
    bottom = 8 + _ROW * len(shown)
    canvas = Canvas(_WIDTH, bottom + (48 if more else 34), picture.title)
    canvas.columns(axis, bottom, picture.unit)
    for i, point in enumerate(shown):
        y = 8 + _ROW * i + _ROW / 2
        kind = "bad" if point.bad else "good"
        canvas.text("label", _LABELS - 8, y + 4, short(point.label), "end", point.label)
        low, high = min(_ends(point)), max(_ends(point))
        if high > low:
            canvas.bar(f"interval {kind}", axis.place(low), y - 3, axis.place(high), 6)
        canvas.dot(f"value {kind}", axis.place(point.value), y)
        # a rounding error of sums is no number to print
        value = point.value if abs(point.value) > 1e-9 * (axis.high - axis.low) else 0.0
        canvas.text("number", _RIGHT + 8, y + 4, number(value))
    canvas.limits(axis, picture.limits, bottom, picture.unit)
    if more:
        canvas.text("label", 8, bottom + 44, f"and {more:,} more")
    return str(canvas)


def _histogram(picture: Histogram) -> str:
    limits = [] if picture.limit is None else [picture.limit]
    marked = [end for point in picture.marks for end in _ends(point)]
    axis = Axis.over([*picture.edges, *limits, *marked], 40, _RIGHT + 40)
    marks = sorted(picture.marks, key=lambda point: -point.value)[:MAX_MARKS]
    top = 16 + 14 * max(0, len(marks) - 1)
    bottom = top + 120
    canvas = Canvas(_WIDTH, bottom + 34, picture.title)
    canvas.columns(axis, bottom, picture.unit)
    # a root, so that the few calls of a tail can be seen beside the many of the bulk
    most = math.sqrt(max(picture.counts, default=0) or 1)
    for left, right, count in zip(
        picture.edges[:-1], picture.edges[1:], picture.counts, strict=True
    ):
        if count <= 0:
            continue
        height = round(math.sqrt(count) / most * (bottom - top), 1)
        beyond = picture.limit is not None and left >= picture.limit
        x, end = axis.place(left), axis.place(right)
        hint = f"{number(count)} from {number(left)} to {number(right)} {picture.unit}"
        kind = "bad bar" if beyond else "bar"
        canvas.bar(kind, x, bottom - height, max(end - 1, x + 1), height, hint)
    canvas.limits(axis, limits, bottom, picture.unit)
    for row, point in enumerate(marks):
        low, high = min(_ends(point)), max(_ends(point))
        x, y = axis.place(point.value), 10 + 14 * row
        if high > low:
            canvas.bar("interval", axis.place(low), bottom - 3, axis.place(high), 6)
        canvas.line("mark", x, y, x, bottom)
        words = f"{short(point.label)}: {number(point.value)}"
        # to the left, a name runs into no other: smaller marks begin below it
        wide = CHARACTER * len(words)
        past = x + wide > _WIDTH or (len(marks) > 1 and x > wide)
        canvas.text("label", x - 4 if past else x + 4, y + 4, words, "end" if past else "")
    return str(canvas)


def _shares(picture: Shares) -> str:
    parts = sorted((p for p in picture.parts if p.value > 0), key=lambda p: (not p.bad, -p.value))
    total = math.fsum(part.value for part in parts)
    shown, rest = parts[:MAX_PARTS], parts[MAX_PARTS:]
    for bad in (True, False):  # a part that is waste stays one when it is small
        if others := [part.value for part in rest if part.bad == bad]:
            shown.append(Point(f"{len(others)} others", math.fsum(others), bad=bad))
    limits = [] if picture.limit is None else [picture.limit]
    axis = Axis.over([total, *limits], 8, _RIGHT + 60, zero=True)
    bottom = 44
    canvas = Canvas(_WIDTH, bottom + 40 + _ROW * len(shown), picture.title)
    canvas.columns(axis, bottom, picture.unit)
    edge = 0.0
    for i, part in enumerate(shown):
        x, end = axis.place(edge), axis.place(edge + part.value)
        edge += part.value
        y = bottom + 40.0 + _ROW * i
        amount = f"{number(part.value)} {picture.unit}".strip()
        share = "" if picture.unit == "%" else f" ({part.value / total:.0%})"
        note = ", counted as bad" if part.bad else ""
        words = f"{short(part.label, 60)}: {amount}{share}{note}"
        for kind in ("wasted", "hatched") if part.bad else (f"part{i % 4}",):
            canvas.bar(kind, x, 14, end, 24, words)
            canvas.bar(kind, 8, y, 22, 12)
        canvas.text("label", 30, y + 10, words, full=part.label)
    canvas.limits(axis, limits, bottom, picture.unit)
    return str(canvas)


def _lines(picture: Lines) -> str:
    left, right, top, bottom = 64, 560, 12, 152
    canvas = Canvas(_WIDTH, bottom + 34, picture.title)
    ends = [end for point in picture.points for end in _ends(point)]
    up = Axis.over([*ends, *picture.limits], bottom, top)
    for tick in up.ticks():
        canvas.line("grid", left, up.place(tick), right, up.place(tick))
        canvas.text("tick", left - 6, up.place(tick) + 4, number(tick), "end")
    canvas.text("tick", left, bottom + 30, f"↑ {short(picture.unit, 24)}" if picture.unit else "")
    canvas.text("tick", right, bottom + 30, f"{short(picture.along, 40)} →", "end")
    canvas.line("axis", left, bottom, right, bottom)
    xs = _along(canvas, picture, left, right, bottom)
    if any(len(_ends(point)) > 1 for point in picture.points):
        over = [(x, up.place(max(_ends(p)))) for x, p in zip(xs, picture.points, strict=True)]
        under = [(x, up.place(min(_ends(p)))) for x, p in zip(xs, picture.points, strict=True)]
        canvas.path("polygon", "band", [*over, *reversed(under)])
    for limit in picture.limits:
        y = up.place(limit)
        canvas.line("limit", left, y, right, y)
        canvas.text("limit", right + 6, y + 4, f"limit {number(limit)}")
    places = [(x, up.place(p.value)) for x, p in zip(xs, picture.points, strict=True)]
    canvas.path("polyline", "run", places)
    for (x, y), point in zip(places, picture.points, strict=True):
        canvas.dot("value bad" if point.bad else "value good", x, y, 3.5)
    return str(canvas)


def _along(canvas: Canvas, picture: Lines, left: float, right: float, bottom: float) -> list[float]:
    """Return where the points stand, and write what stands below them."""
    if picture.at:
        axis = Axis.over(picture.at, left, right)
        xs = [axis.place(at) for at in picture.at]
        names = [(axis.place(tick), number(tick)) for tick in axis.ticks()]
    else:
        step = (right - left - 40) / max(1, len(picture.points) - 1)
        xs = [left + 20 + step * i for i in range(len(picture.points))]
        names = [(x, short(p.label, 16)) for x, p in zip(xs, picture.points, strict=True)]
    # the last is the present run, so its name comes before the others
    free = names[-1][0] - _half(names[-1][1])
    taken = -math.inf
    for i, (place, name) in enumerate(names):
        half = _half(name)
        if place - half > taken + 6 and (place + half < free - 6 or i == len(names) - 1):
            canvas.text("tick", place, bottom + 15, name, "middle")
            taken = place + half
    return xs


def _half(name: str) -> float:
    return 3.2 * len(name)


def _worst(points: Iterable[Point], most: int) -> tuple[list[Point], int]:
    """Keep the points given, in their order; of too many, those that are bad come first."""
    all_points = list(points)
    kept = sorted(range(len(all_points)), key=lambda i: not all_points[i].bad)[:most]
    return [all_points[i] for i in sorted(kept)], len(all_points) - len(kept)


def _ends(point: Point) -> list[float]:
    return [end for end in (point.low, point.value, point.high) if end is not None]
