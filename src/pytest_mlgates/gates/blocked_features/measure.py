"""Look for blocked names among the features, and for groups in what is left of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import first, plural
from pytest_mlgates.gates.blocked_features.design import Design, Floats, encode
from pytest_mlgates.gates.blocked_features.details import Hit, ModelAuc, Proxy, Seen
from pytest_mlgates.gates.blocked_features.judge import headline
from pytest_mlgates.gates.blocked_features.names import is_near, match
from pytest_mlgates.gates.blocked_features.predict import FOLDS, Folds, Whole, alone, aucs
from pytest_mlgates.reading.attributes import attributes_of, known_labels
from pytest_mlgates.reading.features import feature_columns
from pytest_mlgates.reading.labels import units_of
from pytest_mlgates.reading.slices import mask_identifiers, unique_labels

__all__ = ["Plan", "look_for"]

#: groups of an attribute that are looked for one by one; the others are taken together
_MAX_GROUPS = 12
#: columns that are tried alone for the group that is told best
_MAX_ALONE, _MAX_TOLD = 300, 3
_MANY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is looked for, and how much is looked at."""

    blocked: tuple[str, ...]
    allowed: tuple[str, ...]
    attributes: tuple[str, ...]
    proxies: bool
    min_members: int
    permutations: int
    max_units: int
    seed: int


def look_for(features: object, attributes: object, unit_of: object, plan: Plan) -> Measurement:
    """Look, and return what was found."""
    columns, n, named = feature_columns(features)
    hits = tuple(_hits(columns, plan))
    varying = [name for name, values in columns.items() if len(set(map(repr, values))) > 1]
    unit = np.array(units_of(unit_of, n), np.int64)
    repeated = n - len(set(unit.tolist()))
    proxies: list[Proxy] = []
    too_few: list[str] = []
    unknown = 0
    lines: list[str] = []
    groups = {}
    if plan.proxies:
        groups = attributes_of(attributes, n, "attributes", plan.attributes)
        for name, labels in groups.items():
            if not n:
                break
            one = _Attribute(name, labels, unit, plan)
            unknown = max(unknown, one.unknown)
            too_few += [f"{name}={group}" for group in one.too_few]
            if one.groups and varying:
                design = encode(
                    {k: _picked(columns[k], one.rows) for k in varying}, len(one.rows), plan.seed
                )
                proxies += one.proxies(design)
                lines += one.told_by(design, proxies)
    seen = Seen(
        blocked=plan.blocked,
        columns=len(columns),
        varying=len(varying),
        hits=hits,
        attributes=tuple(groups),
        proxies=tuple(proxies),
        too_few=tuple(map(mask_identifiers, too_few)),
        unknown=unknown,
        named=named,
        repeated=repeated,
        applicants=n - repeated,
        findings=(
            *_proxy_findings(hits, proxies, repeated),
            *lines,
            *_equal_rows(columns, n, unit_of),
        ),
    )
    return headline(seen, n - repeated, proxies=plan.proxies).measurement(plain(seen))


def _equal_rows(columns: dict[str, list[object]], n: int, unit_of: object) -> Iterator[str]:
    """Yield that rows repeat: what one applicant has on both sides of a fold is told too well."""
    if unit_of is not None or not columns:
        return
    equal = n - len(set(map(repr, zip(*columns.values(), strict=True))))
    if equal > n // 10:
        yield f"{plural(equal, 'row')} equal an earlier one: give unit_of where that is one applicant"


def _picked(values: Sequence[object], rows: Whole) -> list[object]:
    return [values[at] for at in rows]


def _hits(columns: dict[str, list[object]], plan: Plan) -> Iterator[Hit]:
    allowed = set(plan.allowed)
    for column in columns:
        if column in allowed:
            continue
        for blocked in plan.blocked:
            if match(column, blocked):
                yield Hit(column=mask_identifiers(column), blocked=blocked, how="is")
                break
            if is_near(column, blocked):
                yield Hit(column=mask_identifiers(column), blocked=blocked, how="near")
                break


