"""Run Helm or Kustomize where the policy allows it, so that what they make is gated."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["TOOLS", "command_of", "render"]

TOOLS = ("helm", "kustomize")
_TIMEOUT_S = 120


def command_of(tool: str, folder: Path) -> list[str] | None:
    """Return the command that renders a folder, or None where the tool is not on the path."""
    if tool == "helm":
        found = shutil.which("helm")
        return [found, "template", "release-name", str(folder)] if found else None
    if found := shutil.which("kustomize"):
        return [found, "build", str(folder)]
    found = shutil.which("kubectl")
    return [found, "kustomize", str(folder)] if found else None


def render(tool: str, folder: Path) -> tuple[str, str]:
    """Return the manifests that a tool makes of a folder, and why it made none (one is empty)."""
    command = command_of(tool, folder)
    if command is None:
        return "", f"{tool} is not on the path"
    shown = " ".join([Path(command[0]).name, *command[1:-1]])
    try:
        done = subprocess.run(  # noqa: S603  (one of two tools, and a folder that was handed in)
            command, capture_output=True, timeout=_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return "", f"`{shown}` took more than {_TIMEOUT_S} s"
    except OSError as error:
        return "", f"`{shown}` can't be run: {error.strerror}"
    if done.returncode:
        return "", f"`{shown}` ended with {done.returncode} (its message may hold values: run it)"
    return done.stdout.decode("utf-8", "replace"), ""
