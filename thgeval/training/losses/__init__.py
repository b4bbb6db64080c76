"""Losses: the metrics' own numbers with a gradient, what else talking heads are trained by, and the survey's fifteen.

Each is a ``torch.nn.Module`` that gives a scalar: less is better. ``table12`` has the fifteen losses of the survey's
Table 12 as functions.
"""

from thgeval.training.losses.faces import ArcFaceLoss, IdentityLoss, LandmarkLoss, SyncLoss
from thgeval.training.losses.framewise import L1Loss, L1SSIMLoss, MSELoss, MSSSIMLoss, PSNRLoss, SSIMLoss
from thgeval.training.losses.motion import FlickerLoss, TemporalWarpLoss
from thgeval.training.losses.perceptual import LPIPSLoss

__all__ = [
    "ArcFaceLoss",
    "FlickerLoss",
    "IdentityLoss",
    "L1Loss",
    "L1SSIMLoss",
    "LPIPSLoss",
    "LandmarkLoss",
    "MSELoss",
    "MSSSIMLoss",
    "PSNRLoss",
    "SSIMLoss",
    "SyncLoss",
    "TemporalWarpLoss",
]
