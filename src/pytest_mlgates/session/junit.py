"""What pytest's own JUnit file says of a gate: properties of the test that called it."""

from __future__ import annotations

from pytest_mlgates.core import Evidence
from pytest_mlgates.core.words import number, one_line

__all__ = ["junit_properties"]


def junit_properties(evidence: Evidence, *, waived: bool = False) -> list[tuple[str, object]]:
    """Return names and values for ``--junitxml``, one group for each call of a gate.

    A FAIL that is ``waived`` says so: its test passes.

    >>> from pytest_mlgates.core import Measurement, Verdict
    >>> measurement = Measurement(value=8.13274, unit="ms", n=5000)
    >>> piece = Evidence(gate="p99_latency", policy={"max_ms": 12}, limit="max_ms",
    ...                  verdict=Verdict("pass", "P99 is 8.13 ms"), measurement=measurement)
    >>> for pair in junit_properties(piece)[:4]: print(*pair)
    mlgates.p99_latency.outcome PASS
    mlgates.p99_latency.reason P99 is 8.13 ms
    mlgates.p99_latency.measured 8.133 ms
    mlgates.p99_latency.limit 12 ms
    """
    name = f"mlgates.{one_line(evidence.entry)}"
    if evidence.call > 1:
        name = f"{name}[{evidence.call}]"
    values: dict[str, object] = {
        "outcome": "WAIVED" if waived else evidence.outcome.upper(),
        "reason": one_line(evidence.verdict.reason),
    }
    measurement = evidence.measurement
    if measurement is not None and measurement.n:
        values["measured"] = f"{number(measurement.value)} {measurement.unit}".strip()
        for limit in evidence.limits:
            values["limit"] = f"{number(limit)} {measurement.unit}".strip()
        values["n"] = measurement.n
    values |= {"role": evidence.role.value, "digest": evidence.digest}
    return [(f"{name}.{key}", value) for key, value in values.items()]
