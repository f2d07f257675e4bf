"""How strict a run is: the named profiles of a gate config."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pytest_mlgates.core.fields import Checked, FieldError, Limit
from pytest_mlgates.core.words import plural

__all__ = ["Profile"]

#: the smallest alpha that a gate takes
MIN_ALPHA = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile(Checked):
    """What a run makes of verdicts; chosen with ``--mlgates-profile``, else ``default``."""

    name: str = "default"
    inconclusive: Annotated[
        Literal["fail", "warn"], "what an INCONCLUSIVE verdict does to the run"
    ] = "fail"
    complete: Annotated[bool, "whether a configured gate without evidence fails the run"] = False
    alpha: Annotated[
        float | None, Limit(ge=1e-9, le=0.1), "alpha of every gate that states none of its own"
    ] = None
    beta: Annotated[
        float | None, Limit(ge=1e-9, le=0.1), "beta of every gate that states none of its own"
    ] = None
    suite_alpha: Annotated[
        float | None,
        Limit(ge=1e-9, le=0.1),
        "largest chance that any gate of the system FAILs a sound subject, split over its gates",
    ] = None
    reruns: Annotated[
        Literal["all", "last"], "whether a FAIL in any attempt of a rerun test stands"
    ] = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.alpha is not None and self.suite_alpha is not None:
            raise FieldError("suite_alpha", "is split into alphas: give it or alpha, not both")

    def share(self, stated: Sequence[float], sharing: int, tests: int = 1) -> float | None:
        """Return the alpha of an entry that states none, or None where the gate's own holds.

        What is left of ``suite_alpha`` once entries have what they ``stated`` for themselves is
        split evenly over the ``sharing`` others, and an entry's part over the ``tests`` that ask
        for it (Bonferroni: it holds however the verdicts hang together).

        >>> Profile(suite_alpha=1e-3).share([2e-4], sharing=4, tests=2)
        0.0001
        """
        if self.suite_alpha is None or not sharing:
            return self.alpha
        left = (self.suite_alpha - math.fsum(stated)) / sharing / max(1, tests)
        if left < MIN_ALPHA:
            raise FieldError(
                "suite_alpha",
                f"{self.suite_alpha:g}, less the {math.fsum(stated):g} that entries state, over "
                f"{plural(sharing, 'gate')} and {plural(tests, 'test')} leaves {max(left, 0.0):.3g}: an alpha is "
                f"at least {MIN_ALPHA:g}",
            )
        return left
