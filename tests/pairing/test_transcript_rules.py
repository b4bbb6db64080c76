"""Rules that find what is said in a clip's name: YAML as facial-animation-evaluation has it, and TOML."""

import importlib.util
import re
from pathlib import Path

import pytest

from thgeval.clip import Clip, Pair
from thgeval.errors import ProtocolError
from thgeval.pairing import Pairing
from thgeval.pairing.transcript_rules import rule

GRID = """
annotation_regex: "([blps])([bgrw])([abiw])([a-z])([z1-9])([anps])$"
annotation_map:
  - {b: bin, l: lay, p: place, s: set}
  - {b: blue, g: green, r: red, w: white}
  - {a: at, b: by, i: in, w: with}
  - {}
  - {z: zero, 1: one, 2: two, 3: three, 4: four, 5: five, 6: six, 7: seven, 8: eight, 9: nine}
  - {a: again, n: now, p: please, s: soon}
"""
CREMA = """
annotation_regex: (\\d{4}_)([A-Z]{3})(_)([A-Z]{3})(_[A-Z]{2})
annotation_group: 2
annotation_map:
  IEO: It's eleven o'clock
emotion_regex: (ANG|SAD)
"""
LRW = "annotation_regex: ([A-Z]+)(_\\d+)\nannotation_group: 1"


@pytest.fixture
def written(tmp_path):
    def write(text, name="rule.yaml"):
        if not name.endswith(".toml"):
            pytest.importorskip("yaml", reason="PyYAML is not installed")
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (GRID, "bbaf2n", "bin blue at f two now"),
        (GRID, "s1_swwzzp", "set white with z zero please"),
        (CREMA, "1001_IEO_ANG_HI", "It's eleven o'clock"),
        (CREMA, "1001_XXX_ANG_HI", "XXX"),
        (LRW, "ABOUT_00001", "ABOUT"),
        (LRW, "about", None),
    ],
)
def test_words_in_a_name(text, name, said, written):
    assert rule(written(text))(name) == said


def test_toml_says_the_same(written):
    path = written("annotation_regex = '(..)(\\d)'\nannotation_map = [{ab = 'all'}, {1 = 'one'}]", "rule.toml")
    assert rule(path)("ab1") == "all one"


def test_a_pair_keeps_its_own_words_where_the_rule_finds_none(tmp_path, written):
    own = tmp_path / "other.txt"
    pairs = tuple(Pair(id, Clip(id, tmp_path / f"{id}.mp4"), transcript=own) for id in ("bbaf2n", "other"))
    told = Pairing(pairs, ()).saying(rule(written(GRID)))
    assert [pair.transcript for pair in told.pairs] == ["bin blue at f two now", own]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("annotation_group: 1", "has no annotation_regex"),
        ("annotation_regex: '('", "is not a valid regular expression"),
        ("annotation_regex: 3", "is not a valid regular expression"),
        ("annotation_regex: abc", "must name one of the expression's 0 groups"),
        ("annotation_regex: (a)\nannotation_group: 2", "must name one of the expression's 1 groups"),
        ("annotation_regex: (a)(b)\nannotation_map: [{}]", "one for each of the 2 groups"),
        ("annotation_regex: (a)\nannotation_map: {a: no}", "YAML takes a word for False; put the words"),
        ("annotation_regex: (a)\nannotation_map: {a: [no]}", "must map to text"),
        ("- a list", "is not a table"),
        ("a: [", "can't be read"),
    ],
)
def test_a_file_that_is_no_rule_is_refused(text, said, written):
    with pytest.raises(ProtocolError, match=re.escape(said)):
        rule(written(text))


def test_a_rule_that_is_not_there(tmp_path):
    with pytest.raises(ProtocolError, match="can't be read"):
        rule(tmp_path / "none.toml")


@pytest.mark.skipif(importlib.util.find_spec("yaml") is None, reason="PyYAML is not installed")
def test_yaml_runs_nothing(tmp_path):
    path: Path = tmp_path / "rule.yaml"
    path.write_text("annotation_regex: !!python/object/apply:os.getcwd []")
    with pytest.raises(ProtocolError, match="can't be read"):
        rule(path)
