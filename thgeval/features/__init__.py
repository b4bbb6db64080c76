"""Shared quantities, one family per file."""
