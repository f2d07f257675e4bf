"""Words of questions and charts brought to one form, and where a phrase stands in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

__all__ = ["Token", "bare", "find", "stem", "terms", "tokens", "variants"]

_WORD = re.compile(r"\d+(?:[.,]\d+)*%?|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+", re.UNICODE)
#: what terminologies add to a name to say what kind of thing it is
_QUALIFIER = re.compile(
    r"\s*\((?:disorder|finding|situation|procedure|regime/therapy|substance|organism|qualifier value"
    r"|record artifact|environment|morphologic abnormality|person|product|medicinal product|event"
    r"|observable entity|body structure|physical object|occupation)\)?",
    re.IGNORECASE,
)
#: irregular or medical words to one word; keys are stems
_SAME = {
    "asa": "aspirin", "acetylsalicylic": "aspirin", "paracetamol": "acetaminophen", "apap": "acetaminophen",
    "hctz": "hydrochlorothiazide", "meperidine": "pethidine", "alendronic": "alendronate",
    "htn": "hypertension", "hypertensive": "hypertension", "dm": "diabete", "diabetic": "diabete", "diabetes": "diabete",
    "asthmatic": "asthma", "allergic": "allergy", "allergie": "allergy", "smoker": "smoke", "smoking": "smoke",
    "smoked": "smoke", "cigarette": "tobacco", "pcn": "penicillin", "tumour": "tumor",
    "anaemia": "anemia", "oedema": "edema", "haemorrhage": "hemorrhage", "surgery": "surgery",
    "surgical": "surgery", "cancerous": "cancer", "vaccination": "vaccine", "vaccinated": "vaccine",
    "immunization": "vaccine", "immunized": "vaccine", "flu": "influenza", "drinking": "drink",
    "alcoholic": "alcohol", "epileptic": "epilepsy", "depressed": "depression", "anxious": "anxiety",
    "ii": "2", "covid": "covid", "milligram": "mg", "microgram": "mcg", "ug": "mcg", "gram": "g",
    "seizure": "seizure", "fractured": "fracture", "obese": "obesity", "pregnant": "pregnancy",
}  # fmt: skip
#: phrases of lay language and abbreviations, to the words of charts
_PHRASES = (
    (r"\bhigh blood pressure\b", "hypertension"),
    (r"\bhigh cholesterol\b", "hypercholesterolemia"),
    (r"\bhypercholesterolaemia\b", "hypercholesterolemia"),
    (r"\bhyper-?lipid(?:a)?emia\b", "hyperlipidemia"),
    (r"\bheart attack\b", "myocardial infarction"),
    (r"\bmi\b", "myocardial infarction"),
    (r"\bchf\b", "congestive heart failure"),
    (r"\bcopd\b", "chronic obstructive pulmonary disease"),
    (r"\bgerd\b", "gastroesophageal reflux disease"),
    (r"\bckd\b", "chronic kidney disease"),
    (r"\bcad\b", "coronary artery disease"),
    (r"\bafib\b|\ba-fib\b", "atrial fibrillation"),
    (r"\buti\b", "urinary tract infection"),
    (r"\bt2dm\b|\bdm2\b", "diabetes type 2"),
    (r"\bt1dm\b|\bdm1\b", "diabetes type 1"),
    (r"\bsob\b|\bbreathlessness\b", "shortness of breath"),
    (r"\bcva\b", "stroke"),
    (r"\bdrug poisoning\b", "overdose"),
    (r"\btb\b", "tuberculosis"),
)
_COMPILED = tuple((re.compile(old, re.IGNORECASE), new) for old, new in _PHRASES)

#: one meaning, several ways to write it; stems
_WAYS = tuple(
    tuple(tuple(part.split()) for part in line.split(" = "))
    for line in (
        "hypertension = high blood pressure",
        "myocardial infarction = heart attack = mi",
        "congestive heart failure = chf",
        "heart failure = chf",
        "chronic obstructive pulmonary disease = copd = chronic obstructive lung disease",
        "gastroesophageal reflux disease = gerd = gastroesophageal reflux = acid reflux",
        "chronic kidney disease = ckd = chronic renal insufficiency",
        "coronary artery disease = cad",
        "atrial fibrillation = afib = a-fib",
        "urinary tract infection = uti",
        "diabete type 2 = t2dm = dm2 = type 2 dm",
        "diabete type 1 = t1dm = dm1",
        "shortness of breath = sob = dyspnea = breathlessness",
        "stroke = cva = cerebrovascular accident",
        "tuberculosi = tb",
        "hypercholesterolemia = high cholesterol = elevated cholesterol",
        "hyperlipidemia = high lipid = dyslipidemia",
        "hypothyroidism = underactive thyroid",
        "hyperthyroidism = overactive thyroid",
        "smoke = tobacco",
        "alcohol = drink = etoh",
        "vomiting = vomit = emesi = throwing up",
        "fever = febrile = pyrexia",
        "edema = swelling",
        "fracture = broken",
        "kidney = renal",
        "heart = cardiac",
        "dizziness = dizzy",
        "headache = cephalgia",
        "cancer = carcinoma = malignancy",
        "itching = pruritu",
        "hive = urticaria",
        "nosebleed = epistaxi",
        "appendectomy = appendix removed",
        "cholecystectomy = gallbladder removed = gall bladder removed",
        "tonsillectomy = tonsil removed",
    )
)

Token = tuple[str, int, int]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return one form of a word: case, plural, accents and a few medical words aside.

    >>> [stem(word) for word in ("Allergies", "allergic", "Diabetes", "2.0", "biopsies", "Ibuprofen")]
    ['allergy', 'allergy', 'diabete', '2', 'biopsy', 'ibuprofen']
    """
    plain = unicodedata.normalize("NFKD", word.casefold()).replace("\u2019", "'")
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = plain.removesuffix("'s")
    if plain[:1].isdigit():
        number = plain.rstrip("%").replace(",", "")
        if "." in number:
            number = number.rstrip("0").rstrip(".")
        return number + ("%" if plain.endswith("%") else "")
    if plain in _SAME:
        return _SAME[plain]
    if len(plain) > 4 and plain.endswith("ies"):
        plain = plain[:-3] + "y"
    elif len(plain) > 4 and plain.endswith(("sses", "shes", "ches", "xes")):
        plain = plain[:-2]
    elif len(plain) > 3 and plain.endswith("s") and not plain.endswith(("ss", "us", "is")):
        plain = plain[:-1]
    return _SAME.get(plain, plain)


