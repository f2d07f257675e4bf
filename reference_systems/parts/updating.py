"""One device of a fleet that follows a course: fetches what it is meant to have, a piece at a time.

``python -m reference_systems.parts.updating FOLDER URL --device NAME`` does so until the target of
the course is at work; it may be killed at any time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from reference_systems.parts.model_files import write_at_once
from reference_systems.parts.ota import Updater
from reference_systems.parts.release import Download, Release, Throttle
from reference_systems.parts.rollout import Course
from reference_systems.parts.upload_queue import Lost

__all__ = ["Follower", "Releases", "main"]

Model = TypeVar("Model")

#: pieces that arrive wrong, one after the other, before a device gives up for now
_WRONG = 3


class Releases(Protocol):
    """Where releases come from; each call raises ``Lost`` where there is no network."""

    def course(self) -> str:
        """Return the course as JSON."""

    def release(self, digest: str) -> str:
        """Return a release as JSON."""

    def evidence(self, digest: str) -> Sequence[str]:
        """Return the evidence for a model, one piece each."""

    def piece(self, digest: str, begin: int, end: int) -> bytes:
        """Return these bytes of a model."""

    def report(self, device: str, digest: str, *, works: bool) -> None:
        """Say whether a model works."""


class Follower(Generic[Model]):
    """A device: ``contact`` it where there is a network, as often as one likes.

    ``received_bytes`` are all that came in since it was made, whole or not.
    """

    def __init__(
        self,
        device: str,
        updater: Updater[Model],
        throttle: Throttle,
    ) -> None:
        self.device, self.updater, self.throttle = device, updater, throttle
        self.received_bytes = 0
        self._kept = updater.folder / "course.json"
        self._draft: Download | None = None
        self._reported = ""

    def contact(self, releases: Releases, now: float) -> str:
        """Follow the course as far as network and throttle let it; say how far that was.

        ``"at work"``, ``"not meant"``, ``"throttled"``, ``"lost"``, ``"stale"``, ``"wrong bytes"`` or
        why the target was refused.
        """
        try:
            return self._contact(releases, now)
        except Lost as lost:
            self.received_bytes += lost.sent_bytes
            return "lost"

    def _contact(self, releases: Releases, now: float) -> str:
        course = Course.read(self._text(releases.course()))
        kept = self._last()
        if course.number < kept.get("number", 0):
            return "stale"
        if course.number != kept.get("number"):
            kept = {"number": course.number, "refused": kept.get("refused", [])}
            self._write(kept)
        for digest in sorted(course.withdrawn):
            self.updater.withdraw(digest, "withdrawn from the fleet")
        active = self.updater.active
        if course.target in course.withdrawn:
            self._forget()
            return "not meant"
        if active != course.target:
            if not course.meant_for(self.device) or course.target in kept["refused"]:
                return "not meant"
            if (said := self._fetch(releases, course.target, now)) != "fetched":
                return said
            if reason := self._take_over(releases, course.target):
                self._write({**kept, "refused": [*kept["refused"], course.target]})
                releases.report(self.device, course.target, works=False)
                return reason
        if self._reported != course.target:
            releases.report(self.device, course.target, works=True)
            self._reported = course.target
        return "at work"

    def _fetch(self, releases: Releases, digest: str, now: float) -> str:
        """Fetch what is missing of a model."""
        if self._draft is None or self._draft.release.digest != digest:
            release = Release.read(self._text(releases.release(digest)))
            if release.digest != digest:
                return "wrong bytes"
            self._draft = Download(self.updater.folder, release, durable=self.updater.durable)
        draft, wrong = self._draft, 0
        for piece in draft.missing():
            begin, end = draft.release.span(piece)
            if not self.throttle.take(end - begin, now):
                return "throttled"
            data = releases.piece(digest, begin, end)
            self.received_bytes += len(data)
            if not draft.take(piece, data):
                wrong += 1
                if wrong == _WRONG:
                    break
        return "wrong bytes" if draft.missing() else "fetched"

    def _take_over(self, releases: Releases, digest: str) -> str:
        """Offer a whole model to the device's own policy; return why it refuses, or nothing."""
        assert self._draft is not None
        evidence = [self._text(one) for one in releases.evidence(digest)]
        try:
            decision = self.updater.offer(digest, self._draft.whole(), evidence)
        except ValueError as error:
            return str(error)
        self._draft.drop()
        self._draft = None
        return "" if decision.accepted else decision.reason

    def _text(self, text: str) -> str:
        self.received_bytes += len(text.encode())
        return text

    def _forget(self) -> None:
        """Drop a draft of what nobody takes any more."""
        if self._draft is not None:
            self._draft.drop()
            self._draft = None

    def _last(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._kept.read_text("utf-8"))
            return found
        except (OSError, ValueError):
            return {"refused": []}

    def _write(self, kept: dict[str, Any]) -> None:
        write_at_once(self._kept, json.dumps(kept).encode(), durable=self.updater.durable)


def main() -> None:
    """Follow the course of a fleet until its target is at work here."""
    from pytest_mlgates import QualityFloor
    from reference_systems.parts.release_server import HttpReleases

    parser = argparse.ArgumentParser(prog="updating", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("url")
    parser.add_argument("--device", required=True)
    parser.add_argument("--bytes-per-s", type=float, default=1e6)
    options = parser.parse_args()
    # what a device requires is its own
    required = QualityFloor(metric="accuracy", min_value=0.6)
    updater = Updater[bytes](options.folder, [required], bytes)
    if updater.active is None:
        updater.install(b"the model that it was delivered with")
    throttle = Throttle(options.bytes_per_s, most_saved=2**16)
    follower = Follower(options.device, updater, throttle)
    releases = HttpReleases(options.url)
    while (said := follower.contact(releases, time.monotonic())) != "at work":
        if said not in {"throttled", "lost", "stale", "not meant", "wrong bytes"}:
            raise SystemExit(f"refused: {said}")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
