"""What follows from evidence; and every writer over the same reports."""

from __future__ import annotations

import dataclasses
import importlib
import json
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates import writers
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.core import Evidence, Measurement, Role, Verdict
from pytest_mlgates.core.files import put
from pytest_mlgates.report.build import build
from pytest_mlgates.report.model import EntryInfo, Scope
from pytest_mlgates.report.read import report_schema
from pytest_mlgates.report.replay import replay
from pytest_mlgates.session.terminal import show
from pytest_mlgates.writers import summary, write_all
from pytest_mlgates.writers.html_report.render import page

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FACTS = {"finished": NOW.isoformat()}

pieces = st.builds(
    lambda outcome, role, entry, test, attempt, digest: Evidence(
        gate="answer_length",
        policy={"max_chars": 10},
        verdict=Verdict(outcome, "so it is"),
        system="s",
        entry=entry,
        test=test,
        role=role,
        attempt=attempt,
        subject="m:f",
        subject_digest=digest,
        measurement=Measurement(value=1, unit="x", n=1),
    ),
    st.sampled_from(["pass", "fail", "inconclusive", "error"]),
    st.sampled_from(list(Role)),
    st.sampled_from(["a", "b", "stray"]),
    st.sampled_from(["t1", "t2"]),
    st.integers(1, 2),
    st.sampled_from([None, "d1", "d2"]),
)
profiles = st.builds(
    Profile,
    inconclusive=st.sampled_from(["fail", "warn"]),
    complete=st.booleans(),
    reruns=st.sampled_from(["all", "last"]),
)


def scope(profile):
    entries = tuple(EntryInfo(entry=e, gate="answer_length", source="c.yaml:4") for e in "ab")
    return Scope(
        path="c.yaml", sha256="0" * 64, system="s", owner="o", controls=("c",), entries=entries,
        profile=profile, waivers=(),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=6), profiles, st.lists(st.just("lost"), max_size=1), st.randoms())
def test_build(found, profile, lost, chance):
    made = build(found, [scope(profile)], lost, FACTS, NOW)
    mixed = list(found)
    chance.shuffle(mixed)
    assert build(mixed, [scope(profile)], lost, FACTS, NOW) == made
    data = json.loads(json.dumps(made.to_dict()))
    jsonschema.Draft202012Validator(report_schema()).validate(data)
    faults = [r.fault for r in replay(data) if r.name.startswith("summary")]
    assert faults == []
    gated = [e for e in made.evidence if e.role == Role.GATE and e.entry != "stray"]
    entries = {e.entry for e in gated}
    if made.outcome == "pass":
        assert not lost
        assert not made.problems
        assert not made.missing
        assert entries == {"a", "b"}
        assert all(e.outcome == "pass" for e in gated if profile.reruns == "all")
    if lost or (profile.complete and entries != {"a", "b"}):
        assert made.problems
    if any(e.outcome in ("fail", "error") for e in gated) and profile.reruns == "all":
        assert made.problems
        assert made.outcome in ("fail", "error")


def test_the_worst_of_one_identity_stands():
    good, bad = (
        Evidence(gate="g", policy={}, verdict=Verdict(o, "r"), system="s", entry="a", test="t")
        for o in ("pass", "fail")
    )
    for pair in ((good, bad), (bad, good)):
        (kept,) = build(pair, [scope(Profile())], [], {}, NOW).evidence
        assert kept.outcome == "fail"


HOSTILE = "<script>alert(1)</script> | **b** [x](javascript:1) \x1b[31m \u202e \ud800 `c`\nnext"


def hostile_report():
    piece = Evidence(
        gate="answer_length", policy={"max_chars": 10}, verdict=Verdict("fail", HOSTILE), system="s",
        entry="a", test=f"t[{HOSTILE}]", claim=HOSTILE, subject=HOSTILE,
        measurement=Measurement(value=1, unit=HOSTILE, n=1, details={"findings": [HOSTILE]}),
    )  # fmt: skip
    return build([piece], [scope(Profile())], [], FACTS, NOW)


def test_measured_text_becomes_no_markup():
    report = hostile_report()
    html = page(report)
    assert "<script>alert" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    text = summary.markdown(report)
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "\x1b" not in text
    assert "**b**" not in text
    assert all(line.startswith(("#", "|", "-")) for line in text.splitlines() if line)


