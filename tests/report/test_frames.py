"""Values per frame: curves hold the right points, and the worst frames are named in the right order."""

import re

import numpy as np
import pytest

from thgeval.report import page
from thgeval.report.curves import POINTS, thinned
from thgeval.results import Run, states_folder
from thgeval.states.checkpoint import load, save
from thgeval.states.store import file_name


def shown(read, path, **options):
    return read(page(Run.read(path), **options))


def test_the_worst_frames_of_the_run_are_named_worst_first(sketch, read):
    begun = sketch("likeness", "distance")
    begun.clip("a", {"likeness": [0.9, 0.1, 0.8, 0.2], "distance": [1.0, 9.0, 1.0, 2.0]})
    begun.clip("b", {"likeness": [0.5, 0.15, 0.95, 0.4], "distance": [8.0, 3.0, 8.5, 1.0]})
    html = shown(read, begun.write())
    assert html.worst_frames("likeness") == [
        "a, frame 1 0.1000",
        "b, frame 1 0.1500",
        "a, frame 3 0.2000",
        "b, frame 3 0.4000",
    ]
    assert html.worst_frames("distance") == [
        "a, frame 1 9.000 px",
        "b, frame 2 8.500 px",
        "b, frame 0 8.000 px",
        "a, frame 3 2.000 px",
    ]
    assert html.data["metrics"]["distance"]["worst_frames"][0] == {"clip": "a", "frame": 1, "value": 9.0}


def test_one_clip_gives_at_most_two_of_the_worst_frames(sketch, read):
    begun = sketch("likeness").clip("bad", {"likeness": [0.1, 0.11, 0.12, 0.13]})
    path = begun.clip("fine", {"likeness": [0.9, 0.8, 0.7, 0.6]}).write()
    assert [line.split()[2] for line in shown(read, path).worst_frames("likeness")] == ["0", "1", "3", "2"]
    assert len(shown(read, path, worst=0).worst_frames("likeness")) == 4
    assert not shown(read, path, worst=0).all("figure", class_="card")


def test_links_lead_to_the_frame_they_name(sketch, read):
    likeness, distance = [0.9] * 30, [1.0] * 30
    likeness[1], likeness[20], distance[1], distance[20] = 0.1, 0.2, 9.0, 8.0
    begun = sketch("likeness", "distance").clip("a", {"likeness": likeness, "distance": distance})
    html = shown(read, begun.write())
    cards = {card.attributes["id"]: card for card in html.all("figure", class_="card")}
    links = [link for link in html.all("a") if (link.attributes["href"] or "").startswith("#frame-")]
    assert [(card.attributes["data-clip"], card.attributes["data-frame"]) for card in cards.values()] == [
        ("a", "1"),
        ("a", "20"),
    ]
    assert len(links) == 8
    for link in links:
        card = cards[(link.attributes["href"] or "")[1:]]
        named = link.text if "frame" in link.text else str(link.attributes["aria-label"])
        frame = int(re.search(r"frame (\d+)", named)[1])
        assert abs(int(card.attributes["data-frame"]) - frame) <= 6
    both = next(iter(cards.values()))
    assert "likeness 0.1000 1" in " ".join(both.text.split())
    assert "distance 9.000 px 1" in " ".join(both.text.split())


def test_frames_are_scored_as_the_metric_scores_though_it_keeps_something_else(sketch, read):
    begun = sketch("decibels").clip("a", {"decibels": [0.1, 0.01, 0.0001, 0.0]})
    html = shown(read, begun.write())
    assert html.worst_frames("decibels")[:2] == ["a, frame 0 10.00 dB", "a, frame 1 20.00 dB"]
    assert html.data["metrics"]["decibels"]["curves"][0]["values"] == [10.0, 20.0, 40.0, "inf"]


