"""One suite over every registered gate: what a gate promises, whoever wrote it."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import importlib
import json
import re
from datetime import UTC, datetime
from html import escape
from xml.etree import ElementTree as Tree

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlgates import __version__, plugin, registry
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.schema import DIALECT, config_schema, gate_schema
from pytest_mlgates.config.tighten import tighten
from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Evidence, Gate, Measurement, Outcome, StatisticalGate, Verdict
from pytest_mlgates.core.fields import describe, hints, limit_of
from pytest_mlgates.core.gate import make
from pytest_mlgates.core.rules import rules_of
from pytest_mlgates.core.seeds import seed_for
from pytest_mlgates.report.build import build
from pytest_mlgates.report.guides import guide_to
from pytest_mlgates.report.replay import replay
from pytest_mlgates.writers import write_all
from pytest_mlgates.writers.html_report.view import Piece

NOW = datetime(2026, 11, 23, tzinfo=UTC)

#: gates that measure time: no other test may run beside them
TIMED = ("p99_latency", "throughput")

pytestmark = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.timing] if name in TIMED else [])
        for name in registry.names()
    ],
)

_runs: dict[tuple[str, str], Evidence] = {}


def cases(name):
    try:
        return importlib.import_module(f"tests.gate_cases.{name}")
    except ModuleNotFoundError as error:
        pytest.fail(f"write tests/gate_cases/{name}.py: {error}", pytrace=False)


def run(name, which):
    """Run the sound or the flawed subject, once for the whole suite."""
    if (name, which) not in _runs:
        _runs[name, which] = getattr(cases(name), which)()
    return _runs[name, which]


def test_names_agree(name):
    cls = registry.load(name)
    assert cls.name == name
    assert issubclass(cls, Gate)
    assert hasattr(plugin, name)  # its fixture
    assert cls.__name__ == registry.class_name(name)
    if cls.__module__.startswith("pytest_mlgates."):
        assert cls.__module__ in (
            f"pytest_mlgates.gates.{name}",
            f"pytest_mlgates.gates.{name}.gate",
        )


def test_documented(name):
    cls = registry.load(name)
    assert (cls.__doc__ or "").strip()
    assert not cls.__doc__.startswith(
        f"{cls.__name__}("
    )  # what dataclass writes where there is none
    assert (cls.measure.__doc__ or "").strip()
    assert (cls.decide.__doc__ or "").strip()
    for field, kind in hints(cls).items():
        assert describe(kind), f"{field} needs a sentence"


def test_it_says_what_it_does_not_see_and_where_to_begin(name):
    """In its docstring, from where pages and sheets take it."""
    if registry.load(name).__module__.startswith("pytest_mlgates."):
        guide = guide_to(name)
        assert guide.method
        assert 20 < len(guide.blind) < 400
        assert 20 < len(guide.mend) < 400


@pytest.mark.parametrize("which", ["sound", "flawed"])
def test_its_pictures_can_be_drawn(name, which):
    """A report draws them, or it shows the value alone and nobody knows why."""
    seen = run(name, which)
    pictures = tuple(cases(name).GATE.pictures(seen.measurement))
    report = build([seen], [], [], {}, NOW)
    drawn = Piece.of(seen, "pass", report).drawings
    assert drawn
    if pictures:
        assert [picture.title for picture in pictures] == [drawing.title for drawing in drawn]
    for drawing in drawn:
        svg = Tree.fromstring(drawing.svg)
        assert svg.get("role") == "img"
        assert len(drawing.svg) < 12_000


def test_frozen_and_hashable(name):
    gate = cases(name).GATE
    assert hash(gate) == hash(dataclasses.replace(gate))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(gate, next(iter(hints(type(gate)))), None)


def test_policy_round_trip(name):
    gate = cases(name).GATE
    for text in (json.dumps(gate.policy()), yaml.safe_dump(json.loads(json.dumps(gate.policy())))):
        again = make(type(gate), yaml.safe_load(text) if text[0] != "{" else json.loads(text))
        assert again == gate
        assert hash(again) == hash(gate)
        assert again.policy() == gate.policy()


def test_schema(name):
    gate = cases(name).GATE
    schema = {"$schema": DIALECT, **gate_schema(type(gate))}
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    check.validate(json.loads(json.dumps(gate.policy())))
    assert not check.is_valid({**gate.policy(), "no_such_field": 1})
    whole = config_schema()
    jsonschema.Draft202012Validator.check_schema(whole)
    config = {"version": 1, "system": "s", "gates": {name: gate.policy()}}
    jsonschema.Draft202012Validator(whole).validate(json.loads(json.dumps(config)))


def test_fields_tighten_or_are_refused(name):
    gate = cases(name).GATE
    for field, kind in hints(type(gate)).items():
        value, limit = getattr(gate, field), limit_of(kind)
        if limit.tighten is None:
            with pytest.raises(ConfigError, match=f"{field} can't be changed by a marker"):
                tighten(gate, [{field: value}], "t.py:1:1: marker", "c.yaml:1")
        elif isinstance(value, (int, float)):
            step = abs(value) or 1
            looser = value + step if limit.tighten == "down" else value - step
            with pytest.raises(ConfigError):
                tighten(gate, [{field: type(value)(looser)}], "t.py:1:1: marker", "c.yaml:1")
            assert tighten(gate, [{field: value}], "t.py:1:1: marker", "c.yaml:1") == gate
    if isinstance(gate, StatisticalGate):
        assert limit_of(hints(type(gate))["alpha"]).tighten is None
        assert limit_of(hints(type(gate))["beta"]).tighten == "down"
    assert gate.limit_field() == "" or gate.limit_field() in hints(type(gate))


def test_sound_and_flawed(name):
    assert run(name, "sound").verdict.outcome == Outcome.PASS, run(name, "sound").verdict
    assert run(name, "flawed").verdict.outcome == Outcome.FAIL, run(name, "flawed").verdict


def test_a_fail_names_the_limits_that_broke(name):
    """A waiver pardons by them; what names none could be hidden behind any."""
    cls = registry.load(name)
    assert run(name, "sound").verdict.broken == ()
    broken = run(name, "flawed").verdict.broken
    assert broken
    assert {one.limit for one in broken} <= {*hints(cls), ""} - {"beta"}
    known = {"gate": name, "reason": "r", "approved_by": "b", "owner": "o", "expires": "2099-01-01"}
    held = run(name, "flawed").limit
    for one in broken:
        direction = cls.directions().get(one.limit, cls.worse)
        other = "no such limit"
        assert not Waiver(**known, limit=other).covers(one, held, direction)
        assert Waiver(**known, limit=one.limit or None).covers(one, one.limit, direction)
        if one.value is not None:
            step = 1 if direction == "up" else -1
            assert Waiver(**known, limit=one.limit or None, up_to=one.value).covers(
                one, one.limit, direction
            )
            assert not Waiver(**known, limit=one.limit or None, up_to=one.value - step).covers(
                one, one.limit, direction
            )


@pytest.mark.parametrize("which", ["sound", "flawed"])
def test_evidence_is_replayed(name, which):
    evidence = run(name, which)
    again = Evidence.from_json(evidence.to_json())
    assert again == evidence
    assert again.digest == evidence.digest
    gate = make(registry.load(name), again.policy)
    assert gate == cases(name).GATE
    assert gate.decide(again.measurement) == gate.decide(evidence.measurement) == evidence.verdict
    from datetime import UTC, datetime

    now = datetime.now(UTC).replace(microsecond=0)
    report = build([evidence], [], [], {"finished": now.isoformat()}, now).to_dict()
    assert [r.fault for r in replay(json.loads(json.dumps(report)))] == [""]


def _recorded(piece, **facts):
    """Return the report of one piece of evidence, as a file holds it."""
    report = build([piece], [], [], {"finished": NOW.isoformat(), **facts}, NOW)
    return json.loads(json.dumps(report.to_dict()))


def _other(value):
    if isinstance(value, str):
        return f"{value}1"
    if isinstance(value, tuple):
        return value[0] - 0.5, value[1] + 0.5
    return (-1.0, 1.0) if value is None else value + 1


@pytest.mark.parametrize("which", ["sound", "flawed"])
@pytest.mark.parametrize("field", ["value", "unit", "n", "interval", "seed"])
def test_no_number_can_be_changed(name, which, field):
    """With digests that fit: each follows from the details, the seed from that of the run."""
    facts = {"pytest_mlgates": __version__, "seed": 7}
    seen = run(name, which)
    seen = dataclasses.replace(seen, seed=str(seed_for(7, seen.test, seen.entry, seen.call)))
    assert [r.fault for r in replay(_recorded(seen, **facts))] == [""]
    if field == "seed":
        forged = dataclasses.replace(seen, seed=_other(seen.seed))
    else:
        was = seen.measurement
        changed = dataclasses.replace(was, **{field: _other(getattr(was, field))})
        forged = dataclasses.replace(seen, measurement=changed)
    faults = [r.fault for r in replay(_recorded(forged, **facts)) if r.fault]
    assert len(faults) == 1
    words = ("contradicts itself: its", "decides differently", "its seed", "can't be decided again")
    assert faults[0].startswith(words)


def test_rules_have_a_digest(name):
    """The same in every process, of every gate another one, and not touched by how it looks."""
    digests = {
        registry.load(other).name: rules_of(registry.load(other)) for other in registry.names()
    }
    assert re.fullmatch("[0-9a-f]{64}", digests[name])
    assert list(digests.values()).count(digests[name]) == 1
    assert run(name, "sound").rules == digests[name]


def _json():
    leaf = (
        st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats(-9, 9) | st.text(max_size=5)
    )
    return st.recursive(
        leaf,
        lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(max_size=5), c, max_size=3),
    )


def _mutate(draw, value):
    """Change, drop or replace something at some depth of recorded details."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.booleans()):
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _mutate(draw, value[key])}
    if isinstance(value, (list, tuple)) and value and draw(st.booleans()):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _mutate(draw, value[at]), *value[at + 1 :]]
    return draw(_json())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_decide_is_pure_and_total(name, data):
    """Any measurement gets a verdict, the same twice; nothing seen is no PASS."""
    gate = cases(name).GATE
    known = json.loads(json.dumps(run(name, "sound").measurement.details))
    details = data.draw(
        st.one_of(
            st.just({}),
            st.just(known),
            st.dictionaries(st.sampled_from([*known, "other"]), _json(), max_size=4),
            st.composite(lambda draw: _mutate(draw, known))(),
        )
    )
    measurement = Measurement(
        value=data.draw(st.floats(-1e9, 1e9)),
        unit="x",
        n=data.draw(st.sampled_from([0, 1, 2, 100, 10**6])),
        interval=data.draw(st.none() | st.just((-1.0, 1.0))),
        details=details if isinstance(details, dict) else {},
    )
    verdict = gate.decide(measurement)
    assert isinstance(verdict, Verdict)
    assert gate.decide(measurement) == verdict
    if measurement.n == 0:
        assert verdict.outcome != Outcome.PASS


