"""Patients written down: as FHIR bundles, and as notes in the hands of several writers."""

from __future__ import annotations

import json
import uuid
from random import Random

from reference_systems.medco_rag.people import Person, Visit

__all__ = ["STYLES", "bundle_of", "note_of"]

STYLES = ("markdown", "capitals", "inline", "narrative")


def bundle_of(person: Person) -> str:
    """Return a FHIR R4 bundle of a patient, as text."""
    base = uuid.UUID(person.id)
    subject = {"reference": f"urn:uuid:{person.id}"}
    found: list[dict[str, object]] = [
        {
            "resourceType": "Patient", "id": person.id, "birthDate": person.born,
            "name": [{"family": person.last, "given": [person.first]}],
            "gender": "female" if person.female else "male",
        }
    ]  # fmt: skip
    for number, (substance, reaction) in enumerate(person.allergies):
        found.append(
            {
                "resourceType": "AllergyIntolerance", "id": str(uuid.uuid5(base, f"allergy {number}")),
                "clinicalStatus": {"coding": [{"code": "active"}]}, "verificationStatus": {"coding": [{"code": "confirmed"}]},
                "code": {"text": substance.capitalize()}, "patient": subject, "recordedDate": person.visits[0].date,
                "reaction": [{"manifestation": [{"text": reaction}]}],
            }
        )  # fmt: skip
    for number, visit in enumerate(person.visits):
        found += _visit_resources(base, number, visit, subject)
    entries = [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in found]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=1)


def _visit_resources(
    base: uuid.UUID, number: int, visit: Visit, subject: dict[str, str]
) -> list[dict[str, object]]:
    meeting = str(uuid.uuid5(base, f"encounter {number}"))
    of = {"subject": subject, "encounter": {"reference": f"urn:uuid:{meeting}"}}
    found: list[dict[str, object]] = [
        {
            "resourceType": "Encounter", "id": meeting, "status": "finished", "subject": subject,
            "type": [{"text": "Office visit"}], "serviceType": {"text": visit.specialty},
            "period": {"start": f"{visit.date}T09:00:00+00:00", "end": f"{visit.date}T09:30:00+00:00"},
            "reasonCode": [{"text": visit.complaint}],
        }
    ]  # fmt: skip
    for at, order in enumerate(visit.orders):
        found.append(
            {
                "resourceType": "MedicationRequest", "id": str(uuid.uuid5(base, f"order {number} {at}")), **of,
                "status": "active" if order.active else "stopped", "intent": "order",
                "medicationCodeableConcept": {"text": order.text}, "authoredOn": f"{visit.date}T09:10:00+00:00",
                "reasonCode": [{"text": order.reason}],
            }
        )  # fmt: skip
    for at, name in enumerate(visit.conditions):
        found.append(
            {
                "resourceType": "Condition", "id": str(uuid.uuid5(base, f"condition {number} {at}")), **of,
                "clinicalStatus": {"coding": [{"code": "active"}]}, "verificationStatus": {"coding": [{"code": "confirmed"}]},
                "code": {"text": name.capitalize()}, "onsetDateTime": visit.date,
            }
        )  # fmt: skip
    for kind, key, names, when in (
        ("Procedure", "code", visit.procedures, "performedDateTime"),
        ("Immunization", "vaccineCode", visit.vaccines, "occurrenceDateTime"),
    ):
        for at, name in enumerate(names):
            found.append(
                {
                    "resourceType": kind, "id": str(uuid.uuid5(base, f"{kind} {number} {at}")), **of,
                    "status": "completed", key: {"text": name.capitalize()}, when: visit.date,
                }
            )  # fmt: skip
    return found


def note_of(person: Person, style: str) -> str:
    """Return all notes of a patient as one text, newest first, in one of the STYLES."""
    rng = Random(f"medco note {person.id} {style}")
    write = {
        "markdown": _markdown,
        "capitals": _capitals,
        "inline": _inline,
        "narrative": _narrative,
    }[style]
    return "\n\n".join(write(person, visit, rng) for visit in reversed(person.visits)) + "\n"


def _allergy_lines(person: Person, rng: Random) -> list[str]:
    if not person.allergies:
        return [rng.choice(("No known drug allergies.", "NKDA.", "No Known Allergies."))]
    return [f"{substance.capitalize()} ({reaction})" for substance, reaction in person.allergies]


def _listed(person: Person, visit: Visit) -> list[str]:
    """Return the drugs of the visits up to this one that stand at its end, newest dose of each."""
    kept: dict[str, str] = {}
    for earlier in person.visits:
        if earlier.date <= visit.date:
            kept.update((o.drug, f"{o.drug} {o.dose} mg oral tablet") for o in earlier.orders)
    return list(kept.values())


