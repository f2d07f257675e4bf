"""The manifests for a scan on Ray and for load: our own guardrails pass them, and not without."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from pytest_mlgates import InfraGuardrails
from pytest_mlgates.cli import _parser
from pytest_mlgates.core import Outcome

DEPLOY = Path(__file__).parents[2] / "deploy"
#: one_zone is about GPUs and pools, which are not here: the zone is looked at below
GATE = InfraGuardrails(
    rules=("job_ttl", "job_deadline", "owner_label"),
    max_ttl_s=3600,
    max_deadline_s=86_400,
)


def test_guardrails_pass_the_manifests():
    evidence = GATE.run(DEPLOY / "kubernetes")
    assert evidence.outcome == Outcome.PASS, evidence.verdict.reason


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("scan.yaml", r"  shutdownAfterJobFinishes: true\n"),
        ("scan.yaml", r"  activeDeadlineSeconds: 21600.*\n"),
        ("load.yaml", r"  activeDeadlineSeconds: 3600\n"),
        ("load.yaml", r"owner: data-platform(, )?"),
    ],
)
def test_a_guardrail_that_is_taken_out_is_seen(tmp_path, file, line):
    text = (DEPLOY / "kubernetes" / file).read_text()
    changed = re.sub(line, "", text)
    assert changed != text
    (tmp_path / file).write_text(changed)
    assert GATE.run(tmp_path).outcome != Outcome.PASS


def test_every_pod_is_put_in_the_one_zone():
    def specs(node):
        if isinstance(node, dict):
            if "containers" in node:
                yield node
            for inner in node.values():
                yield from specs(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from specs(inner)

    found = [
        spec["nodeSelector"]["topology.kubernetes.io/zone"]
        for file in (DEPLOY / "kubernetes").iterdir()
        for document in yaml.safe_load_all(file.read_text())
        for spec in specs(document)
    ]
    assert found == ["ZONE"] * 4


def test_the_commands_are_ones_that_the_command_line_takes():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    job = yaml.safe_load((DEPLOY / "kubernetes" / "scan.yaml").read_text())
    for command in (compose["services"]["scan"]["command"], job["spec"]["entrypoint"]):
        program, *words = shlex.split(command)
        assert program == "mlgates"
        assert _parser().parse_args(words).cluster.startswith("ray://")
    assert all("RAY_USAGE_STATS_ENABLED" in s["environment"] for s in compose["services"].values())
