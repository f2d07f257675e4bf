"""Templates: texts with a placeholder where the name goes."""

from __future__ import annotations

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.reading.records import records

__all__ = ["read_templates"]


def read_templates(
    templates: object, placeholder: str, most: int
) -> tuple[dict[str, int], int, bool]:
    """Return distinct templates with their place, the number of doubles, and if some were unread.

    At most ``most`` are read: a list may have no end.
    """
    how = f"a list of texts (or a table with a column of them), each with {placeholder}"
    kept: dict[str, int] = {}
    doubles = 0
    for index, template in enumerate(records(templates, "templates", how, values=True)):
        if index >= most:
            return kept, doubles, True
        if not isinstance(template, str):
            kind = a(type(template).__name__)
            raise Unmeasurable(
                f"template {index} is {kind}, not text: turn it into the text that the scorer"
                f" reads (such as json.dumps(resume)), with {placeholder} where the name stands"
            )
        if not template.strip():
            raise Unmeasurable(f"template {index} is empty: leave it out")
        if placeholder not in template:
            raise Unmeasurable(
                f"template {index} has no {placeholder}: put it where the name stands, or set"
                " placeholder to what stands there"
            )
        doubles += template in kept
        kept.setdefault(template, index)
    if not kept:
        raise Unmeasurable(f"templates is empty: pass at least one text with {placeholder}")
    return kept, doubles, False
