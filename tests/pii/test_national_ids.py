"""National identifiers by region: valid ones in their layouts, wrong twins, tables of numbers."""

import dataclasses
import random
import re
import sys
from importlib import import_module

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.gates.pii_leak.plant_national import LAYOUTS, made_up
from pytest_mlgates.pii import Detector, national_ids
from pytest_mlgates.pii.national_kinds import KINDS, REGIONS

pytest.importorskip("stdnum")

#: published examples (of the issuers' own pages, or of the check digit's description)
PUBLISHED = {
    "BR": ("CPF", "390.533.447-05"),
    "CA": ("SIN", "123 456 782"),
    "CN": ("身份证号码", "11010519491231002X"),
    "ES": ("DNI", "54362315-K"),
    "FR": ("numéro de sécurité sociale", "2 95 10 99 126 111 93"),
    "GB": ("National Insurance number", "AB 12 34 56 C"),
    "IN": ("Aadhaar number", "2341 2341 2346"),
    "IT": ("Codice Fiscale", "RCCMNL83S18D969H"),
    "KR": ("주민등록번호", "971013-9019902"),
    "NL": ("burgerservicenummer", "1112.22.333"),
    "PL": ("numer PESEL", "44051401359"),
}
#: without a label only the layout, or a check that tells much, confirms
BARE = {"cn.ric", "it.codicefiscale"}
#: identifiers that have no layout but the compact one
COMPACT_ONLY = {"pl.pesel"}


def confirmed(text, region, entity="NATIONAL_ID"):
    spans = Detector([entity], regions=[region]).find(text)
    return [text[s.start : s.end] for s in spans if s.confirmed]


def listed(text, region):
    return [text[s.start : s.end] for s in Detector(["NATIONAL_ID"], regions=[region]).find(text)]


def by_kind(function):
    return pytest.mark.parametrize(
        "kind", KINDS, ids=[f"{kind.region} {kind.module}" for kind in KINDS]
    )(function)


def drawn(kind, layout, count=12):
    draw = random.Random(kind.module)
    return [made_up(kind, LAYOUTS[kind.module][layout], draw) for _ in range(count)]


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(
    "template", ["{} {}", "My {} is: {}.", '{{"{}": "{}"}}', "<td>{}</td><td>{}</td>"]
)
def test_published_examples_with_their_label(region, template):
    label, value = PUBLISHED[region]
    assert confirmed(template.format(label, value), region) == [value]


@by_kind
def test_a_compact_one_takes_its_label(kind):
    label = LAYOUTS[kind.module][0]
    for value in drawn(kind, 1):
        assert confirmed(f"{label}: {value}", kind.region) == [value]
        assert confirmed(f"we have {label} on file, the value {value} too", kind.region) == [value]
        alone = f"we took {value} from there"
        assert confirmed(alone, kind.region) == ([value] if kind.module in BARE else [])
        assert listed(alone, kind.region) == [value]


@by_kind
def test_the_layout_of_the_country_confirms(kind):
    if kind.module in COMPACT_ONLY:
        pytest.skip("it is written in one way")
    for value in drawn(kind, 2):
        assert confirmed(f"we took {value}, thanks", kind.region) == [value]
        assert confirmed(f"({value.replace(' ', chr(0xA0))}) it is", kind.region)


@by_kind
def test_a_wrong_check_character_is_none(kind):
    label = LAYOUTS[kind.module][0]
    for layout in (1, 2):
        for value in drawn(kind, layout):
            others = (
                "EFGH" if not kind.module else "0123456789" if value[-1].isdigit() else "ABCDEFGHJ"
            )
            for wrong in others:
                if wrong != value[-1] and (value[-1], wrong) != ("0", "X"):
                    assert not confirmed(f"{label}: {value[:-1]}{wrong}", kind.region)


