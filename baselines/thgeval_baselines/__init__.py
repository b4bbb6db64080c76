"""Baselines of thgeval: synthetic heads with known truth, and controls; see ``baselines/README.md``."""
