"""Files of opinions: tables become one, what their names say is kept, and every fault of a table is named."""

import json
from pathlib import Path
from statistics import mean

import pytest

from thgeval.cli.main import code
from thgeval.errors import ProtocolError
from thgeval_leaderboard.opinions import Opinions
from thgeval_leaderboard.opinions.tables import THQA_FILES, named, of_csv, of_thqa

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "thqa_ntire"
SENTENCE = "do_they_make_class_biased_decisions"


def table(tmp_path, text, name="study.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("clip", "method", "labels"),
    [
        (
            "10_dalle3_common_voice_en_35787446_audio2head",
            "audio2head",
            {
                "part": "THQA-10K",
                "portrait": "10_dalle3",
                "drawn_by": "dalle3",
                "utterance": "common_voice_en_35787446",
            },
        ),
        ("9_voice_en_3529_sad", "sadtalker", {"part": "THQA", "portrait": "9", "utterance": "voice_en_3529"}),
        ("9_voice_en_3529_ahead", "audio2head", {"part": "THQA", "portrait": "9", "utterance": "voice_en_3529"}),
        ("9_voice_en_3529_mkittalk", "makeittalk", {"part": "THQA", "portrait": "9", "utterance": "voice_en_3529"}),
        ("9_voice_en_3529_vidtalk", "videotalk", {"part": "THQA", "portrait": "9", "utterance": "voice_en_3529"}),
        *(
            (
                f"5372021_SEN_{SENTENCE}_{axis}_{level}",
                "",
                {
                    "part": "THQA-3D",
                    "portrait": "5372021",
                    "utterance": SENTENCE,
                    "distortion": axis,
                    "level": level,
                },
            )
            for axis, level in (
                ("audio_lead", "0.5"),
                ("video_lead", "1"),
                ("pause_start", "2"),
                ("pause_middle", "1"),
                ("qp_level", "9"),
                ("qt_level", "4"),
                ("stream_level", "-2"),
            )
        ),
    ],
)
def test_a_name_says_who_made_the_clip_and_of_what(clip, method, labels):
    found = named(clip)
    assert (found.method, dict(found.labels)) == (method, labels)


@pytest.mark.parametrize("clip", ["", "face", "10_dalle3_common_voice_en_x_eat", f"1_SEN_{SENTENCE}_blur_level_2"])
def test_other_names_say_nothing(clip):
    assert named(clip) is None


def test_the_data_set_has_the_means_that_its_tables_have():
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/data/thqa_ntire")
    found = of_thqa(SHARED)
    assert len(found.clips) == 12_247

    def scores(**labels):
        method = labels.pop("method", None)
        return [
            clip.score
            for clip in found.clips
            if method in (None, clip.method) and labels.items() <= dict(clip.labels).items()
        ]

    assert len({clip.method for clip in found.clips} - {""}) == 14
    assert round(mean(scores(part="THQA-10K", method="sadtalker")), 2) == 3.83
    assert round(mean(scores(part="THQA-10K", method="wavlip")), 2) == 1.74
    assert round(mean(scores(part="THQA", method="sadtalker")), 2) == 4.58
    assert round(mean(scores(distortion="qt_level", level="4")), 2) == 0.25
    assert round(mean(scores(distortion="stream_level", level="-2")), 2) == 1.2
    assert len(scores(part="THQA-3D")) == 1000


def test_the_command_imports_the_data_set(tmp_path, capsys):
    for at, name in enumerate(THQA_FILES):
        table(tmp_path, f"Video,Score\r\n9_voice_en_{at}_sad.mp4,4.5\r\n9_voice_en_{at}_wavlip.mp4,1\r\n", name)
    out = tmp_path / "opinions.json"
    assert code(["opinion", "import", "thqa-ntire", str(tmp_path), str(out)]) == 0
    assert "6 clips, 2 methods" in capsys.readouterr().out
    found = Opinions.read(out)
    assert found.scale == (0, 5)
    assert [clip.labels["split"] for clip in found.clips] == ["train", "train", "val", "val", "test", "test"]
    assert set(found.files) == set(THQA_FILES)
    assert found.encoded() == out.read_bytes()


