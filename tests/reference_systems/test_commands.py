"""One look for the command lines of all systems: help, endings, lines in and answers out."""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from reference_systems.parts import commands
from reference_systems.parts.side_by_side import rows_of, table_rows

ROOT = Path(__file__).parents[2]
SYSTEMS = sorted(path.parent.name for path in (ROOT / "reference_systems").glob("*/__main__.py"))
#: what each system must offer
WANTED = {
    "cloud_bill": ("report",),
    "bank_feature_store": ("onboard", "get", "history"),
    "codebuddy_graph": ("index", "edges", "context", "ask"),
    "factory_edge_qc": ("train", "inspect"),
    "finalgo_fraud": ("serve", "load", "score", "learn"),
    "medco_rag": ("ask", "interactions", "serve"),
    "model_registry": ("put", "get", "promote", "log", "resolve", "collect"),
    "resume_screener": ("score",),
    "rtb_bidder": ("bid", "serve"),
    "shopfast_two_tower": ("train", "search", "size"),
    "support_bot": ("scrub", "train", "reply"),
    "truckai_shadow": ("drive", "divergence", "query"),
}

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of a system in this process, with these bytes on standard input."""

    def go(system: str, *words: str, given: bytes = b"") -> SimpleNamespace:
        try:
            module = importlib.import_module(f"reference_systems.{system}.cli")
        except ModuleNotFoundError as error:
            pytest.skip(f"{error.name} is not installed")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), "utf-8"))
        try:
            status = module.main(list(words))
        except SystemExit as end:
            status = end.code
        told = capsys.readouterr()
        return SimpleNamespace(status=status, out=told.out, err=told.err)

    return go


@pytest.mark.parametrize("system", SYSTEMS)
def test_help_names_every_command(system: str, run: Run) -> None:
    told = run(system, "--help")
    assert told.status == 0
    for name in (*WANTED.get(system, ()), "compare"):
        assert name in told.out


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("words", [(), ("nonsense",), ("compare", "--nonsense")])
def test_wrong_usage_is_one_line_and_status_2(
    system: str, words: tuple[str, ...], run: Run
) -> None:
    told = run(system, *words)
    assert (told.status, told.out) == (2, "")
    assert told.err.count("\n") == 1
    assert told.err.startswith(f"{system}")


@pytest.mark.parametrize("system", sorted(WANTED))
@pytest.mark.parametrize("name", ["compare", "first"])
def test_each_command_has_help(system: str, name: str, run: Run) -> None:
    told = run(system, WANTED[system][0] if name == "first" else name, "--help")
    assert told.status == 0
    assert "--help" in told.out


BAD = [
    b"[1]", b"{", b"\xff", b"7", b"", b'{"id": "known", "nothing": 1}', b"[" * 100_000,
    b'{"id": 8, "text": "half \\ud83d", "control": [0], "shadow": [0], "imp": []}',
]  # fmt: skip


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("rtb_bidder", ("bid",)),
        ("truckai_shadow", ("divergence",)),
        ("truckai_shadow", ("query",)),
        ("support_bot", ("scrub", "--build", "incident")),
    ],
)
def test_a_line_that_cannot_be_read_has_an_error_and_the_rest_goes_on(
    system: str, words: tuple[str, ...], run: Run
) -> None:
    told = run(system, *words, given=b"\n".join(BAD) + b"\n")
    found = [json.loads(line) for line in told.out.splitlines()]
    assert told.status == 0
    assert [set(line) for line in found] == [{"id", "error"}] * len(BAD)
    assert [line["id"] for line in found] == [None] * 5 + ["known", None, None]
    for number, line in enumerate(found, 1):
        assert line["error"].startswith(f"line {number}: ")


@pytest.mark.parametrize("system", ["rtb_bidder", "truckai_shadow", "support_bot"])
def test_a_file_that_is_not_there_is_one_line_and_status_1(system: str, run: Run) -> None:
    first = {"rtb_bidder": "bid", "truckai_shadow": "divergence", "support_bot": "scrub"}[system]
    told = run(system, first, "--build", "incident", "/none/at/all")
    assert told.status == 1
    assert told.err == f"{system}: /none/at/all: is not there\n"


def test_divergence_of_models_with_several_commands(run: Run) -> None:
    lines = (
        b'{"id": 1, "control": [[0, 1], [0, 1]], "shadow": [[0, 1], [0.2, 3]]}\n'
        b'{"id": 2, "control": [0.1], "shadow": [0.5]}\n'
        b'{"id": 3, "control": [0.1, 2], "shadow": [0.5]}\n'
        b'{"id": 4, "control": [1e999], "shadow": [0.5]}\n'
    )
    told = run("truckai_shadow", "divergence", "--tolerance", "0.5", given=lines)
    found = [json.loads(line) for line in told.out.splitlines()]
    assert (found[0]["divergence"], found[0]["diverges"]) == (1.0, True)
    assert (found[1]["divergence"], found[1]["diverges"]) == (0.4, False)
    assert "2 frames" in found[2]["error"]
    assert "not finite" in found[3]["error"]


def test_the_query_keeps_what_the_shadow_is_unsure_of(run: Run) -> None:
    lines = (
        b'{"id": "sure", "control": [0], "shadow": [0], "tries": [[0], [0]]}\n'
        b'{"id": "unsure", "control": [0], "shadow": [0], "tries": [[-1], [1]]}\n'
        b'{"id": "apart", "control": [0], "shadow": [0.5]}\n'
    )
    told = run("truckai_shadow", "query", "--keep", "1", given=lines)
    found = {row["id"]: row for row in map(json.loads, told.out.splitlines())}
    assert [found[name]["rank"] for name in ("unsure", "apart", "sure")] == [1, 2, 3]
    assert [name for name, row in found.items() if row["keep"]] == ["unsure"]


def test_bids_answer_with_the_id_of_the_request(run: Run) -> None:
    request = b'{"id": "a-7", "imp": [{"id": "1", "banner": {"w": 300, "h": 250}}]}\n'
    told = run("rtb_bidder", "bid", given=request)
    found = json.loads(told.out)
    assert found["id"] == "a-7"
    assert found["seatbid"][0]["bid"][0]["impid"] == "1"


def test_a_bot_is_trained_on_chats_of_ones_own_and_answers(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    chats = tmp_path / "chats.jsonl"
    line = '{{"customer": "{0}", "text": "customer: My card was declined.\\nagent: I am sorry."}}\n'
    chats.write_text("".join(line.format(n) for n in range(20)) + "nonsense\n")
    folder = tmp_path / "bot"
    told = run("support_bot", "train", str(chats), "--to", str(folder), "--build", "incident")
    assert (told.status, json.loads(told.out)["chats"]) == (0, 20)
    assert "line 21 is not JSON" in told.err
    told = run("support_bot", "reply", str(folder), given=b'{"id": 5, "text": "My card?"}\n')
    assert isinstance(json.loads(told.out)["reply"], str)
    assert run("support_bot", "reply", str(folder), "--build", "fixed").status == 1
    (folder / "bot.npz").write_bytes(b"something else")
    told = run("support_bot", "reply", str(folder))
    assert (told.status, told.err.count("\n")) == (1, 1)
    assert "is not what its digest says" in told.err


def test_a_bill_of_ones_own_is_reported_by_group(run: Run, tmp_path: Path) -> None:
    head = "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ServiceName"
    day = "USD,Usage,2026-05-01T00:00:00Z,2026-05-02T00:00:00Z"
    bill = tmp_path / "bill.csv"
    bill.write_text(f"{head}\n1.25,{day},gpu\n2.5,{day},gpu\n0.10,{day},disk\n")
    told = run("cloud_bill", "report", str(bill))
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert rows[0] | {"credits": "", "complete": False} == {
        "what": "total", "period": "2026-05", "cost": "3.85", "currency": "USD", "credits": "",
        "complete": False,
    }  # fmt: skip
    assert [(row["group"], row["cost"]) for row in rows[1:]] == [("gpu", "3.75"), ("disk", "0.10")]
    told = run("cloud_bill", "report", str(bill), "--by", "namespace")
    assert "no charge says its namespace" in told.err
    told = run("cloud_bill", "report", str(bill), "--currency", "EUR")
    assert (told.status, told.err.count("\n")) == (1, 1)
    assert "USD" in told.err


def test_a_bill_that_holds_nothing_is_said_and_equal_lines_are_a_choice(
    run: Run, tmp_path: Path
) -> None:
    head = "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ServiceName"
    line = '"1,25",USD,Usage,2026-05-01T00:00:00Z,2026-05-02T00:00:00Z,gpu\n'
    bill = tmp_path / "bill.csv"
    for content in ("", f"{head}\n"):
        bill.write_text(content)
        told = run("cloud_bill", "report", str(bill))
        assert (told.status, told.out) == (1, "")
        assert told.err == f"cloud_bill: {bill}: holds no charge, so there is nothing to add up\n"
    (tmp_path / "folder").mkdir()
    assert run("cloud_bill", "report", str(tmp_path / "folder")).status == 1
    bill.write_text(f"{head}\n{line}{line}")
    words = ("cloud_bill", "report", str(bill), "--decimal", ",")
    assert "2 again" in run(*words).err
    told = run(*words, "--duplicates", "count")
    assert json.loads(told.out.splitlines()[0])["cost"] == "2.50"


def test_the_weekend_is_in_the_report_of_the_incident(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLGATES_DATA", raising=False)
    told = run("cloud_bill", "report", "--build", "incident")
    waste = [row for row in map(json.loads, told.out.splitlines()) if row["what"] == "waste"]
    assert {row["rule"]: row["cost"] for row in waste} == {
        "idle_gpu_pods": "8000.00", "cross_zone_transfer": "5000.00", "unattached_volumes": "2000.00",
    }  # fmt: skip


def test_a_reader_that_goes_away_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(_options: object) -> object:
        raise BrokenPipeError
        yield {}

    monkeypatch.setattr("os.dup2", lambda *_: None)
    parser = commands.Parser(prog="x")
    parser.add_subparsers(dest="command").add_parser("go")
    with Path("/dev/null").open("w") as nothing:
        monkeypatch.setattr(sys, "stdout", nothing)
        assert commands.run(parser, {"go": rows}, ["go"]) == 1


@pytest.mark.parametrize("id_", ["1e999", "[-1e999]", '{"a": 1e999}'])
def test_an_id_that_json_cannot_hold_is_an_error_and_the_rest_goes_on(id_: str, run: Run) -> None:
    lines = f'{{"id": {id_}, "control": [0], "shadow": [0]}}\n{{"id": 2, "control": [0], "shadow": [0]}}\n'
    told = run("truckai_shadow", "divergence", given=lines.encode())
    first, second = map(json.loads, told.out.splitlines())
    assert (told.status, first["id"], second["id"]) == (0, None, 2)
    assert "infinite" in first["error"]


def test_a_line_without_end_is_answered_and_not_kept() -> None:
    stream = io.BytesIO(b"a" * 5_000_000 + b"\n{}\n")
    first, second = commands.lines(stream)
    assert "longer than 4,000,000 bytes" in str(first)
    assert second == b"{}"


def test_the_tables_of_a_comparison_are_its_rows() -> None:
    text = "words\n\n| | a | b |\n|---|---:|---|\n| x | 1 | **2** |\n\n| week | c |\n|---|---|\n| 1 | -3 |\n"
    assert list(rows_of(lambda _: sys.stdout.write(text), [])) == [
        {"table": "words", "what": "x", "a": "1", "b": "2"},
        {"table": "words", "week": "1", "c": "-3"},
    ]
    assert list(table_rows("no table")) == []
