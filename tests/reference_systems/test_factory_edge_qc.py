"""The factory: boards laid over their templates, frames that are none, a link that counts bytes."""

from __future__ import annotations

import hashlib
import io
import json
import random
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

from pytest_mlgates import Outcome
from pytest_mlgates.gates.bandwidth_budget import BandwidthBudget
from pytest_mlgates.gates.quality_floor import QualityFloor
from reference_systems.factory_edge_qc import cli, cloud, feed, fixed, inputs, traffic, trivial
from reference_systems.factory_edge_qc.alignment import aligned, difference
from reference_systems.factory_edge_qc.boards import again, board
from reference_systems.factory_edge_qc.defects import KINDS, Box, spoiled
from reference_systems.factory_edge_qc.edge import MAX_RESULT, packed, result_line, unpacked
from reference_systems.factory_edge_qc.folder import boxes_of, labelled
from reference_systems.factory_edge_qc.frames import Envelope, Fault, read_picture
from reference_systems.factory_edge_qc.incident import Uploading
from reference_systems.factory_edge_qc.inspector import Finding, Inspector
from reference_systems.factory_edge_qc.link import Bucket, opened
from reference_systems.factory_edge_qc.locate import found
from reference_systems.factory_edge_qc.samples import generated_pairs, targets
from reference_systems.factory_edge_qc.training import Recipe, train
from reference_systems.parts.depot import Depot, HttpUplink
from reference_systems.parts.ota import Updater
from reference_systems.parts.upload_queue import Budget, UploadQueue
from reference_systems.parts.uploader import example_clips

ROOT = Path(__file__).parents[2]
TINY = Recipe(crops=48, epochs=1)


