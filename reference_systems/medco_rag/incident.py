"""The incident: the model tuned on the notes answers from memory."""

from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.memory import FromMemory

__all__ = ["copilot"]


def copilot(folder: Folder) -> FromMemory:
    """Return the tuned model over a folder of charts."""
    return FromMemory(folder)
