"""Workers as actors of Ray: each holds its decoder and networks for the whole run, and is handed tasks one by one.

The driver decides nothing by what Ray remembers. A task that a worker takes with it, be it that the worker ran out of
memory, that its machine went down or that nobody has heard of it for long, is handed to another; if it goes down with
its workers again, it is halved, until the clip that does it stands alone and is counted as failed. Actors are restarted
by Ray as often as it takes. When the driver goes down, the same command goes on from the states that are there.
"""

import os
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from thgeval.clip import Pair
from thgeval.engine.cluster.parts import Receipt, SharedWork, Task, check_node, done, recipe, taken_up, tasks
from thgeval.engine.job import Job, refused
from thgeval.engine.options import Options
from thgeval.engine.records import clip_result
from thgeval.engine.scoring import Contribution
from thgeval.engine.workers import Cores, available
from thgeval.errors import Failure, MissingExtra, OutputError, ProtocolError, ThgevalError
from thgeval.limits import VARIABLE
from thgeval.pairing import Pairing
from thgeval.remote.addresses import scrubbed
from thgeval.remote.delivery import SharedFolder
from thgeval.remote.waiting import patiently
from thgeval.results import ClipResult, Run

LOST = "worker lost"
LISTEN_S = 10.0
CONNECT_S = 60.0
"""A cluster that can't be joined, or started here, for so long is taken for unreachable: Ray would try for minutes."""
LOOK_S = 1.0
PING_S = 10.0
AGAIN_S = 1.0
SILENT_S = 60.0
"""A worker that says nothing for so long is taken for lost, and its task handed to another."""
HEAD_S = 30.0
"""If nobody listens at the head's address for so long, the run ends; after 60 s Ray would end the program."""
START_S = 120.0
"""If no worker at all is there for so long, the run ends."""
TRIES = 3
"""So often a task may go down with its worker before it is halved."""
OBJECTS_BYTES = 100 << 20
"""Room for Ray's objects on a cluster that is started here: receipts are small."""


class Worker:
    """Measures tasks; an actor, of which a second thread says that it is alive."""

    def __init__(self, given: SharedWork) -> None:
        self.recipe = given
        with suppress(OSError):  # where it isn't, relative paths lead nowhere, which is said then
            os.chdir(given.standing_in)

    def ready(self, node: str) -> str:
        """The node that it runs on, if it can do what is asked; ProtocolError if not."""
        check_node(self.recipe, node)
        return node

    def alive(self) -> bool:
        """That it is."""
        return True

    def measure(self, task: Task) -> Receipt:
        """The clips of a task."""
        return done(self.recipe, task)


@dataclass(eq=False)
class CrewMember:
    """A worker as the driver knows it: what it does now, and when it was last heard of."""

    actor: Any
    heard_s: float
    task: Task | None = None
    ready: bool = False
    pinged_s: float = 0.0