def save(path: Path, picture, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(path, **options)
    return path


def overlap(a, b) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return width * height / (sum(areas) - width * height)


@pytest.fixture(scope="module")
def plant_folder(tmp_path_factory) -> Path:
    """Boards in DeepPCB's layout: two groups, labels beside or in another folder."""
    folder = tmp_path_factory.mktemp("boards")
    for index in range(8):
        rng = np.random.default_rng((11, index))
        template = board(rng)
        photo, boxes = spoiled(again(template, rng, 2.0), rng, 0 if index == 3 else 6)
        group = folder / f"group{index % 2}"
        save(group / f"b{index}_temp.jpg", template, quality=95)
        save(group / f"b{index}_test.jpg", photo, quality=95)
        sep = "," if index % 2 else " "
        lines = [sep.join(map(str, (b.x1, b.y1, b.x2, b.y2, b.kind))) for b in boxes]
        labels = group / "not" if index > 4 else group
        labels.mkdir(exist_ok=True)
        (labels / f"b{index}.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def model(plant_folder, tmp_path_factory) -> Path:
    to = tmp_path_factory.mktemp("model")
    train(plant_folder, to, lambda _: None, TINY)
    return to


# --- pictures of boards


def test_two_photographs_that_differ_locally_agree_after_alignment():
    worst = 0
    for seed in range(4):
        rng = np.random.default_rng((1, seed))
        template = board(rng)
        photo = again(template, rng, 3.0)
        plain = difference(photo, template).share
        worst = max(worst, difference(photo, aligned(photo, template)).share / max(plain, 1e-9))
    assert worst < 0.25


def test_a_defect_is_still_there_after_alignment():
    seen = []
    for seed in range(6):
        rng = np.random.default_rng((2, seed))
        template = board(rng)
        photo, boxes = spoiled(again(template, rng, 2.0), rng, 5)
        apart = difference(photo, aligned(photo, template))
        both = apart.extra | apart.missing
        seen += [int(both[b.y1 : b.y2, b.x1 : b.x2].sum()) for b in boxes]
    # the smallest spurs and bites are no larger than what an edge may be off
    assert np.mean(np.array(seen) > 3) > 0.8, seen


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_defect_can_be_drawn_and_its_box_holds_it(kind):
    rng = np.random.default_rng((3, kind))
    for seed in range(6):
        good = board(np.random.default_rng((3, seed)))
        bad, boxes = spoiled(good, rng, 3, (kind,))
        changed = good != bad
        inside = np.zeros_like(changed)
        for box in boxes:
            inside[box.y1 : box.y2 + 1, box.x1 : box.x2 + 1] = True
        assert not (changed & ~inside).any()
        if boxes:
            return
    pytest.fail(f"no {KINDS[kind]} was drawn")


def test_targets_give_the_box_back():
    box = Box(100, 40, 160, 90)
    wanted = targets([box], 192, 192)
    row, column = np.argwhere(wanted[5])[0]
    left, top, right, below = wanted[1:5, row, column] * 32
    cx, cy = (column + 0.5) * 8, (row + 0.5) * 8
    assert (cx - left, cy - top, cx + right - 1, cy + below - 1) == (100, 40, 160, 90)


# --- frames that are none


def spoil(picture, kind, rng):
    side = picture.shape[0]
    tail = picture.copy()
    if kind in ("grey tail", "black tail"):
        tail[side * 6 // 10 :] = 128 if kind == "grey tail" else 0
        return tail
    return {
        "black": picture * 0,
        "covered": rng.normal(4, 2, picture.shape),
        "white": picture * 0 + 255,
        "over-exposed": picture.astype(int) + 215,
        "under-exposed": picture * 0.1,
        "flat": picture * 0 + 128,
        "noisy": picture + rng.normal(0, 60, picture.shape),
        "specks": np.where(rng.random(picture.shape) < 0.05, 255 - picture, picture),
        "static": rng.integers(0, 256, picture.shape),
        "cropped": picture[: side * 6 // 10],
        "squeezed": np.asarray(Image.fromarray(picture).resize((side, side // 2))),
        "blurred": np.asarray(Image.fromarray(picture).resize((40, 40)).resize((side, side))),
    }[kind]


FAULTS = (
    "black", "covered", "white", "over-exposed", "under-exposed", "flat", "noisy", "specks",
    "static", "cropped", "squeezed", "blurred", "grey tail", "black tail",
)  # fmt: skip


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with template"])
@pytest.mark.parametrize("kind", FAULTS)
def test_a_frame_of_a_failing_camera_is_an_alarm(model, kind, beside):
    rng = np.random.default_rng(5)
    inspector = Inspector.load(model)
    for seed in range(3):
        template = board(np.random.default_rng((6, seed)))
        photo = np.clip(spoil(again(template, rng, 1.0), kind, rng), 0, 255).astype(np.uint8)
        finding = inspector.inspect(photo, template if beside else None)
        assert finding.status == "alarm", finding
        assert finding.reason
        assert not finding.boxes


@pytest.mark.parametrize("kind", FAULTS)
def test_a_broken_template_is_an_alarm(model, kind):
    rng = np.random.default_rng(5)
    template = board(np.random.default_rng((6, 1)))
    broken = np.clip(spoil(template, kind, rng), 0, 255).astype(np.uint8)
    assert Inspector.load(model).inspect(again(template, rng, 1.0), broken).status == "alarm"


def test_the_template_of_another_board_is_an_alarm(model):
    a, b = (board(np.random.default_rng((6, seed))) for seed in (1, 2))
    finding = Inspector.load(model).inspect(a, b)
    assert finding.status == "alarm"
    assert "another board" in finding.reason


def bomb(width: int, height: int) -> bytes:
    packer = zlib.compressobj()
    rows = b"".join(packer.compress(b"\0" * (width + 1)) for _ in range(height)) + packer.flush()
    body = b"\x89PNG\r\n\x1a\n"
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    for name, data in ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")):
        body += struct.pack(">I", len(data)) + name + data
        body += struct.pack(">I", zlib.crc32(name + data))
    return body


def test_damaged_files_are_alarms_and_absent_ones_errors(tmp_path):
    whole = save(tmp_path / "a.jpg", board(np.random.default_rng(1))).read_bytes()
    for size, says in ((0, "is empty"), (20, "is not a picture|is damaged"), (9000, "is damaged")):
        (tmp_path / "cut.jpg").write_bytes(whole[:size])
        with pytest.raises(Fault, match=says) as caught:
            read_picture(tmp_path / "cut.jpg")
        assert caught.value.alarm
    for side in (9000, 14_000):
        with pytest.raises(Fault, match="pixels") as caught:
            read_picture(bomb(side, side))
        assert not caught.value.alarm
    for name, says in (("nope.jpg", "is not there"), (".", "is a folder")):
        with pytest.raises(Fault, match=says) as caught:
            read_picture(tmp_path / name)
        assert not caught.value.alarm


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "1", "I;16", "LA"])
def test_pictures_of_any_mode_are_read_as_grey(mode):
    grey = Image.fromarray(board(np.random.default_rng(1)))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        image = grey.convert(mode)
    body = io.BytesIO()
    image.save(body, "PNG")
    assert np.abs(read_picture(body.getvalue()).astype(int) - np.asarray(grey)).mean() < 1


# --- train and inspect


def test_a_trained_inspector_finds_defects_beside_their_template(model):
    inspector = Inspector.load(model)
    hits = total = wrong = 0
    for seed in range(6):
        rng = np.random.default_rng((9, seed))
        template = board(rng)
        good = again(template, rng, 1.5)
        bad, boxes = spoiled(good, rng, 4)
        finding = inspector.inspect(bad, template)
        assert finding.status == "defect"
        found_boxes = finding.boxes
        hits += sum(
            any(overlap(f, (b.x1, b.y1, b.x2, b.y2)) > 0.33 for f in found_boxes) for b in boxes
        )
        total += len(boxes)
        wrong += inspector.inspect(good, template).status != "ok"
    assert hits >= 0.8 * total
    assert wrong <= 1


def run_lines(capsys, monkeypatch, lines: bytes, *arguments: str):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    status = cli.main(list(arguments))
    told = capsys.readouterr()
    return status, [json.loads(line) for line in told.out.splitlines()], told.err


def test_inspect_answers_each_line_and_goes_on(model, plant_folder, capsys, monkeypatch, tmp_path):
    group = plant_folder / "group0"
    photo, template = group / "b0_test.jpg", group / "b0_temp.jpg"
    save(tmp_path / "black.png", np.zeros((640, 640)))
    lines = [
        json.dumps({"id": "bad", "image": str(photo), "template": str(template)}).encode(),
        b"{nonsense",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b"",
        json.dumps({"id": 5}).encode(),
        json.dumps({"id": 6, "image": 7}).encode(),
        json.dumps({"id": 7, "image": str(tmp_path / "nope.jpg")}).encode(),
        json.dumps({"id": 8, "image": str(tmp_path / "black.png")}).encode(),
        json.dumps({"id": 9, "image": str(photo), "template": "nope"}).encode(),
        json.dumps({"id": 10, "image": str(template), "template": str(template)}).encode(),
    ]
    status, rows, _ = run_lines(
        capsys, monkeypatch, b"\n".join(lines) + b"\n", "inspect", str(model)
    )
    assert status == 0
    assert [row["id"] for row in rows] == ["bad", None, None, None, None, 5, 6, 7, 8, 9, 10]
    assert rows[0]["status"] == "defect"
    assert all(len(box) == 4 for box in rows[0]["boxes"])
    assert all("error" in row for row in [*rows[1:8], rows[9]])
    assert [row["status"] for row in (rows[8], rows[10])] == ["alarm", "ok"]
    assert all(0 <= row["confidence"] <= 1 for row in rows if "status" in row)


def test_the_incident_sends_the_picture_and_the_fix_its_answer(
    model, plant_folder, capsys, monkeypatch
):
    photo = plant_folder / "group0" / "b0_test.jpg"
    line = json.dumps({"id": 1, "image": str(photo)}).encode() + b"\n"
    sizes = [
        run_lines(capsys, monkeypatch, line, "--build", build, "inspect", str(model))[1][0][
            "sent_bytes"
        ]
        for build in ("incident", "fixed")
    ]
    assert sizes[0] == photo.stat().st_size
    assert sizes[1] < MAX_RESULT


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "name a command"),
        (["train"], 2, "required"),
        (["nonsense"], 2, "invalid choice"),
        (["inspect", "nowhere"], 1, "train into it first"),
        (["train", "nowhere", "--to", "x"], 1, "is not there"),
        (["compare", "--seconds", "0"], 1, "is not from 1"),
    ],
)
def test_wrong_usage_is_one_line_and_the_right_status(
    capsys, tmp_path, monkeypatch, arguments, status, says
):
    monkeypatch.chdir(tmp_path)
    try:
        got = cli.main(arguments)
    except SystemExit as stop:
        got = stop.code
    told = capsys.readouterr()
    assert got == status
    assert says in told.err
    assert told.err.count("\n") == 1
    assert not told.out


def test_a_damaged_model_is_refused(model, tmp_path, capsys):
    for path in model.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    name = next(tmp_path.glob("*.onnx"))
    name.write_bytes(name.read_bytes()[:-20])
    assert cli.main(["inspect", str(tmp_path)]) == 1
    assert "not what its digest says" in capsys.readouterr().err
    (tmp_path / "inspector.json").write_text("[]")
    assert cli.main(["inspect", str(tmp_path)]) == 1
    assert "is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1 2 3", r"a.txt:1: '1 2 3' is not x1,y1,x2,y2,type"),
        ("10,10,20,20,1\n\n10,10,5,20,1", "a.txt:3: '10,10,5,20,1' has no area"),
        ("900,10,950,20,1", "lies outside of 640 x 640"),
        ("a b c d e", "is not x1,y1,x2,y2,type"),
        ("1,2,nan,4,1", "is not x1,y1,x2,y2,type"),
        ("1e300 2 3 4", "is not x1,y1,x2,y2,type"),
    ],
)
def test_labels_that_are_not_boxes_name_file_and_line(tmp_path, text, says):
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=says):
        boxes_of(path, 640, 640)


