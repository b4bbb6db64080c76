"""A real cluster of Ray, of two nodes on this machine: the same bytes, whoever is killed. See ``make test-scale``."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.clips import moving, write_clip

import thgeval
from thgeval import Options
from thgeval.engine import job
from thgeval.errors import ThgevalError
from thgeval.results import Run

pytest.importorskip("ray")

from ray.cluster_utils import Cluster

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore")]

METRICS = ["psnr", "f-mse", "cpbd"]
NODE = {"num_cpus": 1, "object_store_memory": 80_000_000}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("ray")
    for side, noise in (("pred", 6.0), ("gt", 0.0)):
        (place / side).mkdir()
        for number in range(24):
            write_clip(place / side / f"{number:02}.mp4", moving(frames=20, size=128, seed=number, noise=noise))
    return place


@pytest.fixture(scope="module")
def here(folder):
    return thgeval.evaluate(folder / "pred", folder / "gt", metrics=METRICS, options=Options(out=folder / "here.json"))


@pytest.fixture
def cluster():
    import ray

    made = Cluster(initialize_head=True, head_node_args=NODE)
    made.other = made.add_node(**NODE)
    yield made
    ray.shutdown()
    with contextlib.suppress(Exception):
        made.shutdown()


@pytest.fixture
def served(tmp_path):
    """The address of a head with a server for clients, and the group of processes that it is."""
    ports = [free_port() for _ in range(3)]
    named = zip(("port", "ray-client-server-port", "runtime-env-agent-port"), ports, strict=True)
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=2"]
    command += ["--include-dashboard=false", "--node-ip-address=127.0.0.1"]
    command += [f"--{name}={port}" for name, port in named]
    own = {"HOME": str(tmp_path), "RAY_USAGE_STATS_ENABLED": "0"}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    head = subprocess.Popen(command, start_new_session=True, env=os.environ | own, **silent)
    until = time.monotonic() + 60
    while not all(map(listens, ports)) and time.monotonic() < until:
        time.sleep(0.5)
    yield f"ray://127.0.0.1:{ports[1]}", head
    with contextlib.suppress(ProcessLookupError):
        os.killpg(head.pid, signal.SIGKILL)
    head.wait()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def scored(folder, out, cluster, watcher=None):
    options = Options(out=out, engine="ray", address=cluster.address)
    return thgeval.evaluate(folder / "pred", folder / "gt", metrics=METRICS, options=options, watcher=watcher)


def after(clips, what):
    """A watcher that does something once so many clips are done."""
    seen, lock = [0], threading.Lock()

    def done(clip):
        with lock:
            seen[0] += 1
            if seen[0] == clips:
                what()

    return job.Watcher(clip=done)


def test_two_nodes_give_the_bytes_of_one_machine(folder, here, cluster, tmp_path):
    assert scored(folder, tmp_path / "run.json", cluster).canonical == here.canonical


def test_relative_paths_start_where_the_driver_stands(folder, here, cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(folder.parent)
    out = Path(os.path.relpath(tmp_path / "run.json"))
    assert scored(Path(folder.name), out, cluster).canonical == here.canonical


def test_a_node_that_is_killed_loses_nothing(folder, here, cluster, tmp_path, monkeypatch):
    from thgeval.engine.cluster import on_ray

    monkeypatch.setattr(on_ray, "SILENT_S", 15.0)
    watcher = after(3, lambda: cluster.remove_node(cluster.other, allow_graceful=False))
    assert scored(folder, tmp_path / "run.json", cluster, watcher).canonical == here.canonical


def test_a_worker_that_is_killed_loses_nothing(folder, here, cluster, tmp_path):
    def killed():
        found = subprocess.run(["pgrep", "-f", "ray::Worker"], capture_output=True, text=True, check=False).stdout
        os.kill(int(found.split()[0]), signal.SIGKILL)

    assert scored(folder, tmp_path / "run.json", cluster, after(3, killed)).canonical == here.canonical


def test_a_driver_that_is_killed_goes_on(folder, here, cluster, tmp_path):
    script = (
        "import sys, thgeval; out, address, pred, gt = sys.argv[1:]\n"
        "options = thgeval.Options(out=out, engine='ray', address=address)\n"
        f"thgeval.evaluate(pred, gt, metrics={METRICS!r}, options=options)"
    )
    out = tmp_path / "run.json"
    command = [sys.executable, "-c", script, str(out), cluster.address, str(folder / "pred"), str(folder / "gt")]
    driver = subprocess.Popen(command)
    until = time.monotonic() + 120
    while len(list(tmp_path.glob("run.states/*.npz"))) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    driver.kill()
    driver.wait()
    assert not out.exists()
    run = scored(folder, out, cluster)
    assert run.canonical == here.canonical
    assert run.record["measured"]["recalled"] >= 3


def test_a_head_that_is_gone_ends_the_run_in_a_sentence(folder, cluster, tmp_path):
    """In the middle of a run, or doesn't end it; and before one."""
    command = [
        sys.executable,
        "-m",
        "thgeval.cli.main",
        "score",
        str(folder / "pred"),
        str(folder / "gt"),
        "-m",
        "cpbd",
    ]
    command += ["-q", "--engine", "ray", "--address", cluster.address, "-o", str(tmp_path / "run.json")]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    until = time.monotonic() + 120
    while not list(tmp_path.glob("run.states/*.npz")) and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(cluster.head_node.all_processes["gcs_server"][0].process.pid, signal.SIGKILL)
    _, said = driver.communicate(timeout=200)
    lost = "the cluster is lost" in said or "no worker of the cluster has answered" in said
    assert driver.returncode == (4 if lost else 0), said  # workers that are there may still end the run
    assert (tmp_path / "run.json").exists() != lost
    with pytest.raises(ThgevalError, match="no cluster of Ray can be reached"):
        scored(folder, tmp_path / "run.json", cluster)


@pytest.mark.timeout(600)  # Ray takes a minute to say that it isn't ready, and another to say that it is gone
def test_a_server_for_clients_gives_the_same_bytes_and_its_end_ends_the_run(folder, here, served, tmp_path):
    """And starts no other cluster in its place, which would leave a key in the user's folder."""
    address, head = served
    home = tmp_path / "home"
    home.mkdir()
    out = tmp_path / "run.json"
    command = [sys.executable, "-m", "thgeval.cli.main", "score", str(folder / "pred"), str(folder / "gt"), "-q"]
    command += [part for metric in METRICS for part in ("-m", metric)]
    command += ["--engine", "ray", "--address", address]
    env = os.environ | {"HOME": str(home)}
    for _ in range(3):  # a server that listens may still be getting ready, which is Ray's own affair
        first = [*command, "-o", str(tmp_path / "first.json")]
        done = subprocess.run(first, env=env, check=False, capture_output=True, text=True)
        if "no cluster of Ray can be reached" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr
    assert Run.read(tmp_path / "first.json").canonical == here.canonical
    driver = subprocess.Popen([*command, "-o", str(out)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not list(tmp_path.glob("run.states/*.npz")) and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(head.pid, signal.SIGKILL)
    _, said = driver.communicate(timeout=120)
    assert driver.returncode == 4, said
    assert b"the cluster is lost" in said
    assert not out.exists()
    assert not list(home.iterdir())
