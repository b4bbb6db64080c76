"""The site in a real browser: nothing is fetched from elsewhere, and no page is wider than the screen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.programs import program

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytest.importorskip("mkdocs", reason="needs mkdocs")

ROOT = Path(__file__).parents[2]
PAGES = (
    *("index", "first-steps", "python", "glossary", "results", "inputs", "precision", "faces", "adding-a-metric"),
    *("metrics/index", "metrics/csim", "metrics/lse-d", "metrics/ssim", "decisions/0014-intervals"),
)
CUT = """() => ['p', 'li', 'h1', 'img', 'td']
    .flatMap(tag => [...document.querySelectorAll('.md-content ' + tag)])
    .filter(part => part.getBoundingClientRect().right > innerWidth + 1 && !part.closest('.md-typeset__scrollwrap'))
    .map(part => part.textContent.slice(0, 60))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=quiet, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def browser():
    path = program("chromium")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()


@pytest.mark.parametrize("width", [1200, 390])
def test_no_page_scrolls_sideways_nor_asks_for_anything_elsewhere(browser, site, width):
    tab = browser.new_page(viewport={"width": width, "height": 900})
    requests = []
    tab.on("request", lambda request: requests.append(request.url))
    for page in PAGES:
        tab.goto((site / f"{page}.html").as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") == width, page
        assert tab.evaluate(CUT) == [], page
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    tab.close()


@pytest.mark.parametrize("width", [1200, 390])
def test_the_catalogue_shows_what_is_better_and_the_range(browser, site, width):
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto((site / "metrics" / "index.html").as_uri())
    rows = tab.locator(".catalogue tbody tr")
    assert rows.count() > 50
    cells = rows.first.locator("td")
    assert cells.nth(2).inner_text() == "↑ higher"
    assert cells.nth(3).inner_text() == "0 .. inf dB"
    for index in range(5):
        box = cells.nth(index).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    tab.close()


def test_the_side_bar_calls_metrics_by_their_titles(browser, site):
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.goto((site / "metrics" / "e-fid.html").as_uri())
    shown = tab.locator(".md-sidebar--primary").inner_text()
    assert "E-FID" in shown
    assert "Sets" in shown
    assert "E fid" not in tab.content()
    tab.close()
