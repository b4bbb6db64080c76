"""What the pages show is what comes out: their commands and sessions are run on clips made on the spot."""

import doctest
import shutil
from pathlib import Path

import pytest
from pages.examples import Checker, blocks, commands, same, sessions
from support.clips import moving, write_clip

from thgeval.cli.main import code

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/index.md", "docs/first-steps.md", "docs/python.md", "docs/training.md")
FOLDERS = {"reference": 0.0, "ours": 6.0, "baseline": 10.0}


def text(page):
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Two systems and their reference, eight clips of 12 frames each."""
    made = tmp_path_factory.mktemp("clips")
    for folder, noise in FOLDERS.items():
        (made / folder).mkdir()
        for number in range(8):
            write_clip(made / folder / f"{number + 1:03}.mp4", moving(12, 192, seed=number, noise=noise))
    return made


@pytest.fixture
def clips(written, tmp_path, monkeypatch):
    """The same in the folder where the test runs, which may change them."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", [page for page in PAGES if any(commands(text(page)))])
def test_commands_print_what_the_page_shows(page, clips, capsys):
    for command in commands(text(page)):
        returned = code(list(command.words))
        out, err = capsys.readouterr()
        assert returned == 0, err
        assert same(command.shown, out), f"thgeval {' '.join(command.words)} prints\n{out}"


@pytest.mark.parametrize("page", [page for page in PAGES if sessions(text(page))])
def test_sessions_answer_what_the_page_shows(page, clips):
    test = doctest.DocTestParser().get_doctest(sessions(text(page)), {}, page, page, 0)
    said = []
    failed, tried = doctest.DocTestRunner(Checker()).run(test, out=said.append)
    assert tried
    assert not failed, "".join(said)


@pytest.mark.parametrize("page", PAGES)
def test_code_without_answers_is_code(page, clips):
    for block in blocks(text(page), "python"):
        if not block.startswith((">>>", "thgeval.")):
            exec(compile(block, page, "exec"), {})


def test_what_differs_is_told_apart():
    shown = "psnr  ↑  34.2313  8/8\n---  --\n..."
    assert same(shown, "psnr ↑ 34.2400 8/8\n----- --\nanything\nat all")
    assert not same(shown, "psnr ↑ 36.0000 8/8\n--- --\n")
    assert not same(shown, "psnr ↓ 34.2313 8/8\n--- --\n")
    assert not same(shown, "psnr ↑ 34.2313 7/8\n--- --\n")
    assert not same("True", "False")
    assert same("f'...'", "f'anything'")


def test_every_page_shows_something_that_runs():
    for page in PAGES:
        assert any(commands(text(page))) or sessions(text(page)), page