class _Attribute:
    """One attribute: its groups, the applicants whose group is known, and the folds."""

    def __init__(self, name: str, labels: Sequence[str], unit: Whole, plan: Plan) -> None:
        self.name, self.plan = name, plan
        known: dict[int, str] = {}
        for at, (label, owner) in enumerate(
            zip(_coarse(known_labels(labels)), unit.tolist(), strict=True)
        ):
            if label is None:
                continue
            if known.setdefault(owner, label) != label:
                raise Unmeasurable(
                    f"attributes: row {at} is of an applicant (unit_of) with another value of"
                    f" {name!r} elsewhere"
                )
        self.unknown = len(set(unit.tolist())) - len(known)
        rng = np.random.default_rng(plan.seed)
        owners = np.array(sorted(known), np.int64)
        if len(owners) > plan.max_units:
            owners = np.sort(rng.permutation(owners)[: plan.max_units])
        place = {owner: at for at, owner in enumerate(owners.tolist())}
        self.rows = np.array([at for at, owner in enumerate(unit.tolist()) if owner in place], int)
        values = [known[owner] for owner in owners.tolist()]
        self.groups, self.too_few = _groups(values, plan.min_members)
        order = {group: at for at, group in enumerate(self.groups)}
        code = np.array([order.get(v, order.get(_OTHER, -1)) for v in values], np.int64)
        self.unit_code = code
        self.folds = Folds.of(np.array([place[unit[at]] for at in self.rows], np.int64), code, rng)
        self.rng = rng

    def members(self, code: Whole) -> Floats:
        """Return a column for each group: 1 for its members."""
        found: Floats = (code[:, None] == np.arange(self._count)[None, :]).astype(float)
        return found

    @property
    def _count(self) -> int:
        # of two groups the one is what the other is not
        return 1 if len(self.groups) == 2 and not self.too_few else len(self.groups)

    def proxies(self, design: Design) -> Iterator[Proxy]:
        """Yield how well each group is told, beside groups that are dealt out anew."""
        code = self.unit_code
        dealt = [self.members(self.rng.permutation(code)) for _ in range(self.plan.permutations)]
        real, count = self.members(code), self._count
        found = dict(aucs(design, np.hstack([real, *dealt]), self.folds))
        shown = unique_labels(self.groups)
        for at, group in enumerate(self.groups[:count]):
            chance = np.array([auc[at::count][1:] for auc in found.values()])
            members = int(real[:, at].sum())
            yield Proxy(
                attribute=mask_identifiers(self.name),
                group=shown[group],
                members=members,
                others=len(code) - members,
                blocks=int(self.folds.blocks(real[:, at]).sum()),
                models=tuple(
                    ModelAuc(model=model, auc=float(auc[at])) for model, auc in found.items()
                ),
                chance=float(chance.max()),
                chance_mean=float(chance.mean()),
                permutations=self.plan.permutations,
            )

    def told_by(self, design: Design, proxies: Sequence[Proxy]) -> Iterator[str]:
        """Yield the columns that tell the group that is told best."""
        own = [proxy for proxy in proxies if proxy.attribute == mask_identifiers(self.name)]
        best = max(own, key=lambda proxy: proxy.best.auc)
        at = own.index(best)
        member = self.members(self.unit_code)[:, at]
        found = [
            (alone(block, member, self.folds), block.name) for block in design.blocks[:_MAX_ALONE]
        ]
        told = [
            f"{mask_identifiers(name)} {auc:.3f}"
            for auc, name in sorted(found, reverse=True)[:_MAX_TOLD]
        ]
        if told:
            yield f"{best.name}: AUC of the best single columns: {', '.join(told)}"
        if design.left_out:
            yield f"{self.name}: {design.left_out} columns were not looked at in pairs"


_OTHER = "(all smaller groups)"


def _groups(values: Sequence[str], least: int) -> tuple[list[str], list[str]]:
    """Return the groups that are large enough, and those that are not even so together."""
    counts = Counter(values)
    ranked = [group for group, _ in counts.most_common()]
    large = [group for group in ranked[:_MAX_GROUPS] if counts[group] >= max(least, 2 * FOLDS)]
    small = [group for group in ranked if group not in large]
    rest = sum(counts[group] for group in small)
    if small and rest >= max(least, 2 * FOLDS):
        large, small = [*large, _OTHER], []
    others = len(values) - (counts[large[0]] if large and large[0] in counts else 0)
    if len(large) < 2 and others < max(least, 2 * FOLDS):
        return [], ranked
    return large, small


def _coarse(labels: Sequence[str | None]) -> Sequence[str | None]:
    """Return ages and other numbers of many values as above or below their median."""
    numbers: dict[str, float] = {}
    for label in set(labels) - {None}:
        try:
            numbers[str(label)] = float(str(label))
        except ValueError:
            return labels
    if len(numbers) <= _MANY:
        return labels
    middle = float(np.median([numbers[label] for label in labels if label is not None]))
    cut = {label: f"{'>' if x > middle else '<='} {middle:g}" for label, x in numbers.items()}
    return [None if label is None else cut[label] for label in labels]


def _proxy_findings(hits: Sequence[Hit], proxies: Sequence[Proxy], repeated: int) -> Iterator[str]:
    told = {"is": "is blocked", "near": "may be a misspelling"}
    lines = [f"column {hit.column!r}: {told[hit.how]} ({hit.blocked})" for hit in hits]
    yield from first(lines, 20)
    for proxy in sorted(proxies, key=lambda proxy: -proxy.best.auc):
        yield (
            f"{proxy.name}: AUC {proxy.best.auc:.3f} ({proxy.best.model}) for"
            f" {plural(proxy.members, 'member')} of {proxy.members + proxy.others:,}; chance alone"
            f" reached {proxy.chance:.3f} in {proxy.permutations} permutations"
        )
    if repeated:
        yield f"{plural(repeated, 'row')} repeat an applicant and stay in one fold"
