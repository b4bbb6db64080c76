"""How closely our networks must agree with the originals: relative to the largest value of the original's output.

Both sides compute in float32, but not always in the same order; the bounds are about ten times what was measured.
"""

PARITY = {
    "inception": 1e-5,
    "lpips": 1e-5,
    "i3d": 1e-5,
    "arcface": 1e-5,
    "mobilefacenet": 1e-5,
    "inception_resnet_v1": 1e-5,
    "hyperiqa": 1e-5,
    "deep3d": 1e-5,
    "clip": 1e-5,
    "fan": 1e-5,
    "raft": 1e-4,
    "syncnet": 1e-5,
    "s3fd": 1e-5,
    "openface": 1e-5,
    "tddfa": 1e-5,
    "lipnet": 1e-5,
    "mstcn": 1e-5,
}
DOCUMENTED_LPIPS = 1e-4  # torchmetrics prints four digits
