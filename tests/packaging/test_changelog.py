"""A metric's version went up if and only if a fragment of the changelog says so."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("changelog_fragments", ROOT / "changelog.d" / "fragments.py")
fragments = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fragments)
SAID = {Path("a.numbers.md"): "`fid`, `kid` 1 to 2: half as large."}


def test_the_fragments_here_hold():
    now = fragments.versions(fragments.PARTS.read_text(encoding="utf-8"))
    assert len(now) > 50
    assert fragments.problems(fragments.fragments(), fragments.released(), now) == []


@pytest.mark.parametrize(
    ("texts", "before", "now", "said"),
    [
        (SAID, {"fid": 1, "kid": 1}, {"fid": 2, "kid": 2, "new": 3}, []),
        ({}, {"fid": 1}, {"fid": 1}, []),
        ({}, {"fid": 1}, {"fid": 2}, ["fid went from version 1 to 2: say why in changelog.d/NAME.numbers.md"]),
        (SAID, {"fid": 1, "kid": 1}, {"fid": 2, "kid": 1}, ["a.numbers.md: kid went from 1 to 1, not from 1 to 2"]),
        (
            {Path("a.numbers.md"): "`fid` 1 to 1: no."},
            {"fid": 1},
            {"fid": 1},
            ["a.numbers.md: the version of fid is still 1; raise it"],
        ),
        (
            {Path("a.numbers.md"): "`new` 1 to 2: no."},
            {},
            {"new": 2},
            ["a.numbers.md: new is no metric that was released and is still there"],
        ),
        (
            {**SAID, Path("b.numbers.md"): "`fid` 1 to 2: also."},
            {"fid": 1, "kid": 1},
            {"fid": 2, "kid": 2},
            ["b.numbers.md: a.numbers.md names fid too; make them one"],
        ),
        (
            {Path("a.numbers.md"): "fid changed."},
            {},
            {},
            ["a.numbers.md: begin with the metrics and versions, like: `fid`, `kid` 1 to 2: why"],
        ),
        ({Path("a.md"): "x"}, {}, {}, ["a.md: name it NAME.KIND.md with KIND one of added, changed, fixed, numbers"]),
        ({Path("a.fixed.md"): ""}, {}, {}, ["a.fixed.md: it is empty"]),
    ],
)
def test_versions_and_fragments_agree(texts, before, now, said):
    assert fragments.problems(texts, before, now) == said


def test_a_release_adds_to_what_is_there():
    changelog = (
        "# Changelog\n\n## Unreleased\n\n### Fixed\n\n- Old.\n\n### Numbers\n\n- None.\n\n## 0.1\n\n### Fixed\n\n- x\n"
    )
    texts = {Path("a.fixed.md"): "New\nin two lines.", Path("b.added.md"): "Thing."}
    assert fragments.taken_up(changelog, fragments.gathered(texts)) == (
        "# Changelog\n\n## Unreleased\n\n### Fixed\n\n- Old.\n- New\n  in two lines.\n\n### Numbers\n\n- None.\n\n"
        "### Added\n\n- Thing.\n\n## 0.1\n\n### Fixed\n\n- x\n"
    )


def test_the_changelog_here_can_take_them_up():
    changelog = fragments.CHANGELOG.read_text(encoding="utf-8")
    taken = fragments.taken_up(changelog, {"Numbers": "- `fid` 1 to 2: x.\n", "Fixed": "- y.\n"})
    assert sorted(taken.splitlines()) == sorted([*changelog.splitlines(), "- `fid` 1 to 2: x.", "- y."])
