"""Whether an answer is the gold one: by its words, after normalisation."""

from __future__ import annotations

import re

from pytest_mlgates.gates.grounding.check import lacking
from pytest_mlgates.gates.grounding.entities import Entities, Synonyms, entities_of, plain_words

__all__ = ["differs"]

_YES = re.compile(r"\W*(?:yes|true|correct|affirmative|indeed)\b")
_NO = re.compile(r"\W*(?:no|none|not|never|false|negative|denie[sd]|nkd?a)\b")


def differs(text: str, gold: bool | tuple[str, ...], names: Synonyms) -> bool | None:
    """Tell whether an answer differs from gold; None where its words say neither yes nor no.

    >>> names = Synonyms({"zestril": "lisinopril"})
    >>> differs("Zestril 20 mg", ("lisinopril", "0.02 g"), names), differs("No.", True, names)
    (False, True)
    >>> differs("Hard to say.", True, names)
    """
    if isinstance(gold, bool):
        plain = plain_words(text)
        yes, no = _YES.match(plain) is not None, _NO.match(plain) is not None
        return (no if gold else yes) if yes or no else None
    told = entities_of(text, names)
    return any(not _tells_all(told, entities_of(each, names)) for each in gold)


def _tells_all(told: Entities, wanted: Entities) -> bool:
    if lacking(wanted, told):
        return False
    words = {word for word, _ in told.words}
    return all(word in words for word, _ in wanted.words)
