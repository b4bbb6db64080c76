"""Data sets: what their names say, in every layout, and files that are no data set."""

import pytest

from thgeval.errors import ProtocolError
from thgeval.protocols.datasets import data_set, dataset, datasets, formed
from thgeval.protocols.lists import shipped_ids

ASKED_FOR = (
    *("hdtf", "voxceleb1", "voxceleb2", "mead", "lrw", "grid", "crema-d", "lrs2", "lrs3", "celebv-hq"),
    *("talkinghead-1kh", "vfhq", "nersemble"),
)
LAYOUT = {"says": "as it is", "match": "(?P<name>.+)", "id": "{name}"}


def table(**given):
    return {"name": "mine", "title": "Mine", "says": "Made here.", "layout": [LAYOUT]} | given


def examples():
    return [
        (found.name, name, id)
        for found in datasets().values()
        for layout in found.layouts
        for name, id in layout.examples.items()
    ]


def test_every_data_set_asked_for_is_there():
    assert set(ASKED_FOR) <= datasets().keys()


@pytest.mark.parametrize(("name", "clip", "id"), examples())
def test_names_of_every_layout_have_their_ids(name, clip, id):
    assert dataset(name).found(clip).id == id


def test_every_layout_has_an_example_of_its_own():
    for found in datasets().values():
        for number, layout in enumerate(found.layouts):
            ours = [name for name in layout.examples if not any(other.found(name) for other in found.layouts[:number])]
            assert ours, (found.name, layout.says)


def test_every_fact_says_where_it_is_from():
    for found in datasets().values():
        for fact in ("clips", "people", "licence", "split"):
            if getattr(found, fact):
                assert found.sources.get(fact), (found.name, fact)
        assert found.sources["layout"], found.name


def test_facts_that_are_only_known_in_general_are_marked():
    for found in datasets().values():
        for fact, source in found.sources.items():
            if source.startswith("known in general"):
                assert fact in found.unverified, (found.name, fact)


@pytest.mark.parametrize(
    ("name", "clip", "person", "labels"),
    [
        ("mead", "M003/video/front/angry/level_1/001", "M003", {"view": "front", "emotion": "angry", "level": "1"}),
        ("crema-d", "1001_DFA_ANG_XX", "1001", {"sentence": "DFA", "emotion": "ANG"}),
        ("grid", "s29/bbaf2n", "s29", {"sentence": "bbaf2n"}),
        ("voxceleb1", "id10280#NXjT3732Ekg#001093#001192", "id10280", {"start": "001093"}),
        ("hdtf", "WRA_AdamKinzinger2_001", "AdamKinzinger", {"subset": "WRA", "number": "2"}),
        ("lrs2", "6330311066473698535/00011", "", {"utterance": "00011"}),
    ],
)
def test_people_and_labels(name, clip, person, labels):
    found = dataset(name).found(clip)
    assert found.person == person
    assert labels.items() <= found.labels.items()


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("hdtf", "reference"),
        ("mead", "M003/video/behind/angry/level_1/001"),
        ("mead", "M003_ang_4_001"),
        ("grid", "s29/hello1"),
        ("crema-d", "1001_DFA_BORED_XX"),
        ("voxceleb2", "id1028/NXjT3732Ekg/00001"),
        ("vfhq", "G0DGRma_p48"),
    ],
)
def test_names_of_no_layout_are_nothing(name, clip):
    assert dataset(name).found(clip) is None


def test_names_of_hdtf_without_their_subset_are_looked_up():
    known = shipped_ids("hdtf")
    assert len(known) == 421
    for id in known:
        subset, video, clip = id.split("_")
        for name in (id, f"{subset}/{video}_{int(clip)}", f"{video}_{int(clip)}"):
            assert dataset("hdtf").found(name).id == id
    assert dataset("hdtf").found("NobodyThere_0").id == "NobodyThere_000"


def test_an_unknown_name_has_its_neighbour():
    with pytest.raises(ProtocolError, match="no data set is called 'meed'; did you mean mead"):
        dataset("meed")


def test_forms():
    assert formed("{a:.3}/{b:0>3}/{c}", {"a": "angry", "b": "7"}) == "ang/007/"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"colour": "red"}, "a data set has no field 'colour'"),
        ({"clips": "many"}, "clips can't be 'many': it is a whole number"),
        ({"clips": True}, "clips can't be True"),
        ({"layout": ["x"]}, "layout can't hold 'x': it is a list of tables"),
        ({"layout": [LAYOUT | {"match": "("}]}, "match of layout 1 is not a valid regular expression"),
        ({"layout": [LAYOUT | {"id": "{clip}"}]}, "id of layout 1 names clip, which is no group"),
        ({"layout": [LAYOUT | {"id": "{name.__class__}"}]}, "id of layout 1 has a '{' that is no part of"),
        ({"layout": [LAYOUT, {"says": "x", "match": "x"}]}, "layout 2 needs id"),
        ({"says": "x" * 5000}, "says has a text of 5000 characters"),
    ],
)
def test_tables_that_are_no_data_set(given, said):
    with pytest.raises(ProtocolError) as caught:
        data_set(table(**given))
    assert said in str(caught.value)
