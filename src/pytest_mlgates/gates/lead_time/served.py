"""Which features an answer holds: of Feast, of a command, of a log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pytest_mlgates.reading.tables import missing

__all__ = ["answers_to", "of_answer", "of_output"]

Names = tuple[tuple[str, ...], tuple[str, ...]]


def of_answer(answer: Any) -> Names:
    """Return the features that have a value, and those that are null.

    >>> of_answer({"age": [71], "tenure": [None]})
    (('age',), ('tenure',))
    >>> of_answer(["customer:age"]), of_answer(None), of_answer("done")
    ((('customer:age',), ()), ((), ()), ((), ()))
    """
    if not isinstance(answer, Mapping) and hasattr(type(answer), "to_dict"):
        answer = answer.to_dict()
    if isinstance(answer, (list, tuple)):
        names = [name for name in answer if isinstance(name, str) and name.strip()]
        return tuple(dict.fromkeys(names)), ()
    if not isinstance(answer, Mapping):
        return (), ()
    for inner in ("values", "served"):
        if isinstance(answer.get(inner), (Mapping, list, tuple)):
            return of_answer(answer[inner])
    have = {str(name): not _is_null(value) for name, value in answer.items()}
    return tuple(n for n, has in have.items() if has), tuple(
        n for n, has in have.items() if not has
    )


def _is_null(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_null, value))
    return missing(value)


def of_output(text: str) -> Names:
    r"""Return what the last line of a command's output says, where it is a JSON object.

    >>> of_output('{"name": "apply"}\n{"id": 1, "values": {"customer:age": 71}}\n')
    (('customer:age',), ())
    """
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        answer = json.loads(lines[-1]) if lines else None
    except (ValueError, RecursionError):
        return (), ()
    known = isinstance(answer, Mapping) and any(
        isinstance(answer.get(name), (Mapping, list)) for name in ("values", "served")
    )
    return of_answer(answer) if known else ((), ())


def answers_to(wanted: str, served: tuple[str, ...]) -> bool:
    """Tell whether a feature is among those served: "customer:age" is also "customer__age" or "age".

    >>> answers_to("customer:age", ("age",)), answers_to("customer:age", ("page",))
    (True, False)
    """
    return bool({wanted, wanted.replace(":", "__"), wanted.rpartition(":")[2]} & {*served})
