"""The table of scores, coverage and the table of clips say what the result file holds, with words beside symbols."""

import json
from fractions import Fraction

import pytest

from thgeval.errors import ProtocolError
from thgeval.protocol import Protocol
from thgeval.report import page, write
from thgeval.results import Run


def test_a_score_stands_with_interval_unit_direction_coverage_and_signature(sketch, read):
    begun = sketch("distance", expected=4)
    for id, value in (("a", 10.0), ("b", 20.0), ("c", 30.0)):
        begun.clip(id, {"distance": [value] * 5})
    path = begun.write()
    score = Run.read(path)["distance"]
    html = read(page(Run.read(path)))
    row = html.metric_row("distance")
    low, high = score.interval
    assert "20.00 px" in row
    assert f"[{low:.2f}, {high:.2f}]" in row
    assert "↓ lower is better" in row
    assert "3 / 4" in row
    assert "The interval rests on 3 clips, and is right only if clips scatter normally." in html.section("scores")
    assert "How far two frames are apart." in row
    assert score.signature in [code.text for code in html.all("code")]


def test_value_and_interval_share_their_decimals(sketch, read):
    path = sketch("distance").clip("a", {"distance": [0.00123]}).clip("b", {"distance": [0.00345]}).write()
    low, high = Run.read(path)["distance"].interval
    assert f"0.002340 px [{low:.6f}, {high:.6f}]" in read(page(Run.read(path))).metric_row("distance")


def test_one_clip_has_no_interval_no_ranks_and_its_own_curve(sketch, read):
    path = sketch("likeness").clip("only", {"likeness": [0.25, 0.75]}).write()
    html = read(page(Run.read(path)))
    assert "0.5000 one clip has no interval" in html.metric_row("likeness")
    assert "The only metric was scored on the only clip." in html.text
    assert not html.all("td", class_="worst")
    assert [curve["clip"] for curve in html.data["metrics"]["likeness"]["curves"]] == ["only"]


def test_an_infinite_score_is_a_symbol_and_words(sketch, read):
    path = sketch("decibels").clip("a", {"decibels": [0.0, 0.0]}).clip("b", {"decibels": [0.0]}).write()
    html = read(page(Run.read(path)))
    assert "∞ dB infinite throughout" in html.metric_row("decibels")
    assert "Infinite for every clip: there is nothing to draw." in html.metric_row("decibels")
    assert html.data["metrics"]["decibels"]["clips"] == {"a": "inf", "b": "inf"}


def test_an_infinite_clip_among_others_is_counted_not_drawn(sketch, read):
    begun = sketch("decibels").clip("perfect", {"decibels": [0.0]})
    html = read(page(Run.read(begun.clip("x", {"decibels": [0.1]}).clip("y", {"decibels": [0.01]}).write())))
    assert "Not drawn: 1 clip at infinity." in html.metric_row("decibels")
    (strip,) = html.all("svg", class_="strip")
    assert len([dot for dot in html.all("circle", class_="dot") if strip in dot.around]) == 1
    assert len([dot for dot in html.all("path", class_="worst") if strip in dot.around]) == 1


def test_an_unscored_metric_says_why(sketch, read):
    begun = sketch("likeness", "distance").clip("a", {"likeness": [0.5]})
    html = read(page(Run.read(begun.write({"distance": "no reference clip"}))))
    (folded,) = html.all("details")
    assert " ".join(folded.text.split()) == "1 metric not scored distance Not scored: no reference clip."
    assert not html.all("tbody", data_metric="distance")
    assert "1 of 2 metrics was scored on the only clip." in html.text
    assert "0.5000" in html.metric_row("likeness")


def test_what_was_left_out_is_counted_with_its_reason(sketch, read):
    gone = {"reason": "no face", "message": "no face in 9 frames"}
    begun = sketch("likeness").clip("a", {"likeness": [0.5, 0.5, 0.5]}, left_out={"likeness": {"identical": [1, 2]}})
    begun.clip("b", {}, failed={"likeness": gone}).clip("c", {}, failed={"likeness": gone})
    html = read(page(Run.read(begun.write())))
    assert "1 / 3" in html.metric_row("likeness")
    assert "2 clips: no face (2)" in html.metric_row("likeness")
    assert "2 frames: identical (2)" in html.metric_row("likeness")
    assert "Failed for some metrics" in html.section("coverage")
    assert "b likeness no face no face in 9 frames" in html.section("coverage")


