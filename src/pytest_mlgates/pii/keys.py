"""Keys and tokens that are known without an extra: a dozen shapes, private keys, tokens, passwords.

``credentials`` finds some hundreds more with Kingfisher's rules, where that is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_mlgates.pii.normalise import RECORD
from pytest_mlgates.pii.page import Page
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.pii.validate import jwt

__all__ = ["Keys", "is_placeholder", "password_in_link"]

_SHAPES = {
    "aws": re.compile(rb"A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])"),
    "github": re.compile(rb"(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{60,90})"),
    "slack": re.compile(rb"(?:xox[bpars]-[A-Za-z0-9-]{15,250}|xapp-\d-[A-Za-z0-9-]{15,250})"),
    "stripe": re.compile(rb"[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}"),
    "google": re.compile(rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    "google oauth": re.compile(rb"ya29\.[A-Za-z0-9_-]{30,1024}"),
    "model api": re.compile(rb"sk-(?:ant|proj|svcacct)-[A-Za-z0-9_-]{32,250}"),
    "gitlab": re.compile(rb"glpat-[A-Za-z0-9_-]{20,64}(?![A-Za-z0-9_-])"),
    "hugging face": re.compile(rb"hf_[A-Za-z0-9]{34}(?![A-Za-z0-9_])"),
    "npm": re.compile(rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])"),
    "pypi": re.compile(rb"pypi-AgE[A-Za-z0-9_-]{50,250}"),
    "sendgrid": re.compile(rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
}
_RUN = re.compile(rb"[\w-]*")
_BEGIN = re.compile(
    rb"-{4,5} ?BEGIN [A-Za-z0-9 ]{0,30}(?:PRIVATE KEY(?: BLOCK)?|Static key V\d) ?-{4,5}"
    rb"|PuTTY-User-Key-File-\d: [\w-]{3,40}"
)
#: what stands between two lines of a key, also where its line ends are escaped or quoted
_BODY = re.compile(
    rb"(?:(?:[\s\"',>|+]|\\+[nr]){0,12}[A-Za-z0-9+/=]{16,4096}|(?:\s|\\n){1,4}[A-Za-z-]{3,20}: [^\n\\]{1,80})+"
    rb"(?:(?:[\"',|]{0,2}[\r\n> ]{0,4}[\r\n]|\\+[nr]){1,2}[> ]{0,3}[A-Za-z0-9+/=]{1,15}(?![A-Za-z0-9]))?"
)
_SECRET = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")
#: longest key, and how far the secret of an AWS key id may stand from it
_MAX_KEY, _NEAR = 1 << 15, 200
_PLACEHOLDER = re.compile(
    r"example|sample|x{5}|\*{3}|your[_-]|placeholder|dummy|change[_-]?me|redacted|1234567890|abcdefgh"
    r"|0{8}|^[<\[({%]|^\$(?:[{(]|[A-Za-z_]{1,20}$)|[>\])}]$|\.\.\.|insert|^fake|^(?:(?:my|proxy|db|user)?pass|pa?sswo?rt|kennwort|contrase\w+|anon\w*|password|passwd|secret|pwd|pw|user|token|test"
    r"|admin|root|guest|hunter2|foo|bar|key|postgres|mysql|none|null|true|false|string)$|^x+$",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/?#@:\"'<>]{0,80}:(?P<password>[^\s/?#@\"'<>]{3,200})$"
)


def is_placeholder(secret: str) -> bool:
    """Tell whether a secret only shows where one would stand.

    >>> is_placeholder("ghp_" + "x" * 36), is_placeholder("AKIAIOSFODNN7EXAMPLE")
    (True, True)
    >>> is_placeholder("Zq8-rT4_vW")
    False
    """
    return bool(_PLACEHOLDER.search(secret)) or len(set(secret)) <= min(len(secret), 80) // 8 + 1


class Keys:
    """The keys of one page; a run of letters is read once, however many triggers stand in it."""

    def __init__(self, page: Page) -> None:
        self.page, self.batch = page, page.batch
        self._run = (0, 0)
        self._parts: dict[int, int] = {}
        self._keys_end = 0

    def at(self, kind: str, place: int) -> Iterator[Span]:
        """Yield the key that starts at a place."""
        left = self.batch[max(0, place - 1) : place]
        if kind == "pem":
            yield from self._private_key(place)
        elif left.isalnum() or (left == b"_" and kind != "jwt"):
            return
        elif kind == "jwt":
            yield from self._token(place)
        elif found := _SHAPES[kind].match(self.batch, place):
            sure = 0.95
            if is_placeholder(found[0].decode("latin-1")):
                sure = 0.1
            elif b"k_test_" in found[0][:8]:
                sure = 0.3
            elif kind == "aws" and not self._has_secret(place, found.end()):
                sure = 0.4  # an id alone opens nothing
            yield Span("API_KEY", place, found.end(), sure, sure > 0.5)

    def _has_secret(self, start: int, end: int) -> bool:
        around = self.page.before(start, _NEAR) + " " + self.page.after(end, _NEAR)
        return any(
            len(set(secret)) > 16 for secret in _SECRET.findall(around.encode("latin-1", "replace"))
        )

    def _private_key(self, place: int) -> Iterator[Span]:
        """Yield a private key from BEGIN to END, or as far as its lines go."""
        begin = _BEGIN.match(self.batch, place)
        if not begin or place < self._keys_end:
            return
        stop = self.batch.find(RECORD.encode(), begin.end(), begin.end() + _MAX_KEY)
        stop = stop if stop >= 0 else min(len(self.batch), begin.end() + _MAX_KEY)
        body = _BODY.match(self.batch, begin.end(), stop)
        if not body:  # only told of
            yield Span("API_KEY", place, begin.end(), 0.1, False)
            return
        end = self.batch.find(b"-----END ", begin.end(), stop)
        close = self.batch.find(b"-----", end + 9, end + 80) if end >= 0 else -1
        last = close + 5 if close >= 0 else body.end()
        self._keys_end = last
        yield Span("API_KEY", place, last, 0.95, True)

    def _token(self, place: int) -> Iterator[Span]:
        """Yield a JSON web token (three parts) or an encrypted one (five), of any length."""
        ends = [self._run_end(place)]
        while self.batch[ends[-1] : ends[-1] + 1] == b"." and len(ends) < 5:
            ends.append(self._part_end(ends[-1] + 1))
        if len(ends) < 3:
            return
        head = self.batch[place : ends[0]].decode("latin-1")
        if not jwt(head + "."):
            return
        parts = 5 if len(ends) == 5 and ends[0] + 1 < ends[1] else 3
        payload = self.batch[ends[0] + 1 : ends[1]]
        if parts == 3 and not payload.startswith((b"eyJ", b"eyA", b"ey")):
            return
        doc = b"IjEyMzQ1Njc4OTAi" in payload and b"Sm9obiBEb2Ui" in payload
        sure = 0.1 if doc else 0.95
        yield Span("API_KEY", place, ends[parts - 1], sure, sure > 0.5)

    def _run_end(self, place: int) -> int:
        low, high = self._run
        if not low <= place < high:
            self._run = place, _end_of_run(self.batch, place)
        return self._run[1]

    def _part_end(self, place: int) -> int:
        if place not in self._parts:
            self._parts[place] = _end_of_run(self.batch, place)
        return self._parts[place]


def _end_of_run(batch: bytes, place: int) -> int:
    found = _RUN.match(batch, place)
    return found.end() if found else place


def password_in_link(page: Page, at: int) -> Iterator[Span]:
    """Yield the password of ``scheme://user:password@host``, for its ``@``."""
    before = page.before(at, 310)
    if ":" not in before[-201:] or not (found := _LINK.search(before)):
        return
    password = found["password"]
    length = len(password)
    local = page.after(at + 1, 12).startswith(("localhost", "127.", "example", "host"))
    sure = 0.1 if is_placeholder(password) else 0.3 if local or length < 6 else 0.9
    yield Span("API_KEY", at - length, at, sure, sure > 0.5)
