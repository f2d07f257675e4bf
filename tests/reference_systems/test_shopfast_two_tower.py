"""The shop: logs and requests of every kind, what is answered, and what the figures rest on."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("faiss", reason="extra 'systems-shopfast'")
pytest.importorskip("torch", reason="extra 'systems-shopfast'")

from reference_systems.shopfast_two_tower import baselines, builds, cli, evaluation, inputs, store
from reference_systems.shopfast_two_tower.errors import ShopError
from reference_systems.shopfast_two_tower.index import Exact, Quantised, recall
from reference_systems.shopfast_two_tower.inputs import Sizes
from reference_systems.shopfast_two_tower.times import read_times
from reference_systems.shopfast_two_tower.views import Views, read_views

ROOT = Path(__file__).parents[2]
TINY = Sizes(users=300, items=4_000, topics=10)


def rows_of(views: Views):
    for user, item, time in zip(views.user, views.item, views.time, strict=True):
        yield views.users[user], views.items[item], time


def write_csv(path, rows, header=("user", "item", "time"), **how):
    with path.open("w", newline="", encoding=how.pop("encoding", "utf-8")) as file:
        csv.writer(file, **how).writerows([header, *rows])
    return path


@pytest.fixture(scope="module")
def log():
    return inputs.view_log(5, TINY)


@pytest.fixture(scope="module")
def shop(log):
    return builds.Shop.train(log)


@pytest.fixture(scope="module")
def trained(log, tmp_path_factory):
    """A folder trained by the command, with names that are hard on a CSV file."""
    folder = tmp_path_factory.mktemp("shop")
    odd = {0: "17850", 1: "0042", 2: 'a, "quoted" name', 3: "Füße 🦶"}
    names = {log.users[user]: name for user, name in odd.items()}
    rows = [(names.get(user, user), item, time) for user, item, time in rows_of(log)]
    rows += [("only-pruned", f"rare-{n}", 0) for n in range(3)]
    views = write_csv(folder / "views.csv", rows)
    assert cli.main(["train", str(views), "--to", str(folder / "out")]) == 0
    return folder / "out"


def ask(folder, data, monkeypatch, capsys):
    """Return what a search prints for these bytes, a line each."""
    stream = type("Stdin", (), {"buffer": io.BytesIO(data)})
    monkeypatch.setattr(sys, "stdin", stream)
    capsys.readouterr()
    assert cli.main(["search", str(folder)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# --- search -------------------------------------------------------------------------------------


def test_each_line_has_one_answer_in_its_order(trained, monkeypatch, capsys):
    users = ["17850", "0042", 'a, "quoted" name', "Füße 🦶", "only-pruned", "nobody", ""]
    asked = [{"id": n, "user": user, "k": 7} for n, user in enumerate(users)]
    data = "\n".join(map(json.dumps, asked)).encode()
    answers = ask(trained, data, monkeypatch, capsys)
    assert [answer["id"] for answer in answers] == list(range(7))
    for answer in answers:
        assert len(set(answer["items"])) == len(answer["items"]) == len(answer["scores"]) == 7
        assert answer["scores"] == sorted(answer["scores"], reverse=True)
    assert [answer["basis"] for answer in answers] == ["history"] * 4 + ["popular"] * 3


BAD = {
    b"": "is blank",
    b"   ": "is blank",
    b"\xff\xfe": "is not UTF-8 from byte 1 on",
    b"{": "is not JSON",
    b"[]": "is a list",
    b'"17850"': "is a text",
    b'{"k": 3}': "there is no user",
    b'{"user": 17850, "k": 3}': 'give a text, such as "17850"',
    b'{"user": null, "k": 3}': "user is null",
    b'{"user": "17850"}': "there is no k",
    b'{"user": "17850", "k": 0}': "k is 0: give a whole number from 1",
    b'{"user": "17850", "k": -3}': "k is -3",
    b'{"user": "17850", "k": "ten"}': 'k is "ten"',
    b'{"user": "17850", "k": true}': "k is true",
    b'{"user": "17850", "k": 2.5}': "k is 2.5",
    b'{"user": "17850", "k": 1e9}': "k is 1000000000.0",
    b'{"user": "17850", "k": 1e999}': "k is Infinity",
    b'{"user": "17850", "k": NaN}': "k is NaN",
    b'{"user": "17850", "k": null}': "k is null",
    b'{"user": "17850", "k": [1]}': "k is [1]",
    b'{"user": "17850", "k": ' + b"9" * 5000 + b"}": "too many digits",
    b"[" * 100_000: "nested too deeply",
    b'{"user": "' + b"x" * 1_100_000 + b'", "k": 1}': "is longer than",
}


def test_a_line_that_cannot_be_read_has_an_error_and_the_rest_goes_on(trained, monkeypatch, capsys):
    good = b'{"id": "last", "user": "17850", "k": 2.0}'
    answers = ask(trained, b"\xef\xbb\xbf" + b"\n".join([good, *BAD, good]), monkeypatch, capsys)
    assert len(answers) == len(BAD) + 2
    for number, (words, answer) in enumerate(zip(BAD.values(), answers[1:-1], strict=True), 2):
        assert answer["error"].startswith(f"line {number}: ")
        assert words in answer["error"]
        assert "\n" not in answer["error"]
        assert "id" in answer
    assert answers[0] == answers[-1]
    assert len(answers[-1]["items"]) == 2


def test_the_id_is_given_back_with_an_error_too(trained, monkeypatch, capsys):
    (answer,) = ask(trained, b'{"id": {"a": [1]}, "user": 3, "k": 1}', monkeypatch, capsys)
    assert answer["id"] == {"a": [1]}


def test_more_than_there_is_gives_all_there_is(trained, monkeypatch, capsys):
    items = store.sizes(trained)["items"]
    lines = b'{"user": "17850", "k": 10000}\n{"user": "nobody", "k": 10000}\r\n'
    for answer in ask(trained, lines, monkeypatch, capsys):
        assert len(answer["items"]) == len(set(answer["items"])) == items


def test_answers_come_as_lines_do(trained):
    """The first answer is there before the second line is written."""
    words = [sys.executable, "-m", "reference_systems.shopfast_two_tower", "search", str(trained)]
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:  # fmt: skip
        for k in (1, 2):
            process.stdin.write(b'{"user": "17850", "k": %d}\n' % k)
            process.stdin.flush()
            assert len(json.loads(process.stdout.readline())["items"]) == k
        out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == (b"", b"", 0)


# --- train and size -----------------------------------------------------------------------------


def test_size_names_the_files_whose_bytes_add_up(trained, capsys):
    assert cli.main(["size", str(trained)]) == 0
    told = json.loads(capsys.readouterr().out)
    files = {path.name: path.stat().st_size for path in trained.iterdir()}
    assert told["index_bytes"] == sum(files[name] for name in told["files"])
    assert {**told["files"], **told["beside"]} == files
    assert told["items"] < told["catalogue"]


def test_the_incident_stores_every_item_in_float32(shop, tmp_path, log):
    sizes = {
        name: store.write(builds.build(shop, name), tmp_path / name, {"build": name})
        for name in builds.BUILDS
    }
    assert sizes["incident"]["files"]["vectors.npy"] == 128 + 4 * 64 * len(log.items)
    small = sizes["fixed"]["index_bytes"] / sizes["incident"]["index_bytes"]
    assert small <= 0.2
    # neither step alone does it
    assert sizes["int8"]["files"]["index.faiss"] > 0.2 * sizes["incident"]["files"]["vectors.npy"]


def test_one_user_or_one_item(tmp_path, monkeypatch, capsys):
    many = [("ann", f"item {n % 9}", n) for n in range(90)]
    one = [(f"user {n % 9}", "thing", n) for n in range(90)]
    single = [("ann", "thing", n) for n in range(5)]
    for name, rows, found in (("many", many, 9), ("one", one, 1), ("single", single, 1)):
        views = write_csv(tmp_path / f"{name}.csv", rows)
        assert cli.main(["train", str(views), "--to", str(tmp_path / name)]) == 0
        asked = json.dumps({"user": rows[0][0], "k": 10}).encode()
        (answer,) = ask(tmp_path / name, asked, monkeypatch, capsys)
        assert len(set(answer["items"])) == found
        assert answer["scores"] == sorted(answer["scores"], reverse=True)


SAME = [(user, item, n) for n, (user, item) in enumerate([("0042", "a;b"), ("ü", 'x "y"')] * 6)]


@pytest.mark.parametrize(
    "how",
    [
        {}, {"delimiter": ";"}, {"delimiter": "\t"}, {"encoding": "utf-8-sig"},
        {"encoding": "utf-16"}, {"quoting": csv.QUOTE_ALL}, {"lineterminator": "\n\n"},
        {"encoding": "cp1252"},
    ],
    ids=str,
)  # fmt: skip
def test_logs_as_they_are_saved(tmp_path, how):
    views = read_views(write_csv(tmp_path / "v.csv", SAME, **how))
    assert list(rows_of(views)) == SAME


def test_columns_in_any_order_and_by_other_names(tmp_path):
    rows = [(n, "x", item, user) for user, item, n in SAME]
    views = read_views(write_csv(tmp_path / "v.csv", rows, ("Time", "price", "ITEM", "user")))
    assert list(rows_of(views)) == SAME
    other = write_csv(tmp_path / "o.csv", rows, ("at", "price", "sku", "who"))
    assert list(rows_of(read_views(other, ("who", "sku", "at")))) == SAME
    with pytest.raises(ShopError, match=r"no column 'user' \(it has at, price, sku, who\).*--user"):
        read_views(other)


TIMES = {
    "2026-11-30": 0, "2026-11-30T00:00:00Z": 0, "2026-11-30 00:00": 0, "2026/11/30": 0,
    "20261130": 0, "2026-11-30T01:00:00+01:00": 0, "2026-11-30 00:00:00 UTC": 0,
    "30/11/2026 00:00": 0, "30.11.2026": 0, "30 Nov 2026": 0, "Nov 30, 2026": 0,
    "Mon, 30 Nov 2026 00:00:00 GMT": 0, "1795996800": 0, "1795996800000": 0, "1795996800.0": 0,
    "2026-11-30T00:00:00.250Z": 0.25, "30/11/2026 1:05 PM": 47_100,
}  # fmt: skip


@pytest.mark.parametrize(("text", "after"), TIMES.items())
def test_times(text, after):
    assert read_times([text])[0][0] == pytest.approx(1_795_996_800 + after)


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "1e999", "2026-13-01", "32/01/2026"])
def test_what_is_not_a_time(text):
    assert np.isnan(read_times([text])[0][0])


def test_dates_that_may_be_read_both_ways_are_read_as_the_others_and_told():
    times, note = read_times(["01/02/2010", "02/01/2010", "03/01/2010"])
    assert np.all(np.diff(times) > 0)
    assert "month first" in note
    assert read_times(["01/02/2010", "13/02/2010"])[1] == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no view"),
        ("user,item,time\n", "holds no view"),
        ("user,item,time\na,b,soon\n", "line 2: time 'soon' is not a time"),
        ("user,item,time\na,,3\n", "line 2: the item is empty"),
        ("user,item,time\na,b,c,3\n", "line 2: has 4 values, the header has 3"),
        ("who,what\na,b\n", "there is no column 'user'"),
        ("user,user,item,time\na,b,c,1\n", "user"),
        ("user,item,time\na,b,1\n", "none of 1 items has 5 views"),
    ],
)
def test_a_log_that_cannot_be_used_is_refused_in_one_line(tmp_path, capsys, text, words):
    path = tmp_path / "v.csv"
    path.write_text(text, encoding="utf-8")
    assert cli.main(["train", str(path), "--to", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert words in told.err
    assert told.err.count("\n") == 1
    assert not told.out
    assert list(tmp_path.iterdir()) == [path]


def test_a_few_bad_lines_are_left_out_and_told(tmp_path, capsys):
    rows = [("ann", f"item {n % 9}", n) for n in range(300)]
    rows[7] = ("ann", "", 7)
    rows[9] = ("ann", "x", "soon")
    views = write_csv(tmp_path / "v.csv", rows)
    assert cli.main(["train", str(views), "--to", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    assert "2 lines left out, first v.csv line 9: the item is empty" in told.err
    assert json.loads(told.out)["views"] == 298


def test_a_folder_of_others_is_left_alone(tmp_path, capsys):
    views = write_csv(tmp_path / "v.csv", [("ann", "x", n) for n in range(9)])
    assert cli.main(["train", str(views), "--to", str(tmp_path)]) == 1
    assert "holds files that are not a trained shop's" in capsys.readouterr().err
    assert cli.main(["train", str(views), "--to", str(views)]) == 1
    assert "is not a folder" in capsys.readouterr().err
    out = tmp_path / "out"
    for _ in range(2):  # a trained one is replaced
        assert cli.main(["train", str(views), "--to", str(out)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "v.csv"]


@pytest.mark.parametrize("change", ["cut", "flip", "gone", "version", "no json"])
def test_a_damaged_folder_is_not_served(tmp_path, capsys, change):
    views = write_csv(tmp_path / "v.csv", [("ann", "x", n) for n in range(9)])
    out = tmp_path / "out"
    assert cli.main(["train", str(views), "--to", str(out)]) == 0
    file = out / "index.faiss"
    data = file.read_bytes()
    if change == "cut":
        file.write_bytes(data[:-9])
    elif change == "flip":
        file.write_bytes(bytes([*data[:-1], data[-1] ^ 1]))
    elif change == "gone":
        file.unlink()
    else:
        text = '{"version": 9}' if change == "version" else "{"
        (out / "shop.json").write_text(text, encoding="utf-8")
    capsys.readouterr()
    assert cli.main(["search", str(out)]) == 1
    told = capsys.readouterr()
    assert "train again" in told.err
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [[], ["frob"], ["train"], ["train", "x.csv"], ["search"], ["--build", "best", "size", "x"],
     ["train", "x", "--to", "y", "--min-views", "0"], ["compare", "--seed", "-1"]],
)  # fmt: skip
def test_wrong_usage(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_another_build_than_the_folders_is_refused(trained, capsys):
    assert cli.main(["--build", "incident", "size", str(trained)]) == 1
    assert "holds the fixed build" in capsys.readouterr().err


# --- what it rests on ---------------------------------------------------------------------------


def test_beats_popularity_on_all_next_items_and_on_new_ones(log):
    before, after = evaluation.cut(log)
    asked = evaluation.cases(before, after)
    ours = evaluation.hits(builds.build(builds.Shop.train(before), "fixed").search, asked)
    popular = evaluation.hits(baselines.Popular(before).search, asked)
    unseen = evaluation.hits(baselines.PopularUnseen(before).search, asked)
    assert ours.every >= 1.3 * popular.every
    assert ours.new >= 1.3 * max(unseen.new, popular.new)
    repeater = evaluation.hits(baselines.Repeater(before).search, asked)
    assert repeater.every > popular.every
    assert repeater.new < unseen.new


def test_half_the_answer_at_most_is_what_was_seen(shop):
    fixed = builds.build(shop, "fixed")
    for user, number in list(fixed.users.items())[:50]:
        seen = {fixed.items[n] for n in fixed.histories.user(number)}
        answer = fixed.recommend(user, 10)
        assert len(seen.intersection(answer.items)) <= 4
        assert list(answer.scores) == sorted(answer.scores, reverse=True)


def test_the_index_finds_what_exact_search_finds(shop):
    fixed, pruned = (builds.build(shop, name) for name in ("fixed", "pruned"))
    queries = np.array([pruned.vector(pruned.histories.user(n)) for n in range(200)])
    assert recall(fixed.index, pruned.index, queries) >= 0.95


def test_lists_are_looked_into_by_measured_recall():
    random = np.random.default_rng(1)
    centres = random.normal(size=(50, 64)) * 3
    vectors = (centres[random.integers(50, size=4_000)] + random.normal(size=(4_000, 64))).astype(
        np.float32
    )
    queries = vectors[::40]
    index = Quantised.build(vectors, queries)
    assert 1 <= index.nprobe < index.lists
    assert recall(index, Exact(vectors), queries) >= 0.95
    without = np.arange(3_990)
    found, scores = index.search(queries[0], 50, without)
    assert sorted(found) == list(range(3_990, 4_000))
    assert np.all(np.diff(scores) <= 0)


def test_the_generator_is_of_the_shape_it_says():
    log = inputs.view_log(2)
    shape = inputs.shape_of(log)
    assert shape.log_mean == pytest.approx(inputs.RETAIL.log_mean, abs=0.15)
    assert shape.repeated == pytest.approx(inputs.RETAIL.repeated, abs=0.05)
    assert np.sum(log.counts >= 5) <= 0.12 * inputs.SMALL.items


def test_the_retail_shape_is_that_of_the_retail_log():
    real = inputs.real_log()
    if real is None:
        pytest.skip("no MLGATES_DATA")
    assert inputs.shape_of(real) == inputs.RETAIL
