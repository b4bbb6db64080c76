"""What a view holds goes when the view goes, without waiting for anybody who looks for circles."""

import gc
import weakref

import numpy as np

from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.metric import View
from thgeval.registry import metric


def test_frames_go_with_the_view_that_showed_them():
    sides = [FrameBatch(np.full((2, 16, 16, 3), level, np.uint8), 255.0, 0) for level in (10, 30)]
    held = [weakref.ref(side) for side in sides]
    one = metric("l1").metric
    gc.disable()
    try:
        view = View.of("clip", 0, *({rgb: side} for side in sides))
        assert one.score(one.measure(view.seen_by(one.needs, one.name))) > 0
        assert one.score(one.measure(view.swapped().seen_by(one.needs, one.name))) > 0
        del view, sides
        assert [reference() for reference in held] == [None, None]
    finally:
        gc.enable()
