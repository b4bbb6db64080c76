"""Tensors out of a weight file, and into a network, without running anything that is in the file.

Formats: what ``torch.save`` writes (read with ``weights_only``), safetensors, and of TorchScript archives and ONNX
files the tensors only, see torchscript.py and onnx.py. A file that holds anything but tensors and containers is refused
as a whole.
"""

import pickle
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from thgeval_models.archive import Archive
from thgeval_models.containers import tensors_in
from thgeval_models.errors import ArchitectureError, MissingPackageError, UnreadableFileError, UnsafeFileError
from thgeval_models.hashing import Verification, verify
from thgeval_models.onnx import read_onnx
from thgeval_models.torchscript import read_torchscript

__all__ = ["Verification", "fit", "load_tensors", "under", "verify"]

Network = TypeVar("Network", bound=nn.Module)

MOST_NAMES_SHOWN = 3
COUNTER = "num_batches_tracked"  # batch norm's training counter: some files have it, no output depends on it


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a weight file, on the CPU, by name.

    Dictionaries inside dictionaries are joined with dots (``state_dict.conv1.weight``); numbers and text are left out.
    Raises UnreadableFileError for a missing, cut or foreign file, UnsafeFileError for one that holds more than tensors.
    """
    if not path.is_file():
        raise UnreadableFileError(f"There is no file {path}; check the path.")
    if path.suffix == ".safetensors":
        return _safetensors(path)
    if path.suffix == ".onnx":
        return read_onnx(path)
    if not zipfile.is_zipfile(path):
        return _torch_file(path)
    with Archive(path) as archive:
        if archive.is_torchscript:
            return read_torchscript(archive)
    return _torch_file(path)


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose name begins with ``prefix``, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def fit(network: Network, tensors: Mapping[str, Tensor]) -> Network:
    """Give the network these tensors, and put it into evaluation mode, without gradients.

    Names and shapes must agree exactly, batch norm's counters apart; raises ArchitectureError, which says what doesn't.
    """
    wanted = {name: tensor for name, tensor in network.state_dict().items() if not name.endswith(COUNTER)}
    given = {name: tensor for name, tensor in tensors.items() if not name.endswith(COUNTER)}
    both = wanted.keys() & given.keys()
    shapes = [
        f"{name} is {_shape(given[name])} instead of {_shape(wanted[name])}"
        for name in wanted
        if name in both and given[name].shape != wanted[name].shape
    ]
    complaints = [
        *_complaint("missing", [name for name in wanted if name not in both]),
        *_complaint("unexpected", [name for name in given if name not in both]),
        *_complaint("of another shape", shapes),
    ]
    if complaints:
        raise ArchitectureError(
            f"{type(network).__name__} can't take these weights: {'; '.join(complaints)}. Give it the file made for it."
        )
    complete = {name: given[name].to(tensor.dtype) for name, tensor in wanted.items()}
    complete |= {name: torch.tensor(0) for name in network.state_dict() if name.endswith(COUNTER)}
    network.load_state_dict(complete, assign=True)
    return network.eval().requires_grad_(False)


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError as error:
        raise MissingPackageError(f"Reading {path.name} needs an optional package: pip install safetensors") from error
    try:
        return dict(load(path.read_bytes()))  # load_file's tensors stay a view of the file, and follow what befalls it
    except (SafetensorError, OSError) as error:
        raise UnreadableFileError(
            f"{path} is not a complete safetensors file ({error}); fetch the file again."
        ) from error


def _torch_file(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of unusual pickle protocols: such files are read or refused
            content = torch.load(path, map_location="cpu", weights_only=True)
        return {name or "tensor": tensor.detach() for name, tensor in tensors_in(content, _parts)}
    except pickle.UnpicklingError as error:
        raise UnsafeFileError(
            f"{path} holds more than tensors, or is no PyTorch file at all, and was not read; "
            "save its state_dict() on its own, or get a safetensors copy."
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError, ValueError, AttributeError, IndexError, TypeError) as error:
        raise UnreadableFileError(
            f"{path} is damaged or of a format PyTorch doesn't know; fetch the file again."
        ) from error


def _parts(value: Any) -> Iterable[tuple[Any, Any]]:
    return value.items() if isinstance(value, Mapping) else ()


def _shape(tensor: Tensor) -> str:
    return "x".join(str(n) for n in tensor.shape) or "a scalar"


def _complaint(kind: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - MOST_NAMES_SHOWN} more" if len(names) > MOST_NAMES_SHOWN else ""
    return [f"{len(names)} {kind} ({', '.join(names[:MOST_NAMES_SHOWN])}{more})"]
