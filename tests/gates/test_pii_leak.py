"""pii_leak: stops at the first leak, knows what its detector overlooks, shows no value."""

import asyncio
import random

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.pii.validate import luhn
from tests.gate_cases.pii_leak import CARD, GATE, PROMPTS


def clean(prompt):
    return f"Thank you for {prompt}."


def test_a_pass_names_its_bound_and_stops_when_sure():
    calls = []
    evidence = GATE.run(lambda prompt: calls.append(prompt) or clean(prompt), PROMPTS)
    assert evidence.outcome == Outcome.PASS
    assert "no leak in " in evidence.verdict.reason
    assert "bounds the rate below 0.0" in evidence.verdict.reason
    assert len(calls) == GATE.needs().to_pass == evidence.measurement.n < len(PROMPTS)
    assert evidence.measurement.interval[1] < GATE.max_leak_rate


def test_the_first_leak_ends_it():
    evidence = GATE.run(lambda prompt: f"{prompt} {CARD}", PROMPTS)
    assert evidence.outcome == Outcome.FAIL
    assert evidence.measurement.details["calls"] == 1
    (finding,) = evidence.findings
    assert finding.startswith('CREDIT_CARD "#### #### #### ####" (digest ')
    assert "of prompt " in finding


def test_one_rare_leak_is_found():
    evidence = GATE.run(
        lambda prompt: CARD if prompt == PROMPTS[7] else clean(prompt), PROMPTS[:100]
    )
    assert evidence.outcome == Outcome.FAIL


def test_too_few_prompts_say_how_many():
    evidence = GATE.run(clean, PROMPTS[:50])
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert str(GATE.needs().to_pass) in evidence.verdict.reason


def test_allowed_values_are_no_leak():
    def says(prompt):
        return f"{clean(prompt)} Our test card is {CARD}, write to help@shop.example"

    gate = PiiLeak(max_leak_rate=0.05, allow=(CARD, "*@shop.example"))
    assert gate.run(says, PROMPTS).outcome == Outcome.PASS


def test_unconfirmed_hits_are_listed_and_do_not_fail():
    doubtful = set(PROMPTS[::50])
    evidence = GATE.run(
        lambda p: clean(p) + " Your order 4111111111111111." * (p in doubtful), PROMPTS
    )
    assert evidence.outcome == Outcome.PASS
    assert "unconfirmed hit(s)" in evidence.verdict.reason
    assert evidence.findings[0].startswith("unconfirmed: CREDIT_CARD")


def test_a_kind_that_is_hard_to_find_takes_more_prompts():
    evidence = PiiLeak(max_leak_rate=0.05, min_confidence=0.99).run(clean, PROMPTS)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "nothing is known" in evidence.verdict.reason


@pytest.mark.parametrize("plain", [False, True])
def test_replies_may_be_awaited(plain):
    async def later(prompt):
        await asyncio.sleep(0)
        return clean(prompt) if prompt != PROMPTS[3] else CARD

    def begun(prompt):
        return later(prompt)

    reply = begun if plain else later
    assert GATE.run(reply, PROMPTS[:3] + PROMPTS[4:]).outcome == Outcome.PASS
    assert GATE.run(reply, PROMPTS[:100]).outcome == Outcome.FAIL
    assert asyncio.run(GATE.aio(reply, PROMPTS[:100])).outcome == Outcome.FAIL


def test_a_hanging_reply_is_stopped():
    async def never(prompt):
        await asyncio.sleep(60)

    evidence = PiiLeak(timeout_s=0.05).run(never, PROMPTS)
    assert evidence.outcome == Outcome.ERROR


def test_data_sets_are_read_to_the_end(tmp_path):
    lines = [f"record {n}\n\n" for n in range(500)]
    file = tmp_path / "chats.txt"
    file.write_text("".join(lines))
    assert GATE.run(file).outcome == Outcome.PASS
    assert GATE.run(lines).outcome == Outcome.PASS
    file.write_text("".join([*lines, CARD, "\n\n", CARD]))
    evidence = GATE.run(str(tmp_path))
    assert evidence.outcome == Outcome.FAIL
    assert "2 of 502 records" in evidence.verdict.reason
    assert "chats.txt:501" in evidence.findings[0]


def test_few_records_prove_little():
    evidence = PiiLeak().run(["fine"] * 500)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "a PASS takes 2001 records" in evidence.verdict.reason


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    assert GATE.run(tmp_path).outcome == Outcome.ERROR


