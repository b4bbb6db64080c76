"""Tensors out of a TorchScript archive, without running its code.

A TorchScript file holds, beside source code, a pickle that lists the modules' attributes and points to the tensors'
bytes. Python's own unpickler would import and call whatever such a file names. This module instead *interprets* the
list: a small stack machine knows the opcodes PyTorch writes, builds tensors, containers and attribute bags itself, and
refuses all else.
No name from the file is ever imported, looked up on an object or called.

Source of the format: ``torch/csrc/jit/serialization/{pickler,unpickler}.cpp`` of PyTorch.
"""

import math
import pickletools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from thgeval_models.archive import Archive
from thgeval_models.containers import tensors_in
from thgeval_models.errors import UnreadableFileError, UnsafeFileError

MOST_PICKLE_BYTES = 64 << 20
UNNEEDED = "weight files don't need"

STORAGE_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


@dataclass(frozen=True)
class Name:
    """A name the pickle mentions: kept as text, never resolved."""

    module: str
    attribute: str


@dataclass(eq=False)
class Bag:
    """An object of the file, reduced to its attributes."""

    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Storage:
    """The bytes of one storage and how to read them."""

    raw: bytes
    dtype: torch.dtype


def read_torchscript(archive: Archive) -> dict[str, Tensor]:
    """Every tensor of the archive's modules, under the names ``state_dict()`` would give them."""
    content = archive.read("data.pkl")
    if len(content) > MOST_PICKLE_BYTES:
        raise UnsafeFileError(f"{archive.path} lists an absurd number of attributes; get the file from its authors.")
    if "byteorder" in archive and archive.read("byteorder").strip() != b"little":
        raise UnreadableFileError(
            f"{archive.path} was saved on a big-endian machine; save it again on a little-endian one."
        )
    try:
        return dict(tensors_in(_Machine(archive).run(content), _parts))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, RuntimeError, OverflowError) as error:
        raise UnreadableFileError(f"{archive.path} has a damaged list of attributes; fetch the file again.") from error


def _parts(value: Any) -> Iterable[tuple[Any, Any]]:
    """What an attribute holds, by name or position."""
    if isinstance(value, Bag):
        return value.attributes.items()
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


class _Mark:
    """Where a group of stack entries begins."""


