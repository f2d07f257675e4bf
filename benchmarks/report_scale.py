"""How long a report of many pieces of evidence takes to write, how large it is, and how it opens.

The pieces are of the size that ``p99_latency`` leaves (details of about a kilobyte), and arrive as
after a run: in a journal, and on pytest's reports. The browser part runs where playwright and
Chromium are installed. Run: python benchmarks/report_scale.py
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path

from pytest_mlgates.config.load import load_config
from pytest_mlgates.core import Evidence, Measurement, Verdict
from pytest_mlgates.session.journal import FOLDER, Journal
from pytest_mlgates.session.ledger import Ledger

ENTRIES = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 pieces at most")
    sizes = (500, 2_000) if parser.parse_args().quick else (500, 10_000, 100_000)
    print(
        "| pieces | written in s | of CPU | report.html MB | report.json MB | opened in s | searched |"
    )
    print("|---|---|---|---|---|---|---|")
    for pieces in sizes:
        with tempfile.TemporaryDirectory() as folder:
            print(f"| {pieces:,} | {' | '.join(measured(Path(folder), pieces))} |", flush=True)


def measured(folder: Path, pieces: int) -> list[str]:
    """Write a report of this many pieces; return the cells of its row."""
    config = folder / "bidder.yaml"
    lines = [f"  p99-{i}: {{gate: p99_latency, max_ms: 12}}" for i in range(ENTRIES)]
    config.write_text("\n".join(["version: 1", "system: bidder", "gates:", *lines]) + "\n")
    report = folder / "report"
    ledger = Ledger(report, report / FOLDER, folder, {"seed": 0, "profile": "default"})
    ledger.open_folder()
    journal = Journal(ledger.journals, "main", of_the_run=True)
    texts = []
    for evidence in made(pieces):
        journal.recorded(evidence)
        texts.append(evidence.to_json())
    journal.close()
    ledger.expect(pieces)
    wall, cpu = time.perf_counter(), time.process_time()
    ledger.add_evidence(texts)
    found = ledger.close([load_config(config)], None)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert len(found.evidence) == pieces, found.problems[:3]
    assert not ledger.faults, ledger.faults
    sizes = [(report / name).stat().st_size / 1e6 for name in ("report.html", "report.json")]
    cells = [f"{wall:.1f}", f"{cpu:.1f}", *(f"{size:.2f}" for size in sizes)]
    return [*cells, *opened(report / "report.html", pieces)]


def made(pieces: int) -> list[Evidence]:
    """Return evidence, one in a hundred of it FAIL."""
    chance = random.Random(1)
    found = []
    for i in range(pieces):
        value = chance.lognormvariate(1.5, 0.3)
        details = {
            "counts": {"raw": {"over": i % 7, "n": 5000, "deff": 1.5}, "margin": 1.25, "n": 5000},
            "histogram": {
                "counts": [chance.randrange(900) for _ in range(24)],
                "from_ms": [1.26**k for k in range(24)],
            },
            "slowest": {"calls": 50, "stages": {f"stage {k}": chance.random() for k in range(6)}},
            "findings": [f"stage {i % 6} took {chance.random():.0%} of the time"],
        }
        outcome = "fail" if i % 100 == 0 else "pass"
        found.append(
            Evidence(
                gate="p99_latency",
                entry=f"p99-{i % ENTRIES}",
                system="bidder",
                policy={"max_ms": 12, "alpha": 1e-4, "beta": 1e-3, "quantile": 0.99},
                limit="max_ms",
                test=f"tests/test_bidder.py::test_region[{i}]",
                claim="A bid leaves before the exchange stops listening.",
                source=f"gate_configs/bidder.yaml:{4 + i % ENTRIES}",
                subject="bidder.serving:Bidder.bid",
                subject_digest=chance.randbytes(32).hex(),
                verdict=Verdict(outcome, f"P99 is {value:.3g} ms over 5000 calls, limit 12 ms"),
                measurement=Measurement(
                    value=value,
                    unit="ms",
                    n=5000,
                    interval=(value - 0.2, value + 0.3),
                    details=details,
                ),
            )
        )
    return found


def opened(file: Path, pieces: int) -> tuple[str, str]:
    """Return how long the page takes in Chromium until it can be used, and until a search is done."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return "-", "-"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return "-", "-"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(file.as_uri())
        page.get_by_text(f"{pieces} of {pieces} shown").wait_for(timeout=120_000)
        ready = time.perf_counter()
        page.fill("#words", f"test_region[{pieces - 1}]")
        page.get_by_text(f"1 of {pieces} shown").wait_for(timeout=120_000)
        done = time.perf_counter()
        browser.close()
    return f"{ready - start:.1f}", f"{done - ready:.1f} s"


if __name__ == "__main__":
    main()
