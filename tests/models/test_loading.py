"""Weight files: tensors come out, nothing in the file runs, and oddities are refused with a sentence."""

import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from torch import nn

from thgeval_models.errors import ArchitectureError, UnreadableFileError, UnsafeFileError
from thgeval_models.loading import fit, load_tensors, under


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 1, bias=False)
        self.bn = nn.BatchNorm2d(3)
        self.scale = 0.5

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.bn(self.conv(x)) * self.scale


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Block(), nn.ReLU())
        self.head = nn.Linear(3, 4)
        self.tied = self.head
        self.register_buffer("mean", torch.arange(3.0).view(1, 3, 1, 1))
        self.register_buffer("halved", torch.arange(12.0).view(3, 4).t()[1:, :2].half())
        self.sizes = [1, 2]
        self.names = {"a": 1}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head((self.blocks(x) - self.mean).mean((2, 3)))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(3)
    return Net()


def scripted(net: nn.Module, path: Path, *, traced: bool = False) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer PyTorch calls TorchScript deprecated
        net.eval()
        module = torch.jit.trace(net, torch.zeros(1, 2, 4, 4)) if traced else torch.jit.script(net)
        torch.jit.save(module, str(path))
    return path


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_reads_what_torch_saves(net: Net, tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "net.pth"
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=zipped)
    assert_same(load_tensors(path), net.state_dict())


