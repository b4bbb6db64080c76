"""Places elsewhere, on this machine: an S3 server in a process of its own, and a web server on a thread."""

import contextlib
import functools
import http.server
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.clips import moving, write_clip
from support.elsewhere import BUCKET, SECRET

from thgeval.cli.main import code


@dataclass(frozen=True)
class Folders:
    generated: Path
    reference: Path


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Three pairs, one with a transcript and a damaged one; a folder of frames; and all of it never changed."""
    place = tmp_path_factory.mktemp("clips")
    made = Folders(place / "pred", place / "gt")
    for number, name in enumerate(("a", "b b", "ü")):
        for folder, noise in ((made.generated, 6.0), (made.reference, 0.0)):
            folder.mkdir(exist_ok=True)
            write_clip(folder / f"{name}.mp4", moving(frames=4, size=32, seed=number, noise=noise))
    (made.generated / "a.txt").write_text("what was said")
    (made.generated / "broken.mp4").write_bytes(b"no video at all")
    (made.reference / "broken.mp4").write_bytes(b"none either")
    return made


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
def s3_server():
    """The address of a server that speaks S3."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto")
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    server.send_signal(signal.SIGTERM)
    server.wait(20)


@pytest.fixture
def s3(s3_server, monkeypatch):
    """An empty bucket, and the credentials that open it."""
    import boto3

    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", s3_server),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=s3_server)
    client.create_bucket(Bucket=BUCKET)
    yield client
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for item in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=item["Key"])
    client.delete_bucket(Bucket=BUCKET)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and may be told to say nothing for a while."""

    asked = None
    silent_s = 0.0

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.asked.append(self.path)
        time.sleep(self.silent_s)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().do_GET()

    def do_HEAD(self):
        time.sleep(self.silent_s)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().do_HEAD()


@pytest.fixture
def web(clips):
    """The address of a web server of the clips' folder, and its handler."""
    pytest.importorskip("aiohttp")
    pytest.importorskip("fsspec")
    handler = type("Handler", (Quiet,), {"asked": [], "silent_s": 0.0})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(clips.generated.parent))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys):
    """Run the command line in this process."""

    def ran(*arguments):
        returned = code([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(returned, captured.out, captured.err)

    return ran


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of its own, so that nothing was fetched before."""
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
