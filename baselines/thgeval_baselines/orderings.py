"""How metrics must rank controls: for each metric, what its definition demands of clips whose fault is known.

    psnr    ctl-gt > ctl-h264-crf18 > ctl-h264-crf30 > ctl-h264-crf42

A line speaks of scores over the same clips, whichever way the metric improves: ``a > b`` says that the score of ``a``
is the higher one, ``a = b`` that the two are the same, up to ``within``; either may end in a number. A metric that
breaks its line is broken, or measures something else than it says.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Order:
    """What one metric, asked for by name and preset, must say of controls, and why."""

    metric: str
    line: str
    why: str
    within: float = 0.0

    @property
    def name(self) -> str:
        """The metric's own name."""
        return re.split(r"[/:]", self.metric)[0]

    def terms(self) -> list[str]:
        """Controls and numbers, in order."""
        return re.split(r" [>=] ", self.line)

    def controls(self) -> list[str]:
        """The controls alone."""
        return [term for term in self.terms() if term.startswith("ctl-")]

    def broken(self, scores: Mapping[str, float]) -> list[str]:
        """What of the line doesn't hold for scores by control, a sentence each; with ``nan`` nothing holds."""
        terms, relations = self.terms(), re.findall(r" ([>=]) ", self.line)
        said = []
        for higher, relation, lower in zip(terms[:-1], relations, terms[1:], strict=True):
            a, b = (scores[term] if term in scores else float(term) for term in (higher, lower))
            if not (a > b if relation == ">" else a == b or abs(a - b) <= self.within):
                said.append(f"{self.metric}: {higher} ({a:.6g}) {relation} {lower} ({b:.6g}) doesn't hold")
        return said


CODED = "ctl-gt > ctl-h264-crf18 > ctl-h264-crf30 > ctl-h264-crf42"
RUINED = "ctl-h264-crf42 > ctl-h264-crf30 > ctl-h264-crf18 > ctl-gt = 0"
STRONGER = "what is compressed more is further from the reference"

