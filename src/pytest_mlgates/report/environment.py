"""Where a run happened: machine, commit and packages. No host name, no variables, no arguments."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

import pytest_mlgates
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.machine import cpu_model

__all__ = ["environment"]


def environment(root: Path) -> dict[str, Json]:
    """Return what an auditor needs to judge where evidence came from."""
    facts: dict[str, Callable[[], Json]] = {
        "pytest_mlgates": lambda: pytest_mlgates.__version__,
        "python": lambda: f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform,
        "cpu": cpu_model,
        "cores": os.cpu_count,
        "commit": lambda: _git_commit(root),
        "packages": _packages,
    }
    return {name: _or_none(fact) for name, fact in facts.items()}


def _or_none(fact: Callable[[], Json]) -> Json:
    """Return a fact, or None where it can't be told: none of them is worth the report."""
    try:
        return fact()
    except Exception:  # noqa: BLE001  (a test may have left anything patched, or no file may be open)
        return None


def _git_commit(root: Path) -> Mapping[str, Json] | None:
    """Return the commit of the work tree and whether it was changed, or None outside git."""
    try:
        head = _git(root, "rev-parse", "HEAD")
        # small letters: files that git was told to take for unchanged
        hidden = any(line[:1].islower() for line in _git(root, "ls-files", "-v").splitlines())
        dirty = hidden or bool(_git(root, "status", "--porcelain").strip())
        return {"id": head.strip(), "dirty": dirty}
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _git(root: Path, *words: str) -> str:
    return subprocess.run(  # noqa: S603  (words of ours alone)
        ["git", "--no-optional-locks", *words],  # noqa: S607  (the user's own git)
        cwd=root,
        check=True,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=10,
        stdin=subprocess.DEVNULL,
        # GIT_DIR and the like name another repository than the one that the tests lie in
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    ).stdout


def _packages() -> dict[str, Json]:
    found: dict[str, Json] = {}
    for distribution in metadata.distributions():
        try:
            name, version = distribution.metadata["Name"], distribution.version
        except Exception:  # noqa: BLE001, S112  (half an uninstalled package; the report goes on)
            continue
        if name and version:
            found[name.lower().replace("_", "-")] = version
    return dict(sorted(found.items()))
