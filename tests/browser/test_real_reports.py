"""Pages of real runs: that of every gate which lies here, and where there is one, report/ of `tox -e gates`.

MLGATES_REPORT names another folder. Each page at 1280 and 390 pixels and as it prints, light and dark.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from pytest_mlgates.cli import main
from pytest_mlgates.report.read import read_report, report_of
from pytest_mlgates.writers.html_report.render import page as render

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="tox run -e browser")

ROOT = Path(__file__).parents[2]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
VIEWS = [(width, media) for width in (1280, 390) for media in ("screen", "print")]


def reports():
    yield ROOT / "tests" / "data" / "report-0.2.0"
    place = Path(os.environ.get("MLGATES_REPORT", ROOT / "report"))
    if (place / "report.json").exists():
        yield place


@pytest.fixture(params=list(reports()), ids=lambda place: place.name)
def place(request):
    return request.param


@pytest.fixture
def made(place):
    return report_of(place, read_report(place))


@pytest.fixture
def pages(place, made, tmp_path):
    """Return the files of a report: its page, the index over it, its sheets."""
    (tmp_path / "report.html").write_text(render(made), encoding="utf-8")
    main(["report", str(place), "--index", str(tmp_path / "index.html")])
    for kind in ("annex-iv",):
        main(["report", str(place), "--as", kind, "--to", str(tmp_path / f"{kind}.html")])
    return sorted(tmp_path.glob("*.html"))


def violations(page):
    found = axe.Axe().run(page, options=RULES).response["violations"]
    return [(f["id"], f["impact"], f["nodes"][0]["html"][:200]) for f in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_anyone_can_use_them(chromium, pages, scheme):
    """WCAG 2.2 AA as far as axe-core can tell; nothing is wider than a phone."""
    for file in pages:
        page = chromium.new_page(color_scheme=scheme)
        page.goto(file.as_uri())
        for width, media in VIEWS:
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(media=media, color_scheme=scheme)
            assert violations(page) == [], (file.name, width, media)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width or media == "print", (file.name, wide)
        page.close()


def test_a_phone_shows_each_row_whole(chromium, made, tmp_path):
    """Cells stand below each other with their names, and pictures are as wide as the screen at most."""
    file = tmp_path / "report.html"
    file.write_text(render(made), encoding="utf-8")
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.goto(file.as_uri())
    page.locator(".filter").wait_for()
    page.click("#unfold")
    rights = page.evaluate(
        "[...document.querySelectorAll('.gates td, .gates th, figure svg, .inside code')]"
        ".filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect().right)"
    )
    assert max(rights) <= 390
    row = page.locator("table.gates tr:has(td)").first
    lefts = row.locator("td").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().left)"
    )
    assert len(set(lefts)) == 1
    assert '"measured"' in row.locator("td").nth(1).evaluate(
        "one => getComputedStyle(one, '::before').content"
    )
    page.close()


def printed(page):
    """Return how many pages a page prints on."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4")))


def test_two_printed_pages_a_system_and_an_annex(chromium, made, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(render(made), encoding="utf-8")
    page = chromium.new_page(bypass_csp=True)
    page.goto(file.as_uri())
    page.locator(".filter").wait_for()
    # what a reader prints: the annex begins on a page of its own, nothing that is filed is folded
    whole = printed(page)
    if made.controls:
        assert page.locator("details.filed:not([open])").count() == 0
    assert page.locator("details.gated:not([open]), details.guides:not([open])").count() == 0
    grave = page.locator(".piece[open]").count()
    assert grave == page.locator(".piece:not([data-state=pass], [data-state=caught])").count()
    page.add_style_tag(content=".annex { display: none }")
    main_part = printed(page)
    # 21 entries of one system, with their findings, are more than an auditor's system has
    rows = sum(len(system.gates) for system in made.systems)
    assert main_part <= max(2 * len(made.systems), rows // 5)
    assert whole > main_part
    page.close()


def test_filed_under_is_printed_without_a_script(chromium, made, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(render(made), encoding="utf-8")
    page = chromium.new_page(java_script_enabled=False)
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    for kind in ("filed", "gated", "guides"):
        for details in page.locator(f"details.{kind}").all():
            assert details.locator("> :not(summary)").first.is_visible(), kind
    page.close()