ORDERS = (
    Order("psnr", CODED, STRONGER),
    Order("psnr", "ctl-jpeg50 > ctl-jpeg20 > ctl-jpeg10", STRONGER),
    Order("psnr", "ctl-noise2 > ctl-noise5", "more noise is a larger error"),
    Order("l1", RUINED, STRONGER),
    Order("l1-255", RUINED, STRONGER),
    Order("mse", RUINED, STRONGER),
    Order("ssim", CODED, STRONGER),
    Order("ssim", "ctl-blur1 > ctl-blur2 > ctl-blur3", "blur takes structure away"),
    Order("ms-ssim", CODED, STRONGER),
    Order("ms-ssim", "ctl-blur1 > ctl-blur2 > ctl-blur3", "blur takes structure away"),
    Order("fsim", CODED, STRONGER),
    Order("fsimc", CODED, STRONGER),
    Order("cpbd", "ctl-gt > ctl-blur1 > ctl-blur2 > ctl-blur3", "blurred edges are wide"),
    Order("f-mse", "ctl-noise5 > ctl-gt > ctl-still = 0", "what stands still doesn't change; noise does", within=1.0),
    Order("f-mse", "ctl-shuffle > ctl-gt = ctl-reverse", "backwards, frames differ as much", within=1.0),
    Order("ofm", "ctl-gt > ctl-nopose > ctl-still = 0", "a head held still moves less", within=0.1),
    Order("ofm", "ctl-shuffle > ctl-gt", "frames in another order jump"),
    Order("temporal-warp-error", "ctl-shuffle > ctl-gt", "the reference's flow explains it, not leaps"),
    Order("temporal-warp-error", "ctl-still > ctl-gt", "what stands still doesn't move as the reference does"),
    Order("temporal-warp-error", "ctl-noise5 > ctl-gt", "no flow explains noise"),
    Order("tof", "ctl-shuffle > ctl-gt = 0", "frames in another order move otherwise"),
    Order("tof", "ctl-still > ctl-gt", "what stands still lacks the motion"),
    Order("drift", "ctl-drift-fast > ctl-gt > ctl-still = 0", "colours creep; what stands still doesn't", within=0.02),
    Order("video-fps", "ctl-gt = ctl-still = ctl-drop60 = 25", "held frames are frames of the file"),
    Order("fid-random", "ctl-blur3 > ctl-gt = 0", "blurred pictures are others", within=1e-3),
    Order("prdc-random", "ctl-gt = 1", "the reference covers itself"),
    Order("prdc-random", "ctl-gt > ctl-blur3", "blurred pictures cover less"),
    Order(
        "fvd-random:windows=all", "ctl-shuffle > ctl-gt = 0", "frames alone are right, their order isn't", within=1e-3
    ),
    Order("effnet-distance", "ctl-h264-crf42 > ctl-h264-crf18 > ctl-gt = 0", STRONGER),
    Order("fid/effnet", "ctl-h264-crf42 > ctl-h264-crf18 > ctl-gt = 0", STRONGER, within=1e-3),
    Order("kid/effnet", "ctl-h264-crf42 > ctl-h264-crf18 > ctl-gt", STRONGER),
    Order("prdc/effnet", "ctl-gt = 1", "the reference covers itself"),
    Order("prdc/effnet", "ctl-gt > ctl-h264-crf42", "ruined pictures cover less"),
    Order("fvd-effnet:windows=all", "ctl-shuffle > ctl-gt = 0", "frames change more, in another order", within=1e-3),
    Order("csim/dlib", "ctl-gt > ctl-idswap", "another person is another person"),
    Order("csim/dlib", "ctl-mouthfreeze > ctl-idswap", "a still mouth is the same person"),
    Order("f-sim/dlib", "ctl-still > ctl-gt > ctl-idswap", "a still picture is the one it was made from"),
    Order("aed-euclid/dlib", "ctl-idswap > ctl-mouthfreeze > ctl-gt = 0", "another person is further away"),
    Order("id-consistency/dlib", "ctl-still > ctl-gt", "a still picture looks like itself"),
    Order("id-consistency/dlib", "ctl-gt = ctl-idswap", "another person is as steady", within=0.02),
    Order("sync-lm-conf", "ctl-gt > ctl-wrongaudio", "lips fit their own sound"),
    Order("sync-lm-conf", "ctl-gt > ctl-mouthfreeze", "lips that don't move fit none"),
    Order("sync-lm-dist", "ctl-wrongaudio > ctl-gt", "lips are nearer to their own sound"),
    Order("sync-lm-dist", "ctl-mouthfreeze > ctl-gt", "lips that don't move are near to none"),
    Order("sync-lm-offset", "ctl-shift5 = 5 > ctl-gt = 0", "a picture five frames late is five frames late"),
    Order("sync-envelope", "ctl-gt > ctl-wrongaudio", "a mouth opens with its own loudness"),
    Order("sync-envelope", "ctl-gt > ctl-mouthfreeze", "a mouth that doesn't open follows nothing"),
    Order("lip-dynamics-theval", "ctl-gt > ctl-halfamp > ctl-mouthfreeze", "half the motion changes the lips half"),
    Order("eyebrow-dynamics-theval", "ctl-gt > ctl-still = 0", "brows of a still picture don't move", within=3e-3),
    Order("head-motion-theval", "ctl-gt > ctl-nopose > ctl-still = 0", "a head held still moves less", within=0.5),
    Order("bas", "ctl-gt = 1", "the head beats with itself"),
    Order("bas", "ctl-gt > ctl-shift10", "a later head beats later"),
    Order("lip-sync-theval", "ctl-mouthfreeze > ctl-gt", "lips that don't move differ from loudness"),
    Order("silent-lip-stability", "ctl-shift10 > ctl-gt", "lips that come late move when the sound has ended"),
    Order("wer/pocketsphinx", "ctl-shuffleaudio > ctl-gt", "speech in pieces has other words"),
    Order("cer/pocketsphinx", "ctl-shuffleaudio > ctl-gt", "speech in pieces has other letters"),
    Order("wer/pocketsphinx", "ctl-wrongaudio > ctl-gt", "other speech has other words"),
    Order("cer/pocketsphinx", "ctl-wrongaudio > ctl-gt", "other speech has other letters"),
    Order("lmd", "ctl-shift5 > ctl-shift2 > ctl-gt = 0", "later lips lie elsewhere"),
    Order("lmd/aligned", "ctl-mouthfreeze > ctl-shift2 > ctl-gt = 0", "lips out of step are still lips"),
    Order("f-lmd", "ctl-shift5 > ctl-shift2 > ctl-gt = 0", "a later face lies elsewhere"),
    Order("m-lmd", "ctl-mouthfreeze > ctl-halfamp > ctl-gt = 0", "half the motion is nearer than none"),
    Order("lvd", "ctl-shuffle > ctl-gt = 0", "frames in another order jump"),
    Order("lvd", "ctl-still > ctl-gt = 0", "what stands still lacks the motion"),
    Order("mouth-amplitude", "ctl-mouthfreeze > ctl-halfamp > ctl-gt = 0", "half the motion lacks half"),
    Order("mouth-correlation", "ctl-gt > ctl-shift5", "a mouth five frames late moves otherwise"),
    Order("mouth-correlation", "ctl-halfamp > ctl-shift5", "half as far is still in time"),
    Order("akd/dlib", "ctl-shift5 > ctl-shift2 > ctl-gt = 0", "a later face lies elsewhere"),
    Order("mkr/faces", "ctl-gt = ctl-mouthfreeze = 0", "a face that doesn't speak is still found"),
    Order("blinks-per-s", "ctl-gt > ctl-noblink = 0", "an eye that never shuts doesn't blink"),
    Order("blinks-per-s", "ctl-gt = ctl-mouthfreeze", "blinks are the eyes' alone"),
    Order("blink-duration", "ctl-gt = ctl-mouthfreeze", "blinks are the eyes' alone", within=0.04),
    Order("prmse/pnp", "ctl-shift5 > ctl-shift2 > ctl-gt = 0", "a later head is turned elsewhere"),
    Order("prmse/pnp", "ctl-nopose > ctl-mouthfreeze", "a mouth doesn't turn a head"),
    Order("apd/pnp", "ctl-shift5 > ctl-shift2 > ctl-gt = 0", "a later head is turned elsewhere"),
    Order("aucon/geometric", "ctl-gt = 1", "the reference agrees with itself"),
    Order("aucon/geometric", "ctl-gt > ctl-noblink", "blinks are action unit 45"),
    Order("aue/geometric", "ctl-mouthfreeze > ctl-gt = 0", "jaw and lips are action units 25 and 26"),
    Order("aue/geometric", "ctl-noblink > ctl-gt", "blinks are action unit 45"),
    Order("e-fid/landmarks", "ctl-mouthfreeze > ctl-gt = 0", "without speech a face expresses less", within=1e-6),
)
"""What is tested of every metric that can be scored with nothing but this package."""

