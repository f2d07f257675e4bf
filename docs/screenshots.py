"""Makes the pictures of docs/report.md: a sample report with every state, opened in Chromium.

Its figures are invented; the page, and whatever draws it, are those of the package. Needs
playwright, pillow and Chromium. Run: python docs/screenshots.py [FOLDER]
"""

from __future__ import annotations

import io
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar
from unittest.mock import patch

from PIL import Image
from playwright.sync_api import sync_playwright

from pytest_mlgates import Limit, Measurement, Verdict
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Evidence, StatisticalGate
from pytest_mlgates.core.pictures import Histogram, Intervals, Lines, Picture, Point, Shares
from pytest_mlgates.report.build import build
from pytest_mlgates.report.model import EarlierGate, EarlierRun, EntryInfo, Report, Scope
from pytest_mlgates.writers.html_report.render import page

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
CHANCE = random.Random(3)
PICTURES: dict[str, Picture] = {
    "latency": Histogram(
        "Latency of 5000 calls (height: root of the count)",
        tuple(1.26**i for i in range(18)),
        (3, 40, 210, 640, 1120, 1300, 930, 420, 190, 80, 30, 12, 9, 8, 4, 3, 1),
        "ms", 12.0, (Point("P99", 14.1, 12.9, 16.0),),
    ),
    "exceedance": Lines(
        "Share of calls over 12 ms, as each look bounds it",
        tuple(
            Point("", share, low, high, bad=low > 1)
            for share, low, high in ((1, 0.1, 3.6), (1.6, 0.4, 3.4), (1.9, 0.9, 3.1),
                                     (2.0, 1.2, 2.8), (1.9, 1.4, 2.5))
        ),
        "%", (1.0,), (300.0, 500.0, 1000.0, 2000.0, 5000.0), "calls",
    ),
    "exposure": Histogram(
        "Exposure of 40 planted canaries", tuple(map(float, range(16))),
        (9, 8, 7, 5, 3, 2, 1, 1, 0, 0, 0, 2, 1, 0, 1), "bits", 8.0,
        (Point("canary-07", 14.2), Point("canary-12", 12.4), Point("canary-31", 11.5)),
    ),
    "slices": Intervals(
        "Rate of divergence by manoeuvre",
        tuple(
            Point(name, rate, low, high, bad=low > 0.02)
            for name, rate, low, high in (
                ("unprotected left turn", 0.091, 0.062, 0.13), ("right turn", 0.006, 0.002, 0.014),
                ("lane change", 0.004, 0.001, 0.012), ("straight", 0.0007, 0.0002, 0.002),
            )
        ),
        "of frames", (0.02,),
    ),
    "groups": Intervals(
        "Each group of names against the others",
        tuple(
            Point(f"{name} (24 names)", off, off - 0.03, off + 0.03, bad=abs(off) > 0.04)
            for name, off in (("asian_pacific", -0.01), ("black", -0.09), ("hispanic", -0.06),
                              ("white", 0.12))
        ),
        "score", (-0.01, 0.01),
    ),
    "cost": Shares(
        "What the weekend cost",
        tuple(
            Point(name, amount, bad=bad)
            for name, amount, bad in (
                ("zombie GPU pods", 8000, True), ("all-reduce between zones", 5000, True),
                ("orphaned volumes", 2000, True), ("serving", 3100, False),
                ("training", 1400, False), ("logs", 300, False),
            )
        ),
        "USD", 6000.0,
    ),
    "stages": Shares(
        "By stage: the time of the 51 slowest calls",
        (Point("tokenize", 88.0), Point("model", 8.0), Point("parse", 3.0), Point("respond", 1.0)),
        "%",
    ),
}  # fmt: skip


class Sample(StatisticalGate):
    """Bounds what it is asked for, exactly, at a few looks over which the error is spent.

    Sources: Clopper and Pearson 1934.
    """

    shown: ClassVar[tuple[str, ...]] = ()

    def measure(self) -> Measurement:
        """Measure nothing: the figures are invented."""
        raise NotImplementedError

    def decide(self, measurement: Measurement, /) -> Verdict:
        """Decide nothing."""
        raise NotImplementedError

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:  # noqa: ARG002
        """Return the pictures of this page."""
        return (PICTURES[name] for name in self.shown)


