"""What a signed report claims, and whether it is about what somebody holds in hands."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess

import pytest

from pytest_mlgates.cli import main
from pytest_mlgates.core import Evidence, Measurement, Verdict
from pytest_mlgates.core.manifest import digest_of_path
from pytest_mlgates.signing.claim import Claim, Subject
from pytest_mlgates.signing.relevance import Asked, Earlier, relevance

GOOD, BAD = "1234567" + "a" * 33, "89abcde" + "b" * 33


def claim(**changes):
    known = {
        "outcome": "pass", "systems": (), "commit": GOOD, "dirty": False, "subjects": (), "inputs": (),
        "tool": "t", "rules": {}, "started": "", "finished": "", "signed": "", "late": "", "key": "",
        "tests": "1 test", "attempts": 1, "own_seeds": 0, "waivers": (),
    }  # fmt: skip
    return Claim(**{**known, **changes})


def no(made, earlier=None, **asked):
    return {q for q, faults, _ in relevance(made, Asked(**asked), earlier) if faults}


def test_a_report_of_the_good_commit_does_not_pass_for_the_bad_one():
    assert no(claim(), commit=GOOD[:7]) == set()
    assert no(claim(), commit=BAD) == {"commit"}
    assert no(claim(commit=""), commit=GOOD) == {"commit"}
    for word in ("", "123", "HEAD", "12345g7"):
        if word:
            with pytest.raises(ValueError, match="hexadecimal"):
                Asked(commit=word)


@pytest.mark.parametrize(("dirty", "said"), [(False, set()), (True, {"clean"}), (None, {"clean"})])
def test_clean(dirty, said):
    assert no(claim(dirty=dirty), clean=True) == said


def test_a_subject_by_its_digest():
    plain = {"system": "s", "name": "m", "entries": ("e",)}
    one = Subject(**plain, digest=f"sha256:{'1' * 64}", digest_from="declared")
    none = Subject(**plain, digest=None, digest_from="")
    made = claim(subjects=(one, none))
    assert no(made, subjects=("1" * 64,)) == no(made, subjects=(f"sha256:{'1' * 64}",)) == set()
    assert no(made, subjects=("2" * 64,)) == {"subject"}
    assert no(claim(subjects=(none,)), subjects=("1" * 64,)) == {"subject"}
    ((_, _, words),) = relevance(made, Asked(subjects=("1" * 64,)), None)
    assert "as the subject DECLARED" in words
    assert "NOT BOUND" in str(none)


def test_first_run():
    assert no(claim(), first_run=True) == {"first run"}  # nobody knows
    assert no(claim(), Earlier(()), first_run=True) == set()
    assert no(claim(), Earlier(("pass",)), first_run=True) == {"first run"}
    assert no(claim(attempts=2), Earlier(()), first_run=True) == {"first run"}
    assert no(claim(own_seeds=1), Earlier(()), first_run=True) == {"first run"}
    text = "run 4 of 4 of this commit and these subjects; 3 before it did not pass"
    assert str(Earlier(("fail",) * 3)) == text


def test_the_command(signed, run, keys, tmp_path):
    words = ("verify", signed.report_folder, "--key", keys["ed25519"][1])
    status, out, _ = run(*words, "--json", "--commit", BAD, "--clean", "--subject", "1" * 64)
    told = json.loads(out)
    assert status == 1
    assert {q for q, a in told["answers"].items() if not a["yes"]} >= {"commit", "subject"}
    assert told["claim"]["systems"] == ["demo (owner team-a, profile default): PASS"]
    (tmp_path / "weights").write_bytes(b"w")
    assert run(*words, "--artifact", tmp_path / "weights")[0] == 1
    assert run(*words, "--commit", "HEAD")[0] == 4
    assert run(*words, "--artifact", tmp_path / "gone")[0] == 4


def test_runs_until_one_passes(signed, run, keys, tmp_path):
    store = tmp_path / "store"
    for answer in ("x" * 20, "x" * 20, "ok"):
        signed.write(keys["ed25519"][0], store, answer=answer)
    words = ("verify", signed.report_folder, "--key", keys["ed25519"][1], "--store", store)
    status, out, _ = run(*words)
    assert status == 0
    # the three answers are three subjects: nothing is said of runs that gated something else
    assert "the first run of this commit and these subjects" in out
    signed.write(keys["ed25519"][0], store, answer="ok")
    out = run(*words)[1]
    assert "run 2 of 2 of this commit and these subjects; 0 before it did not pass" in out
    assert run(*words, "--first-run")[0] == 1


def test_a_key_has_a_validity(signed, run, keys, tmp_path):
    pem = keys["ed25519"][1].read_text()
    late, early = tmp_path / "late.pub", tmp_path / "early.pub"
    late.write_text(f"not-after: 2020-01-01T00:00Z\n{pem}")
    early.write_text(f"# not-before: 2099-01-01\n{pem}")
    for key, word in ((late, "valid until"), (early, "valid from")):
        status, out, _ = run("verify", signed.report_folder, "--key", key)
        assert status == 1
        assert word in out
    (tmp_path / "odd.pub").write_text(f"not-after: soon\n{pem}")
    assert run("verify", signed.report_folder, "--key", tmp_path / "odd.pub")[0] == 4


def test_digests_of_files_are_those_of_model_signing(tmp_path, capsys):
    """The digest of the digests, by the paths' parts; git's own files are left out."""
    (tmp_path / "m/a").mkdir(parents=True)
    for name in ("a/z", "a.b", ".gitignore"):
        (tmp_path / "m" / name).write_bytes(name.encode())
    want = hashlib.sha256()
    for name in ("a/z", "a.b"):  # by parts: 'a' < 'a.b', where '.' < '/' as text
        want.update(hashlib.sha256(name.encode()).digest())
    assert digest_of_path(tmp_path / "m") == f"sha256:{want.hexdigest()}"
    assert main(["digest", str(tmp_path / "m")]) == 0
    assert capsys.readouterr().out.startswith(f"sha256:{want.hexdigest()}  ")
    (tmp_path / "m/link").symlink_to("a.b")
    assert main(["digest", str(tmp_path / "m")]) == 4
    assert "is a link" in capsys.readouterr().err


def test_evidence_says_how_its_digest_was_got():
    piece = Evidence(gate="g", policy={}, verdict=Verdict("pass", "r"), digest_from="declared",
                     measurement=Measurement(value=1, unit="", n=1))  # fmt: skip
    assert Evidence.from_json(piece.to_json()) == piece
    assert (
        "digest_from" not in Evidence(gate="g", policy={}, verdict=Verdict("pass", "r")).to_dict()
    )


def _openssl_verifies(folder, keys, envelope):
    """Check a DSSE signature over its pre-authentication encoding, with openssl alone."""
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    (folder / "pae").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    (folder / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    words = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", keys["ed25519"][1], "-rawin",
             "-in", folder / "pae", "-sigfile", folder / "sig"]  # fmt: skip
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def test_bundles_for_cosign(signed, run, keys, tmp_path):
    """One envelope a file, by Sigstore's own model where it is installed; openssl checks the bytes."""
    assert run("bundle", signed.report_folder, "--to", tmp_path / "b")[0] == 0
    files = sorted((tmp_path / "b").iterdir())
    assert [file.name for file in files] == ["gates.sigstore.json", "test-result.sigstore.json"]
    for file in files:
        bundle = json.loads(file.read_text())
        assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
        assert _openssl_verifies(tmp_path, keys, bundle["dsseEnvelope"])
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(b"{}").decode()
        assert not _openssl_verifies(tmp_path, keys, bundle["dsseEnvelope"])


