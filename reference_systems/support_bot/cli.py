"""The bot from the command line: scrub texts, train on chats, answer. JSON Lines in and out.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from reference_systems.parts.commands import (
    BadLine,
    Command,
    RefusedError,
    answers,
    count,
    opened,
    run,
    say,
    seed,
    with_builds,
)
from reference_systems.parts.side_by_side import rows_of

__all__ = ["main"]

PROG = "support_bot"
_EXAMPLE = '{"id": 1, "text": "My card was declined."}'

Row = Mapping[str, object]


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), _COMMANDS, arguments)


def _parser() -> argparse.ArgumentParser:
    parser, add = with_builds(PROG, __doc__, "default: fixed; reply takes that of the folder")
    scrub = add("scrub", "lines of text: with personal data replaced by its kind")
    scrub.add_argument("files", metavar="FILE", nargs="*", help="default: standard input")
    train = add("train", "train a bot on lines of text and, perhaps, customer")
    train.add_argument("chats", metavar="CHATS", help="JSON Lines; - is standard input")
    train.add_argument("--to", metavar="DIR", type=Path, required=True)
    train.add_argument("--seed", type=seed, default=0)
    reply = add("reply", "answer lines of text")
    reply.add_argument("folder", metavar="DIR", type=Path, help="what train wrote")
    reply.add_argument("files", metavar="FILE", nargs="*", help="default: standard input")
    compare = add("compare", "incident and fix side by side")
    compare.add_argument("--prompts", type=count, default=2_000)
    compare.add_argument("--seed", type=seed, default=0)
    return parser


def _text(asked: Mapping[str, object]) -> str:
    text = asked.get("text")
    if not isinstance(text, str):
        raise BadLine(f"has no text: give an object such as {_EXAMPLE}")
    return text


def _scrub(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.support_bot.folder import SCRUBBERS

    scrub_all = SCRUBBERS[getattr(options, "build", "fixed")]
    for file in options.files or ["-"]:
        with opened(file) as stream:
            yield from answers(stream, lambda line: {"text": scrub_all([_text(line)])[0]}, _EXAMPLE)


def _train(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.support_bot.folder import read_chats, train

    chats, wrong = read_chats(options.chats)
    for text in wrong:
        say(PROG, text)
    name = getattr(options, "build", "fixed")
    yield {**train(chats, name, options.seed, options.to), "to": str(options.to)}


def _reply(options: argparse.Namespace) -> Iterator[Row]:
    from pytest_mlgates.pii.guard import LeakError
    from reference_systems.support_bot.folder import load

    bot, name = load(options.folder)
    if getattr(options, "build", name) != name:
        raise RefusedError(
            f"{options.folder}: holds the {name} build: train with --build for the other one"
        )

    def answer(line: Mapping[str, object]) -> Row:
        text = _text(line)
        try:
            return {"reply": bot.reply(text)}
        except (LeakError, ValueError) as error:  # not sent, or longer than the context
            raise BadLine(str(error)) from None

    for file in options.files or ["-"]:
        with opened(file) as stream:
            yield from answers(stream, answer, _EXAMPLE)


def _compare(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.support_bot import compare

    yield from rows_of(
        compare.main, ["--prompts", str(options.prompts), "--seed", str(options.seed)]
    )


_COMMANDS: dict[str, Command] = {
    "scrub": _scrub,
    "train": _train,
    "reply": _reply,
    "compare": _compare,
}
