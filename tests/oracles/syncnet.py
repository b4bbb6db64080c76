"""SyncNet's scores, one window and one shift at a time, and its crops by padding whole frames."""

import cv2
import numpy as np
import torch
from models.twins import syncnet as network
from oracles import mel


def scores(weights, crops, samples):
    """Offset, distance and confidence of BGR crops (frames, 224, 224, 3) and int16 samples, on 15 shifts either way."""
    cepstra = mel.mfcc(samples)
    least = min(len(crops), len(samples) // 640)
    lips, speech = [], []
    with torch.no_grad():
        for i in range(least - 5):
            window = torch.from_numpy(crops[i : i + 5].astype(np.float32)).permute(3, 0, 1, 2)
            lips.append(network.lips(weights, window[None])[0])
            heard = torch.from_numpy(cepstra[4 * i : 4 * i + 20].T.astype(np.float32))
            speech.append(network.speech(weights, heard[None, None].contiguous())[0])
    zeros = [torch.zeros(1024)] * 15
    padded = zeros + speech + zeros
    curve = []
    for k in range(31):
        apart = [torch.nn.functional.pairwise_distance(a[None], padded[i + k][None]).item() for i, a in enumerate(lips)]
        curve.append(sum(apart) / len(apart))
    lowest = min(curve)
    return 15 - curve.index(lowest), lowest, sorted(curve)[15] - lowest


def crop(frame, x, y, s):
    """A BGR or RGB frame's face as the published program cuts it out of a padded copy."""
    pad = int(s * 1.8)
    padded = np.pad(frame, ((pad, pad), (pad, pad), (0, 0)), "constant", constant_values=(110, 110))
    y, x = y + pad, x + pad
    face = padded[int(y - s) : int(y + s * 1.8), int(x - s * 1.4) : int(x + s * 1.4)]
    return cv2.resize(face, (224, 224))


def median_13(series):
    """Running median with zeros beyond the ends."""
    padded = [0.0] * 6 + list(series) + [0.0] * 6
    return [sorted(padded[i : i + 13])[6] for i in range(len(series))]