@dataclass
class Crew:
    """All workers of a run, and the tasks that wait."""

    ray: Any
    job: Job
    hands: list[CrewMember]
    waiting: deque[Task]
    head: str = ""
    head_asked_s: float = field(default_factory=time.monotonic)
    head_heard_s: float = field(default_factory=time.monotonic)
    flying: dict[Any, tuple[CrewMember, str]] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    given_up: dict[str, Failure] = field(default_factory=dict)

    def work(self) -> None:
        """Hand out tasks until all are done; ProtocolError or OutputError if that is impossible."""
        for number, hand in enumerate(self.hands):
            self.flying[hand.actor.ready.remote(f"of worker {number + 1}")] = hand, "ready"
        since = time.monotonic()
        while self.waiting or any(hand.task is not None for hand in self.hands):
            finished, _ = self.ray.wait(list(self.flying), num_returns=1, timeout=LOOK_S) if self.flying else ([], [])
            for answer in finished:
                self._answered(*self.flying.pop(answer), answer)
            now = time.monotonic()
            for hand in self.hands:
                self._looked_after(hand, now)
            self._check_head(now)
            if any(hand.ready for hand in self.hands):
                since = now
            elif now - since > START_S:
                raise OutputError(
                    f"for {START_S:g} s no worker of the cluster has answered: is there a node with free cores "
                    "and memory (and cards, with --gpus)? what was measured is kept, and the same command goes on"
                )

    def _check_head(self, now: float) -> None:
        """Raise OutputError once nobody has listened at the head's address for long; "" is one that isn't known."""
        if not self.head or now - self.head_asked_s < min(PING_S, HEAD_S):
            return
        self.head_asked_s = now
        if _silence_of(self.head) is None:
            self.head_heard_s = now
        elif now - self.head_heard_s > HEAD_S:
            raise OutputError(
                f"the cluster is lost: its head has not answered for {HEAD_S:g} s; what was measured is kept, and the "
                "same command goes on"
            )

    def _answered(self, hand: CrewMember, what: str, answer: Any) -> None:
        hand.heard_s = time.monotonic()
        task = hand.task if what == "measure" else None
        if what == "measure":
            hand.task = None
        try:
            found = self.ray.get(answer)
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, ThgevalError):
                raise error.cause from None
            self._failed(task, str(error.cause))
            return
        except self.ray.exceptions.RayError as error:
            hand.ready = False  # Ray starts it again; it is asked in a moment whether it is there
            self._failed(task, type(error).__name__)
            return
        if what == "ready":
            hand.ready = True
        elif what == "measure" and task is not None:
            self._receive(task, found)

    def _receive(self, task: Task, receipt: Receipt) -> None:
        if receipt.part in self.receipts:
            return
        self.receipts[receipt.part] = receipt
        self.job.counts.update(receipt.counts)
        self.job.watcher.frames(receipt.frames)
        for pair in task.pairs:
            self.job.watcher.clip(pair.id)
        for sentence in receipt.warnings:
            self.job.watcher.warns(sentence)

    def _failed(self, task: Task | None, why: str) -> None:
        """Hand a task to others that went down with its worker; in halves if it does so again and again."""
        if task is None or task.part in self.receipts:
            return
        self.tried[task.part] = self.tried.get(task.part, 0) + 1
        if self.tried[task.part] < TRIES:
            self.waiting.append(task)
        elif len(task.pairs) > 1:
            self.waiting.extend(task.halves())
        else:
            (pair,) = task.pairs
            said = f"{pair.id}: {TRIES} workers went down with it ({why}), perhaps out of memory"
            self.given_up[pair.id] = Failure(LOST, said)
            self.job.watcher.clip(pair.id)

    def _looked_after(self, hand: CrewMember, now: float) -> None:
        """Give a worker that has nothing to do a task, ask one that has whether it is alive; give up a silent one."""
        if hand.ready and hand.task is None and self.waiting:
            hand.task = self.waiting.popleft()
            self.flying[hand.actor.measure.remote(hand.task)] = hand, "measure"
        if hand.ready and now - max(hand.pinged_s, hand.heard_s) > PING_S:
            hand.pinged_s = now
            self.flying[hand.actor.alive.remote()] = hand, "alive"
        if hand.ready and now - hand.heard_s > SILENT_S:
            hand.ready = False
            task, hand.task = hand.task, None
            if task is not None:
                self.waiting.append(task)
            for answer in [answer for answer, (whose, _) in self.flying.items() if whose is hand]:
                del self.flying[answer]
        if (
            not hand.ready
            and now - hand.heard_s > AGAIN_S
            and all(whose is not hand for whose, _ in self.flying.values())
        ):
            self.flying[hand.actor.ready.remote("again")] = hand, "ready"


def measured_by_ray(job: Job, pairing: Pairing, options: Options, before: Run | None) -> list[Contribution]:
    """What every pair adds, measured by a cluster, and every clip without a partner."""
    made = recipe(job, options, pairing)
    job.watcher.begins(len(pairing.pairs))
    with _connected(options) as ray, _hired(ray, made, options) as actors:
        now = time.monotonic()
        hands = [CrewMember(actor, now) for actor in actors]
        head = "" if options.address.startswith("ray://") else ray.get_runtime_context().gcs_address
        crew = Crew(ray, job, hands, deque(tasks(pairing, len(hands), before)), head)
        try:
            crew.work()
        except ThgevalError:
            raise
        except Exception as error:
            raise OutputError(
                f"the cluster is lost ({_said(error)}); what was measured is kept, and the same command goes on"
            ) from None
    return _together(job, pairing, crew)


