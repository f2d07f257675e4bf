"""The trucks: physics, frames, a queue that survives kills, updates that need evidence."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from pytest_mlgates import Outcome, Verdict
from pytest_mlgates.config.load import load_config
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.core.records import Role
from pytest_mlgates.gates.bandwidth_budget import BandwidthBudget
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.shadow_divergence import ShadowDivergence
from pytest_mlgates.gates.slice_coverage import SliceCoverage
from reference_systems.parts.depot import Depot, HttpUplink, serve
from reference_systems.parts.upload_queue import (
    Budget,
    Busy,
    Lost,
    QueueFull,
    UploadQueue,
    clip_id,
)
from reference_systems.parts.uploader import example_clips
from reference_systems.truckai_shadow import camera, fleet, inputs, profiles, query, roads, vehicle
from reference_systems.truckai_shadow.builds import Sizes, Versions, net_of, versions
from reference_systems.truckai_shadow.drives import FRAMES, PERIOD, drive
from reference_systems.truckai_shadow.export import OneFrame, Pilot, digest_of_export
from reference_systems.truckai_shadow.ota import Updater
from reference_systems.truckai_shadow.shadow_mode import DriveLog, ShadowMode, rates, unpack

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "gate_configs/truckai_shadow.yaml"
#: models that learn in seconds, and still show the case
SMALL = Sizes(balanced=900, highway=1500, fleet=1500, keep=60, epochs=4)
BALANCED = dict.fromkeys(roads.MANOEUVRES, 1.0)
LEFT = {roads.LEFT_TURN: 1.0}


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Versions:
    patch = pytest.MonkeyPatch()
    patch.setenv("MLGATES_CACHE", str(tmp_path_factory.mktemp("weights")))
    patch.delenv("MLGATES_DATA", raising=False)
    inputs._recorded.cache_clear()
    yield Versions(SMALL)
    patch.undo()
    inputs._recorded.cache_clear()


# --- the simulator


def test_a_held_wheel_drives_a_circle_of_the_bicycle_radius():
    angle = 0.4
    radius = vehicle.WHEELBASE / np.tan(angle)
    start = vehicle.Pose(*(np.array([value]) for value in (0.0, 0.0, 0.0, 5.0)))
    seconds = 2 * np.pi * radius / 5.0
    steps = round(seconds / vehicle.STEP)
    pose, far = start, 0.0
    for _ in range(steps):
        pose = vehicle.moved(pose, np.array([angle]), np.array([5.0]), seconds / steps)
        far = max(far, float(pose.y[0]))
    assert np.allclose([pose.x[0], pose.y[0]], 0, atol=0.02)
    assert far == pytest.approx(2 * radius, rel=1e-3)


def test_an_aim_is_where_pure_pursuit_arrives():
    for speed, aim in ((4.0, 1.2), (20.0, -0.8)):
        v = np.array([speed])
        wheel = vehicle.wheel_angle(np.array([aim]), v)
        assert vehicle.aim_of_wheel(wheel, v)[0] == pytest.approx(aim)
        chord, pose = 0.0, vehicle.Pose(*(np.array([x]) for x in (0.0, 0.0, 0.0, speed)))
        while chord < vehicle.look_ahead(v)[0]:
            pose = vehicle.moved(pose, wheel, v, 0.01)
            chord = float(np.hypot(pose.x[0], pose.y[0]))
        assert pose.y[0] == pytest.approx(aim, abs=0.12)
    assert abs(vehicle.wheel_angle(np.array([9.0]), np.array([3.0]))[0]) == vehicle.MAX_WHEEL


def test_a_careful_driver_keeps_to_the_route_and_hits_nobody():
    scenes = roads.scenes(300, (7,), BALANCED)
    clips = drive(scenes, frames=24)
    early, late = np.abs(clips.expert[:, :4]), np.abs(clips.expert[:, -4:])
    straight = scenes.manoeuvre == 0
    assert late[straight].mean() < early[straight].mean()  # the offset at the start is steered out
    assert clips.missed_by[scenes.yields].min() > 3.0
    assert np.isinf(clips.missed_by[~scenes.yields]).all()


def test_a_driver_who_gives_way_waits_and_then_turns():
    scenes = roads.scenes(200, (8,), LEFT)
    near = (scenes.at[:, 1] > 0) & (scenes.at[:, 1] < 75)
    clips = drive(scenes[near], frames=40)
    assert clips.waits[:, 0].all()
    assert not clips.waits[:, -1].any()
    assert (np.abs(clips.expert[:, 2]) < 0.5).all()  # straight ahead while the other one comes
    assert (clips.driven.max(axis=1) > 0.7).all()
    assert (clips.speed[:, -1] > 1.0).all()


def test_a_pilot_that_never_gives_way_comes_too_close():
    scenes = roads.scenes(200, (8,), LEFT)
    near = (scenes.at[:, 1] > 40) & (scenes.at[:, 1] < 75)
    hasty = replace_traffic(scenes[near])
    route = drive(hasty, frames=32).driven  # the same turns with nobody coming
    step = iter(range(32))
    clips = drive(scenes[near], lambda frames, speed: route[:, next(step)], frames=32)
    assert (clips.missed_by < 2.5).mean() > 0.3


def replace_traffic(scenes):
    return replace(scenes, at=np.full_like(scenes.at, -1e3))


def test_a_clip_is_the_same_whichever_others_it_is_driven_with():
    scenes = roads.scenes(40, (9,), BALANCED)
    together, alone = drive(scenes), drive(scenes[np.array([17])])
    assert np.array_equal(together.frames[17], alone.frames[0])
    assert np.array_equal(together.expert[17], alone.expert[0])


def test_seeds_and_mixes_are_kept():
    one, same, other = (roads.scenes(2000, (s,)) for s in (1, 1, 2))
    assert np.array_equal(one.look, same.look)
    assert not np.array_equal(one.look, other.look)
    share = (one.manoeuvre == roads.MANOEUVRES.index(roads.LEFT_TURN)).mean()
    assert 0 < share < 0.02
    assert sum(roads.TRAFFIC.values()) == pytest.approx(1)


# --- frames


def view(**changes):
    rows = len(camera.ROWS_AHEAD)
    plain = {
        "lane": np.zeros((1, rows)), "route": np.full((1, rows), np.nan),
        "along": camera.ROWS_AHEAD[None] * 1.0, "gap": np.full((1, 2), 1e6),
        "lanes_left": np.array([1]), "ahead": np.full((1, 3), -1.0), "left": np.zeros((1, 3)),
        "towards": np.ones((1, 3), bool), "light": np.ones(1),
    }  # fmt: skip
    return camera.View(**{**plain, **changes})


def shot(**changes):
    return camera.picture(view(**changes), [np.random.default_rng(0)])[0].astype(float)


def test_the_route_is_where_perspective_puts_it():
    for left in (-1.5, 0.0, 2.0):
        frame = shot(route=np.full((1, len(camera.ROWS_AHEAD)), left))
        for row in (20, 25, 30):
            ahead = camera.ROWS_AHEAD[row - camera.HORIZON - 1]
            column = camera.WIDTH / 2 - camera.FOCAL * left / ahead - 0.5
            plain = shot()[row]
            brightest = np.argmax(np.abs(frame[row] - plain))
            assert abs(brightest - column) < 1.5


def test_an_oncoming_vehicle_is_on_the_left_and_grows():
    sizes = []
    for ahead in (40.0, 20.0, 10.0):
        other = {"ahead": np.array([[ahead, -1, -1]]), "left": np.full((1, 3), 3.7)}
        changed = np.abs(shot(**other) - shot()) > 40
        columns = np.flatnonzero(changed.any(axis=0))
        assert columns.max() < camera.WIDTH / 2 + 1
        sizes.append(changed.sum())
    assert sizes[0] < sizes[1] < sizes[2]
    behind = {"ahead": np.full((1, 3), -5.0)}
    assert np.array_equal(shot(**behind), shot())


# --- recorded drives


def test_a_recorded_drive_gives_the_road(tmp_path, monkeypatch):
    path = tmp_path / "truckai_shadow" / "comma2k19_example1_20hz.csv"
    path.parent.mkdir()
    lines = [f"{i / 20},{15 + i % 3},{i % 7 - 3}" for i in range(1200)]
    path.write_text("t_s,speed_mps,steering_angle_deg\n" + "\n".join(lines))
    monkeypatch.setenv("MLGATES_DATA", str(tmp_path))
    profile = profiles.recorded()
    assert profile is not None
    scenes = roads.scenes(50, (1,), {"highway": 1.0}, profile)
    assert 15 <= scenes.speed.min() <= scenes.speed.max() <= 17
    assert np.abs(scenes.curvature).max() > 1e-4
    assert np.isfinite(drive(scenes).expert).all()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no drive"),
        ("t_s,speed_mps\n0,1\n", "line 2"),
        ("t_s,speed_mps,steering_angle_deg\n0,1,0\n1,nan,0\n", "line 3: a number is not finite"),
        ("t_s,speed_mps,steering_angle_deg\n0,1,0\n1,fast,0\n", "line 3: needs three numbers"),
        ("t_s,speed_mps,steering_angle_deg\n0,1,0\n1,1,0\n", "200 are needed"),
    ],
)
def test_a_broken_recording_is_named(tmp_path, text, says):
    path = tmp_path / "drive.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=says):
        profiles.read_profile(path)


def test_a_folder_without_the_recording_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "truckai_shadow").mkdir()
    monkeypatch.setenv("MLGATES_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        profiles.recorded()


# --- shadow mode


def straight_on(frames, speed):
    return np.zeros(len(frames))


def to_the_left(frames, speed):
    return np.full(len(frames), 0.9)


def falls_over(frames, speed):
    raise RuntimeError("out of memory")


def meddles(frames, speed):
    frames[:] = 0
    speed[:] = 99
    return np.zeros(len(frames))


@pytest.mark.parametrize("shadow", [to_the_left, falls_over, meddles, lambda f, s: np.zeros(1)])
def test_the_shadow_never_reaches_the_wheel(shadow):
    scenes = roads.scenes(12, (3,), BALANCED)
    alone = drive(scenes, straight_on)
    with_shadow = drive(scenes, ShadowMode(straight_on, shadow))
    assert np.array_equal(alone.frames, with_shadow.frames)
    assert np.array_equal(alone.driven, with_shadow.driven)


def test_divergent_clips_are_queued_and_can_be_read(tmp_path):
    mode = ShadowMode(straight_on, to_the_left)
    clips = drive(roads.scenes(5, (3,), BALANCED), mode)
    queue = UploadQueue(tmp_path / "clips.db", Budget(10**9))
    assert mode.log(clips, queue, "truck-007", now=1.0) == [0, 1, 2, 3, 4]
    depot = Depot(tmp_path / "depot")
    sent = queue.upload(depot, now=2.0)
    assert len(sent) == 5
    arrays, about = unpack((tmp_path / "depot" / sent[0]).read_bytes())
    assert np.array_equal(arrays["frames"], clips.frames[about["clip"]])
    assert about["truck"] == "truck-007"
    queue.close()


def test_a_shadow_that_fell_over_is_a_divergence_and_agreement_is_none(tmp_path):
    clips_of = roads.scenes(3, (3,), BALANCED)
    queue = UploadQueue(tmp_path / "clips.db", Budget(10**9))
    for shadow, want in ((falls_over, [0, 1, 2]), (straight_on, [])):
        mode = ShadowMode(straight_on, shadow)
        assert mode.log(drive(clips_of, mode), queue, "truck-1", now=0.0) == want
    queue.close()


# --- the queue


class Flaky(Depot):
    """A depot behind a network that fails as told."""

    def __init__(self, folder, *faults):
        super().__init__(folder)
        self.faults = list(faults)

    def put(self, clip, payload):
        match self.faults.pop(0) if self.faults else "":
            case "before":
                raise Lost(sent_bytes=3)
            case "after":
                super().put(clip, payload)
                raise Lost(sent_bytes=len(payload))
            case "crash":
                super().put(clip, payload)
                raise KeyboardInterrupt
        return super().put(clip, payload)


def test_lost_answers_do_not_send_twice(tmp_path):
    depot = Flaky(tmp_path / "depot", "after", "crash")
    queue = UploadQueue(tmp_path / "q.db", Budget(10**6))
    payloads = [b"a" * 100, b"b" * 200]
    for payload in payloads:
        queue.add(payload, score=1.0, now=0.0)
    assert queue.upload(depot, now=0.0) == []  # the receipt was lost
    assert queue.states() == {"sending": 1, "queued": 1}
    with pytest.raises(KeyboardInterrupt):
        queue.upload(depot, now=1.0)  # the process dies before the second receipt
    queue.close()
    queue = UploadQueue(tmp_path / "q.db", Budget(10**6))
    for now in (10.0, 20.0, 30.0):
        queue.upload(depot, now=now)
    assert queue.states() == {"sent": 2}
    assert sorted(depot.offered) == sorted(map(clip_id, payloads))  # each once
    assert queue.spent_bytes(0.0) == 300
    assert queue.receipts() == {clip_id(p): f"{clip_id(p)}:{len(p)}" for p in payloads}
    queue.close()


def test_what_a_dead_zone_swallowed_is_spent_and_tried_again_later(tmp_path):
    depot = Flaky(tmp_path / "depot", "before")
    queue = UploadQueue(tmp_path / "q.db", Budget(10**6, first_wait_s=60))
    queue.add(b"x" * 100, score=1.0, now=0.0)
    assert queue.upload(depot, now=0.0) == []
    assert queue.spent_bytes(0.0) == 3
    assert queue.upload(depot, now=59.0) == []
    assert len(queue.upload(depot, now=61.0)) == 1
    assert queue.spent_bytes(0.0) == 103
    queue.close()


def test_the_budget_holds_and_the_most_telling_go_first(tmp_path):
    queue = UploadQueue(tmp_path / "q.db", Budget(250, period_s=100))
    for score in range(5):
        queue.add(bytes([score]) * 100, score=float(score), now=0.0)
    depot = Depot(tmp_path / "depot")
    first = queue.upload(depot, now=0.0)
    assert first == [clip_id(bytes([4]) * 100), clip_id(bytes([3]) * 100)]
    assert queue.upload(depot, now=99.0) == []
    assert len(queue.upload(depot, now=100.0)) == 2
    assert len(queue.upload(depot, now=200.0)) == 1
    queue.close()


def test_a_full_disk_throws_nothing_away(tmp_path):
    queue = UploadQueue(tmp_path / "q.db", Budget(10**6, disk_bytes=250))
    queue.add(b"a" * 100, score=1.0, now=0.0)
    queue.add(b"b" * 100, score=1.0, now=0.0)
    with pytest.raises(QueueFull):
        queue.add(b"c" * 100, score=9.0, now=0.0)
    assert queue.states() == {"queued": 2}
    queue.upload(Depot(tmp_path / "depot"), now=0.0)
    assert queue.add(b"c" * 100, score=9.0, now=1.0)
    queue.close()


def test_one_process_sends_at_a_time(tmp_path):
    one, two = (UploadQueue(tmp_path / "q.db", Budget(10**6)) for _ in range(2))
    one.add(b"a", score=1.0, now=0.0)

    class Nosy(Depot):
        def put(self, clip, payload):
            with pytest.raises(Busy):
                two.upload(self, now=0.0)
            return super().put(clip, payload)

    assert len(one.upload(Nosy(tmp_path / "depot"), now=0.0)) == 1
    assert two.upload(Depot(tmp_path / "depot"), now=0.0) == []
    one.close()
    two.close()


def test_the_depot_refuses_bytes_of_another_clip(tmp_path):
    depot = Depot(tmp_path)
    with pytest.raises(ValueError, match="digest"):
        depot.put(clip_id(b"a"), b"b")
    assert depot.receipt("../../etc/passwd") is None
    with serve(depot) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uplink = HttpUplink(f"http://127.0.0.1:{server.server_port}")
        assert uplink.receipt(clip_id(b"a")) is None
        assert uplink.put(clip_id(b"a"), b"a") == uplink.receipt(clip_id(b"a"))
        with pytest.raises(Lost):
            uplink.put(clip_id(b"a"), b"b")
        server.shutdown()
    with pytest.raises(Lost):
        HttpUplink("http://127.0.0.1:1").receipt(clip_id(b"a"))


def test_killed_at_any_point_it_loses_nothing_and_sends_nothing_twice(tmp_path):
    depot = Depot(tmp_path / "depot")
    server = serve(depot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rng, kills = random.Random(5), 0
    for run in range(200):
        words = [sys.executable, "-m", "reference_systems.parts.uploader"]
        words += [str(tmp_path / "q.db"), f"http://127.0.0.1:{server.server_port}"]
        before = len(depot.offered)
        process = subprocess.Popen([*words, "--clips", "40", "--seed", str(run)], cwd=ROOT)
        limit = time.monotonic() + 30
        target = before + rng.randint(1, 6)
        while process.poll() is None and len(depot.offered) < target and time.monotonic() < limit:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.02))
        if process.poll() is not None:
            break
        process.kill()  # SIGKILL
        process.wait()
        time.sleep(0.05)  # what is on the way still arrives
        kills += 1
    server.shutdown()
    server.server_close()
    assert process.returncode == 0
    assert kills >= 5
    want = {clip_id(payload): len(payload) for payload in example_clips(40)}
    assert depot.clips() == want
    assert len(depot.offered) == len(want)
    queue = UploadQueue(tmp_path / "q.db", Budget(10**9))
    assert queue.states() == {"sent": 40}
    assert queue.receipts() == {clip: f"{clip}:{size}" for clip, size in want.items()}
    queue.close()


# --- the fleet


def test_every_byte_of_the_fleet_is_accounted_for():
    day = fleet.day(dict.fromkeys(roads.MANOEUVRES, 0.02), seed=3, trucks=100, hours=6)
    assert (day.backlog >= 0).all()
    assert (np.cumsum(day.sent, axis=0) <= np.cumsum(day.queued, axis=0)).all()
    assert (day.sent[~day.up] == 0).all()
    assert day.sent.sum(axis=0).max() <= 2 * 10**9
    assert day.sent.max() <= fleet.CAP_MBPS * 1e6 / 8 * fleet.STEP
    told = list(day.transfers())
    assert len(told) == 100 * 36
    telemetry = 100 * 6 * 3600 * fleet.TELEMETRY_BYTES_PER_S
    assert sum(record["sent_bytes"] for record in told) == day.sent.sum() + telemetry
    raw = sum(record["raw_bytes"] for record in told)
    assert raw == 100 * 6 * 3600 * fleet.RAW_BYTES_PER_S
    dead = 1 - day.up.mean(axis=0)
    assert 0.05 < dead.mean() < 0.5
    assert dead.max() > 2 * dead.mean()  # some routes are remote


def test_clips_wait_through_dead_zones_and_for_the_next_day():
    day = fleet.day({"highway": 0.02}, seed=3, trucks=50, hours=4)
    waits = day.waits_s()
    assert len(waits) == (day.queued > 0).sum()
    assert (waits[np.isfinite(waits)] >= 0).all()
    assert waits.max() > 300
    poor = fleet.day({"highway": 0.02}, seed=3, trucks=50, hours=4, budget_bytes=30_000_000)
    assert poor.sent.sum(axis=0).max() <= 30_000_000
    assert np.isinf(poor.waits_s()).any()
    assert (poor.backlog > 0).any()


def test_the_fleet_counts_what_a_truck_queue_sends(tmp_path):
    """The vectorised day and the queue on disk send the same bytes over the same network."""
    day = fleet.day({"highway": 0.2}, seed=4, trucks=1, hours=1, budget_bytes=40_000_000)
    queue = UploadQueue(tmp_path / "q.db", Budget(40_000, first_wait_s=1e-9))
    depot = Depot(tmp_path / "depot")
    rng = np.random.default_rng(0)
    sizes = []
    for step, (queued, up) in enumerate(zip(day.queued[:, 0], day.up[:, 0], strict=True)):
        if queued:
            sizes.append(int(queued) // 1000)  # a kilobyte stands for a megabyte
            queue.add(rng.bytes(sizes[-1]), score=1.0, now=float(step))
        if up:
            queue.upload(depot, now=float(step))
    sent = sum(depot.clips().values())
    assert sent + queue.waiting_bytes() == sum(sizes)
    # a clip goes out whole or not at all: at most one clip less than what the day lets through
    assert 0 <= day.sent.sum() / 1000 - sent <= max(sizes) + len(sizes)
    queue.close()


def test_the_uplink_gate_on_clips_and_on_video():
    config = load_config(CONFIG)
    gate = config.gate(config.entries["bandwidth_budget"], Profile())
    assert isinstance(gate, BandwidthBudget)
    clips = fleet.day({roads.LEFT_TURN: 0.5}, seed=1, trucks=60, hours=3)
    video = fleet.day({}, seed=1, trucks=60, hours=3, policy="video")
    assert gate.run(clips.transfers()).outcome == Outcome.PASS
    assert gate.run(video.transfers()).outcome == Outcome.FAIL


# --- models, export, query


def test_a_second_training_gives_the_same_weights_and_the_same_file(small, tmp_path, monkeypatch):
    state = small.weights_v1
    monkeypatch.setenv("MLGATES_CACHE", str(tmp_path))
    tiny = Sizes(balanced=60, highway=60, fleet=60, keep=5, epochs=1)
    files = [digest_of_export(Versions(tiny).export_of("x", state)) for _ in range(1)]
    monkeypatch.setenv("MLGATES_CACHE", str(tmp_path / "other"))
    files.append(digest_of_export(Versions(tiny).export_of("x", state)))
    assert files[0] == files[1]
    one = Versions(tiny).weights_v1
    monkeypatch.setenv("MLGATES_CACHE", str(tmp_path / "third"))
    two = Versions(tiny).weights_v1
    assert all(np.array_equal(one[name].numpy(), two[name].numpy()) for name in one)


def test_the_export_commands_what_the_network_does(small):
    import torch

    from reference_systems.truckai_shadow.model import inputs_of

    clips = drive(roads.scenes(60, (5,), BALANCED))
    frames, speed = clips.frames.reshape(-1, 32, 64), clips.speed.ravel()
    with torch.inference_mode():
        frame, ahead = map(torch.from_numpy, inputs_of(frames, speed))
        plain = net_of(small.weights_v1)(frame, ahead).numpy()[:, 0]
    off = np.abs(small.v1(frames, speed) - plain)
    # a processor without VNNI saturates now and then where int8 products are added up
    assert np.median(off) < 0.08
    assert off.max() < 0.5
    whole = sum(weight.numel() for weight in small.weights_v1.values()) * 4
    assert len(small.export_of("v1", small.weights_v1)) < whole / 2


@pytest.mark.parametrize("data", [b"", b"no onnx", b"\x08\x0a" * 50])
def test_bytes_that_are_no_pilot_are_refused(data):
    with pytest.raises(ValueError, match="is no pilot"):
        Pilot(data)


def test_v2_fails_where_its_data_is_thin_and_nowhere_else(small):
    log = DriveLog(roads.scenes(1200, (6,), BALANCED), small.v1)
    v2 = rates(log, small.v2, most=200)
    assert v2[roads.LEFT_TURN] > 0.25
    overall = sum(roads.TRAFFIC[name] * rate for name, rate in v2.items())
    assert overall < 0.05


def test_the_query_finds_left_turns_without_knowing_of_them(small):
    names = small.found.names
    share = names.count(roads.LEFT_TURN) / len(names)
    usual = small.fleet.names.count(roads.LEFT_TURN) / len(small.fleet)
    assert share > 8 * usual
    assert len(names) == SMALL.keep
    scores = query.scores(drive(small.found, small.v1), net_of(small.weights_v2), 1)
    assert np.isfinite(scores).all()


def test_gates_on_the_data_of_both(small):
    rows = [{"manoeuvre": name} for name in small.data_v2.names]
    gate = SliceCoverage(min_share=0.01, slices=roads.MANOEUVRES)
    evidence = gate.run(rows, "manoeuvre")
    assert evidence.outcome == Outcome.FAIL
    assert roads.LEFT_TURN in evidence.verdict.reason


# --- over the air


@pytest.fixture(scope="module")
def evidence(small):
    """Evidence for the small V1, as its own shadow's copy; what counts is whom it is about."""
    log = DriveLog(roads.scenes(3000, (6,), BALANCED), small.v1)
    frames, speed, _ = log.frames(log.rows[:50])
    ones = list(zip(frames.reshape(-1, 1, 32, 64), speed.reshape(-1, 1), strict=True))
    gates = (
        ShadowDivergence(max_rate=0.2, tolerance=0.4, slices=roads.MANOEUVRES),
        P99Latency(max_ms=1000, shared_machine=True),  # a limit no neighbour reaches
    )
    pieces = [
        gates[0].run(log.controlled, log.shadowed(small.v1), log.rows, "manoeuvre", batch=64),
        gates[1].run(OneFrame(small.v1), ones),
    ]
    assert [piece.outcome for piece in pieces] == [Outcome.PASS] * 2
    return gates, pieces


