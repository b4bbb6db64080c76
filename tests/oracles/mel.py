"""Mel cepstra, mel energies and loudness, one column at a time, with a transform written out as sums."""

import numpy as np


def _mel(frequency):
    return 2595 * np.log10(1 + frequency / 700)


def _power(frame):
    k = np.arange(257)[:, None]
    angle = 2 * np.pi * k * np.arange(len(frame)) / 512
    return ((np.cos(angle) @ frame) ** 2 + (np.sin(angle) @ frame) ** 2) / 512


def _frames(signal):
    count = 1 if len(signal) <= 400 else 1 + -(-(len(signal) - 400) // 160)
    padded = np.concatenate([signal, np.zeros(160 * count + 400)])
    return [padded[160 * i : 160 * i + 400] for i in range(count)]


def mfcc(samples):
    signal = samples.astype(float)
    signal = np.array([signal[0], *(signal[i] - 0.97 * signal[i - 1] for i in range(1, len(signal)))])
    corners = [int(513 * 700 * (10 ** (m / 2595) - 1) / 16000) for m in np.linspace(0, _mel(8000), 28)]
    rows = []
    for frame in _frames(signal):
        power = _power(frame)
        logs = []
        for left, peak, right in zip(corners, corners[1:], corners[2:], strict=False):
            energy = sum(power[b] * (b - left) / (peak - left) for b in range(left, peak))
            energy += sum(power[b] * (right - b) / (right - peak) for b in range(peak, right))
            logs.append(np.log(energy if energy > 0 else np.finfo(float).eps))
        total = power.sum()
        row = [np.log(total if total > 0 else np.finfo(float).eps)]
        for n in range(1, 13):
            wave = sum(x * np.cos(np.pi * n * (2 * m + 1) / 52) for m, x in enumerate(logs))
            row.append(wave * np.sqrt(2 / 26) * (1 + 11 * np.sin(np.pi * n / 22)))
        rows.append(row)
    return np.array(rows)


def log_mel(samples, bands, floor):
    window = np.array([np.sin(np.pi * n / 400) ** 2 for n in range(400)])
    corners = [700 * (10 ** (m / 2595) - 1) for m in np.linspace(0, _mel(8000), bands + 2)]
    rows = []
    for frame in _frames(samples.astype(float)):
        power = _power(frame * window)
        row = []
        for left, peak, right in zip(corners, corners[1:], corners[2:], strict=False):
            energy = 0.0
            for b in range(257):
                f = b * 31.25
                if left < f <= peak:
                    energy += power[b] * (f - left) / (peak - left)
                elif peak < f < right:
                    energy += power[b] * (right - f) / (right - peak)
            row.append(np.log(max(energy, floor)))
        rows.append(row)
    return np.array(rows)


def loudness(samples, window):
    values = []
    for i in range(1 + len(samples) // 160):
        first = 160 * i - window // 2
        held = samples[max(first, 0) : max(first + window, 0)].astype(float)
        values.append(np.sqrt((held**2).sum() / window))
    return np.array(values)
