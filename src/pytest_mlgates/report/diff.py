"""What changed between two reports: verdicts, and the policies behind them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.core.fields import hints, limit_of
from pytest_mlgates.registry import load
from pytest_mlgates.report.report import worst

__all__ = ["Change", "diff"]

Kind = Literal["vanished", "regressed", "looser", "changed", "stricter", "better", "new"]

#: of the rules of a profile, what each allows more of, from the strictest on
_RULES: dict[str, tuple[Any, ...]] = {
    "inconclusive": ("fail", "warn"),
    "complete": (True, False),
    "reruns": ("all", "last"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One difference; ``kind`` says whether a reviewer must look at it."""

    kind: Kind
    where: str
    what: str

    @property
    def bad(self) -> bool:
        """Whether less is shown, or held to, than before."""
        return self.kind in ("vanished", "regressed", "looser")

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.what}"


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what changed from one report to another (as ``read_report`` gives them).

    The gravest come first: what vanished or fails now, then what is held to less.
    """
    order = get_args(Kind)
    changes = [*_systems(old, new), *_policies(old, new), *_waivers(old, new)]
    return sorted(changes, key=lambda change: (order.index(change.kind), change.where, change.what))


def _systems(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before = {system["system"]: system for system in old["systems"]}
    after = {system["system"]: system for system in new["systems"]}
    for name, system in before.items():
        if name not in after:
            yield Change("vanished", name, "is no longer gated")
            continue
        for rule, order in _RULES.items():
            was, now = system["rules"][rule], after[name]["rules"][rule]
            if was != now:
                kind: Kind = "looser" if order.index(now) > order.index(was) else "stricter"
                yield Change(kind, name, f"profile rule {rule}: {_say(was)} to {_say(now)}")
        for control in system["controls"]:
            if control not in after[name]["controls"]:
                yield Change("changed", name, f"no longer serves the control {control}")
        was, now = (s["rules"]["suite_alpha"] for s in (system, after[name]))
        if was != now:
            # as with alpha: a smaller chance of a false alarm makes FAIL rarer
            looser = was is not None and now is not None and now < was
            kind = "looser" if looser else "stricter" if now and was else "changed"
            yield Change(kind, name, f"profile rule suite_alpha: {_say(was)} to {_say(now)}")
        yield from _gates(name, system["gates"], after[name]["gates"])
    for name in after:
        if name not in before:
            yield Change("new", name, "is gated")


def _gates(system: str, old: Any, new: Any) -> Iterator[Change]:
    before, after = ({gate["entry"]: gate for gate in gates} for gates in (old, new))
    for entry, gate in before.items():
        where = f"{system}: {entry}"
        if entry not in after:
            yield Change("vanished", where, f"{gate['gate']} is no longer configured")
            continue
        now = after[entry]
        if gate["gate"] != now["gate"]:
            yield Change("changed", where, f"gate {gate['gate']} to {now['gate']}")
        was, came = gate["status"], now["status"]
        if was != came:
            kind: Kind = "regressed" if worst((was, came)) == came else "better"
            yield Change(kind, where, f"{was.upper()} to {came.upper()}")
        if gate["incident"] == "caught" != now["incident"]:
            yield Change("regressed", where, f"its incident was caught and is {now['incident']}")
        elif now["incident"] == "caught" != gate["incident"]:
            yield Change("better", where, "its incident is caught")
    for entry, gate in after.items():
        if entry not in before:
            yield Change("new", f"{system}: {entry}", f"{gate['gate']} is configured")


def _policies(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Compare what each test held its subject to; a test that gates no more is named."""
    before, after = _gated(old), _gated(new)
    configured = {(s["system"], gate["entry"]) for s in new["systems"] for gate in s["gates"]}
    for key, piece in before.items():
        system, entry, test = key
        where = f"{system}: {entry}"
        if key not in after:
            if (system, entry) in configured:
                yield Change("vanished", where, f"{test} no longer gates anything")
            continue
        now = after[key]
        if piece["gate"] == now["gate"]:
            for change in _fields(where, piece["gate"], piece["policy"], now["policy"]):
                yield dataclasses.replace(change, what=f"{change.what} in {test}")


def _gated(report: Mapping[str, Any]) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    return {
        (piece["system"], piece["entry"], piece["test"]): piece
        for piece in report["evidence"]
        if piece["role"] == "gate"
    }


def _fields(where: str, gate: str, old: Any, new: Any) -> Iterator[Change]:
    try:
        known = {name: limit_of(kind) for name, kind in hints(load(gate)).items()}
    except (UnknownGate, TypeError):
        known = {}
    for field in sorted({*old, *new}):
        was, now = old.get(field), new.get(field)
        if was == now:
            continue
        what = f"{field}: {_say(was)} to {_say(now)}"
        limit = known.get(field)
        if field == "alpha" and _number(was) and _number(now):
            # a smaller alpha makes FAIL rarer
            yield Change("looser" if now < was else "stricter", where, what)
        elif limit is None or limit.tighten is None:
            yield Change("changed", where, what)
        elif was is None or now is None:
            yield Change("looser" if now is None else "stricter", where, what)
        elif _number(was) and _number(now):
            yield Change("looser" if limit.is_looser(now, was) else "stricter", where, what)
        else:
            yield Change("changed", where, what)


def _waivers(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = ({(w["system"], w["gate"]): w for w in r["waived"]} for r in (old, new))
    for key, waiver in after.items():
        where = ": ".join(key)
        if key not in before:
            told = f"waived until {waiver['expires']}, approved by {waiver['approved_by']}"
            yield Change("looser", where, told)
        elif (was := before[key]) != waiver:
            if was["expires"] != waiver["expires"]:
                kind: Kind = "looser" if waiver["expires"] > was["expires"] else "stricter"
                told = f"waiver until {was['expires']} to {waiver['expires']}"
                yield Change(kind, where, told)
            if was["up_to"] != waiver["up_to"]:
                told = f"waiver up to {_say(was['up_to'])} to {_say(waiver['up_to'])}"
                yield Change("changed", where, told)
    for key in before:
        if key not in after:
            yield Change("stricter", ": ".join(key), "is no longer waived")


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _say(value: object) -> str:
    if _number(value):
        return f"{value:g}"
    return (
        "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )
