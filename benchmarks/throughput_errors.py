"""How often `throughput` bounds a queue wrongly: M/M/1 whose true P99 stands at the limit.

Counting is the production code; a wrong bound either way counts. Beside it exact bounds that take
requests for independent, and the percentile of the run against the limit. `--quick`: fewer runs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from pytest_mlgates.gates.throughput.counts import tail
from pytest_mlgates.load.sent import Sent
from pytest_mlgates.stats import binomial

RATE, SECONDS, ERROR, ALLOWED = 500.0, 60.0, 0.01, 0.01


def queue(load: float, rng: np.random.Generator) -> Sent:
    """Return requests to one server, first come first served, with exponential service."""
    due = np.sort(rng.uniform(0, SECONDS, rng.poisson(RATE * SECONDS)))
    service = rng.exponential(load / RATE, len(due))
    done = np.cumsum(service)
    sent = Sent(due)
    sent.begun, sent.answered = due, done + np.maximum.accumulate(due - (done - service))
    sent.ended = float(sent.answered[-1])
    return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    runs = 200 if options.quick else 2000
    rng = np.random.default_rng(1)
    print(f"{runs} runs of {SECONDS:g} s at {RATE:g} a second, error of each bound {ERROR}\n")
    print("| load | wrongly above | wrongly below | no bound (too short) | independent: above | "
          "below | percentile says slow |\n|---|---|---|---|---|---|---|")  # fmt: skip
    found = []
    for load in (0.5, 0.8, 0.9, 0.95, 0.98):
        limit = -np.log(ALLOWED) / (RATE / load - RATE)
        wrong = np.zeros(6, int)
        for _ in range(runs):
            sent = queue(load, rng)
            over = sent.latency() > limit
            tally = tail(sent, over, limit)
            k, n, deff = tally.over, tally.n, tally.deff
            wrong += (
                not tally.growing and binomial.lower(k, n, ERROR, deff) > ALLOWED,
                not tally.growing and binomial.upper(k, n, ERROR, deff) < ALLOWED,
                tally.growing,
                binomial.lower(k, n, ERROR) > ALLOWED,
                binomial.upper(k, n, ERROR) < ALLOWED,
                k > ALLOWED * n,
            )
        shares = (wrong / runs).tolist()
        found.append({"load": load, "shares": shares})
        print(f"| {load} | " + " | ".join(f"{share:.4f}" for share in shares) + " |", flush=True)
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