def test_the_references_own_value_has_a_column_where_there_is_one(sketch, read):
    begun = sketch("sharpness").clip("a", {"sharpness": [0.5]}, reference_values={"sharpness": [0.75]})
    html = read(page(Run.read(begun.write())))
    assert "the references’ own: 0.7500 one clip has no interval" in html.metric_row("sharpness")
    assert "≈ closer to the reference’s own value is better" in html.metric_row("sharpness")
    assert "References’ own" in html.section("scores")
    begun.clip("b", {"sharpness": [0.7]}).clip("c", {}, reference_values={"sharpness": [0.1]})
    fewer = read(page(Run.read(begun.write()))).metric_row("sharpness")
    assert "0.7500 one clip has no interval of 1/2 clips" in fewer
    other = read(page(Run.read(sketch("likeness").clip("a", {"likeness": [1.0]}).write())))
    assert "References’ own" not in other.section("scores")


def test_failed_clips_are_listed_with_reason_and_sentence_without_their_folders(sketch, read):
    begun = sketch("likeness", expected=2).clip("good", {"likeness": [0.5]}, notes=["cut to 90 frames"])
    failure = {"reason": "corrupt", "message": "gen/bad.mp4: frame 7 is damaged"}
    begun.clip("bad", {}, failure=failure, failed={"likeness": failure})
    html = read(page(Run.read(begun.write())))
    assert "The only metric was scored on 1 of 2 clips; 1 failed or is missing." in html.text
    assert "bad corrupt bad.mp4: frame 7 is damaged" in html.section("coverage")
    assert "gen/bad.mp4" not in html.text
    assert "Failed for some metrics" not in html.text
    assert "good: cut to 90 frames" in html.section("coverage")


def test_paths_are_in_titles_alone(sketch, read):
    html = read(page(Run.read(sketch("likeness").clip("a", {"likeness": [0.5]}).write())))
    assert "gen/a.mp4" not in html.text
    assert any("gen/a.mp4" in (name.attributes.get("title") or "") for name in html.all("span", class_="clip"))


def test_the_head_names_protocol_limit_and_tools(sketch, read):
    protocol = Protocol(name="thg256", fps=Fraction(25), size=256, changed=True)
    path = sketch("likeness", protocol=protocol, limit=1, expected=9).clip("a", {"likeness": [0.5]}).write()
    html = read(page(Run.read(path)))
    head = html.all("header")[0].text
    assert "thg256@1" in head
    assert "changed" in head
    assert "25 frames per second; 256 px square; not cropped" in head
    assert "This holds its first 1 clip alone (--limit);" in head
    assert "pyav-by-hand" in head
    assert "0.0.7" in head


def test_the_worst_clips_are_ranked_in_their_column(sketch, read):
    begun = sketch("likeness", "distance")
    for index, id in enumerate("abcdef"):
        begun.clip(id, {"likeness": [0.1 * (index + 1)], "distance": [float(index)]})
    html = read(page(Run.read(begun.write())))
    marked = [(element.around[-1], " ".join(element.text.split())) for element in html.all("td", class_="worst")]
    shown = [text for _, text in marked]
    assert shown == [
        "1 among the worst: 0.1000", "2 among the worst: 0.2000", "3 among the worst: 0.3000",
        "3 among the worst: 3.000", "2 among the worst: 4.000", "1 among the worst: 5.000",
    ]  # fmt: skip


def test_damaged_clip_records_are_refused(sketch):
    path = sketch("likeness").clip("a", {"likeness": [0.5]}).write()
    data = json.loads(path.read_text())
    del data["clips"][0]["media"]
    path.write_text(json.dumps(data))
    with pytest.raises(ProtocolError, match=r"is not a thgeval result file \(.*media"):
        page(Run.read(path))


def test_a_file_name_that_is_no_text_is_spelt_out(sketch):
    path = sketch("likeness").clip("odd\udcff", {"likeness": [0.5]}).write()
    assert "odd\\udcff" in write(path).read_text(encoding="utf-8")


def test_a_negative_count_is_refused(sketch):
    path = sketch("likeness").clip("a", {"likeness": [0.5]}).write()
    with pytest.raises(ProtocolError, match="at least 0, not -1"):
        page(Run.read(path), worst=-1)
