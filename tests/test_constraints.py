"""constraints.txt pins what pyproject.toml and tox.ini ask for, each package once."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINS = dict(line.split("==") for line in LINES if not line.startswith("#"))


def wanted() -> Iterator[Requirement]:
    """Everything that an environment installs by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    yield from map(Requirement, project["build-system"]["requires"])
    yield from map(Requirement, project["project"]["dependencies"])
    for extra in project["project"]["optional-dependencies"].values():
        yield from map(Requirement, extra)
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    for section in tox.sections():
        if "guest" in section:  # other people's plugins, as they are today: no constraints there
            continue
        yield from map(Requirement, tox.get(section, "deps", fallback="").split())


def test_names_are_normalised_sorted_and_there_once():
    names = [line.partition("==")[0] for line in LINES[1:]]
    assert LINES[0].startswith("# ")
    assert names == sorted(map(canonicalize_name, set(names)))


def test_every_line_pins_one_exact_version():
    """A range would take another version tomorrow, or a build of torch for other hardware."""
    for line in LINES[1:]:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line), line


@pytest.mark.parametrize(
    "need", [need for need in wanted() if need.name != "pytest-mlgates"], ids=str
)
def test_what_is_asked_for_is_pinned_within_its_range(need):
    assert need.specifier.contains(PINS[canonicalize_name(need.name)], prereleases=True)


def test_the_extra_of_all_systems_holds_the_extra_of_each():
    """A system whose extra is left out is MISSING in the report of all systems."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    held = {extra for need in extras["systems"] for extra in Requirement(need).extras}
    assert {name for name in extras if name.startswith("systems-")} <= held
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    # the tests of the registry's second front are skipped without it
    assert {"systems", "mlflow"} <= set(tox["testenv"]["extras"].split(", "))
    assert "extras" not in tox["testenv:gates"]
    assert "extras" not in tox["testenv:ci"]
