"""What a scan will take, told before it begins: files, bytes, partitions, hours and dollars.

The speed is measured on a part of the data set itself, here, in one process. Hours and dollars are
an extrapolation from it, and say so.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_mlgates.audit.draws import Draw
from pytest_mlgates.audit.formats import UNREADABLE_SOURCE, opened_source
from pytest_mlgates.audit.partitions import Partition, Stretch
from pytest_mlgates.audit.sample import chance_found
from pytest_mlgates.audit.settings import ScanSettings
from pytest_mlgates.core.words import number, plural

__all__ = ["Forecast", "forecast", "forecast_lines"]

#: seconds spent on measuring, and stretches that are looked into
_SECONDS, _STRETCHES = 5.0, 8
_PREFIXES = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class Forecast:
    """Sizes, and the bytes a second that one process scanned (0: nothing could be read)."""

    files: int
    size: int
    partitions: int
    per_second: float
    measured_bytes: float

    @property
    def core_hours(self) -> float:
        """Hours that one process would take."""
        return self.size / self.per_second / 3600 if self.per_second else float("inf")


def forecast(settings: ScanSettings, partitions: Sequence[Partition]) -> Forecast:
    """Scan a few records of a few stretches, as long as some seconds, and return what follows."""
    stretches = [s for partition in partitions for s in partition.stretches]
    names = {stretch.name for stretch in stretches}
    per_second, seen = _speed(settings, stretches)
    size = sum(stretch.size for stretch in stretches)
    return Forecast(len(names), size, len(partitions), per_second, seen)


def _speed(settings: ScanSettings, stretches: Sequence[Stretch]) -> tuple[float, float]:
    """Return bytes a second and the bytes they were measured on; rules are compiled before."""
    detector = settings.detector()
    list(detector.find_all(["password: aB3dE5gH7jK9mN1p"]))
    full = [stretch for stretch in stretches if stretch.size]
    some = random.Random(settings.seed).sample(full, min(_STRETCHES, len(full)))
    seconds = size = 0.0
    for stretch in some:
        started = time.perf_counter()
        read = 0.0
        try:
            with opened_source(replace(stretch, draw=-1), settings.columns, Draw()) as source:
                for chunk in source.chunks:
                    list(detector.find_all(chunk.texts))
                    read = source.share(chunk)
                    if time.perf_counter() - started > _SECONDS / len(some):
                        break
                else:
                    read = 1.0
        except UNREADABLE_SOURCE:
            continue
        seconds += time.perf_counter() - started
        size += stretch.size * min(1.0, read)
    return (size / seconds if seconds else 0.0), size


def forecast_lines(told: Forecast, settings: ScanSettings, cores: int, dollars: float) -> list[str]:
    """Return the forecast in words; what was not measured is marked.

    >>> told = Forecast(3, 7_200_000_000, 64, 1_000_000.0, 5e6)
    >>> forecast_lines(told, ScanSettings(entities=()), 2, 0.05)[0]
    '3 files, 7.2 GB, 64 partitions'
    """
    lines = [
        ", ".join(
            [
                plural(told.files, "file"),
                readable_bytes(told.size),
                plural(told.partitions, "partition"),
            ]
        )
    ]
    if told.per_second:
        hours = told.core_hours
        lines += [
            (
                f"{readable_bytes(told.per_second)}/s in one process, measured on"
                f" {readable_bytes(told.measured_bytes)} of them"
            ),
            (
                f"extrapolated: {number(hours)} core-hours, {number(hours / cores)} hours on"
                f" {plural(cores, 'core')}, {number(hours * dollars)} USD at {dollars:g} USD a"
                " core-hour"
            ),
        ]
    else:
        lines.append("nothing of it could be read: no speed was measured")
    if settings.sample:
        chance = chance_found(1e-4, 0.02, settings.sample)
        lines.append(
            f"a sample of {settings.sample:,} records sees a leak of 1 record in 10,000, in 2 % of"
            f" the files, with a chance of {chance:.3g}"
        )
    return lines


def readable_bytes(count: float) -> str:
    """Return a number of bytes as people read it.

    >>> readable_bytes(7_200_000_000), readable_bytes(12)
    ('7.2 GB', '12 B')
    """
    at = 0
    while count >= 999.5 and at < len(_PREFIXES) - 1:
        count, at = count / 1000, at + 1
    return f"{number(float(f'{count:.3g}'))} {_PREFIXES[at]}"