def _family_words(person: Person) -> list[str]:
    return [f"{kin.capitalize()} had {what}." for kin, what in person.family] or [
        "Noncontributory."
    ]


def _markdown(person: Person, visit: Visit, rng: Random) -> str:
    lines = [visit.date, "", "# Chief Complaint", f"{visit.complaint.capitalize()}.", "", "# Social History",
             f"Patient {person.smoking}. Works as a {person.job}.", "", "# Family History", *_family_words(person), "",
             "# Allergies", *_allergy_lines(person, rng), "", "# Medications", "; ".join(_listed(person, visit)) or "No Active Medications.", "",
             "# Assessment and Plan"]  # fmt: skip
    if visit.conditions:
        lines.append(f"Patient is presenting with {', '.join(visit.conditions)}.")
    lines.append(f"Denies {' and '.join(visit.denied)}." if visit.denied else "")
    if visit.procedures:
        lines += [
            "The following procedures were conducted:",
            *(f"- {name}" for name in visit.procedures),
        ]
    if visit.vaccines:
        lines.append(f"Patient was given the following immunizations: {', '.join(visit.vaccines)}.")
    if visit.orders:
        lines += [
            "The patient was prescribed the following medications:",
            *(f"- {o.text.lower()}" for o in visit.orders),
        ]
    return "\n".join(lines)


def _capitals(person: Person, visit: Visit, rng: Random) -> str:
    month, day, year = visit.date[5:7], visit.date[8:], visit.date[:4]
    lines = [f"Date of visit: {month}/{day}/{year}", "", "CHIEF COMPLAINT", "", f"{visit.complaint.capitalize()}.", "",
             "PAST MEDICAL HISTORY", "", *(f"{c.capitalize()}." for v in person.visits if v.date <= visit.date for c in v.conditions), "",
             "FAMILY HISTORY", "", *_family_words(person), "", "SOCIAL HISTORY", "", f"The patient {person.smoking}. Works as a {person.job}.", "",
             "ALLERGIES", "", *_allergy_lines(person, rng), "", "MEDICATIONS", "", *(f"\u2022 {m}" for m in _listed(person, visit)), "",
             "REVIEW OF SYSTEMS", "", f"\u2022 General: Denies {' or '.join(visit.denied)}." if visit.denied else "", "", "PLAN", ""]  # fmt: skip
    lines += [f"\u2022 Prescribed {o.drug} {o.dose} mg daily for {o.reason}." for o in visit.orders]
    lines += [f"\u2022 Procedure performed: {name}." for name in visit.procedures]
    return "\n".join(lines)


def _inline(person: Person, visit: Visit, _: Random) -> str:
    allergies = "; ".join(f"{s} - {r}" for s, r in person.allergies) or "none known"
    lines = [f"Visit Date: {visit.date}", f"Specialty: {visit.specialty}", f"CC: {visit.complaint}",
             f"Allergies: {allergies}", f"Meds: {'; '.join(_listed(person, visit)) or 'none'}",
             f"FHx: {' '.join(_family_words(person))}", f"SHx: {person.smoking}; {person.job}",
             f"ROS: No {', '.join(visit.denied)}." if visit.denied else "ROS: negative.",
             f"Assessment: {'; '.join(visit.conditions) or 'stable'}"]  # fmt: skip
    lines += [f"Plan: Start {o.drug} {o.dose} mg by mouth daily." for o in visit.orders]
    lines += [f"Procedures: {name}" for name in visit.procedures]
    return "\n".join(lines)


def _narrative(person: Person, visit: Visit, _: Random) -> str:
    he = "She" if person.female else "He"
    his = "her" if person.female else "his"
    parts = [f"{visit.date}\n", f"{person.first} {person.last} is seen for {visit.complaint}."]
    if visit.denied:
        parts.append(f"{he} denies {' and '.join(visit.denied)}.")
    parts += [f"{his.capitalize()} {kin} had {what}." for kin, what in person.family]
    if person.allergies:
        parts += [f"{he} is allergic to {s}, which causes {r}." for s, r in person.allergies]
    else:
        parts.append(f"{he} has no known drug allergies.")
    parts.append(f"{he} {person.smoking} and works as a {person.job}.")
    parts += [f"{he} was diagnosed with {c}." for c in visit.conditions]
    parts += [
        f"{he} was started on {o.drug} {o.dose} mg daily for {o.reason}." for o in visit.orders
    ]
    return " ".join(parts)
