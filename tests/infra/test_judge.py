"""What the rules found, put together by hand."""

from __future__ import annotations

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.infra_guardrails.details import Found, Seen
from pytest_mlgates.gates.infra_guardrails.judge import judge


def seen(not_seen: int = 0, **rules: Found) -> Seen:
    return Seen(rules=rules, not_seen=not_seen, owner_labels=(), trusted_modules=(), files=1,
                files_sha256="0" * 64, calls=1, findings=())  # fmt: skip


def found(kept: int, broken: int = 0, open_: int = 0) -> Found:
    return Found(kept=kept, broken=broken, open=open_, numbers=(), example="x" if broken else "")


def test_what_is_open_and_what_was_not_seen_add_up():
    parts = seen(2, job_ttl=found(5, open_=3), owner=found(1, open_=4))
    verdict = judge(parts, 3, ["job_ttl", "owner"], {}, [])
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "nothing is broken in 13 checks, but 9 can't be decided" in verdict.reason
    assert judge(seen(2, job_ttl=found(5)), 3, ["job_ttl"], {}, []).outcome == Outcome.INCONCLUSIVE
    assert judge(seen(job_ttl=found(5)), 3, ["job_ttl"], {}, []).outcome == Outcome.PASS
