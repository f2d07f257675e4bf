"""The builds by name, each behind the same interface."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Protocol

from reference_systems.medco_rag.endpoint import Endpoint
from reference_systems.medco_rag.filters import Filter
from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.model import Answer
from reference_systems.medco_rag.rag import Copilot

__all__ = ["System", "build"]


class System(Protocol):
    """What a build owes."""

    def ask(self, line: Mapping[str, object]) -> Answer:
        """Answer a line of input."""

    def answer(self, question: str, wanted: Filter) -> Answer:
        """Answer a question within a filter."""

    def warm_up(self) -> None:
        """Load what is loaded once, so that the first answer is as fast as the others."""


def build(name: str, folder: Folder, say: Callable[[str], None] = lambda _: None) -> System:
    """Return a build over the charts of a folder.

    :raises ValueError: for a name that is not a build.
    """
    if name == "fixed":
        address = os.environ.get("MEDCO_ENDPOINT")
        model = os.environ.get("MEDCO_MODEL", "default")
        endpoint = (
            Endpoint(address, model, key=os.environ.get("MEDCO_KEY", "")) if address else None
        )
        return Copilot(folder, say=say, endpoint=endpoint)
    if name == "half":
        from reference_systems.medco_rag.half import Unfiltered

        return Unfiltered(folder, say=say)
    if name == "incident":
        from reference_systems.medco_rag.memory import FromMemory

        return FromMemory(folder, say=say)
    raise ValueError(f"{name!r} is not one of incident, half, fixed")