def test_a_curve_has_gaps_where_frames_were_left_out(sketch, read):
    values = [0.5, 0.6, 0.7, 0.8, 0.9, 0.4]
    begun = sketch("likeness").clip("a", {"likeness": values}, left_out={"likeness": {"identical": [2, 3]}})
    html = shown(read, begun.write())
    (curve,) = html.data["metrics"]["likeness"]["curves"]
    assert curve["frames"] == [0, 1, 2, 3, 4, 5]
    assert curve["values"] == [0.5, 0.6, None, None, 0.9, 0.4]
    assert curve["left_out"] == {"identical": [2, 3]}
    (line,) = html.all("path", class_="curve")
    assert [piece.count("L") for piece in line.attributes["d"].split("M")[1:]] == [1, 1]
    (gap,) = html.all("rect", class_="gap")
    assert html.inside(gap, "title")[0].text == "left out, identical: 2–3"
    assert "Left out, identical: frames 2–3." in html.metric_row("likeness")
    assert all("frame 2" not in line for line in html.worst_frames("likeness"))


def test_values_between_frames_belong_to_the_later_one(sketch, read):
    begun = sketch("distance").clip("a", {"distance": [1.0, 5.0, 2.0]}, frames=4)
    html = shown(read, begun.write())
    assert html.data["metrics"]["distance"]["curves"][0]["frames"] == [1, 2, 3]
    assert html.worst_frames("distance")[0] == "a, frame 2 5.000 px"


def test_values_that_are_no_frames_have_a_curve_but_no_worst_frames(sketch, read):
    html = shown(read, sketch("distance").clip("a", {"distance": [1.0, 5.0, 2.0]}, frames=30).write())
    assert html.data["metrics"]["distance"]["curves"][0]["values"] == [1.0, 5.0, 2.0]
    assert "position in the clip" in html.metric_row("distance")
    assert "Worst frames: It has no frames to show." in html.metric_row("distance")
    assert "No metric here calls single frames bad." in html.section("frames")


def test_curves_are_those_of_the_worst_clips(sketch, read):
    begun = sketch("likeness", "distance")
    for index, id in enumerate("abcdefgh"):
        begun.clip(id, {"likeness": [index / 10] * 2, "distance": [float(index)] * 2})
    html = shown(read, begun.write())
    drawn = {key: [curve["clip"] for curve in data["curves"]] for key, data in html.data["metrics"].items()}
    assert drawn == {"likeness": ["a", "b", "c"], "distance": ["h", "g", "f"]}


def test_closer_to_reference_ranks_by_the_distance_to_the_same_clips_reference(sketch, read):
    begun = sketch("sharpness")
    begun.clip("close", {"sharpness": [0.2, 0.2]}, reference_values={"sharpness": [0.2, 0.21]})
    begun.clip("far", {"sharpness": [0.5, 0.5]}, reference_values={"sharpness": [0.9, 0.9]})
    begun.clip("above", {"sharpness": [0.9, 0.9]}, reference_values={"sharpness": [0.7, 0.7]})
    begun.clip("good", {"sharpness": [0.8, 0.8]}, reference_values={"sharpness": [0.8, 0.8]})
    html = shown(read, begun.write())
    assert [curve["clip"] for curve in html.data["metrics"]["sharpness"]["curves"]] == ["far", "above"]
    assert len(html.all("path", class_="own")) == 2
    assert "It does not compare single frames with the reference’s" in html.metric_row("sharpness")


def test_clips_that_are_as_good_as_the_best_are_not_called_worst(sketch, read):
    begun = sketch("likeness", "distance")
    for id, distance in (("a", 1.0), ("b", 1.0), ("c", 1.0), ("d", 3.0)):
        begun.clip(id, {"likeness": [0.5, 0.5], "distance": [distance, distance]})
    html = shown(read, begun.write())
    assert "Curves: No clip stands out as worst." in html.metric_row("likeness")
    assert [curve["clip"] for curve in html.data["metrics"]["distance"]["curves"]] == ["d"]
    assert [" ".join(cell.text.split()) for cell in html.all("td", class_="worst")] == ["1 among the worst: 3.000"]


