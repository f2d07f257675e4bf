"""Every change to a signed folder is found; the full figure is that of benchmarks/tamper.py."""

from __future__ import annotations

import itertools
import random
import shutil

import pytest

from pytest_mlgates.signing.keys import public_key
from pytest_mlgates.signing.verify import verify
from tests.signing.conftest import Signed
from tests.signing.tampering import KINDS, read, tamper, write


@pytest.fixture(scope="module", params=["ed25519", "p256"])
def honest(request, made, keys, tmp_path_factory):
    """Return the key's public half and two signed folders."""
    path = tmp_path_factory.mktemp("honest")
    one = Signed(path / "work")
    shutil.copytree(made.path, one.path)
    private, public = keys[request.param]
    folders = []
    for number, answer in enumerate(["ok", "y" * 20]):
        one.write(private, answer=answer)
        folders.append(shutil.copytree(one.report_folder, path / f"{number}"))
    return public_key(public), folders


def test_every_change_is_found(honest):
    key, (folder, other) = honest
    files, others = read(folder), [read(other)]
    rng = random.Random(4)
    tried = 0
    for kind, name in itertools.chain.from_iterable(
        itertools.repeat(tuple(itertools.product(KINDS, sorted(files))), 6)
    ):
        changed = tamper(rng, kind, name, files, others)
        if changed == files:
            continue
        write(folder, files, changed)
        found = verify(folder, [key])
        write(folder, changed, files)
        assert not found.good, (kind, name)
        tried += 1
    assert tried > 200
    assert verify(folder, [key]).good
    assert verify(other, [key]).good


def test_every_byte_of_the_attestation_counts(honest):
    """Also those of base64 padding, of key ids and between two values."""
    key, (folder, _) = honest
    path = folder / "attestation.intoto.jsonl"
    data = path.read_bytes()
    places = [i for i in range(len(data)) if data[i : i + 1] in b'{}[]":,=\n']
    places += range(len(data) - 400, len(data), 7)
    for at in sorted(set(places)):
        for new in (data[at] ^ 1, ord(" "), ord("=")):
            if new == data[at]:
                continue
            path.write_bytes(data[:at] + bytes([new]) + data[at + 1 :])
            assert "signature" in no(verify(folder, [key])), at
    path.write_bytes(data)
    assert verify(folder, [key]).good


def no(found):
    return {answer.question for answer in found.answers if not answer.yes}


def test_the_other_form_of_an_ecdsa_signature(honest):
    """Anyone can make (r, n - s) of (r, s): it fits the bytes, and is refused all the same."""
    import base64
    import json

    from cryptography.hazmat.primitives.asymmetric.utils import (
        decode_dss_signature,
        encode_dss_signature,
    )

    from pytest_mlgates.core.canonical import canonical
    from pytest_mlgates.signing.envelope import _P256_ORDER

    key, (folder, _) = honest
    if key.key.keytype != "ecdsa":
        pytest.skip("has one form")
    path = folder / "attestation.intoto.jsonl"
    data = path.read_bytes()
    lines = [json.loads(line) for line in data.splitlines()]
    r, s = decode_dss_signature(base64.b64decode(lines[0]["signatures"][0]["sig"]))
    other = encode_dss_signature(r, _P256_ORDER - s)
    lines[0]["signatures"][0]["sig"] = base64.b64encode(other).decode()
    path.write_bytes(b"".join(canonical(line) + b"\n" for line in lines))
    assert no(verify(folder, [key])) == {"signature", "trust"}
    path.write_bytes(data)
