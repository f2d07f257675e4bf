"""One sequence of operations on a store, held against what the store has acknowledged."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol, cast

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.artifact_immutability.hazards import (
    BreakingStream,
    Hazard,
    StoppedError,
)
from pytest_mlgates.gates.artifact_immutability.ledger import Acknowledged, Kept, ViolationError
from pytest_mlgates.gates.artifact_immutability.protocol import Store
from pytest_mlgates.gates.artifact_immutability.sequences import Material, Operation

__all__ = ["SequenceTrial"]

_THREADS = 4
#: from which ``at`` a put that breaks off is of a long artifact, and how long that is
_LONG, _LONG_BYTES = 0.85, 3 << 20
_REFUSED = object()


class Guard(Protocol):
    """Stops a call that hangs."""

    def arm(self) -> None:
        """Start the time of the next call."""

    def disarm(self) -> None:
        """No call is under way."""


class SequenceTrial:
    """Runs operations on a store and raises :class:`ViolationError` where a promise is broken."""

    def __init__(
        self, store: Store, ledger: Acknowledged, material: Material, guard: Guard
    ) -> None:
        self.store: Any = store
        self.ledger, self.material, self.guard = ledger, material, guard
        self.mine: list[str] = []
        self.acknowledged = 0
        self.used: set[tuple[str, str]] = set()

    def run(self, operations: Sequence[Operation]) -> int:
        """Do all operations; return the number done, all of them unless one breaks a promise."""
        for operation in operations:
            self._DO[operation.kind](self, operation)
        for reference in dict.fromkeys(self.mine):
            self._check(reference, anew=True)
        return len(operations)

    # puts

    def _put(self, operation: Operation) -> None:
        content = self.material.contents[operation.content]
        self._store(content, self.material.names[operation.name], plain=True)

    def _overwrite(self, operation: Operation) -> None:
        """Put something else under a name that is taken."""
        other = 2 if operation.content != 2 else 0
        met = bool(self.mine)
        self._store(self.material.contents[other], self.material.names[operation.name])
        self.ledger.done["overwrite"] += met

    def _again(self, operation: Operation) -> None:
        """Put the very bytes again: a damaged artifact must be right once that is acknowledged."""
        content = self.material.contents[operation.content]
        self._store(content, self.material.names[operation.name])
        self._store(content, self.material.names[operation.name])
        self.ledger.done["again"] += bool(self.mine)

    def _alike(self, operation: Operation) -> None:
        """Put two contents that a careless key takes for one, under two names."""
        for number, content in enumerate(self.material.pair(operation)):
            mark = f"pair{operation.content % 2}{number}-"
            self._store(content, mark + self.material.names[0])
        self.ledger.done["alike"] += bool(self.mine)

    def _at_once(self, operation: Operation) -> None:
        """Put two contents under one name from four threads, each with a handle of its own."""
        name = self.material.names[operation.name]
        contents = [self.material.contents[0], self.material.contents[2]] * (_THREADS // 2)
        answers: list[object] = [_REFUSED] * _THREADS
        start = threading.Barrier(_THREADS)

        def put(number: int) -> None:
            with contextlib.suppress(Exception):
                store = self._opened()
                with contextlib.suppress(threading.BrokenBarrierError):
                    start.wait(1.0)
                answers[number] = store.put(io.BytesIO(contents[number]), name)

        threads = [threading.Thread(target=put, args=(n,), daemon=True) for n in range(_THREADS)]
        self.guard.arm()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.guard.disarm()
        given = [(r, c) for r, c in zip(answers, contents, strict=True) if r is not _REFUSED]
        self.ledger.done["at once"] += len(given) > 1
        for reference, content in given:
            self._acknowledge(_reference(reference), content)
        for reference, _ in given:
            self._check(_reference(reference), anew=True)

    def _broken_off(self, operation: Operation) -> None:
        """Put from a stream that breaks off in the middle, as a client that dies does."""
        content = self.material.contents[operation.content]
        if operation.at > _LONG:
            content += bytes(_LONG_BYTES)  # so that who reads in large blocks has some already
        name = self.material.names[operation.name]
        stream = BreakingStream(content, int(operation.at * len(content)))
        self._count_put(content, name)
        try:
            answer = self._call("put", stream, name)
        except StoppedError:
            answer = _REFUSED
        self.ledger.done["broken off"] += stream.broke
        if answer is not _REFUSED:
            self._acknowledge(_reference(answer), content)
        self._not_half(content, name)

    def _killed(self, operation: Operation) -> None:
        """Begin a put in a process of its own, which the system kills."""
        content = self.material.contents[operation.content]
        name = self.material.names[operation.name]
        self._count_put(content, name)
        if self._call("kill_put", content, name, operation.at) is not _REFUSED:
            self.ledger.done["killed"] += 1
        self._not_half(content, name)

    def _not_half(self, content: bytes, name: str) -> None:
        """See that what was not acknowledged is absent, or whole, under what it may be called."""
        self._open_anew()
        for reference in (name, hashlib.sha256(content).hexdigest()):
            if reference in self.ledger.kept:
                self._check(reference)
                continue
            got = self._read(reference)
            if got is not None and hashlib.sha256(got).hexdigest() not in {d for d, _ in self.used}:
                raise ViolationError("part of an artifact that was never stored whole is served")

    # everything else

    def _reopen(self, operation: Operation) -> None:  # noqa: ARG002
        self._open_anew()
        self.ledger.done["reopen"] += bool(self.mine)

    def _delete(self, operation: Operation) -> None:
        for reference in self._some(operation):
            if self._call("delete", reference) not in (_REFUSED, False):
                self.ledger.kept[reference].deleted = True
                self.ledger.done["delete"] += 1
            self._check(reference)

    def _rename(self, operation: Operation) -> None:
        for reference in self._some(operation):
            name = self.material.names[operation.name]
            one = self.ledger.kept[reference]
            answer = self._call("rename", reference, name)
            if answer is _REFUSED:
                self._check(reference)
                continue
            self.ledger.done["rename"] += 1
            new = name if answer is None else _reference(answer)
            if new != reference:
                was = dataclasses.replace(one)
                one.deleted = True
                self._acknowledge_digest(new, was.digest)
                if was.damage or was.deleted:
                    self.ledger.kept[new] = was
            self._check(new)

    def _damage(self, operation: Operation) -> None:
        for reference in self._some(operation):
            change = Hazard(operation.kind, operation.at)
            answer = self._call("damage", reference, change)
            if answer is _REFUSED or not change.changed:
                self._check(reference)
                continue
            self._note_damage(reference, operation.kind)
            self._fault(operation.kind, reference)

    def _cut_read(self, operation: Operation) -> None:
        for reference in self._some(operation):
            one = self.ledger.kept[reference]
            if one.damage or one.deleted:
                continue
            self._open_anew()
            if self._call("cut_reads", int(operation.at * 10)) is _REFUSED:
                continue
            one.damage = operation.kind
            try:
                self._fault(operation.kind, reference)
            finally:
                self._call("cut_reads", None)
                one.damage = ""
            self._check(reference, anew=True)

    def _fault(self, kind: str, reference: str) -> None:
        """Read after something was done from behind: a refusal, or the right bytes."""
        counts = self.ledger.faults[kind]
        counts["done"] += 1
        right = self._check(reference, anew=True)
        counts["harmless" if right else "refused"] += 1

    # what is owed

    def _store(self, content: bytes, name: str, *, plain: bool = False) -> None:
        fresh = self._count_put(content, name) and plain
        answer = self._call("put", io.BytesIO(content), name)
        self.ledger.plain_puts += fresh
        if answer is _REFUSED:
            self.ledger.refused += fresh
            return
        reference = _reference(answer)
        self._acknowledge(reference, content)
        self._check(reference)

    def _count_put(self, content: bytes, name: str) -> bool:
        """Note a put; tell whether neither the bytes nor the name were used before."""
        digest = hashlib.sha256(content).hexdigest()
        fresh = bool(content) and not any(digest == d or name == n for d, n in self.used)
        self.used.add((digest, name))
        return fresh

    def _acknowledge(self, reference: str, content: bytes) -> None:
        self._acknowledge_digest(reference, hashlib.sha256(content).hexdigest())

    def _acknowledge_digest(self, reference: str, digest: str) -> None:
        known = self.ledger.kept.get(reference)
        if known is not None and known.digest != digest:
            then = "deleted, and acknowledged" if known.deleted else "then"
            raise ViolationError(
                f"a reference was acknowledged for one artifact, {then} for another"
            )
        if known is None:
            self.ledger.equal.setdefault(digest, []).append(reference)
        self.ledger.kept[reference] = Kept(digest)
        self.mine.append(reference)
        self.acknowledged += 1

    def _check(self, reference: str, *, anew: bool = False) -> bool:
        """Read an artifact and hold it against what was acknowledged; False where it is refused."""
        if anew:
            self._open_anew()
        one = self.ledger.kept[reference]
        got = self._read(reference)
        if got is None and not one.damage and not one.deleted:
            self._open_anew()  # once more: a line may fail for a moment
            got = self._read(reference)
            if got is None:
                raise ViolationError("an artifact was acknowledged and is lost: it can't be read")
        if got is None:
            return False
        if hashlib.sha256(got).hexdigest() == one.digest:
            self.ledger.read_back += 1
            return True
        if one.damage:
            raise ViolationError(
                f"other bytes were served after {one.damage}: reads are not verified"
            )
        raise ViolationError("an artifact has changed: its reference gives other bytes")

    def audit(self, references: Sequence[str]) -> None:
        """Read artifacts of earlier sequences once more."""
        for reference in references:
            self._check(reference)
            self.ledger.audited += 1

    def hold_against_list(self) -> None:
        """See that the store's list names all that it owes."""
        self._open_anew()
        answer: Any = self._call("list", then=lambda found: set(map(str, found)))
        if answer is _REFUSED:
            return
        self.ledger.done["list"] += 1
        if not set(self.ledger.sound()) <= answer:
            raise ViolationError("an artifact was acknowledged and the store's list lacks it")

    def _some(self, operation: Operation) -> list[str]:
        """Return the artifact that an operation is about: the last one, or an earlier one."""
        if not self.mine:
            return []
        earlier = self.mine[int(operation.at * 10) % len(self.mine)]
        return [self.mine[-1] if operation.at < 0.7 else earlier]

    def _note_damage(self, reference: str, kind: str) -> None:
        """Equal artifacts may share their bytes: what happens to one happens to all."""
        for name in self.ledger.equal[self.ledger.kept[reference].digest]:
            self.ledger.kept[name].damage = kind

    # calls

    def _opened(self) -> Any:
        if not hasattr(self.store, "reopen"):
            return self.store
        return self.store.reopen()

    def _open_anew(self) -> None:
        if hasattr(self.store, "reopen"):
            self.guard.arm()
            self.store = self.store.reopen()
            self.guard.disarm()

    def _read(self, reference: str) -> bytes | None:
        answer = self._call("get", reference, then=_artifact_bytes)
        if answer is _REFUSED or answer is None:
            return None
        if not isinstance(answer, (bytes, bytearray, memoryview)):
            raise Unmeasurable(f"get gave {a(type(answer).__name__)}: it must give the bytes")
        return bytes(answer)

    def _call(
        self, method: str, *arguments: object, then: Callable[[Any], object] | None = None
    ) -> object:
        """Call the store, and ``then`` take its answer in; whatever it raises is a refusal."""
        self.guard.arm()
        try:
            answer: object = getattr(self.store, method)(*arguments)
            if then is not None and not hasattr(answer, "__await__"):
                answer = then(answer)
        except Exception as error:  # noqa: BLE001  (a refusal may be of any kind)
            self.ledger.refusals[type(error).__name__] += 1
            return _REFUSED
        finally:
            self.guard.disarm()
        if hasattr(answer, "__await__"):
            with contextlib.suppress(Exception):
                cast("Any", answer).close()
            raise Unmeasurable(f"{method} gives an awaitable: hand in a store that answers at once")
        return answer

    _DO: ClassVar[dict[str, Callable[[SequenceTrial, Operation], None]]] = {
        "put": _put,
        "overwrite": _overwrite,
        "again": _again,
        "alike": _alike,
        "at once": _at_once,
        "broken off": _broken_off,
        "killed": _killed,
        "reopen": _reopen,
        "delete": _delete,
        "rename": _rename,
        "cut read": _cut_read,
        **dict.fromkeys(("flip", "cut", "lengthen", "empty", "swap"), _damage),
    }


def _reference(answer: object) -> str:
    if not isinstance(answer, str):
        kind = a(type(answer).__name__)
        raise Unmeasurable(f"put gave {kind}: it must give the reference, a str, to get it by")
    return answer


def _artifact_bytes(answer: object) -> object:
    """Return an artifact that is given as a stream as its bytes."""
    return answer.read() if hasattr(answer, "read") else answer
