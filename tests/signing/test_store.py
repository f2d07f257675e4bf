"""The store: append-only, chained; a removed, moved, inserted or edited run is noticed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from pytest_mlgates.core.canonical import canonical, parse
from pytest_mlgates.signing.store import FIRST, Link, Run, Store, StoreFault

ATTESTATION = "attestation.intoto.jsonl"


@pytest.fixture(scope="module")
def filled(made, keys, tmp_path_factory):
    """Return a folder with a store of four signed runs and a copy of each one's report."""
    from tests.signing.conftest import Signed

    path = tmp_path_factory.mktemp("filled")
    one = Signed(path / "work")
    shutil.copytree(made.path, one.path)
    for number, answer in enumerate(["ok", "no", "y" * 20, "ok"], 1):
        one.write(keys["ed25519"][0], path / "store", answer)
        shutil.copytree(one.report_folder, path / f"report-{number}")
    return path


@pytest.fixture
def kept(filled, tmp_path):
    return shutil.copytree(filled, tmp_path / "kept")


@pytest.fixture
def ask(run, keys):
    """Return a function that verifies a store: status and the lines of the answer."""

    def ask(store, report=None, *, key=True):
        words = ["--key", keys["ed25519"][1]] if key else []
        status, out, err = run("verify", *([report] if report else []), *words, "--store", store)
        assert err == ""
        lines = out.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("store"))
        return status, "\n".join(lines[start:])

    return ask


def test_honest(kept, ask):
    store = kept / "store"
    assert ask(store)[0] == 0
    assert ask(store, key=False) == (0, "store         yes  links and digests hold (no --key)")
    for number in range(1, 5):
        assert ask(store, kept / f"report-{number}")[0] == 0