def test_a_summary_calls_nobody():
    piece = Evidence(gate="g", policy={}, verdict=Verdict("fail", "@ops"), system="s", entry="a")
    assert "@ops" not in summary.markdown(build([piece], [scope(Profile())], [], FACTS, NOW))


def test_every_format_is_written(tmp_path):
    assert write_all(hostile_report(), tmp_path / "deep" / "folder") == []
    names = {file.name for file in (tmp_path / "deep" / "folder").iterdir()}
    assert {"report.json", "report.html", "summary.md"} <= names
    assert not any(name.startswith(".") for name in names)


def test_a_writer_that_breaks_takes_no_other_along(tmp_path, monkeypatch):
    """Neither a full disk nor a third party's mistake loses the report."""

    def full(report, folder):
        raise OSError(28, "No space left on device")

    def broken(report, folder):
        raise KeyError("secret text")

    ours = list(writers._writers())
    monkeypatch.setattr(
        writers,
        "_writers",
        lambda: [
            ("full", lambda: full),
            ("other", lambda: broken),
            ("third", lambda: importlib.import_module("not_there_at_all")),
            *ours,
        ],
    )
    faults = write_all(hostile_report(), tmp_path)
    assert faults == [
        f"{tmp_path}: can't be written: No space left on device",
        f"{tmp_path}: the writer 'other' broke: KeyError",
        f"{tmp_path}: the writer 'third' needs the module 'not_there_at_all'",
    ]
    assert (tmp_path / "report.json").exists()


def test_half_a_file_never_appears(tmp_path, monkeypatch):
    (tmp_path / "report.json").write_text("old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        put(tmp_path / "report.json", "new")
    assert (tmp_path / "report.json").read_text() == "old"


@pytest.mark.parametrize("state", ["writable", "a folder"])
def test_github_step_summary(tmp_path, monkeypatch, state):
    step = tmp_path / "step.md"
    if state == "a folder":
        step.mkdir()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    assert write_all(hostile_report(), tmp_path / "report") == []
    if state == "writable":
        assert step.read_text().startswith("## ML gates: FAIL")


def test_endless_text_makes_no_endless_report(tmp_path, monkeypatch):
    """Ten megabytes in each field: report.json holds them, what people read does not."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    text = "<b>\x00\u202e" * 2_000_000
    about = dict.fromkeys(("test", "claim", "subject", "source", "seed"), text)
    seen = Measurement(value=1, unit=text, n=1, details={"findings": [text] * 3, "said": text})
    piece = Evidence(
        gate="answer_length", policy={"max_chars": 10, "text": text}, verdict=Verdict("fail", text),
        system="s", entry="a", measurement=seen, **about,
    )  # fmt: skip
    made = build([piece], [scope(Profile())], [text], {**FACTS, "note": text}, NOW)
    assert write_all(made, tmp_path) == []
    assert (tmp_path / "report.html").stat().st_size < 250_000
    assert (tmp_path / "summary.md").stat().st_size < 20_000
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["evidence"][0]["claim"] == text

    class Terminal:
        said = ""

        def ensure_newline(self):
            pass

        def section(self, line):
            self.said += line

        def write_line(self, line, **_):
            self.said += line

    shown = Terminal()
    show(shown, made, None, [])
    assert len(shown.said) < 20_000
    assert shown.said.isprintable()


def test_a_summary_fits_a_comment():
    many = [
        Evidence(
            gate="answer_length", policy={"max_chars": 10}, verdict=Verdict("fail", "x" * 300),
            system="s", entry=f"e{i}", test="t",
            measurement=Measurement(value=1, unit="x", n=1, details={"findings": ["y" * 500] * 9}),
        )
        for i in range(500)
    ]  # fmt: skip
    entries = tuple(EntryInfo(entry=f"e{i}", gate="g", source="c.yaml:4") for i in range(500))
    whole = dataclasses.replace(scope(Profile()), entries=entries)
    text = summary.markdown(build(many, [whole], [], FACTS, NOW))
    assert len(text) < 65_000
    assert "400 more gates are in the report." in text
    assert "and 475 more" in text
