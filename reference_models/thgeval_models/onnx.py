"""Tensors out of an ONNX file, by the place of the operation that uses them.

ONNX files are protocol buffers. Of the graph only its operations and their stored tensors are read; nothing is run.
Tensors are named ``NNNN.Operation.P``: the operation's number in the file, which is an order of execution, its kind,
and the position of the tensor among its inputs. Names in the files themselves are numbers of the exporter's choosing.

Source: onnx/onnx ``onnx/onnx.proto`` (IR version 10): the fields below.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from thgeval_models.errors import UnreadableFileError

GRAPH, NODES, TENSORS = 7, 1, 5
NODE_INPUTS, NODE_KIND = 1, 4
TENSOR_SIZES, TENSOR_TYPE, TENSOR_FLOATS, TENSOR_NAME, TENSOR_BYTES = 1, 2, 4, 8, 9
TYPES = {1: "<f4", 7: "<i8", 10: "<f2", 11: "<f8"}
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Field = tuple[int, int | memoryview]


def read_onnx(path: Path) -> dict[str, Tensor]:
    """Every stored tensor that an operation uses, by number, kind and position of its use.

    Raises UnreadableFileError for a cut or foreign file.
    """
    try:
        return _tensors(memoryview(path.read_bytes()))
    except (ValueError, IndexError, KeyError, TypeError, OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"{path} is not a complete ONNX file ({error}); fetch the file again.") from error


def _tensors(content: memoryview) -> dict[str, Tensor]:
    graph = [value for field, value in _fields(content) if field == GRAPH]
    if len(graph) != 1:
        raise ValueError("it has no graph")
    parts = list(_fields(_message(graph[0])))
    stored = dict(_stored(_message(value)) for field, value in parts if field == TENSORS)
    named: dict[str, Tensor] = {}
    for number, node in enumerate(_message(value) for field, value in parts if field == NODES):
        fields = list(_fields(node))
        kind = next((_text(value) for field, value in fields if field == NODE_KIND), "")
        inputs = [_text(value) for field, value in fields if field == NODE_INPUTS]
        named |= {f"{number:04d}.{kind}.{i}": stored[name] for i, name in enumerate(inputs) if name in stored}
    return named


def _stored(message: memoryview) -> tuple[str, Tensor]:
    name, kind, sizes, values = "", "", list[int](), memoryview(b"")
    for field, value in _fields(message):
        if field == TENSOR_SIZES:
            sizes += [value] if isinstance(value, int) else list(_varints(value))
        elif field == TENSOR_TYPE:
            kind = TYPES.get(int(value) if isinstance(value, int) else -1, "")
        elif field == TENSOR_NAME:
            name = _text(value)
        elif field in (TENSOR_BYTES, TENSOR_FLOATS):
            values = _message(value)
    if not kind:
        return name, torch.empty(0)
    return name, torch.from_numpy(np.frombuffer(values, kind).reshape(sizes).copy())


def _fields(message: memoryview) -> Iterator[Field]:
    """Numbers and values of a message's fields: whole numbers, or the bytes of anything else."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        field, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _varint(message, at)
            yield field, value
            continue
        if wire == BYTES:
            size, at = _varint(message, at)
        else:
            size = {FIXED64: 8, FIXED32: 4}[wire]
        if at + size > len(message):
            raise ValueError("it is cut short")
        yield field, message[at : at + size]
        at += size


def _varints(packed: memoryview) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise TypeError("a part of it is of another kind")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_message(value)).decode()