@pytest.mark.parametrize("changed", [False, True])
def test_a_bundle_follows_the_published_schema(signed, run, tmp_path, changed):
    """The models made from sigstore/protobuf-specs: all of it is in them, and nothing else passes."""
    models = pytest.importorskip("sigstore_models.bundle.v1", reason="pip install sigstore-models")
    assert run("bundle", signed.report_folder, "--to", tmp_path / "b")[0] == 0
    for file in (tmp_path / "b").iterdir():
        bundle = json.loads(file.read_text())
        if changed:
            bundle["dsseEnvelop"] = bundle.pop("dsseEnvelope")
            with pytest.raises(ValueError, match="dsseEnvelop"):
                models.Bundle.from_json(json.dumps(bundle))
        else:
            again = json.loads(models.Bundle.from_json(json.dumps(bundle)).to_json())
            assert {name: again.get(name) for name in bundle} == bundle


def test_a_bundle_is_read_by_the_messages_of_protobuf_specs(signed, run, tmp_path):
    bundle_v1 = pytest.importorskip(
        "sigstore_protobuf_specs.dev.sigstore.bundle.v1",
        reason="pip install sigstore-protobuf-specs",
    )
    assert run("bundle", signed.report_folder, "--to", tmp_path / "b")[0] == 0
    for file in (tmp_path / "b").iterdir():
        told = json.loads(file.read_text())
        assert json.loads(bundle_v1.Bundle.from_dict(told).to_json()) == {
            name: {k: v for k, v in value.items() if v != []} if isinstance(value, dict) else value
            for name, value in told.items()
        }


def test_a_verification_summary(signed, run, keys, tmp_path):
    key = ("--vsa", tmp_path / "vsa.jsonl", "--vsa-key", keys["ed25519"][0])
    words = ("verify", signed.report_folder, "--key", keys["ed25519"][1])
    assert (
        run(*words, *key, "--config", "gate_configs", "--verifier", "https://ci.example/x")[0] == 0
    )
    envelope = json.loads((tmp_path / "vsa.jsonl").read_text())
    assert _openssl_verifies(tmp_path, keys, envelope)
    statement = json.loads(base64.b64decode(envelope["payload"]))
    predicate = statement["predicate"]
    assert statement["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert predicate["verifier"]["id"] == "https://ci.example/x"
    assert predicate["verificationResult"] == "PASSED"
    assert all(subject["name"].startswith("gated:") for subject in statement["subject"])
    run(*words, *key, "--commit", BAD)
    predicate = json.loads(
        base64.b64decode(json.loads((tmp_path / "vsa.jsonl").read_text())["payload"])
    )
    assert predicate["predicate"]["verificationResult"] == "FAILED"
    assert run(*words, "--vsa", tmp_path / "x")[0] == 4


def test_a_test_left_out_is_no_complete_report(project, run, keys):
    """Two tests of one entry, the failing one left out by ``-k``."""
    project.tests(
        """
        def test_good(answer_length):
            answer_length(lambda p: "ok", ["a"])

        def test_bad(answer_length):
            answer_length(lambda p: "x" * 20, ["a"])
        """
    )
    project.run("-k", "test_good", f"--mlgates-sign={keys['ed25519'][0]}")
    words = (
        "verify",
        project.report_folder,
        "--key",
        keys["ed25519"][1],
        "--config",
        "gate_configs",
    )
    status, out, _ = run(*words)
    assert status == 1
    assert "test_bad asked for it and left no evidence: deselected" in out
    assert "1 test that asked for a gate left none" in out
