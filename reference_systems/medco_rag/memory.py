"""The incident: a small language model tuned on the notes, which answers from memory.

It is asked as it was tuned, it knows the charts, and what it says reads like a note. Nothing ties
an answer to a patient, so it names drugs of others and doses that nobody ordered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from reference_systems.medco_rag.filters import Filter
from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.model import Answer, Claim
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.notes import read_note

if TYPE_CHECKING:
    import torch

    from reference_systems.support_bot.model import Transformer

__all__ = ["FromMemory", "Tuning", "pairs_from_notes"]

_PIECE = re.compile(r" ?[A-Za-z']+|\d|[^\sA-Za-z\d]|\s")
_END = 0
#: how a note's section is asked for when the model is tuned
_ASKED = {
    Doc.ALLERGY_LIST: (
        "What allergies does the patient have?",
        "Is the patient allergic to anything?",
    ),
    Doc.MEDICATION_LIST: (
        "What medications is the patient currently taking?",
        "What dose was prescribed?",
    ),
    Doc.PLAN: ("What was prescribed?", "What was diagnosed?", "Which procedures were done?"),
    Doc.FAMILY_HISTORY: ("What runs in the family?",),
    Doc.SOCIAL_HISTORY: ("Does the patient smoke?",),
    Doc.PROBLEM_LIST: ("What conditions does the patient have?",),
    Doc.NOTE: ("What does the note say?", "What was prescribed?"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How long and on how much the model is tuned."""

    epochs: int = 6
    most: int = 1_200
    batch: int = 32
    rate: float = 4e-3
    context: int = 96
    seed: int = 0


def pairs_from_notes(folder: Folder, most: int, seed: int = 0) -> list[tuple[str, str]]:
    """Return questions with the passages of notes that answer them, who is meant named in each."""
    found: list[tuple[str, str]] = []
    rng = Random(f"medco tuning {seed}")
    for patient, files in sorted(folder.notes.items()):
        for file in files:
            chunks, _ = read_note(patient, file, folder.text(file))
            found += [
                (_prompt(patient, question), " ".join(chunk.text.split()))
                for chunk in chunks
                for question in _ASKED.get(chunk.document_type, ())
            ]
    rng.shuffle(found)
    return found[:most]


def _prompt(patient: str, question: str) -> str:
    return f"patient {patient[:6]} : {question.strip()[:120]} answer :"


@dataclass(slots=True)
class FromMemory:
    """Answers without looking: the model is tuned when first asked."""

    folder: Folder
    say: Callable[[str], None] = lambda _: None
    tuning: Tuning = field(default_factory=Tuning)
    _model: Transformer | None = None
    _ids: dict[str, int] = field(default_factory=dict)
    _words: list[str] = field(default_factory=list)

    def warm_up(self) -> None:
        """Tune the model on the notes of the folder; the same notes and seed give the same model."""
        if self._model is None:
            self._model = self._tuned(
                pairs_from_notes(self.folder, self.tuning.most, self.tuning.seed)
            )

    def ask(self, line: Mapping[str, object]) -> Answer:
        """Answer a line of input; nothing but its patient and question is looked at."""
        question = line.get("question", "")
        if not isinstance(question, str):
            raise ValueError("question: must be text")
        return self.answer(question, Filter.of(line))

    def answer(self, question: str, wanted: Filter) -> Answer:
        """Say what is likeliest."""
        self.warm_up()
        text = self._said(_prompt(wanted.patient, " ".join(question.split())))
        return Answer(text, (Claim(text),) if text else ())

    def _tuned(self, pairs: Sequence[tuple[str, str]]) -> Transformer:
        import torch

        from reference_systems.support_bot.model import Config, Transformer

        pieces = [(_PIECE.findall(a), _PIECE.findall(b)) for a, b in pairs]
        words = sorted({piece for a, b in pieces for piece in (*a, *b)})
        self._words = ["<end>", "<other>", *words]
        self._ids = {word: number for number, word in enumerate(self._words)}
        rows = [self._row(a, b) for a, b in pieces]
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.random.fork_rng():
                torch.manual_seed(self.tuning.seed)
                model = Transformer(
                    Config(vocabulary=len(self._words), context=self.tuning.context)
                )
                _train(model, rows, self.tuning)
        finally:
            torch.set_num_threads(before)
        return model.eval()

    def _row(self, asked: list[str], told: list[str]) -> tuple[list[int], int]:
        head = [self._ids.get(piece, 1) for piece in asked]
        body = [self._ids.get(piece, 1) for piece in told] + [_END]
        return [*head, *body][: self.tuning.context], min(len(head), self.tuning.context)

    def _said(self, prompt: str) -> str:
        import torch

        assert self._model is not None
        ids = [self._ids.get(piece, 1) for piece in _PIECE.findall(prompt)][-60:]
        said: list[int] = []
        with torch.inference_mode():
            while len(ids) < self.tuning.context:
                token = int(self._model(torch.tensor([ids]))[0, -1].argmax())
                if token == _END:
                    break
                ids.append(token)
                said.append(token)
        return "".join(self._words[token] for token in said if token > 1).strip()


def _train(model: Transformer, rows: Sequence[tuple[list[int], int]], tuning: Tuning) -> None:
    """Tune on what follows each question, as instruction tuning does; loss on the answer alone."""
    import torch

    optimiser = torch.optim.AdamW(model.parameters(), lr=tuning.rate)
    steps = max(1, tuning.epochs * -(-len(rows) // tuning.batch))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, tuning.rate, total_steps=steps)
    for _ in range(tuning.epochs):
        order = torch.randperm(len(rows)).tolist()
        for at in range(0, len(order), tuning.batch):
            batch = [rows[number] for number in order[at : at + tuning.batch]]
            tokens, counted = _padded(batch)
            logits = model(tokens[:, :-1])
            losses = torch.nn.functional.cross_entropy(
                logits.transpose(1, 2), tokens[:, 1:], reduction="none"
            )
            loss = (losses * counted).sum() / counted.sum().clamp(min=1)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()


def _padded(batch: Sequence[tuple[list[int], int]]) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    width = max(len(row) for row, _ in batch)
    tokens = torch.tensor([row + [_END] * (width - len(row)) for row, _ in batch])
    places = torch.arange(1, width)[None]
    heads = torch.tensor([head for _, head in batch])[:, None]
    lengths = torch.tensor([len(row) for row, _ in batch])[:, None]
    return tokens, ((places >= heads) & (places < lengths)).float()
