"""What metrics share is held as a value: no tower of bases stands between a metric and ``Metric``."""

from dataclasses import fields

import pytest

from thgeval import registry
from thgeval.metric import Metric
from thgeval.metrics.faces.whom import Whom
from thgeval.parameter import Held, settings

MOST = 2


def depth(cls):
    """How many classes a metric stands below ``Metric``, by the longest way."""
    return 0 if cls is Metric else 1 + max(depth(base) for base in cls.__bases__ if issubclass(base, Metric))


@pytest.mark.parametrize("name", registry.table())
def test_no_metric_stands_more_than_two_classes_below_metric(name):
    cls = registry.metric_class(name)
    between = [base.__name__ for base in cls.__mro__ if issubclass(base, Metric)]
    assert depth(cls) <= MOST, f"{' < '.join(between)}: hold what they share as a value instead"


@pytest.mark.parametrize("name", registry.table())
def test_parameters_of_a_face_come_from_the_one_value_that_says_whose(name):
    """Whoever asks which face is meant holds ``Whom``, so that no metric says it in words of its own."""
    metric = registry.metric_class(name)()
    if "who" in metric.settings():
        (whom,) = (value for item in fields(metric) if isinstance(value := getattr(metric, item.name), Whom))
        own = {item.name for item in fields(metric) if not isinstance(getattr(metric, item.name), Held)}
        assert not own & settings(whom).keys()


@pytest.mark.parametrize("name", registry.table())
def test_a_metric_is_made_again_from_its_settings(name):
    for preset in ({}, *(said.fields for said in registry.metric_class(name).presets.values())):
        metric = registry.metric_class(name).configured(preset)
        assert registry.metric_class(name).configured(metric.settings()) == metric
        assert metric.settings() == metric.parameters() | dict(preset)
