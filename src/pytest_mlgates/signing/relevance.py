"""Whether a report is about what somebody holds in hands: a commit, a clean tree, an artifact."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mlgates.signing.claim import Claim

__all__ = ["Asked", "Earlier", "relevance"]

_COMMIT = re.compile("[0-9a-f]{7,64}")
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a report has to be about; what is empty or false is not asked.

    ``artifacts`` are (name, digests): a subject that was gated has to have one of the digests.
    """

    commit: str = ""
    clean: bool = False
    subjects: tuple[str, ...] = ()
    artifacts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    first_run: bool = False

    def __post_init__(self) -> None:
        if self.commit and not _COMMIT.fullmatch(self.commit):
            raise ValueError("--commit: takes 7 to 64 hexadecimal digits of a commit")
        for digest in self.subjects:
            if not _DIGEST.fullmatch(digest.removeprefix("sha256:")):
                raise ValueError(
                    "--subject: takes a SHA-256 in hexadecimal, as `mlgates digest` prints"
                )


@dataclass(frozen=True, slots=True)
class Earlier:
    """The runs of a store over the same commit and subjects, before this one, by outcome."""

    outcomes: tuple[str, ...]

    def __str__(self) -> str:
        if not self.outcomes:
            return "the first run of this commit and these subjects in the store"
        bad = sum(outcome not in ("pass", "waived") for outcome in self.outcomes)
        count = len(self.outcomes) + 1
        return f"run {count} of {count} of this commit and these subjects; {bad} before it did not pass"


def relevance(
    claim: Claim, asked: Asked, earlier: Earlier | None
) -> Iterator[tuple[str, list[str], str]]:
    """Yield each question that was asked, what speaks against a yes, and what a yes means."""
    if asked.commit:
        same = claim.commit.startswith(asked.commit)
        text = f"{claim.commit or 'no commit'} was gated, not {asked.commit}"
        dirty = ", but its work tree had changes (ask with --clean)" if claim.dirty else ""
        yield "commit", [] if same else [text], f"{claim.commit} was gated{dirty}"
    if asked.clean:
        words = {True: "the work tree had changes", None: "nobody recorded whether it had changes"}
        fault = words.get(claim.dirty, "")
        yield "clean", [fault] if fault else [], "every file that git knows was as committed"
    for name, digests in [*((d, (d,)) for d in asked.subjects), *asked.artifacts]:
        question = "subject" if (name,) == digests else "artifact"
        yield question, *_subject(claim, name, digests)
    if asked.first_run:
        yield "first run", _not_first(claim, earlier), "no attempt and no run before it"


def _subject(claim: Claim, name: str, digests: Sequence[str]) -> tuple[list[str], str]:
    """Return why an artifact is not what was gated, and which entries gated it."""
    wanted = {digest.removeprefix("sha256:") for digest in digests}
    found = [s for s in claim.subjects if s.digest and s.digest.removeprefix("sha256:") in wanted]
    if not found:
        gated = f"none of {len(claim.subjects)} subjects that were gated has its digest"
        return [f"{name}: {gated}"], ""
    said = [s for s in found if s.digest_from not in ("code", "files")]
    how = f", {len(said)} of {len(found)} as the subject DECLARED" if said else ""
    entries = ", ".join(f"{s.system}: {entry}" for s in found for entry in s.entries)
    return [], f"{name} was gated by {entries}{how}"


def _not_first(claim: Claim, earlier: Earlier | None) -> list[str]:
    faults = []
    if claim.attempts > 1:
        faults.append(f"a test was run {claim.attempts} times")
    if claim.own_seeds:
        faults.append(f"the tests chose the seed of {claim.own_seeds} pieces themselves")
    if earlier is None:
        faults.append("only a store knows of earlier runs: name it with --store")
    elif earlier.outcomes:
        faults.append(str(earlier))
    return faults
