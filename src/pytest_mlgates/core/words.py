"""Numbers, counts and texts as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = [
    "MAX_LINE", "a", "did_you_mean", "first", "install", "number", "one_line", "percent", "place",
    "plural", "printable", "shorten", "table",
]  # fmt: skip

#: characters of a text that other tools show
MAX_LINE = 1_000

#: how a line begins that a runner takes for a command, and what one takes anywhere
_COMMAND = re.compile(r"^(\s*)::|##(?=[\w.]*\[)")


def printable(text: str) -> str:
    r"""Keep a text on one line, and from steering the terminal.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'

    A CI system takes some lines for commands (``::stop-commands::x``, ``##[add-mask]x``,
    ``##vso[...]``); what was measured must not be one.

    >>> printable(" ::warning::x"), printable("a ##[group]b"), printable("t.py::test_a")
    (' : :warning::x', 'a # #[group]b', 't.py::test_a')
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if "::" in text or "##" in text:
        text = _COMMAND.sub(lambda found: f"{found[1]}: :" if found[1] is not None else "# #", text)
    return text


def shorten(text: str, longest: int) -> str:
    """Cut a text that is longer than ``longest`` characters.

    >>> shorten("a long label", 7), shorten("short", 7)
    ('a long…', 'short')
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def one_line(text: str, longest: int = MAX_LINE) -> str:
    r"""Return a text on one line: blanks folded, invisible characters escaped, cut at ``longest``.

    >>> one_line("two\n  lines\x07")
    'two lines\\x07'
    """
    # cut first and last: a text of megabytes is not looked through, an escape makes it longer
    return shorten(printable(" ".join(shorten(text, longest).split())), longest)


def first(lines: Iterable[str], most: int) -> list[str]:
    """Return the first ``most`` lines; a last one counts the others.

    >>> first(["a", "b", "c"], 2), first(["a", "b"], 2)
    (['a', 'b', 'and 1 more'], ['a', 'b'])
    """
    kept = list(lines)
    more = len(kept) - most
    return [*kept[:most], f"and {more:,} more"] if more > 0 else kept


def plural(count: int, noun: str, many: str = "") -> str:
    """Return a count of things.

    >>> plural(1, "line"), plural(2000, "line"), plural(2, "copy", "copies")
    ('1 line', '2,000 lines', '2 copies')
    """
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def a(noun: str) -> str:
    """Return a noun with its article.

    >>> a("int"), a("list"), a("NoneType")
    ('an int', 'a list', 'None')
    """
    if noun == "NoneType":
        return "None"
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"


def number(value: float) -> str:
    """Return a number as people read it: four significant digits.

    >>> number(8.13274), number(15000.0), number(0.00001)
    ('8.133', '15,000', '1e-05')
    """
    text = f"{value:.4g}"
    if "e" in text and 1e-4 <= abs(value) < 1e15:
        text = f"{value:,.0f}"
    elif "." not in text and "e" not in text:
        text = f"{int(text):,}"
    return text


def table(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with their columns aligned.

    >>> table([("a", "bc"), ("long", "d")])
    ['a     bc', 'long  d']
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def percent(share: float) -> str:
    """Return a share, from 0 to 1, in percent.

    >>> percent(0.01234), percent(1)
    ('1.23 %', '100 %')
    """
    return f"{100 * share:.3g} %"


def install(extra: str) -> str:
    """Return the command that installs an extra of this package.

    >>> install("pii")
    'pip install "pytest-mlgates[pii]"'
    """
    return f'pip install "pytest-mlgates[{extra}]"'


def did_you_mean(wrong: str, known: Sequence[str]) -> str:
    """Return the words that end an error about an unknown name.

    >>> did_you_mean("p99_latncy", ("p99_latency", "drift"))
    ": did you mean 'p99_latency'?"
    """
    from difflib import get_close_matches

    close = get_close_matches(str(wrong), known, n=1)
    if close:
        return f": did you mean {close[0]!r}?"
    return f": known are {', '.join(sorted(known))}" if known else ""


def place(source: str) -> tuple[str, int]:
    """Return the file and the line that the source of a policy names.

    >>> place("gate_configs/bidder.yaml:6"), place("a.yaml")
    (('gate_configs/bidder.yaml', 6), ('a.yaml', 1))
    """
    file, _, line = source.rpartition(":")
    return (file, max(1, int(line))) if file and line.isascii() and line.isdigit() else (source, 1)
