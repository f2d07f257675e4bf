"""Every exception that this package raises on purpose, as a tree.

* MlgatesError

  * UsageError: what was asked for can't be done as it was asked; whoever asked can mend it

    * FieldError (``core.fields``): a field of a policy, or of a record, does not fit
    * UnknownGate: no gate of that name, or it can't be imported
    * ConfigError > ControlsError (``config.errors``), YamlError (``reading.yaml``)
    * ReportError (``report.read``): a report can't be read
    * KeyFault, StoreFault, SealFault, FileFault, EnvelopeFault (``signing``)

  * Unmeasurable: a subject, or what was handed in with it, can't be measured

    * Unreadable (``reading.node``): a file can't be read

  * Unrecordable: a value that no record can hold
  * Unfit: recorded details do not fit the gate that is to judge them
  * GateFailed (``core.records``): raised in a test; an AssertionError as well

``calls.guard.CallTimeout`` stands apart: a BaseException, so that no subject swallows it.
"""

from __future__ import annotations

__all__ = ["MlgatesError", "Unfit", "UnknownGate", "Unmeasurable", "Unrecordable", "UsageError"]


class MlgatesError(Exception):
    """The base of all exceptions of this package."""


class UsageError(MlgatesError):
    """What was asked for can't be done as it was asked; the text says what to change.

    ``lines`` holds one line for each mistake. On the command line it ends with exit status 2, in
    pytest with exit status 4.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class UnknownGate(UsageError, LookupError):
    """No gate of that name; the text says which one may have been meant."""


class Unmeasurable(MlgatesError):
    """Raised inside ``measure`` when the subject can't be measured.

    Its text enters the evidence, so it must hold nothing that the subject said. Any other
    exception enters the evidence by its type and place alone.
    """


class Unrecordable(MlgatesError, TypeError, ValueError):
    """A value that no record can hold; the text names the place, never the value."""


class Unfit(MlgatesError, ValueError):
    """Recorded details that do not fit: the text names the key, what was expected, what is there."""
