"""report.html as text; how it behaves in a browser is in tests/browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Annotated, ClassVar

import pytest

from pytest_mlgates.config.controls import Control
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Evidence, Gate, Measurement, Outcome, Verdict
from pytest_mlgates.core.pictures import Histogram, Intervals, Lines, Point, Shares
from pytest_mlgates.report.build import build
from pytest_mlgates.report.model import EarlierGate, EarlierRun, EntryInfo, Scope
from pytest_mlgates.report.rows import states
from pytest_mlgates.writers.html_report.render import FULL, INLINE, page
from pytest_mlgates.writers.html_report.view import Piece

NOW = datetime(2026, 11, 24, tzinfo=UTC)
MARKUP = "<img src=x onerror=alert(1)></script><script>alert(1)</script>'\"&{{ 7 * 7 }}{% raw %}"


def piece(outcome="pass", **about):
    known = {
        "gate": "p99_latency", "policy": {"max_ms": 12.0}, "limit": "max_ms", "system": "bidder",
        "entry": "p99_latency", "test": "test_it", "verdict": Verdict(outcome, "P99 is 8 ms"),
        "measurement": Measurement(value=8.0, unit="ms", n=500, interval=(7.0, 9.0)),
    }  # fmt: skip
    return Evidence(**known | about)


def earlier(day, value):
    gate = EarlierGate(
        system="bidder", entry="p99_latency", status="pass", value=value, low=value - 1, high=None,
        limit=12, unit="ms",
    )  # fmt: skip
    return EarlierRun(
        finished=f"2026-11-0{day}T00:00:00+00:00", commit="c" * 40, outcome="pass",
        sha256="0" * 64, gates=(gate,),
    )  # fmt: skip


def report(evidence, waivers=(), history=(), **facts):
    entry = EntryInfo(entry="p99_latency", gate="p99_latency", source="bidder.yaml:4")
    scope = Scope(
        path="bidder.yaml", sha256="0" * 64, system="bidder", owner="ads", controls=("C-1",),
        entries=(entry,), profile=Profile(), waivers=waivers,
    )  # fmt: skip
    return build(list(evidence), [scope], [], {"finished": NOW.isoformat(), **facts}, NOW, history)


def piece_of(evidence):
    return Piece.of(evidence, "pass", report([evidence]))


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def tags(text):
    return [tag for tag, _ in Elements(text).found]


@pytest.mark.parametrize(
    "field", ["system", "entry", "test", "claim", "source", "subject", "seed", "gate", "limit"]
)
def test_recorded_text_never_becomes_an_element(field):
    plain = tags(page(report([piece(**{field: "plain"})])))
    assert tags(page(report([piece(**{field: MARKUP})]))) == plain


def test_measured_text_never_becomes_an_element():
    def seen(text):
        measurement = Measurement(
            value=1, unit=text, n=1, details={"findings": [text], "spoken": text, text: 1}
        )
        return page(report([piece(measurement=measurement, verdict=Verdict("fail", text))]))

    assert tags(seen(MARKUP)) == tags(seen("plain"))
    assert "49" not in re.findall(r"onerror=alert\(1\).{0,80}", seen(MARKUP))[0]


def test_nothing_but_its_own_script_and_style_may_run():
    text = page(report([piece()]))
    (policy,) = [a["content"] for tag, a in Elements(text).found if "http-equiv" in a]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        ((_, inside),) = re.findall(rf"<({tag})>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    for _, attributes in Elements(text).found:
        assert "style" not in attributes  # the policy would drop it
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#")[0] == "#"
        assert "src" not in attributes


def packed(text):
    found = re.search(r'id="packed">([^<]+)<', text)[1]
    return json.loads(gzip.decompress(base64.b64decode(found)))


def test_five_hundred_pieces_take_less_than_two_megabytes():
    chance = random.Random(1)
    many = []
    for i in range(FULL):
        details = {
            "histogram": {
                "counts": [chance.randrange(500) for _ in range(30)],
                "from_ms": [1.26**i for i in range(30)],
            },
            "slowest": {
                "calls": 5, "from_ms": 9.0, "share_of_time": {},
                "stages": {f"stage {i}": chance.random() for i in range(8)},
            },
            "findings": [f"a finding of some length, with its number {chance.random()}"] * 3,
            "more": {f"number {i}": chance.random() for i in range(200)},
        }  # fmt: skip
        value = chance.uniform(1, 9)
        seen = Measurement(value=value, unit="ms", n=270, interval=(value, 9), details=details)
        many.append(
            piece(test=f"test[{i}]", measurement=seen, subject_digest=chance.randbytes(32).hex())
        )
    text = page(report(many))
    assert text.count('<details class="piece"') == INLINE
    bodies = [line[5] for line in packed(text)]
    assert len(bodies) == FULL - INLINE
    assert all(body.count("<svg") >= 2 for body in bodies)
    assert len(text.encode()) < 2_000_000


def test_of_too_many_pieces_the_gravest_are_laid_out_and_the_rest_is_listed():
    many = [piece(test=f"test[{i}]") for i in range(FULL + 30)]
    bad = piece("fail", test="zz")
    text = page(report([*many, bad]))
    assert text.index('data-state="fail"') < text.index('data-state="pass"')
    rest = packed(text)
    assert len(rest) == FULL + 31 - INLINE
    assert {line[0] for line in rest} == {"pass"}
    assert [bool(line[5]) for line in rest] == [True] * (FULL - INLINE) + [False] * 31
    shown = set(re.findall(r'id="e-([0-9a-f]{16})"', text))
    assert shown | {line[4] for line in rest} == {e.digest[:16] for e in [*many, bad]}


def test_packed_text_is_escaped_too():
    calm, wild = (
        [piece(test=f"{i}", claim=text, verdict=Verdict("pass", text)) for i in range(INLINE + 5)]
        for text in ("plain", MARKUP)
    )
    for line, other in zip(packed(page(report(calm))), packed(page(report(wild))), strict=True):
        assert tags(line[5]) == tags(other[5])
        assert other[2] == MARKUP  # the script sets it as text


def test_a_text_of_ten_megabytes_is_cut():
    text = page(report([piece(verdict=Verdict("fail", "x" * 10**7), claim="y" * 10**7)]))
    assert len(text) < 100_000
    assert "10,000,000 characters" in text


def test_states_tell_caught_from_missed_and_waived():
    found = [
        piece("fail", role="known_bad", test="a"), piece("pass", role="known_bad", test="b"),
        piece("fail", test="c"),
    ]  # fmt: skip
    made = report(found)
    assert sorted(states(made).values()) == ["caught", "fail", "missed"]
    text = page(made)
    assert text.index('data-state="fail"') < text.index('data-state="missed"')
    assert text.index('data-state="missed"') < text.index('data-state="caught"')


def test_what_is_waived_undecided_and_missing_is_named():
    waiver = Waiver(
        gate="p99_latency", reason=MARKUP, approved_by="risk", owner="ads", expires="2027-01-01",
        source="bidder.yaml:9", up_to=9.0,
    )  # fmt: skip
    text = page(report([piece("fail")], [waiver]))
    assert text.count("Approved by risk, owner ads (bidder.yaml:9)") == 2  # above, and at the piece
    assert 'data-state="waived"' in text
    assert "up to 9" in text
    assert tags(text).count("img") == 0
    assert "is configured (bidder.yaml:4) and left no evidence" in page(report([]))


def test_earlier_runs_are_a_trend():
    text = page(report([piece()], history=[earlier(1, 7.0), earlier(2, 7.5)]))
    assert "p99_latency, the last 3 runs" in text
    assert 'aria-label="3 runs, from 7 to 8"' in text
    assert "trend</th>" not in page(report([piece()]))


def test_a_row_says_what_its_gate_does_not_see_and_how_often_it_ran():
    pieces = [piece(test=f"t{i}") for i in range(6)] + [piece("fail", test="bad")]
    text = page(report(pieces, seconds={"bidder: p99_latency": 12.25}))
    start = text.index('<th scope="row"><a href="#e-')
    row = text[start : text.index("</tbody>", start)]
    assert "Not seen: bursts longer than longest_burst" in row
    assert "1 of 7 runs" in row
    assert ">12.2 s<" in row
    assert 'href="#g-p99_latency">how to mend' in row
    assert 'id="g-p99_latency"' in text
    assert "To mend:</b> begin with the stage" in text


def test_shards_add_up_how_long_a_gate_took():
    shards = [{"seconds": {"bidder: p99_latency": 1.5}}, {"seconds": {"bidder: p99_latency": 2}}]
    assert ">3.5 s<" in page(report([piece()], shards=shards))
    assert 'data-label="took" class="num">-<' in page(report([piece()]))


def test_runs_of_one_commit_are_counted():
    history = [replace(earlier(day, 8), outcome=o) for day, o in ((1, "fail"), (2, "pass"))]
    text = page(report([piece()], history=history, commit={"id": "c" * 40, "dirty": False}))
    assert "run 3 of this commit, 1 before it did not pass" in text
    assert "of this commit" not in page(report([piece()], history=history))


def test_the_commands_of_a_piece():
    text = page(report([piece(test="tests/a b.py::test[x y]")], seed=7, profile="release"))
    assert "mlgates replay report.json --evidence " in text
    assert (
        "python -m pytest &#39;tests/a b.py::test[x y]&#39; --mlgates-seed 7 --mlgates-profile release"
        in text
    )


def test_a_gate_that_is_not_installed_is_shown_by_what_was_recorded():
    shown = piece_of(piece(gate="of_another_package"))
    assert [drawing.title for drawing in shown.drawings] == ["Measured, against the limit"]
    assert "limit 12" in shown.drawings[0].svg
    assert shown.policy == (("max_ms", "12", ""),)


@dataclass(frozen=True, kw_only=True)
class Painter(Gate):
    """Draws what a test says."""

    name: ClassVar[str] = "painter"
    shown: ClassVar[object] = ()
    top: Annotated[float, "any"] = 1.0

    def measure(self):
        """Not asked."""

    def decide(self, measurement, /):
        """Not asked."""
        return Verdict(Outcome.PASS, "so")

    def pictures(self, measurement):
        """Return, or raise, what the test set."""
        if isinstance(self.shown, Exception):
            raise self.shown
        return self.shown


@pytest.mark.parametrize(
    "shown",
    [
        ZeroDivisionError(), [Intervals("t", (Point("a", float("nan")),))],
        [Histogram("t", (1.0, 2.0), (1.0, 2.0))], [Shares("t", (Point("a", 0.0),))], ["no picture"],
        [Intervals("t", ())], [Shares("t", (Point("a", float("inf")),))], [Lines("t", ())],
        [Lines("t", (Point("a", 1.0),), at=(1.0, 2.0))], [Lines("t", (Point("a", float("nan")),))],
        [Histogram("t", (1.0, 2.0), (float("nan"),))],
    ],
)  # fmt: skip
def test_a_picture_that_can_not_be_drawn_leaves_the_plain_one(shown, monkeypatch):
    monkeypatch.setattr(Painter, "shown", shown)
    monkeypatch.setattr("pytest_mlgates.writers.html_report.view.load", lambda name: Painter)
    drawn = piece_of(piece(gate="painter", policy={"top": 9.0}, limit="top")).drawings
    assert [drawing.title for drawing in drawn] == ["Measured, against the limit"]


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (Intervals("t", (Point("white <b>", 1.0, -1.0, 2.0, bad=True),), "s", (-1.0, 1.0)),
         ["white <b>", "limit -1 and 1"]),
        (Histogram("t", (1.0, 10.0, 100.0), (5.0, 1.0), "ms", 12.0, (Point("P99", 20.0),)),
         ["P99: 20", "limit 12"]),
        (Shares("t", (Point("pods", 8000.0, bad=True), Point("rest", 2000.0)), "USD", 9000.0),
         ["pods: 8,000 USD (80%), counted as bad", "limit 9,000"]),
        (Shares("t", (Point("waste", 1e-9, bad=True), *(Point(f"p{i}", 1.0) for i in range(30)))),
         ["23 others: 23", "waste: 1e-09 (0%), counted as bad"]),
        (Lines("t", (Point("", 3.0, 1.0, 9.0), Point("", 2.0, 1.5, 3.0)), "%", (1.0,), (500.0, 5000.0),
               "calls"), ["limit 1", "calls →", "↑ %", "5,000"]),
        (Lines("t", tuple(Point(f"2026-11-{i:02}", 3.0 + i, bad=i == 9) for i in range(1, 29))),
         ["2026-11-01", "2026-11-28"]),
        (Intervals("t", tuple(Point(f"p{i}", i, bad=i == 29) for i in range(30))),
         ["p29", "and 10 more"]),
    ],
)  # fmt: skip
def test_a_picture_says_its_numbers_in_words(shown, words, monkeypatch):
    from xml.etree import ElementTree as Tree

    monkeypatch.setattr(Painter, "shown", [shown])
    monkeypatch.setattr("pytest_mlgates.writers.html_report.view.load", lambda name: Painter)
    (drawing,) = piece_of(piece(gate="painter", policy={})).drawings
    text = " | ".join(Tree.fromstring(drawing.svg).itertext())
    for word in words:
        assert word in text


def test_controls_name_the_gates_that_serve_them():
    made = report([piece()])
    control = Control(id="C-1", framework=f"F {MARKUP}", title=f"T {MARKUP}")
    text = page(replace(made, controls=(control,)))
    assert "<img" not in text
    assert "Filed under" in text
    assert "bidder: p99_latency PASS" in text
    assert "Filed under" not in page(made)