def gate(*shown: str) -> type[Sample]:
    """Return a gate that shows these pictures."""

    @dataclass(frozen=True, kw_only=True)
    class Kind(Sample):
        limit_at: Annotated[float, Limit(tighten="down"), "the largest value allowed"] = 1.0

    Kind.__doc__, Kind.name, Kind.shown = Sample.__doc__, "sample", shown
    return Kind


KINDS = {
    "p99_latency": gate("latency", "exceedance", "stages"),
    "canary_memorization": gate("exposure"),
    "shadow_divergence": gate("slices"),
    "name_invariance": gate("groups"),
    "cost_budget": gate("cost"),
}


def sample() -> Report:
    """Return a report with a system in each state."""
    evidence = [
        piece("rtb_bidder", "p99_latency", "fail", (14.1, 12.9, 16.0), 12, "ms", 5000,
              "P99 is 14.1 ms over 5000 calls, limit 12 ms: at least 1.4 % of calls exceed it (1 % may)",
              "A bid leaves before the exchange stops listening.",
              "tokenize took 88 % of the time of the slowest calls"),
        piece("truckai_shadow", "shadow_divergence", "inconclusive", (0.021, 0.015, 0.03), 0.02,
              "of frames", 2000, "2.1 % of frames diverge (limit 2 %): too near the limit to tell",
              "V2 drives as V1 does, on every manoeuvre."),
        piece("cloud_bill", "cost_budget", "fail", (19800, 19800, 19800), 6000, "USD", 1204,
              "the weekend cost 19,800 USD (limit 6,000): 15,000 are waste",
              "A weekend costs what a weekend may cost.",
              "pod train-zombie-3 held 8 GPUs for 61 h without a step: 5,120 USD"),
        piece("resume_screener", "name_invariance", "pass", (0.004, 0.003, 0.005), 0.01, "score", 2107,
              "the largest gap between two names is 0.004 (limit 0.01)",
              "The same résumé gets the same score under every name."),
        piece("support_bot", "canary_memorization", "pass", (3.1, 2.2, 4.0), 8, "bits", 40,
              "no canary has an exposure above 3.1 bits (limit 8)",
              "The bot does not give back what was planted in its training data."),
        piece("support_bot", "canary_memorization", "fail", (14.2, 11.9, 15.0), 8, "bits", 40,
              "canary-07 has an exposure of 14.2 bits (limit 8): chance explains one in 18,800",
              "The bot of the incident gives back what was planted.",
              "prompt 'my card is': 'my card is 4███ ████ ████ ██11'", role="known_bad"),
    ]  # fmt: skip
    waiver = Waiver(
        gate="cost_budget", reason="the reaper lands on Thursday, OPS-412", approved_by="finance",
        owner="platform", expires="2026-12-31", up_to=20000.0, source="gate_configs/cloud_bill.yaml:14",
    )  # fmt: skip
    scopes = [
        scope("rtb_bidder", "p99_latency", "throughput"),
        scope("truckai_shadow", "shadow_divergence", inconclusive="warn"),
        scope("cloud_bill", "cost_budget", waivers=(waiver,)),
        scope("resume_screener", "name_invariance", suite_alpha=1e-3),
        scope("support_bot", "canary_memorization"),
    ]
    facts = {
        "finished": NOW.isoformat(), "commit": {"id": "4b1c" * 10, "dirty": False}, "seed": 0,
        "profile": "default", "python": "CPython 3.12.4", "cpu": "AMD EPYC", "cores": 8,
    }  # fmt: skip
    history = [earlier(day) for day in range(20)]
    return build(evidence, scopes, [], facts, NOW, history)