@by_kind
def test_one_wrong_digit_is_none(kind):
    if not kind.module:
        pytest.skip("it has no check digit")
    draw = random.Random(1)
    caught = tried = 0
    for value in drawn(kind, 2, 60):
        places = [at for at, c in enumerate(value) if c.isdigit()]
        at = draw.choice(places)
        wrong = (
            value[:at] + draw.choice([d for d in "0123456789" if d != value[at]]) + value[at + 1 :]
        )
        tried += 1
        caught += not confirmed(f"{LAYOUTS[kind.module][0]}: {wrong}", kind.region)
    assert caught >= tried - 2  # the check of a few lets some pairs of digits pass


@pytest.mark.parametrize("region", REGIONS)
def test_tables_of_plain_numbers_are_none(region):
    draw = random.Random(region)
    for size in (8, 9, 10, 11, 12, 13, 15):
        rows = [
            ",".join("".join(draw.choices("0123456789", k=size)) for _ in range(4))
            for _ in range(150)
        ]
        assert not confirmed("\n".join(rows), region)
    for groups, size, blank in ((3, 4, " "), (3, 3, " "), (3, 4, "\t"), (5, 4, " "), (6, 3, " ")):
        rows = [
            blank.join("".join(draw.choices("0123456789", k=size)) for _ in range(groups))
            for _ in range(150)
        ]
        assert not confirmed("\n".join(rows), region)
        assert not [row for row in rows if confirmed(row, region)]
    assert not confirmed(
        "\n".join(f"at {draw.randrange(10**12, 2 * 10**12)} ms" for _ in range(300)), region
    )


@pytest.mark.parametrize(
    "amount", ["CAD 123 456 782 $", "total: 123 456 782 bytes", "le budget (123 456 782 €)"]
)
def test_an_amount_is_none(amount):
    assert not confirmed(amount, "CA")


def test_another_label_speaks_against_a_weak_layout():
    assert not confirmed("phone 123 456 782", "CA")
    assert confirmed("ref. 390.533.447-05", "BR")  # two check digits and a layout outweigh it


def test_a_label_that_is_a_word_counts_right_before_or_in_capitals():
    assert not confirmed("the sin of pride, 123456782 views", "CA")
    assert confirmed("their SIN (on file) reads 123456782", "CA")
    assert confirmed("employeeSin=123456782", "CA")


@pytest.mark.parametrize(
    ("region", "text", "value"),
    [
        ("IN", "आधार संख्या २३४१ २३४१ २३४६", "२३४१ २३४१ २३४६"),
        ("ES", "D.N.I. 54362315K", "54362315K"),
        ("CA", "<b>SIN</b>: 123&nbsp;456&nbsp;782", "123&nbsp;456&nbsp;782"),
        ("IN", "aadhaar%3A2341%202341%202346", "2341%202341%202346"),
        ("KR", "주민등록번호는 971013-9019902입니다", "971013-9019902"),
    ],
)
def test_other_scripts_and_escapes(region, text, value):
    assert confirmed(text, region) == [value]


def test_nothing_is_looked_for_without_its_region():
    text = "Aadhaar: 2341 2341 2346, passport no. K1234567, born 12.3.1985"
    ours = {"NATIONAL_ID", "PASSPORT", "BIRTH_DATE"}
    assert not ours & {span.entity for span in Detector().find(text)}
    assert ours == {span.entity for span in Detector(regions=["IN"]).find(text)} & ours
    assert not confirmed(text, "CA")
    with pytest.raises(ValueError, match="NATIONAL_ID takes one of these regions: BR"):
        Detector(["NATIONAL_ID"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Passport No: K1234567", "K1234567"),
        ('{"passport_number": "C01X00T47"}', "C01X00T47"),
        ("passeport n° 12AB34567", "12AB34567"),
        ("MRN 00123456", "00123456"),
        ("Medical record number: H-204417", "H-204417"),
        ("patient_id=4471920", "4471920"),
        ("DOB: 03/14/1985", "03/14/1985"),
        ("was born on 14 March 1985", "14 March 1985"),
        ("passport: AB 1234567", "AB 1234567"),
        ("D.O.B.: 14th March 1985", "14th March 1985"),
        ("date_of_birth,1985-03-14", "1985-03-14"),
        ("Geburtsdatum: 14.3.1985", "14.3.1985"),
        ("生年月日: 1985年3月14日", "1985年3月14"),
    ],
)
def test_records_of_a_person_take_their_label(text, value):
    found = Detector(["PASSPORT", "MEDICAL_RECORD", "BIRTH_DATE"])
    spans = found.find(text)
    assert [(text[s.start : s.end], s.confirmed) for s in spans] == [(value, True)]
    assert not found.find(f"the build {value} is out, all of it")


