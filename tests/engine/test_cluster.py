"""The driver of a cluster: same bytes, small receipts, nothing lost or counted twice; Ray itself stands aside here."""

import shutil
import socket
import sys
import time

import pytest
from support.clips import moving, write_clip
from support.pretended_ray import ActorDiedError, PretendedRay

import thgeval
from thgeval import Options
from thgeval.cli.main import code
from thgeval.engine.cluster import on_ray, parts
from thgeval.errors import MissingExtra, OutputError, ProtocolError

METRICS = ["psnr", "f-mse", "fps", "wer"]
CLIPS = "abcdefghij"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten pairs, among them a damaged clip, one without a reference, and one whose reference can't be read."""
    place = tmp_path_factory.mktemp("cluster")
    for side, noise in (("pred", 6.0), ("gt", 0.0)):
        (place / side).mkdir()
        for number, name in enumerate(CLIPS):
            write_clip(place / side / f"{name}.mp4", moving(frames=3, size=32, seed=number, noise=noise))
    (place / "pred" / "c.mp4").write_bytes(b"no video")
    (place / "gt" / "d.mp4").unlink()
    (place / "gt" / "e.mp4").unlink()
    (place / "gt" / "e.mp4").symlink_to("nowhere.mp4")
    return place


def scored(folder, out, **options):
    return thgeval.evaluate(folder / "pred", folder / "gt", metrics=METRICS, options=Options(out=out, **options))


@pytest.fixture(scope="module")
def here(folder):
    return scored(folder, folder / "here.json")


@pytest.fixture
def cluster(monkeypatch):
    def made(**how):
        pretended = PretendedRay(**how)
        monkeypatch.setitem(sys.modules, "ray", pretended)
        monkeypatch.setattr(on_ray, "AGAIN_S", 0.0)
        return pretended

    return made


def test_the_bytes_are_those_of_one_machine_and_receipts_are_small(folder, here, tmp_path, cluster):
    ray = cluster()
    run = scored(folder, tmp_path / "run.json", engine="ray")
    assert run.canonical == here.canonical
    assert max(ray.sizes) < 1000
    assert ray.asked["max_restarts"] == -1
    assert thgeval.Run.read(tmp_path / "run.json").canonical == here.canonical
    from thgeval.engine.verification import verified

    assert verified(tmp_path / "run.json").differs == verified(folder / "here.json").differs


def test_a_second_run_measures_nothing_and_another_metric_is_added(folder, here, tmp_path, cluster):
    cluster()
    scored(folder, tmp_path / "run.json", engine="ray")
    assert scored(folder, tmp_path / "run.json", engine="ray").record["measured"].get("measured", 0) <= 2
    asked = Options(out=tmp_path / "run.json", engine="ray")
    more = thgeval.evaluate(folder / "pred", folder / "gt", metrics=["l1"], options=asked)
    assert more["psnr"] == here["psnr"]


