"""Whether exact search can be a yardstick: not of itself, not of one answer, not of random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core.digests import digest_of
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.recall_retention.details import Sizes
from pytest_mlgates.reading.equality import unwrapped

__all__ = ["is_copy", "looks_random", "sizes_of"]

#: vectors of fewer dimensions, or fewer of them, don't show what they are
_MIN_DIMENSIONS, _MIN_VECTORS = 8, 50


def is_copy(search: object, exact: object) -> bool:
    """Tell whether two searches are one, or of the same code and state.

    >>> is_copy(len, len), is_copy(lambda q, k: [1], lambda q, k: [1]), is_copy(len, abs)
    (True, True, False)
    """
    if search is exact or (search == exact) is True:  # two bound methods are equal, not one
        return True
    digest = digest_of(search)
    return digest is not None and digest == digest_of(exact)


def looks_random(queries: Sequence[object]) -> bool:
    """Tell whether queries are vectors of independent random numbers, uniform or normal.

    Nearest neighbours of such are all about as near: recall on them says nothing of vectors that
    mean something. Real vectors have directions in which they spread more than in others.

    >>> draw = np.random.default_rng(1)
    >>> looks_random(list(draw.random((500, 16)))), looks_random(list(draw.normal(size=(500, 16))))
    (True, True)
    >>> looks_random(list(draw.normal(size=(500, 4)) @ draw.normal(size=(4, 16))))
    False
    """
    vectors = _vectors(queries)
    if vectors is None:
        return False
    n, dimensions = vectors.shape
    spread = vectors.std(axis=0)
    if n < _MIN_VECTORS or dimensions < _MIN_DIMENSIONS or not spread.all():
        return False
    standard = (vectors - vectors.mean(axis=0)) / spread
    together = standard.T @ standard / n
    off = together[~np.eye(dimensions, dtype=bool)]
    # of independent columns the root mean square is about one over the root of n
    if float(np.sqrt(np.mean(off**2))) > 1.2 / np.sqrt(n):
        return False
    return any(_kolmogorov(standard, law) < 0.02 + 1 / np.sqrt(standard.size) for law in (0, 1))


def _kolmogorov(standard: npt.NDArray[np.float64], law: int) -> float:
    """Return the Kolmogorov distance from the uniform (0) or the normal law (1) of variance 1."""
    from scipy.special import ndtr

    values = np.sort(standard, axis=None)
    root = np.sqrt(3)
    wanted = ndtr(values) if law else np.clip((values + root) / (2 * root), 0, 1)
    return float(np.max(np.abs(np.arange(1, values.size + 1) / values.size - wanted)))


def _vectors(queries: Sequence[object]) -> npt.NDArray[np.float64] | None:
    sample: object = queries[0] if queries else None
    if hasattr(sample, "detach"):
        queries = [getattr(one, "detach")().cpu().numpy() for one in queries]  # noqa: B009
    elif not isinstance(sample, (list, tuple, np.ndarray)):
        return None
    try:
        found = np.array(queries, dtype=np.float64).reshape(len(queries), -1)
    except (TypeError, ValueError):
        return None
    return found if found.size and np.isfinite(found).all() else None


def sizes_of(given: object) -> Sizes | None:
    """Return the bytes of an index and of what it stands for: numbers, or files and folders."""
    if given is None:
        return None
    if not isinstance(given, (list, tuple)) or len(given) != 2:
        raise Unmeasurable(
            f"sizes is {a(type(given).__name__)}: give two, of the index and of what it stands for:"
            " numbers of bytes, or paths"
        )
    index, exact = (_bytes(one) for one in given)
    if not index or not exact:
        raise Unmeasurable("sizes must be more than 0 bytes: give those of the two indexes")
    return Sizes(index=index, exact=exact)


def _bytes(given: object) -> int:
    held = unwrapped(given)
    if isinstance(held, (str, Path)):
        path = Path(held)
        if not path.exists():
            raise Unmeasurable(f"sizes names {path.name}: there is no such file or folder")
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        return sum(file.stat().st_size for file in files)
    if isinstance(held, bool) or not isinstance(held, int) or held < 0:
        raise Unmeasurable(
            f"sizes holds {a(type(held).__name__)}: give a whole number of bytes, or a path"
        )
    return held
