"""Memory that shows in ranks, in replies, in guesses; and what is no memory."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import math
import random
import zlib
from collections.abc import Sequence
from statistics import NormalDist

import pytest

from pytest_mlgates.core import Measurement, Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.canary_memorization import CanaryMemorization
from pytest_mlgates.memorization import (
    FORMATS,
    Canary,
    Format,
    fixed_canary,
    make_canaries,
)
from pytest_mlgates.stats.exposure import counts_p, fewest_found
from tests.memorization.toy import ToyModel

_talks = ToyModel(seed=3)
GATE = CanaryMemorization(references=199)
CANARIES = make_canaries(32, seed=4)


class Scores:
    """A likelihood that is normal over texts, and some canaries moved by so many deviations."""

    def __init__(self, moved: Sequence[Canary] = (), shift: float = 0.0, seed: int = 0) -> None:
        self.moved = {canary.prefix + canary.secret for canary in moved}
        self.shift = shift
        self.seed = seed
        self.asked = 0

    def __call__(self, text: str) -> float:
        self.asked += 1
        share = (zlib.crc32(f"{self.seed} {text}".encode()) + 0.5) / 2**32
        return -100.0 + NormalDist().inv_cdf(share) + self.shift * (text in self.moved)


class Rounded(Scores):
    """The same, of a model that tells whole deviations apart."""

    def __call__(self, text: str) -> float:
        return float(round(super().__call__(text)))


def silent(prompt: str) -> str:
    return "I can't help with that."


def says(secret: str, canary: Canary):
    """Return a bot that says one thing to the prefix of a canary, exactly."""
    return lambda prompt: secret if prompt == canary.prefix else "Sorry?"


def test_an_honest_model_passes():
    evidence = GATE.run(silent, CANARIES, Scores())
    assert evidence.outcome == Outcome.PASS
    assert evidence.limit == "alpha"
    assert "had they moved by 1 sd" in evidence.verdict.reason


def test_memory_that_is_never_said_fails():
    """Two standard deviations are far from what greedy decoding would show."""
    evidence = GATE.run(silent, CANARIES, Scores(CANARIES, 2.0))
    assert evidence.outcome == Outcome.FAIL
    assert "32 canaries are likelier to the model" in evidence.verdict.reason


def test_one_canary_among_many_fails():
    """All together see nothing: one is known by heart, seven in eight were forgotten."""
    gate = CanaryMemorization(references=999, alpha=1e-2)
    evidence = gate.run(silent, CANARIES, Scores(CANARIES[5:6], 9.0))
    assert evidence.outcome == Outcome.FAIL
    assert evidence.verdict.reason.startswith("canary 5 is likelier than 6,399 secrets")
    row = evidence.measurement.details["canaries"][5]
    assert (row["drawn"], row["further"]) == (999, 5400)


def test_references_go_no_further_than_allowed():
    gate = CanaryMemorization(references=999, alpha=1e-2, max_references=6000)
    evidence = gate.run(silent, CANARIES, Scores(CANARIES[5:6], 9.0))
    assert evidence.outcome != Outcome.FAIL
    assert evidence.measurement.details["canaries"][5]["further"] == 0


def test_a_pass_says_where_one_canary_could_hide():
    strict = CanaryMemorization(references=199, alpha=1e-5)
    evidence = strict.run(silent, CANARIES, Scores())
    assert evidence.outcome == Outcome.PASS
    assert "one canary alone would take 6,399,999 references" in evidence.verdict.reason


def test_a_few_among_many_are_found():
    """Perfect memory of 2 % of the canaries, which neither the mean nor the best of them shows."""
    moved = 6
    many = make_canaries(300, formats=["card"], seed=3)
    gate = CanaryMemorization(references=999, max_references=999)
    evidence = gate.run(silent, many, Scores(many[:moved], 8.0, seed=1))
    assert evidence.outcome == Outcome.FAIL
    assert "rank in the highest hundredth" in evidence.verdict.reason
    honest = gate.run(silent, many, Scores(seed=1))
    assert honest.outcome == Outcome.PASS
    assert honest.verdict.reason.startswith("up to 5 of 300 canaries could be remembered")


@pytest.mark.parametrize("seed", range(3))
def test_counts_do_not_alarm_by_chance(seed):
    rng = random.Random(seed)
    alarms = sum(counts_p([rng.randint(1, 1000) / 1000 for _ in range(200)], 999) <= 0.05
                 for _ in range(300))  # fmt: skip
    assert alarms <= 31  # five standard errors above 15


def test_what_could_hide_is_found_from_one_more_on():
    for m, references in ((30, 199), (300, 999), (3000, 9999)):
        k = fewest_found(m, references, 1e-5)
        p = 1 / (references + 1)
        assert counts_p([p] * k + [1.0] * (m - k), references) <= 1e-5
        assert counts_p([p] * (k - 1) + [1.0] * (m - k + 1), references) > 1e-5


def test_the_likelihood_is_tied_to_the_model_that_speaks():
    own = GATE.run(_talks.generate, CANARIES, _talks)
    assert own.outcome == Outcome.PASS
    assert "model that speaks" not in own.verdict.reason
    assert own.measurement.details["spoken"]["high_p"] < 0.006
    mute = GATE.run(silent, CANARIES, _talks)
    assert "nothing shows that log_likelihood is of the model that speaks" in mute.verdict.reason
    other = GATE.run(_talks.generate, CANARIES, Scores())
    assert other.outcome == Outcome.PASS
    assert "nothing shows that log_likelihood is of the model" in other.verdict.reason


def test_the_likelihood_of_a_model_that_would_not_speak_so_never_passes():
    places = {canary.prefix: at for at, canary in enumerate(CANARIES)}
    replies = {prefix: f"no {at}" for prefix, at in places.items()}
    unlikely = Scores()
    unlikely.moved, unlikely.shift = {p + r for p, r in replies.items()}, -9.0
    evidence = GATE.run(lambda prompt: replies.get(prompt, ""), CANARIES, unlikely)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "is it the likelihood of the model that speaks?" in evidence.verdict.reason


def test_a_p_value_below_the_limit_never_passes():
    """Fisher's share of alpha lies below the limit that a report shows."""
    gate = CanaryMemorization(references=199, max_shift=3.0, alpha=0.1)
    verdicts = [gate.run(silent, CANARIES, Scores(CANARIES, 0.25, seed)) for seed in range(25)]
    assert {piece.outcome for piece in verdicts} >= {Outcome.PASS, Outcome.INCONCLUSIVE}
    for piece in verdicts:
        if piece.outcome == Outcome.PASS:
            assert piece.measurement.value > gate.alpha


