"""A name points at an artifact by the evidence for that very artifact, or not at all."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from pytest_mlgates.core.canonical import canonical
from reference_systems.model_registry.errors import Damaged, NotThere, Refused, RegistryError
from reference_systems.model_registry.manifest import Manifest
from reference_systems.model_registry.pointers import pointer_name
from reference_systems.model_registry.promotion import Rules, public_keys
from reference_systems.model_registry.registry import Registry
from tests.reference_systems.model_registry.conftest import WEIGHTS, put


@pytest.fixture
def folder(tmp_path):
    return Registry.open(str(tmp_path / "registry"))


@pytest.fixture
def digest(folder):
    return put(folder, WEIGHTS)


@pytest.fixture
def keys(reports):
    return public_keys([reports.public()])


def refused(folder, digest, report, keys, match, **facts):
    """Promote, expect the reason, and see that nothing points anywhere."""
    with pytest.raises(Refused, match=match) as caught:
        folder.promote("fraud", digest, report, keys, **facts)
    assert "\n" not in str(caught.value)
    with pytest.raises(NotThere, match="fraud points at nothing"):
        folder.resolve("fraud")


def test_by_evidence(registry, reports, keys):
    """In a folder and on S3: the entry says which artifact, by which report, signed by whom."""
    digest = put(registry, WEIGHTS, training_data=64 * "d")
    entry = registry.promote("fraud", digest, reports.about(f"sha256:{digest}"), keys)
    assert registry.resolve("fraud") == entry
    assert (entry.digest, entry.sequence, entry.previous) == (digest, 1, "")
    assert entry.gates == ("models/bandwidth_budget",)
    assert entry.signer == keys[0].key.keyid
    assert b'"payload"' in registry.store.read(entry.report)
    manifest = Manifest.read(registry.store.read(entry.manifest))
    assert (manifest.digest, manifest.evidence) == (digest, entry.report)
    assert manifest.training_data == 64 * "d"
    again = registry.promote("fraud", digest, reports.about(f"sha256:{digest}"), keys)
    assert [e.sequence for e in registry.log("fraud")] == [1, 2]
    assert again.previous


def test_of_another_artifact(folder, digest, reports, keys):
    other = put(folder, b"others")
    report = reports.about(f"sha256:{digest}")
    refused(folder, other, report, keys, f"is about {digest[:12]}..., not about {other[:12]}")


def test_of_a_prefix_of_the_digest(folder, digest, reports, keys):
    refused(folder, digest, reports.about(f"sha256:{digest[:12]}"), keys, "is about no artifact")


def test_that_failed(folder, digest, reports, keys):
    report = reports.about(f"sha256:{digest}", limit=1)
    refused(folder, digest, report, keys, "the run was FAIL and was not let through")


def test_where_it_was_the_known_bad_subject(folder, digest, reports, keys):
    report = reports.about(f"sha256:{digest}", known_bad=True)
    refused(folder, digest, report, keys, "is the known-bad subject of that run")


def test_signed_by_a_stranger(folder, digest, reports, keys):
    report = reports.by("stranger", f"sha256:{digest}")
    refused(folder, digest, report, keys, "trust: the key .* accepted")


def test_with_the_digest_pasted_in(folder, digest, reports, keys):
    """In report.json, and in the signed attestation itself."""
    other = put(folder, b"others")
    report = reports.about(f"sha256:{digest}")
    path = report / "report.json"
    path.write_text(path.read_text("utf-8").replace(digest, other), "utf-8")
    refused(folder, other, report, keys, "completeness|consistency")
    report = reports.about(f"sha256:{digest}")
    path = report / "attestation.intoto.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for line in lines:
        payload = base64.b64decode(line["payload"]).replace(digest.encode(), other.encode())
        line["payload"] = base64.b64encode(payload).decode()
    path.write_bytes(b"".join(canonical(line) + b"\n" for line in lines))
    refused(folder, other, report, keys, "signature: .*does not fit the bytes")


def test_tampered(folder, digest, reports, keys):
    report = reports.about(f"sha256:{digest}")
    (report / "report.html").write_bytes(b"<p>all is well</p>")
    refused(folder, digest, report, keys, "report.html")


def test_expired(folder, digest, reports, keys):
    report = reports.about(f"sha256:{digest}")
    later = datetime.now(UTC) + timedelta(days=31)
    refused(folder, digest, report, keys, "freshness: the run ended 31.0 days ago", now=later)
    earlier = datetime.now(UTC) - timedelta(days=1)
    refused(folder, digest, report, keys, "freshness: .*future", now=earlier)


def test_without_a_gate_that_is_required(folder, digest, reports, keys):
    report = reports.about(f"sha256:{digest}")
    rules = Rules(gates=("bandwidth_budget", "quality_floor"))
    refused(folder, digest, report, keys, "holds no PASS of quality_floor on", rules=rules)
    folder.promote("fraud", digest, report, keys, Rules(gates=("bandwidth_budget",)))


def test_held_against_the_configs_at_hand(folder, digest, reports, keys, tmp_path):
    """A report by a looser config than the one that counts does not promote."""
    report = reports.about(f"sha256:{digest}")
    (tmp_path / "models.yaml").write_text(
        "version: 1\nsystem: models\nowner: team-a\ngates:\n  bandwidth_budget: {max_bytes: 1}\n"
    )
    rules = Rules(configs=tmp_path)
    refused(folder, digest, report, keys, "completeness: models: was gated by", rules=rules)


def test_without_a_report(folder, digest, keys, tmp_path):
    refused(folder, digest, tmp_path / "nowhere", keys, "no such report folder")
    refused(folder, digest, tmp_path, keys, "signature: ")
    refused(folder, digest, tmp_path, [], "whose signature counts")


def test_of_what_is_not_stored(folder, reports, keys, tmp_path):
    empty = Registry.open(str(tmp_path / "empty"))
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    with pytest.raises(NotThere):
        empty.promote("fraud", digest, reports.about(f"sha256:{digest}"), keys)


def test_of_what_is_damaged(folder, digest, reports, keys):
    path = folder.store.backend.root / folder.store.key(digest)
    path.chmod(0o644)
    path.write_bytes(b"others")
    with pytest.raises(Damaged):
        folder.promote("fraud", digest, reports.about(f"sha256:{digest}"), keys)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "a b", "a\n", 101 * "a", "ü"])
def test_names_that_are_none(name):
    with pytest.raises(Refused, match="is not a name"):
        pointer_name(name)


def _append(registry, name, n):
    facts = dict.fromkeys(("version", "manifest", "when", "report", "signer"), str(n))
    return registry.pointers.append(name, digest=64 * "a", gates=(), **facts)


def test_promotions_at_once(registry):
    """Sixteen writers of one name: sixteen entries, each follows the one before it."""
    threads = [threading.Thread(target=_append, args=(registry, "fraud", n)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = registry.log("fraud")
    assert [entry.sequence for entry in entries] == list(range(1, 17))
    assert {entry.when for entry in entries} == {str(n) for n in range(16)}


@pytest.mark.parametrize("how", ["changed", "removed", "swapped", "another's", "garbage", "put in"])
def test_a_history_that_was_touched(folder, how):
    for n in range(4):
        _append(folder, "fraud", n)
        _append(folder, "churn", n)
    place = folder.store.backend.root / "pointers"
    second, third = place / "fraud" / "00000002", place / "fraud" / "00000003"
    for path in (second, third):
        path.chmod(0o644)
    if how == "changed":
        second.write_bytes(second.read_bytes().replace(b'"when":"1"', b'"when":"9"'))
    elif how == "removed":
        second.unlink()
    elif how == "swapped":
        texts = second.read_bytes(), third.read_bytes()
        second.write_bytes(texts[1])
        third.write_bytes(texts[0])
    elif how == "another's":
        second.write_bytes((place / "churn" / "00000002").read_bytes())
    elif how == "garbage":
        second.write_bytes(b"\xff{")
    else:
        (place / "fraud" / "00000000").write_bytes(second.read_bytes())
    for ask in (folder.log, folder.resolve):
        with pytest.raises(Damaged, match="the history of fraud was tampered with"):
            ask("fraud")
    assert folder.resolve("churn").sequence == 4
    with pytest.raises(RegistryError):
        list(folder.collect(timedelta(0)))  # what cannot be read may reach anything


def test_a_pointer_that_was_deleted_and_written_again(bucket):
    """On S3 an entry has one version: a plain delete frees the key, and it shows."""
    registry = Registry.open(bucket)
    entry = _append(registry, "fraud", 1)
    backend = registry.store.backend
    backend._client.delete_object(
        Bucket=backend._bucket, Key=f"{backend._prefix}pointers/fraud/00000001"
    )
    with pytest.raises(Damaged, match="entry 1 has been written or deleted again"):
        registry.resolve("fraud")
    registry.store.put_under("pointers/fraud/00000001", entry.to_bytes())
    with pytest.raises(Damaged, match="entry 1 has been written or deleted again"):
        registry.resolve("fraud")
