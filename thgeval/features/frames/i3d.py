"""What I3D says of a window of frames: the scores of 400 actions before any softmax, the features behind FVD.

Two ports of tf.hub's deepmind/i3d-kinetics-400/1 are in circulation: ``stylegan-v`` (a TorchScript file) and
``videogpt``, which adds 1e-5 instead of 1e-3 to the variances; ``disco`` is the second file in DisCo's module, which
adds 1e-3 and averages over time in another way. Frames enter at 224 x 224 with white at 1 and ``black`` at -1
(``minus-one``) as the network was made for, or at 0 (``zero``), as a script in circulation has it; or with black at
-0.5 and white at 0.5 (``minus-half``), as VideoGPT's script had it for its first days.

Sources: Carreira, Zisserman, CVPR 2017; Unterthiner et al., arXiv 1812.01717; Skorokhodov, Tulyakov, Elhoseiny, CVPR
2022 (the protocol).
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.windows import span, squares, windows
from thgeval.requirements import Weights

SIDE_PX = 224
I3D_PORTS: Mapping[str, str] = MappingProxyType(
    {"stylegan-v": "i3d-torchscript", "videogpt": "i3d-kinetics400", "disco": "i3d-kinetics400/disco"}
)
I3D_BLACKS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"minus-one": (-1.0, 1.0), "zero": (0.0, 1.0), "minus-half": (-0.5, 0.5)}
)
"""What black and white enter as."""
SMALLEST_FRAMES = 9


@feature(
    lambda length, stride, start, which, square, **_: squares(
        side_px=SIDE_PX, square=square, start=start, count=span(length, stride) if which == "first" else 0
    ),
    version=1,
    grain=Grain.CLIP,
    requires=lambda port, **_: (networks.TORCH, Weights(networks.weights_of(I3D_PORTS[port]))),
)
def i3d(
    held: NDArray[np.float32],
    *,
    port: str = "stylegan-v",
    length: int = 16,
    stride: int = 1,
    start: int = 0,
    which: str = "first",
    square: str = "stretch",
    black: str = "minus-one",
) -> NDArray[np.float32]:
    """Scores of every window (see ``thgeval.features.frames.windows``): (windows, 400)."""
    import torch

    cut = windows(held, length=length, stride=stride, start=start, which=which)
    if cut.shape[2] < SMALLEST_FRAMES:
        raise InputError(
            f"I3D needs {SMALLEST_FRAMES} frames or more, not {cut.shape[2]} from frame {start} on", reason="too short"
        )
    seen = torch.from_numpy(cut)
    network = networks.published(I3D_PORTS[port])
    lowest, highest = I3D_BLACKS[black]
    return networks.rows(network, (highest - lowest) * seen + lowest)
