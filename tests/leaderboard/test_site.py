"""The site as files: the same bytes again, links that lead somewhere, nothing inline, nothing from strangers alive."""

import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import html5lib
import numpy as np
import pytest
from support.boards import BOARD, made_entry

from thgeval.errors import OutputError, ProtocolError
from thgeval.results.score import Value
from thgeval_leaderboard.entry import read
from thgeval_leaderboard.site import build as building
from thgeval_leaderboard.site.build import MARK, build

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
)


class Seen(HTMLParser):
    """Tags with their attributes, and whether a script has text of its own that would run."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def pages(site):
    return sorted(site.rglob("*.html"))


def test_the_same_entries_make_the_same_bytes(entries, media, site, tmp_path):
    build(entries[::-1], tmp_path / "again", media)
    first = {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    second = {
        path.relative_to(tmp_path / "again"): path.read_bytes()
        for path in (tmp_path / "again").rglob("*")
        if path.is_file()
    }
    assert first == second


def test_every_link_leads_to_a_file_or_a_plain_address(site):
    checked = 0
    for page in pages(site):
        for tag, attributes in Seen(page.read_text(encoding="utf-8")).tags:
            target = attributes.get("href") or attributes.get("src")
            if tag not in ("a", "link", "script", "img") or target is None:
                continue
            parts = urlsplit(target)
            if parts.scheme:
                assert parts.scheme == "https", (page, target)
                continue
            if parts.path:
                assert (page.parent / unquote(parts.path)).is_file(), (page, target)
            checked += 1
    assert checked > 200


def test_no_page_has_anything_inline_and_all_have_the_policy(site):
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        tags = Seen(text).tags
        assert ("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}) in tags
        for tag, attributes in tags:
            assert not any(name.startswith("on") or name == "style" for name in attributes), (page, tag, attributes)
            assert tag != "style"
            assert tag != "script" or "src" in attributes or attributes.get("type") == "application/json"


def test_pages_are_valid_html(site):
    for page in pages(site):
        html5lib.HTMLParser(strict=True).parse(page.read_text(encoding="utf-8"))


def test_words_of_strangers_are_text(site):
    for page in pages(site):
        assert "<script>alert" not in page.read_text(encoding="utf-8")
    shown = (site / "methods" / "hostile.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;co&#34;" in shown
    assert "<script" not in (site / "data/entries/hostile.js").read_text(encoding="utf-8")


def test_a_board_shows_every_entry_and_places_systems_alone(site):
    text = (site / "boards/synth-v1-1.self-audio.native-1.html").read_text(encoding="utf-8")
    for part in ("Ground truth", "Systems", "Controls", "withdrawn", "ctl-still", "region:face where the usual column"):
        assert part in text
    control = text[text.index("ctl-still.html") :].partition("<tr")[0]
    assert "<sup" not in control
    heads = re.findall(r'<th scope="col" class="n" data-at', text)
    assert len(heads) <= 12


def test_reported_numbers_stand_apart(site):
    assert "As reported" in (site / "index.html").read_text(encoding="utf-8")
    assert "printed" not in (site / "boards/synth-v1-1.self-audio.native-1.html").read_text(encoding="utf-8")


def test_data_is_at_stable_addresses(site, entries):
    index = json.loads((site / "api/v1/index.json").read_text())
    assert {item["id"] for item in index["entries"]} == {entry.id for entry in entries}
    for item in index["entries"]:
        assert read(site / item["json"]).id == item["id"]
    rows = list(csv.DictReader((site / index["boards"][0]["table"]).read_text(encoding="utf-8").splitlines()))
    assert {row["id"] for row in rows} == set(index["boards"][0]["entries"])
    best = max(
        (row for row in rows if row["role"] == "system" and not row["withdrawn"] and row["psnr"]),
        key=lambda row: float(row["psnr"]),
    )
    assert best["psnr place"] == "1"
    assert "@misc{system-1," in (site / "api/v1/entries/system-1.bib").read_text()
    badge = next((site / "badges/system-1").iterdir()).read_text()
    assert badge.startswith("<svg")
    assert "<title>" in badge


def test_a_folder_that_is_no_site_is_left_alone(entries, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ProtocolError, match="holds something else than a site"):
        build(entries, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("when", ["making", "writing", "moving"])
def test_a_build_that_fails_leaves_the_old_site(entries, tmp_path, monkeypatch, when):
    out = tmp_path / "site"
    build(entries[:2], out)
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    if when == "making":
        monkeypatch.setattr(building, "plain_files", fail)
    elif when == "writing":
        monkeypatch.setattr(building.Path, "write_bytes", fail)
    else:
        real = building.Path.replace
        monkeypatch.setattr(
            building.Path,
            "replace",
            lambda path, to: (
                fail()
                if to == out
                and not (path / "index.html").with_name(MARK + "x").exists()
                and path.name.startswith(".site.")
                else real(path, to)
            ),
        )
    with pytest.raises((OutputError, OSError)):
        build(entries, out)
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_an_empty_board_is_a_site_too(tmp_path):
    build([], tmp_path / "site")
    assert "No entry yet" in (tmp_path / "site/index.html").read_text()


def test_a_board_whose_scores_are_all_infinite_is_drawn_without_figures(tmp_path):
    same = made_entry("same", {"psnr": np.full(12, 30.0)})
    score = replace(same.run.scores["psnr"], value=np.inf, interval=None)
    same = replace(same, run=replace(same.run, scores={"psnr": score}))
    build([same], tmp_path / "site")
    page = (tmp_path / "site/boards/synth-v1-1.self-audio.native-1.html").read_text()
    assert "∞" in page
    assert "95 % intervals over clips" not in page


def closer(id, values, own):
    """An entry of a metric that should be closer to the reference's own values."""
    entry = made_entry(id, {"f-mse": values})
    clips = [
        replace(clip, reference_contributions={"f-mse": [mark, 1.0]})
        for clip, mark in zip(entry.run.clips, own, strict=True)
    ]
    score = replace(entry.run.scores["f-mse"], reference=Value(float(np.mean(own)), None, len(own)))
    return replace(entry, run=replace(entry.run, clips=tuple(clips), scores={"f-mse": score}))