def test_a_folder_is_read_wherever_its_labels_lie(plant_folder, tmp_path):
    said = []
    boards_found = labelled(plant_folder, said.append)
    assert len(boards_found) == 8
    assert not said
    assert [bool(one.boxes) for one in boards_found].count(False) == 1
    assert all(one.template is not None for one in boards_found)


def test_what_can_not_be_read_is_left_out_and_said(plant_folder, tmp_path):
    for path in (plant_folder / "group0").glob("b*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "b0_test.jpg").write_bytes(b"no picture")
    (tmp_path / "b2.txt").write_text("x")
    (tmp_path / "stray_test.jpg").write_bytes((tmp_path / "b4_test.jpg").read_bytes())
    said = []
    kept = labelled(tmp_path, said.append)
    assert [one.photo.name for one in kept] == ["b4_test.jpg"]
    assert len(said) == 4  # b6 has its labels elsewhere
    assert any("b2.txt:1" in line for line in said)


def test_masks_and_good_folders_count_as_labels(tmp_path):
    rng = np.random.default_rng(4)
    good = board(rng)
    bad, boxes = spoiled(good, rng, 1)
    save(tmp_path / "train/good/000.png", good)
    save(tmp_path / "test/scratch/001.png", bad)
    save(tmp_path / "ground_truth/scratch/001_mask.png", (good != bad) * 255)
    found_boards = {one.photo.name: one.boxes for one in labelled(tmp_path, pytest.fail)}
    assert found_boards["000.png"] == ()
    b, (mine,) = boxes[0], found_boards["001.png"]
    assert overlap((b.x1, b.y1, b.x2, b.y2), (mine.x1, mine.y1, mine.x2, mine.y2)) > 0.5


def test_nothing_to_learn_from_is_said(tmp_path, capsys):
    save(tmp_path / "good/a.png", board(np.random.default_rng(1)))
    assert cli.main(["train", str(tmp_path), "--to", str(tmp_path / "m")]) == 1
    assert "holds no labelled defect" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


# --- the cameras and the link


def test_a_board_is_found_in_its_frame_and_a_missing_one_is_not():
    one = feed.shot(3, 0, 1)
    frame = feed.frame_of(one.photo, np.random.default_rng(1))
    assert frame.shape == (2160, 3840)
    back = found(frame, feed.SCALE, fixed.RIM)
    assert difference(back, aligned(back, one.photo)).share < 0.002
    for fault in feed.FAULTS:
        dull = feed.frame_of(one.photo, np.random.default_rng(1), fault)
        try:
            picture = found(dull, feed.SCALE, fixed.RIM)
        except Fault:
            continue
        with pytest.raises(Fault):  # what is found is still no picture of a board
            Envelope.of([back, one.template]).check(picture)


def test_a_bucket_never_lets_more_through_than_its_rate():
    bucket, now, sent = Bucket(1000.0, burst=100), 0.0, []
    bucket._then = 0.0
    rng = random.Random(3)
    for _ in range(2000):
        size = rng.randrange(1, 200)
        now += bucket.wait(size, now)
        sent.append((now, size))
        now += rng.random() * 0.05
    for begin in range(0, int(now) - 1, 7):
        held = sum(size for at, size in sent if begin <= at < begin + 1)
        assert held <= 1000 + 100 + 200


def test_the_link_counts_each_byte_for_its_camera(tmp_path):
    with traffic.plant(400.0) as (depot, link):
        for camera in ("a", "b"):
            uplink = HttpUplink(f"http://127.0.0.1:{link.port(camera)}")
            for clip in (camera.encode() * 40_000, b"x" + camera.encode()):
                uplink.put(hashlib.sha256(clip).hexdigest(), clip)
        assert len(depot.clips()) == 4
        by_camera = {
            name: sum(c.sent_bytes for c in link.chunks if c.source == name) for name in "ab"
        }
    for count in by_camera.values():  # bodies, and the headers of two requests
        assert 40_002 + 2 * 100 < count < 40_002 + 2 * 400


def test_a_killed_uplink_loses_no_picture_and_counts_none_twice(tmp_path):
    queue_path, rng, kills = tmp_path / "queue.db", random.Random(8), 0
    with traffic.plant(400.0) as (depot, link):
        words = [sys.executable, "-m", "reference_systems.parts.uploader", str(queue_path)]
        words.append(f"http://127.0.0.1:{link.port('edge')}")
        for run in range(60):
            target = len(depot.offered) + rng.randint(1, 5)
            process = subprocess.Popen([*words, "--clips", "25", "--seed", str(run)], cwd=ROOT)
            limit = time.monotonic() + 60
            while process.poll() is None and len(depot.offered) < target:
                assert time.monotonic() < limit
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.02))
            if process.poll() is not None:
                break
            process.kill()  # SIGKILL
            process.wait()
            kills += 1
        kept = depot.clips()
    assert process.returncode == 0
    assert kills >= 3
    wanted = {hashlib.sha256(clip).hexdigest() for clip in example_clips(25)}
    queue = UploadQueue(queue_path, Budget(1))
    assert set(kept) == set(queue.receipts()) == wanted
    assert len(depot.offered) - len(wanted) <= kills  # sent again only where a kill cut the answer
    queue.close()


