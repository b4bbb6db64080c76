"""The site in a real browser, from the disk: sorting, filters, columns, pins, addresses, and without a script."""

import csv
import re
from pathlib import Path

import pytest
from support.boards import made_entry
from support.programs import program

from thgeval_leaderboard.entry import read
from thgeval_leaderboard.site.build import build
from thgeval_leaderboard.site.pages import SMALL

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

ENTRIES = Path(__file__).resolve().parents[2] / "leaderboard" / "entries"
BOARD = "boards/synth-v1-1.self-audio.native-1.html"
EVERY = (
    "index.html",
    BOARD,
    "methods/system-1.html",
    "metrics/lmd.html",
    "compare.html",
    "about.html",
    "paradigms/nerf.html",
    "datasets/synth-v1-1.html",
    "survey/index.html",
    "survey/table-20.html",
    "survey/notes.html",
    "survey/methods.html",
    "survey/datasets.html",
    "opinions.html",
)


ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=program("chromium"), args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def tab(browser, site):
    said = []
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on(
        "request", lambda request: said.append(request.url) if not re.match("file:|data:|blob:", request.url) else None
    )
    opened.goto((site / BOARD).as_uri())
    yield opened
    opened.close()
    assert said == []


def names(tab, role="system"):
    return tab.locator(f'tbody[data-role="{role}"] tr:not(.part):not([hidden]) th a').all_text_contents()


def head(tab, title):
    return tab.locator("#board thead th", has_text=re.compile(f"^{title}"))


def numbers(tab, title):
    at = head(tab, title).evaluate("cell => cell.cellIndex")
    cells = tab.locator('tbody[data-role="system"] tr:not(.part)').evaluate_all(
        f"rows => rows.map(row => row.cells[{at}].dataset.v)"
    )
    return [float(cell) for cell in cells if cell is not None]


def test_a_click_sorts_best_first_and_another_turns_it_round(tab):
    head(tab, "LMD").locator("button").click()
    assert numbers(tab, "LMD") == sorted(numbers(tab, "LMD"))
    assert head(tab, "LMD").get_attribute("aria-sort") == "ascending"
    head(tab, "LMD").locator("button").click()
    assert numbers(tab, "LMD") == sorted(numbers(tab, "LMD"), reverse=True)
    head(tab, "SSIM").locator("button").click()
    assert numbers(tab, "SSIM") == sorted(numbers(tab, "SSIM"), reverse=True)


def test_sorting_keeps_controls_and_truth_in_their_parts(tab):
    head(tab, "PSNR").locator("button").first.click()
    assert names(tab, "control") == ["ctl-still"]
    assert names(tab, "ground-truth") == ["ctl-gt"]


def test_filters_hide_systems_and_never_controls(tab):
    tab.select_option("#paradigm", "nerf")
    assert set(names(tab)) == {"system-1", "system-3"}
    assert names(tab, "control") == ["ctl-still"]
    tab.fill("#find", "system-3")
    assert names(tab) == ["system-3"]
    assert "1 of" in tab.text_content("#count")


def test_columns_are_filtered_by_the_networks_behind_them(browser, tmp_path):
    entries = [read(path) for path in ENTRIES.glob("ref-[23]d.*.json")]
    build(entries, tmp_path / "site")
    tab = browser.new_page()
    tab.goto(next((tmp_path / "site/boards").glob("*.html")).as_uri())
    tab.select_option("#tier", "canonical")
    assert tab.locator("#board thead th:not([hidden])").count() == 2
    tab.click("#chooser summary")
    tab.get_by_label("FID", exact=True).check()
    playwright.expect(tab.locator("#board thead th:not([hidden])")).to_have_count(3)
    tab.reload()
    playwright.expect(tab.locator("#board thead th:not([hidden])")).to_have_count(3)
    tab.select_option("#tier", "embedded")
    shown = tab.locator("#board thead th:not([hidden])").evaluate_all("cells => cells.map(cell => cell.dataset.tier)")
    assert len(shown) > 8
    assert set(shown[2:]) == {"embedded"}
    tab.close()


def test_columns_are_added_and_taken_away(tab):
    before = head(tab, "").count()
    tab.click("#chooser summary")
    box = tab.get_by_label("PSNR / y", exact=True)
    box.check()
    playwright.expect(tab.locator("#board thead th")).to_have_count(before + 1)
    added = tab.locator("#board thead th").last.text_content()
    cells = tab.locator('tbody[data-role="system"] tr:not(.part) td:last-child').all_text_contents()
    assert all(float(cell) > 0 for cell in cells)
    box.uncheck()
    assert head(tab, "").count() == before
    assert added


