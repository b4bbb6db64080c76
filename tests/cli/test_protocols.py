"""``thgeval ls protocols|datasets`` and ``score --protocol`` as they are typed."""

import itertools
import json

import pytest
from support.clips import moving, write_clip

HDTF = ("WRA_ReneeEllmers_000", "WDA_AdamSchiff_000")


def laid_out(folder):
    """A copy of two clips of HDTF as its makers name them, and what was generated, in one folder."""
    for number, id in enumerate(HDTF):
        subset, video, clip = id.split("_")
        for name, noise in ((f"HDTF/{subset}/{video}_{int(clip)}", 0.0), (f"out/{id}", 4.0)):
            path = folder / f"{name}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_clip(path, moving(seed=number, noise=noise))
    return folder / "out", folder / "HDTF"


def test_experimental_protocols_are_listed_if_asked_for(thgeval):
    usual, whole = thgeval("ls", "protocols").out, thgeval("ls", "protocols", "--all").out
    assert "hdtf-gagavatar19@1" in usual
    assert "person-nerf@1" not in usual
    assert "person-nerf@1" in whole
    names = ("person-nerf@1", "hdtf-latentsync30@1")
    told = thgeval("ls", "protocols", "--all", *names).out
    assert "rule, experimental" in told
    assert "the 30 clips were drawn at random, and no list was published" in told


@pytest.mark.parametrize("kind", ["presets", "protocols", "datasets", "weights", "examples"])
def test_a_list_is_short_and_fits_80_columns(thgeval, kind):
    """Each name with four lines at most below it; all that is known of one is longer."""
    lines = thgeval("ls", kind).out.splitlines()
    assert max(map(len, lines)) <= 80
    names = [row["name"] for row in json.loads(thgeval("ls", kind, "-f", "json").out)]
    starts = [number for number, line in enumerate(lines) if line and not line.startswith(" ")]
    assert [lines[start] for start in starts[:-1]] == names
    assert max(end - start for start, end in itertools.pairwise(starts)) <= 5
    assert len(thgeval("ls", kind, names[0]).out) > len("\n".join(lines[: starts[1]]))


def test_a_protocol_says_what_it_is_of_and_who_says_so(thgeval):
    rows = {row["name"]: row for row in json.loads(thgeval("ls", "protocols", "-f", "json", "--all").out)}
    found = rows["vox1-fomm@1"]
    assert found["clips"] == "525"
    assert found["dataset"] == "voxceleb1"
    assert found["list"][1].startswith("sha256 dfbaf55a")
    assert any(line.startswith("list: vox-metadata.csv in AliaksandrSiarohin") for line in found["sources"])
    assert rows["mead-eat@1"]["people"] == ["M003", "M030", "W009", "W015"]
    assert rows["hdtf-thgeval30@1"]["draw"] == "30 of hdtf, by sha256 behind 'thgeval-hdtf-30/1'"


def test_data_sets_are_listed(thgeval):
    rows = {row["name"]: row for row in json.loads(thgeval("ls", "datasets", "-f", "json").out)}
    assert rows["hdtf"]["clips"] == 421
    assert "WRA_ReneeEllmers_000" in thgeval("ls", "datasets", "hdtf").out


def test_a_file_of_ones_own_finds_its_clips_in_a_copy(thgeval, tmp_path):
    generated, reference = laid_out(tmp_path)
    (tmp_path / "mine.toml").write_text('name = "mine"\ndataset = "hdtf"\nfirst_s = 0.2\n')
    answer = thgeval(
        "score", generated, reference, "--protocol", tmp_path / "mine.toml", "-m", "psnr", "-f", "json", "-q"
    )
    assert answer.code == 0, answer.err
    assert '"*made":"protocol:mine#' in answer.out
    assert "|excerpt:first-1/5s|" in answer.out
    assert "n:2/2" in answer.out


def test_refusals_are_sentences(thgeval, tmp_path):
    generated, reference = laid_out(tmp_path)
    usual = "score", generated, reference, "-m", "psnr", "-q", "--protocol"
    answer = thgeval(*usual, "hdtf-latentsync30")
    assert answer.code == 2
    assert answer.err.strip() == (
        "thgeval: hdtf-latentsync30@1 can't be scored: the 30 clips were drawn at random, and no list was published"
    )
    answer = thgeval(*usual, "vox1-fomm@1")
    assert answer.code == 2
    assert "vox-metadata.csv names, which can't be passed on here; get it from https://github.com/Aliaks" in answer.err
    answer = thgeval(*usual, "hdtf-sources@1")
    assert answer.code == 2
    assert "hdtf-sources@1 is of 421 clips, and" in answer.err
    answer = thgeval(*usual, "hdtf-gagavatar9")
    assert "did you mean hdtf-gagavatar19?" in answer.err
    answer = thgeval(*usual, "native", "--clip-list", tmp_path / "list.txt")
    assert "native@1 needs no list of clips" in answer.err
    (tmp_path / "list.tsv").write_text("a\tb\n")
    answer = thgeval("score", "--list", tmp_path / "list.tsv", "--protocol", "hdtf-sources@1")
    assert answer.code == 2
    assert "--list names pairs, and hdtf-sources@1 says itself which clips belong together" in answer.err


def test_runs_under_a_protocol_that_names_its_clips_are_verified(thgeval, tmp_path):
    for folder, noise in (("HDTF", 0.0), ("out", 4.0)):
        (tmp_path / folder).mkdir()
        write_clip(tmp_path / folder / "WRA_ReneeEllmers_000.mp4", moving(100, noise=noise))
    folders = tmp_path / "out", tmp_path / "HDTF"
    usual = ("--protocol", "hdtf-gagavatar19@1", "-m", "psnr", "-q", "--allow-missing", "-o", tmp_path / "run.json")
    assert thgeval("score", *folders, *usual).code == 0
    assert json.loads((tmp_path / "run.json").read_text())["protocol"]["name"] == "hdtf-gagavatar19@1"
    for places in ((), folders):
        answer = thgeval("verify", tmp_path / "run.json", *places)
        assert answer.code == 0, answer.out + answer.err
    write_clip(tmp_path / "HDTF" / "WRA_ReneeEllmers_000.mp4", moving(100, seed=5))
    answer = thgeval("verify", tmp_path / "run.json", *folders)
    assert answer.code == 1
    assert "WRA_ReneeEllmers_000: the reference clip is another than the one that was scored" in answer.err


def test_what_was_scored_can_be_taken_up_again_and_verified(thgeval, tmp_path):
    generated, reference = laid_out(tmp_path)
    (tmp_path / "mine.toml").write_text('name = "mine"\ndataset = "hdtf"\nframes = 5\n')
    command = ("score", generated, reference, "--protocol", tmp_path / "mine.toml", "-q", "-o", tmp_path / "run.json")
    assert thgeval(*command, "-m", "psnr").code == 0
    assert thgeval(*command, "-m", "ssim").code == 0
    assert thgeval("verify", tmp_path / "run.json", generated, reference).code == 0
    held = json.loads((tmp_path / "run.json").read_text())
    assert sorted(held["scores"]) == ["psnr", "ssim"]
    assert "excerpt:even-5" in held["protocol"]["fields"]
    assert thgeval("report", tmp_path / "run.json", "-o", tmp_path / "report.html").code == 0
    page = (tmp_path / "report.html").read_text()
    assert "5 frames, evenly spread" in page
    answer = thgeval(*command[:4], "native", *command[5:], "-m", "psnr", "--recursive")
    assert answer.code == 2