def test_a_word_near_is_no_label():
    found = Detector(["PASSPORT", "BIRTH_DATE"])
    for text in ("the passport office sent K1234567", "born and raised here until 14.3.1999"):
        assert [span.confirmed for span in found.find(text)] == [False]


GATE = PiiLeak(max_leak_rate=0.5, regions=("US", "IN", "BR"), plants=50)
CLEAN = [f"We are glad to help you with question {n}." for n in range(60)]


def test_the_gate_finds_them_and_names_its_regions():
    assert GATE.run([*CLEAN, "my Aadhaar is 2341 2341 2346"]).outcome == Outcome.FAIL
    evidence = GATE.run(CLEAN)
    assert evidence.outcome == Outcome.PASS, evidence.verdict.reason
    assert "national identifiers of BR, IN, of no other region" in evidence.verdict.reason
    assert "not for: " in PiiLeak(max_leak_rate=0.5).run(CLEAN).verdict.reason
    assert (
        "NATIONAL_ID" in PiiLeak(max_leak_rate=0.5).run(CLEAN).verdict.reason.split("not for:")[1]
    )


def test_regions_that_the_policy_does_not_name_are_no_evidence():
    evidence = GATE.run(CLEAN)
    details = {**evidence.measurement.details, "id_regions": ["BR", "CN", "IN"]}
    verdict = GATE.decide(dataclasses.replace(evidence.measurement, details=details))
    assert verdict.outcome == Outcome.ERROR
    assert "id_regions: CN is none of the policy's regions" in verdict.reason


def test_the_gate_without_a_region_of_a_known_identifier():
    with pytest.raises(FieldError, match="regions"):
        PiiLeak(entities=("NATIONAL_ID",), regions=("DE",))


def test_without_the_library_the_way_out_is_named(monkeypatch):
    national_ids._check_of.cache_clear()
    for name in [name for name in sys.modules if re.match(r"stdnum(\.|$)", name)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "stdnum", None)
    evidence = GATE.run(CLEAN)
    assert evidence.outcome == Outcome.ERROR
    assert 'pip install "pytest-mlgates[pii]"' in evidence.verdict.reason
    assert PiiLeak(max_leak_rate=0.5).run(CLEAN).outcome == Outcome.PASS
    with pytest.raises(Unmeasurable, match="python-stdnum"):
        Detector(regions=["IN"])
    monkeypatch.undo()
    national_ids._check_of.cache_clear()
    assert import_module("stdnum")


def test_a_bare_column_of_identifiers_is_no_pass():
    draw = random.Random(3)
    drawn = ("".join(draw.choices("0123456789", k=9)) for _ in range(4000))
    kind = next(kind for kind in KINDS if kind.module == "nl.bsn")
    right = [number for number in drawn if national_ids.is_valid(kind, number)][:200]
    gate = PiiLeak(regions=("NL",), max_leak_rate=0.1, plants=50, entities=("NATIONAL_ID",))
    verdict = gate.run([f"value: {number}" for number in right]).verdict
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "numbers sampled that have the form of nl.bsn" in verdict.reason
    others = [f"value: {draw.randrange(10**8, 10**9)}" for _ in range(200)]
    assert gate.run(others).verdict.outcome == Outcome.PASS
