"""The trucks from the command line: drive, see where two models part, pick clips to learn from.

JSON Lines in and out, words on standard error. Exit status 0 done, 1 refused or failed (one line
says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from reference_systems.parts.commands import (
    Command,
    RefusedError,
    answers,
    count,
    opened,
    run,
    seed,
    with_builds,
)
from reference_systems.parts.side_by_side import rows_of

__all__ = ["main"]

_EXAMPLE = '{"id": 1, "control": [0.1, 0.1], "shadow": [0.9, 0.8]}'
_CHUNK = 256

Row = Mapping[str, object]


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), _COMMANDS, arguments)


def _parser() -> argparse.ArgumentParser:
    parser, add = with_builds(
        "truckai_shadow", __doc__, "the shadow: V3, or V2 of the incident (default: fixed)"
    )
    drive = add("drive", "drive clips by V1 with a shadow that reaches no wheel; a line a clip",
    )  # fmt: skip
    drive.add_argument("--clips", type=count, default=200)
    drive.add_argument("--seed", type=seed, default=1)
    drive.add_argument("--manoeuvre", help="this one alone (default: as traffic has them)")
    apart = add("divergence", "lines of control and shadow, the commands of two models frame by frame",
    )  # fmt: skip
    query = add("query", "the same lines, perhaps with tries of the shadow under dropout: what is worth most",
    )  # fmt: skip
    query.add_argument("--keep", type=count, default=100, metavar="N", help="clips (default: 100)")
    for command in (apart, query):
        command.add_argument("files", metavar="FILE", nargs="*", help="default: standard input")
    for command in (drive, apart):
        command.add_argument(
            "--tolerance", type=_tolerance, default=None, metavar="T",
            help="two models agree up to this, in the unit of the commands (default: 0.4)",
        )  # fmt: skip
    compare = add("compare", "V1, V2 and V3 side by side")
    compare.add_argument("--clips", type=count, default=500)
    compare.add_argument("--seed", type=seed, default=1)
    return parser


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return value


def _drive(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.truckai_shadow.builds import versions
    from reference_systems.truckai_shadow.drives import drive
    from reference_systems.truckai_shadow.inputs import highways
    from reference_systems.truckai_shadow.roads import MANOEUVRES, TRAFFIC
    from reference_systems.truckai_shadow.shadow_mode import divergence

    if options.manoeuvre is not None and options.manoeuvre not in MANOEUVRES:
        raise RefusedError(f"--manoeuvre {options.manoeuvre!r}: give {', '.join(MANOEUVRES)}")
    models = versions()
    shadow = models.v2 if getattr(options, "build", "fixed") == "incident" else models.v3
    mix = TRAFFIC if options.manoeuvre is None else {options.manoeuvre: 1.0}
    scenes = highways(options.clips, (options.seed, 6), mix)
    for begin in range(0, len(scenes), _CHUNK):
        clips = drive(scenes[begin : begin + _CHUNK], models.v1)
        frames = clips.frames.reshape(-1, *clips.frames.shape[2:])
        said = shadow(frames, clips.speed.ravel()).reshape(clips.speed.shape)
        for at, gap in enumerate(divergence(clips.driven, said)):
            yield {
                "id": begin + at,
                "manoeuvre": clips.scenes.names[at],
                "control": clips.driven[at].astype(float).round(6).tolist(),
                "shadow": said[at].astype(float).round(6).tolist(),
                **_told(float(gap), options.tolerance),
            }


def _told(gap: float, tolerance: float | None) -> Row:
    from reference_systems.truckai_shadow.shadow_mode import TOLERANCE

    most = TOLERANCE if tolerance is None else tolerance
    return {"divergence": round(gap, 6), "diverges": gap > most}


def _divergence(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.truckai_shadow.said import apart

    for file in options.files or ["-"]:
        with opened(file) as stream:
            yield from answers(stream, lambda line: _told(apart(line), options.tolerance), _EXAMPLE)


def _query(options: argparse.Namespace) -> Iterator[Row]:
    """Answer each line when all are read: what is kept depends on all."""
    from reference_systems.truckai_shadow.said import score

    found: list[Row] = []
    for file in options.files or ["-"]:
        with opened(file) as stream:
            found += answers(stream, lambda line: {"score": score(line)}, _EXAMPLE)
    places = sorted(range(len(found)), key=lambda at: -float(str(found[at].get("score", -1))))
    rank = {at: number for number, at in enumerate(places, 1)}
    for at, row in enumerate(found):
        kept = {} if "error" in row else {"rank": rank[at], "keep": rank[at] <= options.keep}
        yield {**row, **kept}


def _compare(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.truckai_shadow import compare

    yield from rows_of(compare.main, ["--clips", str(options.clips), "--seed", str(options.seed)])


_COMMANDS: dict[str, Command] = {
    "drive": _drive,
    "divergence": _divergence,
    "query": _query,
    "compare": _compare,
}
