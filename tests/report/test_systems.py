"""Several systems in one report: marks, paired differences, and the same moment as each system made it."""

import base64
import io

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from report.test_pictures import clip_files, likeness

from thgeval.cli.report import command
from thgeval.errors import ProtocolError
from thgeval.report import page_of_systems, write_systems
from thgeval.report.differences import per_clip
from thgeval.results import Run, states_folder
from thgeval.statistics import Resampling

DRAWS = Resampling(200, 1)


@pytest.fixture
def system(sketch, tmp_path):
    """Write a run of some clips by the name of its system; values are per clip, of two frames each."""

    def written(name, values, keys=("likeness",), lacking=(), **clips):
        begun = sketch(*keys)
        for at, id in enumerate("abcdefgh"):
            if id in lacking:
                failure = {"reason": "corrupt", "message": "damaged"}
                begun.clip(id, {}, failure=failure, failed=dict.fromkeys(keys, failure))
                continue
            own = {"sharpness": [0.5, 0.5]} if "sharpness" in keys else {}
            begun.clip(id, {key: [float(values[at])] * 2 for key in keys}, reference_values=own, **clips)
        path = begun.write()
        states_folder(path).rename(tmp_path / f"{name}.states")
        return path.rename(tmp_path / f"{name}.json")

    return written


def shown(read, **paths):
    return read(page_of_systems({name: Run.read(path) for name, path in paths.items()}, resampling=DRAWS))


def test_the_best_is_marked_and_differences_are_from_the_first(system, read):
    rising = np.linspace(0.2, 0.9, 8)
    paths = {"first": system("first", rising), "ours": system("ours", rising + 0.05)}
    html = shown(read, **paths)
    row = html.metric_row("likeness")
    assert [cell.text for cell in html.all("span", class_="best")] == ["0.6000"]
    assert "+0.0500 better" in row
    assert "ours − first: +0.0500" in row
    assert "8 clips, from 0.05000 to 0.05000" in row
    assert html.all("h1")[0].text == "first and ours"
    assert html.text.count("The only metric was scored on all 8 clips.") == 2


def test_lower_is_worse_and_nothing_is_said_of_what_chance_can_do(system, read):
    rng = np.random.default_rng(3)
    base = rng.random(8) * 0.3 + 0.3
    paths = {
        "first": system("first", base, ("distance",)),
        "worse": system("worse", base + 0.2, ("distance",)),
        "same": system("same", rng.permutation(base), ("distance",)),
    }
    html = shown(read, **paths)
    verdicts = [cell.attributes["class"] for cell in html.all("td", class_="n")][3:5]
    assert verdicts[0].split()[-1] == "worse"
    assert verdicts[1].split()[-1] not in ("better", "worse")
    assert "first, worse and same" in html.text


def test_distances_are_compared_where_scores_have_no_direction_of_their_own(system, read):
    paths = {"first": system("first", [0.9] * 8, ("sharpness",)), "ours": system("ours", [0.3] * 8, ("sharpness",))}
    html = shown(read, **paths)
    assert "differences are of the mean distance to reference of clips" in html.metric_row("sharpness")
    runs = [Run.read(path) for path in paths.values()]
    assert list(per_clip(*runs, "sharpness", "distance to reference").values()) == pytest.approx([0.2 - 0.4] * 8)
    assert list(per_clip(*runs, "sharpness", "score").values()) == pytest.approx([-0.6] * 8)
    assert {cell.attributes["class"] for cell in html.all("td", class_="better")} == {"n better"}


def test_clips_that_one_lacks_are_counted_and_not_compared(system, read):
    rising = np.linspace(0.2, 0.9, 8)
    html = shown(read, first=system("first", rising), ours=system("ours", rising + 0.1, lacking="cd"))
    assert "6 / 8 clips" in html.metric_row("likeness")
    assert "6 clips, from 0.1000" in html.metric_row("likeness")
    assert "2 clips failed" in html.section("coverage")
    assert "The only metric was scored on 6 of 8 clips; 2 failed or are missing." in html.text
    (table,) = html.all("table", class_="clips")
    names = [cell.attributes["data-sort"] for cell in html.inside(table, "th") if "data-sort" in cell.attributes]
    assert names == list("abefgh")


def test_metrics_that_were_made_differently_have_rows_of_their_own(system, read):
    first, ours = system("first", [0.5] * 8), system("ours", [0.6] * 8)
    ours.write_text(ours.read_text().replace("likeness@1|", "likeness@1|region:mouth|"))
    html = shown(read, first=first, ours=ours)
    rows = html.all("tbody", class_="metric")
    assert [body.attributes["data-metric"] for body in rows] == ["likeness (1)", "likeness (2)"]
    assert all("not compared, as they were made differently" in " ".join(body.text.split()) for body in rows)


def test_a_moment_is_shown_as_every_system_made_it(sketch, read, tmp_path):
    runs = {}
    for name, grey in (("dark", 10), ("light", 240)):
        folder = tmp_path / name
        folder.mkdir()
        files = clip_files(folder, "a")
        np.save(files[0], np.full((12, 32, 48, 3), grey, np.uint8))
        begun = sketch("likeness")
        begun.folder = folder
        runs[name] = Run.read(begun.clip("a", likeness(5), files=files).write())
    html = read(page_of_systems(runs, worst=1, resampling=DRAWS))
    (card,) = html.all("figure", class_="card")
    labels = [element.attributes["alt"].partition(",")[0] for element in html.inside(card, "img")]
    assert labels == ["reference", "dark", "light"]
    pictures = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(element.attributes["src"].partition(",")[2]))).convert("L"))
        for element in html.inside(card, "img")
    ]
    assert pictures[1].mean() < 20 < 230 < pictures[2].mean()
    assert card.text.split()[0] == "dark:"


def test_one_system_or_a_negative_count_is_refused(system):
    path = system("first", [0.5] * 8)
    with pytest.raises(ProtocolError, match="from two result files on"):
        page_of_systems({"first": Run.read(path)})
    with pytest.raises(ProtocolError, match="must be at least 0"):
        page_of_systems({"a": Run.read(path), "b": Run.read(path)}, worst=-1)


def test_the_command_names_systems_and_the_page(system, read, tmp_path):
    first, ours = system("first", [0.5] * 8), system("ours", [0.6] * 8)
    done = CliRunner().invoke(command, [f"Wav2Lip (ours)={first}", str(ours)], catch_exceptions=False)
    assert done.output.strip() == str(tmp_path / "first-vs-ours.html")
    html = read((tmp_path / "first-vs-ours.html").read_text(encoding="utf-8"))
    assert html.all("h1")[0].text == "Wav2Lip (ours) and ours"
    assert html.data["baseline"] == "Wav2Lip (ours)"
    with pytest.raises(ProtocolError, match="would overwrite the result file"):
        write_systems({"a": first, "b": ours}, ours)
