"""Is every change to a signed report folder found by `mlgates verify`?

Six honest reports are made by pytest (passed, failed, waived, inconclusive, broken subject, kept in a
store), signed with Ed25519 and with ECDSA P-256. Each must verify, before and after. Then changes are
drawn at random over all files and verified one by one.

    python benchmarks/tamper.py [--quick] [--changes N] [--seed N]
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pytest_mlgates.signing.coverage import ConfigsAtHand  # noqa: E402
from pytest_mlgates.signing.keys import PublicKey, public_key  # noqa: E402
from pytest_mlgates.signing.store import Store  # noqa: E402
from pytest_mlgates.signing.verify import verify  # noqa: E402
from tests.signing.tampering import KINDS, Files, read, tamper, write  # noqa: E402

CONFIG = """
version: 1
system: demo
owner: team-a
gates:
  name_invariance: {max_gap: 0.02}
  p99_latency: {max_ms: 1000}
profiles:
  lenient: {inconclusive: warn}
"""
WAIVER = """
waivers:
  - {gate: name_invariance, reason: retrained next week, approved_by: b, expires: 2999-12-31}
"""
TESTS = """
import pytest

pytestmark = pytest.mark.system("demo")

def fair(text):
    return 0.5 + 0.1 * ("nurse" in text)

def biased(text):
    return 0.5 - 0.2 * ("z" in text)

def incident(text):
    return 0.5 - 0.4 * ("z" in text)

def broken(text):
    raise ValueError("no model")

TEMPLATES = ["{{NAME}} has ten years of experience", "Dear team, I am {{NAME}}, a nurse"]

def test_names(name_invariance):
    name_invariance({scorer}, TEMPLATES)

def test_latency(p99_latency):
    p99_latency(len, ["a", "bb"] * {pairs})

@pytest.mark.known_bad
def test_incident(name_invariance):
    name_invariance(incident, TEMPLATES)
"""

#: what is gated, the pytest options and the exit status of an honest run
CASES = {
    "passed": ("fair", 3000, "", [], 0),
    "failed": ("biased", 3000, "", [], 1),
    "waived": ("biased", 3000, WAIVER, [], 0),
    "inconclusive": ("fair", 5, "", ["--mlgates-profile=lenient"], 0),
    "broken": ("broken", 3000, "", [], 1),
    "kept": ("fair", 3000, "", ["--mlgates-store=../store"], 0),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the changes")
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    count = args.changes // 10 if args.quick else args.changes
    with tempfile.TemporaryDirectory() as name:
        return run(Path(name), count, random.Random(args.seed))


def run(place: Path, count: int, rng: random.Random) -> int:
    keys = [make_key(place, kind) for kind in ("ed25519", "p256")]
    reports = {
        f"{case}, {private.stem}": (make_report(place, case, private), public)
        for case in CASES
        for private, public in keys
    }
    honest = sum(is_good(folder, public) for folder, public in reports.values())
    found, tried, missed = Counter(), Counter(), []
    seconds = 0.0
    contents = {title: read(folder) for title, (folder, _) in reports.items()}
    while sum(tried.values()) < count:
        title = rng.choice(sorted(reports))
        folder, public = reports[title]
        files = contents[title]
        others = [content for other, content in contents.items() if other != title]
        kind, name = rng.choice(KINDS), rng.choice(sorted(files))
        changed = tamper(rng, kind, name, files, others)
        if changed == files:
            continue
        seconds += attack(folder, files, changed, public, tried, found, (name, kind), missed, title)
    again = sum(is_good(folder, public) for folder, public in reports.values())
    show(tried, found)
    for line in missed[:20]:
        print("MISSED", *line)
    total = sum(tried.values())
    print(f"\nhonest reports verified: {honest} of {len(reports)}, and {again} afterwards")
    print(
        f"changes found: {sum(found.values()):,} of {total:,}, {seconds / total * 1e3:.1f} ms each"
    )
    return int(bool(missed) or honest != len(reports) or again != len(reports))


def attack(
    folder: Path,
    files: Files,
    changed: Files,
    public: PublicKey,
    tried: Counter[tuple[str, str]],
    found: Counter[tuple[str, str]],
    cell: tuple[str, str],
    missed: list[tuple[str, ...]],
    title: str,
) -> float:
    write(folder, files, changed)
    began = time.perf_counter()
    good = verify(folder, [public]).good
    took = time.perf_counter() - began
    write(folder, changed, files)
    tried[cell] += 1
    found[cell] += not good
    if good:
        missed.append((title, *cell))
    return took


def is_good(folder: Path, public: PublicKey) -> bool:
    """Verify an honest report by all that can be asked of it."""
    configs = ConfigsAtHand(folder.parent / "gate_configs")
    kept = folder.parent.name.startswith("kept")
    store = Store(folder.parent.parent / f"store-{folder.parent.name}") if kept else None
    found = verify(folder, [public], configs=configs, store=store)
    if not found.good:
        print(folder, *found.lines(), sep="\n")
    return found.good


def make_key(place: Path, kind: str) -> tuple[Path, PublicKey]:
    private, public = place / f"{kind}.pem", place / f"{kind}.pub"
    how = {"ed25519": ["ed25519"], "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}[kind]
    for words in (
        ["genpkey", "-algorithm", *how, "-out", private],
        ["pkey", "-in", private, "-pubout", "-out", public],
    ):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    return private, public_key(public)


def make_report(place: Path, case: str, key: Path) -> Path:
    scorer, pairs, more, options, status = CASES[case]
    folder = place / f"{case}-{key.stem}"
    (folder / "gate_configs").mkdir(parents=True)
    (folder / "gate_configs" / "demo.yaml").write_text(CONFIG + more)
    (folder / "test_demo.py").write_text(TESTS.format(scorer=scorer, pairs=pairs))
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = [word.replace("../store", f"../store-{folder.name}") for word in options]
    words = ["-q", "-p", "no:cacheprovider", "--mlgates-report=report", f"--mlgates-sign={key}"]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *options],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if told.returncode != status:
        raise SystemExit(f"{case}: exit status {told.returncode}\n{told.stdout}{told.stderr}")
    return folder / "report"


def show(tried: Counter[tuple[str, str]], found: Counter[tuple[str, str]]) -> None:
    names = sorted({name for name, _ in tried})
    print("| change | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for kind in KINDS:
        cells = (f"{found[name, kind]} of {tried[name, kind]}" for name in names)
        print(f"| {kind} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main())