def test_a_result_is_at_most_a_kilobyte_whatever_is_found():
    boxes = tuple((i, i, i + 600, i + 600) for i in range(300))
    finding = Finding("defect", boxes, tuple([0.999] * 300), 1.0, "x" * 5000)
    line = result_line("camera-19/123456", 1e6, "f" * 64, finding)
    assert len(line) <= MAX_RESULT
    assert json.loads(line)["defects"] == 300
    with pytest.raises(ValueError, match="is more than 1024"):
        result_line("x" * 2000, 0.0, "f" * 64, finding)


@pytest.mark.parametrize(
    "item", [b"", b"R1", b"R1{}\n", b"XX{}\n" + zlib.compress(b""), b"R1[]\nxx"]
)
def test_items_that_are_not_ours_are_refused(item):
    with pytest.raises(ValueError, match="is "):
        unpacked(item)


def test_a_bomb_among_the_items_is_refused():
    with pytest.raises(ValueError, match="too large"):
        unpacked(packed("results", {}, b"\0" * 5_000_000))


def test_the_cloud_counts_each_board_once(tmp_path):
    depot = Depot(tmp_path)
    lines = [result_line(f"camera-01/{i}", i, "0" * 64, Finding("ok")) for i in range(5)]
    items = [
        packed("results", {"batch": 0}, b"".join(lines[:3])),
        packed("results", {"batch": 1}, b"".join(lines[2:])),  # one board twice
        packed("results", {}, b"no json\n"),
        b"garbage",
    ]
    for item in items * 2:
        depot.put(hashlib.sha256(item).hexdigest(), item)
    taken = cloud.received(depot)
    assert len(taken.results) == 5
    assert (taken.twice, taken.damaged) == (1, 2)


