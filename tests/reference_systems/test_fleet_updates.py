"""A new model for a fleet: pieces that survive kills, stages, and the way back for all."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pytest_mlgates import Outcome, QualityFloor
from reference_systems.parts.model_files import digest_of
from reference_systems.parts.ota import Updater
from reference_systems.parts.release import Download, Release, Throttle
from reference_systems.parts.release_server import HttpReleases, Shelf, serve_releases
from reference_systems.parts.rollout import Course, Rollout, Stages, place_of
from reference_systems.parts.updating import Follower
from reference_systems.parts.upload_queue import Lost

ROOT = Path(__file__).parents[2]
GATE = QualityFloor(metric="accuracy", min_value=0.6)
OLD, NEW = b"the model that it was delivered with", np.random.default_rng(1).bytes(200_000)
NAMES = frozenset(f"truck-{n:03d}" for n in range(200))


def evidence_for(data, gate=GATE):
    def predict(number):
        return number % 2 == 0

    predict.mlgates_digest = digest_of(data)
    piece = gate.run(predict, list(range(90)), predict)
    assert piece.outcome == Outcome.PASS
    return [piece.to_json()]


@pytest.fixture
def shelf(tmp_path):
    """Give a shelf with a new model that is meant for all."""
    rollout = Rollout(tmp_path / "rollout.json", NAMES, Stages(shares=(1.0,)))
    found = Shelf(tmp_path / "shelf", rollout)
    rollout.offer(found.put(NEW, evidence_for(NEW), piece_bytes=10_000).digest)
    return found


def follower_in(folder, name="truck-000", rate=1e9):
    updater = Updater(folder, [GATE], bytes, durable=False)
    if updater.active is None:
        updater.install(OLD)
    return Follower(name, updater, Throttle(rate, most_saved=rate))


# --- pieces


@pytest.mark.parametrize("size", [1, 10_000, 10_001, 99_999])
def test_pieces_make_the_whole_in_any_order(tmp_path, size):
    data = NEW[:size]
    release = Release.read(Release.cut(data, 10_000).text())
    draft = Download(tmp_path, release)
    order = draft.missing()
    random.Random(size).shuffle(order)
    for piece in order:
        begin, end = release.span(piece)
        assert draft.take(piece, data[begin:end])
    assert draft.whole() == data


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-5_000],
        lambda data: data[:25_000] + b"\0" * 10_000 + data[35_000:],
        lambda data: b"",
        lambda data: data + b"more",
    ],
    ids=["cut", "a hole", "emptied", "longer"],
)
def test_a_draft_is_hashed_before_it_counts(tmp_path, change):
    release = Release.cut(NEW[:60_000], 10_000)
    draft = Download(tmp_path, release)
    for piece in draft.missing()[:4]:
        draft.take(piece, NEW[slice(*release.span(piece))])
    draft.path.write_bytes(change(draft.path.read_bytes()))
    again = Download(tmp_path, release)
    for piece in again.missing():
        assert again.take(piece, NEW[slice(*release.span(piece))])
    assert again.whole() == NEW[:60_000]


@pytest.mark.parametrize(
    "change",
    [
        {"size": 0}, {"size": 10**9}, {"piece_bytes": 0}, {"pieces": []}, {"digest": "../etc"},
        {"pieces": None}, {"size": "many"}, {"piece_bytes": -1},
    ],
)  # fmt: skip
def test_a_release_that_is_none_is_refused(change):
    said = {**json.loads(Release.cut(NEW, 10_000).text()), **change}
    with pytest.raises(ValueError, match=r"release|pieces|digest|invalid literal|size"):
        Release.read(json.dumps(said))


def test_a_throttle_holds_its_rate_whatever_the_clock_does():
    throttle, rng = Throttle(1000, most_saved=3000), random.Random(2)
    now = taken = 0.0
    for _ in range(5000):
        now += rng.choice([0.0, 0.01, 0.5, -0.2])
        taken += 400 * throttle.take(400, now)
    passed = 5000 * (0.0 + 0.01 + 0.5) / 4
    assert taken <= 3000 + 1000 * passed * 1.1
    with pytest.raises(ValueError, match="more than"):
        throttle.wait_s(4000)


# --- one truck


def test_a_truck_takes_what_is_meant_for_it_and_says_so(shelf, tmp_path):
    truck = follower_in(tmp_path / "a")
    assert truck.contact(shelf, 0.0) == "at work"
    assert truck.updater.active == digest_of(NEW)
    assert shelf.rollout._since.keys() == {"truck-000"}
    assert len(NEW) < truck.received_bytes < len(NEW) + 20_000
    assert truck.contact(shelf, 1.0) == "at work"
    assert shelf.sent_bytes == len(NEW)
    assert not list((tmp_path / "a").glob("*.draft"))


def test_a_course_that_is_older_is_not_followed(shelf, tmp_path):
    truck = follower_in(tmp_path / "a")
    before = shelf.course()
    shelf.rollout.withdraw("seen on the road")
    assert truck.contact(shelf, 0.0) == "not meant"
    shelf.course = lambda: before  # replayed
    assert follower_in(tmp_path / "a").contact(shelf, 1.0) == "stale"
    assert truck.updater.active == digest_of(OLD)


def test_a_withdrawn_model_is_gone_without_a_byte_of_another(shelf, tmp_path):
    truck = follower_in(tmp_path / "a")
    truck.contact(shelf, 0.0)
    sent = shelf.sent_bytes
    shelf.rollout.withdraw("seen on the road")
    assert truck.contact(shelf, 1.0) == "not meant"
    assert truck.updater.active == digest_of(OLD)
    assert shelf.sent_bytes == sent
    offered = truck.updater.offer(digest_of(NEW), NEW, evidence_for(NEW))
    assert (offered.accepted, offered.reason) == (False, "it was withdrawn")
    with pytest.raises(ValueError, match="not offered again"):
        shelf.rollout.offer(digest_of(NEW))


def test_a_model_without_its_evidence_is_taken_back_from_the_whole_fleet(shelf, tmp_path):
    worse = Updater(tmp_path / "a", [QualityFloor(metric="accuracy", min_value=0.99)], bytes)
    worse.install(OLD)
    truck = Follower("truck-000", worse, Throttle(1e9, 1e9))
    assert "by this device's policy" in truck.contact(shelf, 0.0)
    assert worse.active == digest_of(OLD)
    assert shelf.rollout.course.withdrawn == {digest_of(NEW)}
    assert shelf.rollout.why == "truck-000 said that it does not work"


def test_bytes_that_are_wrong_on_the_way_are_never_at_work(shelf, tmp_path):
    truck, asked = follower_in(tmp_path / "a"), []
    honest = shelf.piece

    def lying(digest, begin, end):
        asked.append(begin)
        return b"\0" * (end - begin) if len(asked) % 3 else honest(digest, begin, end)

    shelf.piece = lying
    for _ in range(60):
        said = truck.contact(shelf, 0.0)
    assert said == "at work"
    assert truck.updater.model() == NEW


def test_the_rate_is_held_and_what_came_is_not_asked_for_again(shelf, tmp_path):
    truck = follower_in(tmp_path / "a", rate=20_000)
    said = [truck.contact(shelf, float(now)) for now in range(12)]
    assert said.count("throttled") == 9
    assert said[-1] == "at work"
    assert shelf.sent_bytes == len(NEW)


# --- over HTTP, and kills


@pytest.fixture
def url(shelf):
    with serve_releases(shelf) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_over_http_too(shelf, url, tmp_path):
    truck = follower_in(tmp_path / "a")
    assert truck.contact(HttpReleases(url), 0.0) == "at work"
    with pytest.raises(Lost):
        HttpReleases(url).release("0" * 64)
    with pytest.raises(Lost):
        HttpReleases(url).piece(digest_of(NEW), 0, len(NEW) + 1)
    with pytest.raises(Lost):
        HttpReleases(url).report("a/stranger?", digest_of(NEW), works=False)
    assert follower_in(tmp_path / "b").contact(HttpReleases("http://127.0.0.1:1"), 0.0) == "lost"


def test_killed_at_any_point_it_goes_on_where_it_was(shelf, url, tmp_path):
    words = [sys.executable, "-m", "reference_systems.parts.updating", str(tmp_path / "truck"), url]
    words += ["--device", "truck-007", "--bytes-per-s", "40000"]
    rng, kills = random.Random(5), 0
    for _ in range(12):
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
        before = shelf.sent_bytes
        target = before + rng.randint(1, 50_000)
        until = time.monotonic() + 30
        while process.poll() is None and shelf.sent_bytes < target and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.02))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        if shelf.rollout._since:
            break
    assert shelf.rollout._since.keys() == {"truck-007"}
    assert kills >= 2
    # of each kill at most what was on the way and not yet in the draft: two pieces
    assert len(NEW) <= shelf.sent_bytes <= len(NEW) + 20_000 * kills
    assert follower_in(tmp_path / "truck").updater.model() == NEW


# --- the fleet


def test_a_stage_waits_until_nearly_all_of_it_worked_for_long_enough(tmp_path):
    stages = Stages(shares=(0.05, 0.5, 1.0), soak_s=100.0, confirmed=0.9)
    rollout, digest = Rollout(tmp_path / "r.json", NAMES, stages), digest_of(NEW)
    rollout.offer(digest)
    first = [name for name in NAMES if rollout.course.meant_for(name)]
    assert 3 <= len(first) <= 20
    assert not rollout.step(1e9)
    for name in first[1:]:
        rollout.reported(name, digest, works=True, now=10.0)
    assert not rollout.step(109.0)
    again = Rollout(tmp_path / "r.json", NAMES, stages)  # killed meanwhile
    if len(first) > 10:
        assert again.step(110.0)
    else:  # nine of ten are not enough yet
        assert not again.step(110.0)
        again.reported(first[0], digest, works=True, now=10.0)
        assert again.step(110.0)
    assert again.course.share == 0.5
    assert {name for name in NAMES if again.course.meant_for(name)} > set(first)
    assert not again.step(1e9)
    with pytest.raises(ValueError, match="not a device"):
        again.reported("someone else's", digest, works=False, now=0.0)


def test_who_is_first_changes_from_model_to_model():
    first = Counter()
    for number in range(200):
        digest = digest_of(str(number).encode())
        first.update(name for name in NAMES if place_of(name, digest) < 0.05)
    assert max(first.values()) < 30


@pytest.mark.parametrize(
    "said", ["", "[]", "{}", '{"number":1,"target":"x","share":1,"withdrawn":[]}',
             '{"number":1,"target":"%s","share":7,"withdrawn":[]}' % ("a" * 64)],
)  # fmt: skip
def test_a_course_that_is_none_is_refused(said):
    with pytest.raises(ValueError, match=r"course|digest|share|Expecting"):
        Course.read(said)
    with pytest.raises(ValueError, match="grow"):
        Stages(shares=(0.5, 0.1))


def trucks_in(folder, count=60):
    from reference_systems.truckai_shadow.rollout_day import Trucks

    trucks = Trucks(folder, [GATE], OLD, count=count, stages=Stages((0.1, 0.3, 1.0), 1800.0))
    data = np.random.default_rng(2).bytes(2**17)
    return trucks, trucks.offer(data, evidence_for(data)).digest


def test_a_fleet_gets_a_model_in_stages_and_every_byte_is_counted(tmp_path):
    from reference_systems.truckai_shadow.rollout_day import SCALE, update

    trucks, digest = trucks_in(tmp_path)
    day = update(trucks, seed=3)
    assert all(follower.updater.active == digest for follower in trucks.followers)
    assert set(day.stage) == {0.1, 0.3, 1.0}
    assert all(day.at_work[day.stage == 0.1] <= 15)
    size = 2**17 * SCALE
    each = day.received.sum(axis=0)
    assert each.min() >= size
    assert each.max() < 1.4 * size
    assert each.sum() == sum(record["sent_bytes"] for record in day.transfers())
    assert not day.received[~day.up].any()


def test_one_truck_in_which_it_does_not_work_brings_it_back_from_all(tmp_path):
    from reference_systems.truckai_shadow.rollout_day import update

    trucks, digest = trucks_in(tmp_path)
    late = max(
        (n for n in trucks.names if place_of(n, digest) < 0.3), key=lambda n: place_of(n, digest)
    )
    day = update(trucks, seed=4, broken=frozenset([late]))
    assert day.why == f"{late} said that it does not work"
    assert day.at_work.max() <= 30
    assert day.at_work[-1] == 0
    assert {follower.updater.active for follower in trucks.followers} == {digest_of(OLD)}
    with pytest.raises(ValueError, match="not offered again"):
        trucks.rollout.offer(digest)


def test_all_at_once_takes_the_whole_link(tmp_path):
    from reference_systems.truckai_shadow.rollout_day import update

    trucks, _ = trucks_in(tmp_path)
    once = update(trucks, seed=3, policy="at once")
    assert once.received.sum() >= 60 * 2**17 * 160
    assert once.received.max() > 20 * 280_000 / 8 * 10
