"""Whether every claim of an answer is supported by what it cites."""

from pytest_mlgates.gates.grounding.gate import Grounding

__all__ = ["Grounding"]
