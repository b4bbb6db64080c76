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
    "clips": (lambda f: [f, f], "score each clip of a batch by itself"),
    "batch": (lambda f: f[None], "score each clip of a batch by itself"),
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
