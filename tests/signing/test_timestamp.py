"""A time-stamp token of openssl's own authority, over the attestation, checked offline."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from pytest_mlgates.signing.timestamp import stamp_on

pytest.importorskip("rfc3161_client", reason="extra timestamp")
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on the path")

AUTHORITY = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamp]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = critical, serverAuth
[tsa]
default_tsa = tsa1
[tsa1]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/stamp.pem
certs = {folder}/root.pem
signer_key = {folder}/stamp.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """A root, a certificate that may stamp, and ``openssl ts``."""

    def __init__(self, folder, name):
        folder.mkdir()
        self.folder = folder
        (folder / "ca.cnf").write_text(AUTHORITY.format(folder=folder, name=name))
        (folder / "serial").write_text("01\n")
        self.ssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem",
                 "-days", "30", "-config", "ca.cnf", "-extensions", "root")  # fmt: skip
        self.issue("stamp", "stamp")

    def ssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name, kind):
        self.ssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                 "-config", "ca.cnf", "-subj", f"/CN={name} of {self.folder.name}")  # fmt: skip
        self.ssl("x509", "-req", "-in", f"{name}.csr", "-CA", "root.pem", "-CAkey", "root.key",
                 "-CAcreateserial", "-out", f"{name}.pem", "-days", "20", "-extfile", "ca.cnf",
                 "-extensions", kind)  # fmt: skip

    def stamp(self, data, name="token.tsr"):
        self.ssl("ts", "-query", "-data", str(data), "-sha256", "-cert", "-out", "q.tsq")
        self.ssl("ts", "-reply", "-config", "ca.cnf", "-queryfile", "q.tsq", "-out", name)
        return self.folder / name

    @property
    def root(self):
        return self.folder / "root.pem"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tsa") / "one", "Root one")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tsa") / "two", "Root two")


ATTESTATION = "attestation.intoto.jsonl"


def test_when_it_was_signed(signed, run, keys, authority):
    token = authority.stamp(signed.report_folder / ATTESTATION)
    words = ("verify", signed.report_folder, "--key", keys["ed25519"][1], "--timestamp", token)
    status, out, _ = run(*words, "--tsa", authority.root)
    assert status == 0
    assert "timestamp     yes  seen at " in out


def test_of_another_report_or_another_authority(signed, copied, run, keys, authority, other):
    attestation = signed.report_folder / ATTESTATION
    good = authority.stamp(attestation, "good.tsr")
    (elsewhere := signed.path / "elsewhere").write_bytes(attestation.read_bytes() + b"\n")
    wrong = authority.stamp(elsewhere, "wrong.tsr")
    words = ("verify", signed.report_folder, "--key", keys["ed25519"][1])
    for token, root in ((wrong, authority.root), (good, other.root)):
        status, out, _ = run(*words, "--timestamp", token, "--tsa", root)
        assert status == 1
        assert "timestamp     NO   " in out
        assert "is no stamp of these authorities on this attestation" in out
        assert "signature     yes" in out  # one answer is none to another question


@pytest.mark.parametrize("at", range(40))
def test_a_changed_token_is_no_stamp(signed, authority, at):
    attestation = signed.report_folder / ATTESTATION
    data = bytearray(authority.stamp(attestation, "changed.tsr").read_bytes())
    # from the head of the token to its end: status, imprint, time, certificates, signature
    place = at * (len(data) - 1) // 39
    data[place] ^= 1 << (at % 8)
    file = signed.path / "changed.tsr"
    file.write_bytes(bytes(data))
    stamp = stamp_on(attestation, file, [authority.root])
    good = stamp_on(attestation, authority.folder / "changed.tsr", [authority.root])
    assert stamp.fault or stamp.at == good.at


@pytest.mark.parametrize("content", [b"", b"hello", b"\x30\x80" * 900, None])
def test_what_is_no_token(signed, run, keys, authority, content, tmp_path):
    file = tmp_path / "x.tsr"
    if content is None:
        import os

        os.mkfifo(file)
    else:
        file.write_bytes(content)
    words = ("verify", signed.report_folder, "--key", keys["ed25519"][1], "--timestamp", file)
    status, out, _ = run(*words, "--tsa", authority.root)
    assert status == 1
    assert "timestamp     NO" in out


def test_a_certificate_for_servers_stamps_nothing(signed, authority):
    attestation = signed.report_folder / ATTESTATION
    for kind in ("pem", "key"):
        shutil.copy(authority.folder / f"stamp.{kind}", authority.folder / f"kept.{kind}")
    try:
        authority.issue("stamp", "server")
        try:
            token = authority.stamp(attestation, "server.tsr")
        except subprocess.CalledProcessError:
            return  # openssl itself refuses to stamp with it
        assert stamp_on(attestation, token, [authority.root]).at is None
    finally:
        for kind in ("pem", "key"):
            shutil.copy(authority.folder / f"kept.{kind}", authority.folder / f"stamp.{kind}")


def test_the_end_of_a_key_is_held_against_the_stamp(signed, run, keys, authority, tmp_path):
    """A stolen key with the clock set back signs what its owner might have; a stamp comes too late."""
    token = authority.stamp(signed.report_folder / ATTESTATION)
    pem = keys["ed25519"][1].read_text()
    from pytest_mlgates.signing.attested import read_attested

    when = datetime.fromisoformat(read_attested(signed.report_folder / ATTESTATION).sealing.signed)
    end = when + timedelta(milliseconds=1)  # the signer's clock says just before it
    assert end < datetime.now(UTC)
    key = tmp_path / "ended.pub"
    key.write_text(f"not-after: {end.isoformat()}\n{pem}")
    stamp = stamp_on(signed.report_folder / ATTESTATION, token, [authority.root])
    words = ("verify", signed.report_folder, "--key", key)
    assert run(*words)[0] == 0
    status, out, _ = run(*words, "--timestamp", token, "--tsa", authority.root)
    late = stamp.at > end
    assert (status, "stamped at" in out) == ((1, True) if late else (0, False))
    key.write_text(f"not-after: 2099-01-01T00:00Z\n{pem}")
    assert run(*words, "--timestamp", token, "--tsa", authority.root)[0] == 0


@pytest.mark.parametrize("words", [("--timestamp", "x"), ("--tsa", "x")])
def test_asked_wrongly(signed, run, keys, words):
    status, _, err = run("verify", signed.report_folder, "--key", keys["ed25519"][1], *words)
    assert status == 4
    assert "--timestamp FILE: needs the authority's certificates" in err


def test_no_certificate(signed, run, keys, authority, tmp_path):
    (tmp_path / "no.pem").write_text("hello")
    token = authority.stamp(signed.report_folder / ATTESTATION)
    words = ("verify", signed.report_folder, "--key", keys["ed25519"][1], "--timestamp", token)
    status, _, err = run(*words, "--tsa", tmp_path / "no.pem")
    assert status == 4
    assert "holds no certificate in PEM" in err
