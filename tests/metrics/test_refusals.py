"""Parameters that can't stand beside each other are refused by metric and field, as wrong values are."""

import inspect
import re

import pytest

from thgeval import registry
from thgeval.errors import ProtocolError
from thgeval.features.heads.action_units import UNIT_SOURCES, units_of
from thgeval.metrics import METRICS
from thgeval.metrics.faces.aue import REGIONS
from thgeval.metrics.sets.fvd import FVD

CLASHES = {
    "psnr:arithmetic=uint8-wrap,colour=y": "arithmetic=uint8-wrap is defined on colour=rgb and colour=grey alone",
    "psnr:pool=clip,identical=cap100": "identical=cap100 is a rule for frames; it means nothing where pool=clip",
    "ssim:scale=wang,colour=rgb": "scale=wang is defined on colour=grey alone",
    "kid:subsets=5": "subsets and subset_rows are both 0, or 1 or more of 2 or more rows, not 5 and 0",
    "lmd:cut=eat,follow=tracked-8": "cut needs landmarks found in every frame; use follow=every",
    "blink-duration:rule=fall": "rule=fall needs every frame, so missing=hold or fail, and share=0",
    "lse-d:route=jpeg": "route must be one of direct, avi, avi-pictures where face=s3fd, not 'jpeg'",
    "lse-d:clock=native": "clock and resize are for face=whole-frame alone",
    "lse-d:face=whole-frame,every=5": "every, min_track and tracker are for face=s3fd alone",
    "wer:reader=checkout": "the reader checkout needs the name of a model",
    "cer:model=whisper": "the reader lipnet-unseen takes no model, so not 'whisper' either",
    "avs-m:model=..": "'..' is not the name of a folder",
    "fid:frames=5,port=efficientnet-lite0": "port=efficientnet-lite0 is shown frames of resize=bilinear",
    "prdc:port=efficientnet-lite0": "port=efficientnet-lite0 is shown frames of resize=bilinear-antialias alone",
    "lvd:band=10": "steps are not brought in step; leave band out",
    "csim:band=10,against=first": "clips are brought in step with the reference; leave band or against out",
    "lpips:band=3,average=frames": "clips that are brought in step have a number each, and no average over all frames",
    "effnet-distance:softness=0.1": "softness is of clips that are brought in step; give a band too",
}


@pytest.mark.parametrize(("text", "said"), CLASHES.items())
def test_what_does_not_go_together_is_refused_in_the_name_of_the_metric(text, said):
    with pytest.raises(ProtocolError, match=f"^{text.partition(':')[0]}: {re.escape(said)}"):
        registry.metric(text)


def test_every_rule_between_parameters_is_tried_here():
    tried = {text.partition(":")[0] for text in CLASHES}
    rules = {registry.metric_class(name).check_together for name in tried}
    assert {registry.metric_class(name).check_together for name in METRICS} <= rules | {base_rule()}


def base_rule():
    return registry.metric_class("fps").check_together


@pytest.mark.parametrize("name", METRICS)
def test_no_metric_checks_or_explains_its_parameters_by_hand(name):
    cls = registry.metric_class(name)
    assert not any("__post_init__" in vars(base) for base in cls.__mro__[:-2] if base.__name__ != "Metric")
    assert "\n``" not in inspect.getdoc(cls)


def test_action_units_of_every_source_show_every_part_of_the_face():
    assert all(set(units) & set(units_of(source)) for source in UNIT_SOURCES for units in REGIONS.values())


@pytest.mark.parametrize("value", [True, 1.0, "1"])
def test_a_choice_is_of_its_own_type(value):
    with pytest.raises(ProtocolError, match=r"^fvd: ddof must be one of 0, 1, not "):
        FVD(ddof=value)
