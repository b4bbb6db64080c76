"""Metrics of the surface of a face over time, from a file beside the clip."""