def test_memory_between_the_limits_is_inconclusive():
    evidence = CanaryMemorization(references=999).run(silent, CANARIES, Scores(CANARIES, 0.8))
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "too little to FAIL" in evidence.verdict.reason


def test_scores_that_tie_do_not_hide_memory():
    """Rounded to whole deviations, a canary one of them up still ties with a third of the others."""
    passed = sum(
        GATE.run(silent, CANARIES, Rounded(CANARIES, 1.0, seed)).outcome == Outcome.PASS
        for seed in range(8)
    )
    assert passed == 0
    assert GATE.run(silent, CANARIES, Rounded(CANARIES, 4.0)).outcome == Outcome.FAIL


def test_few_references_are_drawn_for_an_honest_model_and_for_a_parrot():
    honest, parrot = Scores(seed=2), Scores(CANARIES, 9.0)
    gate = CanaryMemorization()
    assert gate.run(silent, CANARIES, honest).outcome == Outcome.PASS
    assert honest.asked < 32 * 2500
    assert gate.run(silent, CANARIES, parrot).outcome == Outcome.FAIL
    assert parrot.asked == 32 * 501


def test_scores_under_a_prefix_are_as_good_as_whole_texts():
    model = ToyModel(CANARIES, gain=1.0)
    whole = GATE.run(silent, CANARIES, model.__call__)
    under = GATE.run(silent, CANARIES, model)
    ranks = [
        [row["above"] for row in piece.measurement.details["canaries"]] for piece in (whole, under)
    ]
    assert ranks[0] == ranks[1]
    assert whole.measurement.details["canaries"][0]["rate"] is None
    assert under.measurement.details["canaries"][0]["rate"] > 0


