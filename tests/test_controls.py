"""The table of controls, and what users add to it."""

from __future__ import annotations

import pytest

from pytest_mlgates import registry
from pytest_mlgates.config.controls import Control, all_controls, filed, look_up
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.load import find_configs, load_config

CONFIG = "version: 1\nsystem: s\ncontrols: [{}]\ngates: {{p99_latency: {{max_ms: 12}}}}\n"
OWN = """\
version: 1
frameworks:
  our-policy:
    title: Our policy
    controls:
      speed: {title: answers are fast, gates: [p99_latency]}
"""


def test_each_gate_that_ships_is_evidence_for_something():
    named = {gate for control in all_controls().values() for gate in control.gates or ()}
    ours = {
        n for n in registry.names() if registry.load(n).__module__.startswith("pytest_mlgates.")
    }
    assert ours <= named


@pytest.mark.parametrize(
    "framework", ["NIST-AI-RMF", "EU-AI-Act", "ISO-42001", "NYC-LL-144", "HIPAA", "SR-11-7"]
)
def test_frameworks(framework):
    found = look_up(framework, all_controls())
    assert found
    assert all(control.title and control.url.startswith("https://") for control in found)


@pytest.mark.parametrize("article", ["9", "10", "12", "15"])
def test_articles(article):
    assert f"EU-AI-Act:Art-{article}" in all_controls()


def config(tmp_path, controls, own=OWN):
    (tmp_path / "controls.yaml").write_text(own)
    file = tmp_path / "s.yaml"
    file.write_text(CONFIG.format(controls))
    return load_config(file, "s.yaml")


def test_users_add_their_own(tmp_path):
    found = config(tmp_path, "our-policy:speed, EU-AI-Act:Art-12, other-policy:1")
    assert [c.id for c in found.known_controls] == [
        "our-policy:speed", "EU-AI-Act:Art-12", "other-policy:1",
    ]  # fmt: skip
    assert found.known_controls[0].framework == "Our policy"
    assert [file.name for file in find_configs(tmp_path)] == ["s.yaml"]


def test_a_control_that_no_table_has_stands_for_itself(tmp_path):
    (found,) = config(tmp_path, "EU-AI-Act:Art-14").known_controls
    assert (found.id, found.title, found.gates) == (
        "EU-AI-Act:Art-14",
        "in no table of controls",
        None,
    )
    assert found.framework == look_up("EU-AI-Act:Art-15", all_controls())[0].framework


@pytest.mark.parametrize(
    ("own", "line", "word"),
    [
        ("version: 2\nframeworks: {}\n", 1, "version"),
        ("version: 1\n", 1, "needs frameworks"),
        ("version: 1\nframeworks: {a:b: {title: t, controls: {}}}\n", 2, "colon"),
        (OWN.replace("gates: [p99_latency]", "gates: p99_latency"), 6, "expected `all`"),
        (OWN.replace("gates: [p99_latency]", "gate: all"), 6, "needs gates"),
        (OWN.replace("answers are fast", "''"), 6, "expected a string"),
        ("[", 1, ""),
    ],
)
def test_mistakes_name_the_line(tmp_path, own, line, word):
    with pytest.raises(ConfigError) as told:
        config(tmp_path, "", own)
    assert f"controls.yaml:{line}:" in str(told.value)
    assert word in str(told.value)


def test_filed():
    table = [
        Control(id=id_, framework="", title="", gates=gates)
        for id_, gates in (("F:1", None), ("F:2", ("a",)), ("G:1", ("a", "b")))
    ]
    assert [c.id for c in filed(table, ["F"], "b")] == ["F:1"]
    assert [c.id for c in filed(table, ["F:2", "G:1"], "a")] == ["F:2", "G:1"]
