"""`mlgates verify`: each question has its own answer, and no yes stands in for another."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import shutil

import pytest

from pytest_mlgates.core.canonical import canonical, parse, sha256
from pytest_mlgates.report.read import report_of
from pytest_mlgates.signing.coverage import ConfigsAtHand
from pytest_mlgates.signing.envelope import read_envelopes, sign
from pytest_mlgates.signing.keys import public_key, signing_key
from pytest_mlgates.signing.seal import Seal
from pytest_mlgates.signing.verify import verify
from pytest_mlgates.writers import write_all
from tests.signing.conftest import TESTS

ATTESTATION = "attestation.intoto.jsonl"


@pytest.fixture
def answers(run, keys):
    """Return a function that verifies a folder: status, and the answers by question."""

    def ask(folder, *words, key="ed25519"):
        status, out, err = run("verify", folder, "--key", keys[key][1], "--json", *words)
        assert err == ""
        found = json.loads(out)
        said = {name: answer["yes"] for name, answer in found["answers"].items()}
        assert found["good"] == all(said.values())
        assert status == (0 if found["good"] else 1)
        reasons = {name: "\n".join(a["reasons"]) for name, a in found["answers"].items()}
        return {name for name, yes in said.items() if not yes}, reasons

    return ask


ALL = {"signature", "trust", "completeness", "consistency", "freshness"}


@pytest.mark.parametrize("key", ["ed25519", "p256"])
def test_an_honest_report(project, keys, answers, key):
    project.tests(TESTS)
    result = project.run(f"--mlgates-sign={keys[key][0]}")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["signed by the key *"])
    no, _ = answers(project.report_folder, "--config", "gate_configs", "--max-age", 1, key=key)
    assert no == set()


def test_the_lines_for_a_person(signed, run, keys):
    status, out, _ = run("verify", signed.report_folder, "--key", keys["ed25519"][1])
    assert status == 0
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines[:5]] == [
        [name, "yes"] for name in ("signature", "trust", "completeness", "consistency", "freshness")
    ]
    assert lines[-1] == "the run itself: PASS, let through"
    told = "\n".join(lines[5:-1])
    for words in ("gated         demo (owner team-a, profile default): PASS", "commit        ", "subjects      demo: ",
                  "decided by    pytest-mlgates 0.", "signed        2", "tests         1 test left 1 piece"):  # fmt: skip
        assert words in told


def test_a_failed_run_is_evidence(project, run, keys, answers):
    project.tests("def test_it(answer_length):\n    answer_length(lambda p: 'x' * 20, ['a'])\n")
    assert project.run(f"--mlgates-sign={keys['ed25519'][0]}").ret == 1
    assert answers(project.report_folder, "--config", "gate_configs")[0] == set()
    words = ("verify", project.report_folder, "--key", keys["ed25519"][1])
    status, out, _ = run(*words)
    assert (status, out.splitlines()[-1]) == (0, "the run itself: FAIL, not let through")
    assert run(*words, "--must-pass")[0] == 1


def test_another_key_is_not_trusted_and_the_rest_stands(signed, answers, keys, run):
    assert answers(signed.report_folder, key="other")[0] == {"trust"}
    two = ("--key", keys["other"][1], "--key", keys["ed25519"][1])
    assert run("verify", signed.report_folder, *two)[0] == 0


def test_a_key_of_the_same_name_is_another_key(copied, answers, keys):
    """An attacker signs anew and puts the accepted key's id and PEM into the statement."""
    folder = copied()
    lines = (folder / ATTESTATION).read_bytes().splitlines()
    payloads = [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in lines]
    (folder / ATTESTATION).write_bytes(sign(payloads, signing_key(keys["other"][0])))
    no, reasons = answers(folder)
    assert no == {"signature", "trust"}
    assert "names another key" in reasons["signature"]


# completeness


TWO_GATES = """
version: 1
system: demo
owner: team-a
gates:
  answer_length: {max_chars: 10}
  short: {gate: answer_length, max_chars: 5}
"""


def test_a_valid_signature_over_a_skipped_gate(project, keys, answers):
    """The profile does not ask for completeness: the run passes, the report does not verify."""
    project.config(TWO_GATES)
    project.tests(TESTS)
    assert project.run(f"--mlgates-sign={keys['ed25519'][0]}").ret == 0
    no, reasons = answers(project.report_folder)
    assert no == {"completeness"}
    assert "demo: short left no evidence" in reasons["completeness"]