def test_the_sum_of_places_is_a_column_on_demand_that_says_what_it_is(tab):
    assert "Sum of places" not in tab.locator("#board thead").text_content()
    tab.click("#chooser summary")
    assert "No test stands behind it" in tab.text_content("#chooser")
    tab.get_by_label("Sum of places", exact=True).check()
    playwright.expect(tab.locator("#board thead th.added").first).to_be_attached()
    tab.keyboard.press("Escape")
    head(tab, "Sum of places").locator("button").click()
    found = numbers(tab, "Sum of places")
    assert len(found) > 3
    assert found == sorted(found)
    cells = tab.locator('tbody[data-role="control"] tr:not(.part) td:last-child').all_text_contents()
    assert cells == [""]
    tab.reload()
    playwright.expect(tab.locator("#board thead th.added").first).to_be_attached()
    assert numbers(tab, "Sum of places") == found


def test_an_address_keeps_the_view(tab, browser, site):
    tab.select_option("#paradigm", "nerf")
    head(tab, "LMD").locator("button").click()
    tab.click("#chooser summary")
    tab.locator("#chooser input[data-column]").first.check()
    tab.get_by_label("Pin system-1", exact=True).check()
    address = tab.url
    assert "#" in address
    other = browser.new_page()
    other.goto(address)
    playwright.expect(other.locator("#board thead th.added")).to_have_count(1)
    assert set(names(other)) == {"system-1", "system-3"}
    assert head(other, "LMD").get_attribute("aria-sort") == "ascending"
    assert other.locator("tr.pinned").count() == 1
    other.close()


def test_the_view_is_saved_as_csv(tab, tmp_path):
    tab.select_option("#paradigm", "nerf")
    with tab.expect_download() as waiting:
        tab.click("#csv")
    path = tmp_path / "view.csv"
    waiting.value.save_as(path)
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert {row[0] for row in rows[1:]} == {"system-1", "system-3", "ctl-still", "ctl-gt"}
    assert all(len(row) == len(rows[0]) for row in rows)
    assert float(rows[1][3]) > 0


def test_no_name_in_the_csv_is_taken_for_a_formula(tab, tmp_path):
    with tab.expect_download() as waiting:
        tab.click("#csv")
    waiting.value.save_as(tmp_path / "view.csv")
    names = [row[1] for row in csv.reader((tmp_path / "view.csv").read_text(encoding="utf-8").splitlines())]
    assert [name[:5] for name in names if "alert" in name] == ["'=1+1"]


def test_two_pinned_entries_are_compared(tab):
    for name in ("system-0", "system-4"):
        tab.get_by_label(f"Pin {name}", exact=True).check()
    tab.click("#compare")
    tab.wait_for_selector("#differences tbody tr")
    rows = tab.locator("#differences tbody tr").all_text_contents()
    assert any("PSNR" in row and "system-4 is better" in row for row in rows)
    lmd = next(row for row in rows if row.startswith("LMD"))
    assert "system-0 is better" in lmd
    tab.reload()
    tab.wait_for_selector("#differences tbody tr")
    assert tab.locator("#differences tbody tr").all_text_contents() == rows


def test_the_pages_test_gives_the_p_of_the_command(tab, entries):
    from thgeval.comparison import comparable
    from thgeval.statistics import Resampling

    for name in ("system-0", "system-1"):
        tab.get_by_label(f"Pin {name}", exact=True).check()
    tab.click("#compare")
    tab.wait_for_selector("#differences tbody tr")
    cells = tab.locator("#differences tbody tr", has_text=re.compile("^SSIM")).first.locator("td").all_text_contents()
    runs = {entry.id: entry.run for entry in entries if entry.id in ("system-0", "system-1")}
    p = comparable("ssim", runs, Resampling(1000, 0), []).test(0, 1).p
    assert float(cells[4]) == pytest.approx(p, abs=6e-5)


