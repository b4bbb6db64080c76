"""The page in a real browser: nothing is refused, nothing goes wrong, tables sort, and it fits a phone."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from report.large import CLIPS, KEYS, UNSCORED, large_run
from support.programs import program

from thgeval.report import write, write_systems

DESKTOP_PX = 6000
"""How tall a page of sixty metrics over forty clips may be on a desktop of 1200 px."""
PAGE_BYTES = 3_000_000

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")


@pytest.fixture(scope="module")
def browser():
    path = program("chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def written(sketch, tmp_path):
    rng = np.random.default_rng(5)
    begun = sketch("likeness", "distance", "sharpness", "spread", expected=7)
    for index, id in enumerate(
        ["zoe", "adam", "<script>alert(1)</script>", "a-rather-long-name-of-a-clip" * 3, "eve", "bob"]
    ):
        paths = []
        for side in ("gen", "ref"):
            path = tmp_path / side / f"{index}.npy"
            path.parent.mkdir(exist_ok=True)
            np.save(path, rng.integers(0, 256, (30, 24, 24, 3), dtype=np.uint8))
            paths.append(path)
        values = {
            "likeness": rng.random(30) * 0.3 + index / 10,
            "distance": rng.random(30) * 10,
            "sharpness": rng.random(30),
            "spread": rng.random((30, 1)),
        }
        begun.clip(
            id, values, files=tuple(paths), reference_values={"sharpness": rng.random(30)},
            left_out={"likeness": {"identical": [4, 5, 6, 20]}}, notes=["cut to 30 frames"] if index == 1 else [],
        )  # fmt: skip
    failure = {"reason": "corrupt", "message": "gen/broken.mp4: frame 3 is damaged"}
    begun.clip("broken", {}, failure=failure, failed=dict.fromkeys(("likeness", "distance"), failure))
    return write(begun.write(), worst=2)


@pytest.fixture
def opened(browser, written):
    """The page at desktop width, and everything the browser complained about."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints, requests = [], []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(written.as_uri())
    yield tab, complaints, requests
    tab.close()


def unfold(tab, key):
    tab.get_by_label(f"more about {key}", exact=True).check()


