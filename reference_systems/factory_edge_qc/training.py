"""Train an inspector on labelled boards, and write it to a folder.

The weights go on from those that are shipped. A fifth of the boards is held out: on them, as they
are, mended (their boxes as the template has them) and spoiled anew in one place, the scores are
chosen from which a board counts as defective.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from reference_systems.factory_edge_qc.alignment import aligned
from reference_systems.factory_edge_qc.boards import again
from reference_systems.factory_edge_qc.defects import PAD, spoiled
from reference_systems.factory_edge_qc.fitting import fit
from reference_systems.factory_edge_qc.folder import Labelled, labelled
from reference_systems.factory_edge_qc.frames import Envelope, Fault, read_picture
from reference_systems.factory_edge_qc.inspector import Inspector, Settings, compared, residues
from reference_systems.factory_edge_qc.onnx_file import digest_of, exported, with_settings
from reference_systems.factory_edge_qc.pretrained import pretrained
from reference_systems.factory_edge_qc.samples import Pair, crops, mended

__all__ = ["Recipe", "Trained", "fitted", "pairs_of", "train", "write"]

Gray = npt.NDArray[np.uint8]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How much is trained; more boards than ``most_boards`` are drawn from by seed."""

    crops: int = 1200
    epochs: int = 3
    rate: float = 1e-3
    most_boards: int = 400
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Trained:
    """A model file with its settings, the weights behind it, and the boards that went in."""

    model: bytes
    state: dict[str, torch.Tensor]
    boards: int
    held_out: int


def pairs_of(boards: Sequence[Labelled], say: Say) -> tuple[list[Pair], list[Gray]]:
    """Read boards and lay their templates over them; return templates as they were, too."""
    pairs, templates = [], []
    for board in boards:
        try:
            photo = read_picture(board.photo)
            template = read_picture(board.template) if board.template is not None else None
        except Fault as fault:
            say(f"{fault}; the board is left out")
            continue
        if template is not None and template.shape != photo.shape:
            say(f"{board.photo.name}: its template has another size; the board is left out")
            continue
        if photo.max() - photo.min() < 40:
            say(f"{board.photo.name}: the picture is flat; the board is left out")
            continue
        laid = aligned(photo, template) if template is not None else None
        pairs.append(Pair(photo, laid, board.boxes, board.photo.name))
        if template is not None:
            templates.append(template)
    return pairs, templates


def train(folder: Path, to: Path, say: Say, recipe: Recipe = Recipe()) -> Trained:
    """Train on a folder of boards and write the inspector into another.

    Raises :class:`ValueError` where there is nothing to train on.
    """
    found = labelled(folder, say)
    if not any(board.boxes for board in found):
        raise ValueError(
            f"{folder}: holds no labelled defect: NAME_test.jpg, NAME_temp.jpg and NAME.txt with"
            " x1,y1,x2,y2,type a line are wanted"
        )
    if len(found) > recipe.most_boards:
        rows = np.random.default_rng(recipe.seed).permutation(len(found))[: recipe.most_boards]
        found = [found[row] for row in sorted(rows)]
    pairs, templates = pairs_of(found, say)
    if not any(pair.boxes for pair in pairs):
        raise ValueError(f"{folder}: no board with a defect can be read")
    say(f"{len(pairs)} boards, {sum(len(p.boxes) for p in pairs)} labelled defects")
    done = fitted(pairs, templates, recipe, pretrained())
    write(done, to)
    return done


def fitted(
    pairs: Sequence[Pair],
    templates: Sequence[Gray],
    recipe: Recipe,
    start: dict[str, torch.Tensor],
    more: Sequence[Pair] = (),
) -> Trained:
    """Fit weights to pairs, quantise them, and choose the settings.

    ``more`` are parts of boards, to train on alone.
    """
    torch.set_num_threads(1)
    step = 5 if len(pairs) >= 5 else len(pairs) + 1
    held = list(pairs[step - 1 :: step])
    rest = [pair for index, pair in enumerate(pairs) if index % step != step - 1]
    if not any(pair.boxes for pair in rest):
        rest = list(pairs)
    state = start
    if recipe.epochs:
        drawn = crops([*rest, *more], recipe.crops, recipe.seed)
        state = fit(drawn, epochs=recipe.epochs, seed=recipe.seed, rate=recipe.rate, start=start)
    plain = exported(state, _examples(rest, recipe.seed))
    settings = _settings(plain, pairs, held or rest, templates, recipe.seed)
    model = with_settings(plain, settings.to_json())
    return Trained(model, state, len(pairs), len(held))


