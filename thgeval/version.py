"""The version of the tool, as signatures print it."""

__version__ = "0.1.0"
