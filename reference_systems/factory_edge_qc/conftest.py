"""Fixtures of the factory's gates: the inspection at the edge, boards, and what went over the link."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reference_systems.factory_edge_qc import traffic
from reference_systems.factory_edge_qc.fixed import Inspection, inspector_of_the_line
from reference_systems.factory_edge_qc.inputs import boards

if TYPE_CHECKING:
    import numpy.typing as npt

    from reference_systems.factory_edge_qc.traffic import Day

#: boards at each of the twenty cameras, every second of them bad; and seconds of whole pictures
BOARDS, BAD_SHARE, SECONDS = 12, 0.5, 5.0


@pytest.fixture
def inspect() -> Inspection:
    """Give the inspection as it runs beside a camera."""
    return Inspection(inspector_of_the_line())


@functools.lru_cache(maxsize=1)
def _frames(seed: int) -> list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]:
    some = [*boards(9, seed, bad=False), *boards(3, seed, bad=True)]
    return [(asked.frame(), asked.shot().template) for asked in some]


@pytest.fixture
def frames(mlgates_seed: int) -> list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]:
    """Give a dozen frames with their templates; drawn beforehand, which a camera need not do."""
    return _frames(mlgates_seed)


@functools.lru_cache(maxsize=1)
def _results_day(seed: int) -> Day:
    with traffic.plant() as (depot, link):
        return traffic.edge_day(
            inspector_of_the_line(), depot, link, boards=BOARDS, seed=seed, bad_share=BAD_SHARE
        )


@pytest.fixture
def results_day(mlgates_seed: int) -> Day:
    """Give what went over the link, and arrived, where boards are inspected at the edge."""
    return _results_day(mlgates_seed)


@pytest.fixture
def pictures_day(mlgates_seed: int) -> Day:
    """Give what goes over the link where each inspection sends its picture."""
    with traffic.plant() as (depot, link):
        return traffic.pictures_day(depot, link, seconds=SECONDS, seed=mlgates_seed)
