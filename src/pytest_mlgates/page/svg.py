"""Small inline SVG: elements that are escaped, coloured by the page's style sheet, and told in words."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Tree

from pytest_mlgates.canonical import printable
from pytest_mlgates.page.axis import Axis
from pytest_mlgates.table import number

__all__ = ["Canvas", "short"]

#: what a character of the pictures' font takes, in its own pixels
_CHARACTER = 6.3


class Canvas:
    """A picture in the making; every text in it is escaped and on one line."""

    def __init__(self, width: float, height: float, title: str) -> None:
        size = {"viewBox": f"0 0 {width:g} {height:g}", "width": f"{width:g}"}
        self.svg = Tree.Element("svg", {**size, "height": f"{height:g}", "role": "img"})
        self.svg.set("aria-label", printable(title))

    def __str__(self) -> str:
        return Tree.tostring(self.svg, encoding="unicode")

    def bar(
        self, kind: str, left: float, y: float, right: float, height: float, told: str = ""
    ) -> None:
        """Draw a filled rectangle; ``told`` is shown when a pointer rests on it."""
        place = {"x": left, "y": y, "width": max(round(right - left, 1), 0.5), "height": height}
        words = {name: f"{value:g}" for name, value in place.items()}
        bar = Tree.SubElement(self.svg, "rect", {"class": kind, **words})
        if told:
            Tree.SubElement(bar, "title").text = printable(told)

    def dot(self, kind: str, x: float, y: float, radius: float = 4) -> None:
        """Draw a point."""
        place = {"cx": f"{x:g}", "cy": f"{y:g}", "r": f"{radius:g}"}
        Tree.SubElement(self.svg, "circle", {"class": kind, **place})

    def line(self, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a straight line."""
        ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        words = {name: f"{value:g}" for name, value in ends.items()}
        Tree.SubElement(self.svg, "line", {"class": kind, **words})

    def path(self, tag: str, kind: str, places: Sequence[tuple[float, float]]) -> None:
        """Draw a ``polyline`` or a ``polygon``."""
        points = " ".join(f"{x:g},{y:g}" for x, y in places)
        Tree.SubElement(self.svg, tag, {"class": kind, "points": points})

    def text(
        self, kind: str, x: float, y: float, text: str, anchor: str = "", full: str = ""
    ) -> None:
        """Write a text; where ``full`` says more, it is shown when a pointer rests on it."""
        element = Tree.SubElement(self.svg, "text", {"class": kind, "x": f"{x:g}", "y": f"{y:g}"})
        if anchor:
            element.set("text-anchor", anchor)
        element.text = printable(text)
        if full and printable(full) != element.text:
            Tree.SubElement(element, "title").text = printable(full)

    def columns(self, axis: Axis, bottom: float, unit: str) -> None:
        """Draw a horizontal axis: lines at round numbers, and the unit at the right."""
        taken = float("-inf")
        for tick in axis.ticks():
            x, text = axis.place(tick), number(tick)
            half = _CHARACTER * len(text) / 2
            self.line("grid", x, 4, x, bottom)
            if x - half > taken + 6:  # a label that would run into the last one is left out
                self.text("tick", x, bottom + 15, text, "middle")
                taken = x + half
        self.line("axis", axis.left, bottom, axis.right, bottom)
        self.text("tick", axis.right, bottom + 30, short(unit, 24), "end")

    def limits(self, axis: Axis, limits: Sequence[float], bottom: float, unit: str) -> None:
        """Draw limits as upright lines on a horizontal axis, named below it."""
        for limit in limits:
            x = axis.place(limit)
            self.line("limit", x, 2, x, bottom + 3)
        if limits:
            words = "limit " + " and ".join(map(number, limits))
            middle = sum(axis.place(limit) for limit in limits) / len(limits)
            half = _CHARACTER * len(words) / 2
            most = axis.right - _CHARACTER * len(short(unit, 24)) - 10 - half  # the unit is there
            self.text("limit", max(half, min(middle, most)), bottom + 30, words, "middle")


def short(label: str, longest: int = 27) -> str:
    """Return a label that fits."""
    shown = printable(label[: 2 * longest])
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
