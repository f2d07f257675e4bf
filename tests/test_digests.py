"""What was gated, told apart by content."""

from __future__ import annotations

import binascii
import collections
import functools
import hashlib
import json
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest

from pytest_mlgates.core.digests import about_call, digest_of, name_of, subject_of
from pytest_mlgates.core.manifest import digest_of_path

CODE = """
import enum, math
import helper

WEIGHTS = {"a": 1.5, "b": 2}
STOP = {"the", "of", "and", ("x", 1)}

class Kind(enum.Enum):
    ONE = 1

class Model:
    table = [1, 2, 3]
    def __init__(self, scale):
        self.scale = scale
    def __call__(self, text):
        if text in STOP:
            return 0
        return helper.score(text) * self.scale * WEIGHTS["a"] + math.pi
    @property
    def kind(self):
        return Kind.ONE

def closure(n):
    def inner(x):
        return x + n
    return inner
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that imports the code with changes."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(*changes, helper="def score(t): return len(t)"):
        text = CODE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "helper.py").write_text(helper)
        (tmp_path / "subject.py").write_text(text)
        for name in ("helper", "subject"):
            sys.modules.pop(name, None)
        import importlib

        importlib.invalidate_caches()
        return importlib.import_module("subject")

    yield make
    for name in ("helper", "subject"):
        sys.modules.pop(name, None)


def test_state_tells_instances_apart(module):
    m = module()
    assert digest_of(m.Model(1)) == digest_of(m.Model(1)) is not None
    assert digest_of(m.Model(1)) != digest_of(m.Model(2))
    assert digest_of(m.Model(1).__call__) != digest_of(m.Model(2).__call__)


CHANGES = {
    "code": ("* WEIGHTS", "+ WEIGHTS"),
    "a global": ('"a": 1.5', '"a": 1.6'),
    "a member of a set": ('"and"', '"or"'),
    "state of the class": ("[1, 2, 3]", "[1, 2, 4]"),
    "a constant": ("return 0\n", "return 1\n"),
    "a base": ("class Model:", "class Model(dict):"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_tells_builds_apart(module, change):
    before = digest_of(module().Model(1))
    assert digest_of(module(CHANGES[change]).Model(1)) != before is not None


def test_a_change_in_another_module_of_the_user(module):
    before = digest_of(module().Model(1))
    assert digest_of(module(helper="def score(t): return 2 * len(t)").Model(1)) != before


def test_closures_and_defaults(module):
    m = module()
    assert digest_of(m.closure(1)) == digest_of(m.closure(1)) != digest_of(m.closure(2))
    assert digest_of(lambda x, y=1: x) != digest_of(lambda x, y=2: x)
    assert digest_of(functools.partial(m.closure(1), 1)) != digest_of(
        functools.partial(m.closure(1), 2)
    )


def test_two_processes_agree(module, tmp_path):
    mine = digest_of(module().Model(1))
    program = "import subject; from pytest_mlgates.core.digests import digest_of as d; print(d(subject.Model(1)))"
    for seed in ("1", "2"):  # the second time from byte code
        seen = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(tmp_path)},
        )  # fmt: skip
        assert seen.stdout.strip() == mine


class Holder:
    def __init__(self, held):
        self.held = held

    def __call__(self, x):
        return x


class Raises:
    def __getattr__(self, name):
        raise RuntimeError("no")


def generator():
    yield 1


def over(lock):
    return lambda x: lock


OPAQUE = {
    "a lock": lambda: Holder(threading.Lock()),
    "a file": lambda: Holder(Path(__file__).open()),  # noqa: SIM115  (the test closes it)
    "a generator": lambda: Holder(generator()),
    "an array of objects": lambda: Holder(np.array([object()])),
    "attributes that raise": Raises,
    "too much to walk": lambda: Holder([Holder(i) for i in range(30_000)]),
    "a lambda over a lock": lambda: over(threading.Lock()),
}


@pytest.mark.parametrize("case", OPAQUE)
def test_opaque_has_no_digest(case):
    """No digest rather than one that two subjects could share."""
    subject = OPAQUE[case]()
    assert digest_of(subject) is None
    held = getattr(subject, "held", None) if case == "a file" else None
    if held:
        held.close()


PAIRS = {
    "arrays": lambda i: np.arange(3) + i,
    "arrays of another type": lambda i: np.zeros(2, np.float32 if i else np.float64),
    "lists": lambda i: [1, 2, i],
    "nested lists": lambda i: [[1], [i]],
    "queues": lambda i: collections.deque([i]),
    "ordered": lambda i: collections.OrderedDict(a=i),
    "counters": lambda i: collections.Counter({"a": i}),
    "true and one": lambda i: True if i else 1,
    "text and bytes": lambda i: "a" if i else b"a",
    "big lists": lambda i: [*range(100_000), i],
    "big arrays": lambda i: np.full(10_000_000, i, np.uint8),
}


@pytest.mark.parametrize("case", PAIRS)
def test_state_counts(case):
    make = PAIRS[case]
    assert digest_of(Holder(make(0))) != digest_of(Holder(make(1)))
    assert digest_of(Holder(make(1))) == digest_of(Holder(make(1))) is not None


def test_a_cycle_ends():
    ring: list = []
    ring.append(ring)
    assert digest_of(Holder(ring)) is not None


def test_declared():
    """A server's build can't be walked: it may be told."""
    subject = Holder(threading.Lock())
    subject.mlgates_digest = "sha256:abc"
    assert digest_of(subject) == "sha256:abc"


def test_cached_functions_count_their_code():
    def make(n):
        return functools.lru_cache(lambda x: x + n)

    assert digest_of(make(1)) == digest_of(make(1)) != digest_of(make(2))


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (len, "builtins:len"),
        (Holder, "tests.test_digests:Holder"),
        (Holder(1), "tests.test_digests:Holder"),
        (functools.partial(len), "builtins:len"),
        ("text", "builtins:str"),
    ],
)
def test_names(subject, name):
    assert name_of(subject).removeprefix("tests.") == name.removeprefix("tests.")


def test_subject_of_a_call_that_does_not_fit():
    class Gate:
        def measure(self, call, inputs):
            """Take two."""

    assert subject_of(Gate(), (), {}) == ("", None)
    assert subject_of(Gate(), (Raises(), []), {})[1] is None


def with_attribute(weight):
    def score(x):
        return x * score.weight

    score.weight = weight
    return score


def wrapped(state):
    class Callable:
        def __init__(self):
            self.state = state
            functools.update_wrapper(self, len)

        def __call__(self, x):
            return self.state

    return Callable()


def partial_call(n):
    class Model:
        def _answer(self, k, x):
            return k

        __call__ = functools.partialmethod(_answer, n)

    return Model()


def of_metaclass(n):
    class Meta(type):
        def __call__(cls, x):
            return n

    return Meta("Model", (), {})


def masked(mask):
    return Holder(np.ma.array([1, 2], mask=mask))


APART = {
    "C functions of one name": (lambda: zlib.crc32, lambda: binascii.crc32),
    "function attributes": (lambda: with_attribute(1), lambda: with_attribute(2)),
    "state beside update_wrapper": (lambda: wrapped(1), lambda: wrapped(2)),
    "a partialmethod as __call__": (lambda: partial_call(1), lambda: partial_call(2)),
    "a metaclass that answers": (lambda: of_metaclass(1), lambda: of_metaclass(2)),
    "masks": (lambda: masked([0, 1]), lambda: masked([1, 0])),
}


@pytest.mark.parametrize("case", APART)
def test_two_subjects_never_share_a_digest(case):
    one, other = APART[case]
    assert digest_of(one()) != digest_of(other()) or digest_of(one()) is None


@pytest.mark.parametrize(
    "body", ["globals()['w'] * x", "eval('w') * x", "(lambda: globals()['w'])() * x"]
)
def test_what_is_reached_by_a_text_has_no_digest(body):
    """Two builds differ in what no walk over code can find."""
    made = {"w": 1}
    exec(f"def f(x): return {body}", made)
    assert digest_of(made["f"]) is None


def test_a_method_that_is_called_eval_reaches_nothing():
    def f(model, x):
        model.eval()
        return model(x)

    assert digest_of(f) is not None


def test_native_functions_of_packages_have_no_digest():
    assert digest_of(np.dot) is None or digest_of(np.dot) != digest_of(np.vdot)
    assert digest_of(np.random.default_rng(1).normal) is None


class Reads:
    def measure(self, manifests, limits=None):
        """Take a path."""


def test_a_path_is_the_files_behind_it(tmp_path):
    good, bad = tmp_path / "a/model.bin", tmp_path / "b/model.bin"
    for path, data in ((good, b"good"), (bad, b"bad")):
        path.parent.mkdir()
        path.write_bytes(data)
    said = [about_call(Reads(), (path,), {}) for path in (good, str(good), bad)]
    assert [one["subject"] for one in said] == ["model.bin"] * 3
    assert {one["digest_from"] for one in said} == {"files"}
    assert said[0]["subject_digest"] == said[1]["subject_digest"] != said[2]["subject_digest"]
    assert said[0]["subject_digest"] == digest_of_path(good)


@pytest.mark.parametrize("text", ["two words", "\x1b[31m", "a" * 300, "sha256:\n"])
def test_a_declared_digest_has_a_form(text):
    subject = Holder(threading.Lock())
    subject.mlgates_digest = text
    assert digest_of(subject) is None


def test_a_declared_digest_is_told_as_declared():
    subject = Holder(1)
    assert about_call(Reads(), (subject,), {})["digest_from"] == "code"
    subject.mlgates_digest = f"sha256:{'1' * 64}"
    assert about_call(Reads(), (subject,), {})["digest_from"] == "declared"


def test_inputs_have_a_digest_that_anyone_can_make():
    prompts = [f"a question of some length, number {n}" for n in range(20)]
    (digest,) = about_call(Reads(), (len, prompts), {})["inputs"].values()
    plain = json.dumps(prompts, separators=(",", ":")).encode()
    assert digest == f"sha256:{hashlib.sha256(plain).hexdigest()}"
    # of one short text it would give the text away; of an iterator there is none
    for other in (["536-90-4399"], iter(prompts), (p for p in prompts), object()):
        assert about_call(Reads(), (len, other), {})["inputs"] == {}