class _Machine:
    """The pickle stack machine, restricted to what the TorchScript writer emits."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._storages: dict[str, Storage] = {}

    def run(self, content: bytes) -> Any:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "STOP":
                return self._stack.pop()
            step = _STEPS.get(opcode.name)
            if step is None:
                raise UnsafeFileError(f"{self._archive.path} uses the opcode {opcode.name}, which {UNNEEDED}.")
            step(self, argument)
        raise ValueError("the pickle does not end")

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def pop(self) -> Any:
        return self._stack.pop()

    def pop_to_mark(self) -> list[Any]:
        start = max(i for i, value in enumerate(self._stack) if isinstance(value, _Mark))
        group = self._stack[start + 1 :]
        del self._stack[start:]
        return group

    def name(self, argument: str) -> None:
        module, attribute = argument.split(" ", 1)
        self.push(Name(module, attribute))

    def put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def memoize(self, _: object) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def get(self, index: int) -> None:
        self.push(self._memo[index])

    def tuple_of(self, count: int) -> None:
        group = self._stack[-count:]
        del self._stack[-count:]
        self.push(tuple(group))

    def append(self, _: object) -> None:
        value = self.pop()
        self._list_on_top().append(value)

    def appends(self, _: object) -> None:
        values = self.pop_to_mark()
        self._list_on_top().extend(values)

    def set_item(self, _: object) -> None:
        value, key = self.pop(), self.pop()
        self._dict_on_top()[_key(key)] = value

    def set_items(self, _: object) -> None:
        group = self.pop_to_mark()
        self._dict_on_top().update(zip(map(_key, group[::2]), group[1::2], strict=True))

    def new_object(self, _: object) -> None:
        arguments, name = self.pop(), self.pop()
        if not isinstance(name, Name) or not name.module.startswith("__torch__") or arguments != ():
            raise self._refusal(name)
        self.push(Bag())

    def build(self, _: object) -> None:
        state, bag = self.pop(), self._stack[-1]
        if not isinstance(bag, Bag):
            raise self._refusal(bag)
        if isinstance(state, dict):
            bag.attributes.update(state)
        else:
            bag.attributes["state"] = state

    def storage(self, _: object) -> None:
        """('storage', storage type, key, device, number of elements)"""
        kind, name, key, _device, count = self.pop()
        key = _key(key)
        dtype = _DTYPES.get(name) if isinstance(name, Name) else None
        if kind != "storage" or dtype is None:
            raise self._refusal(name)
        if key not in self._storages:
            storage = Storage(self._archive.read(f"data/{key}"), dtype)
            if len(storage.raw) != count * storage.dtype.itemsize:
                raise UnreadableFileError(f"{self._archive.path} is damaged at data/{key}; fetch the file again.")
            self._storages[key] = storage
        self.push(self._storages[key])

    def reduce(self, _: object) -> None:
        arguments, name = self.pop(), self.pop()
        builder = _BUILDERS.get(name) if isinstance(name, Name) else None
        if builder is None:
            raise self._refusal(name)
        self.push(builder(*arguments))

    def _list_on_top(self) -> list[Any]:
        if type(self._stack[-1]) is not list:
            raise self._refusal(self._stack[-1])
        return self._stack[-1]

    def _dict_on_top(self) -> dict[Any, Any]:
        if type(self._stack[-1]) is not dict:
            raise self._refusal(self._stack[-1])
        return self._stack[-1]

    def _refusal(self, what: object) -> UnsafeFileError:
        said = f"{what.module}.{what.attribute}" if isinstance(what, Name) else f"a {type(what).__name__}"
        return UnsafeFileError(f"{self._archive.path} asks to build {said}, which {UNNEEDED}; it was not read.")


def _key(value: Any) -> Any:
    """What a dictionary is asked by; nothing that nests, which is hashed at the cost of the stack."""
    if not isinstance(value, str | int | float | None):
        raise TypeError(f"a key is a {type(value).__name__}")
    return value


def _tensor(storage: Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Tensor:
    """A tensor over a storage; what follows the strides (gradient flag, hooks) plays no role here."""
    count = len(storage.raw) // storage.dtype.itemsize
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if math.prod(size) == 0:
        return torch.empty(size, dtype=storage.dtype)
    if min((offset, *size, *stride)) < 0 or last >= count:
        raise ValueError("a tensor reaches beyond its storage")
    flat = torch.frombuffer(bytearray(storage.raw), dtype=storage.dtype)
    return flat.as_strided(size, stride, offset).clone()


def _same(value: Any, *_: object) -> Any:
    return value


_BUILDERS: dict[Name, Callable[..., Any]] = {
    Name("torch._utils", "_rebuild_tensor_v2"): _tensor,
    Name("torch._utils", "_rebuild_parameter"): _same,
    Name("collections", "OrderedDict"): lambda pairs=(): {_key(key): value for key, value in pairs},
    Name("torch.jit._pickle", "build_intlist"): _same,
    Name("torch.jit._pickle", "build_doublelist"): _same,
    Name("torch.jit._pickle", "build_boollist"): _same,
    Name("torch.jit._pickle", "build_tensorlist"): _same,
    Name("torch.jit._pickle", "restore_type_tag"): _same,
}

_DTYPES = {Name("torch", storage): dtype for storage, dtype in STORAGE_DTYPES.items()}

_CONSTANTS = ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE")

_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(_CONSTANTS, _Machine.push),
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "MARK": lambda machine, _: machine.push(_Mark()),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_to_mark())),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "POP": lambda machine, _: machine.pop(),
    "GLOBAL": _Machine.name,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "NEWOBJ": _Machine.new_object,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.storage,
    "REDUCE": _Machine.reduce,
}
