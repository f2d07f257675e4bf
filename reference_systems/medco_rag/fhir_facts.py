"""One rule for each kind of FHIR resource that is read: what it states, and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reference_systems.medco_rag.dates import first_date
from reference_systems.medco_rag.drugs import drug_details
from reference_systems.medco_rag.jsonspans import Node, within
from reference_systems.medco_rag.model import Fact, Kind, Polarity, Span, State

__all__ = ["READERS", "VERSION", "Reading", "concept", "resolved"]

#: what a reference to one version of a resource ends with
VERSION = re.compile(r"/_history/[^/]*$")
_NOT_TRUE = frozenset({"refuted", "entered-in-error", "not-done"})
_UNSURE = frozenset(
    {"unconfirmed", "provisional", "differential", "draft", "proposal", "preparation", "planned"}
)
_OVER = frozenset(
    {
        "inactive",
        "resolved",
        "remission",
        "stopped",
        "completed",
        "cancelled",
        "ended",
        "on-hold",
        "revoked",
    }
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One resource in its file, and what references can name."""

    file: str
    text: str
    node: Node
    index: dict[str, Node]

    def span(self, *nodes: Node | None) -> Span:
        """Return the smallest stretch of the file that holds these parts of the resource."""
        inside = [n for n in nodes if n is not None and self.node.start <= n.start <= self.node.end]
        if not inside:
            return Span(self.file, self.node.start, self.node.end)
        return Span(self.file, *within(self.text, *inside))


def concept(node: Node | None, *path: str | int) -> str:
    """Return the words of a CodeableConcept: its text, else a display, else a code."""
    found = node.get(*path) if node is not None else None
    if found is None:
        return ""
    for way in (
        ("text",),
        ("coding", 0, "display"),
        ("coding", 1, "display"),
        ("coding", 0, "code"),
        ("display",),
    ):
        if words := found.text(*way):
            return words
    return ""


def resolved(reference: str, node: Node, index: dict[str, Node]) -> Node | None:
    """Return what a reference names: in its own resource (``#1``), in the file, by any address.

    Every resource may call its first contained one ``#1``: those are looked for in it alone.
    """
    if reference.startswith("#"):
        inside = (each for each in node.items("contained") if f"#{each.text('id')}" == reference)
        return next(inside, None)
    plain = VERSION.sub("", reference)
    found = index.get(reference) or index.get(plain)
    return found or index.get("/".join(plain.rsplit("/", 2)[-2:]))


def _code(node: Node, key: str) -> str:
    return (node.text(key, "coding", 0, "code") or node.text(key) or node.text(key, "text")).lower()


def _day(node: Node, *keys: str) -> tuple[str, Node | None]:
    """Return the first date among some members, of a dateTime or a Period, and where it stands."""
    for key in keys:
        for path in ((key,), (key, "start"), (key, "end")):
            if date := first_date(node.text(*path)):
                return date, node.get(*path)
    return "", None


def _polarity(*codes: str) -> Polarity:
    if any(code in _NOT_TRUE for code in codes):
        return Polarity.NEGATED
    return Polarity.OPEN if any(code in _UNSURE for code in codes) else Polarity.AFFIRMED


def _allergy(reading: Reading) -> Iterator[Fact]:
    node = reading.node
    name = concept(node, "code") or concept(node, "reaction", 0) or ""
    if not name and (substance := concept(node, "reaction", 0, "substance")):
        name = substance
    clinical, sure = _code(node, "clinicalStatus"), _code(node, "verificationStatus")
    if not name or sure == "entered-in-error":
        return
    blanket = name.lower().startswith("no known") or node.text("code", "coding", 0, "code") in (
        "716186003",
        "409137002",
        "428607008",
    )
    date, where = _day(node, "recordedDate", "onsetDateTime", "onsetPeriod", "lastOccurrence")
    reactions = [
        concept(each)
        for reaction in node.items("reaction")
        for each in reaction.items("manifestation")
    ]
    detail = {
        k: v
        for k, v in (
            ("status", clinical),
            ("reaction", ", ".join(filter(None, reactions))),
            ("severity", node.text("reaction", 0, "severity")),
            ("category", " ".join(str(c.value) for c in node.items("category"))),
            ("criticality", node.text("criticality")),
        )
        if v
    }
    state = State.ENDED if clinical in _OVER else State.ACTIVE
    yield Fact(
        kind=Kind.ALLERGY, name=name, chunk="", state=state, date=date, blanket=blanket, structured=True, detail=detail,
        polarity=Polarity.NEGATED if blanket else _polarity(sure),
        span=reading.span(node.get("clinicalStatus"), node.get("code"), where, node.get("reaction") if reactions else None),
    )  # fmt: skip


