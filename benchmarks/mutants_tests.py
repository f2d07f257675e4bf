"""Which files are mutated, and which tests must notice."""

from __future__ import annotations

from pathlib import Path

__all__ = ["files_of", "tests_of"]

_SRC = "src/pytest_mlgates"
#: rooms whose every module is mutated: what counts, what reads, what decides again
_ROOMS = ("stats", "gates", "reading")
_ALSO = ("report/replay.py", "report/read.py", "core/drive.py", "core/observations.py")

#: beside tests/gates/test_GATE*.py
_OF_A_GATE = {
    "bandwidth_budget": ("tests/bandwidth",),
    "canary_memorization": ("tests/memorization/test_matching.py",),
    "cost_budget": ("tests/costs",),
    "infra_guardrails": ("tests/infra",),
    "name_invariance": ("tests/names",),
    "p99_latency": ("tests/latency",),
    "shadow_divergence": ("tests/shadow",),
}
#: a module of the statistics that has no test file of its own name
_OF_STATS = {
    "binomial": "tail_statistics", "edetector": "distances",
    "eprocess": "tail_statistics", "paired": "tail_statistics", "prediction": "forecast",
    "quantiles": "tail_statistics", "rate": "ebh", "sequential": "design_effect",
}  # fmt: skip
_OF_READING = (
    "tests/test_tabular.py",
    "tests/test_containers.py",
    "tests/gates/test_slice_coverage.py",
)
_OF_REPLAY = ("tests/test_replay.py", "tests/test_older_version.py")
_OF_OBSERVATIONS = ("tests/stats/test_bounded.py",)


def files_of(root: Path) -> list[str]:
    """Return the modules that are mutated, relative to the root of the repository.

    A gate's policy (``gate.py``) is left out: it is a list of fields. Everything else is in, so that
    a new module is mutated from its first day.
    """
    found = [f"{_SRC}/{name}" for name in _ALSO]
    for room in _ROOMS:
        modules = sorted((root / _SRC / room).rglob("*.py"))
        kept = (path for path in modules if path.name not in {"__init__.py", "gate.py"})
        found += [path.relative_to(root).as_posix() for path in kept]
    return found


def tests_of(path: str) -> tuple[str, ...]:
    """Return the tests that have to notice a mutant of a module, its own doctests first."""
    room, _, rest = path.removeprefix(f"{_SRC}/").partition("/")
    if room == "gates":
        gate = rest.split("/")[0]
        root = Path(__file__).resolve().parents[1]
        own = sorted((root / "tests/gates").glob(f"test_{gate}*.py"))
        named = tuple(test.relative_to(root).as_posix() for test in own)
        return (path, *named, *_OF_A_GATE.get(gate, ()))
    if room == "stats":
        name = rest.removesuffix(".py")
        return (path, f"tests/stats/test_{_OF_STATS.get(name, name)}.py")
    if room == "reading":
        return (path, *_OF_READING)
    if path.endswith("core/observations.py"):
        return (path, *_OF_OBSERVATIONS)
    return (path, *_OF_REPLAY)