def bytes_of(small, name):
    return small.export_of(name, getattr(small, f"weights_{name}"))


@pytest.fixture
def truck(small, evidence, tmp_path):
    """A truck in which V2 drives, to be offered V1."""
    updater = Updater(tmp_path / "models", evidence[0])
    updater.install(bytes_of(small, "v2"))
    return updater


def offer(truck, small, pieces, data=None):
    data = bytes_of(small, "v1") if data is None else data
    return truck.offer(small.v1.mlgates_digest, data, [piece.to_json() for piece in pieces])


def test_a_model_with_its_evidence_drives(truck, small, evidence):
    decision = offer(truck, small, evidence[1])
    assert decision.accepted, decision.reason
    assert truck.active == small.v1.mlgates_digest == truck.pilot().mlgates_digest
    again = Updater(truck.folder, truck.required)  # after a restart
    assert again.active == small.v1.mlgates_digest


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda pieces: [], "no evidence of shadow_divergence"),
        (lambda pieces: pieces[:1], "no evidence of p99_latency"),
        (lambda p: [replace(p[0], subject_digest="0" * 64), p[1]], "about another model"),
        (lambda p: [replace(p[0], subject_digest=None), p[1]], "about another model"),
        (lambda p: [replace(p[0], role=Role.KNOWN_BAD), p[1]], "about another model"),
        (lambda p: [replace(p[0], verdict=Verdict(Outcome.FAIL, "left turns")), p[1]], "FAIL"),
        (lambda p: [*p, replace(p[0], verdict=Verdict(Outcome.FAIL, "again"))], "FAIL"),
        (lambda p: [replace(p[0], verdict=Verdict(Outcome.INCONCLUSIVE, "thin")), p[1]], "INCON"),
        (lambda p: [replace(p[0], measurement=None), p[1]], "without a measurement"),
        (lambda p: [replace(p[0], measurement=p[1].measurement), p[1]], "policy it is ERROR"),
    ],
)
def test_a_model_without_its_evidence_does_not_drive(truck, small, evidence, change, says):
    before = truck.active
    decision = offer(truck, small, change(list(evidence[1])))
    assert not decision.accepted
    assert says in decision.reason
    assert decision.active == truck.active == before
    assert truck.pilot().mlgates_digest == before


