"""Gate configs, as files: each mistake gets one clear line with file, line and column."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.load import load_config, load_configs
from pytest_mlgates.config.schema import config_schema

CONFIGS = Path(__file__).parent / "configs"
VALID = sorted(CONFIGS.glob("valid/*.yaml"))
INVALID = sorted(CONFIGS.glob("invalid/*.yaml"))


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_valid(file):
    """It loads, and each entry makes a gate under each profile."""
    config = load_config(file)
    assert config.entries
    for entry in config.entries.values():
        for name in config.profiles:
            assert config.gate(entry, config.profile(name)).policy()


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_invalid(file):
    """The lines beside the file, and nothing else."""
    expected = file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    with pytest.raises(ConfigError) as caught:
        load_config(file, file.name)
    assert list(caught.value.lines) == expected
    for line in expected:
        assert re.match(rf"{re.escape(file.name)}:\d+:\d+: ", line)
        assert len(line) < 200


def test_the_schema_for_editors_agrees():
    """What loads is valid by the schema; most of what does not is refused by it too."""
    check = jsonschema.Draft202012Validator(config_schema())
    (full,) = (file for file in VALID if file.stem == "full")
    check.validate(yaml.load(full.read_text(), yaml.BaseLoader) and _typed(full))
    for name in (
        "unknown_field",
        "negative_limit",
        "unknown_key",
        "profile_bad_choice",
        "no_gates",
    ):
        assert not check.is_valid(_typed(CONFIGS / "invalid" / f"{name}.yaml"))


def _typed(file):
    from pytest_mlgates.reading.yaml import read_yaml

    return read_yaml(file).value


def test_over_a_mebibyte(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("# " + "x" * (1 << 20) + "\n")
    with pytest.raises(ConfigError, match=r"c.yaml:1:1: has 1,048,579 bytes, more than 1 MiB"):
        load_config(file)


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match=r"c\.yaml: is not a file"):
        load_config(tmp_path / "c.yaml")


def test_one_system_in_two_files(tmp_path):
    text = (CONFIGS / "valid" / "smallest.yaml").read_text()
    files = [(tmp_path / name, name) for name in ("a.yaml", "b.yaml")]
    for file, _ in files:
        file.write_text(text)
    with pytest.raises(ConfigError, match=r"b.yaml: the system 'demo' is in a.yaml too"):
        load_configs(files)


def test_numbers_of_yaml_1_2(tmp_path):
    """1e-5 is a number; the profile's alpha is what was written."""
    config = load_config(CONFIGS / "valid" / "full.yaml")
    assert config.profile("release").alpha == 1e-5
    assert config.entries["long-answers"].fields["max_chars"] == 0x20
    assert [w.up_to for w in config.waivers] == [40.0, None]