def test_a_gate_that_the_signer_left_out_of_the_config(signed, answers):
    """The report is complete by its own list; the configs at hand know of one more gate."""
    assert answers(signed.report_folder, "--config", "gate_configs")[0] == set()
    signed.config(TWO_GATES)
    no, reasons = answers(signed.report_folder, "--config", "gate_configs")
    assert no == {"completeness"}
    assert "another config" in reasons["completeness"]
    assert answers(signed.report_folder)[0] == set()  # nothing said so


def test_a_system_that_was_not_gated(signed, answers):
    signed.config(TWO_GATES.replace("demo", "other"), name="other")
    no, reasons = answers(signed.report_folder, "--config", "gate_configs")
    assert no == {"completeness"}
    assert "other: is configured" in reasons["completeness"]


def test_a_config_that_is_gone(signed, answers):
    signed.config(TWO_GATES.replace("demo", "other"))
    no, reasons = answers(signed.report_folder, "--config", "gate_configs")
    assert no == {"completeness"}
    assert "demo: was gated by a config that is not at hand" in reasons["completeness"]


def test_the_configs_may_lie_elsewhere(signed, answers, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(signed.path / "gate_configs/demo.yaml", tmp_path / "elsewhere/renamed.yaml")
    words = ("--config", tmp_path / "elsewhere")
    assert answers(signed.report_folder, *words)[0] == set()


def test_a_profile_can_be_asked_for(project, keys, answers):
    project.config(TWO_GATES.replace("  short", "  #") + "profiles:\n  release: {complete: true}\n")
    project.tests(TESTS)
    assert project.run(f"--mlgates-sign={keys['ed25519'][0]}").ret == 0
    folder, words = project.report_folder, ("--config", "gate_configs", "--profile", "release")
    no, reasons = answers(folder, *words)
    assert no == {"completeness"}
    assert "under the profile default, not release" in reasons["completeness"]
    assert project.run(f"--mlgates-sign={keys['ed25519'][0]}", "--mlgates-profile=release").ret == 0
    assert answers(folder, *words)[0] == set()


def test_a_budget_that_tests_share(project, keys, answers):
    """Each test's alpha hangs on how many tests there are; the configs at hand can't say that."""
    project.config(
        """
        version: 1
        system: demo
        owner: team-a
        gates:
          p99_latency: {max_ms: 1000}
        profiles:
          default: {suite_alpha: 0.001}
        """
    )
    project.tests(
        """
        def test_it(p99_latency):
            p99_latency(len, ["a"] * 6000)

        def test_too(p99_latency):
            p99_latency(len, ["a"] * 6000)
        """
    )
    assert project.run(f"--mlgates-sign={keys['ed25519'][0]}").ret == 0
    assert answers(project.report_folder, "--config", "gate_configs")[0] == set()


def test_an_interrupted_run(project, keys, answers):
    project.tests(
        """
        def test_it(answer_length):
            answer_length(lambda p: "ok", ["a"])

        def test_stop():
            raise KeyboardInterrupt
        """
    )
    assert project.run(f"--mlgates-sign={keys['ed25519'][0]}").ret == 2
    no, reasons = answers(project.report_folder)
    assert no == {"completeness"}
    assert "the run was interrupted" in reasons["completeness"]


def forged(folder, keys, change):
    """Sign a changed report with the accepted key: what a dishonest signer can do."""
    data = parse((folder / "report.json").read_bytes())
    change(data)
    renamed = {}
    for piece in data["evidence"]:
        old = piece.pop("digest")
        renamed[old] = piece["digest"] = sha256(piece)
    for gate in data["systems"][0]["gates"]:
        for kind in ("evidence", "proof"):
            gate[kind] = [renamed[digest] for digest in gate[kind]]
    assert write_all(report_of(folder, data), folder) == []
    assert Seal(signing_key(keys["ed25519"][0]), None).close(folder)[1] == []


def test_a_looser_policy_than_configured(signed, keys, answers):
    """The evidence is consistent with itself, and was judged by less than the config asks for."""

    def loosen(data):
        (piece,) = (piece for piece in data["evidence"] if piece["role"] == "gate")
        piece["policy"]["max_chars"] = 500
        piece["verdict"]["reason"] = piece["verdict"]["reason"].replace("10 are", "500 are")

    forged(signed.report_folder, keys, loosen)
    assert answers(signed.report_folder)[0] == set()
    no, reasons = answers(signed.report_folder, "--config", "gate_configs")
    assert no == {"completeness"}
    assert "max_chars=500 is looser than the 10 of" in reasons["completeness"]


@pytest.mark.parametrize("path", [("evidence", 0, "verdict", "outcome"), ("outcome",)])
def test_a_signature_over_a_decision_that_does_not_follow(copied, keys, answers, path):
    folder = copied()

    def change(data):
        *parents, last = path
        for key in parents:
            data = data[key]
        data[last] = "fail"

    forged(folder, keys, change)
    no, _ = answers(folder)
    assert no == {"consistency"}


def test_a_signature_over_a_page_that_shows_something_else(copied, keys, answers):
    folder = copied()
    page = folder / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("demo", "DEMO"), encoding="utf-8")
    Seal(signing_key(keys["ed25519"][0]), None).close(folder)
    no, reasons = answers(folder)
    assert no == {"consistency"}
    assert "report.html: does not show" in reasons["consistency"]


