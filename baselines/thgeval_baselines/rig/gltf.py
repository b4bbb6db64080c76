"""The rigged head as glTF 2.0 (``.glb``): mesh, colours, morph targets, a neck that bends, and what it does over time.

Targets are named as the actions are (``extras.targetNames``, as Blender and three.js read them) and stored sparsely.
The neck is two joints under the shoulders, which bend the skin by the rig's own shares, blended linearly; the rig
itself turns each vertex along an arc, so that between skull and shoulders a viewer's neck may differ by a millimetre.

Source: The Khronos Group, "glTF 2.0 Specification", 2021. Lengths there are metres.
"""

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.rig import eyeballs
from thgeval_baselines.rig.acting import Acting
from thgeval_baselines.rig.colours import TEXTURE_PX
from thgeval_baselines.rig.eyeballs import Eyeballs
from thgeval_baselines.rig.model import Points, rig
from thgeval_baselines.rig.people import Person
from thgeval_baselines.rig.picture import normals_of
from thgeval_baselines.rig.pose import NECK, shares

GLB, JSON, BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
BYTE, SHORT, INT, FLOAT = 5121, 5123, 5125, 5126
VERTICES, INDICES = 34962, 34963
SMALLEST_DM = 1e-5
DM_IN_M = 0.1


class _Buffer:
    """Arrays one after another, and the views and accessors that find them again."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, array: NDArray[Any], target: int | None = None) -> int:
        """Put an array in, aligned to four bytes; the number of its view."""
        self.content += b"\0" * (-len(self.content) % 4)
        held = {"buffer": 0, "byteOffset": len(self.content), "byteLength": array.nbytes}
        self.content += np.ascontiguousarray(array).tobytes()
        self.views.append(held if target is None else held | {"target": target})
        return len(self.views) - 1

    def accessor(self, array: NDArray[Any], kind: str, component: int, **more: Any) -> int:
        """The same as numbers of a kind; ``more`` is what the accessor says besides."""
        target = more.pop("target", None)
        self.accessors.append(
            {"bufferView": self.view(array, target), "componentType": component, "count": len(array), "type": kind}
            | more
        )
        return len(self.accessors) - 1

    def sparse(self, moves: Points) -> int:
        """Moves (points, 3) of which most are 0."""
        moved = np.flatnonzero(np.abs(moves).max(axis=1) > SMALLEST_DM)
        if not len(moved):
            moved = np.array([0])
        whole = np.zeros_like(moves)
        whole[moved] = moves[moved]
        self.accessors.append(
            {
                "componentType": FLOAT,
                "count": len(moves),
                "type": "VEC3",
                "min": whole.min(axis=0).astype(np.float32).tolist(),
                "max": whole.max(axis=0).astype(np.float32).tolist(),
                "sparse": {
                    "count": len(moved),
                    "indices": {"bufferView": self.view(moved.astype("<u2")), "componentType": SHORT},
                    "values": {"bufferView": self.view(moves[moved].astype("<f4"))},
                },
            }
        )
        return len(self.accessors) - 1


def glb(person: Person, acting: Acting, *, fps: float) -> bytes:
    """A person, and what they do, as the content of a ``.glb`` file."""
    head, buffer = rig(), _Buffer()
    mesh = _mesh(person, buffer)
    times = buffer.accessor(
        (np.arange(len(acting)) / fps).astype("<f4"),
        "SCALAR",
        FLOAT,
        min=[0.0],
        max=[float(np.float32((len(acting) - 1) / fps))],
    )
    reaching = np.clip(acting.actions, 0, 1) * head.reach(person.neutral)
    weights = buffer.accessor(reaching.astype("<f4").reshape(-1), "SCALAR", FLOAT)
    turns = [buffer.accessor(_turns(acting, joint.share).astype("<f4"), "VEC4", FLOAT) for joint in reversed(NECK)]
    base, top = (np.array(joint.at) for joint in reversed(NECK))
    bound = np.tile(np.eye(4, dtype="<f4"), (3, 1, 1))
    bound[1, 3, :3], bound[2, 3, :3] = -base, -top  # column by column, as glTF has matrices
    skin = {"joints": [1, 2, 3], "inverseBindMatrices": buffer.accessor(bound.reshape(3, 16), "MAT4", FLOAT)}
    channels = [({"node": 4, "path": "weights"}, weights)]
    channels += [({"node": node, "path": "rotation"}, turn) for node, turn in zip((2, 3), turns, strict=True)]
    document = {
        "asset": {"version": "2.0", "generator": "thgeval baselines", "extras": {"label": "synthetic test material"}},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"name": "person", "scale": [DM_IN_M] * 3, "children": [1, 4]},
            {"name": "shoulders", "children": [2]},
            {"name": "neck", "translation": base.tolist(), "children": [3]},
            {"name": "skull", "translation": (top - base).tolist()},
            {"name": "head", "mesh": 0, "skin": 0},
        ],
        "meshes": [mesh],
        "skins": [skin],
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.7}, "doubleSided": True}],
        "animations": [
            {
                "samplers": [{"input": times, "output": output} for _, output in channels],
                "channels": [{"sampler": at, "target": target} for at, (target, _) in enumerate(channels)],
            }
        ],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.content)}],
    }
    return _packed(document, bytes(buffer.content))


def _mesh(person: Person, buffer: _Buffer) -> dict[str, Any]:
    head = rig()
    balls = Eyeballs.of(person.neutral)
    points = np.concatenate([person.neutral[head.drawn], balls.points])
    normals = np.concatenate([normals_of(person.neutral)[head.drawn], balls.normals])
    rows = ((1 - head.uv[:, 1]) * (TEXTURE_PX - 1)).round().astype(np.intp)
    painted = person.texture[rows, (head.uv[:, 0] * (TEXTURE_PX - 1)).round().astype(np.intp)]
    colours = np.concatenate([painted, np.rint(255 * eyeballs.colours_of(person.colours)).astype(np.uint8)])
    colours = np.column_stack([colours, np.full(len(colours), 255, np.uint8)])
    corners = np.concatenate([head.triangles, eyeballs.triangles() + len(head.drawn)])
    top, base = (np.concatenate([share[head.drawn], np.ones(len(balls.points))]) for share in shares())
    bones = np.column_stack([1 - np.maximum(base, top), np.maximum(base - top, 0), top, np.zeros(len(top))])
    attributes = {
        "POSITION": buffer.accessor(
            points.astype("<f4"),
            "VEC3",
            FLOAT,
            target=VERTICES,
            min=points.astype(np.float32).min(axis=0).tolist(),
            max=points.astype(np.float32).max(axis=0).tolist(),
        ),
        "NORMAL": buffer.accessor(normals.astype("<f4"), "VEC3", FLOAT, target=VERTICES),
        "COLOR_0": buffer.accessor(colours, "VEC4", BYTE, target=VERTICES, normalized=True),
        "JOINTS_0": buffer.accessor(
            np.tile(np.array([0, 1, 2, 0], np.uint8), (len(points), 1)), "VEC4", BYTE, target=VERTICES
        ),
        "WEIGHTS_0": buffer.accessor(
            (bones / bones.sum(axis=1, keepdims=True)).astype("<f4"), "VEC4", FLOAT, target=VERTICES
        ),
    }
    targets = []
    for move in head.actions:
        turned = Eyeballs.of(person.neutral + move).points - balls.points
        targets.append({"POSITION": buffer.sparse(np.concatenate([move[head.drawn], turned]))})
    primitive = {
        "attributes": attributes,
        "indices": buffer.accessor(corners.astype("<u2").reshape(-1), "SCALAR", SHORT, target=INDICES),
        "material": 0,
        "targets": targets,
    }
    names = list(head.action_names)
    return {"primitives": [primitive], "weights": [0.0] * len(names), "extras": {"targetNames": names}}


def _turns(acting: Acting, share: float) -> Points:
    """A joint's share of the head's rotation over time as quaternions (frames, 4): x, y, z, w."""
    turns = []
    for frame in range(len(acting)):
        rotation = acting.pose(frame).rotation()
        angle = share * np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))
        axis = np.array(
            [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
        )
        axis = axis / max(np.linalg.norm(axis), 1e-12)
        turns.append([*(np.sin(angle / 2) * axis), np.cos(angle / 2)])
    return np.array(turns)


def _packed(document: dict[str, Any], content: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    content += b"\0" * (-len(content) % 4)
    whole = 12 + 8 + len(text) + 8 + len(content)
    chunks = struct.pack("<II", len(text), JSON) + text + struct.pack("<II", len(content), BIN) + content
    return struct.pack("<III", GLB, 2, whole) + chunks
