"""Values of a redacted copy, by Presidio's operators: replace, mask, hash with a key, encrypt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from pytest_mlgates.audit.cells import Change, Found
from pytest_mlgates.audit.settings import Redaction
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import install

if TYPE_CHECKING:
    from presidio_anonymizer.operators import Operator

__all__ = ["change_of", "check_redaction"]

_KEYS = {"encrypt": (16, 24, 32)}
_SHORTEST = 16


def check_redaction(redaction: Redaction) -> None:
    """Raise :class:`UsageError` where an operator lacks its key, or Presidio is not there."""
    length, operator = len(redaction.key), redaction.operator
    if operator == "encrypt" and length not in _KEYS["encrypt"]:
        raise UsageError(f"--redact-key: encrypt takes a key of 16, 24 or 32 bytes, not {length}")
    if operator == "hash" and length < _SHORTEST:
        raise UsageError(f"--redact-key: hash takes a key of 16 bytes or more, not {length}")
    _operators()


def change_of(found: Sequence[Found], redaction: Redaction) -> Change:
    """Return what makes the redacted text of one cell; ``found`` are its finds, in order."""
    ranges = [(one.start, one.end, one.span.entity) for one in found]

    def change(value: object) -> object:
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        parts, at = [], 0
        for start, end, entity in ranges:
            parts += [text[at:start], _operate(text[start:end], entity, redaction)]
            at = end
        return "".join([*parts, text[at:]])

    return change


def _operate(text: str, entity: str, redaction: Redaction) -> str:
    # lone surrogates have no bytes to hash or encrypt
    plain = text.encode("utf-8", "replace").decode()
    parameters: dict[str, dict[str, object]] = {
        "replace": {"new_value": f"<{entity}>"},
        "mask": {"masking_char": "*", "chars_to_mask": len(plain), "from_end": False},
        "hash": {"hash_type": "sha256", "salt": redaction.key},
        "encrypt": {"key": redaction.key},
    }
    return _operators()[redaction.operator](plain, parameters[redaction.operator])


@cache
def _operators() -> dict[str, Callable[[str, dict[str, object]], str]]:
    try:
        from presidio_anonymizer import operators
    except ImportError:
        raise UsageError(f"a redacted copy needs presidio-anonymizer: {install('scan')}") from None

    def of(operator: Operator) -> Callable[[str, dict[str, object]], str]:
        return lambda text, parameters: str(operator.operate(text, parameters))

    return {
        "replace": of(operators.Replace()),
        "mask": of(operators.Mask()),
        "hash": of(operators.Hash()),
        "encrypt": of(operators.Encrypt()),
    }
