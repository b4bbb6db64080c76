"""A manifest as a system: what it lacks on this machine, what to run for an item, and where its video is found."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from thgeval.errors import InputError
from thgeval.files import trouble
from thgeval_baselines.adapters import seeded
from thgeval_baselines.adapters.inputs import converted
from thgeval_baselines.adapters.manifest import PYTHON, Manifest, filled, filled_deeply
from thgeval_baselines.adapters.overlay import brought, overlaid
from thgeval_baselines.running.process import tail
from thgeval_baselines.running.staging import Stage
from thgeval_baselines.systems import GIB, System, Work

ASKS = """
import importlib.util, json, sys
missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
print(json.dumps([sys.version.split()[0], missing]))
"""
LONGEST_LOG = 16 << 20
CONVERTED = "given"
"""The folder of a stage that holds inputs in the script's own form, each under its name there."""


class CommandSystem(System):
    """An official repository, run as its manifest says in a checkout that the user names."""

    kind = "command"

    def __init__(
        self,
        manifest: Manifest,
        *,
        checkout: Path | None = None,
        weights: Path | None = None,
        python: str | None = None,
        device: str = "cpu",
    ) -> None:
        data = manifest.data
        self.manifest, self.device = manifest, device
        self.checkout = None if checkout is None else checkout.resolve()
        self.python = python or sys.executable
        self._weights = None if weights is None else weights.resolve()
        self.id, self.version, self.paradigm = manifest.id, data["version"], manifest.paradigm
        self.says = f"{data['title']}: {data['paper']}"
        taken = manifest.inputs
        self.choices = tuple(frozenset(each.sources) for each in taken if not each.optional)
        self.needs = frozenset().union(*(each for each in self.choices if len(each) == 1))
        self.takes = frozenset(name for each in taken for name in each.sources)
        self.trained_on = tuple(data["trained_on"])
        licence = data["licence"]
        self.notice = f"adapter, {data['verified']}; code: {licence['code']}; weights: {licence['weights']}"
        self.timeout_s = float(data.get("timeout_s", 3600))
        self.memory_bytes = int(data.get("memory_gb", 6) * GIB)
        self.panel, self.framing = manifest.panel, manifest.framing
        self.same_framing = manifest.framing in ("same", "resized")

    @property
    def weights(self) -> Path:
        """Where its weights are: as the user says, or where the manifest has them in the checkout."""
        if self._weights is not None:
            return self._weights
        return (self.checkout or Path()) / str(self.manifest.data.get("weights", "."))

    def code(self) -> str:
        """Of its manifest, the checkout's commit, and the files that it needs."""
        said = [self.manifest.sha256, self.commit, self.device, self.python]
        there = [path for path in self._files().values() if path is not None and path.is_file()]
        said += [f"{path.name} {path.stat().st_size}" for path in there]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]

    @cached_property
    def commit(self) -> str:
        """The checkout's commit, as its ``.git`` has it; empty if that can't be told."""
        if self.checkout is None:
            return ""
        git = self.checkout / ".git"
        try:
            head = (git / "HEAD").read_text(encoding="ascii").strip()
            if not head.startswith("ref: "):
                return head if re.fullmatch("[0-9a-f]{40}", head) else ""
            name = head.removeprefix("ref: ")
            if (git / name).is_file():
                return (git / name).read_text(encoding="ascii").strip()
            packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
            return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
        except (OSError, UnicodeDecodeError):
            return ""

    def weights_bytes(self) -> int:
        """Of the files that it needs outside its own source."""
        found = [path for path in self._files().values() if path is not None and path.is_file()]
        return sum(path.stat().st_size for path in found if path.suffix not in (".py", ".yaml", ".yml", ".json"))

    @cached_property
    def _problems(self) -> list[str]:
        data, found = self.manifest.data, []
        if self.checkout is None:
            return [f"name its checkout: --checkout {self.id}=DIR, a clone of {data['repository']}"]
        if not self.checkout.is_dir():
            return [f"there is no folder {self.checkout}; clone {data['repository']} there"]
        for needed, path in zip(self.manifest.files, self._files().values(), strict=True):
            if path is None:
                names = " or ".join(self._place(each) for each in needed.any)
                found.append(f"{names} is missing" + (f": {needed.get}" if needed.get else ""))
        for patch in data.get("patches", ()):
            file = self.checkout / patch["file"]
            if file.is_file() and patch["without"] in file.read_text(encoding="utf-8", errors="replace"):
                found.append(f"{patch['file']} has to be changed: {patch['why']}")
        environment = self.manifest.environment
        absent = [name for name in environment.get("programs", ()) if shutil.which(name) is None]
        found += [f"the program {name} is not installed" for name in absent]
        if self.device not in data.get("devices", ["cuda", "cpu"]):
            found.append(f"it runs on {' or '.join(data['devices'])} alone; say --device {data['devices'][0]}")
        return found + self._of_interpreter(environment)

    def _of_interpreter(self, environment: Mapping[str, Any]) -> list[str]:
        modules = environment.get("modules", ())
        if not modules:
            return []
        ask = [self.python, "-c", ASKS, *modules]
        try:
            told = subprocess.run(ask, capture_output=True, timeout=120, check=True, cwd=self.checkout)  # noqa: S603
            version, missing = json.loads(told.stdout.splitlines()[-1])
        except OSError as error:
            return [f"the interpreter {self.python} can't be run: {trouble(error)}"]
        except (subprocess.SubprocessError, ValueError, IndexError):
            return [f"the interpreter {self.python} can't say which modules it has"]
        if not missing:
            return []
        wanted = f"; the repository states Python {environment['python']}" if "python" in environment else ""
        bound = f", with {', '.join(environment['constraints'])}" if environment.get("constraints") else ""
        said = f"{self.python} (Python {version}) lacks {', '.join(missing)}{bound}{wanted}"
        return [f"{said}; name another one with --python {self.id}=FILE"]

    def problems(self) -> list[str]:
        """Everything that is missing, by name."""
        return list(self._problems)

    def notes(self) -> list[str]:
        """Where the checkout isn't what was read, what is fetched at run time, and what the manifest notes."""
        data, said = self.manifest.data, []
        if self.commit and self.manifest.commit and not self.commit.startswith(self.manifest.commit):
            said.append(f"the checkout is at {self.commit[:12]}, the manifest was read at {self.manifest.commit[:12]}")
        if hub := self.manifest.environment.get("hub"):
            said.append(f"it fetches {', '.join(hub)} from the Hub when it first runs")
        said.append(f"licences: code {data['licence']['code']}; weights {data['licence']['weights']}")
        return said + list(data.get("notes", ()))

    def work(self, stage: Stage, *, seed: int, fitted: Path | None) -> Work:
        """The manifest's steps with an item's own values."""
        assert self.checkout is not None  # noqa: S101 - problems() says so before
        self._check_paths(stage)
        inputs, actions = self._converted(stage, seed)
        values = self._values(stage, inputs, seed)
        cwd = self.checkout
        if (overlay := self.manifest.data.get("overlay")) is not None:
            cwd = overlaid(
                self.checkout,
                stage.work / "checkout",
                own=overlay.get("own", ()),
                leave_out=overlay.get("leave_out", ()),
            )
            values["checkout"] = str(cwd)
            copies = {name: filled(place, values) for name, place in overlay.get("copy", {}).items()}
            brought(cwd, copies, inputs)
        self._render(values)
        steps = [[filled(token, values) for token in step] for step in self.manifest.data["steps"]]
        for name, tokens in self.manifest.data.get("optional", {}).items():
            lacks = name.startswith("no_") and name.removeprefix("no_") not in inputs
            if name in inputs or name == self.device or lacks:
                steps[-1] += [filled(token, values) for token in tokens]
        steps = [self._with_interpreter(step, seed) for step in steps]
        given = self.manifest.environment.get("variables", {})
        env = {name: filled(value, values) for name, value in given.items()}
        exclusive = str(self.checkout) if self.manifest.data.get("exclusive") and cwd == self.checkout else None
        watched = (self.checkout,) if cwd == self.checkout else ()
        return Work(tuple(map(tuple, steps)), cwd, env, watched, exclusive, tuple(actions))

    def collect(self, stage: Stage, *, since: float) -> Path:
        """The file that the manifest names, or the newest that fits its pattern and was written since."""
        assert self.checkout is not None  # noqa: S101
        output = self.manifest.data["output"]
        overlay = stage.work / "checkout"
        root = overlay if "overlay" in self.manifest.data else self.checkout
        given = self._given(stage)
        for path in (stage.folder / CONVERTED).iterdir():
            given[path.stem] = path
        values = self._values(stage, given, 0) | {"checkout": str(root), "seed": "*"}
        pattern = filled(output.get("path") or output["glob"], values)
        place = Path(pattern)
        base = Path(place.anchor) if place.is_absolute() else root
        found = [path for path in base.glob(str(place.relative_to(place.anchor))) if path.is_file()]
        found = [path for path in found if not any(path.match(each) for each in output.get("exclude", ()))]
        found = [path for path in found if path.stat().st_mtime >= since - 2]
        if not found:
            raise InputError(f"it ended without complaint and left no {pattern}", reason="no output")
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    def complaint(self, log: Path) -> InputError | None:
        """One of the sentences with which the script hides its failures."""
        with log.open("rb") as file:
            text = file.read(LONGEST_LOG).decode("utf-8", "replace")
        for pattern in self.manifest.data.get("fails_on", ()):
            if pattern in text:
                line = next(line for line in text.splitlines() if pattern in line)
                return InputError(f"it says: {line.strip()}", reason="complained")
        return None

    def refusal(self, stage: Stage, code: int | None, log: Path) -> InputError:
        """Its exit code, and the last line that it printed."""
        last = tail(log).strip().splitlines()
        return InputError(f"it ended with exit code {code}" + (f": {last[-1]}" if last else ""), reason="crashed")

    def _files(self) -> dict[int, Path | None]:
        """The first of each file's alternatives that is there, by number."""
        found: dict[int, Path | None] = {}
        for number, needed in enumerate(self.manifest.files):
            paths = [Path(self._place(each)) for each in needed.any]
            found[number] = next((path for path in paths if path.exists()), None)
        return found

    def _place(self, name: str) -> str:
        """Where a file of the manifest is to be."""
        given = {"checkout": str(self.checkout or ""), "weights": str(self.weights)}
        path = Path(filled(name, given))
        return str(path if path.is_absolute() else (self.checkout or Path()) / path)

    def _check_paths(self, stage: Stage) -> None:
        rule, folder = self.manifest.data.get("paths"), str(stage.folder)
        if rule == "dotless" and "." in folder:
            raise InputError(
                f"the script can't work below {folder}, whose name has a dot; set TMPDIR to a folder without one",
                reason="unable",
            )
        if rule == "spaceless" and " " in folder:
            raise InputError(
                f"the script can't work below {folder}, whose name has a space; set TMPDIR to a folder without one",
                reason="unable",
            )

    def _given(self, stage: Stage) -> dict[str, Path]:
        """Each of the script's inputs from the first of its sources that is shown."""
        found = {}
        for taken in self.manifest.inputs:
            paths = [getattr(stage.inputs, name) for name in taken.sources]
            path = next((each for each in paths if each is not None), None)
            if path is not None:
                found[taken.name] = path
        return found

    def _converted(self, stage: Stage, seed: int) -> tuple[dict[str, Path], list[str]]:
        given, actions = self._given(stage), []
        folder = stage.folder / CONVERTED
        folder.mkdir()
        for taken in self.manifest.inputs:
            if taken.name in given:
                path, done = converted(taken, given[taken.name], folder, fps=stage.inputs.fps, seed=seed)
                given[taken.name] = path
                actions += done
        return given, actions

    def _values(self, stage: Stage, inputs: Mapping[str, Path], seed: int) -> dict[str, str]:
        values = {
            "checkout": str(self.checkout),
            "weights": str(self.weights),
            "work": str(stage.work),
            "out": str(stage.out),
            "item": stage.inputs.item,
            "seed": str(seed),
            "fps": f"{float(stage.inputs.fps):g}",
            "device": self.device,
            "width": str(stage.inputs.size[1]),
            "height": str(stage.inputs.size[0]),
        }
        for name, path in inputs.items():
            base = str(path.with_suffix(""))
            values |= {name: str(path), f"{name}.stem": path.stem, f"{name}.name": path.name, f"{name}.base": base}
        for needed, there in zip(self.manifest.files, self._files().values(), strict=True):
            if needed.name and there is not None:
                values[f"file.{needed.name}"] = str(there)
        return values

    def _render(self, values: Mapping[str, str]) -> None:
        """Write the script's configuration file, from the checkout's own with some values set."""
        render = self.manifest.data.get("render")
        if render is None:
            return
        data: Any = {}
        if "from" in render:
            source = Path(self._place(render["from"]))
            try:
                data = yaml.safe_load(source.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
                raise InputError(f"{source} can't be read: {error}", reason="unable") from None
        text = yaml.safe_dump({**(data or {}), **filled_deeply(render.get("set", {}), values)}, sort_keys=False)
        Path(filled(render["to"], values)).write_text(text, encoding="utf-8")

    def _with_interpreter(self, step: list[str], seed: int) -> list[str]:
        if step[0] != PYTHON:
            return step
        rest = step[2:] if step[1] == "-u" else step[1:]
        if self.manifest.data.get("seed") == "wrapper":
            return [self.python, str(Path(seeded.__file__).resolve()), str(seed), *rest]
        return [self.python, *rest]