def test_what_is_kept(kept):
    store = kept / "store"
    runs = list(Store(store).runs())
    assert [run.link.sequence for run in runs] == [1, 2, 3, 4]
    assert [run.outcome for run in runs] == ["pass", "pass", "fail", "pass"]
    assert runs[0].link.previous == FIRST
    for number, run in enumerate(runs, 1):
        folder = kept / f"report-{number}"
        assert {file.name for file in folder.iterdir()} == set(run.files)
        for name, digest in run.files.items():
            assert Store(store).object(digest).read_bytes() == (folder / name).read_bytes()
        for piece in parse((folder / "report.json").read_bytes())["evidence"]:
            data = Store(store).object(piece["digest"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == piece["digest"]
            assert parse(data)["verdict"] == piece["verdict"]
    objects = [path for path in (store / "objects").rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o222 == 0 for path in objects)


def lines_of(store):
    return (store / "chain.jsonl").read_bytes().splitlines(keepends=True)


def edited(line, **changes):
    return canonical({**parse(line), **changes}) + b"\n"


CHANGES = {
    "removed first": lambda lines: lines[1:],
    "removed in the middle": lambda lines: [lines[0], *lines[2:]],
    "reordered": lambda lines: [lines[0], lines[2], lines[1], lines[3]],
    "inserted again": lambda lines: [*lines[:2], lines[1], *lines[2:]],
    "edited": lambda lines: [lines[0], edited(lines[1], outcome="fail"), *lines[2:]],
    "a space": lambda lines: [lines[0], lines[1].replace(b":", b": ", 1), *lines[2:]],
    "renumbered": lambda lines: [lines[0], *(edited(line, sequence=n) for n, line in enumerate(lines[2:], 2))],
    "half a line": lambda lines: [*lines[:3], lines[3][:-20]],
    "no last end": lambda lines: [*lines[:3], lines[3][:-1]],
    "a blank line": lambda lines: [*lines[:2], b"\n", *lines[2:]],
    "another path": lambda lines: [*lines[:3], edited(lines[3], files={"a": "../../etc/passwd"})],
    "empty": lambda lines: [],
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_chain(kept, ask, case):
    """Whoever looks needs no key for these."""
    store = kept / "store"
    changed = CHANGES[case](lines_of(store))
    (store / "chain.jsonl").write_bytes(b"".join(changed))
    assert ask(store, key=False)[0] == 1
    assert ask(store)[0] == 1


def test_a_tail_that_is_gone_shows_in_a_later_report_only(kept, ask):
    store = kept / "store"
    (store / "chain.jsonl").write_bytes(b"".join(lines_of(store)[:2]))
    assert ask(store)[0] == 0  # what is left is whole
    status, said = ask(store, kept / "report-4")
    assert status == 1
    assert "run 4, the store ends at 2: runs were removed" in said


def test_another_run_in_place_of_one_that_is_gone(kept, keys, ask):
    from tests.signing.conftest import Signed

    store = kept / "store"
    (store / "chain.jsonl").write_bytes(b"".join(lines_of(store)[:3]))
    Signed(kept / "work").write(keys["ed25519"][0], store, "other")
    assert ask(store)[0] == 0
    status, said = ask(store, kept / "report-4")
    assert status == 1
    assert "run 4, and the store has another run there" in said


def chained(lines):
    """Number and link lines anew, as whoever can write the store can."""
    previous, done = FIRST, []
    for number, line in enumerate(lines, 1):
        done.append(edited(line, sequence=number, previous=previous))
        previous = hashlib.sha256(done[-1][:-1]).hexdigest()
    return done


REWRITTEN = {
    "removed": lambda lines: chained([lines[0], *lines[2:]]),
    "reordered": lambda lines: chained([lines[1], lines[0], *lines[2:]]),
    "last edited": lambda lines: [*lines[:3], edited(lines[3], time="2020-01-01T00:00:00+00:00")],
    "last outcome": lambda lines: [*lines[:3], edited(lines[3], outcome="fail")],
    "last without signature": lambda lines: [
        *lines[:3],
        edited(lines[3], files={"report.json": parse(lines[3])["files"]["report.json"]}),
    ],
}


@pytest.mark.parametrize("case", REWRITTEN)
def test_a_chain_written_anew_does_not_fit_the_signed_reports(kept, ask, case):
    store = kept / "store"
    (store / "chain.jsonl").write_bytes(b"".join(REWRITTEN[case](lines_of(store))))
    assert ask(store, key=False)[0] == 0  # links alone show nothing
    assert ask(store)[0] == 1


@pytest.mark.parametrize("change", ["gone", "changed", "swapped"])
def test_every_object_counts(kept, ask, change):
    store = kept / "store"
    paths = sorted(path for path in (store / "objects").rglob("*") if path.is_file())
    assert len(paths) > 12
    for path in paths:
        before = path.read_bytes()
        path.chmod(0o644)
        if change == "gone":
            path.unlink()
        else:
            path.write_bytes(before + b" " if change == "changed" else b"{}")
        assert ask(store, key=False)[0] == 1, path
        path.write_bytes(before)
    assert ask(store, key=False)[0] == 0


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "huge"])
def test_an_object_that_is_no_plain_file(kept, ask, kind):
    store = kept / "store"
    path = next(path for path in (store / "objects").rglob("*") if path.is_file())
    if kind == "huge":
        path.chmod(0o644)
        os.truncate(path, 1 << 28)
    else:
        data = path.read_bytes()
        path.unlink()
        if kind == "link":
            (kept / "moved").write_bytes(data)
            path.symlink_to(kept / "moved")
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            path.mkdir()
    assert ask(store, key=False)[0] == 1


def test_a_chain_too_large_to_read(kept, ask):
    os.truncate(kept / "store/chain.jsonl", 1 << 40)
    assert ask(kept / "store")[0] == 1


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_nothing_waits_for_what_is_no_plain_file(tmp_path, kind):
    store = Store(tmp_path / "store")
    place = store.object(store.put(b"hello"))
    for path in (place, store.chain):
        path.unlink(missing_ok=True)
        os.mkfifo(path) if kind == "pipe" else path.symlink_to(tmp_path / "else")
    with pytest.raises(StoreFault, match=r"is not a plain file|symbolic links"):
        store.put(b"hello")
    with pytest.raises(StoreFault, match=r"is not a plain file|symbolic links"):
        store.next()


def test_a_changed_object_is_not_overwritten(kept, keys):
    store = Store(kept / "store")
    digest = store.put(b"hello")
    path = store.object(digest)
    path.chmod(0o644)
    path.write_bytes(b"hullo")
    with pytest.raises(StoreFault, match="holds other bytes than its name says"):
        store.put(b"hello")
    assert path.read_bytes() == b"hullo"


def some_run(store, number=0):
    with store.locked():
        link = store.next()
        run = Run(link, "2026-01-01T00:00:00+00:00", "pass", {"a": store.put(b"%d" % number)})
        store.append(run)
    return link


@pytest.mark.parametrize("rest", ["half", "whole", "garbage"])
def test_a_crash_in_the_middle_of_a_line(tmp_path, rest):
    store = Store(tmp_path / "store")
    for number in range(3):
        some_run(store, number)
    whole = store.chain.read_bytes()
    if rest == "garbage":
        store.chain.write_bytes(whole + b"\x00" * 50)
    else:
        store.chain.write_bytes(whole[: -1 if rest == "whole" else -40])
    link = some_run(store, 9)
    kept = list(store.runs())
    recorded = {"half": 2, "whole": 3, "garbage": 3}[rest]
    assert link.sequence == recorded + 1
    assert [run.link.sequence for run in kept] == list(range(1, recorded + 2))
    assert store.chain.read_bytes().startswith(b"".join(whole.splitlines(keepends=True)[:recorded]))


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    some_run(store)
    before = store.chain.read_bytes()
    with store.locked():
        run = Run(store.next(), "t", "pass", {"a": store.put(b"b")})
        monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            store.append(run)
    monkeypatch.undo()
    assert store.chain.read_bytes() == before
    assert some_run(store, 2).sequence == 2


def test_a_store_that_can_not_be_written_fails_the_run(project, keys, monkeypatch):
    project.tests("def test_it(answer_length):\n    answer_length(lambda p: 'ok', ['a'])\n")

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "put", full)
    result = project.run("--mlgates-store=store")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*No space left on device*"])
    assert project.report()["outcome"] == "pass"


