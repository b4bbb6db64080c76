"""What files for contributors say is true of the Makefile, the classifiers and each other."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
PAGES = ("CONTRIBUTING.md", "RELEASING.md", "README.md", ".github/pull_request_template.md", ".github/workflows/ci.yml")
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


@pytest.mark.parametrize("page", PAGES)
def test_only_targets_that_exist_are_named(page):
    named = re.findall(r"(?:`|\$ |run: |&& )make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert set(named) <= TARGETS


def test_links_lead_somewhere():
    for page in ROOT.glob("*.md"):
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        assert [link for link in links if not (ROOT / link).exists()] == [], page.name


def test_the_matrix_is_the_classifiers():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = [found[1] for text in project["classifiers"] if (found := re.search(r"Python :: (3\.\d+)$", text))]
    assert WORKFLOW["jobs"]["systems"]["strategy"]["matrix"]["python"] == said
    assert project["requires-python"] == f">={said[0]}"


def test_actions_are_named_by_major_version():
    uses = [step["uses"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "uses" in step]
    assert uses
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", each) for each in uses)


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_forms_have_what_the_site_asks_for(form):
    said = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert said["name"]
    assert said["description"]
    assert all(field["attributes"]["label"] for field in said["body"])
    assert len({field["id"] for field in said["body"]}) == len(said["body"])


def test_hooks_are_local_and_what_make_check_runs():
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert repo["repo"] == "local"
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ncheck:")[2].partition("\n\n")[0]
    for hook in repo["hooks"]:
        assert hook["entry"].removeprefix(".venv/bin/") in recipe


@pytest.mark.parametrize("target", ["test-newest", "test-lowest"])
def test_groups_are_installed_by_what_knows_groups(target):
    """The pip that a new environment brings may be older than ``--group``; uv isn't."""
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition(f"\n{target}:")[2].partition("\n\n")[0]
    before, group, _ = recipe.partition("--group")
    assert group
    assert "-m uv pip install" in before.splitlines()[-1] or '--upgrade "pip>=25.3"' in before


DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
STEPS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]


def test_the_container_copies_what_is_there_and_what_the_wheel_is_made_of():
    copied = {name for word, rest in STEPS if word == "COPY" for name in rest.split()[:-1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert all((ROOT / name).exists() for name in copied)
    assert copied >= {"constraints.txt", *project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}


def test_the_container_installs_pinned_versions_as_somebody_who_may_do_little():
    (base,) = [rest for word, rest in STEPS if word == "FROM"]
    assert re.fullmatch(r"python:3\.\d+\.\d+-[a-z-]+", base)
    installs = [part for word, rest in STEPS if word == "RUN" for part in rest.split("&&") if "pip install" in part]
    assert len(installs) == 2
    assert all("--constraint /src/constraints.txt" in part for part in installs)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for asked in ("pip>=25.3", "[demo,faces,speech]"):
        assert any(asked in part for part in installs)
        assert asked in makefile
    words = [word for word, _ in STEPS]
    assert words.index("USER") > max(index for index, word in enumerate(words) if word == "RUN")
    assert ("USER", "scorer") in [tuple(step) for step in STEPS]
    assert "fetch" not in DOCKERFILE.partition("FROM")[2]


def test_the_systems_of_the_matrix_are_classifiers():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = " ".join(text for text in project["classifiers"] if text.startswith("Operating System"))
    called = {"ubuntu-latest": "Linux", "macos-latest": "MacOS", "windows-latest": "Windows"}
    assert all(called[system] in said for system in WORKFLOW["jobs"]["systems"]["strategy"]["matrix"]["os"])


def test_the_form_for_entries_names_commands_options_and_folders_that_exist():
    from thgeval.cli.leaderboard import command

    text = (ROOT / ".github" / "PULL_REQUEST_TEMPLATE" / "entry.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`thgeval leaderboard ([a-z]+)", text))
    assert named >= {"check", "mark"}
    assert named <= set(command.commands)
    options = {opt for each in command.commands.values() for field in each.params for opt in field.opts}
    assert "--trained-on" in text
    assert set(re.findall(r"`(--[a-z-]+)`", text)) - options == {"--limit"}  # the one that must not be given is score's
    assert "template=entry.md" in (ROOT / "leaderboard" / "README.md").read_text(encoding="utf-8")
