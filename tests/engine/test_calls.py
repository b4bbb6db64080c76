"""Python calls: whatever is handed over is scored as what it is, or refused in one sentence."""

import numpy as np
import pytest
from PIL import Image

import thgeval
from thgeval.engine.run import Watcher
from thgeval.errors import InputError, ProtocolError


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 256, (4, 24, 20, 3), dtype=np.uint8)


def shown(clip, reference, **how):
    """How many frames were scored, and that they were equal."""
    run = thgeval.score(clip, reference, metrics="l1", **how)
    assert run["l1"].value == 0
    return run["l1"].frames


def test_lists_of_frames(frames):
    images = [Image.fromarray(frame) for frame in frames]
    for listed in (list(frames), tuple(frames), images, tuple(images)):
        assert shown(listed, frames) == 4
    assert shown(images[0], frames[:1]) == 1
    grey = [frame[..., 0] for frame in frames[:3]]
    assert shown(grey, np.stack(grey)[..., None]) == 3
    assert shown([image.convert("P", colors=256) for image in images[:1]], [images[0].convert("P", colors=256)]) == 1


def test_tensors_of_every_float(frames):
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(frames).movedim(3, 1)
    assert shown(list(tensor), tensor) == shown(tensor.movedim(1, 3), frames) == 4
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        given = (tensor / 255).to(dtype)
        assert shown(given, list(given), peak=1.0) == 4


WRONG_CLIPS = {
    "nothing": (lambda f: None, "is a NoneType, not a path, an array"),
    "mapping": (lambda f: {"frames": f}, "is a dict, not a path, an array"),
    "no frames": (lambda f: [], "is a list without frames"),
    "paths": (lambda f: ["0.png"], "frame 0 of the generated clip is a str"),
    "numbers": (lambda f: [[1, 2]], "frame 0 of the generated clip is a list"),
    "sizes": (lambda f: [f[0], f[1, :8]], "the generated frames differ"),
    "types": (lambda f: [f[0], f[1] / 255], "the generated frames differ"),
    "clips": (lambda f: [f, f], "generated are 2 clips, reference 1; give as many of either"),
    "batches of batches": (lambda f: f[None, None], "its frames have the shape"),
    "clips of other axes": (lambda f: [f, f[0]], "has the shape (4, 24, 20, 3), not that of one image"),
    "no clips": (lambda f: np.empty((0, *f.shape), np.uint8), "the generated batch holds no clips"),
    "one image": (lambda f: f[0], "may be one image or grey frames"),
    "masked": (lambda f: [np.ma.masked_equal(f[0], f[0, 0, 0, 0])], "are masked"),
    "transparent": (lambda f: Image.fromarray(np.dstack([f[0], f[0, ..., 0]])), "transparent"),
    "cmyk": (lambda f: Image.fromarray(f[0]).convert("CMYK"), "its pixels are CMYK"),
    "empty path": (lambda f: "", "the path of the generated clip is empty"),
    "zero byte": (lambda f: "a\0b", "not a valid path"),
}


@pytest.mark.parametrize("case", WRONG_CLIPS)
def test_what_is_no_clip(case, frames):
    made, said = WRONG_CLIPS[case]
    with pytest.raises(InputError) as caught:
        thgeval.score(made(frames), frames, metrics="psnr")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf"), "25", "x", True, [25], 1j])
def test_a_rate_that_is_none(fps, frames):
    with pytest.raises(InputError, match="fps must be a positive number of frames per second, not"):
        thgeval.score(frames, frames, metrics="psnr", fps=fps)
    with pytest.raises(ProtocolError, match="fps must be a positive number of frames per second, not"):
        thgeval.Protocol(fps=fps)


@pytest.mark.parametrize("fps", [25, 25.0, np.float32(25), np.int64(25)])
def test_a_rate_in_any_kind_of_number(fps, frames):
    run = thgeval.score(frames, frames, metrics="psnr", fps=fps)
    assert run.clips[0].media["generated"]["fps"] == 25.0


