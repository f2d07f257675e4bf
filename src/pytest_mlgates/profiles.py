"""How strict a run is: the named profiles of a gate config."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from pytest_mlgates.fields import Limit, convert, hints

__all__ = ["Profile"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile:
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
    reruns: Annotated[
        Literal["all", "last"], "whether a FAIL in any attempt of a rerun test stands"
    ] = "all"

    def __post_init__(self) -> None:
        for field, annotation in hints(type(self)).items():
            object.__setattr__(self, field, convert(annotation, getattr(self, field), field))
