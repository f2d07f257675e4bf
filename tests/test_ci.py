"""What CI runs is what the README claims, and a loosened limit turns it red."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlgates.reading.yaml import read_yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_ci_runs_the_tests_and_the_gates_of_the_readme():
    run = (ROOT / ".ci/run").read_text(encoding="utf-8")
    (envs,) = re.findall(r"^python -m tox run -e (\S+)$", run, re.MULTILINE)
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    assert "ci" in envs.split(",")
    claimed = re.findall(r"^\$ .*tox run -e (\w+)", README, re.MULTILINE)
    assert claimed == ["gates", "tests"]
    for name in claimed:
        assert f"{{[testenv:{name}]commands}}" in tox["testenv:ci"]["commands"]


#: a row of the README's table: system, entry, verdict, measured, limit
ROW = re.compile(
    r"^(\w+) +([\w-]+) +PASS +\S.*? {2,}([\d.,]+) (?:USD|ms|score|of [a-z ]+?) {2,}", re.MULTILINE
)


def test_the_limits_of_the_readme_are_those_of_the_gate_configs():
    """Where an incident breaks several limits, one of them loosened is not seen by its gate."""
    rows = ROW.findall(README)
    assert len(rows) == 10  # guardrails count findings, canaries' limit is a chance: neither is set
    for system, entry, limit in rows:
        config = read_yaml(ROOT / f"gate_configs/{system}.yaml").value
        set_to = [v for v in config["gates"][entry].values() if type(v) in (int, float)]
        assert float(limit.replace(",", "")) in set_to, (system, entry, limit)


@pytest.mark.parametrize(
    ("system", "limit", "loosened"),
    [
        ("cloud_bill", "max_cost: 38000", "max_cost: 3800000"),
        (
            "resume_screener",
            "{max_gap: 0.01, max_group_gap: 0.01}",
            "{max_gap: 0.9, max_group_gap: 0.9}",
        ),
    ],
)
def test_a_limit_loosened_fails_the_gates(tmp_path, system, limit, loosened):
    """The incident of a system is no longer caught, so its known_bad tests fail."""
    pytest.importorskip("torch" if system == "resume_screener" else "kubernetes")
    configs = tmp_path / "gate_configs"
    shutil.copytree(ROOT / "gate_configs", configs)
    file = configs / f"{system}.yaml"
    text = file.read_text(encoding="utf-8")
    assert limit in text
    text = text.replace(limit, loosened).replace("max_waste: 500", "max_waste: 50000")
    file.write_text(text, encoding="utf-8")
    words = ["-m", "pytest", f"reference_systems/{system}", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(
        [sys.executable, *words, "--mlgates-config", str(configs)],
        check=False, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "was not caught" in done.stdout
