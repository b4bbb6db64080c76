"""The version of the tool, as signatures print it."""

__version__ = "0.1.0"


def release(package: str) -> str:
    """The installed release of another package whose model or arithmetic decides a number; ``absent`` without it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
