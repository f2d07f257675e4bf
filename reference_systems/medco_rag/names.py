"""Who a file is about: the id of the FHIR Patient, which ends the file's name."""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["patient_of"]

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_LAST = re.compile(r"[A-Za-z0-9.-]+$")


def patient_of(stem: str, known: Collection[str] = ()) -> str:
    """Return the patient that a file's name (without its suffix) ends with.

    A known id wins where the name ends with it after a character that no id holds, or is it;
    else a UUID, else what stands after the last character that an id can't hold.

    >>> patient_of("Ann_Lee_p003"), patient_of("lee-p003", {"p003", "3"}), patient_of("p003")
    ('p003', 'p003', 'p003')
    """
    ends = [each for each in known if _ends(stem, each)]
    if ends:
        return max(ends, key=len)
    if found := _UUID.search(stem):
        return found.group()
    found = _LAST.search(stem)
    return found.group() if found else stem


def _ends(stem: str, patient: str) -> bool:
    if not patient or not stem.endswith(patient):
        return False
    head = stem[: len(stem) - len(patient)]
    return not head or not head[-1].isalnum()
