"""Write a file in one step."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

__all__ = ["put"]


def put(path: Path, data: str | bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of one.

    Text is written as UTF-8 with line ends as they are. Raises OSError; nothing is left behind.
    """
    content = data.encode() if isinstance(data, str) else data
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        written = Path(file.name)
        try:
            file.write(content)
            file.close()
            written.chmod(mode)
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
