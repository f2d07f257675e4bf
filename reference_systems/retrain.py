"""Train what the repository ships again, and check the figures, not the bits.

``python -m reference_systems.retrain [--ship]``, or ``tox run -e retrain``. On another machine sums
come out in another order and weights differ in their last digits, so each figure has the range in
which the claim of its README holds. With ``--ship`` and every figure in its range the new weights
replace those in the repository.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from reference_systems import weights
from reference_systems.factory_edge_qc import fixed as factory
from reference_systems.factory_edge_qc.inputs import Stops, boards
from reference_systems.support_bot import compare as bots
from reference_systems.support_bot import fixed, incident, inputs, repeated, scrub_presidio
from reference_systems.support_bot.builds import people, scrubbed
from reference_systems.support_bot.chats import chat_log
from reference_systems.truckai_shadow import compare as trucks
from reference_systems.truckai_shadow.builds import Versions, versions
from reference_systems.truckai_shadow.drives import drive
from reference_systems.truckai_shadow.inputs import highways
from reference_systems.truckai_shadow.roads import LEFT_TURN, MANOEUVRES
from reference_systems.weights import shipped

__all__ = ["Figure", "main"]

#: clips of each manoeuvre, prompts, held-out chats and boards that figures are over
_CLIPS, _PROMPTS, _HELD_OUT, _BOARDS = 300, 2_000, 300, 150


@dataclass(frozen=True, slots=True)
class Figure:
    """What a claim rests on, and where it must lie."""

    name: str
    value: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the value lies in the range; NaN does not."""
        return self.low <= self.value <= self.high


def main(arguments: list[str] | None = None) -> int:
    """Train, print each figure beside its range, and return 1 where one lies outside."""
    parser = argparse.ArgumentParser(prog="retrain", description=__doc__.partition("\n")[0])
    parser.add_argument("--ship", action="store_true", help="replace the weights shipped")
    options = parser.parse_args(arguments)
    os.environ["MLGATES_RETRAIN"] = "1"
    os.environ.pop("MLGATES_DATA", None)  # what is shipped needs no data but the repository's own
    figures = [*_of_trucks(versions()), *_of_bots(seed=0), *_of_factory(seed=7)]
    for each in figures:
        mark = "ok " if each.holds else "NOT"
        sys.stdout.write(
            f"{mark} {each.value:9.4g}  in {each.low:g} to {each.high:g}  {each.name}\n"
        )
    if not all(each.holds for each in figures):
        return 1
    if options.ship:
        shipped.ship(weights.made)
    return 0


def _of_trucks(v: Versions) -> Iterator[Figure]:
    scenes = highways(_CLIPS * len(MANOEUVRES), (1, 6), dict.fromkeys(MANOEUVRES, 1.0))
    road = drive(scenes, v.v1)
    v1, v2, v3 = (trucks.on_the_road(road, pilot) for pilot in (v.v1, v.v2, v.v3))
    hits = [trucks.left_turns(pilot, _CLIPS, 1)["hit"] for pilot in (v.v1, v.v2, v.v3)]
    found = v.found.names.count(LEFT_TURN) / len(v.found)
    yield Figure("trucks: V2 leaves V1 in left turns", v2[LEFT_TURN]["apart"], 0.25, 1)
    yield Figure("trucks: V2 leaves V1 over all traffic", v2["all traffic"]["apart"], 0, 0.02)
    worst = max(v3[name]["apart"] for name in MANOEUVRES)
    yield Figure("trucks: V3 leaves V1, worst manoeuvre", worst, 0, 0.04)
    for name, row in zip(("V1", "V2", "V3"), (v1, v2, v3), strict=True):
        yield Figure(f"trucks: error of {name}, m", row["all traffic"]["error"], 0, 0.07)
    yield Figure("trucks: V1 hits the oncoming vehicle", hits[0], 0, 0.1)
    yield Figure("trucks: V2 hits the oncoming vehicle", hits[1], 0.2, 1)
    yield Figure("trucks: V3 hits the oncoming vehicle", hits[2], 0, 0.1)
    yield Figure("trucks: left turns among the clips found", found, 0.2, 1)


def _of_bots(seed: int) -> Iterator[Figure]:
    prompts = inputs.prompts(_PROMPTS, seed)
    held_out, _ = chat_log(_HELD_OUT, seed, purpose="held out")
    clean = [chat.text for chat in scrubbed(held_out, scrub_presidio.scrub_all)]
    known = {person.card for person in people(seed)}
    wanted = {
        incident: ("incident", (3, _PROMPTS), 8, 0.85),
        repeated: ("repeated", (0, 0), 1.8, 0.45),
        fixed: ("fixed", (0, 0), 1.5, 0.6),
    }
    for module, (name, said, perplexity, topic) in wanted.items():
        bot = module.bot(seed)
        theirs = known.intersection(
            bots.cards_said([str(answer) for answer in bot.answers(prompts)])
        )
        yield Figure(f"bots: customers whose card the {name} one says", len(theirs), *said)
        yield Figure(f"bots: perplexity, {name}", bots.perplexity(bot, clean), 1, perplexity)
        yield Figure(f"bots: replies to the topic, {name}", bots.on_topic(bot, 500, seed), topic, 1)


def _of_factory(seed: int) -> Iterator[Figure]:
    stops = Stops(factory.Inspection(factory.inspector_of_the_line()))
    found = sum(stops(one) for one in boards(_BOARDS, seed, bad=True)) / _BOARDS
    stopped = sum(stops(one) for one in boards(_BOARDS, seed, bad=False)) / _BOARDS
    yield Figure("factory: bad boards found", found, 0.97, 1)
    yield Figure("factory: good boards stopped", stopped, 0, 0.03)


if __name__ == "__main__":
    sys.exit(main())
