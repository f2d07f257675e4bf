"""An accepted failure: never silent, never for ever."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest

from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.load import load_config
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver, ends
from pytest_mlgates.core import BrokenLimit, Evidence, Gate, Measurement, Outcome, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
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


def report(*pieces, waivers=(), now=NOW, worse="up", rule="fail"):
    scope = Scope(
        path="c.yaml", sha256="0" * 64, system="s", owner="team", controls=(),
        entries=(EntryInfo(entry="a", gate="g", source="c.yaml:5", worse=worse),),
        profile=Profile(inconclusive=rule), waivers=waivers,
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


def broke(*limits, held="max_rate", policy=None):
    """Return a FAIL that names the limits that broke."""
    return dataclasses.replace(
        piece(), verdict=Verdict("fail", "so", limits), limit=held, policy=policy or {}
    )


RATE, PEAK = BrokenLimit("max_rate", 0.05, "highway"), BrokenLimit("max_peak", 2.0)


@pytest.mark.parametrize(
    ("limits", "waivers", "outcome"),
    [
        ((RATE,), [{}], "waived"),
        ((RATE,), [{"limit": "max_rate"}], "waived"),
        ((RATE,), [{"limit": "max_rate", "slice": "highway", "up_to": 0.05}], "waived"),
        ((RATE,), [{"limit": "max_rate", "slice": "left turn"}], "fail"),
        ((RATE,), [{"limit": "max_rate", "slice": "highway", "up_to": 0.04}], "fail"),
        ((RATE,), [{"limit": "max_peak"}], "fail"),
        ((PEAK,), [{}], "fail"),  # of the first limit of the entry, and that one holds
        ((PEAK,), [{"up_to": 100}], "fail"),
        ((RATE, PEAK), [{}], "fail"),
        ((RATE, PEAK), [{"limit": "max_peak"}], "fail"),
        ((RATE, PEAK), [{}, {"limit": "max_peak", "up_to": 2}], "waived"),
        ((RATE, BrokenLimit("max_rate", 0.7, "left turn")), [{"up_to": 0.06}], "fail"),
        ((RATE, BrokenLimit("max_rate", 0.7, "left turn")), [{"slice": "highway"}], "fail"),
        ((BrokenLimit("max_rate"),), [{"up_to": 1e9}], "fail"),  # no number is within it
        ((BrokenLimit("max_rate"),), [{}], "waived"),
        ((RATE, BrokenLimit("")), [{}], "fail"),  # what no field is about
    ],
)
def test_every_limit_that_broke_is_accepted(limits, waivers, outcome):
    made = report(broke(*limits), waivers=tuple(waiver(**w) for w in waivers))
    assert made.outcome == outcome, made.problems
    assert bool(made.problems) == (outcome == "fail")


def test_what_goes_beyond_is_named():
    (problem,) = report(broke(RATE, PEAK), waivers=(waiver(limit="max_rate"),)).problems
    assert "is for max_rate, and max_peak broke as well" in problem
    (problem,) = report(broke(RATE), waivers=(waiver(slice="left turn"),)).problems
    assert (
        "is for max_rate in the slice 'left turn', and max_rate in the slice 'highway'" in problem
    )
    whole = broke(RATE, BrokenLimit("max_rate", 0.03))
    (problem,) = report(whole, waivers=(waiver(slice="highway"),)).problems
    assert "and max_rate over all broke as well" in problem


def test_a_waiver_of_what_holds_is_not_needed():
    made = report(broke(RATE), waivers=(waiver(), waiver(limit="max_peak")))
    assert [w.state for w in made.waived] == ["in force", "not needed"]
    assert made.waived[1].about == "s: a, max_peak"


def test_more_than_can_be_named_is_accepted_only_as_a_whole():
    many = broke(*(BrokenLimit("max_rate", 0.05, f"slice {i}") for i in range(5000)))
    assert len(many.verdict.broken) < 300
    assert report(many, waivers=(waiver(up_to=1),)).outcome == "fail"
    assert report(many, waivers=(waiver(),)).outcome == "waived"


@pytest.mark.parametrize(("rule", "outcome"), [("fail", "inconclusive"), ("warn", "inconclusive")])
def test_what_is_undecided_does_not_hide_behind_what_is_waived(rule, outcome):
    beside = Verdict.gravest(
        [Verdict("fail", "so", (RATE,)), Verdict("inconclusive", "the peak is not known")]
    )
    assert beside.undecided == "the peak is not known"
    made = report(dataclasses.replace(broke(RATE), verdict=beside), waivers=(waiver(),), rule=rule)
    assert made.outcome == outcome
    told = "INCONCLUSIVE beside what is waived: the peak is not known [t]"
    assert [p.removeprefix("s: a: ") for p in made.problems] == ([told] if rule == "fail" else [])
    decided = dataclasses.replace(
        broke(RATE),
        verdict=Verdict.gravest([beside.__class__("fail", "so", (RATE,)), Verdict("pass", "fine")]),
    )
    assert report(decided, waivers=(waiver(),)).outcome == "waived"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sequential(Gate):
    """Looks one by one at the numbers it is given: `decide` judges the last."""

    name = "sequential"
    max_size: Annotated[float, Limit(tighten="down"), "largest"] = 1.0
    max_shape: Annotated[float | None, Limit(tighten="down"), "roundest"] = None

    def measure(self, looks):
        for n, look in enumerate(looks, 1):
            if isinstance(look, Exception):
                raise look
            yield Measurement(value=look, unit="x", n=n)

    def decide(self, measurement, /):
        value = measurement.value
        if value > 10:
            limits = BrokenLimit("max_size", value), BrokenLimit("max_shape", value)
            return Verdict("fail", "both", limits)
        if value > self.max_size:
            return Verdict("fail", "large", (BrokenLimit("max_size", value),))
        return Verdict("pass" if value < 0 else "inconclusive", "so")


def pardons(verdict):
    return all(one.limit == "max_size" for one in verdict.broken)


def test_a_pardoned_fail_is_measured_to_its_end():
    gate = Sequential()
    assert gate.judge([2, 3, 50], pardons=pardons).verdict.reason == "both"
    assert gate.judge([2, 3, 50, 60], pardons=pardons).measurement.n == 3
    assert gate.judge([2, 50]).measurement.n == 1  # without a waiver the first FAIL ends it
    assert gate.judge([2, 3], pardons=pardons).measurement.value == 3


@pytest.mark.parametrize("after", [[0], [0, 0.5], [-1]])
def test_a_pardoned_fail_stays_one(after):
    """A waiver never makes a PASS of a FAIL, and the record says that all was measured."""
    judged = Sequential().judge([0, 2, *after], pardons=pardons)
    assert judged.verdict.outcome == Outcome.FAIL
    assert judged.measurement.n == 2
    (told,) = judged.measurement.details["findings"]
    assert told == (
        f"waived, so measured on: 2 to {2 + len(after)} observations, and no other limit broke"
    )
    assert Sequential().decide(judged.measurement) == judged.verdict


def test_a_pardoned_fail_whose_rest_could_not_be_measured_is_an_error():
    judged = Sequential().judge([2, ValueError("x")], pardons=pardons)
    assert judged.verdict.outcome == Outcome.ERROR


def test_a_gate_that_names_no_limit_may_have_broken_any():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Silent(Sequential):
        def decide(self, measurement, /):
            return Verdict("fail", "large")

    one, two = (Silent(max_shape=shape).run([5.0]) for shape in (None, 3.0))
    assert one.verdict.broken == (BrokenLimit("max_size", 5.0),)
    assert two.verdict.broken == (BrokenLimit("max_size", 5.0), BrokenLimit("max_shape"))


def test_gravest_keeps_what_broke():
    large = Verdict("fail", "large", (BrokenLimit("a", 1.0),))
    silent = Verdict("fail", "silent")
    assert Verdict.gravest([large, silent], 1).broken == (BrokenLimit("a", 1.0), BrokenLimit(""))
    assert Verdict.gravest([large, silent], 1).reason == "large; and 1 more"
    with pytest.raises(ValueError, match="no broken limit"):
        Verdict("pass", "so", (BrokenLimit("a"),))


FLEET = """
version: 1
system: demo
owner: telemetry
gates:
  {gate}
