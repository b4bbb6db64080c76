"""Folders of clips as the command line reads them, and the same clips as tensors."""

import numpy as np
import pytest

CLIPS, FRAMES, SIDE = ("a", "b", "c"), 8, 68
DIMENSIONS = 7


@pytest.fixture(scope="session")
def clips():
    """Three pairs of clips as uint8 (clips, frames, height, width, 3), generated and reference."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(30, 220, (3, FRAMES, SIDE // 4 + 1, SIDE // 4 + 1, 3))
    coarse[:, 1:] = coarse[:, :1] + rng.integers(-8, 9, coarse[:, 1:].shape)
    reference = coarse.repeat(4, axis=2).repeat(4, axis=3)[:, :, :SIDE, : SIDE + 3]
    noise = rng.integers(-12, 13, reference.shape) * np.array([1, 2, 3]).reshape(3, 1, 1, 1, 1)
    generated = np.clip(reference + noise, 0, 255)
    generated[0, 0] = np.clip(reference[0, 0], 0, 255)  # one frame is a copy
    return generated.astype(np.uint8), np.clip(reference, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def arrays():
    """What users measured of both sides, by name: (clips, frames, ...)."""
    rng = np.random.default_rng(4)

    def side():
        return {
            "size_px": np.array([SIDE + 3, SIDE]),
            "landmarks_px": rng.uniform(5, SIDE - 5, (3, FRAMES, 68, 2)),
            "keypoints_px": rng.uniform(0, SIDE, (3, FRAMES, 18, 2)),
            "pose_deg": rng.normal(0, 9, (3, FRAMES, 3)),
            "embeddings": rng.normal(size=(3, FRAMES, DIMENSIONS)),
            "expression": rng.normal(size=(3, FRAMES, DIMENSIONS)),
            "vertices": rng.normal(size=(3, FRAMES, 9, 3)),
            "au_presence": rng.integers(0, 2, (3, FRAMES, 18)),
            "au_intensity": rng.uniform(0, 5, (3, FRAMES, 17)),
        }

    generated, reference = side(), side()
    generated["embeddings"][1, 2] = generated["landmarks_px"][1, 2] = np.nan  # no face in a frame
    generated["keypoints_px"][0, 1, 3] = -1  # a joint that is not there
    return generated, reference


@pytest.fixture(scope="session")
def folders(clips, arrays, tmp_path_factory):
    """The same as folders of clips with files beside them."""
    root = tmp_path_factory.mktemp("clips")
    for name, frames, held in zip(("generated", "reference"), clips, arrays, strict=True):
        (root / name).mkdir()
        for index, clip in enumerate(CLIPS):
            np.save(root / name / f"{clip}.npy", frames[index])
            own = {key: value if key == "size_px" else value[index] for key, value in held.items()}
            np.savez(root / name / f"{clip}.faces.npz", **own)
            rows = dict.fromkeys(("audio", "video", "joint"), held["embeddings"][(index + 1) % 3])
            rows = {part: np.nan_to_num(values) for part, values in rows.items()}
            np.savez(root / name / f"{clip}.avhubert.npz", **rows, model="some-rows")
            np.savez(root / name / f"{clip}.lipreader.npz", video=rows["video"], model="some-rows")
    return root / "generated", root / "reference"