def test_nothing_is_refused_and_nothing_fetched(opened, written):
    tab, complaints, requests = opened
    assert tab.locator("table.scores").is_visible()
    assert not tab.locator("svg.panel").first.is_visible()
    unfold(tab, "likeness")
    assert tab.locator("tbody[data-metric=likeness] svg.panel").first.is_visible()
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [written.as_uri()]
    widths = tab.locator(".film img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert widths
    assert set(widths) == {5 * 24}
    assert len(tab.screenshot(full_page=True)) > 20_000


def test_tables_sort_with_missing_values_last(opened):
    tab, complaints, _ = opened
    names = "rows => rows.map(row => row.cells[0].dataset.sort)"
    rows = tab.locator("table.clips tbody tr")
    tab.locator("table.clips thead button", has_text="likeness").click()
    ordered = rows.evaluate_all(names)
    assert (ordered[0], ordered[-1]) == ("zoe", "broken")
    assert tab.locator("table.clips th[aria-sort=ascending]").inner_text().startswith("likeness")
    tab.locator("table.clips thead button", has_text="likeness").click()
    assert rows.evaluate_all(names)[::5] == ["bob", "zoe"]
    assert rows.evaluate_all(names)[-1] == "broken"
    assert complaints == []


def test_curves_tell_their_values(opened):
    tab, complaints, _ = opened
    unfold(tab, "distance")
    plot = tab.locator("svg.panel[data-metric=distance]").first
    plot.scroll_into_view_if_needed()
    plot.hover()
    data = tab.evaluate("JSON.parse(document.getElementById('data').textContent).metrics.distance.curves[0]")
    frame, _, value = plot.locator(".reading").text_content().partition(": ")
    assert float(value) == data["values"][int(frame)]
    assert 10 < int(frame) < 20
    assert complaints == []


def test_signatures_can_be_selected_and_copied(opened):
    tab, complaints, _ = opened
    unfold(tab, "likeness")
    tab.locator("tbody[data-metric=likeness] .signature button").first.click()
    assert tab.evaluate("getSelection().toString()").startswith("likeness@1|")
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(browser, written, scheme):
    tab = browser.new_page(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    tab.goto(written.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
    assert tab.locator("table.scores .value").first.is_visible()
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(level) for level in paper[4:-1].split(",")) < 380) == (scheme == "dark")
    tab.close()


def test_everything_is_there_without_javascript(browser, written):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(written.as_uri())
    for section in ("scores", "coverage", "clips", "frames"):
        assert tab.locator(f"#{section}").is_visible()
    assert tab.locator("table.scores .value").count() == 4
    assert tab.locator("button").count() == 0
    unfold(tab, "distance")
    assert tab.locator("tbody[data-metric=distance] .signature").is_visible()
    context.close()


@dataclass(frozen=True)
class Pages:
    """Sixty metrics over forty clips: one run, and three."""

    one: Path
    three: Path


@pytest.fixture(scope="module")
def large(by_hand, tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    with pytest.MonkeyPatch.context() as patch:
        by_hand.know_them(patch)
        names = ("wav2lip", "sadtalker", "ours")
        paths = {name: large_run(by_hand, patch, folder, seed=seed, name=name) for seed, name in enumerate(names)}
        return Pages(write(paths["ours"]), write_systems(paths))


def test_a_page_as_large_as_a_papers_is_compact_and_can_be_filtered(browser, large):
    written = large.one
    assert written.stat().st_size < PAGE_BYTES
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    tab.goto(written.as_uri())
    assert tab.evaluate("document.documentElement.scrollHeight") <= DESKTOP_PX
    assert tab.evaluate("document.documentElement.scrollWidth") == 1200
    rows = tab.locator(".scores .metric")
    assert rows.count() == len(KEYS) - len(UNSCORED)
    assert tab.locator("table.clips tbody tr").count() == CLIPS
    heights = rows.evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")
    assert max(heights) < 40, "a metric has one line"
    assert not tab.locator(".reasons").is_visible()
    tab.get_by_text("12 metrics not scored").click()
    assert tab.locator(".reasons").is_visible()
    names = tab.locator("table.clips tbody th").first
    before = names.bounding_box()["x"]
    tab.locator(".scroll.tall").evaluate("box => box.scrollBy(700, 0)")
    assert names.bounding_box()["x"] == before, "names stay while scores are scrolled"
    tab.get_by_label("Filter metrics").fill("sync")
    left = rows.evaluate_all("rows => rows.filter(row => !row.hidden).map(row => row.dataset.metric)")
    assert "avs-u" in left, "the family counts too"
    assert "psnr" not in left
    assert tab.locator(".tools output").inner_text() == f"{len(left)} of {rows.count()} metrics"
    assert tab.locator("table.clips thead th[data-metric=psnr]").is_hidden()
    assert tab.locator(".scores .family:visible").count() == 2  # that of lip sync, and the one that holds DeSync
    tab.close()


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_three_systems_fit_a_desktop_and_a_phone(browser, large, width, scheme):
    written = large.three
    assert written.stat().st_size < PAGE_BYTES
    tab = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(written.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert tab.evaluate("document.documentElement.scrollHeight") <= DESKTOP_PX * (1 if width == 1200 else 2)
    unfold(tab, "psnr")
    body = tab.locator("tbody[data-metric=psnr] .unfolded")
    assert body.bounding_box()["width"] <= width
    assert body.locator("svg.strip").first.is_visible()
    assert tab.locator(".film img").first.is_visible()
    assert complaints == []
    tab.close()


def test_paper_has_all_scores_and_no_table_wider_than_it(browser, large):
    tab = browser.new_page(viewport={"width": 1000, "height": 1400})
    tab.emulate_media(media="print")
    tab.goto(large.one.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == 1000
    assert tab.locator(".scores .value:visible").count() == len(KEYS) - len(UNSCORED)
    assert not tab.locator("nav").is_visible()
    assert tab.get_by_text("don’t fit on paper").is_visible()
    tab.close()
