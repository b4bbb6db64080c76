"""Generators that do what generators do: work, refuse, crash, hang, fork, fill the disk, and look around."""

import json
import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from thgeval.errors import InputError
from thgeval_baselines.generator import Generated, Generator, Paradigm


class Swaying(Generator):
    """The portrait, moved to and fro by a seed."""

    id, paradigm, says = "my-swaying", Paradigm.IMAGE, "the portrait, swaying"
    needs = frozenset({"source_image", "audio"})
    count = None
    fps = None

    def generate(self, inputs, *, seed, fitted):
        image = np.asarray(Image.open(inputs.source_image).convert("RGB"))
        rng = np.random.default_rng(seed)

        def frames():
            for number in range(self.count or inputs.frames or 25):
                step = round(2 * np.sin(number / 3) + rng.uniform(-0.5, 0.5))
                yield self.drawn(np.roll(image, step, axis=1))

        return Generated(frames(), fps=self.fps or inputs.fps, evidence={"seed.txt": str(seed).encode()})

    def drawn(self, image):
        return image


class Spy(Swaying):
    """Reports everything that it can see of where it is."""

    id = "my-spy"

    def generate(self, inputs, *, seed, fitted):
        stage = inputs.source_image.parent.parent
        files = [path for path in stage.rglob("*") if path.is_file()]
        seen = {
            "files": {str(path): path.stat().st_ino for path in files},
            "links": [str(path) for path in stage.rglob("*") if path.is_symlink()],
            "parents": sorted(each.name for each in stage.parent.iterdir()),
            "argv": Path("/proc/self/cmdline").read_text().split("\0"),
            "environment": dict(os.environ),
            "open": [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()],
            "cwd": str(Path.cwd()),
            "inputs": {name: str(value) for name, value in vars(inputs).items()},
        }
        made = super().generate(inputs, seed=seed, fitted=fitted)
        return Generated(made.frames, fps=made.fps, evidence={"seen.json": json.dumps(seen).encode()})


class Crashing(Swaying):
    id = "my-crashing"

    def generate(self, inputs, *, seed, fitted):
        print("before the crash")
        raise ZeroDivisionError("weights are zero")


class Refusing(Swaying):
    id = "my-refusing"

    def generate(self, inputs, *, seed, fitted):
        raise InputError("the portrait shows no face", reason="no face")


class Empty(Swaying):
    id = "my-empty"

    def generate(self, inputs, *, seed, fitted):
        return Generated(iter(()), fps=inputs.fps)


class Hanging(Swaying):
    id = "my-hanging"

    def generate(self, inputs, *, seed, fitted):
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("going to sleep", flush=True)
        time.sleep(1000)


LOOSE = "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(1000)"


class Forking(Swaying):
    """Leaves a daemon behind, in a session of its own."""

    id = "my-forking"

    def generate(self, inputs, *, seed, fitted):
        subprocess.Popen([sys.executable, "-c", LOOSE, "left-behind-by-a-test"]).wait()
        return super().generate(inputs, seed=seed, fitted=fitted)


class FillingTheDisk(Swaying):
    id = "my-filling"

    def generate(self, inputs, *, seed, fitted):
        with Path("junk").open("wb") as file:
            for _ in range(10_000):
                file.write(bytes(1 << 20))
                file.flush()
                time.sleep(0.002)


class WrongRate(Swaying):
    id, fps = "my-wrong-rate", Fraction(50)

    def generate(self, inputs, *, seed, fitted):
        self.count = 2 * inputs.frames
        return super().generate(inputs, seed=seed, fitted=fitted)


class TooShort(Swaying):
    id, count = "my-too-short", 10


class ThreePanels(Swaying):
    id = "my-panels"

    def drawn(self, image):
        return np.concatenate([image] * 3, axis=1)


class Frozen(Swaying):
    id = "my-frozen"

    def generate(self, inputs, *, seed, fitted):
        image = np.asarray(Image.open(inputs.source_image).convert("RGB"))
        return Generated((image for _ in range(inputs.frames)), fps=inputs.fps)


class Faceless(Swaying):
    id = "my-faceless"

    def drawn(self, image):
        return np.ascontiguousarray(image[::-1])


class Speaking(Swaying):
    id, needs = "my-speaking", frozenset({"source_image", "text"})

    def generate(self, inputs, *, seed, fitted):
        made = super().generate(inputs, seed=seed, fitted=fitted)
        sound = np.sin(np.arange(16000) / 20).astype(np.float32) / 2
        return Generated(made.frames, fps=made.fps, sound=sound)


class Fitted(Swaying):
    """Learns the mean colour of a fit clip; says how often it did."""

    id, fitting = "my-fitted", frozenset({"fit_video"})
    weights = ("odd_generators.py",)
    trained_on = ("grid-s1",)

    def fit(self, inputs, folder, *, seed):
        assert inputs.audio is None
        assert inputs.source_image is None
        (folder / "learnt.txt").write_text(f"{inputs.fit_video.stat().st_size} {seed}")

    def generate(self, inputs, *, seed, fitted):
        learnt = (fitted / "learnt.txt").read_bytes()
        made = super().generate(inputs, seed=seed, fitted=fitted)
        return Generated(made.frames, fps=made.fps, evidence={"learnt.txt": learnt})


class FittingBadly(Fitted):
    id = "my-fitting-badly"

    def fit(self, inputs, folder, *, seed):
        raise InputError("the fit clip has no sound", reason="no audio")


class CopyingTheDriver(Swaying):
    id, needs = "my-copying", frozenset({"source_image", "driving_video"})

    def generate(self, inputs, *, seed, fitted):
        from thgeval.clip import Clip
        from thgeval.media import decode

        with decode(Clip("a", inputs.driving_video), chunk=100) as batches:
            frames = np.concatenate([batch.new for batch in batches])
        return Generated(iter(frames), fps=inputs.fps)
