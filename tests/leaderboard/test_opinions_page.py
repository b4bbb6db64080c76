"""What is committed of people's opinions, and the page that shows it."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import html5lib
import pytest
from support.boards import BOARD, made_entry

from thgeval_baselines.controls.table import TABLE
from thgeval_leaderboard.opinions import Opinion
from thgeval_leaderboard.opinions.compile import compiled, encoded, ranked
from thgeval_leaderboard.site.build import build
from thgeval_leaderboard.site.opinions import AXES, IN_SURVEY, printed
from thgeval_leaderboard.survey import data

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "thqa_ntire"
COMMITTED = files("thgeval_leaderboard").joinpath("opinions/data/thqa_ntire.json").read_bytes()


def test_what_is_committed_is_what_the_command_makes():
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/data/thqa_ntire")
    assert encoded(compiled(SHARED)) == COMMITTED


def test_what_is_committed_are_aggregates_with_their_source():
    data = json.loads(COMMITTED)
    assert len(COMMITTED) < 8000
    assert "MIT licence" in data["source"]
    assert "one laboratory" in data["source"]
    assert sum(row["clips"] for row in (*data["talkers"], *data["levels"])) == data["clips"] == 12_247
    for row in (*data["talkers"], *data["levels"]):
        assert row["clips"] >= 50
        assert row["interval"][0] < row["mean"] < row["interval"][1]


def test_a_talker_is_below_another_only_where_a_test_says_so():
    def clips(name, *scores):
        return [Opinion(f"{name}{at}", score, name, {"part": "p"}) for at, score in enumerate(scores)]

    found = ranked(clips("b", 2, 3, 2.5, 2.4) + clips("a", 2.1, 3, 2.5, 2.4) + clips("c", 0, 0.1, 0.2, 0))
    assert [(row["talker"], row["below"]) for row in found] == [("a", False), ("b", False), ("c", True)]


def page_of(site):
    return html5lib.parse((site / "opinions.html").read_text(encoding="utf-8"), namespaceHTMLElements=False)


def rows_of(page, id):
    return [["".join(cell.itertext()) for cell in row] for row in page.findall(f".//table[@id='{id}']/tbody/tr")]


def test_the_page_ranks_fourteen_talkers_with_ties_where_no_test_parts_them(site):
    rows = rows_of(page_of(site), "ranked")
    assert [row[0] for row in rows[:3]] == ["sadtalker", "echomimic", "musetalk"]
    assert len(rows) == 14
    assert [row[1] for row in rows[4:9]] == ["5", "6=", "6=", "6=", "9"]
    assert rows[11][:5] == ["wavlip", "12", "1.74", "1.67 .. 1.81", "770"]
    assert rows[0][5] == "4.58"


def test_printed_values_are_those_of_the_survey_as_reported(site):
    page = page_of(site)
    rows = rows_of(page, "reported")
    lse_d = next(row for row in rows if row[0] == "LSE-D\N{NO-BREAK SPACE}↓")
    assert lse_d[1:3] == ["Table 29", "HDTF"]
    assert lse_d[3] == "makeittalk 10.23, dreamtalk 8.37, audio2head 7.49, wavlip 5.86"
    assert lse_d[4] == "0 of 6"
    assert "as reported" in "".join(page.find(".//section[@id='printed']/h2").itertext())
    for row in rows:
        table = int(row[1].removeprefix("Table "))
        shown = {(IN_SURVEY[name], raw) for name, raw in (each.split(" ") for each in row[3].split(", "))}
        found = next(item for item in data("tables") if item["table"] == table)
        assert found["kind"] == "literature"
        at = [column[0] for column in found["columns"]].index(row[0].split("\N{NO-BREAK SPACE}")[0])
        of_table = {
            (each["method_id"], each["cells"][at]["raw"])
            for each in found["rows"]
            if each["cells"][at]["status"] == "ok"
        }
        assert shown <= of_table


def test_pairs_are_counted_in_the_metrics_direction():
    for each in printed(("sadtalker", "wavlip")):
        assert each.pairs <= 1
    found = {(each.table, each.dataset, each.metric): each for each in printed(("sadtalker", "wavlip"))}
    assert found[21, "MEAD", "F-LMD\N{NO-BREAK SPACE}↓"].alike == 0  # 4.04 against 2.73, lower is better
    assert found[21, "HDTF", "SSIM\N{NO-BREAK SPACE}↑"].alike == 1  # 0.73 against 0.59


def test_every_level_of_every_axis_is_drawn_and_listed(site):
    levels = json.loads(COMMITTED)["levels"]
    assert {row["axis"] for row in levels} == {axis.name for axis in AXES}
    page = page_of(site)
    figures = page.findall(".//section[@id='graded']//figure")
    assert len(figures) == 7
    listed = [row for figure in figures for row in figure.findall(".//tbody/tr")]
    assert len(listed) == 20
    for figure in figures:
        assert figure.find(".//{*}svg/{*}title").text
        assert figure.find(".//{*}svg/{*}desc").text
        assert len(figure.findall(".//{*}svg/{*}circle")) == len(figure.findall(".//tbody/tr"))
    words = "".join(page.itertext())
    assert "No entry here is of ctl-videolead-500ms, ctl-videolead-1s, so people's curve stands alone." in words
    assert "No control of ours is on this axis: a video has no mesh." in words


def control(name, **clips):
    return made_entry(name, clips, role="control", paradigm="none", board=replace(BOARD, setting="control"))


def graded_of(site, axis):
    """The figures of one axis, and what is said before them."""
    section = page_of(site).find(".//section[@id='graded']")
    at = next(at for at, each in enumerate(section) if each.get("id") == axis)
    return section[at + 2].findall("figure"), "".join(section[at + 1].itertext())


def test_controls_at_the_same_levels_stand_beside_people(tmp_path):
    values = {"ssim": [0.8, 0.7, 0.75], "lmd": [2.0, 3.0, 2.5]}
    entries = [
        control("ctl-videolead-500ms", **values),
        control("ctl-videolead-1s", **{key: [x / 2 for x in each] for key, each in values.items()}),
        control("ctl-videolead-9s", **values),
        made_entry("ctl-audiolead-1s", values, paradigm="none"),  # the name of a control, and none
        made_entry("system", values),  # whose board shows the controls too, and the page once
    ]
    build(entries, tmp_path / "site")
    (_, ours), said = graded_of(tmp_path / "site", "video_lead")
    assert len(graded_of(tmp_path / "site", "audio_lead")[0]) == 1
    assert "No entry" not in said
    heads = [cell.text for cell in ours.findall(".//thead//th")]
    assert heads == ["Level", "Control", "People", "LMD\N{NO-BREAK SPACE}↓", "SSIM\N{NO-BREAK SPACE}↑"]
    rows = [["".join(cell.itertext()) for cell in row] for row in ours.findall(".//tbody/tr")]
    assert [row[:3] for row in rows] == [["0.5", "ctl-videolead-500ms", "2.72"], ["1", "ctl-videolead-1s", "1.32"]]
    assert [float(row[4].split(" ")[0]) for row in rows] == pytest.approx([0.75, 0.375], abs=0.006)
    assert [each.text for each in ours.findall(".//{*}svg/{*}text[@class='name']")] == heads[3:]
    # LMD halves where people think less of it, and SSIM goes with them
    assert "In people's order of the levels: SSIM. In another order: LMD." in "".join(ours.itertext())


def test_up_is_better_in_every_panel(tmp_path):
    better, worse = {"ssim": [0.9, 0.9], "lmd": [1.0, 1.0]}, {"ssim": [0.4, 0.4], "lmd": [3.0, 3.0]}
    build([control("ctl-pause-start-1s", **better), control("ctl-pause-start-2s", **worse)], tmp_path / "site")
    (_, ours), said = graded_of(tmp_path / "site", "pause_start")
    for panel in ours.findall(".//{*}svg"):
        first, second = (float(dot.get("cy")) for dot in panel.findall("{*}circle"))
        assert first < second
    assert "Seconds of a held picture are our reading, of our controls alone." in said


def test_controls_are_drawn_with_their_intervals_and_without_scores_that_are_infinite(tmp_path):
    entries = [control(f"ctl-coarse{bits}", psnr=[30.0, 31.0, 33.0]) for bits in (4, 5, 6)]
    run = entries[0].run
    endless = replace(run["psnr"], value=float("inf"), interval=None)
    entries[0] = replace(entries[0], run=replace(run, scores={"psnr": endless}))
    build(entries, tmp_path / "site")
    (_, drawn), said = graded_of(tmp_path / "site", "qt_level")
    assert said.endswith("No entry here is of ctl-coarse7.")
    assert len(drawn.findall(".//{*}circle")) == len(drawn.findall(".//{*}path[@class='bar']")) == 2
    rows = [["".join(cell.itertext()) for cell in row] for row in drawn.findall(".//tbody/tr")]
    assert [row[3].split(" ")[0] for row in rows] == ["∞", "31.3", "31.3"]


def test_every_axis_says_whose_unit_its_levels_have():
    for axis in AXES:
        assert "seconds, of the data set as of our controls" in axis.says or "states no unit" in axis.says
        assert bool(axis.controls) != ("o control of ours is" in axis.says)


def test_every_control_that_is_named_is_one_of_ours():
    assert {name for axis in AXES for name in axis.controls.values()} <= set(TABLE)


def test_the_page_is_light_and_its_data_at_a_stable_address(site):
    assert len((site / "opinions.html").read_bytes()) < 100_000
    assert (site / "api/v1/opinions.json").read_bytes() == COMMITTED
