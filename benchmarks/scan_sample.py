"""How often a sample sees a leak, beside the chance that is stated; and clean data called dirty.

``python benchmarks/scan_sample.py [--draws 200] [--records 30000] [--files 100] [--rows 5000]``: a data set of
``--files`` files, in 2 % of which 1 in 10,000 of all records holds a card, is written once. Each draw is a whole
sample scan with its own seed, from the files to the findings, with one kind looked for.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from pytest_mlgates.audit.engine import PartitionDone
from pytest_mlgates.audit.listing import data_files
from pytest_mlgates.audit.run import partitions_of
from pytest_mlgates.audit.sample import chance_found, rate_below
from pytest_mlgates.audit.settings import ScanSettings
from pytest_mlgates.audit.work import Scanner
from pytest_mlgates.gates.pii_leak.plant import card
from pytest_mlgates.stats.binomial import lower, upper

KINDS = ("CREDIT_CARD",)


def write(folder: Path, files: int, rows: int, *, dirty: bool) -> None:
    draw = random.Random(5)
    leaking = set(draw.sample(range(files), max(1, files // 50)))
    each = files * rows // 10_000 // len(leaking)
    for n in range(files):
        places = set(draw.sample(range(rows), each)) if dirty and n in leaking else set()
        lines = (
            f'{{"n": {i}, "said": "{f"my card is {card(draw)}" if i in places else f"order {i * 7919} is late"}"}}\n'
            for i in range(rows)
        )
        (folder / f"{n:03}.jsonl").write_text("".join(lines))


def seen(data: Path, out: Path, records: int, seed: int) -> tuple[int, int, float]:
    """Return dirty records found, records drawn, and the bound on the rate."""
    import json

    from pytest_mlgates.audit.findings import reports_of
    from pytest_mlgates.audit.storage import Address

    settings = ScanSettings(
        entities=KINDS, key=b"0123456789abcdef", out=str(out), sample=records, seed=seed
    )
    partitions = partitions_of(settings, data_files([str(data)]))
    dirty = drawn = 0
    stretches: list[tuple[int, int]] = []
    scanner = Scanner(settings)
    for partition in partitions:
        done = PartitionDone(**json.loads(scanner(partition.to_json())))
        dirty, drawn = dirty + done.dirty, drawn + done.records
        place = Address.of(str(out)).joined(partition.file_name)
        stretches += [(report.held, report.records) for report in reports_of(place)]
    return dirty, drawn, rate_below(dirty, stretches, 0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--records", type=int, default=30_000)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--rows", type=int, default=5_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for dirty in (True, False):
            data = Path(scratch) / f"data-{dirty}"
            data.mkdir()
            write(data, options.files, options.rows, dirty=dirty)
            truth = (options.files * options.rows // 10_000) / (options.files * options.rows)
            truth = truth if dirty else 0.0
            hits = wrong = drawn = 0
            for seed in range(options.draws):
                found, drawn, bound = seen(data, Path(scratch) / "out", options.records, seed)
                hits += found > 0
                wrong += bound < truth
            low, high = lower(hits, options.draws, 0.025), upper(hits, options.draws, 0.025)
            stated = chance_found(1e-4, 0.02, options.records) if dirty else 0.0
            print(
                f"{'planted' if dirty else 'clean'}: {hits} of {options.draws} draws of {drawn:,} of"
                f" {options.files * options.rows:,} records saw a leak ({low:.3f} to {high:.3f});"
                f" stated {stated:.3f}; bound below the true rate in {wrong}",
                flush=True,
            )


if __name__ == "__main__":
    main()