# freshness


def test_freshness(signed, answers):
    folder = signed.report_folder
    assert answers(folder, "--max-age", 30)[0] == set()
    old, reasons = answers(folder, "--max-age", 30, "--now", "2099-01-01T00:00Z")
    assert old == {"freshness"}
    assert "30.0 days are allowed" in reasons["freshness"]
    assert answers(folder, "--now", "2099-01-01T00:00Z")[0] == set()
    early, reasons = answers(folder, "--now", "2020-01-01")
    assert early == {"freshness"}
    assert "in the future" in reasons["freshness"]


def test_an_old_run_signed_today_is_old(copied, keys, answers):
    folder = copied()

    def age(data):
        for name in ("started", "finished"):
            data["environment"][name] = "2020-01-01T00:00:00+00:00"

    forged(folder, keys, age)
    assert answers(folder)[0] == set()
    assert answers(folder, "--max-age", 30)[0] == {"freshness"}


# one report's parts in another


def test_an_attestation_of_another_report(signed, copied, keys, answers):
    first = copied()
    signed.write(keys["ed25519"][0], answer="y" * 20)
    second = signed.report_folder
    assert answers(first)[0] == answers(second)[0] == set()
    shutil.copy(first / ATTESTATION, second / ATTESTATION)
    no, reasons = answers(second)
    assert "consistency" in no
    assert "report.json: is not what was signed" in reasons["consistency"]


def test_lines_of_two_attestations(signed, copied, keys, answers):
    first = copied()
    signed.write(keys["ed25519"][0], answer="y" * 20)
    mixed = [
        (folder / ATTESTATION).read_bytes().splitlines(keepends=True)
        for folder in (signed.report_folder, first)
    ]
    (first / ATTESTATION).write_bytes(mixed[0][0] + mixed[1][1])
    assert answers(first)[0] == {"consistency"}


# hostile folders


def rewritten(folder, change):
    """Change the first envelope as a JSON object and write it back canonically."""
    first, second = (folder / ATTESTATION).read_bytes().splitlines()
    plain = json.loads(first)
    change(plain)
    (folder / ATTESTATION).write_bytes(canonical(plain) + b"\n" + second + b"\n")


def text(change):
    def apply(folder):
        path = folder / ATTESTATION
        path.write_bytes(change(path.read_bytes()))

    return apply


def two_signatures(plain):
    plain["signatures"] *= 2