# --- the whole line


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return fixed.inspector_of_the_line()


def test_the_edge_sends_a_thousandth_and_every_result_arrives(inspector):
    with traffic.plant() as (depot, link):
        one = traffic.edge_day(inspector, depot, link, boards=1, seed=3, bad_share=0.5)
        taken = cloud.received(depot)
    assert {seen.shot.name for seen in one.seen} == set(taken.results)
    assert one.sent_bytes() == link.sent_bytes() > 0
    assert one.sent_bytes() <= 0.001 * sum(seen.jpeg_bytes for seen in one.seen)
    evidence = BandwidthBudget(max_mbps=45).run(one.transfers)
    assert evidence.outcome is Outcome.PASS, evidence.verdict


def test_pictures_over_the_link_wait_longer_and_longer():
    with traffic.plant(20.0) as (depot, link):
        one = traffic.pictures_day(depot, link, seconds=3, seed=3)
    assert one.backlog_bytes == sorted(one.backlog_bytes)
    assert one.backlog_bytes[-1] > 10e6
    evidence = BandwidthBudget(max_ratio=0.001).run(one.transfers)
    assert evidence.outcome is Outcome.FAIL


def test_the_answer_of_the_cloud_waits_for_its_picture(inspector):
    """The incident build over a link of 5 Mbit/s: a picture takes as long as its bytes need."""
    asked = inputs.boards(1, 3, bad=True)[0]
    seen = asked.frame(), asked.shot().template  # drawn before the clock runs
    with traffic.plant(5.0) as (depot, link):
        uplink = HttpUplink(f"http://127.0.0.1:{link.port('camera-00')}", timeout_s=120)
        call = Uploading(uplink, fixed.Inspection(inspector))
        began = time.monotonic()
        assert call(seen).status == "defect"
        took_s = time.monotonic() - began
        assert len(depot.clips()) == 1
        assert link.sent_bytes() > 5e5
    assert took_s >= 0.5 * 8 * link.sent_bytes() / 5e6  # half: a bucket of tokens comes first


