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
    run = _LAST.search(stem)
    for at in range(run.start(), len(stem)) if run else ():
        if (at == 0 or not stem[at - 1].isalnum()) and stem[at:] in known:
            return stem[at:]  # the longest, since the search comes from the left
    if found := _UUID.search(stem):
        return found.group()
    return run.group() if run else stem