HOSTILE = {
    "no attestation": lambda f: (f / ATTESTATION).unlink(),
    "empty": text(lambda data: b""),
    "half a line": text(lambda data: data[: len(data) // 3]),
    "one envelope": text(lambda data: data.splitlines(keepends=True)[0]),
    "three envelopes": text(lambda data: data + data.splitlines(keepends=True)[1]),
    "other order": text(lambda data: b"".join(reversed(data.splitlines(keepends=True)))),
    "no last end": text(lambda data: data[:-1]),
    "blank line": text(lambda data: data + b"\n"),
    "duplicate key": text(lambda data: data.replace(b'{"payload"', b'{"payload":"","payload"', 1)),
    "a space": text(lambda data: data.replace(b'","payloadType', b'", "payloadType', 1)),
    "CRLF": text(lambda data: data.replace(b"\n", b"\r\n")),
    "base64 line break": text(lambda data: data.replace(b'"payload":"e', b'"payload":"\\ne', 1)),
    "base64url": lambda f: rewritten(f, lambda p: p.update(payload=p["payload"].replace("/", "_").replace("+", "-") + "_")),
    "no padding": lambda f: rewritten(f, lambda p: p["signatures"][0].update(sig=p["signatures"][0]["sig"].rstrip("="))),
    "payloadType": lambda f: rewritten(f, lambda p: p.update(payloadType="application/json")),
    "two signatures": lambda f: rewritten(f, two_signatures),
    "no signature": lambda f: rewritten(f, lambda p: p.update(signatures=[])),
    "another keyid": lambda f: rewritten(f, lambda p: p["signatures"][0].update(keyid="0" * 64)),
    "more keys": lambda f: rewritten(f, lambda p: p.update(note="x")),
    "more in the signature": lambda f: rewritten(f, lambda p: p["signatures"][0].update(note="x")),
    "a number": text(lambda data: b"1\n2\n"),
    "deep": text(lambda data: b"[" * 100_000 + b"\n" + data),
    "not UTF-8": text(lambda data: b"\xff" + data),
    "a folder": lambda f: ((f / ATTESTATION).unlink(), (f / ATTESTATION).mkdir()),
    "a link": lambda f: (
        (f / ATTESTATION).rename(f.parent / f"{f.name}.jsonl"),
        (f / ATTESTATION).symlink_to(f.parent / f"{f.name}.jsonl"),
    ),
    "a pipe": lambda f: ((f / ATTESTATION).unlink(), os.mkfifo(f / ATTESTATION)),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_attestation(copied, answers, case):
    folder = copied()
    HOSTILE[case](folder)
    no, _ = answers(folder)
    assert {"signature", "trust"} <= no


def link(folder):
    (folder / "report.html").rename(folder.parent / f"{folder.name}.html")
    (folder / "report.html").symlink_to(folder.parent / f"{folder.name}.html")


def sparse(folder):
    with (folder / "report.html").open("r+b") as file:
        file.truncate(1 << 40)


CHANGED = {
    "an extra file": (lambda f: (f / "note.txt").write_text("hi"), "completeness"),
    "an extra file below": (
        lambda f: ((f / "a").mkdir(), (f / "a/b").write_text("hi")),
        "completeness",
    ),
    "an empty folder": (lambda f: (f / "a").mkdir(), "completeness"),
    "a hidden file": (lambda f: (f / ".report.json.x").write_text(""), "completeness"),
    "a link to nowhere": (lambda f: (f / "a").symlink_to("nowhere"), "completeness"),
    "a link to a folder": (lambda f: (f / "a").symlink_to("/"), "completeness"),
    "a pipe": (lambda f: os.mkfifo(f / "a"), "completeness"),
    "a name that is no UTF-8": (
        lambda f: open(os.fsencode(f) + b"/\xff", "wb").close(),  # noqa: PTH123
        "completeness",
    ),
    "a file gone": (lambda f: (f / "summary.md").unlink(), "completeness"),
    "a file that is a link": (link, "completeness"),
    "a file of a terabyte": (sparse, "consistency"),
    "an extra file of a terabyte": (
        lambda f: ((f / "a").touch(), os.truncate(f / "a", 1 << 40)),
        "completeness",
    ),
    "report.json gone": (lambda f: (f / "report.json").unlink(), "completeness"),
    "half a report.json": (
        lambda f: os.truncate(f / "report.json", 100),
        "consistency",
    ),
}


@pytest.mark.parametrize("case", CHANGED)
def test_changed_folder(copied, answers, case):
    folder = copied()
    change, question = CHANGED[case]
    change(folder)
    no, _ = answers(folder)
    assert question in no
    assert not no & {"signature", "trust"}


def test_a_folder_of_too_many_files(copied, answers, monkeypatch):
    folder = copied()
    monkeypatch.setattr("pytest_mlgates.signing.folder.MAX_FILES", 10)
    for number in range(20):
        (folder / f"{number}").touch()
    no, reasons = answers(folder)
    assert "completeness" in no
    assert "more than 10 files" in reasons["completeness"]


def test_an_unsigned_report(signed, answers):
    signed.write(None)
    assert answers(signed.report_folder)[0] == ALL


def test_a_run_without_a_key_leaves_no_old_attestation(signed):
    signed.write(None)
    assert not (signed.report_folder / ATTESTATION).exists()


def leaves(value, path=()):
    """Yield the path of every value in a JSON document, the inner ones too."""
    yield path
    items = {}
    if isinstance(value, (dict, list)):
        items = value if isinstance(value, dict) else dict(enumerate(value))
    for key, item in items.items():
        yield from leaves(item, (*path, key))


STRANGE = [None, True, -1, 1e308, "", "x", "9999-12-31T23:59:59", "2026-01-01T00:00", [], {}, [{}]]


@pytest.mark.parametrize("seed", range(2))
def test_no_signed_report_breaks_the_verifier(signed, keys, seed):
    """Whatever stands in a report with a valid signature of anyone: an answer, and no yes to all."""
    folder = signed.report_folder
    configs = ConfigsAtHand(signed.path / "gate_configs")
    key = public_key(keys["ed25519"][1])
    honest = (folder / "report.json").read_bytes()
    attestation = (folder / ATTESTATION).read_bytes()
    payloads = [envelope.statement for envelope in read_envelopes(attestation)]
    rng = random.Random(seed)
    paths = [path for path in leaves(json.loads(honest)) if path]
    for path in rng.sample(paths, 60):
        data = parse(honest)
        *parents, last = path
        place = data
        for step in parents:
            place = place[step]
        new = rng.choice(STRANGE)
        if place[last] == new:
            continue
        place[last] = new
        changed = json.dumps(data).encode()
        (folder / "report.json").write_bytes(changed)
        for payload in payloads:
            digest = hashlib.sha256(changed).hexdigest()
            for subject in payload["subject"]:
                if subject["name"] == "report:report.json":
                    subject["digest"]["sha256"] = digest
            for file in payload["predicate"].get("files", ()):
                if file["name"] == "report.json":
                    file.update(size=len(changed), sha256=digest)
        (folder / ATTESTATION).write_bytes(sign(payloads, signing_key(keys["ed25519"][0])))
        found = verify(folder, [key], configs=configs)
        assert not found.good, path
        assert next(found.lines()).startswith("signature     yes")


def test_no_signed_statement_breaks_the_verifier(copied, keys):
    folder = copied()
    key = public_key(keys["ed25519"][1])
    data = (folder / ATTESTATION).read_bytes()
    rng = random.Random(3)
    payloads = [envelope.statement for envelope in read_envelopes(data)]
    paths = [path for path in leaves(payloads) if len(path) > 1]
    for path in rng.sample(paths, 100):
        changed = json.loads(json.dumps(payloads))
        *parents, last = path
        place = changed
        for step in parents:
            place = place[step]
        new = rng.choice(STRANGE)
        if place[last] == new or path[1:3] == ("predicate", "signed"):
            continue
        place[last] = new
        (folder / ATTESTATION).write_bytes(sign(changed, signing_key(keys["ed25519"][0])))
        found = verify(folder, [key])
        assert not found.good or path[1:3] == ("predicate", "chain"), path
        list(found.lines())


# wrong use


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "mlgates verify: name a report folder, or a store with --store"),
        (("report",), "mlgates verify: whose signature counts? name a public key with --key"),
        (("nowhere", "--key", "K"), "nowhere: there is no such folder"),
        (("report", "--key", "nowhere.pub"), "nowhere.pub: there is no such key file"),
        (("report", "--key", "K", "--now", "soon"), "--now soon: expected an instant"),
        (("report", "--key", "K", "--max-age", "0"), "--max-age 0: takes more than 0 days"),
        (("report", "--key", "K", "--max-age", "nan"), "--max-age nan: takes more than 0 days"),
        (("report", "--key", "K", "--max-age", "inf"), "--max-age inf: takes more than 0 days"),
        (("report", "--key", "K", "--now", "0001-01-01T00:00+14:00"), "--now 0001"),
        (("report", "--key", "K", "--store", "report"), "report: is not a store"),
        (("report", "--key", "K", "--config", "nowhere"), "nowhere: there is no such config"),
    ],
)
def test_wrong_use(signed, run, keys, words, line):
    words = [str(keys["ed25519"][1]) if word == "K" else word for word in words]
    status, out, err = run("verify", *words)
    assert (status, out) == (4, "")
    assert err.startswith(line)
    assert len(err.splitlines()) == 1
