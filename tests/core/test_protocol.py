"""Protocols: those that ship, those of the user's own, and fields on top of either."""

from fractions import Fraction

import pytest

from thgeval.errors import ProtocolError
from thgeval.protocol import Protocol, protocol, protocols, written_rate


def test_every_protocol_that_ships_is_itself_by_name():
    for label, found in protocols().items():
        assert protocol(label) == found
        assert found.label == label
        assert found.says


def test_what_cuts_to_the_shorter_is_a_protocol_of_its_own():
    for name in ("thg256", "thg512"):
        assert protocol(f"{name}-shorter").but(lengths="strict").tokens() == protocol(name).tokens()


def test_fields_on_top_of_a_protocol_are_marked():
    changed = protocol("thg256").but(crop="centre-square", fps=None)
    assert changed.label == "thg256@1!"
    assert changed.tokens() == (
        "25fps",
        "256px",
        "crop:centre-square",
        "lengths:strict",
        "rates:strict",
        "sizes:strict",
    )
    assert protocol("thg256").but(size=256) == protocol("thg256")


def test_a_file_of_the_users_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('\ufeffname = "my-set"\nversion = 2\nfps = "30000/1001"\nsize = 96\nclips = ["a", "b"]\n')
    found = protocol(str(path))
    assert found == Protocol(name="my-set", version=2, fps=Fraction(30000, 1001), size=96, clips=("a", "b"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a protocol needs a name"),
        ("name = 3", "name can't be 3"),
        ('name = "a|b"', "is made of a-z, 0-9"),
        ('name = "m"\ncolour = "red"', "a protocol has no field 'colour'"),
        ('name = "m"\nfps = 0', "fps must be a positive number"),
        ('name = "m"\nfps = "fast"', "fps must be a number such as 25"),
        ('name = "m"\nfps = true', "fps can't be True"),
        ('name = "m"\nfps = inf', "fps must be a number"),
        ('name = "m"\nsize = "256"', "size can't be '256'"),
        ('name = "m"\nlengths = "cut"', "lengths must be one of strict, truncate"),
        ('name = "thg256"\nfps = 30', "calls itself thg256@1, which is another protocol"),
        ("name =", "is not a protocol"),
        ("\0", "is not a protocol"),
    ],
)
def test_files_that_are_no_protocol(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ProtocolError) as caught:
        protocol(str(path))
    assert said in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_a_file_that_is_not_there():
    with pytest.raises(ProtocolError, match=r"the protocol nowhere\.toml can't be read: there is no such file"):
        protocol("nowhere.toml")


@pytest.mark.parametrize(("text", "value"), [("25", Fraction(25)), ("29.97", Fraction(2997, 100)), (24, Fraction(24))])
def test_rates_as_they_are_written(text, value):
    assert written_rate(text) == value


@pytest.mark.parametrize("text", ["", "x", "1/0", "nan", "inf", float("nan"), float("inf")])
def test_rates_that_are_none(text):
    with pytest.raises(ProtocolError, match="fps must be a number"):
        written_rate(text)
