"""The table of metrics: name -> ``module:Class``. A metric is one file here, one line below, another for a title."""

from collections.abc import Collection
from difflib import get_close_matches

METRICS = {
    "psnr": "pixels.psnr:PSNR",
    "l1": "pixels.l1:L1",
    "l1-255": "pixels.l1:L1In255",
    "mse": "pixels.mse:MSE",
    "ssim": "pixels.ssim:SSIM",
    "ms-ssim": "pixels.ms_ssim:MSSSIM",
    "fsim": "pixels.fsim:FSIM",
    "fsimc": "pixels.fsim:FSIMc",
    "cpbd": "pixels.cpbd:CPBD",
    "f-mse": "motion.f_mse:FMSE",
    "ofm": "motion.ofm:OFM",
    "temporal-warp-error": "motion.temporal_warp_error:TemporalWarpError",
    "tof": "motion.flicker:TOF",
    "tlp": "motion.flicker:TLP",
    "drift": "time.drift:Drift",
    "video-fps": "motion.video_fps:VideoFPS",
    "fps": "cost.fps:FPS",
    "rtf": "cost.rtf:RTF",
    "ttff": "cost.ttff:TTFF",
    "peak-memory": "cost.memory:PeakMemory",
    "weights-size": "cost.memory:WeightsSize",
    "lpips": "pixels.lpips:LPIPS",
    "effnet-distance": "pixels.effnet_distance:EffnetDistance",
    "fid": "sets.fid:FID",
    "kid": "sets.kid:KID",
    "prdc": "sets.prdc:PRDC",
    "fvd": "sets.fvd:FVD",
    "fid-vid": "sets.fid_vid:FIDVid",
    "clipsim": "pixels.clipsim:CLIPSIM",
    "iqa": "pixels.iqa:IQA",
    "emotion-accuracy": "judged.emotion:EmotionAccuracy",
    "valence-rmse": "judged.affect:ValenceRMSE",
    "arousal-rmse": "judged.affect:ArousalRMSE",
    "valence-sagr": "judged.affect:ValenceSAGR",
    "arousal-sagr": "judged.affect:ArousalSAGR",
    "valence-ccc": "judged.affect:ValenceCCC",
    "arousal-ccc": "judged.affect:ArousalCCC",
    "q-align-iqa": "judged.q_align:QAlignIQA",
    "q-align-ase": "judged.q_align:QAlignASE",
    "subject-consistency-vbench": "judged.vbench:SubjectConsistency",
    "background-consistency-vbench": "judged.vbench:BackgroundConsistency",
    "motion-smoothness-vbench": "judged.vbench:MotionSmoothness",
    "dynamic-degree-vbench": "judged.vbench:DynamicDegree",
    "aesthetic-quality-vbench": "judged.vbench:AestheticQuality",
    "imaging-quality-vbench": "judged.vbench:ImagingQuality",
    "global-aesthetics-theval": "judged.theval:GlobalAesthetics",
    "mouth-quality-theval": "judged.theval:MouthQuality",
    "face-quality-theval": "judged.theval:FaceQuality",
    "desync": "judged.desync:DeSync",
    "csim": "identity.csim:CSIM",
    "f-sim": "identity.f_sim:FacialSimilarity",
    "aed-euclid": "identity.aed_euclid:AEDEuclid",
    "id-consistency": "identity.id_consistency:IDConsistency",
    "id": "views.id:ID",
    "cd": "views.cd:CD",
    "we": "views.we:WE",
    "wer": "words.wer:WER",
    "cer": "words.wer:CER",
    "avs-u": "sync.avs:AVSu",
    "avs-m": "sync.avs:AVSm",
    "avs-v": "sync.avs:AVSv",
    "lip-score": "sync.avs:LipScore",
    "sync-conf": "sync.sync_conf:SyncConf",
    "lse-d": "sync.lse_d:LSED",
    "av-offset": "sync.av_offset:AVOffset",
    "sync-lm-conf": "sync.sync_lm_conf:SyncLMConf",
    "sync-lm-dist": "sync.sync_lm_dist:SyncLMDist",
    "sync-lm-offset": "sync.sync_lm_offset:SyncLMOffset",
    "sync-envelope": "sync.sync_envelope:SyncEnvelope",
    "lip-sync-theval": "sync.theval:LipSyncTHEval",
    "silent-lip-stability": "sync.theval:SilentLipStability",
    "lip-dynamics-theval": "faces.dynamics:LipDynamics",
    "eyebrow-dynamics-theval": "faces.dynamics:EyebrowDynamics",
    "head-motion-theval": "faces.dynamics:HeadMotionTHEval",
    "fid-random": "sets.random_fid:RandomFID",
    "prdc-random": "sets.random_prdc:RandomPRDC",
    "fvd-random": "sets.random_fvd:RandomFVD",
    "fvd-effnet": "sets.effnet_fvd:EffnetFVD",
    "lmd": "faces.lmd:LMD",
    "f-lmd": "faces.lmd:FLMD",
    "m-lmd": "faces.lmd:MLMD",
    "lvd": "faces.lvd:LVD",
    "mouth-amplitude": "faces.mouth_motion:MouthAmplitude",
    "mouth-correlation": "faces.mouth_motion:MouthCorrelation",
    "akd": "faces.akd:AKD",
    "mkr": "faces.mkr:MKR",
    "lve": "meshes.lve:LVE",
    "mve": "meshes.mve:MVE",
    "fdd": "meshes.fdd:FDD",
    "mod": "meshes.mod:MOD",
    "mtm": "meshes.mtm:MTM",
    "slcc": "meshes.slcc:SLCC",
    "bas": "motion.beats:BAS",
    "pbas": "motion.beats:PBAS",
    "blinks-per-s": "faces.blinks_per_s:BlinksPerS",
    "blink-duration": "faces.blink_duration:BlinkDuration",
    "prmse": "faces.prmse:PRMSE",
    "apd": "faces.apd:APD",
    "aed-3dmm": "faces.aed_3dmm:AED3DMM",
    "aucon": "faces.aucon:AUCON",
    "aue": "faces.aue:AUE",
    "avd": "faces.avd:AVD",
    "e-fid": "sets.e_fid:EFID",
}

