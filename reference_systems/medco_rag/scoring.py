"""Whether an answer equals its gold: by the words of the answer alone, with no code of the composer."""

from __future__ import annotations

import re

from reference_systems.medco_rag.model import Answer

__all__ = ["equal"]


def equal(answer: Answer, gold: tuple[str, ...], never: tuple[str, ...] = ()) -> bool:
    """Tell whether an answer says what is gold and nothing that is never.

    What stands behind "Conflict:", "Earlier:" or "Stopped:" is shown, not answered.

    >>> equal(Answer("Yes: aspirin (2004-09-14)."), ("yes",))
    True
    >>> equal(Answer("lisinopril 20 MG Oral Tablet: active."), ("20 mg",), ("40 mg",))
    True
    """
    if answer.refused:
        return False
    said = _plain(re.split(r"\b(?:Conflict|Earlier|Stopped):", answer.text)[0])
    if gold == ("yes",):
        return said.startswith("yes")
    if gold == ("no",):
        return re.match(r"(?:no\b|\W*none\b|nkd?a\b|denied\b)", said) is not None
    return all(_plain(each) in said for each in gold) and not any(_plain(n) in said for n in never)


def _plain(text: str) -> str:
    return " ".join(
        re.sub(r"\((?:disorder|finding|situation|procedure|substance|organism)\)?", "", text)
        .lower()
        .split()
    )
