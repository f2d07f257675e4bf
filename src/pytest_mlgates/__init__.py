"""Quality gates with declared error rates for machine-learning systems, as a pytest plugin.

Importing this package loads the standard library only; each public name loads its module on
first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_mlgates.calls.stages import stage
    from pytest_mlgates.core import (
        Evidence,
        Gate,
        GateFailed,
        Measurement,
        Needs,
        Outcome,
        StatisticalGate,
        Unmeasurable,
        Verdict,
    )
    from pytest_mlgates.core.fields import Limit

__all__ = [
    "Evidence",
    "Gate",
    "GateFailed",
    "Limit",
    "Measurement",
    "Needs",
    "Outcome",
    "StatisticalGate",
    "Unmeasurable",
    "Verdict",
    "stage",
]

__version__ = "0.2.0"

_HOME = {"Limit": "core.fields", "stage": "calls.stages"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module = importlib.import_module(f"{__name__}.{_HOME.get(name, 'core')}")
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
