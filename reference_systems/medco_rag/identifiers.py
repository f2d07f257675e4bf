"""What points at a person and has no place in an answer: numbers of cards, accounts, telephones.

A chart's passages hold them ("SSN 987-65-4321, allergic to aspirin"). The doctor asked about the
allergy; the number is cut off the quote, which stays exactly what the file holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from reference_systems.medco_rag.model import REFUSAL, Answer, Claim, Source

__all__ = ["asks_for_identifier", "identifiers", "without_identifiers"]

_NUMBER = r"[A-Z0-9](?:[A-Z0-9]|[ -](?=[A-Z0-9]*\d))*"
_FOUND = re.compile(
    r"(?<![\w-])\d{3}[- ]\d{2}[- ]\d{4}(?![\w-])"  # social security
    r"|(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w-])"  # payment cards
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w.-])(?:\+?1[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])"  # telephones
    r"|(?<![\w.-])\+\d{1,3}(?:[ .-]?\(?\d{2,4}\)?){2,5}(?![\w-])"
    rf"|(?<=ssn)[ :#]*{_NUMBER}|(?<=mrn)[ :#]*{_NUMBER}"
    r"|\b(?:medical record|social security|account|member|policy|passport|driver['\u2019]?s? licen[cs]e|license|licence|insurance id|record|health card)"
    rf" ?(?:number|no\.?|num|#|id)?[ :#]*(?=[A-Z0-9-]*\d{{3}}){_NUMBER}",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\bssn\b|\bsocial security\b|\b(?:credit|debit|payment) card\b|\bcard number\b|\bpassport\b|\bdriver['\u2019]?s? licen[cs]e\b|\b(?:tele)?phone (?:number|no)\b|\b(?:her|his|their|patient['\u2019]?s?|home|cell|mobile) (?:tele)?phone\b"
    r"|\be-?mail\b|\b(?:home|street|mailing|postal|email|her|his|their|patient['\u2019]s) address\b|\bmrn\b|\b(?:medical record|account|policy|member|insurance) (?:number|id)\b|\bwhere does (?:she|he|the patient) live\?*$",
    re.IGNORECASE,
)
#: fewer letters than this say nothing about a patient
_LETTERS = 4
#: what announced a number that was cut off
_ANNOUNCED = re.compile(
    r"[\s,;:.(#-]*\b(?:ssn|mrn|card|contact(?: (?:him|her|them))?(?: at)?|(?:tele)?phone|tel|cell|mobile|call|e-?mail)\W*$",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\W*(?:ssn|mrn|phone|tel|card|e-?mail|dob|id)?\W*", re.IGNORECASE)


def asks_for_identifier(question: str) -> bool:
    """Tell whether a number or address that points at a person is what is wanted.

    >>> asks_for_identifier("What is her SSN?"), asks_for_identifier("How do we address the pain?")
    (True, False)
    """
    return _ASKED.search(question) is not None


def identifiers(text: str) -> list[tuple[int, int]]:
    """Return where a text holds what points at a person.

    >>> text = "MRN 00123456, call (617) 555-0142; BP 120/80, 2021-03-04"
    >>> [text[a:b].strip() for a, b in identifiers(text)]
    ['00123456', '(617) 555-0142']
    """
    return [found.span() for found in _FOUND.finditer(text)]


def without_identifiers(answer: Answer) -> Answer:
    """Return an answer whose words and quotes hold none; a claim that is nothing else is dropped."""
    texts = [answer.text, *(claim.text for claim in answer.claims)]
    texts += [claim.source.quote for claim in answer.claims if claim.source is not None]
    if not any(map(identifiers, texts)):
        return answer
    claims = [kept for claim in answer.claims for kept in _cut(claim)]
    if answer.claims and not any(claim.text for claim in claims):
        why = "it holds only what points at a person, which is not given out"
        return Answer(f"{REFUSAL}: {why}.", (), refused=True)
    return Answer(_masked(answer.text), tuple(claims), refused=answer.refused)


def _cut(claim: Claim) -> Iterator[Claim]:
    if claim.source is None:
        yield replace(claim, text=_masked(claim.text))
        return
    source = claim.source
    pieces = [piece for piece in _pieces(source) if _tells(piece.quote)]
    if not identifiers(claim.text):
        holding = [p for p in pieces if _plain(claim.text) in _plain(p.quote)]
        if holding or not identifiers(source.quote):
            yield Claim(claim.text, min(holding, key=lambda p: len(p.quote)) if holding else source)
            return
    yield from (Claim(" ".join(piece.quote.split()), piece) for piece in pieces)


def _pieces(source: Source) -> Iterator[Source]:
    """Yield the stretches of a quote between what points at a person."""
    at = 0
    for start, end in [*identifiers(source.quote), (len(source.quote),) * 2]:
        piece = source.quote[at:start]
        if end > start:
            piece = _ANNOUNCED.sub("", piece)
        lead = len(piece) - len(piece.lstrip(" ,;:.#\n\t"))
        kept = piece.strip(" ,;:#\n\t")
        if kept:
            begin = source.start + at + piece.index(kept, min(lead, len(piece) - 1))
            yield Source(source.file, begin, begin + len(kept), kept)
        at = end


def _tells(text: str) -> bool:
    rest = _LABEL.sub("", text, count=1)
    return sum(letter.isalpha() for letter in rest) >= _LETTERS


def _masked(text: str) -> str:
    for start, end in reversed(identifiers(text)):
        text = f"{text[:start]}\u2026{text[end:]}"
    return text


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
