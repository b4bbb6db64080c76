"""Pictures of the worst moments: the right ones, as the run decoded them, or a sentence why not."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

import thgeval.report.pictures as pictures
from thgeval.engine.run import Options, evaluate
from thgeval.protocol import Protocol
from thgeval.report import page
from thgeval.results import Run


def clip_files(folder, id, *, shape=(12, 32, 48), seed=0):
    """A grey ramp that brightens by 16 a frame, and the same with a bright square at the left in frame 5."""
    rng = np.random.default_rng(seed)
    reference = np.zeros((*shape, 3), np.uint8) + (16 * np.arange(shape[0], dtype=np.uint8))[:, None, None, None]
    generated = reference + rng.integers(0, 2, reference.shape, dtype=np.uint8)
    generated[5, :, : shape[2] // 3] = 255
    paths = tuple(folder / side / f"{id}.npy" for side in ("gen", "ref"))
    for path, frames in zip(paths, (generated, reference), strict=True):
        path.parent.mkdir(exist_ok=True)
        np.save(path, frames)
    return paths


def likeness(worst):
    return {"likeness": [0.1 if frame == worst else 0.9 - frame / 100 for frame in range(12)]}


def image(element):
    kind, _, content = element.attributes["src"].partition(",")
    assert kind == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB")).astype(float)


def trio(html, clip, frame):
    """The frame that a card is about, from each row of its film."""
    (card,) = [
        card
        for card in html.all("figure", class_="card")
        if (card.attributes["data-clip"], card.attributes["data-frame"]) == (clip, str(frame))
    ]
    numbers = [item for item in html.inside(card, "li") if item.around[-1].tag == "ol"]
    (at,) = [at for at, item in enumerate(numbers) if item.attributes.get("class") == "worst"]
    assert numbers[at].text == str(frame)
    films = [image(element) for element in html.inside(card, "img")]
    return [np.split(film, len(numbers), axis=1)[at] for film in films]


def test_the_worst_frame_is_shown_beside_its_reference_and_error(sketch, read, tmp_path):
    begun = sketch("likeness").clip("a", likeness(5), files=clip_files(tmp_path, "a"))
    html = read(page(Run.read(begun.write()), worst=1))
    generated, reference, error = trio(html, "a", 5)
    assert generated.shape == reference.shape == error.shape == (32, 48, 3)
    assert generated[:, :12].mean() == pytest.approx(255, abs=4)
    assert generated[:, 20:].mean() == pytest.approx(80, abs=4)
    assert reference.mean() == pytest.approx(80, abs=4)
    assert error[:, :12].mean() > 3 * error[:, 20:].mean()
    assert "a, frame 5 (0.20 s)" in html.section("frames")


def test_error_maps_have_one_stated_scale(sketch, read, tmp_path):
    begun = sketch("likeness").clip("a", likeness(5), files=clip_files(tmp_path, "a"))
    assert "0 100 %" in read(page(Run.read(begun.write()), worst=1)).section("frames")
    faint = sketch("likeness").clip("a", likeness(10), files=clip_files(tmp_path, "a"))
    assert "0 2 % or more" in read(page(Run.read(faint.write()), worst=1)).section("frames")


def test_every_file_is_decoded_once_and_no_further_than_needed(sketch, tmp_path, monkeypatch):
    begun = sketch("likeness", "distance")
    distances = {"distance": [float(frame == 2) for frame in range(12)]}
    for id in "ab":
        begun.clip(id, likeness(1) | distances, files=clip_files(tmp_path, id, shape=(24, 32, 48)))
    opened = []
    batches = []

    def counted(clip, **settings):
        opened.append(clip.source)
        decoder = pictures_decode(clip, **settings)
        batches.append(decoder)
        return decoder

    pictures_decode = pictures.decode
    monkeypatch.setattr(pictures, "decode", counted)
    page(Run.read(begun.write()), worst=2)
    assert len(opened) == len(set(opened)) == 4
    assert {decoder.frames for decoder in batches} == {2 * pictures.CHUNK_FRAMES}


def test_frames_are_prepared_as_in_the_run(sketch, read, tmp_path):
    protocol = Protocol(size=16, crop="centre-square")
    begun = sketch("likeness", protocol=protocol).clip("a", likeness(5), files=clip_files(tmp_path, "a"))
    generated, reference, _ = trio(read(page(Run.read(begun.write()), worst=1)), "a", 5)
    assert generated.shape == reference.shape == (16, 16, 3)
    assert generated[:, :3].mean() == pytest.approx(255, abs=6)  # the square ends 8 px into the 32 px of the crop
    assert generated[:, 6:].mean() == pytest.approx(80, abs=6)


def test_generated_frames_of_another_size_are_brought_to_the_references(sketch, read, tmp_path):
    paths = clip_files(tmp_path, "a")
    np.save(paths[0], np.load(paths[0])[:, ::2, ::2])
    protocol = Protocol(sizes="resize-generated")
    begun = sketch("likeness", protocol=protocol).clip("a", likeness(5), files=paths)
    generated, reference, _ = trio(read(page(Run.read(begun.write()), worst=1)), "a", 5)
    assert generated.shape == reference.shape == (32, 48, 3)


def test_large_frames_are_shown_smaller(sketch, read, tmp_path):
    begun = sketch("likeness").clip("a", likeness(5), files=clip_files(tmp_path, "a", shape=(12, 400, 300)))
    html = read(page(Run.read(begun.write()), worst=1))
    assert trio(html, "a", 5)[0].shape == (160, 120, 3)


def test_relative_paths_are_found_beside_the_result_file(sketch, read, tmp_path):
    paths = clip_files(tmp_path, "a")
    begun = sketch("likeness").clip("a", likeness(5), files=paths, generated="gen/a.npy", reference="ref/a.npy")
    assert len(trio(read(page(Run.read(begun.write()), worst=1)), "a", 5)) == 3


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("missing", "The reference file is no longer where the run found it."),
        ("changed", "The reference file has changed since the run."),
        ("memory", "The reference frames were given in memory, not as a file."),
    ],
)
def test_pictures_that_cant_be_shown_are_a_sentence(sketch, read, tmp_path, harm, sentence):
    paths = clip_files(tmp_path, "a")
    record = {"reference": None} if harm == "memory" else {}
    path = sketch("likeness").clip("a", likeness(5), files=paths, **record).write()
    if harm == "missing":
        paths[1].unlink()
    if harm == "changed":
        np.save(paths[1], np.load(paths[1])[::-1])
    html = read(page(Run.read(path)))
    (card, *_) = html.all("figure", class_="card")
    assert sentence in card.text
    assert not html.inside(card, "img")
    assert html.worst_frames("likeness")[0] == "a, frame 5 0.1000"


def test_a_file_that_cant_be_decoded_is_called_by_its_name(sketch, read, tmp_path):
    paths = clip_files(tmp_path, "a")
    paths[0].write_bytes(b"no array at all")
    html = read(page(Run.read(sketch("likeness").clip("a", likeness(5), files=paths).write())))
    (card, *_) = html.all("figure", class_="card")
    assert "a.npy: " in card.text
    assert str(tmp_path) not in html.text


def test_fewer_frames_than_the_run_saw_are_a_sentence(sketch, read, tmp_path):
    files = clip_files(tmp_path, "a", shape=(6, 32, 48))
    html = read(page(Run.read(sketch("likeness").clip("a", likeness(9), files=files).write()), worst=1))
    assert "The file holds fewer frames than the run saw." in html.section("frames")


def test_pictures_of_pure_noise_stay_within_their_share_of_the_page():
    noise = np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    limit = pictures.BYTES // (3 * 60)
    content = base64.b64decode(pictures._address(noise, limit).partition(",")[2])
    assert len(content) <= limit
    plain = base64.b64decode(pictures._address(noise[:, :1].repeat(256, 1), 1 << 20).partition(",")[2])
    assert Image.open(io.BytesIO(plain)).size == (256, 256)


def test_a_real_run_is_reported_from_scores_to_pictures(read, tmp_path):
    """Frames 4 and 7 of one clip are spoilt, 7 worse; frame 2 is exact, so it has no PSNR."""
    rng = np.random.default_rng(2)
    for id in ("a", "b"):
        reference = rng.integers(40, 200, (10, 24, 24, 3), dtype=np.uint8)
        generated = reference + rng.integers(1, 3, reference.shape, dtype=np.uint8)
        generated[2] = reference[2]
        if id == "b":
            generated[4] += 20
            generated[7] += 40
        for side, frames in (("gen", generated), ("ref", reference)):
            (tmp_path / side).mkdir(exist_ok=True)
            np.save(tmp_path / side / f"{id}.npy", frames)
    path = tmp_path / "run.json"
    evaluate(tmp_path / "gen", tmp_path / "ref", metrics=["psnr", "l1"], options=Options(out=path)).write(path)
    html = read(page(Run.read(path), worst=2))
    for key in ("psnr", "l1"):
        assert [line.rsplit(" ", 1 + (key == "psnr"))[0] for line in html.worst_frames(key)[:2]] == [
            "b, frame 7",
            "b, frame 4",
        ]
    assert "2 frames: identical (2)" in html.metric_row("psnr")
    generated, reference, _ = trio(html, "b", 7)
    assert generated.mean() - reference.mean() == pytest.approx(41.5, abs=4)
