"""What can go wrong with the feature store: each text is one line that names the thing and the way out."""

from __future__ import annotations

__all__ = ["BadLine", "BankError"]


class BankError(Exception):
    """The store could not do what it was asked; what was served before is served still."""


class BadLine(Exception):
    """One line can't be answered; the others can."""