# As papers write names that their own words don't make: sync-envelope is Sync envelope without being listed.
TITLES = {
    "psnr": "PSNR",
    "l1": "L1",
    "l1-255": "L1 (0 to 255)",
    "mse": "MSE",
    "ssim": "SSIM",
    "ms-ssim": "MS-SSIM",
    "fsim": "FSIM",
    "fsimc": "FSIMc",
    "cpbd": "CPBD",
    "f-mse": "F-MSE",
    "ofm": "OFM",
    "tof": "tOF",
    "tlp": "tLP",
    "video-fps": "FPS (of the clip)",
    "fps": "FPS (of the generator)",
    "rtf": "RTF",
    "ttff": "TTFF",
    "lpips": "LPIPS",
    "effnet-distance": "Distance (EfficientNet)",
    "fid": "FID",
    "kid": "KID",
    "prdc": "PRDC",
    "fvd": "FVD",
    "fid-vid": "FID-VID",
    "clipsim": "CLIPSIM",
    "iqa": "IQA (hyperIQA)",
    "valence-rmse": "RMSE (valence)",
    "arousal-rmse": "RMSE (arousal)",
    "valence-sagr": "SAGR (valence)",
    "arousal-sagr": "SAGR (arousal)",
    "valence-ccc": "CCC (valence)",
    "arousal-ccc": "CCC (arousal)",
    "q-align-iqa": "IQA (Q-Align)",
    "q-align-ase": "ASE (Q-Align)",
    "subject-consistency-vbench": "Subject consistency (VBench)",
    "background-consistency-vbench": "Background consistency (VBench)",
    "motion-smoothness-vbench": "Motion smoothness (VBench)",
    "dynamic-degree-vbench": "Dynamic degree (VBench)",
    "aesthetic-quality-vbench": "Aesthetic quality (VBench)",
    "imaging-quality-vbench": "Imaging quality (VBench)",
    "global-aesthetics-theval": "Global aesthetics (THEval)",
    "mouth-quality-theval": "Mouth quality (THEval)",
    "face-quality-theval": "Face quality (THEval)",
    "desync": "DeSync",
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
    "lip-dynamics-theval": "Lip dynamics (THEval)",
    "eyebrow-dynamics-theval": "Eyebrow dynamics (THEval)",
    "head-motion-theval": "Head motion (THEval)",
    "fid-random": "FID (random network)",
    "prdc-random": "PRDC (random network)",
    "fvd-random": "FVD (random network)",
    "fvd-effnet": "FVD (EfficientNet)",
    "lmd": "LMD",
    "f-lmd": "F-LMD",
    "m-lmd": "M-LMD",
    "lvd": "LVD",
    "akd": "AKD",
    "mkr": "MKR",
    "lve": "LVE",
    "mve": "MVE",
    "fdd": "FDD",
    "mod": "MOD",
    "mtm": "MTM",
    "slcc": "SLCC",
    "bas": "BAS",
    "pbas": "PBAS",
    "blinks-per-s": "Blinks per second",
    "prmse": "PRMSE",
    "apd": "APD",
    "aed-3dmm": "AED (3DMM)",
    "aucon": "AUCON",
    "aue": "AUE",
    "avd": "AVD",
    "e-fid": "E-FID",
}

ENTRY_POINTS = "thgeval.metrics"
"""The group in which installed packages name metrics of theirs."""

