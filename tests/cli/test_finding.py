"""What the tool's own messages lead to: the list of metrics, help in groups, and names that are nearly right."""

import click
import pytest

from thgeval.about.availability import beside_clips, lacking, where_ready
from thgeval.cli import score
from thgeval.cli.arguments import metric_names
from thgeval.metrics import FAMILY_NAMES, GROUPS, METRICS
from thgeval.registry import embedded, metric, metrics


def test_the_list_has_a_line_a_metric_that_fits_a_terminal(thgeval):
    lines = thgeval("ls").out.splitlines()
    assert max(map(len, lines)) <= 80
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    assert sorted(listed) == sorted(METRICS)
    assert thgeval("ls", "metrics").out.splitlines() == lines
    ready = {line.split()[0]: line for line in lines if line.startswith("  ")}
    assert ready["psnr"].endswith(" ready")
    assert ready["fps"].endswith("ready with CLIP.timing.json")
    assert ready["lpips"].endswith("thgeval fetch lpips")


def test_names_get_all_that_is_known(thgeval):
    answer = thgeval("ls", "metrics", "LSE-C", "lmd/shift")
    assert [line for line in answer.out.splitlines() if line and not line.startswith(" ")] == ["sync-conf", "lmd"]
    assert answer.out.count("    source ") == 2
    refused = thgeval("ls", "weights", "alexnett")
    assert (refused.code, "did you mean alexnet?" in refused.err) == (2, True)


def test_what_is_missing_is_said_by_what_brings_it(monkeypatch):
    from thgeval import requirements

    assert where_ready("csim") == ("csim/dlib", "thgeval fetch csim")
    monkeypatch.setattr(requirements, "find_spec", lambda name: None)
    assert "[faces]" in lacking(metric("lmd").metric)
    assert where_ready("lmd")[0] == ""
    assert beside_clips(metric("prmse").metric) == ["CLIP.openface.csv"]
    assert beside_clips(metric("psnr").metric) == []


@pytest.mark.parametrize("name", FAMILY_NAMES)
def test_a_family_stands_for_its_metrics(name):
    found = {named.metric.name for named in metrics([name.upper()])}
    assert found == {each for each, where in METRICS.items() if where.startswith(f"{name}.")}


def test_groups_grow_with_the_tiers_of_weights():
    embedded_, light, canonical, every = (
        {named.key for named in metrics([name])} for name in ("embedded", "light", "canonical", "all")
    )
    assert embedded_ < light < canonical <= every
    assert embedded_ == {metric(form).key for each in METRICS if (form := embedded(each))}


@pytest.mark.parametrize(("given", "meant"), [("scroe", "score"), ("Table", "table"), ("lss", "ls")])
def test_commands_nearly_right_are_offered(thgeval, given, meant):
    answer = thgeval(given)
    assert answer.code == 2
    assert f"no command is called {given!r}; did you mean {meant}?" in answer.err
    assert "did you mean" not in thgeval("zzz").err


def test_help_has_every_option_once_under_a_heading(thgeval):
    grouped = [name for names in score.OPTIONS.values() for name in names]
    own = [param.name for param in score.command.params if isinstance(param, click.Option)]
    assert sorted(grouped) == sorted(own)
    answer = thgeval("score", "--help")
    for option in score.command.params:
        if isinstance(option, click.Option):
            assert f"{option.opts[-1]} " in answer.out, option.name


def test_a_shell_is_offered_metrics_and_groups():
    def offered(text):
        return metric_names(click.Context(score.command), score.command.params[0], text)

    assert offered("psn") == ["psnr"]
    assert offered("psnr,SSI") == ["psnr,ssim"]
    assert {"default", "sync"} <= {*offered("")}
    assert {*GROUPS, *METRICS} == {*offered("")}


def test_a_folder_named_as_a_family_is_a_folder(tmp_path, monkeypatch):
    from thgeval.cli.arguments import gathered

    monkeypatch.chdir(tmp_path)
    assert gathered(["score", "-m", "psnr", "faces", "gt"]) == ["score", "-m", "psnr", "-m", "faces", "gt"]
    (tmp_path / "faces").mkdir()
    assert gathered(["score", "-m", "psnr", "faces", "gt"]) == ["score", "-m", "psnr", "faces", "gt"]
