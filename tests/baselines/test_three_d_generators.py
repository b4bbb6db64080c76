"""``ref-3d``, ``ref-parameter`` and ``ref-anim3d``: what drives them is what is seen in the video that is written."""

import csv
import io
import json
import struct
from fractions import Fraction

import numpy as np
import pytest
from support.driven import FRAMES, JAW, put_all

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decode
from thgeval.media.encode import write_video
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.anim3d import Anim3D
from thgeval_baselines.generators.curves import read_curves
from thgeval_baselines.generators.parameter import Parameter
from thgeval_baselines.generators.three_d import ThreeD
from thgeval_baselines.photo.given import fitting, landmarks_in
from thgeval_baselines.rig.acting import acted
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.gltf import glb
from thgeval_baselines.rig.model import rig
from thgeval_baselines.rig.people import Person
from thgeval_baselines.rig.pose import Pose, posed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("driven")
    put_all(place)
    return place


def inputs(folder, **given):
    return Inputs("item", frames=given.pop("frames", FRAMES), **{name: folder / file for name, file in given.items()})


def frames_of(generator, given, seed=1):
    return np.stack(list(generator.generate(given, seed=seed, fitted=None).frames))


def lips_in(path):
    """The gap of the lips in every frame of a video as dlib reads it, in px."""
    with decode(Clip(path.stem, path), chunk=32) as batches:
        marks = [landmarks_in(frame) for batch in batches for frame in batch.new]
    return np.array([found[66, 1] - found[62, 1] for found in marks])


@pytest.mark.parametrize(
    ("generator", "source"),
    [(Parameter(), "photo.png"), (Parameter(), "rigged.png"), (ThreeD(), "photo.png"), (Anim3D(), "photo.png")],
    ids=lambda each: getattr(each, "id", each),
)
def test_lips_in_the_encoded_video_follow_the_jaw(folder, tmp_path, generator, source):
    made = generator.generate(inputs(folder, source_image=source, curves="jaw.npz"), seed=8, fitted=None)
    write_video(tmp_path / "made.mp4", made.frames, fps=made.fps, crf=18)
    assert np.corrcoef(lips_in(tmp_path / "made.mp4"), JAW)[0, 1] >= 0.9


@pytest.mark.parametrize("generator", [ThreeD(), Anim3D()], ids=lambda each: each.id)
def test_speech_moves_the_mouth_and_the_same_seed_moves_it_the_same(folder, generator):
    pytest.importorskip("pocketsphinx")
    given = inputs(folder, source_image="photo.png", audio="speech.wav", frames=12)
    first, again, other = (frames_of(generator, given, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.abs(np.diff(first.astype(int), axis=0)).max() > 30


def test_a_driving_video_is_taken_over_from_how_it_begins(folder, tmp_path):
    person = Person.of(8)
    shots = []
    for jaw, yaw in zip(JAW, np.linspace(0, 14, FRAMES), strict=True):
        face = posed(rig().acting(person.neutral, {"jawOpen": float(jaw)}), Pose(yaw=float(yaw)))
        shots.append(person.shot(face, Camera()).image)
    write_video(tmp_path / "driving.mp4", shots, fps=Fraction(25), crf=12)
    given = Inputs("item", frames=FRAMES, source_image=folder / "photo.png", driving_video=tmp_path / "driving.mp4")
    made = frames_of(ThreeD(), given)
    marks = np.array([landmarks_in(frame) for frame in made])
    assert np.corrcoef(marks[:, 66, 1] - marks[:, 62, 1], JAW)[0, 1] >= 0.85
    nose = marks[:, 30, 0] - marks[:, [36, 45], 0].mean(axis=1)
    assert nose[-1] - nose[0] > 4


def test_head_angles_turn_the_portrait_from_its_own_pose(folder, tmp_path):
    np.savez(tmp_path / "turn.npz", yaw=np.linspace(30, 45, FRAMES), jawOpen=np.zeros(FRAMES))
    given = Inputs("item", frames=FRAMES, source_image=folder / "photo.png", curves=tmp_path / "turn.npz")
    made = frames_of(Parameter(), given)
    marks = np.array([landmarks_in(frame) for frame in (made[0], made[-1])])
    nose = marks[:, 30, 0] - marks[:, [36, 45], 0].mean(axis=1)
    assert abs(nose[0]) < 4
    assert nose[1] - nose[0] > 4


def test_units_of_openface_drive_actions_at_the_rate_of_the_file(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text("frame, AU12_r, AU26_r, confidence\n1, 0, 5, 1\n2, 2.5, 0, 1\n")
    found = read_curves(path, fps=Fraction(25), frames=3)
    index = rig().action_names.index
    assert found.actions[:, index("mouthSmileLeft")] == pytest.approx([0, 0.5, 0.5])
    assert found.actions[:, index("jawOpen")] == pytest.approx([1, 0, 0])
    assert found.given.sum() == 3
    np.savez(tmp_path / "slow.npz", jawOpen=[0.0, 1.0, 0.0], fps=12.5)
    assert len(read_curves(tmp_path / "slow.npz", fps=Fraction(25), frames=None)) == 6


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", b"", "has no column with the name of an action"),
        ("none.csv", b"frame,time\n1,2\n", "has no column with the name of an action"),
        ("words.csv", b"jawOpen\nwide\n", "is no table of curves"),
        ("wide.csv", b"jawOpen\n1.5\n", "jawOpen leaves its range"),
        ("hole.csv", b"jawOpen,yaw\n0.5\n", "an angle is not a number"),
        ("zip.npz", b"PK\x03\x04 not a zip", "is no table of curves"),
    ],
)
def test_bad_curves_are_refused_with_their_reason(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says) as refused:
        read_curves(tmp_path / name, fps=Fraction(25), frames=None)
    assert refused.value.reason == "bad curves"


def test_a_portrait_of_nobody_is_refused(folder):
    with pytest.raises(InputError, match=r"no face is found in nobody\.png, give a picture") as refused:
        Parameter().generate(inputs(folder, source_image="nobody.png", curves="jaw.npz"), seed=0, fitted=None)
    assert refused.value.reason == "no face"


@pytest.mark.parametrize("generator", [ThreeD(), Anim3D()], ids=lambda each: each.id)
def test_nothing_to_do_is_refused(folder, generator):
    with pytest.raises(InputError, match="has nothing to"):
        generator.generate(inputs(folder, source_image="photo.png"), seed=0, fitted=None)


def test_a_wide_picture_is_cut_in_the_middle():
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, 100:200] = 255
    assert np.array_equal(fitting(picture, (50, 50)), np.full((50, 50, 3), 255, np.uint8))


