"""What can go wrong with the shop. Each text is one line that names the thing and the way out."""

from __future__ import annotations

from reference_systems.parts.commands import RefusedError

__all__ = ["ShopError"]


class ShopError(RefusedError):
    """A view log, a request or a trained folder can't be used."""
