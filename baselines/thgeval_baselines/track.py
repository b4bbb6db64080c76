"""How a synthetic head moves over time, and the sound that goes with it.

Everything is drawn from one seed at 200 Hz and sampled at the frames' times, frame ``k`` at ``k / fps`` seconds. The
mouth moves in syllables (steps smoothed by a Gaussian of 35 ms, lip rounding by 50 ms) with closures and pauses; blinks
close in 80 ms, hold for 40 ms and open in 140 ms at times that are kept; the head sways. The first frame is at rest: a
frontal head with its mouth closed.

The sound is **not speech**: a hum and band-limited noise whose amplitude is the aperture of the mouth, so that sound
and picture belong together with no offset, and shifting one against the other can be detected.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfiltfilt

from thgeval.errors import ProtocolError
from thgeval_baselines.geometry import PARAMETERS, Parameters
from thgeval_baselines.portrait import Points

CURVE_HZ = 200
BLINK_S = (0.08, 0.04, 0.14)
"""How long an eyelid closes, stays closed and opens, in seconds."""

SWAY: dict[str, tuple[float, float]] = {
    "yaw": (10.0, 0.35),
    "pitch": (5.0, 0.3),
    "roll": (4.0, 0.25),
    "tx": (0.012, 0.2),
    "ty": (0.008, 0.2),
    "brow": (0.5, 0.5),
    "smile": (0.2, 0.3),
}
"""The largest departure of each swaying parameter from rest, and about how often it swings, in Hz."""


@dataclass(frozen=True, eq=False)
class Track:
    """Parameters of every frame, and what they were sampled from.

    ``values`` is (frames, 10), one column per name in ``PARAMETERS``; ``blinks_s`` is (blinks, 2), when each blink
    begins and ends; ``mouth`` is the aperture at 200 Hz, from 0 to the end of the last frame.
    """

    fps: int
    values: Points
    blinks_s: Points
    mouth: Points

    def __getitem__(self, name: str) -> Points:
        """One parameter over time: (frames,)."""
        return self.values[:, PARAMETERS.index(name)]

    def __len__(self) -> int:
        return len(self.values)

    def frames(self) -> list[Parameters]:
        """The parameters of each frame."""
        return [Parameters(*(float(value) for value in row)) for row in self.values]


def track(*, seed: int, seconds: float = 4.0, fps: int = 25) -> Track:
    """A track drawn from a seed: ``round(seconds * fps)`` frames.

    Raises ``ProtocolError`` for less than 1 s, more than 600 s, or a frame rate outside 10 to 100 per second.
    """
    if not 1 <= seconds <= 600:
        raise ProtocolError(f"a track of {seconds} s can't be made, ask for 1 to 600 s")
    if not 10 <= fps <= 100:
        raise ProtocolError(f"a track of {fps} frames per second can't be made, ask for 10 to 100")
    rng = np.random.default_rng(seed)
    frames = round(seconds * fps)
    times_s = np.arange(round(frames / fps * CURVE_HZ) + 1) / CURVE_HZ
    mouth, rounding = _syllables(times_s, rng)
    blinks_s = _blink_times(times_s[-1], rng)
    curves = {"aperture": mouth, "rounding": rounding, "blink": _blink_curve(times_s, blinks_s)}
    curves |= {name: _sway(times_s, rng, largest, rate_hz) for name, (largest, rate_hz) in SWAY.items()}
    curves["smile"] = 0.4 + curves["smile"]
    shown_s = np.arange(frames) / fps
    values = np.stack([np.interp(shown_s, times_s, curves[name]) for name in PARAMETERS], axis=-1)
    return Track(fps=fps, values=values, blinks_s=blinks_s, mouth=mouth)


def sound(track: Track, *, seed: int, rate_hz: int = 16000) -> NDArray[np.float32]:
    """The sound of a track: (samples,) in [-1, 1] at ``rate_hz``, as long as its frames.

    The amplitude is 0.3 times the aperture; a dither below 1e-4 keeps silence from being exactly zero.
    """
    rng = np.random.default_rng(seed)
    samples = round(len(track) / track.fps * rate_hz)
    times_s = np.arange(samples) / rate_hz
    loudness = np.interp(times_s, np.arange(len(track.mouth)) / CURVE_HZ, track.mouth)
    pitch_hz = 140 + 12 * np.sin(2 * np.pi * 0.4 * times_s + rng.uniform(0, 2 * np.pi))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    hum = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 9))
    band = butter(2, (300, min(3400, 0.45 * rate_hz)), btype="bandpass", fs=rate_hz, output="sos")
    noise = sosfiltfilt(band, rng.standard_normal(samples))
    carrier = 0.7 * hum / np.abs(hum).max() + 0.3 * noise / np.abs(noise).max()
    dither = rng.uniform(-5e-5, 5e-5, samples)
    return np.asarray(0.3 * loudness * carrier + dither, np.float32)


def _syllables(times_s: Points, rng: np.random.Generator) -> tuple[Points, Points]:
    """Aperture and rounding at ``times_s``: syllables of 0.14 to 0.26 s with closures, and pauses between phrases."""
    aperture, rounding = np.zeros_like(times_s), np.zeros_like(times_s)
    start, left_in_phrase = 0.2, int(rng.integers(4, 9))
    while start < times_s[-1] - 0.3:
        end = start + rng.uniform(0.14, 0.26)
        inside = (times_s >= start) & (times_s < end)
        peak = rng.uniform(0.3, 1.0)
        aperture[inside] = np.where(times_s[inside] < end - 0.07, peak, 0.25 * peak)
        rounding[inside] = rng.uniform(0.0, 0.7) * rng.integers(2)
        left_in_phrase -= 1
        start = end + (0.06 if rng.random() < 0.45 else 0.0)
        if left_in_phrase == 0:
            start, left_in_phrase = end + rng.uniform(0.25, 0.45), int(rng.integers(4, 9))
    opened = gaussian_filter1d(aperture, 0.035 * CURVE_HZ, mode="constant")
    rounded = gaussian_filter1d(rounding, 0.05 * CURVE_HZ, mode="constant")
    return np.clip(opened, 0, 1), np.clip(rounded, 0, 1)


def _blink_times(end_s: float, rng: np.random.Generator) -> Points:
    """When blinks begin and end: the first within 1.1 s where it fits, then one every 1.2 to 2.4 s."""
    blinks, start = [], rng.uniform(0.4, 0.7)
    while start + sum(BLINK_S) <= end_s - 0.04:
        blinks.append((start, start + sum(BLINK_S)))
        start += rng.uniform(1.2, 2.4)
    return np.array(blinks).reshape(-1, 2)


def _blink_curve(times_s: Points, blinks_s: Points) -> Points:
    closing, held, _ = BLINK_S
    curve = np.zeros_like(times_s)
    for start, end in blinks_s:
        ramp = np.interp(times_s, [start, start + closing, start + closing + held, end], [0.0, 1.0, 1.0, 0.0])
        curve = np.maximum(curve, (1 - np.cos(np.pi * ramp)) / 2)
    return curve


def _sway(times_s: Points, rng: np.random.Generator, largest: float, rate_hz: float) -> Points:
    """Three sines with random phases, at most ``largest``, easing in from rest within 0.6 s."""
    rates_hz = rate_hz * np.array([0.6, 1.0, 1.7]) * rng.uniform(0.85, 1.15, 3)
    phases = rng.uniform(0, 2 * np.pi, 3)
    weights = np.array([0.5, 0.35, 0.15])
    swing = np.sin(2 * np.pi * np.outer(times_s, rates_hz) + phases) @ weights
    ease = np.clip(times_s / 0.6, 0, 1)
    return np.asarray(largest * swing * ease**2 * (3 - 2 * ease))
