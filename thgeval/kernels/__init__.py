"""Loops over pixels and rows: one folder per kernel, its contract in ``__init__``, one file per device."""
