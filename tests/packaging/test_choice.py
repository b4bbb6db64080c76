"""Which metrics' conformance is tested: exact names, and what a changed file may change."""

import subprocess
from types import SimpleNamespace

import pytest
from support.choice import ROOT, about, asked_for, chosen, differing, requests, touched
from support.programs import program

CONFORMANCE = ROOT / "tests" / "conformance" / "test_metrics.py"


def options(metric=(), changed=False):
    return SimpleNamespace(getoption={"metric": list(metric), "changed": changed}.get)


def of(path=CONFORMANCE, **parameters):
    return SimpleNamespace(path=path, callspec=SimpleNamespace(params=parameters))


def test_names_are_exact():
    items = [of(name=name) for name in ("wer", "lmd", "f-lmd")] + [of(request_="lmd/atvgnet"), of(what="lmd")]
    kept, left = chosen(
        [*items, SimpleNamespace(path=CONFORMANCE), of(ROOT / "tests" / "x.py", name="lmd")], {"lmd", "lmd/atvgnet"}
    )
    assert [about(item) for item in kept] == ["lmd", "lmd/atvgnet"]
    assert len(left) == 5
    assert [about(item) for item in chosen(items, {"lmd/atvgnet"})[0]] == ["lmd/atvgnet"]
    assert asked_for(options(metric=["lmd/atvgnet"])) == {"lmd/atvgnet"}
    assert requests("SYNC_CONF") == requests("sync-conf")


def test_tests_of_all_that_are_listed_go_along_with_those_that_are_asked_for():
    item, other = (of(path=CONFORMANCE, **about) for about in ({"what": "two frames"}, {"request_": "akd"}))
    item.fixturenames = other.fixturenames = ["listed", "clips"]
    assert chosen([item, other], {"lmd"}) == ([item], [other])
    assert chosen([item, other], set()) == ([], [item, other])
    assert asked_for(options()) is None


def test_a_name_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(pytest.UsageError, match=r"--metric: no metric is called 'psnrr'; did you mean psnr\?"):
        requests("psnrr")


def test_a_file_touches_what_imports_it():
    assert touched(["thgeval/metrics/pixels/cpbd.py"]) == ["cpbd", "drift"]
    assert {"ssim", "ms-ssim"} <= set(touched(["thgeval/kernels/ssim.py"]))
    assert touched(["thgeval/kernels/cpbd.py"]) == ["cpbd", "drift"]
    assert len(touched(["thgeval/features/frames/frames.py"])) > 20
    assert touched(["thgeval/metrics/__init__.py", "docs/index.md", "thgeval/cli/main.py"]) == []


def test_what_git_says_differs(tmp_path):
    def git(*words):
        subprocess.run([program("git"), "-C", tmp_path, *words], check=True, capture_output=True)

    git("init", "-b", "main")
    for name in ("edited", "kept"):
        (tmp_path / name).write_text("one")
    git("add", ".")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-m", "one")
    git("checkout", "-b", "work")
    (tmp_path / "edited").write_text("two")
    (tmp_path / "new").write_text("")
    assert differing(root=tmp_path) == ["edited", "new"]
    with pytest.raises(pytest.UsageError, match="--changed compares with the branch gone, which isn't here"):
        differing("gone", root=tmp_path)
