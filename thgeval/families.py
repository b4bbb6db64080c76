"""What a reader calls the metrics, and the families they come in: the one place that says so."""

from typing import Any, NamedTuple

from thgeval.metric import Metric
from thgeval.metrics import METRICS
from thgeval.registry import metric_class


class Family(NamedTuple):
    """A group of metrics, by what they look at."""

    title: str
    says: str


FAMILIES = {
    "pixels": Family("Pixels", "Each frame by itself, or beside the same frame of the reference."),
    "motion": Family("Motion", "What changes from one frame to the next, and how many frames there are a second."),
    "sets": Family("Sets", "All generated clips against all reference clips, as two sets."),
    "identity": Family("Identity", "Whose face it is, and whether it stays the same one."),
    "faces": Family("Faces", "Landmarks, pose, expression and blinks."),
    "sync": Family("Lip sync", "Whether lips and voice go together."),
    "words": Family("Words", "What is said, as those who read lips or hear speech get it."),
    "views": Family("Views", "Renders of one generated scene from several cameras."),
}
"""The packages of ``thgeval.metrics``, in the order in which they are read."""

TITLES = {
    "psnr": "PSNR",
    "l1": "L1",
    "l1-255": "L1 (0 to 255)",
    "ssim": "SSIM",
    "ms-ssim": "MS-SSIM",
    "fsim": "FSIM",
    "fsimc": "FSIMc",
    "cpbd": "CPBD",
    "f-mse": "F-MSE",
    "ofm": "OFM",
    "video-fps": "FPS (of the clip)",
    "fps": "FPS (of the generator)",
    "lpips": "LPIPS",
    "fid": "FID",
    "kid": "KID",
    "prdc": "PRDC",
    "fvd": "FVD",
    "clipsim": "CLIPSIM",
    "iqa": "IQA (hyperIQA)",
    "csim": "CSIM",
    "f-sim": "F-SIM",
    "aed-euclid": "AED (Euclidean)",
    "id-consistency": "ID consistency",
    "id": "ID",
    "cd": "CD",
    "we": "WE",
    "wer": "WER",
    "cer": "CER",
    "avs-u": "AVSu",
    "avs-m": "AVSm",
    "avs-v": "AVSv",
    "lip-score": "LipScore",
    "sync-conf": "LSE-C",
    "lse-d": "LSE-D",
    "av-offset": "AV offset",
    "sync-lm-conf": "Sync-LM confidence",
    "sync-lm-dist": "Sync-LM distance",
    "sync-lm-offset": "Sync-LM offset",
    "lip-sync-theval": "Lip sync (THEval)",
    "silent-lip-stability": "Silent lip stability (THEval)",
    "fid-random": "FID (random network)",
    "prdc-random": "PRDC (random network)",
    "fvd-random": "FVD (random network)",
    "lmd": "LMD",
    "f-lmd": "F-LMD",
    "m-lmd": "M-LMD",
    "lvd": "LVD",
    "akd": "AKD",
    "mkr": "MKR",
    "blinks-per-s": "Blinks per second",
    "prmse": "PRMSE",
    "apd": "APD",
    "aed-3dmm": "AED (3DMM)",
    "aucon": "AUCON",
    "aue": "AUE",
    "avd": "AVD",
    "e-fid": "E-FID",
}
"""Names that the words of a metric's own name don't make: ``sync-envelope`` is Sync envelope without being listed."""


def title(name: str) -> str:
    """A metric's name as papers write it."""
    return TITLES.get(name, name.replace("-", " ").capitalize())


def family(cls: type[Metric[Any]]) -> str:
    """The family a metric belongs to: the package its module is in."""
    return cls.__module__.split(".")[2]


def members() -> dict[str, list[type[Metric[Any]]]]:
    """The metrics of each family, in the order of the table of metrics."""
    found: dict[str, list[type[Metric[Any]]]] = {name: [] for name in FAMILIES}
    for name in METRICS:
        cls = metric_class(name)
        found[family(cls)].append(cls)
    return found