def test_joins_nested_dictionaries_and_leaves_out_numbers(net: Net, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    torch.save({"epoch": 7, "state_dict": net.state_dict(), "lr": [0.1]}, path)
    tensors = load_tensors(path)
    assert all(name.startswith("state_dict.") for name in tensors)
    assert_same(under(tensors, "state_dict."), net.state_dict())


def test_reads_safetensors(net: Net, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    path = tmp_path / "net.safetensors"
    tensors = {name: tensor.contiguous().clone() for name, tensor in net.state_dict().items()}
    safetensors.save_file(tensors, path)
    assert_same(load_tensors(path), net.state_dict())


@pytest.mark.parametrize("traced", [False, True], ids=["scripted", "traced"])
def test_reads_torchscript(net: Net, tmp_path: Path, traced: bool) -> None:
    path = scripted(net, tmp_path / "net.pt", traced=traced)
    assert_same(load_tensors(path), net.state_dict())


def test_torchscript_is_read_without_torch_jit(net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scripted(net, tmp_path / "net.pt")
    for name in ("load", "_load_for_mobile"):
        monkeypatch.setattr(torch.jit, name, lambda *_, **__: pytest.fail("the archive was executed"), raising=False)
    monkeypatch.setattr(pickle, "Unpickler", lambda *_, **__: pytest.fail("the pickle was executed"))
    assert_same(load_tensors(path), net.state_dict())


# --- files that try to run something -------------------------------------------------------------------------------


class Payload:
    """Unpickled the ordinary way, this creates a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.target,))


def test_the_payload_would_work(tmp_path: Path) -> None:
    target = tmp_path / "ran"
    pickle.loads(pickle.dumps(Payload(target)))
    assert target.exists()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_malicious_torch_file_runs_nothing(tmp_path: Path, zipped: bool) -> None:
    path, target = tmp_path / "bad.pth", tmp_path / "ran"
    torch.save({"w": Payload(target)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeFileError, match="was not read"):
        load_tensors(path)
    assert not target.exists()


def test_malicious_bare_pickle_runs_nothing(tmp_path: Path) -> None:
    path, target = tmp_path / "bad.pkl", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Payload(target)))
    with pytest.raises(UnsafeFileError):
        load_tensors(path)
    assert not target.exists()


def torchscript_archive(path: Path, pickled: bytes, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", pickled)
        archive.writestr("net/constants.pkl", pickle.dumps(()))
        for name, content in members.items():
            archive.writestr(f"net/{name}", content)
    return path


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_malicious_torchscript_archive_runs_nothing(tmp_path: Path, protocol: int) -> None:
    target = tmp_path / "ran"
    path = torchscript_archive(tmp_path / "bad.pt", pickle.dumps({"w": Payload(target)}, protocol=protocol))
    with pytest.raises(UnsafeFileError):
        load_tensors(path)
    assert not target.exists()


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R.",  # call a function
        b"\x80\x02c__torch__.Net\nNet\nX\x01\x00\x00\x00a\x85\x81.",  # construct with arguments
        b"\x80\x02cbuiltins\nobject\n)\x81.",  # construct another class
        b"\x80\x02ccollections\nOrderedDict\n}X\x01\x00\x00\x00aK\x01sb.",  # set attributes of a name
        b"\x80\x02(X\x07\x00\x00\x00storagecos\npopen\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ.",  # as storage
        b"\x80\x02c__torch__.Net\nNet\n(tR.",  # call a class of the archive
        b"\x80\x02}(K\x01K\x02Ne.",  # append to a dictionary
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93.",  # a name from the stack
        b"(lp0\n.",  # protocol 0
    ],
)
def test_other_pickle_tricks_are_refused(tmp_path: Path, pickled: bytes) -> None:
    with pytest.raises(UnsafeFileError):
        load_tensors(torchscript_archive(tmp_path / "bad.pt", pickled))


def test_code_in_an_archive_is_never_touched(net: Net, tmp_path: Path) -> None:
    good = scripted(net, tmp_path / "good.pt")
    target, bad = tmp_path / "ran", tmp_path / "bad.pt"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as copy:
        for info in source.infolist():
            is_code = info.filename.endswith(".py")
            copy.writestr(info, f"open({str(target)!r}, 'w')" if is_code else source.read(info))
    assert_same(load_tensors(bad), net.state_dict())
    assert not target.exists()


# --- archives that can't come from PyTorch -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "net/../../evil", "net\\..\\evil", "c:/evil"])
@pytest.mark.parametrize("torchscript", [True, False])
def test_member_names_that_lead_outside_are_refused(tmp_path: Path, name: str, torchscript: bool) -> None:
    path = tmp_path / "bad.pt"
    torch.save({"w": torch.zeros(2)}, path)
    with zipfile.ZipFile(path, "a") as archive:
        if torchscript:
            archive.writestr("bad/constants.pkl", b"")
        archive.writestr(name, b"x")
    with pytest.raises(UnsafeFileError, match="never writes"):
        load_tensors(path)


def test_absurd_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    torch.save({"w": torch.zeros(2)}, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("bomb/extra", bytes(64 << 20))
    with pytest.raises(UnsafeFileError, match="absurd size"):
        load_tensors(path)


def test_duplicate_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.pt"
    torch.save({"w": torch.zeros(2)}, path)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr("twice/data.pkl", b"x")
    with pytest.raises(UnsafeFileError, match="two members"):
        load_tensors(path)


def test_compressed_tensor_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "packed.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}.")
        archive.writestr("net/constants.pkl", b"")
    with pytest.raises(UnsafeFileError, match="compressed"):
        load_tensors(path)


def storage_pickle(*, count: int, size: int) -> bytes:
    """{'w': tensor of ``size`` over a float storage that claims ``count`` elements}, as PyTorch writes it."""
    number = struct.pack("<i", count)
    length = struct.pack("<i", size)
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuJ" + number + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00J" + length + b"\x85K\x01\x85\x89}tR"
    return b"\x80\x02c__torch__.N\nN\n)\x81}X\x01\x00\x00\x00w" + tensor + b"sb."


DEEP = 250_000  # a walk that calls itself ends there, and a hash takes the interpreter with it
MARKED = b"X\x01\x00\x00\x00a"


@pytest.mark.parametrize(
    "nested",
    {
        "lists": b"]" * DEEP + b"a" * (DEEP - 1) + b".",
        "tuples": b")" + b"\x85" * DEEP + b".",
        "dictionaries": b"}" + (MARKED + b"}") * DEEP + b"s" * DEEP + b".",
        "a key": b"})" + b"\x85" * DEEP + b"Ns.",
        "keys": b"}()" + b"\x85" * DEEP + b"Nu.",
        "an ordered key": b"ccollections\nOrderedDict\n])" + b"\x85" * DEEP + b"N\x86a\x85R.",
        "a storage's key": b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n)" + b"\x85" * DEEP + b"K\x00K\x01tQ.",
        "shared parts": b"]q\x00" + b"".join(b"](h%ch%ceq%c" % (i, i, i + 1) for i in range(60)) + b".",
    }.items(),
    ids=lambda pair: pair[0],
)
def test_what_nests_for_ever_is_refused(tmp_path: Path, nested: tuple[str, bytes]) -> None:
    with pytest.raises((UnreadableFileError, UnsafeFileError), match=r"damaged|get the file"):
        load_tensors(torchscript_archive(tmp_path / "deep.pt", b"\x80\x02" + nested[1]))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("shared", [True, False])
def test_dictionaries_without_end_are_refused(tmp_path: Path, zipped: bool, shared: bool) -> None:
    inner: dict[str, object] = {"w": torch.zeros(1)}
    for _ in range(60 if shared else 200):
        inner = {"a": inner, "b": inner} if shared else {"a": inner}
    torch.save(inner, tmp_path / "deep.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnreadableFileError, match="damaged"):
        load_tensors(tmp_path / "deep.pt")


def test_a_dictionary_inside_itself_is_read_once(tmp_path: Path) -> None:
    content: dict[str, object] = {"w": torch.ones(2)}
    content["me"] = content
    torch.save(content, tmp_path / "net.pt")
    assert load_tensors(tmp_path / "net.pt")["w"].tolist() == [1.0, 1.0]


def test_a_hand_made_archive_can_be_read(tmp_path: Path) -> None:
    path = torchscript_archive(
        tmp_path / "n.pt", storage_pickle(count=3, size=3), **{"data/0": struct.pack("<3f", 1, 2, 3)}
    )
    assert load_tensors(path)["w"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(("count", "size"), [(3, 4), (4, 3), (3, -1)])
def test_tensors_beyond_their_storage_are_refused(tmp_path: Path, count: int, size: int) -> None:
    pickled = storage_pickle(count=count, size=size)
    path = torchscript_archive(tmp_path / "n.pt", pickled, **{"data/0": struct.pack("<3f", 1, 2, 3)})
    with pytest.raises(UnreadableFileError, match="damaged"):
        load_tensors(path)


@pytest.mark.parametrize("keep", [0.3, 0.9])
@pytest.mark.parametrize("kind", ["zip", "legacy", "torchscript"])
def test_cut_files_give_a_sentence(net: Net, tmp_path: Path, kind: str, keep: float) -> None:
    path = tmp_path / "cut.pt"
    if kind == "torchscript":
        scripted(net, path)
    else:
        torch.save(net.state_dict(), path, _use_new_zipfile_serialization=kind == "zip")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises((UnreadableFileError, UnsafeFileError)):
        load_tensors(path)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x08\x07\x12onnx"])
def test_foreign_files_give_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises((UnreadableFileError, UnsafeFileError)):
        load_tensors(path)


def test_a_missing_file_gives_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"There is no file .*nowhere.pth"):
        load_tensors(tmp_path / "nowhere.pth")


# --- into a network ------------------------------------------------------------------------------------------------


def test_fit_takes_files_with_and_without_counters(net: Net) -> None:
    tensors = {name: tensor for name, tensor in net.state_dict().items() if "num_batches" not in name}
    fitted = fit(Net(), tensors)
    assert not fitted.training
    assert not any(parameter.requires_grad for parameter in fitted.parameters())
    assert torch.equal(fitted.head.weight, net.head.weight)


def test_fit_says_what_does_not_fit(net: Net) -> None:
    tensors = dict(net.state_dict())
    del tensors["blocks.0.conv.weight"]
    tensors["extra.weight"] = torch.zeros(1)
    tensors["head.bias"] = torch.zeros(5)
    with pytest.raises(ArchitectureError) as caught:
        fit(Net(), tensors)
    assert str(caught.value) == (
        "Net can't take these weights: 1 missing (blocks.0.conv.weight); 1 unexpected (extra.weight); "
        "1 of another shape (head.bias is 5 instead of 4). Give it the file made for it."
    )


def test_fit_shortens_long_lists() -> None:
    with pytest.raises(ArchitectureError, match=r"11 missing \(mean, halved, blocks.0.conv.weight and 8 more\)"):
        fit(Net(), {})


def test_fit_keeps_the_networks_precision(net: Net) -> None:
    halves = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in net.state_dict().items()
    }
    assert fit(Net(), halves).head.weight.dtype == torch.float32