@pytest.mark.parametrize("peak", [0, -1, "255", True, float("nan"), [1]])
def test_a_peak_that_is_none(peak, frames):
    with pytest.raises(InputError, match="peak is the value of white, a positive number"):
        thgeval.score(frames / 255, frames / 255, metrics="psnr", peak=peak)


@pytest.mark.parametrize("metrics", [None, 5, [], (), [1], ["psnr", None], {"psnr": 1}.items()])
def test_metrics_that_are_none(metrics, frames):
    with pytest.raises(ProtocolError, match=r"metrics are names|no metric is named"):
        thgeval.score(frames, frames, metrics=metrics)


def test_one_metric_by_its_name(frames):
    assert list(thgeval.score(frames, frames, metrics="psnr").scores) == ["psnr"]


@pytest.mark.parametrize("protocol", [None, 5, {"fps": 25}, ["native"]])
def test_a_protocol_that_is_none(protocol, frames):
    with pytest.raises(ProtocolError, match="a protocol is a name"):
        thgeval.score(frames, frames, metrics="psnr", protocol=protocol)


@pytest.mark.parametrize("options", [{"workers": 1}, 5, "cpu"])
def test_options_that_are_none(options, frames):
    with pytest.raises(ProtocolError, match=r"options must be thgeval\.Options"):
        thgeval.score(frames, frames, metrics="psnr", options=options)


@pytest.mark.parametrize(
    "given",
    [
        {"workers": "2"},
        {"workers": True},
        {"workers": 1.5},
        {"out": 5},
        {"chunk": -1},
        {"chunk": None},
        {"limit": 2.0},
        {"fresh": 1},
        {"weights": None},
        {"device": None},
        {"cache": None},
        {"resampling": 1000},
    ],
)
def test_options_of_a_wrong_kind(given):
    with pytest.raises(ProtocolError) as caught:
        thgeval.Options(**given)
    assert "\n" not in str(caught.value)


def test_places_that_are_none(tmp_path):
    for generated in (None, 5, "a\0b", tmp_path / "none"):
        with pytest.raises(ProtocolError):
            thgeval.evaluate(generated, tmp_path)
    with pytest.raises(ProtocolError, match="reference must be the path"):
        thgeval.evaluate(tmp_path, 5)


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["text", "path"])
def test_results_are_written_where_options_say(kind, frames, tmp_path):
    out = tmp_path / "run.json"
    run = thgeval.score(frames, frames, metrics="psnr", options=thgeval.Options(out=kind(out)))
    assert thgeval.Run.read(kind(out)).canonical == run.canonical
    run.write(kind(tmp_path / "again.json"))
    assert (tmp_path / "again.json").read_bytes() == out.read_bytes()
    np.save(tmp_path / "clip.npy", frames)
    again = thgeval.evaluate(
        kind(tmp_path / "clip.npy"), kind(tmp_path / "clip.npy"), metrics="psnr", options=thgeval.Options(out=kind(out))
    )
    assert thgeval.Run.read(out).canonical == again.canonical


def test_a_protocol_made_by_hand_is_not_called_by_a_name_that_ships():
    assert thgeval.Protocol().label == "native@1"
    assert thgeval.Protocol(fps=25).label == "native@1!"
    assert thgeval.Protocol(name="thg256").label == "thg256@1!"
    assert thgeval.Protocol(clips=("a",)).label == "native@1!"
    assert thgeval.Protocol(name="mine", fps=25).label == "mine@1"


def test_clips_compared_with_themselves_are_told(frames, tmp_path):
    np.save(tmp_path / "clip.npy", frames)
    said = []
    thgeval.evaluate(tmp_path, tmp_path, metrics="psnr", watcher=Watcher(warns=said.append))
    assert said == ["1 of 1 clips are compared with themselves: both sides are one file"]


