"""Print incident and fix side by side, measured on this machine.

``python -m reference_systems.rtb_bidder.compare [--calls 1500] [--rate 130] [--seed 1]``
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reference_systems.rtb_bidder import fixed, incident
from reference_systems.rtb_bidder.inputs import bid_requests
from reference_systems.rtb_bidder.openrtb import Json, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reference_systems.rtb_bidder.bidder import Bidder

__all__ = ["closed_loop", "main", "measure", "open_loop"]


def closed_loop(call: Callable[[Json], object], inputs: Sequence[Json]) -> list[float]:
    """Return the milliseconds of each call, one straight after the other."""
    took = []
    for item in inputs:
        start = time.perf_counter()
        call(item)
        took.append((time.perf_counter() - start) * 1e3)
    return took


def open_loop(
    call: Callable[[Json], object], inputs: Sequence[Json], per_second: float, seed: int
) -> list[float]:
    """Return the milliseconds from each request's arrival to its answer.

    Requests arrive as a Poisson process, whether the one before is answered or not, and are
    answered by one worker in the order in which they came; waiting counts.
    """
    rng = random.Random(f"arrivals:{seed}")
    gaps = (rng.expovariate(per_second) for _ in inputs)
    began = time.perf_counter()
    took = []
    for item, arrival in zip(inputs, itertools.accumulate(gaps), strict=True):
        early = began + arrival - time.perf_counter()
        if early > 0:
            time.sleep(early)
        call(item)
        took.append((time.perf_counter() - began - arrival) * 1e3)
    return took


def measure(bidder: Bidder, requests: Sequence[Json], rate: float, seed: int) -> dict[str, float]:
    """Return the figures of one build, in milliseconds."""
    texts = [text_of(request) for request in requests]
    gc.collect()
    gc.freeze()  # as the server does once it has loaded
    tokenized = []
    for text in texts:
        start = time.perf_counter()
        bidder.tokenizer.encode(text)
        tokenized.append((time.perf_counter() - start) * 1e3)
    closed = closed_loop(bidder.bid, requests)
    opened = open_loop(bidder.bid, requests, rate, seed)
    return {
        "tokenizer, median text": float(np.median(tokenized)),
        "tokenizer, mean": float(np.mean(tokenized)),
        "call, P50, one after the other": float(np.percentile(closed, 50)),
        "call, P99, one after the other": float(np.percentile(closed, 99)),
        f"call, P99, {rate:g} arrivals a second": float(np.percentile(opened, 99)),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure both builds on the same requests and print a Markdown table."""
    parser = argparse.ArgumentParser(prog="compare", description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=130.0, help="arrivals per second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures as JSON too")
    options = parser.parse_args(arguments)
    if options.calls < 1 or not 0 < options.rate < float("inf"):
        parser.error("--calls and --rate must be above zero")
    requests = bid_requests(options.calls, options.seed)
    builds = {"incident": incident.bidder(), "fixed": fixed.bidder()}
    found = {
        name: measure(bidder, requests, options.rate, options.seed)
        for name, bidder in builds.items()
    }
    print(f"{options.calls} requests, seed {options.seed}; milliseconds\n")  # noqa: T201
    print("| | incident | fixed | ratio |\n|---|---|---|---|")  # noqa: T201
    for row, slow in found["incident"].items():
        fast = found["fixed"][row]
        print(f"| {row} | {slow:.2f} | {fast:.2f} | {slow / fast:.0f} |")  # noqa: T201
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
