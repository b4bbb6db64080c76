"""``thgeval explain``: signatures lead back to commands, metrics say what they are and what they lack."""

import shlex

import pytest

from thgeval.about.explanation import explained
from thgeval.metrics import METRICS
from thgeval.protocol import Protocol, protocol
from thgeval.registry import metric, metric_class
from thgeval.signature import pins_of, signature

RUN = {"n": "8/8", "protocol": "native@1", "thgeval": "0", "device": "cpu"}


def signed(request, prepared=None, *flags, **run):
    found = metric(request).metric
    return signature(found, prepared or Protocol(), pins_of(found), {**RUN, **run}, *flags)


def command(text):
    (line,) = [line for line in explained(text) if line.startswith("made by")]
    return shlex.split(line.removeprefix("made by"))


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_and_preset_comes_back_from_its_signature(name):
    for request in [name, *(f"{name}/{preset}" for preset in metric_class(name).presets)]:
        words = command(signed(request))
        assert metric(words[words.index("-m") + 1]).metric == metric(request).metric, request
        assert words[words.index("--protocol") + 1] == "native@1"


def test_what_was_changed_in_a_protocol_comes_back_as_options():
    prepared = protocol("thg256").but(fps=30, lengths="truncate")
    words = command(signed("psnr", prepared, "!limit", protocol=prepared.label))
    assert words[words.index("--protocol") :] == [
        "--protocol", "thg256@1", "--fps", "30", "--lengths", "truncate", "--limit", "N",
    ]  # fmt: skip
    unpaired = Protocol(pairs="none", changed=True)
    assert "--unpaired" in command(signed("fid-random", unpaired, protocol=unpaired.label))
    assert command(signed("fid", device="cuda,torch2"))[-2:] == ["--device", "cuda"]


def test_what_differs_here_is_named_token_by_token():
    text = signed("psnr")
    assert "differs   in nothing that decides the number" in explained(text)
    lines = "\n".join(explained(text.replace("psnr@1", "psnr@9").replace("|rgb@1|", "|rgb@7|")))
    assert "version 9 of psnr was another definition" in lines
    assert "psnr@9 there, rgb@7 there, psnr@1 here, rgb@1 here" in lines
    assert "thgeval was 0 and is " in lines


def test_a_metric_says_what_it_is_and_what_it_lacks(thgeval):
    answer = thgeval("explain", "LSE-C", "psnr/grey")
    assert answer.code == 0
    pieces = ("sync-conf: ", "source ", "preset    ", "lacks what it needs: thgeval fetch sync-conf", "here      ready")
    assert [piece for piece in pieces if piece not in answer.out] == []
    assert "* colour=grey" in answer.out
    assert "  pool=frame" in answer.out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("abcdef12", "abcdef12 is the short form of a signature; the result file has it whole"),
        ("csimm", "did you mean csim?"),
        ("psnr@1", "the signature says nothing of fps: is it whole?"),
        ("nothing@1|fps:native", "no metric is called 'nothing'"),
    ],
)
def test_what_can_not_be_explained_is_one_sentence(thgeval, text, sentence):
    answer = thgeval("explain", text)
    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.err
