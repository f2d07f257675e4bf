"""report.html as a reader opens it: run by `tox run -e browser`, where Chromium is installed."""

from __future__ import annotations

import shutil

import pytest

from pytest_mlgates.core import Measurement, Verdict
from pytest_mlgates.page import page as render
from tests.page.test_page import MARKUP, piece, report

sync_api = pytest.importorskip("playwright.sync_api", reason="tox run -e browser")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="tox run -e browser")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path")

DETAILS = {
    "histogram": {"counts": [9, 90, 40, 2], "from_ms": [1.0, 1.26, 1.58, 2.0]},
    "slowest": {"calls": 5, "stages": {"tokenize": 0.9, "model": 0.1}},
    "findings": [MARKUP, "\x1b[31mred \u202eesrever \x00"],
}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open a report with 700 pieces of evidence; tell of each request and script error."""
    seen = Measurement(value=8, unit="ms", n=141, interval=(7, 9), details=DETAILS)
    many = [piece(test=f"test[{i}]") for i in range(697)]
    bad = [
        piece("fail", test="bad", measurement=seen, verdict=Verdict("fail", MARKUP), claim=MARKUP),
        piece("inconclusive", test="open", measurement=seen),
        piece("fail", role="known_bad", test="caught", measurement=seen),
    ]
    file = tmp_path / "a répôrt with spaces.html"
    file.write_text(render(report([*many, *bad], packages={"numpy": "2.0"})), encoding="utf-8")
    pages = []

    def open_(**options):
        page = browser.new_page(**options)
        page.told = []
        page.on("request", lambda request: page.told.append(request.url))
        page.on("console", lambda message: page.told.append(message.text))
        page.on("pageerror", lambda error: page.told.append(str(error)))
        page.on("dialog", lambda dialog: page.told.append(dialog.message))
        page.goto(file.as_uri())
        page.locator("#rest").wait_for()
        pages.append((page, file.as_uri()))
        return page

    yield open_
    for page, address in pages:
        assert page.told == [address]
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_anyone_can_use_it(opened, scheme, width):
    """WCAG 2.2 AA as far as axe-core can tell, with everything unfolded."""
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.select_option("#state", "fail")
    page.click("#unfold")
    for inner in page.locator(".piece:visible .inside details > summary").all():
        inner.click()
    found = axe.Axe().run(page).response["violations"]
    assert [(fault["id"], fault["impact"]) for fault in found] == []


def test_filters_and_pages(opened):
    page = opened()
    page.get_by_text("700 of 700 shown").wait_for()
    page.get_by_text("1 to 100 of 200").wait_for()
    page.click("#next")
    page.get_by_text("101 to 200 of 200").wait_for()
    page.fill("#words", "test[699] nothing")
    page.get_by_text("0 of 700 shown").wait_for()
    page.fill("#words", "")
    page.select_option("#state", "inconclusive")
    page.get_by_text("1 of 700 shown").wait_for()
    assert page.locator(".piece:visible").count() == 1


def test_a_link_to_a_piece_unfolds_it(opened):
    page = opened()
    link = page.locator("table a").first
    target = link.get_attribute("href")
    assert page.locator(target).get_attribute("open") is None
    link.focus()
    page.keyboard.press("Enter")
    page.locator(f"{target}[open]").wait_for()


def test_planted_markup_is_text(opened):
    page = opened()
    page.select_option("#state", "fail")
    assert page.locator(".piece img").count() == 0
    assert page.locator(".piece[data-state=fail] .claim").text_content() == MARKUP


def test_it_prints_with_everything_unfolded(opened):
    page = opened()
    page.select_option("#state", "fail")
    assert page.pdf().startswith(b"%PDF")