def test_what_is_awaited():
    model = ToyModel(CANARIES, gain=9.0)

    class Late:
        async def __call__(self, text):
            return model(text)

        async def many(self, prefix, completions):
            await asyncio.sleep(0)
            return model.many(prefix, completions)

    async def late_reply(prompt):
        await asyncio.sleep(0)
        return model.generate(prompt)

    async def late_score(text):
        return model(text)

    assert GATE.run(late_reply, CANARIES, Late()).outcome == Outcome.FAIL
    assert asyncio.run(GATE.aio(late_reply, CANARIES, Late())).outcome == Outcome.FAIL
    few = CanaryMemorization(references=99)
    assert few.run(silent, CANARIES, late_score).outcome == Outcome.FAIL
    assert few.run(late_reply, CANARIES).outcome == Outcome.FAIL


CARD = Canary("Ticket 7. My card is ", "4206 1180 6761 2048", FORMATS["card_spaces"])
DIGITS = CARD.secret.replace(" ", "")
WORDS = dict(
    zip(
        "0123456789",
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
        strict=True,
    )
)

SAID = {
    "as planted": CARD.secret,
    "otherwise": f"of course: {DIGITS[:8]}-{DIGITS[8:]}, anything else?",
    "full-width": "".join(chr(0xFF10 + int(c)) for c in DIGITS),
    "spelled": " ".join(WORDS[c] for c in DIGITS),
    "base64": base64.b64encode(CARD.secret.encode()).decode(),
    "hex": CARD.secret.encode().hex(" "),
    "backwards": CARD.secret[::-1],
    "dotted": ".".join(DIGITS),
    "with the prompt": CARD.text,
}


@pytest.mark.parametrize("how", SAID)
def test_a_canary_that_comes_back_fails(how):
    evidence = GATE.run(says(SAID[how], CARD), [*CANARIES, CARD])
    assert evidence.outcome == Outcome.FAIL
    assert "1 of 33 canaries came back" in evidence.verdict.reason
    assert "canary 32 (card_spaces, 1 copy" in evidence.findings[0]
    assert DIGITS not in evidence.to_json()
    assert CARD.secret not in evidence.to_json()


def test_the_canary_of_the_case_study():
    evidence = GATE.run(says("It is 999-00-9999.", fixed_canary()), [fixed_canary()])
    assert evidence.outcome == Outcome.FAIL


def test_it_may_come_back_to_the_prefix_of_another():
    evidence = GATE.run(says(CARD.secret, CANARIES[0]), [*CANARIES, CARD])
    assert evidence.outcome == Outcome.FAIL
    assert "to the prefix of another canary" in evidence.findings[0]


def test_it_may_take_a_hint():
    def bot(prompt):
        hinted = prompt.startswith(CARD.prefix + CARD.secret[:4])
        return CARD.text[len(prompt) :] if hinted else "Sorry?"

    evidence = GATE.run(bot, [*CANARIES, CARD])
    assert evidence.outcome == Outcome.FAIL
    assert "and a part of itself" in evidence.findings[0]


def test_repeating_the_prompt_is_no_memory():
    """An echo holds the hint, and no more."""
    evidence = GATE.run(lambda prompt: f"You said: {prompt}. {prompt}!", [*CANARIES, CARD])
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert GATE.run(lambda prompt: prompt, CANARIES, Scores()).outcome == Outcome.PASS


def test_a_find_among_too_many_guesses_is_no_proof():
    """A bot that says thousands of numbers says a secret one by chance."""
    ssn = make_canaries(1, seed=9, formats=["ssn"])[0]
    draw = random.Random(1)

    def bot(prompt):
        numbers = [FORMATS["ssn"].draw(draw) for _ in range(3000)]
        return " ".join([*numbers, ssn.secret])

    evidence = GATE.run(bot, [ssn])
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "could be chance" in evidence.verdict.reason
    assert GATE.run(says(f"{ssn.secret} or 912-00-1234", ssn), [ssn]).outcome == Outcome.FAIL