def test_an_unknown_name_in_the_data_set_is_refused(tmp_path):
    for name in THQA_FILES:
        table(tmp_path, "Video,Score\n9_voice_en_1_sad.mp4,4.5\nholiday.mp4,3\n", name)
    with pytest.raises(ProtocolError, match="line 3, has a name that no clip of THQA-NTIRE has"):
        of_thqa(tmp_path)
    (tmp_path / THQA_FILES[0]).unlink()
    with pytest.raises(ProtocolError, match=r"thqa_ntire_train.csv can't be read: No such file"):
        of_thqa(tmp_path)


def test_a_table_of_clips_and_scores(tmp_path):
    found = of_csv(table(tmp_path, "\ufeffscore, clip,take\n3.5,a.mp4,1\n\n4,b/c.MOV,\n"))
    assert [(clip.clip, clip.score, dict(clip.labels)) for clip in found.clips] == [
        ("a", 3.5, {"take": "1"}),
        ("b/c", 4.0, {}),
    ]
    assert (found.name, found.scale) == ("study", None)


def test_a_clips_score_is_the_mean_of_its_raters(tmp_path):
    lines = "clip,method,score,rater\na,m,1,ann\na,n,5,ann\na,m,4,bob\n"
    found = of_csv(table(tmp_path, lines), scale=(1, 5))
    assert [(clip.method, clip.score, dict(clip.ratings)) for clip in found.clips] == [
        ("m", 2.5, {"ann": 1.0, "bob": 4.0}),
        ("n", 5.0, {"ann": 5.0}),
    ]
    path = tmp_path / "o.json"
    found.write(path)
    assert Opinions.read(path) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must begin with a line that names its columns once, clip and score among them"),
        ("clip,mos\na,1\n", "clip and score among them"),
        ("clip,score,score\na,1,2\n", "names its columns once"),
        ("clip,score\na,1\na,2\n", "line 2, scores the clip 'a', as another line does, and names no rater"),
        ("clip,score,rater\na,1,x\na,2,x\n", "line 3, has the rater 'x' score the clip 'a' twice"),
        ("clip,score\na,1,2\n", "line 2, has 3 cells where the head has 2"),
        ("clip,score\na,good\n", "line 2, has 'good' where a score should be"),
        ("clip,score\na,nan\n", "line 2, has 'nan' where a score should be"),
        ("clip,score\n,1\n", "line 2, names no clip"),
        ("clip,score\na,6\n", "scores the clip 'a' 6, which is off the scale"),
        (b"clip,score\n\xff,1\n", r"study.csv is not UTF-8 \(byte 11\)"),
        ('clip,score\n"a,1\n', "study.csv is no CSV"),
    ],
)
def test_a_fault_of_a_table_is_named(tmp_path, text, says):
    with pytest.raises(ProtocolError, match=says):
        of_csv(table(tmp_path, text), scale=(1, 5))


def test_a_faulty_table_leaves_what_was_there(tmp_path, capsys):
    out = tmp_path / "o.json"
    out.write_text("before")
    assert code(["opinion", "import", "csv", str(table(tmp_path, "clip,score\na,good\n")), str(out)]) == 2
    assert "line 2" in capsys.readouterr().err
    assert out.read_text() == "before"


def test_a_scale_of_its_own(tmp_path, capsys):
    asked = ["opinion", "import", "thqa-ntire", str(tmp_path), str(tmp_path / "o.json"), "--scale", "1", "5"]
    assert code(asked) == 2
    assert "leave --scale out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "thgeval.opinions/9"}, "schema"),
        ({"scale": [1]}, "scale"),
        ({"more": 1}, "more"),
        ({"clips": [{"clip": "a"}]}, "clips.0"),
        ({"scale": [1, 2]}, "off the scale"),
    ],
)
def test_a_file_of_opinions_is_checked(tmp_path, change, says):
    of_csv(table(tmp_path, "clip,score\na,3\nb,4\n")).write(tmp_path / "o.json")
    data = json.loads((tmp_path / "o.json").read_text()) | change
    (tmp_path / "o.json").write_text(json.dumps(data))
    with pytest.raises(ProtocolError, match=says):
        Opinions.read(tmp_path / "o.json")