def test_nothing_guarded_is_recorded(name):
    module = cases(name)
    pieces = [
        run(name, "sound"),
        run(name, "flawed"),
        *(make_() for make_ in module.VACUOUS.values()),
    ]
    for piece in pieces:
        for secret in module.SECRETS:
            assert secret not in piece.to_json()
            assert secret not in json.loads(piece.to_json())["verdict"]["reason"]


def test_nothing_guarded_is_in_a_file_of_the_report(name, tmp_path):
    """Not in any format, and not in what the page packs."""
    pieces = [
        dataclasses.replace(run(name, which), test=f"{which}[{i}]")
        for which in ("sound", "flawed")
        for i in range(20)
    ]
    assert write_all(build(pieces, [], [], {"finished": NOW.isoformat()}, NOW), tmp_path) == []
    texts = [file.read_text(encoding="utf-8") for file in tmp_path.iterdir()]
    packed = re.findall(r'id="packed">([^<]+)<', "".join(texts))
    texts += [gzip.decompress(base64.b64decode(text)).decode() for text in packed]
    assert len(texts) > 3
    # four digits of a card stand in some identifier by chance
    texts = [
        re.sub(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|[0-9a-f]{32,}", "", t)
        for t in texts
    ]
    for secret in cases(name).SECRETS:
        assert not any(secret in text or escape(secret) in text for text in texts)
