"""The wheel, installed bare and run from elsewhere: what users get."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from support.programs import program

ROOT = Path(__file__).resolve().parents[2]
TRAVEL = {"py", "typed", "json", "toml", "yaml", "md", "bib", "txt", "j2", "css", "js", "opus", "npz", "safetensors"}
"""What files of a package are: code, schemas, tables, templates, and the small data that is made or trained here."""
LARGEST = 8 << 20
PACKAGES = {"thgeval", "thgeval_models", "thgeval_baselines", "thgeval_leaderboard"}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_four_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == PACKAGES


def held_by_git():
    """The files of the four packages that git holds or would hold, as the wheel calls them."""
    if not (ROOT / ".git").exists():
        pytest.skip("looks at the files that git holds, and this is no clone")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = set()
    for home in map(Path, project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]):
        command = [program("git"), "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others"]
        command += ["--exclude-standard", "--", home.name]
        listed = subprocess.run(command, cwd=ROOT / home.parent, capture_output=True, check=True, text=True).stdout
        names |= {name for name in listed.split("\0") if name and (ROOT / home.parent / name).is_file()}
    return names


def test_the_wheel_holds_the_files_that_git_holds_of_them(wheel):
    """Nothing that lay about in a folder, nothing left behind, no test, and the licence."""
    expected = held_by_git()
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    about = {name for name in held if ".dist-info/" in name}
    assert held - about == expected
    assert {name.rpartition(".")[2] for name in expected} <= TRAVEL
    assert not [name for name in expected if {"tests", "conftest.py"} & set(name.split("/"))]
    assert any(name.endswith("/licenses/LICENSE") for name in about)
    assert wheel.stat().st_size < LARGEST


def test_data_files_travel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "thgeval/py.typed",
        "thgeval/result.schema.json",
        "thgeval/about/references.bib",
        "thgeval/protocols/native.toml",
        "thgeval/protocols/hdtf-gagavatar19.toml",
        "thgeval/protocols/datasets/hdtf.toml",
        "thgeval/protocols/lists/hdtf.txt",
        "thgeval/report/templates/report.html.j2",
        "thgeval_models/weights.toml",
        "thgeval_models/sync_lm.safetensors",
        "thgeval_baselines/speech/speech.opus",
        "thgeval_baselines/speech/speech.json",
        "thgeval_baselines/tasks/taskset.schema.json",
        "thgeval_baselines/tasks/item.schema.json",
        "thgeval_baselines/adapters/manifest.schema.json",
        "thgeval_baselines/adapters/manifests/wav2lip.yaml",
        "thgeval_baselines/contamination/data.toml",
    } <= names


def test_each_parent_folder_holds_one_package_and_no_other_python():
    for parent, package in (
        ("reference_models", "thgeval_models"),
        ("baselines", "thgeval_baselines"),
        ("leaderboard", "thgeval_leaderboard"),
    ):
        assert not list((ROOT / parent).glob("*.py"))
        folders = {path.parent.name for path in (ROOT / parent).glob("*/__init__.py")}
        assert folders == {package}


def bring_compiled(site):
    """What numba compiled in the clone, which it knows by a source's time and size, as compiling takes long."""
    for source in (ROOT / "thgeval").rglob("*.py"):
        shutil.copystat(source, site / source.relative_to(ROOT))
    for compiled in (ROOT / "thgeval").rglob("*.nb[ci]"):
        place = site / compiled.relative_to(ROOT)
        place.parent.mkdir(exist_ok=True)
        shutil.copy2(compiled, place)


@pytest.mark.slow
def test_the_bare_wheel_runs_from_elsewhere(wheel, tmp_path):
    """Installed without extras, in an environment that sees this one's dependencies but not the clone."""
    environment = tmp_path / "env"
    venv.create(environment, with_pip=False)
    named = {"base": str(environment), "platbase": str(environment)}  # Scripts or bin, Lib or lib/python3.x
    site, scripts = (Path(sysconfig.get_path(what, "venv", named)) for what in ("purelib", "scripts"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    bring_compiled(site)
    dependencies = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    hidden = ("thgeval", "torch", "pandas", "skimage", "_editable", "__editable__")
    for item in dependencies.iterdir():
        if not item.name.startswith(hidden) and item.suffix != ".pth" and not (site / item.name).exists():
            (site / item.name).symlink_to(item)
    python = scripts / Path(sys.executable).name
    apart = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "THGEVAL", "NUMBA"))}
    apart |= {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    run = subprocess.run(
        [python, "-m", "thgeval.cli.main", "selftest"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=apart,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    where = subprocess.run(
        [python, "-c", "import thgeval, json, sys; print(json.dumps([thgeval.__file__, 'torch' in sys.modules]))"],
        cwd=tmp_path, capture_output=True, text=True, check=True, env=apart,
    )  # fmt: skip
    path, torch_loaded = json.loads(where.stdout)
    assert Path(path).is_relative_to(environment)
    assert not torch_loaded
