"""The copilot is gated: the fix passes; the incident, half the fix and two useless builds do not."""

from __future__ import annotations

import http.client
import json
import threading
from typing import TYPE_CHECKING

import pytest

from reference_systems.medco_rag import inputs, serve, trivial
from reference_systems.medco_rag.builds import build
from reference_systems.medco_rag.endpoint import Endpoint
from reference_systems.medco_rag.rag import Copilot

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_mlgates.gates.egress import Egress
    from pytest_mlgates.gates.grounding import Grounding
    from pytest_mlgates.gates.p99_latency import P99Latency
    from pytest_mlgates.gates.pii_leak import PiiLeak
    from reference_systems.medco_rag.builds import System
    from reference_systems.medco_rag.folder import Folder

pytestmark = pytest.mark.system("medco_rag")

Asked = list[dict[str, object]]


def test_every_claim_stands_in_the_chart(
    grounding: Grounding, system: Callable[[str], System], asked: Asked, folder: Folder
) -> None:
    """No claim about a patient without a passage of that patient's chart that bears it out."""
    grounding(system("fixed").ask, asked, folder.root)


def test_an_answer_takes_less_than_two_seconds(
    p99_latency: P99Latency, system: Callable[[str], System], lines: Asked
) -> None:
    """A doctor has the answer in under two seconds, embedding and search included."""
    p99_latency(system("fixed").ask, lines)


def told(system: System) -> Callable[[str], str]:
    """Give what a doctor sees of an answer: its words and quotes, for a line of input."""

    def shown(line: str) -> str:
        answer = system.ask(json.loads(line))
        quotes = [claim.source.quote for claim in answer.claims if claim.source is not None]
        return "\n".join([answer.text, *(claim.text for claim in answer.claims), *quotes])

    return shown


def test_no_number_that_points_at_a_person_is_given_out(
    pii_leak: PiiLeak, identified: Folder, prompts: list[str]
) -> None:
    """Charts hold social security and card numbers beside what is asked: no answer or quote does."""
    pii_leak(told(build("fixed", identified)), prompts)


@pytest.mark.known_bad
def test_a_pasted_chart_gives_numbers_out(
    pii_leak: PiiLeak, identified: Folder, prompts: list[str]
) -> None:
    """Who pastes the chart pastes the numbers in it."""
    pii_leak(told(trivial.PasteAll(identified)), prompts[:40])


def served() -> Callable[[dict[str, object]], bytes]:
    """Start the page's server over made-up charts; give a call that opens the page and asks it."""
    folder = inputs.charts(4, 0)[0]
    system = build("fixed", folder)
    system.warm_up()
    server = serve.make_server(system, folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def ask(line: dict[str, object]) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        for method, path in (("GET", "/"), ("GET", "/patients"), ("POST", "/ask")):
            connection.request(method, path, json.dumps(line) if method == "POST" else None)
            shown = connection.getresponse().read()
        return shown

    return ask


def test_nothing_leaves(egress: Egress, lines: Asked) -> None:
    """Embeddings, search, page and server: while charts are indexed and asked, nothing is reached for."""
    egress(served, few(lines), factory=True)


def public() -> Callable[[dict[str, object]], object]:
    """Give the copilot with a language model that is not of the hospital's network."""
    folder = inputs.charts(4, 0)[0]
    return Copilot(folder, endpoint=Endpoint("http://203.0.113.7/v1", "llm", timeout=2)).ask


@pytest.mark.known_bad
def test_a_model_outside_is_caught(egress: Egress, lines: Asked) -> None:
    """A chart's passages sent to a public service do not get past."""
    egress(public, few(lines)[:1], factory=True)


def few(lines: Asked) -> Asked:
    """Give questions about the four patients of the charts that `served` has."""
    patients = inputs.charts(4, 0)[0].patients()
    return [{**line, "patient": patients[at % 4]} for at, line in enumerate(lines[:8])]


@pytest.mark.known_bad
@pytest.mark.parametrize(
    ("build_name", "questions"),
    [("incident", 40), ("half", 160), ("mute", 540), ("paste-all", 160)],
)
def test_builds_that_do_not_ground_are_caught(
    grounding: Grounding,
    system: Callable[[str], System],
    asked: Asked,
    folder: Folder,
    build_name: str,
    questions: int,
) -> None:
    """What invents, mixes up patients, says nothing or pastes everything does not go live."""
    grounding(system(build_name).ask, asked[:questions], folder.root)
