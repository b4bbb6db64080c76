"""Parameters: one declaration checks, refuses and explains, and subclasses keep what they don't say anew."""

from dataclasses import dataclass
from itertools import combinations, product

import pytest

from thgeval.about.docstrings import described
from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.parameter import Held, check, declared, holding, made, parameter, same_as, settings
from thgeval.registry import metric, metric_class, table


@dataclass(frozen=True)
class Base:
    window: int = parameter(11, "side in px", least=3, odd=True)
    share: float = parameter(0.5, "of the whole", least=0, below=1)
    scale: float = parameter(1.0, "of the result", above=0, most=10)
    kind: str = parameter("a", "which", of=("a", "b"))
    times: int = parameter(0, "how often", of=(0, 1))
    on: bool = parameter(False, "whether")
    name: str = parameter("x", "anything")

    def __post_init__(self):
        check(self, "it")


@dataclass(frozen=True)
class Other(Base):
    window: int = 5
    kind: str = parameter("b", of=("b",))


@dataclass(frozen=True)
class Third:
    window: int = same_as(Base, "window")
    kind: str = same_as(Base, "kind", "another")


@dataclass(frozen=True)
class Inner(Held):
    share: float = parameter(0.5, "of the whole", least=0, below=1)


@dataclass(frozen=True)
class Outer(Held):
    kind: str = parameter("a", "which", of=("a", "b", "c"))
    inner: Inner = Inner()


@dataclass(frozen=True)
class Holder:
    before: int = parameter(1, "first")
    outer: Outer = holding(Outer(inner=Inner(0.25)), kind=parameter("a", "which of two", of=("a", "b")))
    after: int = parameter(2, "last")

    def __post_init__(self):
        check(self, "it")


@dataclass(frozen=True)
class OfB(Holder):
    outer: Outer = Outer("b")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("window", 1, "it: window must be odd and at least 3, not 1"),
        ("window", 4, "it: window must be odd and at least 3, not 4"),
        ("window", 5.0, "it: window must be a whole number odd and at least 3, not 5.0"),
        ("window", True, "it: window must be a whole number odd and at least 3, not True"),
        ("window", "5", "it: window must be a whole number odd and at least 3, not '5'"),
        ("share", 1.0, "it: share must be at least 0 and below 1, not 1.0"),
        ("share", float("nan"), "it: share must be a number at least 0 and below 1, not nan"),
        ("scale", 0, "it: scale must be at most 10 and above 0, not 0"),
        ("scale", float("inf"), "it: scale must be a number at most 10 and above 0, not inf"),
        ("kind", "c", "it: kind must be one of a, b, not 'c'"),
        ("times", 2, "it: times must be one of 0, 1, not 2"),
        ("times", "0", "it: times must be one of 0, 1, not '0'"),
        ("on", 1, "it: on must be true or false, not 1"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_one_voice(field, value, said):
    with pytest.raises(ProtocolError) as raised:
        Base(**{field: value})
    assert str(raised.value) == said


def test_values_that_fit_are_taken():
    assert Base(window=3, share=0, scale=10, kind="b", times=1, on=True, name="").scale == 10


def test_a_subclass_keeps_what_it_does_not_say_anew():
    said = declared(Other)
    assert list(said) == list(declared(Base))
    assert said["window"] == {"says": "side in px", "least": 3, "odd": True}
    assert (said["kind"]["says"], said["kind"]["of"]) == ("which", ("b",))
    assert Other().window == 5
    with pytest.raises(ProtocolError, match="kind must be one of b, not 'a'"):
        Other(kind="a")
    with pytest.raises(ProtocolError, match="window must be odd"):
        Other(window=2)


def test_another_class_may_have_the_same_parameter_under_its_own_words():
    assert declared(Third)["window"] == declared(Base)["window"]
    assert declared(Third)["kind"] == {"says": "another", "of": ("a", "b")}


def test_parameters_of_a_held_value_stand_among_those_of_its_holder():
    assert settings(Holder) == settings(Holder()) == {"before": 1, "kind": "a", "share": 0.25, "after": 2}
    assert list(declared(Holder)) == list(settings(Holder))
    assert declared(Holder)["share"] == declared(Inner)["share"]
    assert made(Holder, {"before": 3, "kind": "b", "share": 0.0, "after": 4}) == Holder(3, Outer("b", Inner(0.0)), 4)


def test_a_holder_declares_parameters_of_a_held_value_anew_for_itself_and_its_subclasses():
    assert declared(Outer)["kind"] == {"says": "which", "of": ("a", "b", "c")}
    for cls in (Holder, OfB):
        assert declared(cls)["kind"] == {"says": "which of two", "of": ("a", "b")}
    assert settings(OfB)["kind"] == "b"
    with pytest.raises(ProtocolError, match=r"kind must be one of a, b, not .c.$"):
        OfB(outer=Outer("c"))
    with pytest.raises(ProtocolError, match=r"^it: share must be at least 0 and below 1, not 1\.0$"):
        Holder(outer=Outer(inner=Inner(1.0)))


@pytest.mark.parametrize("name", table())
def test_every_parameter_of_every_metric_says_what_it_is_and_guards_itself(name):
    cls = metric_class(name)
    for field, said in declared(cls).items():
        assert said.get("says"), field
        wrong = None
        if "of" in said:
            wrong = "no-such-thing" if isinstance(said["of"][0], str) else max(said["of"]) + 1
        elif "least" in said:
            wrong = said["least"] - 1
        elif "above" in said:
            wrong = said["above"]
        elif isinstance(cls.parameters()[field], bool):
            wrong = 2
        if wrong is not None:
            with pytest.raises(ProtocolError, match=f"^{name}: {field} must be .*not "):
                cls.configured({field: wrong})


@pytest.mark.parametrize("name", table())
def test_any_two_choices_are_measured_or_refused_in_a_sentence(name):
    cls = metric_class(name)
    chosen = [[(field, value) for value in said["of"]] for field, said in declared(cls).items() if "of" in said]
    for together in [*product(*chosen[:1]), *(pair for two in combinations(chosen, 2) for pair in product(*two))]:
        try:
            needed = cls.configured(dict(together)).needs.every()
        except ProtocolError as refused:
            assert len(str(refused).split()) > 3, together
        else:
            assert all(isinstance(feature, Feature) for feature in needed)


def test_listings_show_each_parameter_with_its_default_and_words():
    lines = described(metric_class("ssim"))["parameters"]
    assert "window=11: side of the windows in px; windows that leave the frame are not used" in lines
    assert not any("``" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lmd:centred=maybe", "lmd: centred must be yes or no, not 'maybe'"),
        ("iqa:crops=many", "iqa: crops must be a number like 10, not 'many'"),
    ],
)
def test_text_that_is_no_value_names_metric_and_field(text, said):
    with pytest.raises(ProtocolError) as raised:
        metric(text)
    assert str(raised.value) == said
