"""A signed report of a real run, its keys, and the commands that make and check them."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("securesystemslib")

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from pytest_mlgates.cli import main

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
def run(project, capsys, monkeypatch):
    """Return a function that runs a command and returns status, output and error lines."""
    monkeypatch.chdir(project.path)

    def command(*words):
        capsys.readouterr()
        try:
            status = main([str(word) for word in words])
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        return status, out, err

    return command


@pytest.fixture
def signed(project, keys):
    """Return a project with a signed report of a run that passed."""
    project.tests(TESTS)
    assert project.run(f"--mlgates-sign={keys['ed25519'][0]}").ret == 0
    return project


@pytest.fixture
def copied(signed, tmp_path):
    """Return a function that gives one more copy of the signed folder."""
    count = iter(range(10_000))

    def copy():
        return shutil.copytree(signed.report_folder, tmp_path / f"copy-{next(count)}")

    return copy
