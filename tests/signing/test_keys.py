"""Keys of the wrong kind are found before anything runs, and a secret is never printed."""

from __future__ import annotations

import datetime
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from pytest_mlgates.signing.keys import PASSPHRASE, KeyFault, public_key, signing_key
from tests.signing.conftest import write_keys

ATTESTATION = "attestation.intoto.jsonl"


def certificate(private):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    day = datetime.datetime(2026, 1, 1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    made = made.public_key(private.public_key()).serial_number(1).not_valid_before(day)
    signed = made.not_valid_after(day + datetime.timedelta(1)).sign(private, None)
    return signed.public_bytes(form.Encoding.PEM)


def wrong_keys(folder):
    """Every kind of file that is no key to sign with: what must be said of it."""
    good = ed25519.Ed25519PrivateKey.generate()
    made = {
        "rsa": (rsa.generate_private_key(65537, 2048), "holds an RSA key"),
        "p384": (ec.generate_private_key(ec.SECP384R1()), "key on secp384r1"),
        "secp256k1": (ec.generate_private_key(ec.SECP256K1()), "key on secp256k1"),
        "ed448": (ed448.Ed448PrivateKey.generate(), "holds an Ed448 key"),
    }
    for name, (key, told) in made.items():
        yield write_keys(folder, name, key)[0], told
    locked, public = write_keys(folder, "locked", good, "open sesame")
    yield locked, f"is encrypted: put its passphrase into {PASSPHRASE}"
    yield public, "holds a public key"
    files = {
        "certificate": (certificate(good), "holds a certificate"),
        "ssh": (
            good.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()),
            "holds an SSH key",
        ),
        "der": (
            good.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption()),
            "holds no private key in PEM",
        ),
        "empty": (b"", "holds no private key"),
        "garbage": (b"\x00\xff" * 100, "holds no private key"),
        "cut": (write_keys(folder, "good", good)[0].read_bytes()[:60], "holds no private key"),
        "large": (b"-----BEGIN PRIVATE KEY-----\n" * 10_000, "is too large for a key"),
    }
    for name, (data, told) in files.items():
        (folder / name).write_bytes(data)
        yield folder / name, told
    yield folder, "there is no such key file"
    yield folder / "nowhere", "there is no such key file"


def test_wrong_keys(tmp_path, monkeypatch):
    monkeypatch.delenv(PASSPHRASE, raising=False)
    for path, told in wrong_keys(tmp_path):
        with pytest.raises(KeyFault) as fault:
            signing_key(path)
        assert str(fault.value).startswith(f"{path}: "), path
        assert told in str(fault.value), path
        assert "\n" not in str(fault.value)


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_passphrase(tmp_path, monkeypatch, kind):
    key = (
        ed25519.Ed25519PrivateKey.generate()
        if kind == "ed25519"
        else ec.generate_private_key(ec.SECP256R1())
    )
    locked, public = write_keys(tmp_path, "k", key, "open sesame")
    monkeypatch.setenv(PASSPHRASE, "open sesame")
    opened = signing_key(locked)
    assert opened.public.pem == public.read_text()
    assert "PRIVATE" not in repr(opened)
    monkeypatch.setenv(PASSPHRASE, "guess-4711")
    with pytest.raises(KeyFault, match=f"{PASSPHRASE} holds a wrong passphrase") as fault:
        signing_key(locked)
    assert "guess" not in str(fault.value)
    plain, _ = write_keys(tmp_path, "plain", key)
    assert signing_key(plain).public.pem == public.read_text()  # a passphrase for none is no fault


def test_keys_of_openssl(tmp_path):
    """What the documentation tells users to do."""
    private, public = tmp_path / "k.pem", tmp_path / "k.pub"
    for words in (
        ["genpkey", "-algorithm", "ed25519", "-out", private],
        ["pkey", "-in", private, "-pubout", "-out", public],
    ):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    assert signing_key(private).public.key.keyid == public_key(public).key.keyid
    words = ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private]
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    assert signing_key(private).public.key.keytype == "ecdsa"  # SEC1, as older guides make it


