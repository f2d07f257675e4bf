"""Whether a subject reaches for an address that is not on the list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pytest_mlgates.core import Gate, Headline, Measurement, Needs, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.gates.egress.allowed import parse_allowed
from pytest_mlgates.gates.egress.details import Seen
from pytest_mlgates.gates.egress.judge import headline, judge

__all__ = ["Egress"]


@dataclass(frozen=True, kw_only=True)
class Egress(Gate):
    """Does anything leave for an address off the list while the subject answers?

    The subject is called for each input in a child process, inside a network namespace of its own
    whose loopback answers for every address: whatever it sends, by Python, by native code or by a
    subprocess, stays there and is seen. Python's audit hooks add the line of code. Connections to
    what the list names as ``host:port`` are passed on, and its names are looked up, so that a
    subject can use a service that it may use.

    What was seen is a fact about these calls. A call that fails proves nothing, since it may have
    been about to send more. Where no namespace can be had (not Linux, not permitted) the gate can
    FAIL and never PASS.

    A subject with threads of its own (a vector store, a GPU) does not survive a fork: pass
    ``factory=True`` and a callable that makes it, which then runs in the child.

    >>> gate = Egress(allow=("10.0.0.0/8", "db.internal:5432"))
    >>> print(gate.run(lambda text: len(text), []).verdict.reason)
    the subject was not called, so nothing is known

    Not seen: Unix sockets, shared memory, files that somebody else sends.

    To mend: switch off what calls home at the line that is named (telemetry, look-ups of
    updates, downloads), or put the address into ``allow`` after a review.
    """

    name: ClassVar[str] = "egress"
    cap: ClassVar[str] = "max_calls"
    shows: ClassVar[frozenset[str]] = frozenset(("IP_ADDRESS",))
    subject: ClassVar[str] = "call"

    allow: Annotated[
        tuple[str, ...],
        "what may be reached: addresses, networks and names, as in 10.0.0.0/8 or db.internal:5432",
    ] = ()
    max_calls: Annotated[int, Limit(ge=1), "most inputs that the subject is called for"] = 1000
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a call that takes longer is stopped"] = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for text in self.allow:
            try:
                parse_allowed(text)
            except ValueError as error:
                raise FieldError("allow", str(error)) from None

    def limit_field(self) -> str:
        """Return no field: what is counted, addresses off the list, has no limit but 0."""
        return ""

    def needs(self) -> Needs:
        """Return that one call can show a contact; how many show that there is none is not known."""
        return Needs(to_pass=1, to_fail=1)

    def measure(
        self, call: Callable[..., object], inputs: object, *, factory: bool = False
    ) -> Measurement:
        """Call ``call`` for every input where nothing leaves unseen.

        With ``factory`` it is called once, in the child, and returns what is called then.
        """
        from pytest_mlgates.gates.egress.measure import Plan, measure_egress

        plan = Plan(
            allow=self.allow,
            max_calls=self.max_calls,
            timeout_s=self.timeout_s,
            factory=factory,
        )
        return measure_egress(call, inputs, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen))

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where an address off the list was reached for, PASS where all could be seen."""
        return judge(measurement.read(Seen), measurement.n, self.allow)