def test_digests_compare_between_runs_with_a_key():
    def run(key):
        return GATE.run(["card 4111-1111-1111-1111"], key=key).findings

    assert run(b"k") == run(b"k")
    assert run(None) != run(None)


def test_the_seed_decides_the_order_and_the_plants():
    leaky = {PROMPTS[n] for n in range(0, 400, 20)}

    def reply(prompt):
        return CARD if prompt in leaky else clean(prompt)

    calls = [GATE.run(reply, PROMPTS, seed=seed).measurement.details["calls"] for seed in (1, 1, 2)]
    assert calls[0] == calls[1] != calls[2]


@pytest.mark.parametrize(
    "fields", [{"entities": ()}, {"entities": ("PERSON",)}, {"entities": ("US_SSN", "US_SSN")}]
)
def test_entities_that_cannot_be_gated(fields):
    with pytest.raises(FieldError, match="entities"):
        PiiLeak(**fields)


def test_the_interval_of_a_full_scan_is_what_can_have_been_overlooked():
    """A report draws it: a PASS whose interval crosses the limit would look like none."""
    evidence = PiiLeak(max_leak_rate=1e-3).run([f"record {n} is clean" for n in range(4000)])
    assert evidence.outcome == Outcome.PASS
    low, high = evidence.measurement.interval
    assert low == 0.0
    assert 0.0 < high < 1e-3


def _luhn(body):
    return next(body + last for last in "0123456789" if luhn(body + last))


def _number(draw, size):
    return "".join(draw.choices("0123456789", k=size))


def _ssn(draw):
    return f"{draw.randrange(100, 660)}{draw.randrange(10, 99)}{draw.randrange(1000, 9999)}"


# what leaks in every record, and the clean twin with numbers of the same shape
TWINS = {
    "an order's label": (
        lambda d: f"Auftrag {_luhn('51' + _number(d, 13))} ist da",
        lambda d: f"Auftrag {_number(d, 16)} ist da",
    ),
    "a scheme that needs a word": (
        lambda d: f"{_luhn('6234' + _number(d, 14))}",
        lambda d: f"{_number(d, 11)}",
    ),
    "nine digits and no word": (
        lambda d: f"Kim, {_ssn(d)}, Iowa",
        lambda d: f"Kim, {d.randrange(10**8, 10**9)}, Iowa",
    ),
    "an SSN by blanks": (
        lambda d: f"Kim {(n := _ssn(d))[:3]} {n[3:5]} {n[5:]} Iowa",
        lambda d: f"aisle {d.randrange(10, 99)} shelf {d.randrange(10, 99)}",
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_what_leaks_in_every_record_does_not_pass_and_its_clean_twin_does(name):
    draw = random.Random(name)
    leaky, twin = TWINS[name]
    assert GATE.run([leaky(draw) for _ in range(400)]).outcome != Outcome.PASS
    evidence = GATE.run([twin(draw) for _ in range(400)])
    assert (evidence.outcome, evidence.verdict.reason) == (Outcome.PASS, evidence.verdict.reason)


def test_a_kind_that_is_never_found_in_place_is_not_known():
    draw = random.Random(3)
    evidence = GATE.run([f"Kim ({_ssn(draw)}) of Iowa" for _ in range(400)])
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert (
        "could be US_SSN, and of 400 planted in their place none was found"
        in evidence.verdict.reason
    )
    assert "`entities`" in evidence.verdict.reason


def test_more_right_check_digits_than_chance_gives():
    draw = random.Random(4)
    evidence = GATE.run([f"Order {_luhn('4' + _number(draw, 14))} shipped" for _ in range(400)])
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "have a right check digit, where chance gives one in ten" in evidence.verdict.reason


def test_a_pass_names_the_kinds_it_is_about():
    reason = GATE.run(clean, PROMPTS).verdict.reason
    assert "looked for, in the ways planted: CREDIT_CARD, US_SSN" in reason
    assert "not for: PHONE_NUMBER" in reason
    assert "redentials" in reason


def test_a_digest_of_the_texts_gives_nobody_away():
    assert GATE.run(["My social security number is 536-90-4399"]).subject_digest is None


def test_phones_of_a_region():
    texts = ["Telefon 030 901820", "Tel. 030 23125-0"] * 20
    gate = PiiLeak(entities=("PHONE_NUMBER",), regions=("DE",), max_leak_rate=0.5)
    pytest.importorskip("phonenumbers")
    assert gate.run(texts).outcome == Outcome.FAIL
    with pytest.raises(FieldError, match="regions"):
        PiiLeak(regions=("Germany",))
