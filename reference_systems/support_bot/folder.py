"""A trained bot as a folder: its weights by digest, and what it was made by."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path

from pytest_mlgates.pii import guard
from reference_systems.parts.commands import BadLine, RefusedError, lines, opened, record
from reference_systems.support_bot import copies, model, scrub_presidio, scrub_regex
from reference_systems.support_bot.bot import Bot
from reference_systems.support_bot.builds import Scrubber, build, words
from reference_systems.support_bot.chats import Chat
from reference_systems.support_bot.private_training import Private
from reference_systems.support_bot.training import Plain
from reference_systems.weights.files import packed, unpacked, write

__all__ = ["SCRUBBERS", "load", "read_chats", "train"]

SCRUBBERS: dict[str, Scrubber] = {
    "fixed": scrub_presidio.scrub_all,
    "incident": scrub_regex.scrub_all,
}
_EXAMPLE = '{"customer": "c-17", "text": "customer: My card was declined.\\nagent: …"}'
_FILES = {"bot.json", "bot.npz"}


def read_chats(file: str) -> tuple[list[Chat], list[str]]:
    """Return the chats of a JSON Lines file, and what is wrong with those left out."""
    found, wrong = [], []
    with opened(file) as stream:
        for number, line in enumerate(lines(stream), 1):
            try:
                if isinstance(line, BadLine):
                    raise line
                found.append(_chat(record(line, _EXAMPLE), number))
            except BadLine as error:
                wrong.append(f"{file}: line {number} {error}")
    if not found:
        raise RefusedError(
            wrong[0] if wrong else f"{file}: holds no chat: give lines as {_EXAMPLE}"
        )
    return found, wrong


def _chat(asked: dict[str, object], number: int) -> Chat:
    """Return a chat; one that names no customer is of a customer of its own."""
    text = asked.get("text")
    if not isinstance(text, str) or not text.strip():
        raise BadLine(f"has no text: give an object such as {_EXAMPLE}")
    return Chat(str(asked.get("customer", f"line {number}")), text)


def train(chats: Sequence[Chat], name: str, seed: int, to: Path) -> dict[str, object]:
    """Train a build on chats and write the folder; return what was written.

    The fix keeps one chat a customer, since what DP-SGD promises is about one record.
    """
    if to.exists() and (not to.is_dir() or {file.name for file in to.iterdir()} - _FILES):
        raise RefusedError(f"{to}: holds files that are not a trained bot's: name another folder")
    scrub_all = SCRUBBERS[name]
    kept = copies.capped(chats) if name == "fixed" else list(chats)
    clean = scrub_all([chat.text for chat in kept])
    trained = [Chat(chat.customer, text) for chat, text in zip(kept, clean, strict=True)]
    with warnings.catch_warnings():
        # the accountant divides by zero on its grid's ends, where a log of few chats is small
        warnings.simplefilter("ignore", RuntimeWarning)
        bot = build(trained, Private() if name == "fixed" else Plain(), seed)
    data = packed(bot.model.state_dict())
    about = {
        "build": name,
        "seed": seed,
        "chats": len(trained),
        "scrubbed": sum(chat.text != text for chat, text in zip(kept, clean, strict=True)),
        "weights": hashlib.sha256(data).hexdigest(),
    }
    write(to / "bot.npz", data)
    write(to / "bot.json", json.dumps(about, indent=1).encode())
    return about


def load(folder: Path) -> tuple[Bot, str]:
    """Return the bot of a folder, and which build it is; raise RefusedError where it is none."""
    try:
        about = json.loads((folder / "bot.json").read_text("utf-8"))
        data = (folder / "bot.npz").read_bytes()
        name, digest = about["build"], about["weights"]
    except (ValueError, KeyError, TypeError):
        raise RefusedError(f"{folder}: bot.json can't be read: train again") from None
    if hashlib.sha256(data).hexdigest() != digest or name not in SCRUBBERS:
        raise RefusedError(f"{folder}: bot.npz is not what its digest says: train again")
    known = words()
    network = model.Transformer(model.Config(vocabulary=len(known)))
    try:
        network.load_state_dict(unpacked(data))
    except (RuntimeError, ValueError):
        raise RefusedError(f"{folder}: was trained by another version: train again") from None
    if name != "fixed":
        return Bot(network, known, digest), name
    return Bot(network, known, digest, SCRUBBERS[name], guard), name
