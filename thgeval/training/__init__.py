"""Metrics for training loops: losses over the kernels that the command line scores with."""
