"""The manifest: complete, consistent, and true of every file that is at hand."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from thgeval_models import manifest
from thgeval_models.errors import HashMismatchError, ManifestError, UnknownWeightsError, UnreadableFileError
from thgeval_models.hashing import Verification, git_blob, sha256, verify

ASSETS = Path(__file__).resolve().parents[2] / ".." / "shared" / "assets" / "weights"
AT_HAND = {
    "3ddfa-expression-basis": "3ddfa_w_exp_base.txt",
    "3ddfa-mb05": "mb05_120x120.pth",
    "3ddfa-mean-shape": "3ddfa_u_base.txt",
    "3ddfa-shape-basis": "3ddfa_w_shp_base.txt",
    "face-landmarker": "face_landmarker.task",
    "mobilefacenet": "mobilefacenet_foamliu.pt",
    "raft-small": "raft-small.pth",
    "yunet": "yunet_n_640_640.onnx",
}
NEED_A_NETWORK = (
    "lpips fid kid prdc fvd e-fid clipsim iqa fid-random prdc-random fvd-random fvd-effnet effnet-distance tlp fid-vid",
    "csim f-sim aed-euclid id-consistency id prmse apd aed-3dmm aucon aue avd",
    "akd mkr lmd f-lmd m-lmd lvd blinks-per-s blink-duration ofm temporal-warp-error",
    "sync-conf lse-d av-offset sync-lm-conf sync-lm-dist sync-lm-offset sync-envelope",
    "lip-sync-theval silent-lip-stability avs-u avs-m avs-v lip-score wer cer",
)
ENTRY = """
[net]
tier = "light"
file = "net.pth"
origin = "https://example.org/net.pth"
sha256_prefix = "0a1b2c3d"
paper = "A paper"
code_licence = "MIT"
weight_licence = "MIT"
commercial_use = "yes"
input = { size = "3 x 8 x 8", range = "[0, 1]", channels = "RGB", normalisation = "none" }
used_by = ["fid"]
"""


def test_every_metric_that_needs_a_network_has_one() -> None:
    served = {metric for entry in manifest.manifest().values() for metric in entry.used_by}
    assert served == {metric for line in NEED_A_NETWORK for metric in line.split()}


@pytest.mark.parametrize("name", manifest.manifest())
def test_entries_are_consistent(name: str) -> None:
    entry = manifest.weights(name)
    assert entry.name == name
    assert not entry.network or importlib.util.find_spec(f"thgeval_models.{entry.network}")
    assert entry.paper
    assert entry.weight_licence
    assert all((entry.input.size, entry.input.range, entry.input.channels, entry.input.normalisation))
    if entry.tier == "light":
        assert entry.has_known_hash
        assert entry.origin.startswith("https://")


def test_files_have_different_names() -> None:
    files = [entry.file for entry in manifest.manifest().values()]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("name", AT_HAND)
def test_files_at_hand_are_the_published_ones(name: str) -> None:
    path, entry = ASSETS / AT_HAND[name], manifest.weights(name)
    if not path.exists():
        pytest.skip("needs ../shared/assets/weights")
    assert verify(path, entry) == Verification(state="verified", sha8=entry.sha256[:8])
    assert path.stat().st_size == entry.bytes


def test_the_list_of_networks_is_read_without_torch() -> None:
    code = "import sys, thgeval_models.hashing, thgeval_models.manifest as m; m.manifest()"
    code += "; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("raft", "No weights are called 'raft'; did you mean raft-small or raft-small-torchvision or raft-things?"),
        ("syncnet", "No weights are called 'syncnet'; did you mean syncnet-v2?"),
        ("sincnet-v2", "No weights are called 'sincnet-v2'; did you mean syncnet-v2"),
        ("zzz", "No weights are called 'zzz'; known names are random-vgg16, "),
    ],
)
def test_an_unknown_name_gets_suggestions(name: str, message: str) -> None:
    with pytest.raises(UnknownWeightsError) as caught:
        manifest.weights(name)
    assert str(caught.value).startswith(message)


def test_an_entry_is_read() -> None:
    entry = manifest.parse(ENTRY)["net"]
    assert (entry.tier, entry.sha256_prefix, entry.bytes, entry.used_by) == ("light", "0a1b2c3d", 0, ("fid",))
    assert entry.input.channels == "RGB"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('tier = "light"', 'tier = "heavy"', "tier = 'heavy'; it must be one of embedded, light, canonical"),
        ('commercial_use = "yes"', 'commercial_use = "maybe"', "it must be one of yes, no, unclear"),
        ('paper = "A paper"', "", "lacks paper"),
        ('paper = "A paper"', 'paper = "A paper"\ncolour = "red"', "has an unknown field colour"),
        ("0a1b2c3d", "0a1b2c", "at least 8 small hex digits"),
        ("0a1b2c3d", "0A1B2C3D", "at least 8 small hex digits"),
        ('sha256_prefix = "0a1b2c3d"', 'sha256 = "0a1b2c3d"', "sha256 must be 64 small hex digits"),
        ('sha256_prefix = "0a1b2c3d"', "", 'needs a sha256, git_blob or sha256_prefix, else hash = "unknown"'),
        ('sha256_prefix = "0a1b2c3d"', 'sha256_prefix = "0a1b2c3d"\nhash = "unknown"', "needs a sha256"),
        ('origin = "https://example.org/net.pth"', "", "has no origin, origin_note or package"),
        ("https://example.org", "ftp://example.org", "origin must be a web address"),
        ('channels = "RGB", ', "", "input must state size, range, channels and normalisation"),
        ("[net]", "[net", "not valid TOML"),
        *(
            ("[net]", f"[net]\npackaged = {wrong}", "packaged must state package, path and version")
            for wrong in (
                '{ package = "a", path = "../b" }',
                '{ package = "a", path = "b/../../c" }',
                '{ package = "a", path = "/b/c" }',
                '{ package = "a", path = "b" }',
                '{ package = "a; rm", path = "b/c" }',
                '{ package = "a", version = "1 2", path = "b/c" }',
                '{ package = "a" }',
                '{ package = "a", path = "b/c", sha256 = "0" }',
                '{ package = 1, path = "b/c" }',
                '"a:b"',
            )
        ),
    ],
)
def test_wrong_entries_are_refused(old: str, new: str, message: str) -> None:
    assert old in ENTRY
    with pytest.raises(ManifestError) as caught:
        manifest.parse(ENTRY.replace(old, new))
    assert message in str(caught.value)


def test_a_packaged_file_is_found_without_importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_models").mkdir()
    (tmp_path / "some_models" / "__init__.py").write_text("raise RuntimeError('imported')")
    (tmp_path / "some_models" / "net.dat").write_bytes(b"x")
    monkeypatch.syspath_prepend(tmp_path)
    entry = manifest.parse(
        ENTRY.replace("[net]", '[net]\npackaged = { package = "some-models", path = "some_models/net.dat" }')
    )["net"]
    assert manifest.packaged_path(entry) == tmp_path / "some_models" / "net.dat"
    assert manifest.packaged_path(manifest.parse(ENTRY)["net"]) is None
    missing = manifest.parse(
        ENTRY.replace("[net]", '[net]\npackaged = { package = "no-models", path = "no_such_models/net.dat" }')
    )["net"]
    assert manifest.packaged_path(missing) is None


# --- hashes --------------------------------------------------------------------------------------------------------

HELLO = b"hello\n"
HELLO_SHA256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
HELLO_BLOB = "ce013625030ba8dba906f756967f9e9ca394464a"  # git hash-object


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello.pth"
    path.write_bytes(HELLO)
    return path


def entry_with(line: str) -> manifest.Weights:
    return manifest.parse(ENTRY.replace('sha256_prefix = "0a1b2c3d"', line))["net"]


def test_hashes_are_those_of_sha256sum_and_git(hello: Path) -> None:
    assert sha256(hello) == HELLO_SHA256
    assert git_blob(hello) == HELLO_BLOB


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (f'sha256 = "{HELLO_SHA256}"', "verified"),
        (f'git_blob = "{HELLO_BLOB}"', "verified"),
        (f'sha256_prefix = "{HELLO_SHA256[:10]}"', "verified"),
        (f'sha256 = "{HELLO_SHA256}"\ngit_blob = "{HELLO_BLOB}"', "verified"),
        ('hash = "unknown"', "unverified"),
    ],
)
def test_verify(hello: Path, line: str, state: str) -> None:
    assert verify(hello, entry_with(line)) == Verification(state=state, sha8=HELLO_SHA256[:8])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f'sha256 = "{"0" * 64}"', "sha256"),
        (f'git_blob = "{"0" * 40}"', "git blob id"),
        ('sha256_prefix = "00000000"', "sha256 prefix"),
        (f'sha256 = "{HELLO_SHA256}"\ngit_blob = "{"0" * 40}"', "git blob id"),
    ],
)
def test_another_file_is_told(hello: Path, line: str, kind: str) -> None:
    with pytest.raises(HashMismatchError, match=rf"is not the published net.pth: its {kind} is") as caught:
        verify(hello, entry_with(line))
    assert caught.value.sha8 == HELLO_SHA256[:8]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"nowhere.pth can't be read .*; check the path"):
        verify(tmp_path / "nowhere.pth", entry_with('hash = "unknown"'))
