"""The fixed build: filtered hybrid retrieval, cited answers, refusals."""

from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.rag import Copilot

__all__ = ["copilot"]


def copilot(folder: Folder) -> Copilot:
    """Return the copilot over a folder of charts."""
    return Copilot(folder)
