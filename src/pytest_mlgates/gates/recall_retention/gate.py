"""What pruning and quantising an index cost, in recall and in bytes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pytest_mlgates.core import Headline, Look, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.observations import mean_bounds
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.recall_retention.details import Seen
from pytest_mlgates.gates.recall_retention.judge import Limits, headline, judge
from pytest_mlgates.reading.slices import recorded
from pytest_mlgates.stats.zero_tolerance import tries

__all__ = ["RecallRetention"]

#: rows that a picture shows
MAX_DRAWN = 20


@dataclass(frozen=True, kw_only=True)
class RecallRetention(StatisticalGate):
    """What did pruning and quantising cost: which answers of exact search does the index lose?

    ``search(query, k)`` is the index, ``exact_search(query, k)`` what it stands for: every item,
    full precision. Each gives ids, the best first. Per query, two differences count:

    * the share of the exact ``k`` that the index does not give. Items that were pruned away are
      among the exact ones, so they count as lost;
    * with ``labels``, what really came next (a purchase, a click): how many more of these exact
      search finds. An index can lose exact answers that nobody wanted, and keep those that matter,
      or the other way round.

    Both are bounded for all queries, for each slice, and for head, middle and tail: the items that
    make up the first, second and last third of what exact search answers (or of ``popularity``,
    from item to how often it is asked for). The bounds, by betting, hold for means of bounded
    differences of any shape; each row's FAIL has its share of ``alpha``. ``max_size_ratio`` holds
    the bytes of the index against those of what it stands for (``sizes``: two numbers, or the
    paths of files or folders, whose bytes are counted).

    What is taken for granted: queries are independent draws of those to come (a repeated one
    counts once); ids are the same on both sides; what came next was not chosen by the index.

    >>> def exact(query, k): return [(query * 7 + step) % 1000 for step in range(k)]
    >>> def pruned(query, k): return [item for item in exact(query, k) if item % 10]
    >>> gate = RecallRetention(k=10, max_drop=0.02)
    >>> gate.run(pruned, exact, range(2000)).outcome.value
    'fail'
    >>> gate.run(exact, exact, range(2000)).outcome.value
    'inconclusive'

    Not seen: what pruning cost in next events that neither search finds, and queries unlike
    those that were given.

    To mend: prune less in the part that is named (head, middle, tail), look into more lists of
    the index (``nprobe``), or quantise less coarsely.

    Sources: Waudby-Smith and Ramdas 2024.
    """

    name: ClassVar[str] = "recall_retention"
    cap: ClassVar[str] = "max_queries"
    subject: ClassVar[str] = "search"
    worse: ClassVar[Literal["up", "down"]] = "up"

    k: Annotated[int, Limit(ge=1, le=10_000), "how many answers are looked at"] = 10
    max_drop: Annotated[
        float,
        Limit(tighten="down", gt=0, lt=1),
        "largest drop in recall: of the exact answers, and of the next events",
    ]
    max_slice_drop: Annotated[
        float | None,
        Limit(tighten="down", gt=0, lt=1),
        "largest drop in a slice, and among head, middle and tail; null: max_drop",
    ] = None
    max_size_ratio: Annotated[
        float | None,
        Limit(tighten="down", gt=0),
        "the index has at most this part of the bytes",
    ] = None
    slices: Annotated[
        tuple[str, ...],
        "slices (head, middle and tail among them) that must occur: without one there is no PASS",
    ] = ()
    max_queries: Annotated[int, Limit(ge=1), "largest number of queries asked"] = 100_000
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a call that takes longer is stopped"] = 60.0
    concurrency: Annotated[
        int, Limit(ge=1, le=1000), "calls at a time of a search whose answers are awaited"
    ] = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_slice_drop is not None and self.max_slice_drop < self.max_drop:
            raise FieldError("max_slice_drop", "is below max_drop: lower that too, or leave it out")

    def needs(self) -> Needs:
        """Return how many queries a PASS takes where nothing is lost, and a FAIL where all is."""
        to_fail = tries(1 - self.max_drop, 1.0, self.alpha)
        return Needs(tries(self.max_drop, 1.0, self.beta), to_fail, "queries")

    def measure(
        self,
        search: Callable[..., object],
        exact_search: Callable[..., object],
        queries: object,
        labels: object = None,
        *,
        slice_of: object = None,
        popularity: object = None,
        sizes: object = None,
    ) -> Generator[Look, object, None]:
        """Ask both searches every query.

        ``labels`` (an item, or a list of items, for each query), and ``slice_of``, are parallel to
        ``queries``, a column of theirs, or a callable of a query.
        """
        from pytest_mlgates.gates.recall_retention.measure import Plan, measure_recall

        if (sizes is None) and self.max_size_ratio is not None:
            raise Unmeasurable(
                "max_size_ratio needs sizes: give two, of the index and of what it stands for"
            )
        plan = Plan(
            k=self.k,
            max_queries=self.max_queries,
            timeout_s=self.timeout_s,
            concurrency=self.concurrency,
            lower_error=self.alpha,
            upper_error=self.beta,
        )
        yield from measure_recall(
            search,
            exact_search,
            queries,
            labels=labels,
            slice_of=slice_of,
            popularity=popularity,
            sizes=sizes,
            plan=plan,
        )

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen), self.alpha, self.beta)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a row lost more than allowed, PASS where each surely lost less."""
        limits = Limits(
            k=self.k,
            max_drop=self.max_drop,
            max_slice_drop=self.max_slice_drop or self.max_drop,
            max_size_ratio=self.max_size_ratio,
            slices=recorded(self.slices),
            alpha=self.alpha,
            beta=self.beta,
        )
        return judge(measurement.read(Seen), measurement.n, limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw what all queries and each slice lost, of the exact answers and of the next events."""
        seen = measurement.read(Seen)
        rows = (seen.whole, *seen.slices[:MAX_DRAWN])
        lost = [(row.name, row.lost, 1.0, 0.0) for row in rows if row.lost.n]
        drop = [(row.name, row.drop, 2.0, -1.0) for row in rows if row.drop and row.drop.n]
        for title, kind in (("exact answers lost", lost), ("fewer next events found", drop)):
            points = []
            for name, values, scale, shift in kind:
                low, high = mean_bounds(values, self.alpha, self.beta)
                low, mean, high = (scale * x + shift for x in (low, values.mean, high))
                label = f"{name or 'all'} ({values.n})"
                points.append(Point(label, mean, min(low, mean), max(high, mean)))
            if points:
                yield Intervals(
                    f"{title}, with bounds", tuple(points), "drop in recall", (self.max_drop,)
                )
