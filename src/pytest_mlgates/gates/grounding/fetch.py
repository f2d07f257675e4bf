"""Citations: what an answer says it rests on, fetched from where the documents are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a

__all__ = ["Documents", "Missing", "passage"]

#: the largest document that is read
_MOST = 256 * 1024 * 1024


class Missing(Exception):
    """A citation that can't be fetched; the text says which part of it fails."""


class Documents:
    """Where citations are fetched: a folder, a mapping, a callable, or nothing.

    >>> Documents({"a": "text"}).text("a")
    'text'
    >>> Documents(None).text("a")
    Traceback (most recent call last):
        ...
    pytest_mlgates.gates.grounding.fetch.Missing: cites what can't be fetched
    """

    def __init__(self, given: object) -> None:
        """Take what a user hands in.

        :raises Unmeasurable: for what is none of these, with the way out.
        """
        self._known: dict[str, str] = {}
        self._call: Callable[[str], object] | None = None
        self._root: Path | None = None
        if given is None:
            return
        if isinstance(given, Mapping):
            self._call = given.get
        elif callable(given):
            self._call = given
        elif isinstance(given, (str, os.PathLike)):
            self._root = Path(given)
            if not self._root.is_dir():
                raise Unmeasurable("sources is not a folder: give one, a mapping or a callable")
            self._root = self._root.resolve()
        else:
            raise Unmeasurable(
                f"sources is {a(type(given).__name__)}: give a folder, a mapping of documents by"
                " name, or a callable from a name to a text"
            )

    def text(self, name: str) -> str:
        """Return a document, or raise :class:`Missing`."""
        if name not in self._known:
            self._known[name] = self._fetched(name)
        return self._known[name]

    def _fetched(self, name: str) -> str:
        if self._root is not None:
            path = (self._root / name).resolve()
            if not path.is_relative_to(self._root) or not path.is_file():
                raise Missing("cites what can't be fetched")
            if path.stat().st_size > _MOST:
                raise Missing("cites a document too large to read")
            try:
                return path.read_bytes().decode("utf-8")
            except (OSError, UnicodeDecodeError):
                raise Missing("cites what can't be fetched") from None
        try:
            found = self._call(name) if self._call is not None else None
        except Exception:  # noqa: BLE001  (whatever a user's fetcher raises, the text is not there)
            found = None
        if not isinstance(found, str):
            raise Missing("cites what can't be fetched")
        return found


def passage(source: object, documents: Documents, context: Mapping[str, str]) -> str:
    """Return the text that a citation names, from the question's own documents or from all.

    >>> passage({"file": "a", "start": 0, "end": 4, "quote": "Late"}, Documents({"a": "Latex"}), {})
    'Late'

    :raises Missing: where it does not exist, lies outside, or its quote is not what stands there.
    """
    if isinstance(source, str):
        return context[source] if source in context else documents.text(source)
    if not isinstance(source, Mapping):
        raise Missing("cites nothing")
    name = source.get("file", source.get("document"))
    if not isinstance(name, str):
        raise Missing("cites nothing")
    text = context[name] if name in context else documents.text(name)
    quote, start, end = source.get("quote"), source.get("start"), source.get("end")
    if start is None and end is None:
        if not isinstance(quote, str) or not quote.strip():
            return text
        if quote not in text:
            raise Missing("quotes what does not stand there")
        return quote
    first, last = _offset_of(start), _offset_of(end)
    if not 0 <= first < last <= len(text):
        raise Missing("cites a place outside of the document")
    found = text[first:last]
    if quote is not None and quote != found:
        raise Missing("quotes what does not stand there")
    return found


def _offset_of(value: object) -> int:
    """Return a whole number, and -1 for anything else: no place in a document."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1
