"""What can go wrong with the feature store: each text is one line that names the thing and the way out."""

from __future__ import annotations

from reference_systems.parts.commands import BadLine, RefusedError

__all__ = ["BadLine", "BankError"]


class BankError(RefusedError):
    """The store could not do what it was asked; what was served before is served still."""