def test_a_damaged_last_line_is_told_before_the_run(project):
    project.tests("def test_it(answer_length):\n    answer_length(lambda p: 'ok', ['a'])\n")
    (project.path / "store").mkdir()
    (project.path / "store/chain.jsonl").write_text("{}\n")
    result = project.run("--mlgates-store=store")
    assert result.ret == 4
    assert "chain.jsonl:1: is not a line of a chain" in result.stderr.str()


WRITER = """
import sys
from pathlib import Path
from pytest_mlgates.signing.store import Run, Store
store = Store(Path({store!r}))
for number in range({count}):
    with store.locked():
        data = f"{{sys.argv[1]}}-{{number}}".encode()
        store.append(Run(store.next(), "t", "pass", {{"a": store.put(data)}}))
"""


def test_writers_at_once(tmp_path):
    """Four processes append; one of them is killed on the way. No run is lost or doubled."""
    program = WRITER.format(store=str(tmp_path / "store"), count=25)
    words = [sys.executable, "-c", program]
    writers = [subprocess.Popen([*words, str(n)]) for n in range(4)]
    chain = tmp_path / "store/chain.jsonl"
    while not chain.exists() or len(chain.read_bytes().splitlines()) < 3:
        assert writers[0].poll() in (None, 0)
    writers[0].kill()
    assert [writer.wait() for writer in writers[1:]] == [0, 0, 0]
    writers[0].wait()
    store = Store(tmp_path / "store")
    some_run(store)
    said = [store.object(run.files["a"]).read_bytes() for run in store.runs()]
    for n in range(1, 4):
        mine = [text for text in said if text.startswith(b"%d-" % n)]
        assert mine == [b"%d-%d" % (n, number) for number in range(25)]


def test_an_unsigned_store(project, run):
    project.tests("def test_it(answer_length):\n    answer_length(lambda p: 'ok', ['a'])\n")
    for number in (1, 2):
        result = project.run("--mlgates-store=store")
        assert result.ret == 0
        result.stdout.fnmatch_lines([f"kept as run {number} of *store"])
    assert run("verify", "--store", project.path / "store")[0] == 0


def test_a_report_that_was_never_kept(kept, copied, ask):
    status, said = ask(kept / "store", copied())
    assert status == 1
    assert "does not say that it was kept" in said


def test_the_signed_report_names_its_place(kept):
    import base64

    line = (kept / "report-3" / ATTESTATION).read_bytes().splitlines()[1]
    payload = json.loads(base64.b64decode(json.loads(line)["payload"]))
    before = lines_of(kept / "store")[1][:-1]
    link = Link(3, hashlib.sha256(before).hexdigest())
    assert payload["predicate"]["chain"] == link.to_dict()
