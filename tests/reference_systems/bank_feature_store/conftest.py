"""A store of the bank's own data, onboarded once; without Feast these tests are skipped."""

from __future__ import annotations

import json

import pytest

from reference_systems.bank_feature_store import inputs
from reference_systems.bank_feature_store.cli import main


class Program:
    """The program on one folder; ``ask`` returns its lines, ``refuse`` its one line of refusal."""

    def __init__(self, repo, folder, capsys):
        self.repo, self.folder, self.capsys = repo, folder, capsys

    def run(self, *words, repo=None):
        self.capsys.readouterr()
        try:
            status = main(["--repo", str(repo or self.repo), *map(str, words)])
        except SystemExit as stop:
            status = stop.code
        out, err = self.capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err

    def ask(self, *words, repo=None):
        status, lines, err = self.run(*words, repo=repo)
        assert (status, err) == (0, "")
        return lines

    def refuse(self, *words, status=1, repo=None):
        found, lines, err = self.run(*words, repo=repo)
        assert (found, lines) == (status, [])
        assert err.count("\n") == 1, err
        assert err.startswith("bank_feature_store")
        return err

    def lines(self, command, lines, *words):
        """Ask with lines in a file."""
        path = self.folder / f"{command}.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
        return self.ask(command, path, *words)


@pytest.fixture(scope="session")
def bank(tmp_path_factory):
    """The folder of a store with the bank's own views, and the folder of its sources."""
    pytest.importorskip("feast", reason="the extra systems-bank")
    folder = tmp_path_factory.mktemp("bank")
    definition = inputs.write(folder, customers=300, seed=3)
    words = ["--repo", str(folder / "repo"), "onboard", str(definition), "--as-of", inputs.AS_OF]
    assert main(words) == 0
    return folder


@pytest.fixture
def program(bank, tmp_path, capsys):
    return Program(bank / "repo", tmp_path, capsys)


@pytest.fixture
def fresh(tmp_path, capsys):
    """The program on a folder where nothing is served yet."""
    pytest.importorskip("feast", reason="the extra systems-bank")
    return Program(tmp_path / "repo", tmp_path, capsys)
