"""Everything this package raises on purpose: one sentence that says what is wrong and what to do.

    ModelError
    ├── UnknownWeightsError   no weight file of that name is in the manifest
    ├── ManifestError         the manifest itself is wrong
    ├── HashMismatchError     the file is not the published one: another file, or a damaged copy
    ├── UnsafeFileError       the file holds more than tensors; it was not read
    ├── UnreadableFileError   the file is not in a format that tensors can be read from, or it is cut short
    ├── ArchitectureError     the tensors belong to another network
    ├── InputShapeError       the images or clips don't fit what the network was trained on
    └── MissingPackageError   an optional package is not installed

Anything else that comes out of this package is a bug.
"""


class ModelError(Exception):
    """A problem with a network or its weights that the user can solve."""


class UnknownWeightsError(ModelError):
    """No weight file of that name is in the manifest."""


class ManifestError(ModelError):
    """An entry of the manifest is incomplete or contradicts itself."""


class HashMismatchError(ModelError):
    """The file differs from the published one; ``sha8`` tells which file it is."""

    def __init__(self, message: str, *, sha8: str) -> None:
        super().__init__(message)
        self.sha8 = sha8

    def __reduce__(self) -> tuple[object, ...]:
        return (_hash_mismatch, (str(self), self.sha8))


def _hash_mismatch(message: str, sha8: str) -> HashMismatchError:
    return HashMismatchError(message, sha8=sha8)


class UnsafeFileError(ModelError):
    """The file holds something other than tensors and containers, and was not read."""


class UnreadableFileError(ModelError):
    """The file is of no format that tensors can be read from, or it is incomplete."""


class ArchitectureError(ModelError):
    """The tensors don't fit the network: names are missing, unexpected or of another shape."""


class InputShapeError(ModelError):
    """The input's shape does not fit the network."""


class MissingPackageError(ModelError):
    """An optional package is not installed; the message holds the install line."""