def test_what_should_be_closer_to_the_reference_is_ordered_by_its_distance(tmp_path):
    own = [10.0, 20.0, 30.0, 40.0]
    entries = [closer("near", [11, 20, 29, 47], own), closer("low", [1, 2, 3, 4], own), closer("high", [60] * 4, own)]
    build(entries, tmp_path / "site")
    figure = (tmp_path / "site/metrics/f-mse.html").read_text()
    drawn = re.findall(r'<text class="name"[^>]*>(near|low|high)</text>', figure)
    assert drawn == ["near", "low", "high"]
    assert "Worst: clip3 (47.00), clip0 (11.00), clip2 (29.00)." in (tmp_path / "site/methods/near.html").read_text()
    board = (tmp_path / "site/boards/synth-v1-1.self-audio.native-1.html").read_text()
    assert 'data-better="closer-to-reference" data-own="25"' in board


def test_boards_of_generators_come_before_those_of_controls(tmp_path):
    alone = replace(BOARD, setting="control")
    few, many = replace(BOARD, setting="a-few"), replace(BOARD, setting="many")
    entries = [
        made_entry("ctl", {"psnr": [30, 31]}, role="control", paradigm="none", board=alone),
        made_entry("x", {"psnr": [30, 31]}, board=few),
        *(made_entry(f"y{at}", {"psnr": [30 + at, 31 + at]}, board=many) for at in range(2)),
    ]
    build(entries, tmp_path / "site")
    text = (tmp_path / "site/index.html").read_text()
    assert re.findall(r"</b> · ([a-z-]+)</a>", text) == ["many", "a-few", "control"]
    cards = text.split("<figcaption>")[1:]
    assert "2 systems, 1 control; 1 column" in cards[0]
    assert ["First by PSNR" in card for card in cards] == [True, False, False]
    assert text.index("<h2>Controls</h2>") < text.index("· control</a>")


def test_a_methods_page_places_scores_between_the_worst_control_and_the_truth(site):
    page = (site / "methods/ctl-still.html").read_text(encoding="utf-8")
    assert "Worst control 0, truth 1" in page
    row = next(line for line in page.splitlines() if 'metrics/psnr.html">PSNR</a>' in line)
    assert '<td class="n">0.00</td>' in row


def test_what_has_no_score_stands_apart_with_its_reason(tmp_path):
    entry = made_entry("x", {"psnr": [30, 31], "lmd": [1, 2]})
    lacking = replace(entry.run["lmd"], value=None, interval=None, unscored="it has no <mouth>", clips=0)
    entry = replace(entry, run=replace(entry.run, scores={**entry.run.scores, "lmd": lacking}))
    build([entry], tmp_path / "site")
    page = (tmp_path / "site/methods/x.html").read_text()
    scored, _, more = page.partition("1 without a score, and why")
    assert "LMD" not in scored
    assert "it has no &lt;mouth&gt;" in more


def test_the_page_of_a_data_set_says_what_is_known_of_it(tmp_path, site):
    build([made_entry("x", {"psnr": [30, 31]}, board=replace(BOARD, dataset="hdtf@1"))], tmp_path / "site")
    assert "https://github.com/MRzzm/HDTF" in (tmp_path / "site/datasets/hdtf-1.html").read_text()
    assert "synth-v1@1" in (site / "datasets/synth-v1-1.html").read_text(encoding="utf-8")


def test_who_was_trained_on_what_it_is_measured_by_is_marked(tmp_path):
    entry = made_entry("x", {"psnr": [30, 31]}, board=replace(BOARD, dataset="grid@1"))
    learnt = replace(entry, method=replace(entry.method, trained_on=("grid-s1-sync-lm",)))
    build([learnt, replace(entry, id="y")], tmp_path / "site")
    text = (tmp_path / "site/boards/grid-1.self-audio.native-1.html").read_text()
    assert "x was trained on grid-s1-sync-lm, whose clips are scored here." in text
    assert "which also trained what" in text
    assert text.count('href="#trained"') == 1
