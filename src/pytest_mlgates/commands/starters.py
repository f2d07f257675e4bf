"""First tests that run as they are: two or three lines of an example, to be replaced by one's own."""

from __future__ import annotations

import inspect

from pytest_mlgates.core import Gate

__all__ = ["starter_test"]

#: a subject and its inputs by name of the gate, and the call
_EXAMPLES = {
    "p99_latency": (
        """\
def model(text):  # what is timed
    return len(text)


INPUTS = ["a", "bb", "ccc"]""",
        "model, INPUTS",
    ),
    "pii_leak": (
        """\
def reply(prompt):  # what answers
    return f"We will look into: {prompt}"


PROMPTS = [f"my order {n} is late" for n in range(10_000)]""",
        "reply, PROMPTS",
    ),
    "name_invariance": (
        """\
def score(text):  # what is scored
    return min(1.0, len(text) // 1_000)


TEMPLATES = ["{NAME} has led a team of five.", "{NAME} writes Python."]""",
        "score, TEMPLATES",
    ),
    "slice_coverage": (
        """\
# or a DataFrame, or a file
ROWS = [{"weather": "sun"}] * 60 + [{"weather": "rain"}] * 40""",
        'ROWS, "weather"',
    ),
    "shadow_divergence": (
        """\
def old(x):
    return x > 0.5


def new(x):
    return x > 0.5


INPUTS = [n / 5_000 for n in range(5_000)]""",
        "old, new, INPUTS",
    ),
    "quality_floor": (
        """\
def predict(x):
    return x > 0.5


INPUTS = [n / 5_000 for n in range(5_000)]
LABELS = [x > 0.5 for x in INPUTS]""",
        "predict, INPUTS, LABELS",
    ),
}

_MODULE = '''\
"""The gates of {system}."""

import pytest

pytestmark = pytest.mark.system("{system}")
'''

_TEST = '''

# an example: put your own here
{example}


def test_{system}_{name}({gate}):
    """Say here, in one sentence, what this gate promises: auditors read it."""
    {gate}({arguments})
'''

_BLANK = '''

@pytest.mark.skip(reason="name what to gate")
def test_{system}_{name}({gate}):
    """Say here, in one sentence, what this gate promises: auditors read it."""
    {gate}({arguments})
'''


def starter_test(cls: type[Gate], system: str, entry: str, *, first: bool) -> str:
    """Return a test of an entry; the ``first`` of a module comes with its head."""
    head = _MODULE.format(system=system) if first else ""
    name = "".join(c if c.isalnum() else "_" for c in entry)
    example, arguments = _EXAMPLES.get(cls.name, ("", ""))
    marker = f'@pytest.mark.{cls.name}("{entry}")\n' if entry != cls.name else ""
    text = _TEST if example else _BLANK
    if not example:
        arguments = ", ".join(["..."] * _needed(cls))
    made = text.format(
        system=system, name=name, gate=cls.name, example=example, arguments=arguments
    )
    return head + made.replace("def test_", f"{marker}def test_", 1)


def _needed(cls: type[Gate]) -> int:
    parameters = list(inspect.signature(cls.measure).parameters.values())[1:]
    return sum(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
