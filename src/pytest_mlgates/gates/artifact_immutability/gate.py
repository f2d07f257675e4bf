"""Whether a stored artifact can ever change, get lost, or be served unverified."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pytest_mlgates.core import Gate, Headline, Look, Measurement, Needs, Verdict
from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.fields import Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.artifact_immutability.details import FAULTS, Seen
from pytest_mlgates.gates.artifact_immutability.judge import headline, judge
from pytest_mlgates.gates.artifact_immutability.protocol import Store

__all__ = ["ArtifactImmutability"]

FaultName = Literal["flip", "cut", "lengthen", "empty", "swap", "cut read"]


@dataclass(frozen=True, kw_only=True)
class ArtifactImmutability(Gate):
    """Can a stored artifact ever change, get lost, or be served unverified?

    Random sequences of put, overwrite, put again, delete, rename, puts at once, puts that break
    off or are killed, bits that flip, files that are cut, swapped or emptied, reads that are cut
    off, and pairs of files that careless keys take for one (the same first 12 digits of SHA-256,
    equal MD5) are run on a store. After each, the bytes behind every reference are held against
    those it was acknowledged for. A refusal is always right but for an artifact that was
    acknowledged and that nothing happened to.

    The store is any object with ``put`` and ``get``; see
    :class:`~pytest_mlgates.gates.artifact_immutability.protocol.Store` for what it may offer
    besides. What it can't be asked is named as not looked for. A FAIL is a proof: the shortest
    sequence found that breaks a promise. A PASS bounds the share of sequences, drawn like these,
    that would break one: 1,000 clean ones show that fewer than 0.69 % do, 10,000 fewer than
    0.069 % (each but for a chance of 0.1 %).

    >>> class Overwrites:
    ...     files = {}
    ...     def put(self, stream, name):
    ...         self.files[name] = stream.read()
    ...         return name
    ...     def get(self, reference):
    ...         return self.files[reference]
    ...     def reopen(self):
    ...         return self
    >>> evidence = ArtifactImmutability(sequences=100).run(Overwrites())
    >>> evidence.outcome.value
    'fail'

    Not seen: a loss that takes longer than the run, a power cut that the store can't be put
    through, an artifact of more than 3 MB.

    To mend: name an artifact by the digest of its bytes, never write where a name is taken, and
    check the digest while it is read.

    Source: Claessen and Hughes, Testing monadic code with QuickCheck, 2002 (stateful properties).
    """

    name: ClassVar[str] = "artifact_immutability"
    limit: ClassVar[str] = "sequences"
    worse: ClassVar[Literal["up", "down"]] = "down"

    sequences: Annotated[
        int,
        Limit(tighten="up", ge=100, le=1_000_000, unit="sequences"),
        "so many random sequences of operations break nothing",
    ] = 1000
    faults: Annotated[
        tuple[FaultName, ...],
        "faults that must have been done, and refused, for a PASS; what else can't be done is named",
    ] = ()
    longest: Annotated[int, Limit(ge=4, le=100), "most operations in a sequence"] = 12
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a call that takes longer is stopped"] = 60.0

    def needs(self) -> Needs:
        """Return how many sequences a PASS takes; one that breaks is enough for a FAIL."""
        return Needs(self.sequences, 1, "sequences")

    def measure(self, store: Store, *, seed: int = 0) -> Generator[Look, object, None]:
        """Run the sequences that ``seed`` draws on ``store``, whatever it holds already."""
        from pytest_mlgates.gates.artifact_immutability.measure import Plan, measure_store

        plan = Plan(
            sequences=self.sequences, longest=self.longest, timeout_s=self.timeout_s, seed=seed
        )
        yield from measure_store(store, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen))

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a sequence broke a promise, PASS where enough broke none."""
        seen = measurement.read(Seen)
        if measurement.value != seen.clean:
            raise Unfit(
                f"value: {measurement.value:g} sequences, but details.clean is {seen.clean}"
            )
        return judge(seen, measurement.n, self.sequences, self.faults)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw how many sequences broke nothing, against how many are wanted."""
        clean = measurement.read(Seen).clean
        point = Point("broke nothing", clean, clean, clean)
        yield Intervals("sequences of operations", (point,), "sequences", (self.sequences,))


assert set(FaultName.__args__) == set(FAULTS)  # type: ignore[attr-defined]
