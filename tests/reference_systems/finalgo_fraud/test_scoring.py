"""The scorer: each line answered once, profiles kept, and nothing taken down by one client."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reference_systems.finalgo_fraud import incident
from reference_systems.finalgo_fraud.cards import CardTable
from reference_systems.finalgo_fraud.profile import COLUMNS, PLACES, PROFILE, observe
from tests.reference_systems.finalgo_fraud.asking import ask, lines, payment

if TYPE_CHECKING:
    from pathlib import Path

    from reference_systems.finalgo_fraud.running import Running


def test_every_line_is_answered_once_with_its_id(scorer: Running) -> None:
    asked = [payment(f"every-{i}", card=f"e{i % 40}", amount=i) for i in range(700)]
    told = ask(scorer.address, lines(*asked))
    assert sorted(one["id"] for one in told) == sorted(one["id"] for one in asked)
    for one in told:
        assert 0 <= one["score"] <= 1
        assert one["decision"] in {"approve", "decline"}


def test_bad_lines_cost_their_own_answer_only(scorer: Running) -> None:
    told = ask(
        scorer.address,
        lines(payment("ok-1"), b"{", b"\xff", b"", b"x" * 200_000, payment(3.5), payment("ok-2"))
        + json.dumps(payment("no line break")).encode(),
    )
    assert {one["id"] for one in told if "score" in one} == {"ok-1", "ok-2", "no line break"}
    assert len([one for one in told if "error" in one]) == 5
    assert {one["id"] for one in told if "error" in one} == {None, 3.5}


def test_a_repeated_line_gets_the_same_answer_and_counts_once(scorer: Running) -> None:
    line = payment("again", card="again")
    first, second = ask(scorer.address, lines(line, line))
    (third,) = ask(scorer.address, lines(line))
    assert first == second == third


def test_a_client_that_goes_away_leaves_the_others_served(scorer: Running) -> None:
    for _ in range(20):
        with socket.create_connection(scorer.address) as connection:
            connection.sendall(lines(*(payment(f"gone-{i}", card=f"g{i}") for i in range(50))))
            linger = (1).to_bytes(4, "little") + bytes(4)
            connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )  # a reset, not an end
    assert len(ask(scorer.address, lines(payment("still there")))) == 1


def test_a_client_that_does_not_read_holds_up_itself_only(scorer: Running) -> None:
    with socket.create_connection(scorer.address) as slow:
        slow.settimeout(0.2)
        sent = 0
        data = lines(*(payment(f"slow-{i}", card="slow") for i in range(2000)))
        with pytest.raises(TimeoutError):
            while sent < 1 << 26:
                sent += slow.send(data)  # repeated lines: each is answered from memory
        assert len(ask(scorer.address, lines(payment("quick")))) == 1


def test_a_clock_that_jumps_stays_a_number(scorer: Running) -> None:
    times = [1_760_000_000, 1, 4_000_000_000, "1999-01-01T00:00:00Z", 1_760_000_001_000]
    told = ask(
        scorer.address,
        lines(*(payment(f"clock-{i}", card="clock", time=t) for i, t in enumerate(times))),
    )
    assert len([one for one in told if 0 <= one["score"] <= 1]) == len(times)


def test_both_builds_give_the_same_scores(
    scorer: Running, fresh_state: Path, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(fresh_state, tmp_path / "state")
    asked = [payment(f"same-{i}", card=f"s{i % 7}", amount=3 * i, time=i * 977) for i in range(60)]
    with incident.scorer(tmp_path / "state") as running:
        theirs = ask(running.address, lines(*asked))
    ours = ask(scorer.address, lines(*asked))
    key = {one["id"]: one["score"] for one in theirs}
    assert key == {one["id"]: one["score"] for one in ours}
    assert running.told["mean_lookup_ms"] > 4.9
    assert running.told["hit_rate"] == 0


def test_a_profile_goes_to_the_store_and_comes_back(state: object, tmp_path: Path) -> None:
    """A second scorer knows the cards of the first: they share the store."""
    from reference_systems.finalgo_fraud import fixed, store

    with store.started(data=tmp_path / "data") as found:
        to = ("--store", f"127.0.0.1:{found.valkey_port}")
        with fixed.scorer(state.folder, *to) as running:
            ask(running.address, lines(*(payment(i, card="kept", time=i) for i in range(30))))
            time.sleep(0.3)
        with fixed.scorer(state.folder, *to) as running:
            (known,) = ask(running.address, lines(payment("x", card="kept", time=40)))
            (new,) = ask(running.address, lines(payment("y", card="never", time=40)))
    assert known["score"] != new["score"]


def test_a_store_that_is_away_costs_history_not_answers(state: object) -> None:
    from reference_systems.finalgo_fraud import fixed

    with socket.create_server(("127.0.0.1", 0)) as mute:
        host, port = mute.getsockname()
        with fixed.scorer(state.folder, "--store", f"{host}:{port}") as running:
            told = ask(running.address, lines(payment("a"), payment("b", card="d")))
    assert [one.get("degraded") for one in told] == [True, True]


def test_the_table_forgets_the_card_used_longest_ago_and_hands_it_on() -> None:
    table = CardTable(3)
    for card in "abc":
        table.dirty[table.install(card, None)] = True
    table.find("a")
    table.install("d", None)
    assert [table.find(card) is None for card in "abcd"] == [False, True, False, False]
    assert [card for card, _ in table.changed(10)] == ["b", "a", "c"]
    assert table.changed(10) == []


def test_a_card_that_left_unwritten_comes_back_as_it_left() -> None:
    table = CardTable(1)
    slot = table.install("a", None)
    table.rows[slot]["n"], table.dirty[slot] = 7, True
    table.install("b", None)
    assert table.rows[table.install("a", None)]["n"] == 7


@pytest.mark.parametrize("profile", [b"", b"x" * 35, b"\xff" * 36])
def test_a_stored_profile_that_is_none_starts_anew(profile: bytes) -> None:
    table = CardTable(2)
    assert table.rows[table.install("a", profile)]["n"] == 0


def test_places_lie_within_the_model_for_any_payment() -> None:
    rng = np.random.default_rng(1)
    rows = np.zeros(4000, PROFILE)
    for _ in range(5):
        amount = rng.choice([0.0, 0.01, 1e3, 1e15, 1e300], 4000)
        when = rng.choice([0.0, 1e9, 2.5e11], 4000)
        places = observe(rows, amount, when, rng.integers(0, 2**32, 4000))
        assert places.shape == (4000, COLUMNS)
        assert places.max() < PLACES
        assert (np.diff(places.astype(int), axis=1) > 0).all()
        assert all(np.isfinite(rows[name].astype(float)).all() for name in PROFILE.names)