def piece(
    system: str, name: str, outcome: str, seen: tuple[float, float, float], limit: float, unit: str,
    n: int, reason: str, claim: str, finding: str = "", role: str = "gate",
) -> Evidence:  # fmt: skip
    """Return one piece of evidence."""
    value, low, high = seen
    details = {"findings": [finding] if finding else []}
    return Evidence(
        gate=name, system=system, role=role, claim=claim, limit="limit_at",
        policy={"limit_at": limit, "alpha": 1e-4, "beta": 1e-3}, verdict=Verdict(outcome, reason),
        test=f"reference_systems/{system}/test_gates.py::test_{'incident' if role != 'gate' else 'it'}",
        source=f"gate_configs/{system}.yaml:9", subject=f"reference_systems.{system}:System.reply",
        subject_digest=CHANCE.randbytes(32).hex(),
        measurement=Measurement(value=value, unit=unit, n=n, interval=(low, high), details=details),
    )  # fmt: skip


def scope(system: str, *entries: str, waivers: tuple[Waiver, ...] = (), **rules: object) -> Scope:
    """Return one config."""
    path = f"gate_configs/{system}.yaml"
    return Scope(
        path=path, sha256=CHANCE.randbytes(32).hex(), system=system, owner=system.partition("_")[0],
        controls=("NIST-AI-RMF:MEASURE-2.4", "EU-AI-Act:Art-15"), profile=Profile(**rules),
        entries=tuple(EntryInfo(entry=e, gate=e, source=f"{path}:{9 + i}") for i, e in enumerate(entries)),
        waivers=waivers,
    )  # fmt: skip


def earlier(day: int) -> EarlierRun:
    """Return what a report of an earlier day said."""
    gates = (
        ("rtb_bidder", "p99_latency", 8 + 0.25 * day + CHANCE.uniform(-0.6, 0.6), 12, "ms"),
        ("resume_screener", "name_invariance", CHANCE.uniform(0.003, 0.006), 0.01, "score"),
        (
            "cloud_bill",
            "cost_budget",
            5200 + CHANCE.uniform(-500, 500) + 9000 * (day > 16),
            6000,
            "USD",
        ),
    )
    return EarlierRun(
        finished=(NOW - timedelta(days=20 - day)).isoformat(),
        commit=CHANCE.randbytes(20).hex(),
        outcome="pass",
        sha256=CHANCE.randbytes(32).hex(),
        gates=tuple(
            EarlierGate(
                system=system, entry=entry, status="fail" if value > limit else "pass", value=value,
                low=0.93 * value, high=1.08 * value, limit=limit, unit=unit,
            )
            for system, entry, value, limit, unit in gates
        ),
    )  # fmt: skip


def keep(image: bytes, file: Path) -> None:
    """Write a screenshot with few colours: a third of the size."""
    Image.open(io.BytesIO(image)).convert("RGB").quantize(64).save(file, optimize=True)


def main() -> None:
    """Write the page, open it, and keep what docs/report.md shows."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "report"
    out.mkdir(exist_ok=True)
    with patch(
        "pytest_mlgates.writers.html_report.view.load", lambda name: KINDS.get(name, Sample)
    ):
        text = page(sample())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        file = Path(folder) / "report.html"
        file.write_text(text, encoding="utf-8")
        chromium = play.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox"],
        )
        for scheme in ("light", "dark"):
            opened = chromium.new_page(
                color_scheme=scheme, viewport={"width": 1160, "height": 1180}
            )
            opened.goto(file.as_uri())
            opened.locator(".filter").wait_for()
            keep(opened.screenshot(), out / f"overview-{scheme}.png")
        opened = chromium.new_page(color_scheme="light", viewport={"width": 740, "height": 900})
        opened.goto(file.as_uri())
        opened.click("#unfold")
        figures = {picture.title: name for name, picture in PICTURES.items()}
        for figure in opened.locator("figure").all():
            title = figure.locator("figcaption").inner_text()
            name = figures.get(title, "trend" if title.startswith("p99_latency") else "")
            if name:
                keep(figure.screenshot(), out / f"{name}.png")
        chromium.close()


if __name__ == "__main__":
    main()