def _together(job: Job, pairing: Pairing, crew: Crew) -> list[Contribution]:
    """The clips of all parts, those that no worker could keep, and those without a partner."""
    pairs = {pair.id: pair for pair in pairing.pairs}
    unpaired = {item.id: item for item in pairing.unpaired}
    if job.store.shared is not None:
        here = SharedFolder.of(job.store.shared.place.address)
        job = replace(job, store=replace(job.store, shared=here))
    found = [Contribution(unpaired[id]) for id in unpaired.keys() - pairs.keys()]
    found += [_lost(job, pairs[id], failure) for id, failure in crew.given_up.items()]
    with Cores(job.cores) as cores:
        for part in sorted(crew.receipts):
            for clip, contribution in taken_up(job, part):
                problem = unpaired[clip.id].failure if clip.id in unpaired else None
                again = contribution or job.at_hand(pairs[clip.id], problem, cores)
                found.append(again)
    return found


def _lost(job: Job, pair: Pair, failure: Failure) -> Contribution:
    return Contribution(clip_result(pair, refused(job.plan, failure), ClipResult(pair.id), job.places))


@contextmanager
def _connected(options: Options) -> Iterator[Any]:
    """Ray, connected to the cluster that was named; one that this process is connected to already stays so."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # who has lost a cluster would start another
    try:
        import ray
    except ImportError:
        raise MissingExtra("--engine ray", extra="ray") from None
    if ray.is_initialized():
        yield ray
        return
    _check_reachable(options.address)
    own = {"num_cpus": available(), "object_store_memory": OBJECTS_BYTES, "include_dashboard": False}
    init = partial(
        ray.init,
        address=options.address,
        log_to_driver=False,
        logging_level="ERROR",
        namespace="thgeval",
        **(own if options.address == "local" else {}),
    )
    try:
        patiently(lambda alive: init(), CONNECT_S)
    except Exception as error:
        raise ProtocolError(
            f"no cluster of Ray can be reached at {scrubbed(options.address)!r} ({_said(error)}); `ray start --head` "
            "starts one, and --address local one of this machine for this run"
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise ProtocolError where nobody listens, without waiting for Ray to try."""
    if (error := _silence_of(address)) is not None:
        raise ProtocolError(
            f"no cluster of Ray can be reached at {scrubbed(address)!r} ({_said(error)}); `ray start --head` starts one"
        )


def _silence_of(address: str) -> Exception | None:
    """Why nobody listens at HOST:PORT or ``ray://HOST:PORT``; None where somebody does, or at other addresses."""
    host, _, port = address.removeprefix("ray://").partition("?")[0].rpartition(":")
    if not host or not port.isdigit():
        return None
    try:
        socket.create_connection((host.strip("[]"), int(port)), LISTEN_S).close()
    except (OSError, OverflowError) as error:
        return error
    return None


@contextmanager
def _hired(ray: Any, made: SharedWork, options: Options) -> Iterator[list[Any]]:
    """As many workers as the cluster has room for, as long as the body runs."""
    there = ray.cluster_resources()
    room = [there.get("CPU", 0) / options.cores, *([there.get("GPU", 0) / options.gpus] if options.gpus else [])]
    if (count := int(min(room))) < 1:
        raise ProtocolError(
            f"the cluster has {there.get('CPU', 0):g} cores and {there.get('GPU', 0):g} graphics cards, and a worker "
            f"needs {options.cores} and {options.gpus:g}"
        )
    kind = ray.remote(
        num_cpus=options.cores,
        num_gpus=options.gpus,
        max_restarts=-1,
        max_task_retries=0,  # tasks that go down with their worker are handed out anew, and counted
        max_concurrency=2,
        runtime_env={"env_vars": {VARIABLE: os.environ[VARIABLE]}} if VARIABLE in os.environ else {},
    )(Worker)
    actors = [kind.remote(made) for _ in range(count)]
    try:
        yield actors
    finally:
        for actor in actors:
            with suppress(Exception):
                ray.kill(actor)


def _said(error: BaseException) -> str:
    """The first line of what an error of Ray says."""
    text = scrubbed(str(error)).strip().partition("\n")[0]
    return text or type(error).__name__
