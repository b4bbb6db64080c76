"""Servers that never fall silent and never finish, whatever part of an answer they drag out."""

import threading
import time
from contextlib import suppress
from dataclasses import replace
from itertools import repeat

import pytest
from requirements.sites import IMPATIENT, content, entry_text, headers, ranged, serving, sha256, until, whole
from requirements.test_fetching import certificate  # noqa: F401 - a fixture

from thgeval.errors import WeightsError
from thgeval.fetching import fetch
from thgeval.fetching.transfer import Patience
from thgeval.requirements import weights

BODY = content(100_000)
SHORT = Patience(timeout_s=5, attempts=2, pause_s=0.01, window_s=0.15)


def dripping(before, drops):
    """Some bytes, then drops of more until the other side hangs up, each well within any timeout."""

    def answer(handler, body):
        with suppress(OSError):
            handler.wfile.write(before)
            for drop in drops:
                time.sleep(0.02)
                handler.wfile.write(drop)
        handler.close_connection = True

    return answer


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "header": (OK + b"X: ", b"a"),
    "many headers": (OK, b"X: a\r\n"),
    "body with length": (OK + b"Content-Length: 100000\r\n\r\n", b"ab"),
    "body without length": (OK + b"\r\n", b"ab"),
    "chunk extension": (CHUNKED + b"2", b";a"),
    "chunks": (CHUNKED, b"1\r\na\r\n"),
    "trailer": (CHUNKED + b"1\r\na\r\n0\r\n", b"X: a\r\n"),
    "redirection": (b"HTTP/1.1 302 Found\r\n", b"X: a\r\n"),
    "error": (b"HTTP/1.1 503 No\r\n", b"X: a\r\n"),
}


def refused(patience=SHORT):
    with pytest.raises(WeightsError) as raised:
        fetch("net", patience=patience)
    assert not (weights.folder() / "net.bin").exists()
    return str(raised.value)


def known(url, **fields):
    return entry_text("net", **({"origin": url, "sha256": sha256(BODY), "bytes": len(BODY)} | fields))


@pytest.mark.parametrize("part", ANSWERS)
@pytest.mark.parametrize("size", [len(BODY), 0])
def test_a_drip_ends(part, size, site, manifest):
    manifest(known(site.put("/net.bin", BODY, dripping(ANSWERS[part][0], repeat(ANSWERS[part][1]))), bytes=size))
    assert "/net.bin sends less than 5.0 kB per second, 2 times in a row; " in refused()
    assert len(site.asked) == 2


def test_a_drip_under_tls_ends(certificate, manifest, monkeypatch):  # noqa: F811 - the fixture
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(certificate) as safe:
        for part in ("header", "body with length"):
            manifest(known(safe.put("/net.bin", BODY, dripping(ANSWERS[part][0], repeat(ANSWERS[part][1])))))
            assert "sends less than 5.0 kB per second" in refused()


# ssl leaves the socket it was wrapping open where the connection is reset before the handshake
@pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")
def test_a_drip_of_a_proxy_before_tls_ends(site, manifest, monkeypatch):
    monkeypatch.setenv("https_proxy", site.url)
    manifest(known("https://weights.example/net.bin"))
    monkeypatch.setattr(
        "http.server.BaseHTTPRequestHandler.do_CONNECT",
        lambda handler: dripping(OK, repeat(b"X: a\r\n"))(handler, b""),
        raising=False,
    )
    assert "sends less than 5.0 kB per second" in refused()


def test_what_a_slow_answer_brought_is_kept(site, manifest):
    head = OK + b'ETag: "v1"\r\nContent-Length: 100000\r\n\r\n'
    drops = (BODY[at : at + 1] for at in range(40_000, 100_000))
    manifest(known(site.put("/net.bin", BODY, dripping(head + BODY[:40_000], drops), ranged)))
    patience = replace(SHORT, least_rate=1e6)  # 150 kB in a window: the first answer brings less, the second the rest
    assert fetch("net", patience=patience).read_bytes() == BODY
    assert int(site.ranges()[1].removeprefix("bytes=").removesuffix("-")) >= 40_000


def test_the_whole_file_has_an_end_too(site, manifest):
    """Every answer brings enough to count as progress, and the file never ends."""
    size = 300_000_000

    def more(handler, body):
        start = int(handler.headers.get("Range", "bytes=0-")[6:-1])
        fields = {"Content_Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        headers(handler, 206 if start else 200, Content_Length=size - start, ETag='"v1"', **fields)
        handler.wfile.write(bytes(300_000))

    manifest(known(site.put("/net.bin", b"", more), bytes=size))
    said = refused(Patience(timeout_s=5, attempts=3, pause_s=0.01, least_rate=size, whole_s=0.2))
    assert "/net.bin has not sent the whole file within 1.2 s; " in said
    assert len(site.asked) > 2
    assert "are kept, and thgeval fetch net goes on from there" in said


def test_one_answer_is_cut_off_at_the_end_of_the_whole(site, manifest):
    manifest(known(site.put("/net.bin", BODY, dripping(OK + b"Content-Length: 100000\r\n\r\n", repeat(b"ab")))))
    said = refused(Patience(timeout_s=5, attempts=3, pause_s=0.01, least_rate=1e6, whole_s=0.3))
    assert "has not sent the whole file within 0.4 s" in said
    assert len(site.asked) == 1


def test_no_thread_stays(site, manifest):
    before = threading.active_count()
    manifest(known(site.put("/net.bin", BODY, until(30_000), whole)))
    fetch("net", patience=IMPATIENT)
    for thread in threading.enumerate():
        if thread.daemon and "_wait" in thread.name:
            thread.join(5)
    assert threading.active_count() <= before + 1  # the server's own last one may still be closing


NUMBER = "9" * 10_000


@pytest.mark.parametrize(
    "field", [f"bytes {NUMBER}-{NUMBER}/{NUMBER}", f"bytes 30000-99999/{NUMBER}", f"bytes {NUMBER}-1/*", "bytes ٣-٤/٥"]
)
def test_a_range_of_absurd_numbers_starts_over(field, site, manifest):
    def absurd(handler, body):
        handler.wfile.write(b"HTTP/1.1 206 Partial\r\nContent-Length: 10\r\nContent-Range: ")
        handler.wfile.write(field.encode() + b"\r\n\r\n" + body[:10])

    manifest(known(site.put("/net.bin", BODY, until(30_000), absurd, ranged)))
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert site.ranges() == ["", "bytes=30000-", ""]


@pytest.mark.parametrize(
    "fields", [f"Content-Length: {NUMBER}", f"Retry-After: {NUMBER}", f"Content-Range: bytes */{NUMBER}"]
)
@pytest.mark.parametrize("number", [200, 416, 503])
def test_other_absurd_numbers_are_a_sentence_or_nothing(fields, number, site, manifest):
    def absurd(handler, body):
        handler.wfile.write(f"HTTP/1.1 {number} X\r\n{fields}\r\n\r\n".encode())

    manifest(known(site.put("/net.bin", BODY, until(30_000), absurd, whole)))
    patience = replace(IMPATIENT, longest_pause_s=0.01)
    assert fetch("net", patience=patience).read_bytes() == BODY


@pytest.mark.parametrize("to", ["http://[", "http://127.0.0.1:99999999/x", f"http://{'a' * 300}/x", "http://a b:x/"])
def test_a_redirection_to_no_address_is_a_sentence(to, site, manifest):
    manifest(known(site.put("/net.bin", BODY, lambda handler, body: headers(handler, 302, Location=to))))
    assert "/net.bin " in refused()
