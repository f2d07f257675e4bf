"""report.html as a reader opens it: run by `tox run -e browser`, where Chromium is installed."""

from __future__ import annotations

import pytest

from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Measurement, Verdict
from pytest_mlgates.writers.html_report.render import page as render
from tests.page.test_page import MARKUP, earlier, piece, report

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="tox run -e browser")
DETAILS = {
    "histogram": {"counts": [9, 90, 40, 2], "from_ms": [1.0, 1.26, 1.58, 2.0]},
    "slowest": {"calls": 5, "stages": {"tokenize": 0.9, "model": 0.1}},
    "looks": [{"over": 9, "n": n, "deff": 1.0} for n in (300, 500, 1000)],
    "findings": [MARKUP, "\x1b[31mred \u202eesrever \x00"],
}
LIMITS = {"max_ms": 12.0, "alpha": 1e-4}


@pytest.fixture
def browser(chromium):
    return chromium


@pytest.fixture
def opened(browser, tmp_path):
    """Open a report with 700 pieces of evidence; tell of each request and script error."""
    seen = Measurement(value=8, unit="ms", n=141, interval=(7, 9), details=DETAILS)
    many = [piece(test=f"test[{i}]", claim=MARKUP) for i in range(697)]
    bad = [
        piece("fail", test="planted", measurement=seen, verdict=Verdict("fail", MARKUP), claim=MARKUP,
              policy=LIMITS),
        piece("inconclusive", test="open", measurement=seen, policy=LIMITS),
        piece("fail", role="known_bad", test="caught", measurement=seen, policy=LIMITS),
    ]  # fmt: skip
    file = tmp_path / "a répôrt with spaces.html"
    waiver = Waiver(
        gate="p99_latency", reason=MARKUP, approved_by="b", owner="a", expires="2027-01-01",
        source="c.yaml:9", up_to=1.0,
    )  # fmt: skip
    runs = [earlier(1, 7.0), earlier(2, 7.5)]
    made = report([*many, *bad], [waiver], runs, packages={"numpy": "2.0"})
    file.write_text(render(made), encoding="utf-8")
    pages = []

    def open_(**options):
        page = browser.new_page(**options)
        page.told = []
        page.on("request", lambda request: page.told.append(request.url))
        page.on("console", lambda message: page.told.append(message.text))
        page.on("pageerror", lambda error: page.told.append(str(error)))
        page.on("dialog", lambda dialog: page.told.append(dialog.message))
        page.goto(file.as_uri())
        page.locator(".filter").wait_for()
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
    page.fill("#words", "tokenize")  # those with every part
    page.get_by_text("3 of 700 shown").wait_for()
    page.click("#unfold")
    for inner in page.locator(".inside details > summary").all():
        inner.click()
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
    found = axe.Axe().run(page, options=options).response["violations"]
    assert [(f["id"], f["impact"], f["nodes"][0]["html"][:200]) for f in found] == []


def test_filters_and_pages(opened):
    page = opened()
    page.get_by_text("700 of 700 shown").wait_for()
    page.get_by_text("1 to 50 of 700").wait_for()
    page.click("#next")
    page.get_by_text("51 to 100 of 700").wait_for()
    page.fill("#words", "test[696] nothing")
    page.get_by_text("0 of 700 shown").wait_for()
    page.fill("#words", "test[696]")  # beyond what is laid out
    page.get_by_text("1 of 700 shown").wait_for()
    page.locator(".piece summary").click()
    assert "report.json" in page.locator(".piece .inside").inner_text()
    page.fill("#words", "")
    page.select_option("#state", "inconclusive")
    page.get_by_text("1 of 700 shown").wait_for()
    assert page.locator(".piece").count() == 1


def test_a_link_to_a_piece_unfolds_it(opened):
    page = opened()
    link = page.locator("table a").first
    target = link.get_attribute("href")
    assert page.locator(target).get_attribute("open") is None
    link.focus()
    page.keyboard.press("Enter")
    page.locator(f"{target}[open]").wait_for()


@pytest.mark.parametrize("at", [40, 400, 600])
def test_a_link_from_outside_finds_a_piece_on_a_later_page(opened, at):
    """One that is packed with its body, and one that is a line."""
    page = opened()
    page.select_option("#state", "pass")
    page.get_by_text("697 of 700 shown").wait_for()
    ids = []
    while len(ids) <= at:
        ids += page.locator(".piece").evaluate_all("all => all.map((el) => el.id)")
        page.click("#next")
    page.fill("#words", "nothing has this")
    page.get_by_text("0 of 700 shown").wait_for()
    page.evaluate(f"location.hash = {ids[at]!r}")
    page.locator(f"#{ids[at]}[open] .inside").wait_for()


@pytest.mark.parametrize("which", ["planted", "test[300]"])
def test_planted_markup_is_text(opened, which):
    """In what is laid out and in what the script unpacks."""
    page = opened()
    page.fill("#words", which)
    page.get_by_text("1 of 700 shown").wait_for()
    page.locator(".piece > summary").click()
    assert page.locator(".piece .claim").text_content() == MARKUP
    assert page.locator("img, .piece script, iframe").count() == 0


def test_it_prints_with_everything_unfolded(opened):
    page = opened()
    page.select_option("#state", "fail")
    page.get_by_text("1 of 700 shown").wait_for()
    assert page.pdf().startswith(b"%PDF")
    assert page.locator(".piece[open] .policy[open]").count() == 1


def test_it_says_what_matters_without_a_script(browser, tmp_path):
    file = tmp_path / "report.html"
    many = [piece(test=f"test[{i}]") for i in range(60)]
    file.write_text(render(report([*many, piece("fail", test="bad")])), encoding="utf-8")
    page = browser.new_page(java_script_enabled=False)
    page.goto(file.as_uri())
    page.locator(".piece[data-state=fail] > summary").click()
    page.locator(".piece[data-state=fail] .inside svg").first.wait_for()
    page.locator("noscript p").wait_for()
    page.close()