_FETCHED = "its network's file has to be fetched"
_COST = "it reads what a generator took, which no control changes"
_MESHES = "it reads meshes, which controls don't make; tests have true and wrong ones of the rigged head"
_VIEWS = "it reads several views of a scene, which controls don't make; the page on faces has true and wrong ones"
_CHECKOUT = "it says what a program does that has to be fetched"
_AFFECT = tuple(f"{what}-{how}" for what in ("valence", "arousal") for how in ("rmse", "sagr", "ccc"))
_VBENCH = tuple(
    f"{dimension}-vbench"
    for dimension in (
        *("subject-consistency", "background-consistency", "motion-smoothness"),
        *("dynamic-degree", "aesthetic-quality", "imaging-quality"),
    )
)
_QUALITIES = ("global-aesthetics", "mouth-quality", "face-quality")
UNSTATED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("fps", "rtf", "ttff", "peak-memory", "weights-size"), _COST),
        **dict.fromkeys(("lpips", "tlp", "fvd", "fid-vid", "clipsim", "iqa"), _FETCHED),
        **dict.fromkeys(("sync-conf", "lse-d", "av-offset", "id"), _FETCHED),
        **dict.fromkeys(("aed-3dmm", "avd"), _FETCHED),
        **dict.fromkeys(("cd", "we"), _VIEWS),
        **dict.fromkeys(("emotion-accuracy", *_AFFECT, "q-align-iqa", "q-align-ase", "desync", *_VBENCH), _CHECKOUT),
        **dict.fromkeys((f"{what}-theval" for what in _QUALITIES), _CHECKOUT),
        **dict.fromkeys(("lve", "mve", "fdd", "mod", "mtm", "slcc"), _MESHES),
        "pbas": "its beats are peaks of a clip's own motion, so that a still head beats with the jitter of its pose",
        **dict.fromkeys(("avs-u", "avs-m", "avs-v", "lip-score"), "it reads embeddings that a checkout computes"),
    }
)
"""Metrics without a line, and why."""


def asked() -> Iterator[tuple[str, list[str]]]:
    """Every control that a line names, with the metrics that must be scored on it."""
    controls = dict.fromkeys(control for order in ORDERS for control in order.controls())
    for control in controls:
        yield control, list(dict.fromkeys(order.metric for order in ORDERS if control in order.controls()))
