"""A run on a terminal: golden captures of 80 and 160 columns, and no line wider, whatever is scored."""

import re

import html5lib
import numpy as np
import pytest
from support.results import of, writer

from thgeval.metric import Better
from thgeval.metrics import METRICS
from thgeval.metrics.theval import TRUTH
from thgeval.registry import metrics
from thgeval.results import Run
from thgeval.results.terminal import short_form, terminal_text

AT_80 = """\
metric            score  unit  95 % interval       ref.  clips
Pixels
psnr ↑          34.5000  dB    31.0000..38.5000          10/12 [1]
Faces
lmd ↓            0.5000  px                              10/12 [1]
blinks-per-s ≈   0.2500                          0.5000  10/12 [1]

[1] left out: corrupt: 2
not scored: csim: the weights yunet are not here; thgeval fetch yunet

signatures: psnr 0c6d7aaf, lmd 0c6d7aaf, blinks-per-s 0c6d7aaf"""


@pytest.fixture
def run(tmp_path):
    """A run of three scored metrics of two families and one that can't be scored, with two clips lost."""
    halves = np.full(10, 0.5)
    found = {
        "psnr": of(halves + 34, unit="dB", interval=[31.0, 38.5], left_out={"corrupt": 2}),
        "lmd": of(halves, better="lower", unit="px", left_out={"corrupt": 2}),
        "blinks-per-s": of(halves / 2, own=halves, better="closer-to-reference", left_out={"corrupt": 2}),
        "csim": {"unscored": "the weights yunet are not here; thgeval fetch yunet"},
    }
    return Run.read(writer(tmp_path)("run", found, missing=2))


def test_eighty_columns_show_what_is_there_and_say_the_rest_below(run):
    shown = terminal_text(run, digits=4, width=80)
    for score in run.scores.values():
        shown = shown.replace(short_form(score.protocol_part), "0c6d7aaf")
    assert shown == AT_80


def test_units_below_the_table_have_their_names_however_long_those_are(tmp_path):
    long = "lip-dynamics-theval:landmarks=npz"
    halves = np.full(10, 0.5)
    found = {
        "temporal-warp-error": of(halves, unit="squares of white", interval=[0.25, 0.75]),
        long: of(halves, own=halves, unit="px", better="closer-to-reference", interval=[0.25, 0.75]),
    }
    shown = terminal_text(Run.read(writer(tmp_path)("run", found)), digits=4, width=60)
    assert f"units: temporal-warp-error squares of white, {long} px" in " ".join(shown.split())


def test_thevals_final_score_stands_below_where_all_eight_have_one(tmp_path):
    halves = np.full(10, 0.5)
    found = {
        name: of(halves * truth * 2, own=halves * truth, better="closer-to-reference") for name, truth in TRUTH.items()
    }
    shown = terminal_text(Run.read(writer(tmp_path)("run", found)), digits=4, width=160)
    assert "THEval's final score: 1.0000 against its real videos, 0.0000 against these references\n" in shown
    lacking = dict(list(found.items())[1:])
    assert "final score" not in terminal_text(Run.read(writer(tmp_path)("less", lacking)), digits=4, width=160)


def test_wide_terminals_wrap_less_and_signatures_come_when_asked(run):
    assert terminal_text(run, digits=4, width=160).splitlines()[:9] == AT_80.splitlines()[:9]
    whole = terminal_text(run, digits=4, width=160, signatures=True)
    assert [line for line in whole.splitlines() if "||" in line] == [
        score.signature for score in run.scores.values() if score.value is not None
    ]


def test_short_forms_are_equal_where_scores_may_be_compared(tmp_path):
    write = writer(tmp_path)
    one, other, unlike = (
        Run.read(write(name, {"psnr": of(np.arange(10) + shift)}, tokens=tokens))
        for name, shift, tokens in (("a", 0, "fps:native"), ("b", 3, "fps:native"), ("c", 0, "fps:25"))
    )
    forms = [terminal_text(each, digits=4, width=80).splitlines()[-1] for each in (one, other, unlike)]
    assert forms[0] == forms[1] != forms[2]


@pytest.mark.parametrize("width", [80, 160])
def test_no_line_is_wider_than_the_terminal(tmp_path, width):
    """Every embedded metric with scores as wide as they come, and every other one unscored."""
    found = {}
    for named in metrics(["embedded"]):
        better, unit = named.metric.better, named.metric.unit
        of_reference = {"own": np.full(10, 1160.3597)} if better is Better.CLOSER_TO_REFERENCE else {}
        wide = of(np.full(10, 1200.6527), better=better.value, unit=unit, interval=[8.042e-5, 2.142e-4], **of_reference)
        found[named.key] = wide | {"note": "as dlib sees faces; other recognisers give other numbers"}
    found |= {name: {"unscored": f"{name} lacks something of its own"} for name in METRICS if name not in found}
    shown = terminal_text(Run.read(writer(tmp_path)("run", found)), digits=4, width=width)
    assert max(map(len, shown.splitlines())) <= width
    assert all(f"{key} " in shown.replace(",", " ") for key in found)
    assert shown.count("as dlib sees faces") == 1
    assert "(thgeval explain NAME says what each lacks)" in " ".join(shown.split())


def test_a_run_prints_as_the_table_and_shows_in_a_notebook(run):
    assert str(run).splitlines()[1] == "Pixels"
    shown = run._repr_html_()
    html5lib.HTMLParser(strict=True).parseFragment(shown)
    assert shown.count("<tr>") == 1 + 2 + 3
    assert "not scored: csim" in shown


def test_nothing_in_a_notebook_is_read_as_html(tmp_path):
    run = Run.read(writer(tmp_path)("run", {"<b>x": of(np.arange(10), unit="<i>", left_out={"<script>": 1})}))
    assert not set(re.findall(r"<(\w+)", run._repr_html_())) - {
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "small",
        "div",
    }


def test_scores_are_found_by_alias_and_by_what_was_asked_for(tmp_path):
    run = Run.read(writer(tmp_path)("run", {"sync-conf": of(np.arange(10)), "psnr": of(np.arange(10))}))
    assert run["LSE-C"] == run["sync-conf"]
    assert run["PSNR:region=frame"] == run["psnr"]
    for key in ("lmd", "no such thing"):
        with pytest.raises(KeyError, match=f"{key} is none of the scores: sync-conf, psnr"):
            run[key]