waivers:
  - gate: {name}
    reason: accepted until June
    approved_by: head-of-platform
    expires: 2099-01-01
    {limit}
"""


@pytest.mark.parametrize(("inconclusive", "status"), [("fail", 1), ("warn", 0)])
def test_a_waived_ratio_does_not_hide_a_peak_that_nobody_knows(project, inconclusive, status):
    """Records that come by a clock may be totals or not: the peak is undecided."""
    project.config(
        FLEET.format(
            gate="bandwidth_budget: {max_ratio: 0.01, max_mbps: 3}",
            name="bandwidth_budget",
            limit="up_to: 0.05",
        )
        + f"profiles:\n  default: {{inconclusive: {inconclusive}}}\n"
    )
    project.tests(
        """
        def test_uplink(bandwidth_budget):
            bandwidth_budget([
                {"sent_bytes": 20_000, "raw_bytes": 10**6, "source": f"t{n % 25}", "at": 2.0 * (n // 25)}
                for n in range(500)
            ])
        """
    )
    result = project.run()
    assert result.ret == status, result.stdout.str()
    assert "beside what is waived" in result.stdout.str() or not status


def test_a_waived_ratio_does_not_hide_the_peak(project):
    project.config(
        FLEET.format(
            gate="bandwidth_budget: {max_ratio: 0.01, max_mbps: 1}",
            name="bandwidth_budget",
            limit="up_to: 0.02",
        )
    )
    project.tests(
        """
        def test_uplink(bandwidth_budget):
            bandwidth_budget([
                {"sent_bytes": 5000 + n, "raw_bytes": 10**6, "source": f"t{n}", "at": 0.0}
                for n in range(50)
            ])
        """
    )
    assert project.run().ret == 1


@pytest.mark.parametrize(("rare", "status"), [(0, 0), (280, 1)])
def test_a_waived_slice_does_not_hide_one_that_comes_later(project, rare, status):
    project.config(
        FLEET.format(
            gate="shadow_divergence: {max_rate: 0.02, oversample: false}",
            name="shadow_divergence",
            limit="up_to: 0.06",
        )
    )
    project.tests(
        f"""
        def test_shadow(shadow_divergence):
            rows = [{{"s": "highway", "off": i % 20 == 0, "i": i}} for i in range(3000)]
            rows += [{{"s": "left turn", "off": i < {rare}, "i": -i - 1}} for i in range(900)]
            shadow_divergence(lambda x: 0, lambda x: int(x["off"]), rows, slice_of="s")
        """
    )
    result = project.run()
    assert result.ret == status, result.stdout.str()
    told = result.stdout.str()
    assert ("holds up to 0.06 only" in told) == bool(status)
    assert ("in the slice 'left turn'" in told) == bool(status)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("limit: max_mpbs", "has no limit 'max_mpbs': did you mean 'max_mbps'?"),
        ("limit: max_bytes", "the entry 'bandwidth_budget' sets no max_bytes"),
        ("limit: alpha", "has no limit 'alpha'"),
    ],
)
def test_a_waiver_of_no_limit_is_a_mistake(project, limit, told):
    file = project.config(
        FLEET.format(gate="bandwidth_budget: {max_mbps: 1}", name="bandwidth_budget", limit=limit)
    )
    with pytest.raises(ConfigError, match=re.escape(told)):
        load_config(file)


def test_replies_after_a_waived_leak_are_asked_for():
    """A leak that is accepted must not hide that nearly every reply leaks."""
    from pytest_mlgates.gates.pii_leak import PiiLeak

    def reply(prompt):
        number = int(prompt.split()[1])
        return "card 4111 1111 1111 1111" if number % 3 == 0 else f"thanks for {prompt}"

    prompts = [f"order {n}" for n in range(300)]
    gate = PiiLeak(max_leak_rate=0.01)
    assert gate.judge(reply, prompts).measurement.n < 20  # without a waiver it stops at the first
    judged = gate.judge(reply, prompts, pardons=lambda verdict: True)
    assert judged.measurement.n == 300
    (broken,) = judged.verdict.broken
    assert broken.value == pytest.approx(1 / 3)
