"""A signed report of a real run, its keys, and the commands that make and check them."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from pytest_mlgates.cli import main
from pytest_mlgates.config.load import find_configs, load_configs
from pytest_mlgates.session.journal import FOLDER
from pytest_mlgates.session.ledger import Ledger
from pytest_mlgates.signing.seal import Seal
from tests.conftest import CONFIG

TESTS = """
def test_it(answer_length):
    answer_length(lambda p: "ok", ["a", "b"])

@pytest.mark.known_bad
def test_incident(answer_length):
    answer_length(lambda p: "x" * 20, ["a"])
"""


def write_keys(folder, name, private, passphrase=None):
    """Write a key pair as openssl would; return both paths."""
    lock = form.BestAvailableEncryption(passphrase.encode()) if passphrase else form.NoEncryption()
    files = folder / f"{name}.pem", folder / f"{name}.pub"
    files[0].write_bytes(private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, lock))
    public = private.public_key()
    spki = form.PublicFormat.SubjectPublicKeyInfo
    files[1].write_bytes(public.public_bytes(form.Encoding.PEM, spki))
    return files


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """Return the private and public key files by name; ``other`` is nobody's."""
    folder = tmp_path_factory.mktemp("keys")
    made = {
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "p256": ec.generate_private_key(ec.SECP256R1()),
        "other": ed25519.Ed25519PrivateKey.generate(),
    }
    return {name: write_keys(folder, name, key) for name, key in made.items()}


@pytest.fixture
def run(capsys):
    """Return a function that runs a command and returns status, output and error lines."""

    def command(*words):
        capsys.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        return status, out, err

    return command


class Signed:
    """A folder with a gate config and the signed report of its gate; no pytest ran."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.report_folder = path / "report"

    def config(self, text: str, name: str = "demo") -> None:
        """Write a gate config."""
        file = self.path / "gate_configs" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def write(self, key: Path | None, store: Path | None = None, answer: str = "ok") -> None:
        """Gate a subject that gives ``answer``, and its incident; write, sign and keep the report."""
        files = find_configs(self.path / "gate_configs")
        configs = load_configs((file, f"gate_configs/{file.name}") for file in files)
        ledger = Ledger(
            self.report_folder,
            self.report_folder / FOLDER,
            self.path,
            {"seed": 0, "profile": "default"},
        )
        ledger.seal = Seal.open(key, store, self.report_folder).close
        ledger.open_folder()
        entry = configs[0].entries["answer_length"]
        for role, said in (("gate", answer), ("known_bad", "x" * 20)):
            gate = configs[0].gate(entry, configs[0].profile(None))
            piece = gate.run(lambda _, said=said: said, ["a", "b"])
            about = {
                "test": f"t.py::{role}",
                "system": "demo",
                "source": entry.source,
                "role": role,
            }
            ledger.add_evidence([dataclasses.replace(piece, **about).to_json()])
        ledger.close(configs, None)
        assert ledger.faults == []


@pytest.fixture(scope="session")
def made(keys, tmp_path_factory):
    """Return a signed report that no test changes."""
    made = Signed(tmp_path_factory.mktemp("made"))
    made.config(CONFIG)
    made.write(keys["ed25519"][0])
    return made


@pytest.fixture
def copied(made, tmp_path):
    """Return a function that gives one more copy of the signed folder."""
    count = itertools.count()
    return lambda: shutil.copytree(made.report_folder, tmp_path / f"copy-{next(count)}")


@pytest.fixture
def signed(made, tmp_path, monkeypatch):
    """Return a signed report of the test's own, and stand beside it."""
    shutil.copytree(made.path, tmp_path / "signed")
    monkeypatch.chdir(tmp_path / "signed")
    return Signed(tmp_path / "signed")
