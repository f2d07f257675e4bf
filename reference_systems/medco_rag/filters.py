"""The filter of a search: a closed type, rendered by one escaper for each engine.

LanceDB filters are SQL text, so an id such as ``p003' OR '1'='1`` would reach another patient's
chart if it were pasted in. Nothing but this module writes a filter, and nothing but a ``Filter``
is rendered. What an engine gives back is filtered once more (``admits``), whatever it promised.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from reference_systems.medco_rag.model import DocumentType

__all__ = ["BadFilter", "Filter", "for_lance", "for_opensearch", "quoted"]

#: the longest identifier taken; FHIR allows 64 characters
_LONGEST = 512


class BadFilter(ValueError):
    """A filter that can't be meant: it names the field and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One patient, and what else passages must be; dates are ISO and both inclusive.

    >>> Filter(patient="p003", document_type=DocumentType.ALLERGY_LIST).patient
    'p003'
    >>> Filter(patient="p003", since="spring")
    Traceback (most recent call last):
    ...
    reference_systems.medco_rag.filters.BadFilter: since: 'spring' is not a date such as 2024-05-31
    """

    patient: str
    document_type: DocumentType | None = None
    doctor_specialty: str | None = None
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is not a filter.

        :raises BadFilter: for a field of another type, a date that does not exist, no patient.
        """
        if not isinstance(self.patient, str) or not self.patient:
            raise BadFilter("patient: must be the id of a FHIR Patient, as text")
        if len(self.patient) > _LONGEST or len(self.doctor_specialty or "") > _LONGEST:
            raise BadFilter(f"patient, doctor_specialty: at most {_LONGEST} characters")
        if self.document_type is not None and not isinstance(self.document_type, DocumentType):
            raise BadFilter("document_type: must be a DocumentType")
        for name in ("since", "until"):
            _check_date(name, getattr(self, name))
        if self.since and self.until and self.since > self.until:
            raise BadFilter(f"since: {self.since} is after until, {self.until}")

    @classmethod
    def of(cls, line: Mapping[str, object]) -> Filter:
        """Return the filter that a line of input asks for.

        >>> Filter.of({"patient": "a", "document_type": "allergylist"}).document_type.value
        'AllergyList'

        :raises BadFilter: naming the field, its value and what is allowed.
        """
        patient = line.get("patient")
        if not isinstance(patient, str) or not patient.strip():
            raise BadFilter("patient: must be the id of a FHIR Patient, as text")
        return cls(
            patient=patient.strip(),
            document_type=_type_named(line.get("document_type")),
            doctor_specialty=_text("doctor_specialty", line.get("doctor_specialty")),
            since=_text("since", line.get("since")),
            until=_text("until", line.get("until")),
        )

    def admits(self, patient: str, document_type: str, specialty: str, encounter_date: str) -> bool:
        """Tell whether a passage with these tags is within the filter; no date is not within dates.

        >>> Filter(patient="a", since="2024-01-01").admits("a", "ProgressNote", "", "")
        False
        """
        wanted = self.doctor_specialty
        return (
            patient == self.patient
            and (self.document_type is None or document_type == self.document_type)
            and (wanted is None or specialty.casefold() == wanted.casefold())
            and (not self.since or (bool(encounter_date) and encounter_date >= self.since))
            and (not self.until or (bool(encounter_date) and encounter_date <= self.until))
        )


def quoted(text: str) -> str:
    """Return a text as a literal of SQL (LanceDB reads filters with DataFusion).

    >>> quoted("p003' OR '1'='1")
    "'p003'' OR ''1''=''1'"
    """
    return "'" + text.replace("'", "''") + "'"


def for_lance(wanted: Filter) -> str:
    """Return the filter as LanceDB's SQL; every value goes through one escaper.

    >>> for_lance(Filter(patient="p'3", since="2024-01-01"))
    "patient = 'p''3' AND encounter_date >= '2024-01-01'"
    """
    parts = [f"patient = {quoted(wanted.patient)}"]
    if wanted.document_type is not None:
        parts.append(f"document_type = {quoted(wanted.document_type.value)}")
    if wanted.doctor_specialty is not None:
        parts.append(f"specialty_key = {quoted(wanted.doctor_specialty.casefold())}")
    if wanted.since:
        parts.append(f"encounter_date >= {quoted(wanted.since)}")
    if wanted.until:
        parts.append(f"encounter_date <= {quoted(wanted.until)}")
        parts.append("encounter_date > ''")
    return " AND ".join(parts)


def for_opensearch(wanted: Filter) -> dict[str, object]:
    """Return the filter as a query of OpenSearch; values are JSON, never query text.

    >>> for_opensearch(Filter(patient="p003"))
    {'bool': {'filter': [{'term': {'patient': 'p003'}}]}}
    """
    parts: list[dict[str, object]] = [{"term": {"patient": wanted.patient}}]
    if wanted.document_type is not None:
        parts.append({"term": {"document_type": wanted.document_type.value}})
    if wanted.doctor_specialty is not None:
        parts.append({"term": {"specialty_key": wanted.doctor_specialty.casefold()}})
    if wanted.since or wanted.until:
        bounds = {"gte": wanted.since, "lte": wanted.until}
        parts.append({"range": {"encounter_date": {k: v for k, v in bounds.items() if v}}})
    return {"bool": {"filter": parts}}


def _check_date(name: str, value: str | None) -> None:
    if value is None:
        return
    try:
        whole = len(value) == 10 and datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise BadFilter(f"{name}: {value!r} is not a date such as 2024-05-31")


def _text(name: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadFilter(f"{name}: {value!r} is not text")
    return value.strip() or None


def _type_named(value: object) -> DocumentType | None:
    text = _text("document_type", value)
    if text is None:
        return None
    for each in DocumentType:
        if each.value.casefold() == text.casefold():
            return each
    known = ", ".join(DocumentType)
    raise BadFilter(f"document_type: {text[:60]!r} is not one of {known}")
