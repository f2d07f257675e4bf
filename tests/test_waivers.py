"""An accepted failure: never silent, never for ever."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver, ends
from pytest_mlgates.core import Evidence, Measurement, Verdict
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.report.build import build
from pytest_mlgates.report.model import EntryInfo, Scope

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def waiver(**changes):
    known = {
        "gate": "a",
        "reason": "r",
        "approved_by": "risk",
        "owner": "team",
        "source": "c.yaml:9",
    }
    return Waiver(**{**known, "expires": "2026-11-23", **changes})


def report(*pieces, waivers=(), now=NOW, worse="up"):
    scope = Scope(
        path="c.yaml", sha256="0" * 64, system="s", owner="team", controls=(),
        entries=(EntryInfo(entry="a", gate="g", source="c.yaml:5", worse=worse),),
        profile=Profile(), waivers=waivers,
    )  # fmt: skip
    return build(pieces, [scope], [], {}, now)


def piece(outcome="fail", value=20.0, attempt=1):
    return Evidence(
        gate="g", policy={}, verdict=Verdict(outcome, "so"), entry="a", system="s", test="t",
        attempt=attempt, measurement=Measurement(value=value, unit="x", n=1),
    )  # fmt: skip


def test_active():
    made = report(piece(), waivers=(waiver(),))
    assert (made.outcome, made.problems) == ("waived", ())
    assert made.waived[0].state == "in force"


def test_expired_fails_even_where_the_gate_passes():
    for outcome in ("pass", "fail"):
        made = report(piece(outcome), waivers=(waiver(expires="2026-11-22"),))
        assert made.outcome == "fail"
        assert any("expired (2026-11-22)" in problem for problem in made.problems)
        assert made.waived[0].state == "expired"


def test_exceeded_fails():
    made = report(piece(value=20.0), waivers=(waiver(up_to=19.9),))
    assert made.outcome == "fail"
    assert "holds up to 19.9 only" in made.problems[0]
    assert report(piece(value=20.0), waivers=(waiver(up_to=20),)).outcome == "waived"
    # where small is bad
    assert report(piece(value=20.0), waivers=(waiver(up_to=21),), worse="down").outcome == "fail"


@pytest.mark.parametrize("outcome", ["error", "inconclusive"])
def test_only_a_fail_is_waived(outcome):
    assert report(piece(outcome), waivers=(waiver(),)).problems


def test_not_needed_is_shown():
    made = report(piece("pass"), waivers=(waiver(),))
    assert (made.outcome, made.waived[0].state) == ("pass", "not needed")


def test_missing_is_not_waived():
    assert report(waivers=(waiver(),)).outcome == "missing"


EDGES = {
    "2026-12-31": "2027-01-01T00:00:00+00:00",
    "2028-02-29": "2028-03-01T00:00:00+00:00",
    "2026-12-31T12:00:00Z": "2026-12-31T12:00:00+00:00",
    "2026-12-31T12:00:00+14:00": "2026-12-30T22:00:00+00:00",
    "2026-12-31T23:59:59-12:00": "2027-01-01T11:59:59+00:00",
}


@pytest.mark.parametrize("text", EDGES)
def test_ends(text):
    """The instant itself is too late, the one before it is not."""
    end = ends(text)
    assert end.isoformat() == EDGES[text]
    assert waiver(expires=text).active(end - timedelta(microseconds=1))
    assert not waiver(expires=text).active(end)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-02-30", "20261231", "2026-W01-1", "31.12.2026", "2026-12-31T12:00",
     "9999-12-31", "0001-01-01T00:00:00+14:00", "2026-12-31 and later"],
)  # fmt: skip
def test_no_date(text):
    with pytest.raises(FieldError, match="expires"):
        waiver(expires=text)


@pytest.mark.parametrize("name", ["team", " Team ", "TEAM", "\uff54\uff45\uff41\uff4d"])
def test_nobody_approves_their_own(name):
    with pytest.raises(FieldError, match="someone else approves"):
        waiver(approved_by=name)


def test_any_of_several_covers():
    pair = (waiver(up_to=5), waiver(up_to=50))
    assert report(piece(), waivers=pair).outcome == "waived"
    assert report(piece(value=60.0), waivers=pair).outcome == "fail"
    assert dataclasses.asdict(pair[0])["up_to"] == 5.0
