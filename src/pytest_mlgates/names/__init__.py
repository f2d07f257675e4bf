"""What the name gate needs: names by group, asking a scorer, masking, shrinking.

See SOURCES.md in this folder for the origin and licence of every column of ``names.csv``.
"""

from __future__ import annotations

from pytest_mlgates.names.mask import mask
from pytest_mlgates.names.table import CASE_NAMES, Name, read_names

__all__ = ["CASE_NAMES", "Name", "mask", "read_names"]