def test_batches_are_clips_of_their_own(frames):
    torch = pytest.importorskip("torch")
    batch = np.stack([frames, frames[::-1], 255 - frames])
    tensors = torch.from_numpy(batch).movedim(4, 2)
    for ours, theirs in ((batch, batch), (tensors, tensors), (list(batch), batch), (tensors, list(batch))):
        run = thgeval.score(ours, theirs, metrics="l1")
        assert [clip.id for clip in run.clips] == ["0", "1", "2"]
        assert (run.expected, run["l1"].frames, run["l1"].value) == (3, 12, 0)
    apart = thgeval.score(batch, batch[[1, 0, 2]], metrics="l1")
    alone = thgeval.score(batch[0], batch[1], metrics="l1")["l1"].value
    assert [clip.scores["l1"] for clip in apart.clips] == [alone, alone, 0.0]
    unlike = [frames[:2], frames]
    assert [clip.frames for clip in thgeval.score(unlike, unlike, metrics="l1").clips] == [2, 4]
    assert [clip.id for clip in thgeval.score(batch[:1], frames, metrics="l1").clips] == ["0"]


LAID_OUT = {
    "BTHWC": lambda f: f[None],
    "BTCHW": lambda f: f.transpose(0, 3, 1, 2)[None],
    "BCHW": lambda f: f.transpose(0, 3, 1, 2),
    "bhwc": lambda f: f,
    "TCHW": lambda f: f.transpose(0, 3, 1, 2),
    "THWC": lambda f: f,
    "CHW": lambda f: f[0].transpose(2, 0, 1),
    "HWC": lambda f: f[0],
    "THW": lambda f: f[..., 0],
    "BTHW": lambda f: f[None, ..., 0],
    "BHW": lambda f: f[..., 0],
    "HW": lambda f: f[0, ..., 0],
}


@pytest.mark.parametrize("layout", LAID_OUT)
def test_axes_have_names(layout, frames):
    given = LAID_OUT[layout](frames)
    run = thgeval.score(given, 255 - given, metrics="l1", layout=layout)
    clips = len(given) if layout.upper().startswith("B") else 1
    assert run.expected == clips
    assert run["l1"].frames == (4 if "T" in layout.upper() or layout.upper().startswith(("BC", "BH")) else 1)
    wanted = frames if "C" in layout.upper() else frames[..., :1]
    wanted = wanted if run["l1"].frames == 4 else wanted[:1]
    assert run["l1"].value == pytest.approx(np.abs(255.0 - 2 * wanted.astype(float)).mean() / 255)


@pytest.mark.parametrize("layout", ["TCHW", "THW", "BTHWC"])
def test_axes_that_can_not_be_these_are_refused(layout, frames):
    with pytest.raises(InputError, match=f"which is not {layout.removeprefix('B')}"):
        thgeval.score(frames, frames, metrics="l1", layout=layout)
    with pytest.raises(ProtocolError, match="layout is one of BTCHW"):
        thgeval.score(frames, frames, metrics="l1", layout="NCHW")


@pytest.mark.parametrize(
    ("text", "black", "white"), [("0..1", 0, 1), ("-1..1", -1, 1), ("0..255", 0, 255), ("-0.5..0.5", -0.5, 0.5)]
)
def test_ranges_have_names(text, black, white, frames):
    other = np.roll(frames, 1, axis=0)
    shares = frames.astype(np.float32) / 255, other.astype(np.float32) / 255
    ours, theirs = (share * (white - black) + black for share in shares)
    wanted = thgeval.score(*shares, metrics=["l1", "ssim", "psnr"], peak=1.0)
    found = thgeval.score(ours, theirs, metrics=["l1", "ssim", "psnr"], range=text)
    for key, score in wanted.scores.items():
        assert found[key].value == pytest.approx(score.value, rel=1e-5), key
    with pytest.raises(InputError, match="outside its range"):
        thgeval.score(ours * 1.2 - 0.01, theirs, metrics="l1", range=text)
    assert thgeval.score(frames, frames, metrics="l1", range="0..255")["l1"].value == 0
    with pytest.raises(InputError, match=r"uint8, whose range is 0\.\.255"):
        thgeval.score(frames, frames, metrics="l1", range="0..1")