# Scored where none is asked for, the same on every machine: pixels, motion, face, identity and lips, with nothing to
# download. What an installation lacks is said in the output.
DEFAULT = (
    "psnr",
    "l1",
    "ssim",
    "ms-ssim",
    "cpbd",
    "f-mse",
    "csim/dlib",
    "lmd",
    "f-lmd",
    "mouth-correlation",
    "blinks-per-s",
    "sync-lm-conf",
    "sync-lm-dist",
)

# What stands for several metrics: the default list, by where weights come from, all, and the packages they are in.
TIERS = ("embedded", "light", "canonical")
FAMILY_NAMES = tuple(dict.fromkeys(where.partition(".")[0] for where in METRICS.values()))
GROUPS = ("default", *TIERS, "all", *FAMILY_NAMES)
OTHERS = "others"
"""The family of metrics that installed packages bring."""

# What a name stands for that is no metric's own; where it means a preset, that too.
ALIASES: dict[str, str] = {
    "lse-c": "sync-conf",
    "av-conf": "sync-conf",
    "sync-c": "sync-conf",
    "sync-d": "lse-d",
    "av-off": "av-offset",
    "f-ld": "f-lmd",
    "m-ld": "m-lmd",
    "f-lvd": "lvd/face",
    "m-lvd": "lvd",
    "blink-rate": "blinks-per-s",
    "warp-error": "temporal-warp-error",
    "clipscore": "clipsim/clipscore",
    "hyperiqa": "iqa",
    "acc-emo": "emotion-accuracy",
    "ase": "q-align-ase",
    "v-rmse": "valence-rmse",
    "a-rmse": "arousal-rmse",
    "v-sagr": "valence-sagr",
    "a-sagr": "arousal-sagr",
    "ccc-valence": "valence-ccc",
    "ccc-arousal": "arousal-ccc",
    "sagr-valence": "valence-sagr",
    "sagr-arousal": "arousal-sagr",
}

# Names of several quantities, or of other ones, whatever they look like: what to say of each.
ELSEWHERE: dict[str, str] = {
    "aed": "did you mean aed-euclid (of a face recogniser's embeddings) or aed-3dmm (of expression coefficients)?",
    "mae": "did you mean l1 (levels from 0 to 1) or l1-255 (from 0 to 255)?",
    "sync": "did you mean sync-conf (LSE-C), lse-d (LSE-D) or av-offset?",
    "syncnet": "did you mean sync-conf (LSE-C), lse-d (LSE-D) or av-offset?",
    "confidence": "did you mean sync-conf (SyncNet's) or sync-lm-conf (of landmarks)?",
    "id-sim": "did you mean csim (with the reference), f-sim (with the first frame) or id-consistency?",
    "fsim-face": "did you mean f-sim (of the face, over time) or fsim (of features of pictures)?",
    "sagr": "did you mean valence-sagr or arousal-sagr?",
    "ccc": "did you mean valence-ccc or arousal-ccc?",
    "rmse": "did you mean valence-rmse, arousal-rmse or prmse (of the head's pose)?",
    "fvmd": "Fr\u00e9chet video motion distance, of tracked points, is not measured here",
    "q-align": "did you mean q-align-iqa (quality) or q-align-ase (aesthetics)?",
    "theval": "its eight are metrics of their own, such as lip-sync-theval; a run with all of them has its final score",
    "vbench": "each of its dimensions is a metric of its own, such as motion-smoothness-vbench",
}


NEARLY = 0.8
"""How alike a name must be to be offered. With less, most names of three letters would be answered with others."""
MOST = 4
"""How many names are offered that begin as the one that was typed."""


def family_of(name: str) -> str:
    """The package that a metric is in, by its name; ``OTHERS`` where it is none of ours."""
    return METRICS.get(name, OTHERS).partition(".")[0]


def meant(name: str, known: Collection[str] = METRICS.keys()) -> str | None:
    """The metric, with the preset if it is one, that a name stands for; blind to case, ``_`` and missing hyphens."""
    plain = name.strip().lower().replace("_", "-")
    named = {_bare(key): key for key in (*ALIASES, *known)}
    key = plain if plain in known or plain in ALIASES else named.get(_bare(plain))
    return ALIASES.get(key, key if key in known else None) if key else None


def unknown(name: str, known: Collection[str] = METRICS.keys()) -> str:
    """The sentence about a name that no metric has, with what may have been meant: never what only looks like it."""
    plain = name.lower()
    if not (said := ELSEWHERE.get(plain.replace("_", "-"))):
        longer = [key for key in known if key.startswith((f"{plain}-", f"{plain}s-"))][:MOST]
        near = longer or get_close_matches(plain, [*known, *ALIASES], n=1, cutoff=NEARLY)
        said = f"did you mean {' or '.join(filter(None, (', '.join(near[:-1]), near[-1])))}?" if near else ""
    return f"no metric is called {name!r}{f'; {said}' if said else ''} (thgeval ls metrics lists them)"


def _bare(name: str) -> str:
    return name.replace("-", "")