def test_without_a_script_everything_is_there_to_read(browser, site):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((site / BOARD).as_uri())
    assert tab.locator("#board tbody tr").count() > 8
    assert not tab.is_visible("#tools")
    assert tab.locator("#board thead th").count() > 8
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, site, scheme):
    tab = browser.new_page(color_scheme=scheme)
    for page in EVERY:
        tab.goto((site / page).as_uri())
        found = axe.Axe().run(tab).response["violations"]
        serious = [
            (item["id"], item["nodes"][0]["html"][:200]) for item in found if item["impact"] in ("serious", "critical")
        ]
        assert serious == [], page
    tab.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_scrolls_sideways(browser, site, width):
    tab = browser.new_page(viewport={"width": width, "height": 800})
    for page in EVERY:
        tab.goto((site / page).as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, page
    tab.close()


@pytest.mark.parametrize("page", ["index.html", BOARD, "opinions.html"])
def test_on_a_phone_every_link_of_the_menu_is_in_sight(browser, site, page):
    tab = browser.new_page(viewport={"width": 390, "height": 800})
    tab.goto((site / page).as_uri())
    menu = tab.locator("nav .page")
    assert menu.evaluate("menu => menu.scrollWidth <= menu.clientWidth")
    edges = tab.locator("nav a").evaluate_all("links => links.map(link => link.getBoundingClientRect().right)")
    assert len(edges) > 5
    assert max(edges) <= 390
    tab.close()


def test_an_arrow_stays_on_the_line_of_its_metric(browser, site):
    tab = browser.new_page(viewport={"width": 390, "height": 800})
    tab.goto((site / BOARD).as_uri())
    narrow = "cells => cells.forEach(cell => { cell.style.whiteSpace = 'normal'; cell.style.maxWidth = '1px'; })"
    tab.locator("#board thead th").evaluate_all(narrow)
    apart = """arrows => arrows.filter(arrow => {
        const lines = arrow.parentElement.querySelector("a").getClientRects();
        return Math.abs(arrow.getBoundingClientRect().bottom - lines[lines.length - 1].bottom) > 3;
    }).length"""
    assert tab.locator("#board thead .arrow").count() > 5
    assert tab.locator("#board thead .arrow").evaluate_all(apart) == 0
    tab.close()


def test_printed_it_has_no_tools(tab):
    tab.emulate_media(media="print")
    assert not tab.is_visible("#tools")
    assert not tab.is_visible("nav")
    assert tab.is_visible("#board")
    tab.emulate_media(media="screen")


def test_keys_reach_a_sorter(tab):
    button = head(tab, "LMD").locator("button")
    button.focus()
    tab.keyboard.press("Enter")
    assert head(tab, "LMD").get_attribute("aria-sort") == "ascending"


def test_cells_without_a_note_are_told_apart(browser, site):
    tab = browser.new_page()
    tab.goto((site / "survey/table-22.html").as_uri())
    every = tab.locator("#survey tbody tr").count()
    tab.select_option("#noted", "own")
    shown = tab.locator("#survey tbody tr:not([hidden])")
    assert 0 < shown.count() < every
    assert set(shown.evaluate_all("rows => rows.map(row => row.dataset.own)")) == {"0"}
    tab.reload()
    assert tab.input_value("#noted") == "own"
    tab.close()


@pytest.fixture(scope="module")
def of_many(tmp_path_factory):
    """The address of a board of so many rows that those out of sight are not laid out."""
    values = {f"method-{at:03d}": [20 + at / 10, 21 + at / 10] for at in range(SMALL + 1)}
    folder = tmp_path_factory.mktemp("large") / "site"
    build([made_entry(name, {"psnr": each, "ssim": [0.9, 0.8]}) for name, each in values.items()], folder)
    return (folder / BOARD).as_uri()


@pytest.fixture
def large(browser, of_many):
    opened = browser.new_page(viewport={"width": 700, "height": 800})
    opened.goto(of_many)
    yield opened
    opened.close()


def test_of_a_large_board_only_rows_in_sight_are_laid_out_and_all_are_sorted(large):
    assert large.locator("#board tbody tr:not(.part)").count() == SMALL + 1
    drawn = "row => row.cells[2].checkVisibility({contentVisibilityAuto: true})"
    rows = large.locator("#board tbody tr:not(.part)")
    assert rows.first.evaluate(drawn)
    assert not rows.last.evaluate(drawn)
    head(large, "PSNR").locator("button").click()
    assert names(large) == [f"method-{at:03d}" for at in reversed(range(SMALL + 1))]


def test_a_large_board_is_a_table_to_a_screen_reader(browser, of_many):
    arguments = [*ARGUMENTS, "--force-renderer-accessibility"]
    listening = browser.browser_type.launch(executable_path=program("chromium"), args=arguments)
    tab = listening.new_page(viewport={"width": 700, "height": 800})
    tab.goto(of_many)
    head(tab, "PSNR").locator("button").click()
    nodes = tab.context.new_cdp_session(tab).send("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
    assert roles.count("row") == SMALL + 3
    assert roles.count("cell") == 3 * (SMALL + 1)
    assert roles.count("columnheader") == 4
    listening.close()


def test_the_head_and_the_names_of_a_large_board_stay_in_sight(large):
    region = large.locator(".scroll")
    region.evaluate("region => region.scrollTo(150, 3000)")
    edges = region.bounding_box()
    assert head(large, "PSNR").bounding_box()["y"] == pytest.approx(edges["y"], abs=2)
    assert large.locator("#board tbody th[scope=row]").nth(90).bounding_box()["x"] == pytest.approx(edges["x"], abs=2)


def test_on_paper_a_large_board_is_a_plain_table(large):
    large.emulate_media(media="print")
    row = large.locator("#board tbody tr:not(.part)").last
    assert row.evaluate("row => getComputedStyle(row).display") == "table-row"
    assert row.locator("td").first.evaluate("cell => cell.checkVisibility({contentVisibilityAuto: true})")


def test_a_strip_is_loaded_under_the_pages_policy(browser, site):
    tab = browser.new_page()
    tab.goto((site / "methods/system-1.html").as_uri())
    pictures = tab.locator("#worst img")
    assert pictures.count() > 1
    shown = "async picture => { picture.loading = 'eager'; await picture.decode(); return picture.naturalWidth; }"
    assert {picture.evaluate(shown) for picture in pictures.all()} == {60}
    tab.close()
