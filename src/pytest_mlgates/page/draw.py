"""Pictures as small inline SVG: a kilobyte or two each, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as Tree

from pytest_mlgates.canonical import printable
from pytest_mlgates.page.axis import Axis
from pytest_mlgates.pictures import Histogram, Intervals, Picture, Point, Shares
from pytest_mlgates.table import number

__all__ = ["draw", "gauge"]

_WIDTH = 640
_LABELS = 190
_RIGHT = 560
_ROW = 20
_MOST_ROWS = 20
_MOST_PARTS = 8
_LONGEST = 27


def draw(picture: Picture) -> str:
    """Return a picture as an ``<svg>`` element; its texts are escaped, its numbers finite."""
    if isinstance(picture, Intervals):
        return _intervals(picture)
    if isinstance(picture, Histogram):
        return _histogram(picture)
    return _shares(picture)


def gauge(value: float, low: float, high: float, limit: float) -> str:
    """Return a small picture for a table cell: the interval as a bar, the limit as a line."""
    axis = Axis.over([value, low, high, limit, 0.0], 4, 136)
    svg = _svg(140, 18, f"{number(low)} to {number(high)}, limit {number(limit)}")
    _line(svg, "axis", axis.left, 9, axis.right, 9)
    _bar(svg, "interval", axis.place(low), 6, axis.place(high), 6)
    _dot(svg, "value", axis.place(value), 9)
    _line(svg, "limit", axis.place(limit), 1, axis.place(limit), 17)
    return _text_of(svg)


def _intervals(picture: Intervals) -> str:
    shown, more = _worst(picture.points, _MOST_ROWS)
    ends = [end for point in shown for end in _ends(point)]
    axis = Axis.over([*ends, *picture.limits], _LABELS, _RIGHT)
    bottom = 8 + _ROW * len(shown)
    svg = _svg(_WIDTH, bottom + 34, picture.title)
    _grid(svg, axis, bottom, picture.unit)
    for i, point in enumerate(shown):
        y = 8 + _ROW * i + _ROW / 2
        kind = "bad" if point.bad else "good"
        _text(svg, "label", _LABELS - 8, y + 4, _short(point.label), "end", point.label)
        low, high = min(_ends(point)), max(_ends(point))
        if high > low:
            _bar(svg, f"interval {kind}", axis.place(low), y - 3, axis.place(high), 6)
        _dot(svg, f"value {kind}", axis.place(point.value), y)
        # a rounding error of sums is no number to print
        value = point.value if abs(point.value) > 1e-9 * (axis.high - axis.low) else 0.0
        _text(svg, "number", _RIGHT + 8, y + 4, number(value))
    _limits(svg, axis, picture.limits, bottom)
    if more:
        _text(svg, "label", _LABELS - 8, bottom + 30, f"and {more:,} more", "end")
    return _text_of(svg)


def _histogram(picture: Histogram) -> str:
    limits = [] if picture.limit is None else [picture.limit]
    marked = [end for point in picture.marks for end in _ends(point)]
    axis = Axis.over([*picture.edges, *limits, *marked], 40, _RIGHT + 40)
    top, bottom = 16, 136
    svg = _svg(_WIDTH, bottom + 34, picture.title)
    _grid(svg, axis, bottom, picture.unit)
    # a root, so that the few calls of a tail can be seen beside the many of the bulk
    most = math.sqrt(max(picture.counts, default=0) or 1)
    for left, right, count in zip(
        picture.edges[:-1], picture.edges[1:], picture.counts, strict=True
    ):
        height = round(math.sqrt(max(count, 0)) / most * (bottom - top), 1)
        beyond = picture.limit is not None and left >= picture.limit
        x, end = axis.place(left), axis.place(right)
        bar = _bar(
            svg, "bad bar" if beyond else "bar", x, bottom - height, max(end - 1, x + 1), height
        )
        Tree.SubElement(
            bar, "title"
        ).text = f"{number(count)} from {number(left)} to {number(right)} {picture.unit}"
    for point in picture.marks:
        low, high = min(_ends(point)), max(_ends(point))
        x = axis.place(point.value)
        _bar(svg, "interval", axis.place(low), bottom - 3, axis.place(high), 6)
        _line(svg, "mark", x, top - 2, x, bottom)
        _text(svg, "label", x + 4, top + 6, f"{_short(point.label)}: {number(point.value)}")
    _limits(svg, axis, limits, bottom)
    return _text_of(svg)


def _shares(picture: Shares) -> str:
    parts = sorted(picture.parts, key=lambda part: -part.value)
    rest = sum(part.value for part in parts[_MOST_PARTS:])
    shown = [part for part in parts[:_MOST_PARTS] if part.value > 0]
    if rest > 0:
        shown.append(Point("others", rest))
    total = sum(part.value for part in shown)
    limits = [] if picture.limit is None else [picture.limit]
    axis = Axis.over([total, *limits], 8, _RIGHT + 60, zero=True)
    bottom = 44
    svg = _svg(_WIDTH, bottom + 40 + _ROW * len(shown), picture.title)
    _grid(svg, axis, bottom, picture.unit)
    edge = 0.0
    for i, part in enumerate(shown):
        kind = f"{'bad ' if part.bad else ''}part part{i % 4}"
        x, end = axis.place(edge), axis.place(edge + part.value)
        bar = _bar(svg, kind, x, 14, end, 24)
        Tree.SubElement(bar, "title").text = f"{printable(part.label)}: {number(part.value)}"
        edge += part.value
        y = bottom + 40 + _ROW * i
        _bar(svg, kind, 8, y, 22, 12)
        share = f"{number(part.value)} {picture.unit}"
        share += "" if picture.unit == "%" else f" ({part.value / total:.0%})"
        note = ", counted as bad" if part.bad else ""
        _text(svg, "label", 30, y + 10, f"{_short(part.label, 60)}: {share}{note}", full=part.label)
    _limits(svg, axis, limits, bottom)
    return _text_of(svg)


def _worst(points: Iterable[Point], most: int) -> tuple[list[Point], int]:
    """Keep the points given, in their order; of too many, those that are bad come first."""
    all_points = list(points)
    kept = sorted(range(len(all_points)), key=lambda i: not all_points[i].bad)[:most]
    return [all_points[i] for i in sorted(kept)], len(all_points) - len(kept)


def _ends(point: Point) -> list[float]:
    return [end for end in (point.low, point.value, point.high) if end is not None]


def _short(label: str, longest: int = _LONGEST) -> str:
    shown = printable(label)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _svg(width: float, height: float, title: str) -> Tree.Element:
    svg = Tree.Element("svg", viewBox=f"0 0 {width:g} {height:g}", role="img")
    svg.set("aria-label", printable(title))
    svg.set("width", f"{width:g}")
    svg.set("height", f"{height:g}")
    return svg


def _grid(svg: Tree.Element, axis: Axis, bottom: float, unit: str) -> None:
    taken = -math.inf
    for tick in axis.ticks():
        x = axis.place(tick)
        _line(svg, "grid", x, 4, x, bottom)
        text = number(tick)
        # a label that would run into the last one is left out
        if x - taken > 7 * len(text):
            _text(svg, "tick", x, bottom + 15, text, "middle")
            taken = x
    _line(svg, "axis", axis.left, bottom, axis.right, bottom)
    _text(svg, "tick", axis.right, bottom + 30, printable(unit), "end")


def _limits(svg: Tree.Element, axis: Axis, limits: Sequence[float], bottom: float) -> None:
    for limit in limits:
        x = axis.place(limit)
        _line(svg, "limit", x, 2, x, bottom + 3)
    if limits:
        middle = sum(axis.place(limit) for limit in limits) / len(limits)
        words = " and ".join(map(number, limits))
        _text(svg, "limit", middle, bottom + 30, f"limit {words}", "middle")


def _bar(
    svg: Tree.Element, kind: str, left: float, y: float, right: float, height: float
) -> Tree.Element:
    place = {"x": left, "y": y, "width": max(round(right - left, 1), 0.5), "height": height}
    bar = Tree.SubElement(svg, "rect", {name: f"{value:g}" for name, value in place.items()})
    bar.set("class", kind)
    return bar


def _dot(svg: Tree.Element, kind: str, x: float, y: float) -> None:
    Tree.SubElement(svg, "circle", {"class": kind, "cx": f"{x:g}", "cy": f"{y:g}", "r": "4"})


def _line(svg: Tree.Element, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    Tree.SubElement(svg, "line", {"class": kind} | {k: f"{v:g}" for k, v in ends.items()})


def _text(
    svg: Tree.Element, kind: str, x: float, y: float, text: str, anchor: str = "", full: str = ""
) -> None:
    element = Tree.SubElement(svg, "text", {"class": kind, "x": f"{x:g}", "y": f"{y:g}"})
    if anchor:
        element.set("text-anchor", anchor)
    element.text = text
    if full and printable(full) != text:
        Tree.SubElement(element, "title").text = printable(full)


def _text_of(svg: Tree.Element) -> str:
    return Tree.tostring(svg, encoding="unicode")
