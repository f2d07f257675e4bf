"""Small inline SVG: elements that are escaped, coloured by the page's style sheet, and hint in words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pytest_mlgates.core.words import number, printable, shorten
from pytest_mlgates.writers.html_report.axis import Axis

__all__ = ["CHARACTER", "Canvas", "short"]

#: what a character of the pictures' font takes, in its own pixels
CHARACTER = 6.3
MAX_TEXT = 500


class Canvas:
    """A picture in the making; every text in it is escaped and on one line."""

    def __init__(self, width: float, height: float, title: str) -> None:
        size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
        self._parts = [f'<svg {size} role="img" aria-label="{_escaped(title)}">']

    def __str__(self) -> str:
        return "".join([*self._parts, "</svg>"])

    def bar(
        self, kind: str, left: float, y: float, right: float, height: float, hint: str = ""
    ) -> None:
        """Draw a filled rectangle; ``hint`` is shown when a pointer rests on it."""
        width = max(round(right - left, 1), 0.5)
        place = f'x="{left:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        self._parts.append(f'<rect class="{kind}" {place}{_around(hint, "rect")}')

    def dot(self, kind: str, x: float, y: float, radius: float = 4) -> None:
        """Draw a point."""
        self._parts.append(f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>')

    def line(self, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a straight line."""
        ends = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
        self._parts.append(f'<line class="{kind}" {ends}/>')

    def path(self, tag: str, kind: str, places: Sequence[tuple[float, float]]) -> None:
        """Draw a ``polyline`` or a ``polygon``."""
        points = " ".join(f"{x:g},{y:g}" for x, y in places)
        self._parts.append(f'<{tag} class="{kind}" points="{points}"/>')

    def text(
        self, kind: str, x: float, y: float, text: str, anchor: str = "", full: str = ""
    ) -> None:
        """Write a text; where ``full`` says more, it is shown when a pointer rests on it."""
        at = f' text-anchor="{anchor}"' if anchor else ""
        more = f"<title>{_escaped(full)}</title>" if full and full != text else ""
        self._parts.append(
            f'<text class="{kind}" x="{x:g}" y="{y:g}"{at}>{_escaped(text)}{more}</text>'
        )

    def columns(self, axis: Axis, bottom: float, unit: str) -> None:
        """Draw a horizontal axis: lines at round numbers, and the unit at the right."""
        taken = float("-inf")
        for tick in axis.ticks():
            x, text = axis.place(tick), number(tick)
            half = CHARACTER * len(text) / 2
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
            half = CHARACTER * len(words) / 2
            most = axis.right - CHARACTER * len(short(unit, 24)) - 10 - half  # the unit is there
            self.text("limit", max(half, min(middle, most)), bottom + 30, words, "middle")


def short(label: str, longest: int = 27) -> str:
    """Return a label that fits."""
    return shorten(printable(label[: 2 * longest]), longest)


def _escaped(text: str) -> str:
    return escape(printable(text[:MAX_TEXT]))


def _around(hint: str, tag: str) -> str:
    return f"><title>{_escaped(hint)}</title></{tag}>" if hint else "/>"
