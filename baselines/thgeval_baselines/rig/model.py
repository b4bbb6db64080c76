"""The rigged head: a neutral mesh, 52 actions under their ARKit names, and 231 shapes that make people of it.

Its file, ``head_rig.npz``, is made by ``baselines/rigging/make_head_rig.py`` from public-domain (CC0 1.0) data; nobody
was measured for it. Conventions: decimetres, x to the person's left, y up, z to the viewer, the origin where the skull
sits on the neck.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError

Points = NDArray[np.float64]

_LIDS = {"eyeBlinkRight": {37: 41, 38: 40}, "eyeBlinkLeft": {43: 47, 44: 46}}
"""Landmarks of an upper lid and those of the lower one that they meet."""

MOST = 0.45
"""The largest weight of a local shape in a person who is drawn from a seed."""


@dataclass(frozen=True, eq=False)
class Rig:
    """The head as the file has it.

    ``vertices`` (V, 3) dm; ``drawn`` (R,) vertex of each corner of the surface, ``uv`` (R, 2) in [0, 1] its place in
    the texture, ``part`` (R,) its index into ``parts``; ``triangles`` (F, 3) of corners; ``regions`` (V, 4) in [0, 1]:
    lips, inside of the mouth, eyelids, ears; ``eyes`` (2, 72) vertices of both eyeballs; ``landmarks`` (68,) vertices;
    ``actions`` (52, V, 3) and ``shapes`` (231, V, 3) dm, named by ``action_names`` and ``shape_names``.
    """

    vertices: Points
    drawn: NDArray[np.intp]
    uv: Points
    part: NDArray[np.intp]
    parts: tuple[str, ...]
    triangles: NDArray[np.int32]
    regions: Points
    eyes: NDArray[np.intp]
    landmarks: NDArray[np.intp]
    action_names: tuple[str, ...]
    actions: NDArray[np.float32]
    shape_names: tuple[str, ...]
    shapes: NDArray[np.float32]

    def shaped(self, weights: Mapping[str, float]) -> Points:
        """The neutral face (V, 3) of a person with these weights by the names of shapes; others are 0.

        Raises ``ProtocolError`` for a name that no shape has.
        """
        return self.vertices + _sum(weights, self.shape_names, self.shapes, "shape")

    def acting(self, neutral: Points, weights: Mapping[str, float]) -> Points:
        """A person's face (V, 3) with these weights of actions by their ARKit names, 0 to 1; others are 0.

        Raises ``ProtocolError`` for a name that no action has, or a weight outside [0, 1].
        """
        for name, weight in weights.items():
            if not 0 <= weight <= 1:
                raise ProtocolError(f"the action {name} is {weight}, choose a value in [0, 1]")
        reach = dict(zip(self.action_names, self.reach(neutral), strict=True))
        reaching = {name: weight * reach.get(name, 1.0) for name, weight in weights.items()}
        return neutral + _sum(reaching, self.action_names, self.actions, "action")

    def reach(self, neutral: Points) -> NDArray[np.float64]:
        """How far each action goes on this face, (52,): 1, but a blink goes as far as the lower lid and no further.

        The actions were made on one face. On a narrower eye a whole blink would push the upper lid through the lower.
        """
        reach = np.ones(len(self.actions))
        for name, pairs in _LIDS.items():
            upper, lower = self.landmarks[list(pairs)], self.landmarks[list(pairs.values())]
            blink = self.action_names.index(name)
            closing = self.actions[blink][lower, 1] - self.actions[blink][upper, 1]
            reach[blink] = np.mean(neutral[upper, 1] - neutral[lower, 1]) / np.mean(closing)
        return reach

    def performed(self, neutral: Points, curves: NDArray[np.float64]) -> NDArray[np.float32]:
        """A person's face over time (frames, V, 3), from curves (frames, 52) in [0, 1], in the order of the names.

        Raises ``ProtocolError`` for another shape, for a value outside [0, 1], or for one that is not a number.
        """
        if curves.ndim != 2 or curves.shape[1] != len(self.action_names):
            raise ProtocolError(f"curves have shape {curves.shape}, give (frames, {len(self.action_names)})")
        if not np.all((curves >= 0) & (curves <= 1)):
            raise ProtocolError("a curve leaves [0, 1], cut it to that range")
        reaching = (curves * self.reach(neutral)).astype(np.float32)
        faces = np.repeat(neutral.astype(np.float32)[None], len(curves), axis=0)
        for face, weights in zip(faces, reaching, strict=True):
            for action in np.flatnonzero(weights):
                face += weights[action] * self.actions[action]
        return faces


def _sum(
    weights: Mapping[str, float], names: tuple[str, ...], moves: NDArray[np.float32], kind: str
) -> NDArray[np.float32]:
    unknown = sorted(set(weights) - set(names))
    if unknown:
        raise ProtocolError(f"no {kind} is named {unknown[0]}, choose one of {', '.join(names[:3])} ...")
    total = np.zeros(moves.shape[1:], np.float32)
    for name, weight in weights.items():
        total += np.float32(weight) * moves[names.index(name)]
    return total


@cache
def rig() -> Rig:
    """The head that the package brings."""
    path = resources.files("thgeval_baselines.rig").joinpath("head_rig.npz")
    with resources.as_file(path) as file, np.load(file) as stored:
        arrays = {name: stored[name] for name in stored.files}
    names = tuple(str(name) for name in arrays["names"])
    moves = _unpacked(arrays, len(arrays["vertices"]))
    actions = sum("/" not in name for name in names)
    return Rig(
        vertices=arrays["vertices"] / 1e4,
        drawn=arrays["drawn"].astype(np.intp),
        uv=arrays["uv"] / 65535,
        part=arrays["part"].astype(np.intp),
        parts=tuple(str(part) for part in arrays["parts"]),
        triangles=arrays["triangles"].astype(np.int32),
        regions=arrays["regions"] / 255,
        eyes=arrays["eyes"].astype(np.intp),
        landmarks=arrays["landmarks"].astype(np.intp),
        action_names=names[:actions],
        actions=moves[:actions],
        shape_names=names[actions:],
        shapes=moves[actions:],
    )


def _unpacked(arrays: Mapping[str, NDArray[np.generic]], vertices: int) -> NDArray[np.float32]:
    """The moves (names, V, 3) in dm that the file holds vertex by vertex."""
    ends = np.asarray(arrays["ends"], np.int64)
    steps, by = np.asarray(arrays["steps"], np.int64), np.asarray(arrays["moves"], np.float32) / np.float32(1e3)
    moves = np.zeros((len(ends), vertices, 3), np.float32)
    for number, (begin, end) in enumerate(zip(np.concatenate([[0], ends]), ends, strict=False)):
        moves[number, np.cumsum(steps[begin:end])] = by[begin:end]
    return moves


def person(seed: int) -> dict[str, float]:
    """Weights of shapes that make one person, who is nobody, of a seed: the same for the same seed.

    Sex, age and population are drawn as a mixture; then one local shape in four is used, at most to ``MOST``.
    """
    rng = np.random.default_rng(seed)
    mixture = rng.dirichlet([0.6, 0.6, 0.6])
    weights = {f"population/{name}": float(share) for name, share in zip(_POPULATIONS, mixture, strict=True)}
    weights |= {"population/sex": float(rng.uniform(-1, 1)), "population/age": float(0.6 * rng.beta(1, 2))}
    for name in (name for name in rig().shape_names if not name.startswith("population/")):
        drawn, used = abs(rng.normal(0, 0.18)), rng.random() < 0.25
        if used:
            weights[name] = float(min(drawn, MOST))
    return weights


_POPULATIONS = ("african", "asian", "caucasian")