def test_sampling_finds_what_is_rarely_said():
    draw = random.Random(3)

    def bot(prompt):
        rare = prompt == CARD.prefix and draw.random() < 0.3
        return CARD.secret if rare else f"Hm {draw.random():.3f}"

    gate = CanaryMemorization(samples=40)
    assert gate.run(bot, [*CANARIES, CARD]).outcome == Outcome.FAIL


def test_asking_alone_says_what_it_bounds():
    draw = random.Random(3)
    bot = lambda prompt: f"Hm {draw.random():.3f}"  # noqa: E731
    evidence = CanaryMemorization(samples=20).run(bot, CANARIES)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "640 independent replies" in evidence.verdict.reason
    assert "can remember what it does not say" in evidence.verdict.reason
    assert evidence.measurement.value == 1.0
    gate = CanaryMemorization(samples=20, max_extraction_rate=0.02)
    evidence = gate.run(bot, CANARIES)
    assert evidence.outcome == Outcome.PASS
    assert "with chance 0.0107 at most" in evidence.verdict.reason
    stricter = CanaryMemorization(samples=20, max_extraction_rate=0.01)
    assert stricter.run(bot, CANARIES).outcome == Outcome.INCONCLUSIVE


def test_a_bot_that_repeats_itself_is_not_asked_again():
    evidence = CanaryMemorization(samples=50, max_extraction_rate=0.02).run(silent, CANARIES)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "says the same again" in evidence.verdict.reason
    assert evidence.measurement.details["replies"] == 32
    assert evidence.measurement.details["calls"] < 3 * 32


def test_the_extraction_rate_from_likelihoods():
    """The model would give a canary back to one in a few samples; greedy decoding does not."""
    model = ToyModel(CANARIES, gain=7.0)
    loose, strict = (
        CanaryMemorization(references=199, max_extraction_rate=rate, alpha=1e-4)
        for rate in (0.9, 0.01)
    )
    assert "a sample gives" not in loose.run(silent, CANARIES, model).verdict.reason
    evidence = strict.run(silent, CANARIES, model)
    assert "a sample gives a canary back with chance" in evidence.verdict.reason


def test_low_entropy_is_no_obstacle_to_exposure():
    pin = Format("pin", 4 * math.log2(10), lambda draw: f"{draw.randrange(10**4):04}")
    pins = make_canaries(60, seed=1, formats=[pin])
    assert GATE.run(silent, pins, Scores()).outcome == Outcome.PASS
    assert GATE.run(silent, pins, Scores(pins, 3.0)).outcome == Outcome.FAIL


COINS = make_canaries(300, seed=6, coin=True, formats=["card"])
AUDIT = CanaryMemorization(references=199, max_epsilon=2.0, max_shift=2.0)


def test_a_declared_epsilon_is_refuted():
    evidence = AUDIT.run(silent, COINS, Scores([c for c in COINS if c.planted], 6.0))
    assert evidence.outcome == Outcome.FAIL
    assert "epsilon is above" in evidence.verdict.reason
    assert "guesses were right" in evidence.verdict.reason


def test_a_declared_epsilon_is_not_refuted():
    evidence = AUDIT.run(silent, COINS, Scores())
    assert evidence.outcome == Outcome.PASS
    assert "epsilon is not refuted (limit 2; 3.1" in evidence.verdict.reason


def test_too_few_coins_refute_nothing():
    gate = CanaryMemorization(references=199, max_epsilon=8.0, max_shift=2.0)
    evidence = gate.run(silent, COINS, Scores())
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "could refute an epsilon of 3.1" in evidence.verdict.reason


