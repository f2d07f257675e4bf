"""What changed between two reports: verdicts, and the policies behind them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeGuard, get_args

from pytest_mlgates.core import Evidence
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.core.fields import Limit, hints, limit_of
from pytest_mlgates.registry import load
from pytest_mlgates.report.build import worst
from pytest_mlgates.report.model import GateReport, Report, SystemReport

__all__ = ["Change", "diff"]

Kind = Literal["vanished", "regressed", "looser", "changed", "stricter", "better", "new"]

#: of the rules of a profile, what each allows more of, from the strictest on
_RULES: dict[str, tuple[object, ...]] = {
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


def diff(old: Report, new: Report) -> list[Change]:
    """Return what changed from one report to another.

    The gravest come first: what vanished or fails now, then what is held to less.
    """
    order = get_args(Kind)
    changes = [*_systems(old, new), *_policies(old, new), *_waivers(old, new)]
    return sorted(changes, key=lambda change: (order.index(change.kind), change.where, change.what))


def _systems(old: Report, new: Report) -> Iterator[Change]:
    before, after = ({system.system: system for system in r.systems} for r in (old, new))
    for name, system in before.items():
        if name in after:
            yield from _rule_changes(name, system, after[name])
            yield from _by_entry(name, system.gates, after[name].gates)
        else:
            yield Change("vanished", name, "is no longer gated")
    for name in after:
        if name not in before:
            yield Change("new", name, "is gated")


def _rule_changes(name: str, old: SystemReport, new: SystemReport) -> Iterator[Change]:
    for rule, order in _RULES.items():
        was, now = getattr(old.rules, rule), getattr(new.rules, rule)
        if was != now:
            kind: Kind = "looser" if order.index(now) > order.index(was) else "stricter"
            yield Change(
                kind, name, f"profile rule {rule}: {_shown_value(was)} to {_shown_value(now)}"
            )
    for control in old.controls:
        if control not in new.controls:
            yield Change("changed", name, f"no longer serves the control {control}")
    was, now = old.rules.suite_alpha, new.rules.suite_alpha
    if was != now:
        # as with alpha: a smaller chance of a false alarm makes FAIL rarer
        looser = was is not None and now is not None and now < was
        kind = "looser" if looser else "stricter" if now and was else "changed"
        yield Change(
            kind, name, f"profile rule suite_alpha: {_shown_value(was)} to {_shown_value(now)}"
        )


def _by_entry(
    system: str, old: Sequence[GateReport], new: Sequence[GateReport]
) -> Iterator[Change]:
    before, after = ({gate.entry: gate for gate in gates} for gates in (old, new))
    for entry, gate in before.items():
        where = f"{system}: {entry}"
        if entry not in after:
            yield Change("vanished", where, f"{gate.gate} is no longer configured")
            continue
        now = after[entry]
        if gate.gate != now.gate:
            yield Change("changed", where, f"gate {gate.gate} to {now.gate}")
        if gate.status != now.status:
            regressed = worst((gate.status, now.status)) == now.status
            what = f"{gate.status.upper()} to {now.status.upper()}"
            yield Change("regressed" if regressed else "better", where, what)
        if gate.incident == "caught" != now.incident:
            yield Change("regressed", where, f"its incident was caught and is {now.incident}")
        elif now.incident == "caught" != gate.incident:
            yield Change("better", where, "its incident is caught")
    for entry, gate in after.items():
        if entry not in before:
            yield Change("new", f"{system}: {entry}", f"{gate.gate} is configured")


def _policies(old: Report, new: Report) -> Iterator[Change]:
    """Compare what each test held its subject to; a test that gates no more is named."""
    before, after = _gated(old), _gated(new)
    configured = {(s.system, gate.entry) for s in new.systems for gate in s.gates}
    for key, piece in before.items():
        system, entry, test = key
        where = f"{system}: {entry}"
        if key not in after:
            if (system, entry) in configured:
                yield Change("vanished", where, f"{test} no longer gates anything")
            continue
        now = after[key]
        if piece.gate == now.gate:
            for change in _fields(where, piece.gate, piece.policy, now.policy):
                yield dataclasses.replace(change, what=f"{change.what} in {test}")


def _gated(report: Report) -> dict[tuple[str, str, str], Evidence]:
    return {(piece.system, piece.entry, piece.test): piece for piece in report.gated()}


def _fields(
    where: str, gate: str, old: Mapping[str, Json], new: Mapping[str, Json]
) -> Iterator[Change]:
    try:
        known = {name: limit_of(kind) for name, kind in hints(load(gate)).items()}
    except (UnknownGate, TypeError):
        known = {}
    for field in sorted({*old, *new}):
        was, now = old.get(field), new.get(field)
        if was != now:
            kind = _gate_class(field, known.get(field, Limit()), was, now)
            yield Change(kind, where, f"{field}: {_shown_value(was)} to {_shown_value(now)}")


def _gate_class(field: str, limit: Limit, was: Json, now: Json) -> Kind:
    """Return what a change of a policy's field means."""
    if field == "alpha" and _is_number(was) and _is_number(now):
        return "looser" if now < was else "stricter"  # a smaller alpha makes FAIL rarer
    if limit.tighten is None:
        return "changed"
    if was is None or now is None:
        return "looser" if now is None else "stricter"
    if _is_number(was) and _is_number(now):
        return "looser" if limit.is_looser(now, was) else "stricter"
    return "changed"


def _waivers(old: Report, new: Report) -> Iterator[Change]:
    before, after = ({w.about: w for w in r.waived} for r in (old, new))
    for where, waiver in after.items():
        if where not in before:
            text = f"waived until {waiver.expires}, approved by {waiver.approved_by}"
            yield Change("looser", where, text)
            continue
        was = before[where]
        if was.expires != waiver.expires:
            kind: Kind = "looser" if waiver.expires > was.expires else "stricter"
            yield Change(kind, where, f"waiver until {was.expires} to {waiver.expires}")
        if was.up_to != waiver.up_to:
            text = f"waiver up to {_shown_value(was.up_to)} to {_shown_value(waiver.up_to)}"
            yield Change("changed", where, text)
    for where in before:
        if where not in after:
            yield Change("stricter", where, "is no longer waived")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown_value(value: object) -> str:
    if _is_number(value):
        return f"{value:g}"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)