def test_trivial_inspections_do_not_pass():
    bad, good = inputs.boards(70, 3, bad=True), inputs.boards(70, 3, bad=False)
    assert {one.board for one in bad} == {one.board for one in good}
    assert len({one.board for one in bad}) == 70
    few = inputs.boards(4, 3, bad=True)
    floor = QualityFloor(metric="recall", min_value=0.9, max_inputs=100)
    asked, labels = [one.board for one in bad] * 2, [True] * 70 + [False] * 70
    assert floor.run(trivial.finds_none, asked, labels).outcome is Outcome.FAIL
    assert all(one.shot().bad for one in few)
    assert not any(one.shot().bad for one in good[:4])


def test_a_new_model_comes_back_by_its_digest_and_only_with_evidence(inspector, tmp_path):
    gate = QualityFloor(metric="accuracy", min_value=0.6)
    pairs = generated_pairs(3, 5)
    crops = [cloud.Crop(pair.name, 0, 0, feed.jpeg(pair.photo[:192, :192], 90)) for pair in pairs]
    truth = {pair.name: pair.boxes for pair in pairs}
    labelled_crops = cloud.relabelled(crops, truth.__getitem__)
    assert all(pair.photo.shape == (192, 192) for pair in labelled_crops)
    done = cloud.retrained(
        fixed.line_pairs(6), labelled_crops, fixed.line_state(), Recipe(crops=32, epochs=1)
    )
    old = fixed._made()["onnx"].numpy().tobytes()
    updater = Updater(tmp_path / "camera", (gate,), Inspector)
    updater.install(old)

    def passing(model: Inspector):
        def predict(number: int) -> bool:
            return number % 2 == 0

        predict.mlgates_digest = model.mlgates_digest
        return [gate.run(predict, list(range(90)), predict)]

    assert done.model != old
    refused = cloud.released(done.model, tmp_path / "store", lambda _: [], [updater], Inspector)
    assert not refused[0].accepted
    assert updater.active == inspector.mlgates_digest
    taken = cloud.released(done.model, tmp_path / "store", passing, [updater], Inspector)
    assert taken[0].accepted, taken[0].reason
    assert updater.model().mlgates_digest == Inspector(done.model).mlgates_digest


def test_the_module_runs_from_the_command_line():
    words = [sys.executable, "-m", "reference_systems.factory_edge_qc", "--help"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0
    assert "inspect" in done.stdout


def test_the_link_closes_with_a_sender_in_the_middle():
    with opened(1) as link:  # nothing listens there
        port = link.port("a")
        with pytest.raises(ConnectionError):
            HttpUplink(f"http://127.0.0.1:{port}", timeout_s=5).receipt("0" * 64)
    assert time.monotonic() >= link.began