def test_a_key_that_can_not_be_read(tmp_path, keys, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(KeyFault, match="the key can't be read: Permission denied"):
        signing_key(keys["ed25519"][0])


def test_public_keys(tmp_path, keys):
    with pytest.raises(KeyFault, match="holds a private key"):
        public_key(keys["ed25519"][0])
    (tmp_path / "c").write_bytes(certificate(ed25519.Ed25519PrivateKey.generate()))
    with pytest.raises(KeyFault, match="holds a certificate"):
        public_key(tmp_path / "c")
    _, public = write_keys(tmp_path, "rsa", rsa.generate_private_key(65537, 2048))
    with pytest.raises(KeyFault, match="holds an RSA key"):
        public_key(public)


# as options


GOOD = "def test_it(answer_length):\n    answer_length(lambda p: 'ok', ['a'])\n"


def refused(result, line):
    assert result.ret == 4
    lines = [line for line in result.stderr.str().splitlines() if line]
    assert len(lines) == 1
    assert line in lines[0]
    assert "test_it.py" not in result.stdout.str()


def test_a_wrong_key_stops_the_run_before_it_starts(project, tmp_path):
    project.tests(GOOD)
    assert project.run().ret == 0
    before = (project.report_folder / "report.json").read_bytes()
    key, _ = write_keys(tmp_path, "rsa", rsa.generate_private_key(65537, 2048))
    refused(project.run(f"--mlgates-sign={key}"), "holds an RSA key")
    assert (project.report_folder / "report.json").read_bytes() == before


def test_options_that_do_not_fit(project, keys, tmp_path):
    project.tests(GOOD)
    key = keys["ed25519"][0]
    refused(project.run(f"--mlgates-sign={key}", report=False), "add --mlgates-report DIR")
    refused(project.run("--mlgates-store=store", report=False), "add --mlgates-report DIR")
    refused(project.run("--mlgates-store=report/store"), "lies in the report folder")
    (project.path / "report").mkdir(exist_ok=True)
    (project.path / "report/key.pem").write_bytes(key.read_bytes())
    refused(project.run("--mlgates-sign=report/key.pem"), "lies in the report folder")
    (project.path / "plain").write_text("")
    refused(project.run("--mlgates-store=plain"), "can't be written")


def test_a_key_outside_after_a_space(project, keys):
    """pytest would look for its own configuration beside the key."""
    project.tests(GOOD)
    key = str(keys["ed25519"][0])
    (project.path / "pytest.ini").write_text("[pytest]\n")
    refused(project.run("--mlgates-sign", key), f"write --mlgates-sign={key}")


@pytest.mark.parametrize("ini", [True, False])
def test_a_key_outside_after_a_space_where_the_project_is_found(project, keys, ini):
    """Beside a path of tests, or where pytest has no configuration that it could miss."""
    (project.path / "tests").mkdir()
    project.tests(GOOD, "tests/test_it")
    if ini:
        (project.path / "pytest.ini").write_text("[pytest]\n")
    words = ["tests"] if ini else []
    result = project.run(*words, "--mlgates-sign", str(keys["ed25519"][0]))
    assert result.ret == 0
    assert (project.report_folder / "attestation.intoto.jsonl").exists()


def test_without_the_extra(project, keys, monkeypatch):
    project.tests(GOOD)
    monkeypatch.setitem(sys.modules, "securesystemslib.signer", None)
    refused(
        project.run(f"--mlgates-sign={keys['ed25519'][0]}"), 'pip install "pytest-mlgates[sign]"'
    )
    assert project.run().ret == 0  # and nothing else needs it


def test_with_workers(project, keys, run):
    project.tests(GOOD)
    key = keys["ed25519"]
    assert project.run(f"--mlgates-sign={key[0]}", "-n", "2").ret == 0
    assert run("verify", project.report_folder, "--key", key[1])[0] == 0


def test_only_collecting_signs_nothing(project, keys):
    project.tests(GOOD)
    assert project.run(f"--mlgates-sign={keys['ed25519'][0]}", "--collect-only").ret == 0
    assert not project.report_folder.exists()


def test_a_folder_that_can_not_be_signed(project, keys, run):
    """The run is not lost: its report is there, and the exit status says that it is not signed."""
    project.tests(
        GOOD + "def test_link():\n    from pathlib import Path\n"
        "    Path('report/a').symlink_to('nowhere')\n"
    )
    result = project.run(f"--mlgates-sign={keys['ed25519'][0]}")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*a: is not a plain file*"])
    assert project.report()["outcome"] == "pass"
    assert not (project.report_folder / ATTESTATION).exists()


# the command


def test_sign_and_verify_later(signed, keys, run):
    signed.write(None)
    folder, (private, public) = signed.report_folder, keys["p256"]
    status, out, _ = run("sign", folder, "--key", private)
    assert status == 0
    assert out.startswith("signed by the key ")
    assert run("verify", folder, "--key", public)[0] == 0
    status, _, err = run("sign", folder, "--key", private)
    assert status == 4
    assert "already exists" in err


def test_sign_refuses_what_does_not_follow(signed, keys, run):
    signed.write(None)
    file = signed.report_folder / "report.json"
    file.write_text(file.read_text().replace('"outcome": "pass"', '"outcome": "fail"', 1))
    status, out, _ = run("sign", signed.report_folder, "--key", keys["p256"][0])
    assert status == 1
    assert "not signed" in out
    assert not (signed.report_folder / ATTESTATION).exists()


@pytest.mark.parametrize("state", ["no report", "running", "no key"])
def test_sign_wrongly(signed, keys, run, state):
    signed.write(None)
    key = keys["p256"][0]
    if state == "no report":
        (signed.report_folder / "report.json").unlink()
    elif state == "running":
        (signed.report_folder / "journal").mkdir()
    else:
        key = "nowhere.pem"
    status, _, err = run("sign", signed.report_folder, "--key", key)
    assert status == 4
    assert len(err.splitlines()) == 1