def test_a_single_value_of_a_longer_clip_is_no_curve(sketch, read):
    begun = sketch("sharpness").clip("a", {"sharpness": [0.5]}, frames=30)
    assert shown(read, begun.write()).data["metrics"]["sharpness"]["curves"] == []


def test_metrics_that_lack_the_same_are_folded_under_one_reason(sketch, read):
    begun = sketch("likeness", "distance", "spread").clip("a", {"likeness": [0.5]})
    html = shown(read, begun.write({"distance": "no network", "spread": "no network"}))
    (folded,) = html.all("details")
    assert " ".join(folded.text.split()) == "2 metrics not scored distance, spread Not scored: no network."


def test_the_axes_carry_units_frames_and_time(sketch, read):
    begun = sketch("distance").clip("a", {"distance": list(np.linspace(0, 4, 50))})
    curves = shown(read, begun.write()).metric_row("distance")
    assert "distance in px" in curves
    assert "frame, 25 per second (2.00 s)" in curves
    varying = sketch("distance").clip("a", {"distance": [1.0, 2.0]}, media={"generated": {"variable_rate": True}})
    assert "per second" not in shown(read, varying.write()).metric_row("distance")


def test_a_set_metric_has_no_frames_and_says_so(sketch, read):
    begun = sketch("spread").clip("a", {"spread": [[0.0], [2.0]]}).clip("b", {"spread": [[1.0], [5.0]]})
    html = shown(read, begun.write())
    said = "It has no values per frame: it looks at whole clips, or at all of them together."
    assert said in html.metric_row("spread")
    assert html.data["metrics"]["spread"]["curves"] == []


def test_without_states_there_is_a_sentence(sketch, read):
    html = shown(read, sketch("likeness").clip("a", {"likeness": [0.5]}).write(states=False))
    said = "Its values per frame are not there: no states lie beside the result file."
    assert html.metric_row("likeness").count(said) == 2
    assert "0.5000" in html.metric_row("likeness")


def test_a_run_that_was_never_written_is_shown_all_the_same(sketch, read):
    html = read(page(sketch("likeness").clip("a", {"likeness": [0.5]}).run()))
    assert "0.5000" in html.metric_row("likeness")
    assert html.all("h1")[0].text == "Run"


@pytest.mark.parametrize("change", ["protocol", "score", "pair"])
def test_states_of_another_run_are_not_shown(sketch, read, change):
    path = sketch("likeness").clip("a", {"likeness": [0.5, 0.7]}).write()
    place = states_folder(path) / file_name("a")
    kept = load(place)
    if change == "protocol":
        object.__setattr__(kept.kept["likeness"], "protocol", "likeness@2|fps:native")
    elif change == "score":
        object.__setattr__(kept.kept["likeness"], "state", type(kept.kept["likeness"].state).of("a", [0.5, 0.6]))
    else:
        object.__setattr__(kept, "pair", "b")
    save(place, kept)
    html = shown(read, path)
    assert "the states beside the result file are not those of this run" in html.metric_row("likeness")
    assert html.data["metrics"]["likeness"]["curves"] == []


def test_a_signature_of_another_version_is_shown_but_not_understood(sketch, read):
    path = sketch("likeness").clip("a", {"likeness": [0.5]}).write()
    path.write_text(path.read_text().replace("likeness@1|", "likeness@7|"))
    html = shown(read, path)
    assert "Its frames can’t be shown: this version of thgeval signs" in html.metric_row("likeness")
    assert any(code.text.startswith("likeness@7|") for code in html.all("code"))
    assert "0.5000" in html.metric_row("likeness")


def test_long_curves_keep_their_extremes():
    values = np.random.default_rng(3).normal(size=5000)
    values[1234], values[4321], values[100:160] = -50.0, 50.0, np.nan
    frames, kept = thinned(np.arange(5000), values)
    assert len(kept) <= POINTS
    assert np.isnan(kept).any()
    assert {1234, 4321} <= set(frames.tolist())
    assert np.array_equal(kept, values[frames], equal_nan=True)
    assert (np.diff(frames) > 0).all()
