"""Updates from afar: a device takes a new model by its digest, and only with the evidence for it.

What arrives is hashed, its evidence is decided again by the device's own policy, and it must load
and answer, before one atomic rename makes it the active model. Whatever is missing or does not
fit, the model that worked before goes on working.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pytest_mlgates import Evidence, Gate, Outcome
from pytest_mlgates.core.records import Role
from reference_systems.parts.model_files import DIGEST, ModelFiles, digest_of, write_at_once

__all__ = ["Decision", "Updater", "digest_of", "refusal"]

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of an offer, and why; ``active`` is the digest that works from now on."""

    accepted: bool
    reason: str
    active: str | None


def refusal(digest: str, evidence: Iterable[str], required: Sequence[Gate]) -> str:
    """Say why a model may not be used by this evidence (JSON, one piece each), or return "".

    Each required gate needs a PASS for exactly this digest, and decides on its measurement
    again: evidence that was made under a looser policy, or edited, does not pass. One FAIL for this
    digest outweighs any PASS.
    """
    pieces = []
    for text in evidence:
        try:
            pieces.append(Evidence.from_json(text))
        except Exception as error:  # noqa: BLE001  (anything may have been sent)
            return f"a piece of evidence can't be read ({type(error).__name__})"
    own = [e for e in pieces if e.subject_digest == digest and e.role is Role.GATE]
    for gate in required:
        about = [piece for piece in pieces if piece.gate == gate.name]
        mine = [piece for piece in own if piece.gate == gate.name]
        if not about:
            return f"there is no evidence of {gate.name}"
        if not mine:
            return f"the evidence of {gate.name} is about another model"
        for piece in mine:
            if piece.outcome != Outcome.PASS:
                return f"{gate.name}: {piece.outcome.upper()}: {piece.verdict.reason}"
            if fault := _again(gate, piece):
                return f"{gate.name}: {fault}"
    return ""


def _again(gate: Gate, piece: Evidence) -> str:
    if piece.measurement is None:
        return "a PASS without a measurement"
    try:
        verdict = gate.decide(piece.measurement)
    except Exception as error:  # noqa: BLE001  (a forged measurement may break any gate)
        return f"its measurement can't be decided ({type(error).__name__})"
    if verdict.outcome != Outcome.PASS or piece.measurement.n == 0:
        return f"said PASS, but by this device's policy it is {verdict.outcome.upper()}"
    return ""


class Updater(Generic[Model]):
    """The models of one device in a folder: files by digest, and which of them is active.

    ``load`` makes a model of its bytes, and raises :class:`ValueError` where they are not one.
    """

    def __init__(
        self,
        folder: Path,
        required: Sequence[Gate],
        load: Callable[[bytes], Model],
        *,
        durable: bool = True,
    ) -> None:
        if not required:
            raise ValueError("no gate is required: any model would be taken")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.required, self.load = folder, tuple(required), load
        self.durable, self.files = durable, ModelFiles(folder, durable=durable)

    @property
    def active(self) -> str | None:
        """The digest of the active model, or None."""
        return self._state()["active"]

    def install(self, data: bytes) -> None:
        """Put in the model that a device is delivered with; only where there is none."""
        if self.active is not None:
            raise ValueError("there is a model already: offer the new one with its evidence")
        self.load(data)
        self.files.keep(data)
        self._point(digest_of(data), None)

    def offer(self, digest: str, data: bytes, evidence: Iterable[str]) -> Decision:
        """Take over a model, or leave everything as it is and say why."""
        if not DIGEST.fullmatch(digest) or digest_of(data) != digest:
            return self._refused("the bytes that arrived are not those of the digest")
        if digest in self._state()["withdrawn"]:
            return self._refused("it was withdrawn")
        if reason := refusal(digest, evidence, self.required):
            return self._refused(reason)
        try:
            self.load(data)  # it loads, and answers
        except ValueError as error:
            return self._refused(f"it {error}")
        state = self._state()
        self.files.keep(data)
        if digest != state["active"]:
            self._point(digest, state["active"])
        return Decision(accepted=True, reason="verified", active=digest)

    def recheck(self, evidence: Iterable[str]) -> Decision:
        """Judge the active model by the evidence there is now; roll back where it is not enough."""
        state = self._state()
        if state["active"] is None:
            return self._refused("no model is active")
        if reason := refusal(state["active"], evidence, self.required):
            return self._back(reason)
        return Decision(accepted=True, reason="verified", active=state["active"])

    def withdraw(self, digest: str, reason: str) -> Decision:
        """Take a model back and never again; where it is active the one before works from now on.

        What is withdrawn is forgotten as a model to go back to, too.
        """
        state = self._state()
        withdrawn = sorted({*state["withdrawn"], digest})
        if state["active"] != digest:
            previous = None if state["previous"] == digest else state["previous"]
            if (withdrawn, previous) != (state["withdrawn"], state["previous"]):
                self._write(state["active"], previous, withdrawn)
            return Decision(accepted=True, reason=reason, active=state["active"])
        if state["previous"] is None:
            self._write(digest, None, withdrawn)
            return self._refused(f"{reason}; there is no earlier model to go back to")
        self._write(state["previous"], None, withdrawn)
        return Decision(accepted=False, reason=f"rolled back: {reason}", active=state["previous"])

    def model(self) -> Model:
        """Return the active model, its bytes hashed again; a damaged one is rolled back.

        Raises :class:`RuntimeError` where no intact model is left: the device must stop.
        """
        for _ in range(2):
            digest = self.active
            if digest is None:
                break
            try:
                return self.load(self.files.read(digest))
            except LookupError:
                self._back("its file is damaged")
        raise RuntimeError("no intact model is left")

    def _refused(self, reason: str) -> Decision:
        return Decision(accepted=False, reason=reason, active=self.active)

    def _back(self, reason: str) -> Decision:
        """Let the previous model work again."""
        previous = self._state()["previous"]
        if previous is None:
            return self._refused(f"{reason}; there is no earlier model to go back to")
        self._point(previous, None)
        return Decision(accepted=False, reason=f"rolled back: {reason}", active=previous)

    def _state(self) -> dict[str, Any]:
        try:
            state = json.loads((self.folder / "state.json").read_text("utf-8"))
            active, previous = state["active"], state["previous"]
            return {"active": active, "previous": previous, "withdrawn": state.get("withdrawn", [])}
        except (OSError, ValueError, TypeError, KeyError):
            return {"active": None, "previous": None, "withdrawn": []}  # so nothing works

    def _point(self, active: str, previous: str | None) -> None:
        self._write(active, previous, self._state()["withdrawn"])

    def _write(self, active: str | None, previous: str | None, withdrawn: list[str]) -> None:
        state = json.dumps({"active": active, "previous": previous, "withdrawn": withdrawn})
        write_at_once(self.folder / "state.json", state.encode(), durable=self.durable)
