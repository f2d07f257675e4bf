"""Make a counter-example small: fewer lines of the template, a plainer pair of names.

Hypothesis does the search (``pip install "pytest-mlgates[search]"``); the scorer is asked through
a callable that the gate bounds and remembers, so that a noisy scorer is not flaky.
"""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise

__all__ = ["minimal", "parts_of"]

MAX_PARTS = 48


def parts_of(template: str) -> list[str]:
    r"""Cut a template into at most 48 parts: its lines, or the words of a single line.

    >>> parts_of("Name: {NAME}\nSkills: Go")
    ['Name: {NAME}\n', 'Skills: Go']
    >>> parts_of("{NAME} knows Go")
    ['{NAME} ', 'knows ', 'Go']
    """
    parts = template.splitlines(keepends=True)
    if len(parts) < 2:  # one line: cut it into words
        parts = re.findall(r"\s*\S+\s*", template)
    if len(parts) <= MAX_PARTS:
        return parts
    ends = [round(i * len(parts) / MAX_PARTS) for i in range(MAX_PARTS + 1)]
    return ["".join(parts[a:b]) for a, b in pairwise(ends)]


def minimal(
    template: str,
    pairs: Sequence[tuple[str, str]],
    holds: Callable[[str, tuple[str, str]], bool],
    seed: int,
) -> tuple[str, tuple[str, str], int] | None:
    """Return the smallest template, the plainest pair and the number of parts left.

    None where ``holds`` holds for none that was tried. ``pairs`` go from plain to less plain.
    Raises ImportError without Hypothesis.
    """
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisWarning, NoSuchExample

    parts = parts_of(template)
    # 0 drops a part and 1..19 keep it, so that most of a template stays until it is shrunk
    keep = st.tuples(*[st.integers(0, 19)] * len(parts))

    def text(kept: tuple[int, ...]) -> str:
        return "".join(part for part, k in zip(parts, kept, strict=True) if k)

    def condition(example: tuple[tuple[str, str], tuple[int, ...]]) -> bool:
        pair, kept = example
        return holds(text(kept), pair)

    quiet = settings(
        max_examples=200,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        try:
            pair, kept = find(
                st.tuples(st.sampled_from(list(pairs)), keep),
                condition,
                settings=quiet,
                random=random.Random(seed),
            )
        except NoSuchExample:
            return None
    return text(kept), pair, sum(k > 0 for k in kept)
