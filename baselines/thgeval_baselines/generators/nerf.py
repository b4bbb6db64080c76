"""``ref-nerf``: a radiance field of one person, fitted to views from known cameras, moved by curves.

Perspective rays with stratified and fine samples through planes of features, which the face's actions and the turn of
the head move (``radiance``); the background is one static colour. It is rendered at ``PX`` and enlarged to the size
that is wanted. What it can't do: hair's detail, poses and mouths far from those it has seen, what is only on one side
of the face but for a wink and a mouth drawn aside, another camera than the one in front.
"""

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval.errors import InputError
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.curves import ANGLES, Curves, read_curves
from thgeval_baselines.generators.one_thread import one_thread
from thgeval_baselines.generators.ordered import in_order_of
from thgeval_baselines.generators.talking import lacking
from thgeval_baselines.generators.views import looked_at, read_views
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.model import rig
from thgeval_baselines.rig.pose import LIMITS, Pose, skull

PX, STEPS = 96, 2200
ACTIONS = (
    *("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthRollLower"),
    *("mouthSmileLeft", "mouthDimpleLeft", "mouthStretchLeft", "mouthPressLeft"),
    *("mouthLowerDownLeft", "mouthUpperUpLeft", "cheekSquintLeft", "noseSneerLeft"),
    *("eyeBlinkLeft", "eyeBlinkRight", "eyeWideLeft", "eyeSquintLeft"),
    *("eyeLookUpLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "browInnerUp", "browDownLeft"),
)
"""What the field is told of the face; what both sides do, by the left one."""


class Nerf(Generator):
    """Views of a person in, any performance of that person out."""

    id: ClassVar[str] = "ref-nerf"
    paradigm: ClassVar[Paradigm] = Paradigm.NERF
    says: ClassVar[str] = "a radiance field of the person, moved by curves, rendered at 96 px from the front"
    needs: ClassVar[frozenset[str]] = frozenset({"curves", "fit_views"})
    fitting: ClassVar[frozenset[str]] = frozenset({"fit_views"})
    extra: ClassVar[str] = "models"
    version: ClassVar[int] = 2
    steps: ClassVar[int] = STEPS

    def problems(self) -> list[str]:
        """What isn't installed."""
        return lacking({"torch": "models"})

    def fit(self, inputs: Inputs, folder: Path, *, seed: int) -> None:
        """Leaves the field (``field.pt``) and where the head is (``box.json``)."""
        import torch

        from thgeval_baselines.generators.field_fit import train
        from thgeval_baselines.generators.radiance import Box

        if inputs.fit_views is None:
            raise InputError(f"{inputs.item} has no views to fit a radiance field to", reason="fit_views")
        views = read_views(inputs.fit_views, names=ACTIONS, px=PX)
        centre, half = looked_at(views)
        box = Box((float(centre[0]), float(centre[1]), float(centre[2])), 1.15 * half)
        with one_thread():
            field = train(views, box, steps=self.steps, seed=seed)
        torch.save(field.state_dict(), folder / "field.pt")
        (folder / "box.json").write_text(json.dumps({"centre": box.centre, "half": box.half}), encoding="utf-8")

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """The performance of ``curves``, seen from the front; ``depth.png`` is the first frame's depth."""
        if inputs.curves is None or fitted is None:
            raise InputError(f"{inputs.item} has no curves to move the field by", reason="curves")
        curves = read_curves(inputs.curves, fps=inputs.fps, frames=inputs.frames)
        field, box = read_field(fitted)
        with one_thread():
            _, depth = _rendered(field, box, curves, 0)
        return Generated(
            _frames(field, box, curves, inputs.size), fps=inputs.fps, evidence={"depth.png": depth_picture(depth)}
        )


def read_field(fitted: Path) -> tuple[Any, Any]:
    """The ``RadianceField`` and the ``Box`` that a fit has left."""
    import torch

    from thgeval_baselines.generators.radiance import FACE, Box, RadianceField

    where = json.loads((fitted / "box.json").read_text(encoding="utf-8"))
    box = Box(tuple(where["centre"]), where["half"])
    field = RadianceField(len(ACTIONS), FACE.within(box))
    field.load_state_dict(torch.load(fitted / "field.pt", weights_only=True))
    return field, box


def _rendered(field: Any, box: Any, curves: Curves, frame: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    from thgeval_baselines.generators.radiance import picture

    camera, names = Camera(size=(PX, PX)), rig().action_names
    turned = {
        name: float(np.clip(angle, -LIMITS[name], LIMITS[name]))
        for name, angle in zip(ANGLES, curves.angles[frame], strict=True)
    }
    return picture(
        field,
        box,
        intrinsics=camera.intrinsics(),
        camera=camera.pose(),
        skull=skull(Pose(**turned)),
        actions=curves.actions[frame, [names.index(name) for name in ACTIONS]],
        px=PX,
    )


def _frames(field: Any, box: Any, curves: Curves, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    side = max(size)
    top, left = (side - size[0]) // 2, (side - size[1]) // 2
    with one_thread():
        for image, _ in in_order_of(partial(_rendered, field, box, curves), range(len(curves))):
            large = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
            yield np.ascontiguousarray(large[top : top + size[0], left : left + size[1]]).astype(np.uint8)


def depth_picture(depth: NDArray[np.float64]) -> bytes:
    """Depth as PNG: near is light, far is dark, nothing is black."""
    there = np.isfinite(depth)
    shown = np.zeros(depth.shape, np.uint8)
    if there.any():
        near, far = np.percentile(depth[there], [1, 99])
        level = 1 - np.clip((depth[there] - near) / max(far - near, 1e-6), 0, 1)
        shown[there] = np.rint(55 + 200 * level).astype(np.uint8)
    held = io.BytesIO()
    Image.fromarray(shown).save(held, "PNG")
    return held.getvalue()
