"""Zip archives of weights, read in place: nothing is unpacked to disk, and nothing unusual is let through.

``torch.save`` and TorchScript both write a zip with one top folder, the tensors' bytes stored uncompressed under
``data/`` and a pickle ``data.pkl`` that says how they fit together. An archive is refused as a whole, before any
member is read, if a member's name leaves that folder, occurs twice, or if its stated size can't be true: whoever made
such a file did not make it with PyTorch.
"""

import zipfile
from pathlib import Path, PurePosixPath

from thgeval_models.errors import UnreadableFileError, UnsafeFileError

MOST_MEMBERS = 100_000
MOST_INFLATION = 1000  # deflate can't exceed 1032 : 1; source code in TorchScript files stays far below
SMALL_BYTES = 1 << 20
TORCHSCRIPT_MARK = "constants.pkl"
FROM_AUTHORS = "get the file from its authors"


class Archive:
    """The members of one archive, addressed below its top folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise UnreadableFileError(
                f"{path} is not a complete zip archive ({error}); fetch the file again."
            ) from error
        members = self._zip.infolist()
        _check_members(path, members)
        self._members = {name: info for info in members if (name := _below_top(info.filename))}

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def is_torchscript(self) -> bool:
        """Whether this was written by torch.jit.save rather than torch.save."""
        return TORCHSCRIPT_MARK in self

    def read(self, name: str) -> bytes:
        """The bytes of a member, which must be stored uncompressed, as PyTorch stores what it reads as data."""
        if name not in self:
            raise UnreadableFileError(f"{self.path} lacks its part {name}; fetch the file again.")
        info = self._members[name]
        if info.compress_type != zipfile.ZIP_STORED:
            raise UnsafeFileError(f"{self.path} has compressed data, which PyTorch never writes; {FROM_AUTHORS}.")
        try:
            return self._zip.read(info)
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise UnreadableFileError(f"{self.path} is damaged at {name} ({error}); fetch the file again.") from error


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [info.filename for info in members]
    tops = {PurePosixPath(name).parts[:1] for name in names}
    oddity = ""
    if len(names) > MOST_MEMBERS:
        oddity = f"has {len(names)} members"
    elif len(set(names)) < len(names):
        oddity = "has two members of one name"
    elif any(not _stays_inside(name) for name in names):
        oddity = "has a member whose name leads out of the archive"
    elif len(tops) > 1:
        oddity = "has several top folders"
    elif any(info.file_size > max(SMALL_BYTES, MOST_INFLATION * info.compress_size) for info in members):
        oddity = "has a member that would unpack to an absurd size"
    elif any(info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size for info in members):
        oddity = "states sizes that contradict each other"
    if oddity:
        raise UnsafeFileError(f"{path} {oddity}, which PyTorch never writes; {FROM_AUTHORS}.")


def _stays_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return not (name.startswith("/") or "\\" in name or ":" in name or ".." in parts)


def _below_top(name: str) -> str:
    return "/".join(PurePosixPath(name).parts[1:])