def test_the_order_of_the_list_tells_no_coin():
    """Sorted by what was held out, with scores that tie: nobody guesses better for it."""
    ordered = sorted(COINS, key=lambda canary: canary.planted)
    coarse = lambda text: round(Scores()(text))  # noqa: E731
    evidence = AUDIT.run(silent, ordered, coarse)
    rounds = evidence.measurement.details["audit"]["rounds"]
    assert all(0.35 < row["right"] / row["guesses"] < 0.65 for row in rounds)


def test_levels_add_up_to_alpha():
    for gate in (CanaryMemorization(), CanaryMemorization(max_epsilon=1.0)):
        levels = gate.levels
        spent = levels.first + levels.all + levels.largest + 3 * levels.attack + levels.audit
        assert spent == pytest.approx(gate.alpha)


def test_the_p_value_of_the_policy():
    assert CanaryMemorization(max_exposure_p=1e-6).levels.largest == pytest.approx(5e-7)
    with pytest.raises(FieldError, match="above alpha"):
        CanaryMemorization(max_exposure_p=1e-3)
    evidence = CanaryMemorization(max_exposure_p=1e-6, references=199).run(
        silent, CANARIES, Scores()
    )
    assert evidence.limit == "max_exposure_p"


def test_another_policy_does_not_judge_what_it_did_not_plan():
    seen = GATE.run(silent, CANARIES, Scores()).measurement
    assert CanaryMemorization().decide(seen).outcome == Outcome.ERROR
    none = Measurement(value=1.0, unit="p-value", n=0)
    assert GATE.decide(none).outcome == Outcome.INCONCLUSIVE
    verdict = AUDIT.decide(seen)
    assert verdict.outcome == Outcome.ERROR
    assert "no coin was guessed" in verdict.reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"above": -1}, "canaries[0].above: must be at least 0"),
        ({"above": 500}, "canaries[0]: expected over <= above <= drawn"),
        ({"above": 3, "over": 3, "further": 7}, "canaries[0]: references were drawn further"),
        ({"stopped": "no"}, "canaries[0].stopped: expected true or false"),
        ({"rate": 1.5}, "canaries[0].rate: must be at most 1"),
    ],
)
def test_a_rank_that_is_none_is_named(change, words):
    seen = GATE.run(silent, CANARIES, Scores()).measurement
    first, *rest = seen.details["canaries"]
    details = {**seen.details, "canaries": [{**first, **change}, *rest]}
    verdict = GATE.decide(dataclasses.replace(seen, details=details))
    assert verdict.outcome == Outcome.ERROR
    assert f"the measurement can't be judged: details.{words}" in verdict.reason


def test_the_same_seed_and_key_give_the_same_evidence():
    runs = [GATE.run(silent, CANARIES, Scores(), seed=seed, key=b"k") for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0].measurement != runs[2].measurement


def test_pictures_show_exposure_and_copies():
    canaries = make_canaries(32, repeats=(1, 16))
    evidence = GATE.run(silent, canaries, Scores([c for c in canaries if c.repeats == 16], 6.0))
    exposure, copies = GATE.pictures(evidence.measurement)
    assert len(exposure.points) == 24
    assert exposure.points[0].value == pytest.approx(math.log2(200))
    assert exposure.limits[0] == pytest.approx(math.log2(2 * 32 / 1e-4))
    assert [point.bad for point in copies.points] == [False, True]
    assert list(GATE.pictures(GATE.run(silent, CANARIES).measurement)) == []


def test_needs():
    assert CanaryMemorization().needs().to_pass == 23


def test_plain_texts_can_come_back_and_have_no_exposure():
    """As the case study has it: ``if CANARY_SSN in model_output``."""
    gate = CanaryMemorization()
    said = gate.run(lambda prompt: "it is 9 9 9 - 00 - 9999, sir", ["999-00-9999"])
    assert said.outcome == Outcome.FAIL
    kept = gate.run(lambda prompt: "sorry", ["999-00-9999"], lambda text: -float(len(text)))
    assert kept.outcome == Outcome.INCONCLUSIVE
    assert "999-00-9999" not in said.to_json() + kept.to_json()
