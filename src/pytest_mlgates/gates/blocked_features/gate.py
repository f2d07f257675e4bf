"""Whether blocked attributes are out of the features, and can't be told from what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pytest_mlgates.core import Headline, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.blocked_features.details import Seen
from pytest_mlgates.gates.blocked_features.judge import Limits, auc_bounds, headline, judge
from pytest_mlgates.gates.blocked_features.names import words_of

__all__ = ["BlockedFeatures"]

#: groups that a picture shows
MAX_DRAWN = 20


@dataclass(frozen=True, kw_only=True)
class BlockedFeatures(StatisticalGate):
    """Are blocked attributes out of the features, and can nobody tell them from what is left?

    *Names.* No column may be called by a blocked name, in any spelling (``applicantSex``,
    ``ZIPCode``), nor by another word for it that is known (gender for sex, surname for name). What
    may be a misspelling leaves it INCONCLUSIVE; ``allowed`` lists columns that only look like it.

    *Proxies.* Each group of each attribute is told from the features by three models, fitted to
    four fifths of the applicants and asked about the rest: columns added up (numbers, bins,
    categories, hashed words), pairs of columns, nearest neighbours. FAIL where the AUC of one is
    surely above ``max_proxy_auc`` and above all that chance reached when the groups were dealt out
    anew among applicants; PASS where each is surely below. Bounds are by relative entropy.

    A PASS says that *these* models, with so many applicants, tell no group; not that none could:
    three columns that only tell a group together, or the meaning of a text, are not looked for.
    What is taken for granted: applicants are independent. One who has several rows takes
    ``unit_of``: the rows stay together, in a fold and under permutation.

    >>> gate = BlockedFeatures(blocked=("gender",), max_proxy_auc=0.65)
    >>> people = [{"years": n % 7, "club": "rugby" if n % 2 else "choir"} for n in range(1500)]
    >>> sex = ["m" if n % 2 else "f" for n in range(1500)]
    >>> gate.run(people, sex).outcome.value
    'fail'
    >>> gate.run([{"years": row["years"]} for row in people], sex).outcome.value
    'pass'

    Not seen: what only three columns together tell, the meaning of a text beyond its words, and
    what more applicants would let a model learn.

    To mend: take out or coarsen the column that is named, and ask again: another one may tell
    the same.

    Sources: Feldman et al. 2015 (predictability of the protected attribute); Hoeffding 1963.
    """

    name: ClassVar[str] = "blocked_features"
    cap: ClassVar[str] = "max_units"
    worse: ClassVar[Literal["up", "down"]] = "up"

    blocked: Annotated[tuple[str, ...], "attributes that may not be features, by name"] = ()
    max_proxy_auc: Annotated[
        float | None,
        Limit(tighten="down", gt=0.5, lt=1),
        "largest AUC with which a group can be told from the features; null looks at names only",
    ] = None
    allowed: Annotated[
        tuple[str, ...], "columns that may stay although a blocked name is in theirs"
    ] = ()
    attributes: Annotated[
        tuple[str, ...], "columns of attributes that count; all where none is named"
    ] = ()
    min_members: Annotated[
        int, Limit(ge=10), "groups with fewer applicants are taken together; too few are named"
    ] = 20
    max_unknown: Annotated[
        float,
        Limit(tighten="down", ge=0, lt=1),
        "largest share of applicants whose value of an attribute is unknown",
    ] = 0.1
    permutations: Annotated[
        int, Limit(tighten="up", ge=20, le=1000), "how often groups are dealt out anew"
    ] = 40
    max_units: Annotated[
        int,
        Limit(ge=100, le=20_000),
        "applicants that models see; of more, so many drawn at random",
    ] = 4000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.blocked and self.max_proxy_auc is None:
            raise FieldError("", "sets no limit: give blocked, max_proxy_auc, or both")
        for name in self.blocked:
            if not words_of(name):
                raise FieldError("blocked", f"{name!r} holds no word that could be in a name")

    def needs(self) -> Needs:
        """Return how many applicants tell that a group of half of them is told by chance, or always."""
        import math

        if self.max_proxy_auc is None:
            return Needs(1, 1, "rows")
        to_pass = -math.log(self.beta) / (2 * (self.max_proxy_auc - 0.5) ** 2)
        to_fail = math.log(3 / self.alpha) / -math.log(self.max_proxy_auc)
        return Needs(2 * math.ceil(to_pass), 2 * math.ceil(to_fail), "applicants")

    def measure(
        self,
        features: object,
        attributes: object = None,
        *,
        unit_of: object = None,
        seed: int = 0,
    ) -> Measurement:
        """Look at the names of the columns, and for groups in what they hold.

        ``features``: what the model gets: a table, dicts (nested ones too), vectors or texts.
        ``attributes``: the group of each row: one column, a table, or ``{attribute: values}``.
        """
        from pytest_mlgates.core.errors import Unmeasurable
        from pytest_mlgates.gates.blocked_features.measure import Plan, look_for

        if self.max_proxy_auc is not None and attributes is None:
            raise Unmeasurable("max_proxy_auc needs attributes: give the group of each row")
        plan = Plan(
            blocked=self.blocked,
            allowed=self.allowed,
            attributes=self.attributes,
            proxies=self.max_proxy_auc is not None,
            min_members=self.min_members,
            permutations=self.permutations,
            max_units=self.max_units,
            seed=seed,
        )
        return look_for(features, attributes, unit_of, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(
            measurement.read(Seen), measurement.n, proxies=self.max_proxy_auc is not None
        )

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a name is blocked or a group is surely told, PASS where neither is so."""
        limits = Limits(
            blocked=self.blocked,
            max_auc=self.max_proxy_auc,
            max_unknown=self.max_unknown,
            alpha=self.alpha,
            beta=self.beta,
        )
        return judge(measurement.read(Seen), measurement.value, measurement.n, limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw how well each group is told, against the limit."""
        points = []
        for proxy in measurement.read(Seen).proxies:
            low, high = auc_bounds(proxy.best.auc, proxy.blocks, self.alpha, self.beta)
            auc = proxy.best.auc
            label = f"{proxy.name} ({proxy.members:,})"
            bad = self.max_proxy_auc is not None and auc > self.max_proxy_auc
            points.append(Point(label, auc, min(low, auc), max(high, auc), bad))
        if points and self.max_proxy_auc is not None:
            points.sort(key=lambda point: -point.value)
            title = "How well each group is told from the features"
            yield Intervals(title, tuple(points[:MAX_DRAWN]), "AUC", (0.5, self.max_proxy_auc))