def test_copies_of_references_are_scored_by_the_driver(folder, tmp_path, cluster, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    alone = scored(folder, tmp_path / "alone.json", controls=True)
    cluster()
    run = scored(folder, tmp_path / "run.json", engine="ray", controls=True)
    assert run["psnr"].controls.keys() >= {"still", "crf42"}
    assert run.canonical == alone.canonical


def test_what_one_machine_began_a_cluster_ends(folder, here, tmp_path, cluster):
    cluster()
    shutil.copytree(folder / "here.states", tmp_path / "run.states")
    for path in sorted((tmp_path / "run.states").glob("*.npz"))[:4]:
        path.unlink()
    (tmp_path / "run.states" / "b-damaged.npz").write_bytes(b"half")
    assert scored(folder, tmp_path / "run.json", engine="ray").canonical == here.canonical


def test_a_worker_that_goes_down_loses_nothing(folder, here, tmp_path, cluster):
    fallen = []

    def accident(name, *given):
        if name == "measure" and len(fallen) < 2:
            fallen.append(given)
            raise ActorDiedError

    cluster(accident=accident)
    assert scored(folder, tmp_path / "run.json", engine="ray").canonical == here.canonical
    assert len(fallen) == 2


def test_a_clip_that_takes_every_worker_down_fails_alone(folder, here, tmp_path, cluster):
    def accident(name, *given):
        if name == "measure" and any(pair.id == "h" for pair in given[0].pairs):
            raise ActorDiedError

    cluster(accident=accident, cores=1.0)
    run = scored(folder, tmp_path / "run.json", engine="ray")
    failed = {clip.id: clip.failure for clip in run.failures}
    assert failed["h"].message.startswith("h: 3 workers went down with it (ActorDiedError)")
    assert {clip.id for clip in run.clips} == set(CLIPS)
    assert run["psnr"].clips == here["psnr"].clips - 1
    cluster()
    assert scored(folder, tmp_path / "run.json", engine="ray").canonical == here.canonical


def test_states_that_vanish_are_measured_again_by_the_driver(folder, here, tmp_path, cluster, monkeypatch):
    cluster()
    real = parts.taken_up

    def robbed(job, part):
        for path in (tmp_path / "run.states").glob("a-*.npz"):
            path.unlink()
        return real(job, part)

    monkeypatch.setattr(on_ray, "taken_up", robbed)
    assert scored(folder, tmp_path / "run.json", engine="ray").canonical == here.canonical


def test_errors_of_workers_and_clusters_are_one_sentence(folder, tmp_path, cluster, monkeypatch):
    def refusing(name, *given):
        if name == "measure":
            raise OutputError("the disk is full; what was measured so far is kept")

    cluster(accident=refusing)
    with pytest.raises(OutputError, match="the disk is full"):
        scored(folder, tmp_path / "run.json", engine="ray")

    def crashing(name, *given):
        raise ActorDiedError

    cluster(accident=crashing)
    monkeypatch.setattr(on_ray, "START_S", 0.2)
    with pytest.raises(OutputError, match="no worker of the cluster has answered"):
        scored(folder, tmp_path / "run.json", engine="ray")
    cluster(cores=0.0)
    with pytest.raises(ProtocolError, match="the cluster has 0 cores"):
        scored(folder, tmp_path / "run.json", engine="ray")
    with pytest.raises(ProtocolError, match=r"name it with -o OUT\.json"):
        scored(folder, None, engine="ray")
    cluster().init = lambda **_: (_ for _ in ()).throw(ConnectionError("nobody is there\nsecond line"))
    with pytest.raises(ProtocolError, match=r"no cluster of Ray can be reached at 'auto' \(nobody is there\)"):
        scored(folder, tmp_path / "run.json", engine="ray")
    monkeypatch.setattr(on_ray, "CONNECT_S", 0.2)
    cluster().init = lambda **_: time.sleep(5)  # somebody listens there, and is no head
    with pytest.raises(ProtocolError, match=r"reached at 'auto' \(it didn't answer for 0.2 s\)"):
        scored(folder, tmp_path / "run.json", engine="ray")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"\[ray\]"):
        scored(folder, tmp_path / "run.json", engine="ray")


def test_a_head_that_is_silent_for_long_ends_the_run(folder, tmp_path, cluster, monkeypatch):
    monkeypatch.setattr(on_ray, "HEAD_S", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"127.0.0.1:{head.getsockname()[1]}"
        cluster().head = address
        scored(folder, tmp_path / "run.json", engine="ray")
    cluster().head = address
    with pytest.raises(OutputError, match="the cluster is lost: its head has not answered for 0 s"):
        scored(folder, tmp_path / "run.json", engine="ray", fresh=True)


def test_a_node_that_differs_is_refused(folder, tmp_path, cluster, monkeypatch):
    cluster()
    for name, value, said in (
        ("__version__", "9.9", "the node of worker 1 has thgeval 9.9"),
        ("decoder", lambda: "other", "with other, and the driver"),
    ):
        with monkeypatch.context() as patch:
            real = parts.recipe
            patch.setattr(on_ray, "recipe", lambda *given, real=real: real(*given))
            patch.setattr(parts, name, value)
            with pytest.raises(ProtocolError, match=said):
                scored(folder, tmp_path / "run.json", engine="ray")


def test_from_the_command_line(folder, here, tmp_path, cluster, capsys):
    ray = cluster()
    asked = ["score", str(folder / "pred"), str(folder / "gt"), "-q", "--allow-missing", "--engine", "ray"]
    asked += [text for metric in METRICS if metric != "wer" for text in ("-m", metric)]
    with socket.create_server(("127.0.0.1", 0)) as head:
        address = f"ray://127.0.0.1:{head.getsockname()[1]}"
        assert code([*asked, "--address", address, "-o", str(tmp_path / "run.json")]) == 0
    assert ray.options["address"] == address
    assert code([*asked, "--address", address, "-o", str(tmp_path / "run.json")]) == 2
    assert f"no cluster of Ray can be reached at '{address}'" in capsys.readouterr().err
    assert thgeval.Run.read(tmp_path / "run.json")["psnr"] == here["psnr"]
    assert code([*asked, "--engine", "dask"]) == 2