def write(done: Trained, to: Path) -> None:
    """Write the model under its digest, then the file that names it: all of it or nothing."""
    to.mkdir(parents=True, exist_ok=True)
    digest = digest_of(done.model)
    _put(to / f"{digest}.onnx", done.model)
    _put(to / "inspector.json", json.dumps({"model": digest}).encode())


def _put(path: Path, data: bytes) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(draft).chmod(0o644)
    Path(draft).replace(path)


def _examples(pairs: Sequence[Pair], seed: int) -> list[npt.NDArray[np.float32]]:
    drawn = crops(pairs, 48, seed + 1000)
    return [part.astype(np.float32) / 255 for part in drawn.planes]


def _settings(
    model: bytes, pairs: Sequence[Pair], held: Sequence[Pair], templates: Sequence[Gray], seed: int
) -> Settings:
    envelope = Envelope.of([pair.photo for pair in pairs] + list(templates))
    margins, left, shares = [float(PAD)], [0], [0.0]
    for pair in pairs:
        if pair.template is not None:
            shares.append(compared(pair.photo, pair.template).share)
            left += _left_over(pair)
            margins += _margins(pair)
    draft = Settings(
        alone=0.5, beside=0.5, residue=max(40, 2 * max(left)),
        strange=float(max(0.02, 4 * max(shares))), pad=round(float(np.median(margins))),
        envelope=envelope,
    )  # fmt: skip
    inspector = Inspector(with_settings(model, draft.to_json()))
    return Settings(
        alone=_bound(inspector, held, seed, beside=False),
        beside=_bound(inspector, held, seed, beside=True),
        residue=draft.residue, strange=draft.strange, pad=draft.pad, envelope=envelope,
    )  # fmt: skip


def _left_over(pair: Pair) -> list[int]:
    """Return the pixels of each place that differs though nothing is labelled there."""
    assert pair.template is not None
    apart = compared(mended(pair), pair.template)
    both = apart.extra | apart.missing
    return [int(both[y1 : y2 + 1, x1 : x2 + 1].sum()) for x1, y1, x2, y2 in residues(apart, 1, 0)]


def _margins(pair: Pair) -> list[float]:
    """Return how much wider each label is than what differs in it, a number a side."""
    assert pair.template is not None
    apart = compared(pair.photo, pair.template)
    both = apart.extra | apart.missing
    found: list[float] = []
    for box in pair.boxes:
        ys, xs = np.nonzero(both[box.y1 : box.y2 + 1, box.x1 : box.x2 + 1])
        if ys.size >= 8:
            width, height = box.x2 - box.x1, box.y2 - box.y1
            found += [float(xs.min()), float(ys.min()), float(width - xs.max())]
            found.append(float(height - ys.max()))
    return found


def _bound(inspector: Inspector, held: Sequence[Pair], seed: int, *, beside: bool) -> float:
    """Return the score that tells good boards from bad ones best, from 0.3 to 0.9.

    Where many do, the one in the middle between them.
    """
    good, bad = [], []
    for index, pair in enumerate(held):
        template = pair.template if beside else None
        if beside and template is None:
            continue
        rng = np.random.default_rng((seed, 9, index))
        if pair.template is not None or not pair.boxes:
            clean = mended(pair)
            for photo in (clean, again(clean, rng), again(clean, rng, 1.0)):
                good.append(inspector.score(photo, template))
                worse, boxes = spoiled(photo, rng, 2)
                if boxes:
                    bad.append(inspector.score(worse, template))
        if pair.boxes:
            bad.append(inspector.score(pair.photo, template))
    if not good or not bad:
        return 0.5
    tried = np.linspace(0.3, 0.9, 61)
    hits = np.array(
        [np.mean(np.array(bad) >= bound) + np.mean(np.array(good) < bound) for bound in tried]
    )
    best = tried[hits >= hits.max() - 1e-9]
    return round(float(best[np.abs(best - best.mean()).argmin()]), 3)
