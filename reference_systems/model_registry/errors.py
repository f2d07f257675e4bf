"""What can go wrong with a registry. Each text is one line that names the thing and the way out.

``RegistryError`` is the base: ``NotThere`` (nothing is stored under that digest or name),
``Damaged`` (what is stored is not what was stored), ``Refused`` (a rule says no) and
``Unreachable`` (the place itself does not answer, or not as it has to).
"""

from __future__ import annotations

from reference_systems.parts.commands import RefusedError

__all__ = ["Damaged", "NotThere", "Refused", "RegistryError", "Unreachable"]


class RegistryError(RefusedError):
    """The registry could not do what it was asked; nothing was changed unless the text says so."""


class NotThere(RegistryError):
    """Nothing is stored under this digest or name."""


class Damaged(RegistryError):
    """What is stored is not what was stored: it is not served."""


class Refused(RegistryError):
    """A rule of the registry says no."""


class Unreachable(RegistryError):
    """The folder or the S3 server can't be used."""
