"""Every training object against the command line's number on the same clips."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from scipy.io import wavfile
from training.conftest import CLIPS

import thgeval
from thgeval import registry, training
from thgeval.engine.execution import execute, protocol_of
from thgeval.engine.job import Watcher
from thgeval.errors import MissingExtra, ThgevalError, UnmetNeed, WeightsError
from thgeval.features.faces import lips
from thgeval.features.sync import sync_lm
from thgeval.kernels import mel
from thgeval.metrics import METRICS
from thgeval.pairing import Pairing, pair
from thgeval.training.objects import CLASSES, metric_of

FRAMES = (
    *("psnr", "psnr/grey", "psnr/pooled", "psnr/cap100", "psnr/talklip", "l1", "l1-255", "l1-255/uint8-wrap", "mse"),
    *("ssim", "ssim/skimage-rgb", "ssim/wang-downsample", "ms-ssim:window=3", "fsim", "fsimc", "cpbd"),
    *(
        "f-mse",
        "f-mse/diffused-heads",
        "ofm",
        "temporal-warp-error",
        "fid-random",
        "prdc-random",
        "fvd-random:length=8",
    ),
)
HANDED = {
    "lmd:landmarks=npz": "landmarks_px",
    "f-lmd:landmarks=npz,scale=interocular": "landmarks_px",
    "m-lmd:landmarks=npz": "landmarks_px",
    "lvd:landmarks=npz": "landmarks_px",
    "akd:landmarks=npz": "landmarks_px",
    "mouth-amplitude:landmarks=npz": "landmarks_px",
    "mouth-correlation:landmarks=npz": "landmarks_px",
    "mkr": "keypoints_px",
    "csim:network=npz": "embeddings",
    "f-sim:network=npz": "embeddings",
    "aed-euclid:network=npz": "embeddings",
    "id-consistency:network=npz": "embeddings",
    "prmse:estimator=npz": "pose_deg",
    "apd:estimator=npz": "pose_deg",
    "aed-3dmm:source=npz": "expression",
    "avd:model=npz": "vertices",
    "e-fid:source=npz": "expression",
    "aucon:source=npz": ("au_presence", "au_intensity"),
    "aue:source=npz": ("au_presence", "au_intensity"),
}


@pytest.fixture(scope="module")
def command_line(folders):
    """The run of everything on the folders."""
    options = thgeval.Options(workers=1)
    return thgeval.evaluate(*folders, metrics=[*FRAMES, *HANDED], options=options)


def made(request, **how):
    key, metric = registry.metric(request)
    return metric_of(metric.name)(**metric.settings(), **how), key


def tensors(clips):
    return [torch.from_numpy(side).permute(0, 1, 4, 2, 3) for side in clips]


def same(score, other):
    assert score.value == other.value
    assert score.interval == other.interval
    assert score.protocol_part == other.protocol_part
    assert (score.clips, score.frames, score.left_out) == (other.clips, other.frames, other.left_out)
    assert score.frames_left_out == other.frames_left_out
    assert score.reference == other.reference


@pytest.mark.parametrize("request_", FRAMES)
def test_frames_with_names_score_as_files_do_to_the_last_bit(request_, clips, command_line):
    metric, key = made(request_)
    generated, reference = tensors(clips)
    for index in (2, 0, 1):
        metric.update(generated[index : index + 1], reference[index : index + 1], clips=[CLIPS[index]])
    same(metric.result()[key], command_line[key])
    assert metric.compute().item() == pytest.approx(command_line[key].value, rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize("request_", FRAMES)
def test_frames_without_names_score_the_same(request_, clips, command_line):
    metric, key = made(request_)
    metric.update(*tensors(clips))
    right = command_line[key].value
    assert metric.compute().item() == pytest.approx(right, rel=3e-16)
    found = metric.result()[key]
    assert (found.value, found.interval, found.clips) == (metric.compute().item(), None, 3)
    assert "no names" in found.interval_note


@pytest.mark.parametrize("request_", HANDED)
def test_what_was_measured_elsewhere_scores_as_files_of_it_do(request_, arrays, command_line):
    metric, key = made(request_, size_px=tuple(arrays[0]["size_px"]) if "landmarks" in request_ else None)
    names = HANDED[request_]
    needs_both = registry.metric(request_).metric.needs.a_reference
    sides = [
        torch.from_numpy(side[names])
        if isinstance(names, str)
        else {name: torch.from_numpy(side[name]) for name in names}
        for side in arrays
    ]
    metric.update(*(sides if needs_both or "id-consistency" in request_ else sides[:1]), clips=CLIPS)
    same(metric.result()[key], command_line[key])


@pytest.mark.parametrize("name", ["avs-u", "avs-m", "avs-v", "lip-score"])
def test_rows_of_lip_readers(name, folders):
    right = thgeval.evaluate(*folders, metrics=[name])[name]
    metric, _ = made(name, features="some-rows")
    kind, parts = ("lipreader", ("video",)) if name == "lip-score" else ("avhubert", ("audio", "video", "joint"))
    sides = [[dict(np.load(folder / f"{clip}.{kind}.npz")) for clip in CLIPS] for folder in folders]
    stacked = [{part: torch.from_numpy(np.stack([clip[part] for clip in side])) for part in parts} for side in sides]
    metric.update(*stacked, clips=CLIPS)
    same(metric.result()[name], right)
    assert "under:some-rows" in metric.result()[name].signature


@pytest.mark.parametrize("name", ["sync-conf", "lse-d", "av-offset"])
def test_embeddings_of_syncnet(name):
    from thgeval.features.sync.offsets import aligned

    rng = np.random.default_rng(0)
    seen = rng.normal(size=(40, 9)).astype(np.float32)
    heard = np.roll(seen, 2, axis=0) + rng.normal(0, 0.3, seen.shape).astype(np.float32)
    metric, key = made(name, features="syncnet-mine")
    metric.update({"seen": torch.from_numpy(seen), "heard": torch.from_numpy(heard)}, clips="a")
    right = aligned(seen=seen, heard=heard, furthest=15)
    expected = {"sync-conf": right.confidence, "lse-d": right.distance, "av-offset": right.offset}[name]
    assert metric.compute().item() == pytest.approx(expected, rel=1e-12)
    assert "given-syncnet-mine" in metric.result()[key].signature


EYE = np.array([(0, 0), (3, -2), (7, -2), (10, 0), (7, 2), (3, 2)])
"""Corners and lids, in px."""
SYNC_LM = ("sync-lm-conf", "sync-lm-dist", "sync-lm-offset")


@pytest.fixture(scope="module")
def speakers(tmp_path_factory):
    """Clips with landmarks and sound beside them, and what the network of landmarks and speech makes of either."""
    folder, embedded = tmp_path_factory.mktemp("speakers"), {}
    for number, clip in enumerate(CLIPS):
        drawn = np.random.default_rng(number)
        steps = 1.5 * drawn.normal(size=(75 + 5 * number, 68, 2))
        points = 40 + 3 * drawn.uniform(-5, 5, (68, 2)) + np.cumsum(steps, axis=0) * 0.2
        for eye in (36, 42):  # open, but for two blinks
            points[:, eye : eye + 6] = points[:, eye : eye + 1] + EYE
            for blink in (12, 45):
                points[blink : blink + 4, eye : eye + 6, 1] = points[blink : blink + 4, eye : eye + 1, 1]
        points[30:33] = np.nan  # no face in three frames
        loud = np.repeat(drawn.uniform(0, 1, 3 * 25), 640) * drawn.normal(size=3 * 16000)
        samples = (4000 * loud).clip(-32768, 32767).astype(np.int16)
        np.savez(folder / f"{clip}.npz", frames=np.zeros((len(points), 80, 80, 3), np.uint8), fps=25)
        np.savez(folder / f"{clip}.faces.npz", landmarks_px=points, size_px=np.array([80, 80]))
        wavfile.write(folder / f"{clip}.wav", 16000, samples)
        embedded[clip] = sides_of(points, samples.astype(np.float32) / 32768)
    return folder, embedded


def sides_of(points, samples):
    """What is seen and heard of one person, NaN where nobody is seen: (windows, dimensions) each."""
    moving = lips.lips(points, np.arange(len(points)) / 25)
    seen = sync_lm.embedded(moving.rows, sync_lm.towers(), sync_lm.LIP_LAYERS)
    heard = sync_lm.embedded(sync_lm.voice_rows(mel.log_mel(samples)), sync_lm.towers(), sync_lm.VOICE_LAYERS)
    windows = min(len(seen), len(heard))
    return {"seen": np.where(moving.seen[:windows, None], seen[:windows], np.nan), "heard": heard[:windows]}


def test_embeddings_of_landmarks_and_speech(speakers):
    folder, embedded = speakers
    pairs = tuple(pair(clip, folder / f"{clip}.npz", None, folder / f"{clip}.wav") for clip in embedded)
    names = [f"{name}:landmarks=npz" for name in SYNC_LM]
    right = execute(Pairing(pairs, ()), names, protocol_of("native"), thgeval.Options(workers=1), Watcher())
    for name in SYNC_LM:
        metric, key = made(name, features="mine")
        for clip, sides in embedded.items():
            metric.update({side: torch.from_numpy(rows) for side, rows in sides.items()}, clips=clip)
        score, found = right[f"{name}:landmarks=npz"], metric.result()[key]
        assert found.clips == score.clips == 3
        assert (found.value, *found.interval) == pytest.approx((score.value, *score.interval), rel=1e-9)


@pytest.mark.parametrize("request_", ["blinks-per-s:landmarks=npz", "blink-duration:landmarks=npz"])
def test_blinks_of_landmarks(request_, speakers):
    folder, _ = speakers
    right = thgeval.evaluate(folder, metrics=[request_])
    metric, key = made(request_, size_px=(80, 80), fps=25)
    for clip in CLIPS:
        points = np.load(folder / f"{clip}.faces.npz")["landmarks_px"]
        metric.update(torch.from_numpy(points), clips=clip)
    assert right[key].value > 0
    same(metric.result()[key], right[key])


@pytest.mark.parametrize("name", ["fid", "kid", "prdc", "fvd"])
def test_rows_of_another_network(name):
    from thgeval.kernels import frechet, kid, prdc

    rng = np.random.default_rng(0)
    generated, reference = rng.normal(size=(30, 4)).astype(np.float32), rng.normal(size=(36, 4)).astype(np.float32)
    metric, key = made(name, features="dino")
    metric.update(torch.from_numpy(generated[:10]), torch.from_numpy(reference[:16]))
    metric.update(torch.from_numpy(generated[10:]), torch.from_numpy(reference[16:]))
    right = {
        "fid": lambda: frechet.distance(generated, reference, ddof=1),
        "fvd": lambda: registry.metric("fvd").metric.comparison.compared(*rows(generated, reference)),
        "kid": lambda: kid.distance(generated, reference).mean,
        "prdc": lambda: prdc.scores(generated, reference, nearest=5).coverage,
    }[name]()
    assert metric.compute().item() == pytest.approx(right, rel=1e-12)
    found = metric.result()[key]
    assert "given-dino" in found.protocol_part
    assert "pairs:none" in found.protocol_part


def rows(*sides):
    from thgeval.states.stacked import RowMatrix

    return [RowMatrix.of(side) for side in sides]


def test_a_network_makes_the_rows():
    images = torch.rand(2, 12, 3, 8, 8)
    through = made("fid", features="means", extract=lambda shown: shown.flatten(2).mean(2), data_range=1.0)[0]
    through.update(*images)
    direct = made("fid", features="means")[0]
    direct.update(*(side.flatten(2).mean(2) for side in images))
    assert through.compute() == direct.compute()


def test_every_metric_has_an_object_or_a_sentence():
    for class_name, name in CLASSES.items():
        cls = getattr(training, class_name)
        assert (cls.__name__, cls.key_name) == (class_name, name)
        refusals = []
        for how in (
            {},
            {"features": "x"},
            *({field: "npz"} for field in ("landmarks", "network", "source", "estimator", "model")),
        ):
            try:
                assert cls(**how).named.metric.name == name
                break
            except ThgevalError as error:
                refusals.append(error)
        else:
            lacks = any(isinstance(error, WeightsError | MissingExtra) for error in refusals)
            assert lacks or any(isinstance(error, UnmetNeed) for error in refusals), name
            assert lacks or name in WITHOUT


OF_FILES = "rtf ttff peak-memory weights-size video-fps fps lve mve fdd mod mtm slcc pbas id cd we"
OF_SOUND = "desync sync-envelope lip-sync-theval silent-lip-stability wer cer"
OF_NETWORKS = [
    "clipsim q-align-iqa q-align-ase emotion-accuracy",
    "global-aesthetics-theval mouth-quality-theval face-quality-theval",
    "valence-rmse arousal-rmse valence-sagr arousal-sagr valence-ccc arousal-ccc",
    "subject-consistency-vbench background-consistency-vbench motion-smoothness-vbench dynamic-degree-vbench",
    "aesthetic-quality-vbench imaging-quality-vbench",
]
WITHOUT = set(" ".join([OF_FILES, OF_SOUND, *OF_NETWORKS]).split())
"""What rests on files, sound or texts that no array stands for."""


def test_the_table_is_the_registry():
    assert sorted(CLASSES.values()) == sorted(METRICS)