def read_glb(content):
    """The document and the binary of a ``.glb``, by the specification alone."""
    magic, version, length = struct.unpack("<III", content[:12])
    assert (magic, version, length) == (0x46546C67, 2, len(content))
    size = struct.unpack("<I", content[12:16])[0]
    assert content[16:20] == b"JSON"
    rest = content[20 + size :]
    assert rest[4:8] == b"BIN\0"
    return json.loads(content[20 : 20 + size]), rest[8:]


def read_accessor(document, binary, number):
    about = document["accessors"][number]
    kind = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[about["type"]]

    def view(at, component, count):
        held = document["bufferViews"][at]
        assert held["byteOffset"] % 4 == 0
        return np.frombuffer(binary, kind[component], count, held["byteOffset"])

    if "sparse" not in about:
        return view(about["bufferView"], about["componentType"], about["count"] * width).reshape(-1, width)
    whole, sparse = np.zeros((about["count"], width), np.float32), about["sparse"]
    at = view(sparse["indices"]["bufferView"], sparse["indices"]["componentType"], sparse["count"])
    assert np.all(np.diff(at.astype(int)) > 0)
    whole[at] = view(sparse["values"]["bufferView"], 5126, sparse["count"] * width).reshape(-1, width)
    return whole


def test_the_gltf_head_does_what_the_rig_does():
    person = Person.of(11)
    acting = acted({"jawOpen": JAW}, frames=FRAMES, fps=25, seed=5)
    document, binary = read_glb(glb(person, acting, fps=25))
    primitive = document["meshes"][0]["primitives"][0]
    assert document["meshes"][0]["extras"]["targetNames"] == list(rig().action_names)
    points = read_accessor(document, binary, primitive["attributes"]["POSITION"])
    bones = read_accessor(document, binary, primitive["attributes"]["WEIGHTS_0"])
    assert bones.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert read_accessor(document, binary, primitive["indices"]).max() == len(points) - 1
    sampled = [read_accessor(document, binary, each["output"]) for each in document["animations"][0]["samplers"]]
    weights, neck, skull = sampled[0].reshape(FRAMES, 52), sampled[1], sampled[2]
    targets = [read_accessor(document, binary, target["POSITION"]) for target in primitive["targets"]]
    frame = 7
    moved = points + np.tensordot(weights[frame], np.array(targets), axes=1)
    placed = skinned(document, moved, bones, neck[frame], skull[frame])
    expected = acting.face(person.neutral, frame)[rig().drawn]
    off = np.linalg.norm(placed[: len(expected)] - expected, axis=1)
    in_skull = bones[: len(expected), 2] == 1
    assert off[in_skull].max() < 1e-4
    assert off.max() < 0.03


def skinned(document, points, bones, neck, skull):
    """Points under the two joints of the neck, in the rig's unit."""
    base = np.array(document["nodes"][2]["translation"])
    top = base + np.array(document["nodes"][3]["translation"])

    def rotation(x, y, z, w):
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )

    at_neck = (points - base) @ rotation(*neck).T + base
    nodded = (points - top) @ rotation(*skull).T + top
    at_skull = (nodded - base) @ rotation(*neck).T + base
    return bones[:, :1] * points + bones[:, 1:2] * at_neck + bones[:, 2:3] * at_skull


def test_the_table_of_curves_drives_the_same_again(folder, tmp_path):
    given = inputs(folder, curves="jaw.npz")
    made = Anim3D().generate(given, seed=3, fitted=None)
    rows = list(csv.DictReader(io.StringIO(made.evidence["curves.csv"].decode())))
    assert [float(row["jawOpen"]) for row in rows] == pytest.approx(JAW, abs=1e-4)
    (tmp_path / "again.csv").write_bytes(made.evidence["curves.csv"])
    again = read_curves(tmp_path / "again.csv", fps=Fraction(25), frames=FRAMES)
    assert again.given.all()
    assert set(made.evidence) == {"head.glb", "curves.csv"}


def test_what_is_spoken_leaves_its_sounds_and_their_times():
    pytest.importorskip("espeakng_loader")
    evidence = Anim3D().generate(Inputs("item", text="Map."), seed=3, fitted=None).evidence
    begins = [float(line.split(",")[0]) for line in evidence["phones.csv"].decode().splitlines()]
    assert len(begins) >= 3
    assert begins == sorted(begins)