@pytest.mark.parametrize("text", ["", "1", "1..0", "0..inf", "a..b", "0..nan", 1, (0, 1)])
def test_ranges_that_are_none(text, frames):
    with pytest.raises(ProtocolError, match=r"a range is LOW\.\.HIGH"):
        thgeval.score(frames / 255, frames / 255, metrics="l1", range=text)


def test_peak_and_range_say_the_same(frames):
    with pytest.raises(ProtocolError, match="give one of them"):
        thgeval.score(frames / 255, frames / 255, metrics="l1", range="0..1", peak=1.0)


def test_values_beyond_a_range_are_clipped_where_asked_and_said(frames):
    reference = frames.astype(np.float32) / 127.5 - 1
    made = reference.copy()
    made[1, 0, 0], made[3, 5, 5] = 1.5, -9
    limited = np.clip(made, -1, 1)
    with pytest.raises(InputError, match="clip=True does"):
        thgeval.score(made, reference, metrics="l1", range="-1..1")
    run = thgeval.score(made, reference, metrics="l1", range="-1..1", clip=True)
    assert run["l1"].value == thgeval.score(limited, reference, metrics="l1", range="-1..1")["l1"].value > 0
    (note,) = run.clips[0].notes
    assert "values of 2 of 4 frames were beyond -1 to 1 and were clipped" in note
    assert not thgeval.score(limited, reference, metrics="l1", range="-1..1", clip=True).clips[0].notes
    made[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="NaN or infinite"):
        thgeval.score(made, reference, metrics="l1", range="-1..1", clip=True)
    with pytest.raises(ProtocolError, match="clip is True or False"):
        thgeval.score(made, reference, metrics="l1", range="-1..1", clip=1)


def test_evaluate_takes_clips_by_id(frames, tmp_path):
    ours = {"b": frames, "a": frames[::-1], "c": frames[:2]}
    theirs = {"a": frames[::-1], "b": frames, "c": frames, "d": frames}
    run = thgeval.evaluate(ours, theirs, metrics="l1", fps=25)
    assert [(clip.id, clip.failure and clip.failure.reason) for clip in run.clips] == [
        ("a", None), ("b", None), ("c", "length differs"), ("d", "missing clip"),
    ]  # fmt: skip
    assert (run.expected, run["l1"].clips, run["l1"].value) == (4, 2, 0)
    batch = np.stack([frames, frames])
    kept = thgeval.Options(out=tmp_path / "run.json")
    again = thgeval.evaluate(batch / 127.5 - 1, batch / 127.5 - 1, metrics="l1", range="-1..1", options=kept)
    assert [clip.id for clip in again.clips] == ["0", "1"]
    assert thgeval.Run.read(tmp_path / "run.json")["l1"] == again["l1"]
    sets = thgeval.evaluate(batch, [frames[:3], frames, frames[1:]], metrics="f-mse", unpaired=True, fps=25)
    assert (sets.expected, sets.expected_references) == (2, 3)


@pytest.mark.parametrize(
    ("ours", "theirs", "more", "said"),
    [
        (lambda f: f, lambda f: f, {}, "generated is one clip; thgeval.score is for those"),
        (lambda f: f[None], lambda f: "folder", {}, "one side is a path and the other holds clips"),
        (lambda f: f[None], lambda f: f[None], {"naming": thgeval.Naming(recursive=True)}, "are of folders"),
        (lambda f: f[None], lambda f: None, {"unpaired": True}, "give the reference too"),
    ],
)
def test_what_evaluate_can_not_take(ours, theirs, more, said, frames):
    with pytest.raises(ProtocolError) as caught:
        thgeval.evaluate(ours(frames), theirs(frames), metrics="cpbd", **more)
    assert said in str(caught.value)