def _medication(reading: Reading) -> Iterator[Fact]:
    node = reading.node
    named: Node | None = None
    name, where = "", node.get("medicationCodeableConcept")
    if where is not None:
        name = concept(where)
    else:
        where = node.get("medicationReference")
        name = node.text("medicationReference", "display")
        target = resolved(node.text("medicationReference", "reference"), node, reading.index)
        if not name and target is not None:
            name, named = concept(target, "code"), target.get("code")
    status = node.text("status").lower()
    if (
        not name
        or status in ("entered-in-error", "unknown")
        or node.text("intent") in ("proposal", "option")
    ):
        return
    date, day = _day(
        node, "authoredOn", "effectivePeriod", "effectiveDateTime", "dateAsserted", "whenHandedOver"
    )
    doses = [
        " ".join(
            filter(
                None,
                (
                    _number(each.get("doseAndRate", 0, "doseQuantity", "value")),
                    each.text("doseAndRate", 0, "doseQuantity", "unit"),
                ),
            )
        )
        for each in node.items("dosageInstruction") or node.items("dosage")
    ]
    how = [each.text("text") for each in node.items("dosageInstruction") or node.items("dosage")]
    reason = concept(node, "reasonCode", 0) or node.text("reasonReference", 0, "display")
    detail = {"status": status, **drug_details(name)}
    detail |= {
        k: v
        for k, v in (
            ("instruction", "; ".join(filter(None, how))),
            ("reason", reason),
            ("doctor", node.text("requester", "display")),
            ("amount", "; ".join(filter(None, doses))),
        )
        if v
    }
    denied = node.get("doNotPerform")
    never = denied is not None and denied.value is True
    yield Fact(
        kind=Kind.MEDICATION, name=name, chunk="", date=date, structured=True, detail=detail,
        state=State.ENDED if status in _OVER and node.text("resourceType") != "MedicationAdministration" else State.ACTIVE,
        polarity=Polarity.NEGATED if never or status == "not-taken" else _polarity(status),
        span=reading.span(node.get("status"), where, day),
        name_span=Span(reading.file, *within(reading.text, named)) if named is not None else None,
    )  # fmt: skip


def _number(node: Node | None) -> str:
    value = node.value if node is not None else None
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _condition(reading: Reading) -> Iterator[Fact]:
    node = reading.node
    name = concept(node, "code")
    clinical, sure = _code(node, "clinicalStatus"), _code(node, "verificationStatus")
    if not name or sure == "entered-in-error":
        return
    date, where = _day(node, "onsetDateTime", "onsetPeriod", "recordedDate", "assertedDate")
    ended, _ = _day(node, "abatementDateTime", "abatementPeriod")
    detail = {k: v for k, v in (("status", clinical), ("ended", ended)) if v}
    over = clinical in _OVER or (bool(ended) and clinical != "active")
    yield Fact(
        kind=Kind.CONDITION, name=name, chunk="", date=date, structured=True, detail=detail,
        state=State.ENDED if over else State.ACTIVE, polarity=_polarity(sure),
        span=reading.span(node.get("clinicalStatus"), node.get("code"), where, node.get("abatementDateTime")),
    )  # fmt: skip


def _procedure(reading: Reading) -> Iterator[Fact]:
    node = reading.node
    status = node.text("status").lower()
    if (name := concept(node, "code")) and status != "entered-in-error":
        date, where = _day(node, "performedDateTime", "performedPeriod", "performedString")
        yield Fact(
            kind=Kind.PROCEDURE, name=name, chunk="", date=date, structured=True, state=State.PAST,
            polarity=_polarity(status), detail={"status": status} if status else {},
            span=reading.span(node.get("status"), node.get("code"), where),
        )  # fmt: skip