def bare(name: str) -> str:
    """Return a name without the qualifier that a terminology adds.

    >>> bare("Latex (substance)"), bare("throat culture (procedure)"), bare("Abnormal findings (finding")
    ('Latex', 'throat culture', 'Abnormal findings')
    """
    return " ".join(_QUALIFIER.sub("", name).split())


def tokens(text: str) -> list[Token]:
    """Return the stem, start and end of every word."""
    return [(stem(found.group()), found.start(), found.end()) for found in _WORD.finditer(text)]


@lru_cache(maxsize=32_768)
def terms(text: str) -> tuple[str, ...]:
    """Return the stems of a phrase, lay words put as charts put them.

    >>> terms("High blood pressure (disorder)")
    ('hypertension',)
    """
    plain = bare(text)
    for old, new in _COMPILED:
        plain = old.sub(new, plain)
    return tuple(stem(found.group()) for found in _WORD.finditer(plain))


@lru_cache(maxsize=8_192)
def variants(words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the other ways to write what some stems mean, themselves first.

    >>> variants(("hypertension",))
    (('hypertension',), ('high', 'blood', 'pressure'))
    """
    found = [words]
    for ways in _WAYS:
        stems = [tuple(stem(word) for word in way) for way in ways]
        for way in stems:
            if set(way) <= set(words):
                rest = tuple(word for word in words if word not in way)
                found += [other + rest for other in stems if other != way]
    return tuple(dict.fromkeys(found))


def find(words: Sequence[str], inside: Sequence[Token]) -> tuple[int, int] | None:
    """Return first and last token of the first place where all words stand close together.

    Close: at most half as many other words between them, and two at least where there is more
    than one word; order does not matter.

    >>> text = tokens("diabetes mellitus type 2 without complication")
    >>> find(terms("type 2 diabetes"), text), find(terms("type 2 stroke"), text)
    ((0, 3), None)
    """
    wanted = set(words)
    if not wanted:
        return None
    room = len(wanted) + (max(2, len(wanted) // 2) if len(wanted) > 1 else 0)
    last: dict[str, int] = {}
    for number, (word, _, _) in enumerate(inside):
        if word in wanted:
            last[word] = number
            if len(last) == len(wanted) and number - (first := min(last.values())) < room:
                return first, number
    return None