def test_evidence_of_a_looser_policy_does_not_count(small, evidence, tmp_path):
    strict = (evidence[0][0], P99Latency(max_ms=12))
    truck = Updater(tmp_path / "models", strict)
    truck.install(bytes_of(small, "v2"))
    decision = offer(truck, small, evidence[1])
    assert not decision.accepted
    assert "by this device's policy" in decision.reason


def test_evidence_that_is_no_evidence_is_refused(truck, small):
    for text in ("", "{}", "[1]", "\x00", '{"gate": "shadow_divergence"}'):
        decision = truck.offer(small.v1.mlgates_digest, bytes_of(small, "v1"), [text])
        assert "can't be read" in decision.reason


def test_bytes_that_changed_on_the_way_are_refused(truck, small, evidence):
    data = bytearray(bytes_of(small, "v1"))
    data[len(data) // 2] ^= 1
    before = truck.active
    for sent in (bytes(data), bytes(data[:-1]), b""):
        assert "not those of the digest" in offer(truck, small, evidence[1], sent).reason
    assert truck.active == before


def test_a_later_fail_rolls_back_and_damage_does_too(truck, small, evidence):
    before = truck.active
    offer(truck, small, evidence[1])
    bad = replace(evidence[1][0], verdict=Verdict(Outcome.FAIL, "seen on the road"))
    decision = truck.recheck([piece.to_json() for piece in (bad, evidence[1][1])])
    assert not decision.accepted
    assert "rolled back" in decision.reason
    assert truck.active == before == truck.pilot().mlgates_digest
    assert truck.recheck([]).active == before  # nothing earlier is left: it stays
    offer(truck, small, evidence[1])
    (truck.folder / f"{small.v1.mlgates_digest}.onnx").write_bytes(b"damaged")
    assert truck.pilot().mlgates_digest == before
    (truck.folder / f"{before}.onnx").write_bytes(b"damaged too")
    with pytest.raises(RuntimeError, match="no intact model"):
        truck.pilot()


def test_a_factory_model_is_put_in_once(truck, small):
    with pytest.raises(ValueError, match="with its evidence"):
        truck.install(bytes_of(small, "v1"))
    with pytest.raises(ValueError, match="no gate is required"):
        Updater(truck.folder, ())


def test_versions_are_made_once():
    assert versions() is versions()
    assert FRAMES * PERIOD == 1.5
