"""Metrics that rest on what a program of others says of a clip, run from a checkout of the user's own."""
