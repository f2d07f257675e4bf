"""Files of rows as they are: every digit, every column and every cell, or a line that says which not.

pandas' own readers take a row that is too short for one with nulls, one that is too long for one
with an index, the second of two columns of one name for another column, and round whole numbers
beyond 2**53 where a null stands beside them. Each of these would be served as if it were the source.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from reference_systems.bank_feature_store.errors import BankError

__all__ = ["READERS"]


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import parquet

    whole = {
        getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")()
        for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
    }
    try:
        table = parquet.ParquetFile(path).read()
        # what pandas wrote about an index would hide its columns
        return table.to_pandas(ignore_metadata=True, types_mapper=whole.get)
    except (pa.ArrowException, OSError, ValueError) as error:
        told = (str(error).strip() or repr(error)).splitlines()[0][:200]
        raise BankError(f"{path.name}: can't be read: {told}") from None


def _csv(path: Path) -> pd.DataFrame:
    """Return the cells of a CSV or TSV file as texts; rows without cells are no rows."""
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    rows: list[list[str]] = []
    line, names = 0, None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=separator, strict=True)
            for cells in reader:
                line = reader.line_num
                if not cells:
                    continue
                if names is None:
                    names = [cell.strip() for cell in cells]
                    continue
                if len(cells) != len(names):
                    raise BankError(
                        f"{path.name} line {line}: has {len(cells)} cells, the first line names"
                        f" {len(names)}: is it cut off, or is a {separator!r} not in quotes?"
                    )
                rows.append(cells)
    except UnicodeDecodeError as error:
        raise BankError(
            f"{path.name}: is not UTF-8 (byte {error.object[error.start]:#04x}): save it as UTF-8"
        ) from None
    except csv.Error as error:
        raise BankError(f"{path.name} after line {line}: can't be read: {error}") from None
    except OSError as error:
        raise BankError(f"{path.name}: can't be read: {error.strerror}") from None
    if names is None:
        raise BankError(f"{path.name}: is empty: its first line names the columns")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    # a column without a name can't be asked for: spreadsheets leave some at the end
    kept = [n for n, name in enumerate(names) if name]
    frame = pd.DataFrame({n: pd.Series(columns[n], dtype=object) for n in kept})
    frame.columns = pd.Index([names[n] for n in kept], dtype=object)
    return frame


READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".parquet": _parquet,
    ".pq": _parquet,
    ".csv": _csv,
    ".tsv": _csv,
}