def _immunization(reading: Reading) -> Iterator[Fact]:
    node = reading.node
    status = node.text("status").lower()
    if (name := concept(node, "vaccineCode")) and status != "entered-in-error":
        date, where = _day(node, "occurrenceDateTime", "recorded")
        yield Fact(
            kind=Kind.IMMUNIZATION, name=name, chunk="", date=date, structured=True, state=State.PAST,
            polarity=_polarity(status), detail={"status": status} if status else {},
            span=reading.span(node.get("status"), node.get("vaccineCode"), where),
        )  # fmt: skip


def _observation(reading: Reading) -> Iterator[Fact]:
    node = reading.node
    if node.text("status") in ("entered-in-error", "cancelled"):
        return
    date, where = _day(node, "effectiveDateTime", "effectivePeriod", "issued")
    for part in (node, *node.items("component")):
        name = concept(part, "code")
        value, shown = _value(part)
        if not name or not value:
            continue
        detail = {"value": value}
        yield Fact(
            kind=Kind.OBSERVATION, name=name, chunk="", date=date, structured=True, state=State.PAST, detail=detail,
            span=reading.span(part.get("code"), shown, where),
        )  # fmt: skip


def _value(node: Node) -> tuple[str, Node | None]:
    quantity = node.get("valueQuantity")
    if quantity is not None:
        number = quantity.get("value")
        if number is not None and isinstance(number.value, (int, float)):
            return (
                f"{_plain(number.value)} {quantity.text('unit') or quantity.text('code')}".strip(),
                quantity,
            )
    if words := concept(node, "valueCodeableConcept"):
        return words, node.get("valueCodeableConcept")
    if words := node.text("valueString"):
        return words, node.get("valueString")
    whole = node.get("valueInteger")
    return (str(whole.value), whole) if whole is not None else ("", None)


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.10g}"


def _encounter(reading: Reading) -> Iterator[Fact]:
    node = reading.node
    date, where = _day(node, "period")
    name = concept(node, "type", 0) or "encounter"
    reason = concept(node, "reasonCode", 0)
    detail = {
        k: v
        for k, v in (
            ("reason", reason),
            ("doctor", node.text("participant", 0, "individual", "display")),
            (
                "place",
                node.text("location", 0, "location", "display")
                or node.text("serviceProvider", "display"),
            ),
        )
        if v
    }
    if node.text("status") not in ("entered-in-error", "cancelled", "planned"):
        yield Fact(
            kind=Kind.ENCOUNTER, name=name, chunk="", date=date, structured=True, state=State.PAST, detail=detail,
            span=reading.span(node.get("type"), where, node.get("reasonCode"), node.get("participant") if "doctor" in detail else None),
        )  # fmt: skip


def _family(reading: Reading) -> Iterator[Fact]:
    node = reading.node
    relative = concept(node, "relationship").lower() or "family"
    for each in node.items("condition"):
        if name := concept(each, "code"):
            yield Fact(
                kind=Kind.CONDITION, name=name, chunk="", structured=True, state=State.PRESENT, subject=relative,
                date=first_date(node.text("date")), span=reading.span(node.get("relationship"), each),
            )  # fmt: skip


def _person(reading: Reading) -> Iterator[Fact]:
    node = reading.node
    plain = (
        ("gender", node.get("gender")),
        ("birth date", node.get("birthDate")),
        ("death", node.get("deceasedDateTime")),
    )
    for name, where in plain:
        if where is not None and isinstance(where.value, str):
            yield Fact(
                kind=Kind.PERSON,
                name=name,
                chunk="",
                structured=True,
                state=State.PRESENT,
                span=reading.span(where),
                detail={"value": where.value},
            )
    if married := concept(node, "maritalStatus"):
        yield Fact(
            kind=Kind.PERSON,
            name="marital status",
            chunk="",
            structured=True,
            state=State.PRESENT,
            span=reading.span(node.get("maritalStatus")),
            detail={"value": married},
        )


READERS: dict[str, Callable[[Reading], Iterator[Fact]]] = {
    "AllergyIntolerance": _allergy,
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "MedicationDispense": _medication,
    "MedicationAdministration": _medication,
    "Condition": _condition,
    "Procedure": _procedure,
    "Immunization": _immunization,
    "Observation": _observation,
    "Encounter": _encounter,
    "FamilyMemberHistory": _family,
    "Patient": _person,
}
