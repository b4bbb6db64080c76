"""The one table of metrics: name -> ``module:Class``. A metric is one file here and one line below."""

METRICS = {
    "psnr": "psnr:PSNR",
    "l1": "l1:L1",
    "l1-255": "l1:L1In255",
    "ssim": "ssim:SSIM",
    "ms-ssim": "ms_ssim:MSSSIM",
    "fsim": "fsim:FSIM",
    "fsimc": "fsim:FSIMc",
    "cpbd": "cpbd:CPBD",
    "f-mse": "f_mse:FMSE",
    "ofm": "ofm:OFM",
    "temporal-warp-error": "temporal_warp_error:TemporalWarpError",
    "video-fps": "video_fps:VideoFPS",
    "fps": "fps:FPS",
    "lpips": "lpips:LPIPS",
    "fid": "fid:FID",
    "kid": "kid:KID",
    "prdc": "prdc:PRDC",
    "fvd": "fvd:FVD",
    "clipsim": "clipsim:CLIPSIM",
    "iqa": "iqa:IQA",
    "fid-random": "random_fid:RandomFID",
    "prdc-random": "random_prdc:RandomPRDC",
    "fvd-random": "random_fvd:RandomFVD",
}

# Scored where none is asked for: pixels and frames alone, quick, nothing to download.
DEFAULT = ("psnr", "l1", "ssim", "ms-ssim", "cpbd", "f-mse")

ALIASES: dict[str, str] = {}
