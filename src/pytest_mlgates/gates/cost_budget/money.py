"""Money: exact decimals, read strictly and never rounded before they are shown."""

from __future__ import annotations

import re
from decimal import Context, Decimal, localcontext
from typing import Any

from pytest_mlgates.reading.tables import missing

__all__ = ["EXACT", "Fault", "exactly", "format_money", "money", "recorded", "text"]

#: a million line items of 30 digits add up in it without rounding
EXACT = Context(prec=80)
_LARGEST = Decimal(10) ** 15
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
#: what stands around a number: signs of currencies, and spaces of any kind
_AROUND = re.compile(r"^[\s$€£¥]+|[\s$€£¥]+$")
_GROUPED = {
    ".": re.compile(r"[+-]?\d{1,3}((,\d{3})+|([\u0020\u00a0\u202f'\u2019]\d{3})+)(\.\d*)?"),
    ",": re.compile(r"[+-]?\d{1,3}((\.\d{3})+|([\u0020\u00a0\u202f'\u2019]\d{3})+)?(,\d*)?"),
}

#: what :func:`text` writes of amounts up to 10^40
_RECORDED = re.compile(r"-?\d{1,41}\.\d{2,41}", re.ASCII)


class Fault(ValueError):
    """What is wrong with a value; the text holds nothing of it."""


def exactly() -> Any:
    """Return a context in which sums of money are not rounded (for ``with``)."""
    return localcontext(EXACT)


def money(value: object, mark: str = ".") -> Decimal:
    """Return an amount as it is written, or raise :class:`Fault`.

    ``mark`` is the decimal mark of text; the other one may only group thousands. A float counts as
    the shortest decimal that stands for it.

    >>> money("1,234.50"), money("(12.5)"), money("1.234,50", ","), money(0.1)
    (Decimal('1234.50'), Decimal('-12.5'), Decimal('1234.50'), Decimal('0.1'))
    >>> money("12,5")
    Traceback (most recent call last):
        ...
    pytest_mlgates.gates.cost_budget.money.Fault: has a decimal comma: set decimal: ',' in the policy
    """
    if isinstance(value, str):
        amount = _written(value, mark)
    elif isinstance(value, Decimal):
        amount = value
    elif missing(value):
        raise Fault("is empty: a cost that is not known is not zero")
    else:
        plain = value.item() if hasattr(value, "item") else value  # of NumPy
        if isinstance(plain, bool) or not isinstance(plain, (int, float)):
            raise Fault("is not a number")
        amount = Decimal(plain) if isinstance(plain, int) else Decimal(repr(plain))
    if not amount.is_finite():
        raise Fault("is not finite")
    if abs(amount) > _LARGEST:
        raise Fault("is more than 10^15")
    if int(amount.as_tuple().exponent) < -40:
        raise Fault("has more than 40 decimals")
    return amount


def _written(value: str, mark: str) -> Decimal:
    if mark == "." and _PLAIN.fullmatch(value):
        return Decimal(value)
    plain = _AROUND.sub("", value).replace("\u2212", "-")
    negative = plain.startswith("(") and plain.endswith(")")
    plain = _AROUND.sub("", plain[1:-1]) if negative else plain
    plain = re.sub(r"^([+-])[\s$€£¥]+", r"\1", plain)
    other = "." if mark == "," else ","
    if not plain:
        raise Fault("is empty: a cost that is not known is not zero")
    if _GROUPED[mark].fullmatch(plain):
        plain = re.sub(rf"[{re.escape(other)}\s'\u2019]", "", plain).replace(",", ".")
    elif mark == ",":
        plain = plain.replace(",", ".") if "." not in plain else ""
    if not _PLAIN.fullmatch(plain):
        raise Fault(_why_not_money(value, mark))
    amount = Decimal(plain)
    return -amount if negative else amount


def _why_not_money(value: str, mark: str) -> str:
    """Explain why the text is not a number."""
    bare = value.strip()
    if re.fullmatch(r"[A-Z]{3}", bare):
        return f"holds a currency code ({bare}): are the values of this line shifted by a column?"
    if re.match(r"\d{4}-\d\d-\d\d", bare):
        return "holds a date: are the values of this line shifted by a column?"
    if mark == "." and re.fullmatch(r"[+-]?[\d.\s]*\d,\d*", bare):
        return "has a decimal comma: set decimal: ',' in the policy"
    if mark == "," and re.fullmatch(r"[+-]?[\d,\s]*\d\.\d*", bare):
        return "has a decimal point: set decimal: '.' in the policy"
    return "is not a number: are the values of this line shifted by a column?"


def text(amount: Decimal) -> str:
    """Return an amount as a record holds it: all of its digits, no exponent.

    >>> text(Decimal("8000.000")), text(Decimal("1E+3"))
    ('8000.00', '1000.00')
    """
    with exactly():
        plain = format(amount.normalize() + 0, "f")
    whole, _, decimals = plain.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def format_money(amount: Decimal | float, currency: str) -> str:
    """Return an amount for a person.

    >>> format_money(Decimal("15000.004"), "USD")
    '15,000.00 USD'
    """
    return f"{amount:,.2f} {currency}"


def recorded(value: str) -> Decimal:
    """Return an amount that :func:`text` wrote; ValueError where no bill gives it.

    >>> recorded("8000.00")
    Decimal('8000.00')
    """
    if not _RECORDED.fullmatch(value):
        raise ValueError("an amount of money is not written as in 8000.00")
    return Decimal(value)
