"""Downloads from a server that truncates, stalls, lies, redirects, forgets, and sends other bytes than it should."""

import bz2
import os
import shutil
import socket
import subprocess
from collections import namedtuple

import pytest
from requirements.sites import (
    HASTY,
    IMPATIENT,
    content,
    entry_text,
    headers,
    ranged,
    redirected,
    serving,
    sha256,
    status,
    until,
    whole,
)
from support.programs import program

from thgeval import fetching
from thgeval.errors import OutputError, ProtocolError, WeightsError
from thgeval.fetching import LeftOut, Patience, fetch, selected
from thgeval.fetching.addresses import addresses
from thgeval.metrics import METRICS
from thgeval.requirements import weights
from thgeval.requirements.weights import Policy

BODY = content(100_000)


@pytest.fixture
def net(manifest, site):
    """``net(answer, ...)`` gives the weights ``net`` an address that answers so."""

    def put(*answers, body=BODY, path="/net.bin", **fields):
        published = fields.pop("published", BODY)
        given = {"origin": site.put(path, body, *answers), "sha256": sha256(published), "bytes": len(published)}
        manifest(entry_text("net", **(given | fields)))

    return put


def refusal(patience=IMPATIENT, **options) -> str:
    """The sentence that ends a fetch in vain, after which no file is visible."""
    with pytest.raises(WeightsError) as raised:
        fetch("net", patience=patience, **options)
    assert not (weights.folder() / "net.bin").exists()
    return str(raised.value)


def partial():
    return weights.folder() / "partial" / "net.bin.part"


def leftovers():
    return sorted(file.name for file in (weights.folder() / "partial").iterdir() if file.suffix != ".lock")


def test_a_file_comes_and_is_verified(net, said):
    net()
    file = fetch("net", watcher=said.watcher)
    assert file == weights.folder() / "net.bin"
    assert file.read_bytes() == BODY
    assert weights.path("net") == file
    assert leftovers() == []
    assert said.sentences == []
    assert said.progress[-1] == ("net", 100_000, 100_000)


def test_what_is_here_is_not_fetched_again(net, site):
    net()
    fetch("net")
    fetch("net")
    assert len(site.asked) == 1
    fetch("net", force=True)
    assert len(site.asked) == 2


def test_what_is_damaged_is_fetched_again(net, site):
    net()
    fetch("net").write_bytes(b"damaged")
    assert weights.standing("net") == "damaged"
    assert fetch("net").read_bytes() == BODY
    assert weights.standing("net") == "present"


def test_nothing_is_visible_before_it_is_whole(net, site):
    seen = []

    def spied(handler, body):
        headers(handler, 200, Content_Length=len(body))
        handler.wfile.write(body[:50_000])
        seen.append((weights.folder() / "net.bin").exists())
        handler.wfile.write(body[50_000:])

    net(spied)
    fetch("net")
    assert seen == [False]


def test_a_truncated_answer_is_continued(net, site, said):
    net(until(30_000), until(70_000), ranged)
    assert fetch("net", patience=IMPATIENT, watcher=said.watcher).read_bytes() == BODY
    assert site.ranges() == ["", "bytes=30000-", "bytes=70000-"]
    assert site.asked[1][1]["If-Range"] == '"v1"'
    assert said.sentences == [
        f"{site.url}/net.bin ends after {here} of 100000 bytes; trying again in {pause} s"
        for here, pause in ((30_000, 0.01), (70_000, 0.02))
    ]


def test_progress_counts_what_an_earlier_attempt_brought(net, said):
    net(until(30_000), ranged)
    fetch("net", patience=IMPATIENT, watcher=said.watcher)
    assert [here for _, here, _ in said.progress] == sorted(here for _, here, _ in said.progress)
    assert said.progress[-1] == ("net", 100_000, 100_000)


def test_the_next_process_goes_on_where_this_one_gave_up(net, site):
    net(until(30_000), until(60_000), until(61_000), ranged)
    sentence = refusal()
    assert sentence == (
        f"net can't be fetched: {site.url}/net.bin ends after 61000 of 100000 bytes, 3 times in a row; "
        "the 61 kB that came are kept, and thgeval fetch net goes on from there"
    )
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert site.ranges()[-1] == "bytes=61000-"


def test_a_server_that_ignores_ranges_starts_over(net, site):
    def cut(handler, body):
        headers(handler, 200, Content_Length=len(body), ETag='"v1"')
        handler.wfile.write(body[:30_000])

    net(cut, whole)
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert site.ranges() == ["", "bytes=30000-"]


def test_a_file_that_changed_meanwhile_starts_over(net, site):
    other = content(100_000, seed=1)
    net(
        lambda handler, body: ranged(handler, other, tag='"v1"', stop=30_000),
        lambda handler, body: ranged(handler, body, tag='"v2"'),
    )
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert len(site.asked) == 2


def test_a_continuation_of_another_version_is_found_out_and_repaired(net, site, said):
    """The server keeps its tag though the file is another: only the hash can tell."""
    other = content(100_000, seed=1)
    net(lambda handler, body: ranged(handler, other, stop=30_000), ranged)
    assert fetch("net", patience=IMPATIENT, watcher=said.watcher).read_bytes() == BODY
    assert site.ranges() == ["", "bytes=30000-", ""]
    assert "is not the published net.bin" in said.sentences[-1]
    assert said.sentences[-1].endswith("fetching it from the beginning")


def test_a_continuation_at_the_wrong_place_starts_over(net, site):
    def wrong(handler, body):
        headers(handler, 206, Content_Length=10, Content_Range=f"bytes 5-14/{len(body)}", ETag='"v1"')
        handler.wfile.write(body[5:15])

    net(until(30_000), wrong, ranged)
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert site.ranges() == ["", "bytes=30000-", ""]


def test_a_complete_part_is_recognised_by_416(net, site):
    def no_length(handler, body):
        headers(handler, 200, ETag='"v1"', Transfer_Encoding="chunked")
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))  # and the closing chunk never comes

    net(no_length, ranged, bytes=0)
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert site.ranges() == ["", "bytes=100000-"]


@pytest.mark.parametrize("said", ["bytes */20", "bytes */*", ""])
def test_416_for_a_part_of_another_length_starts_over(net, site, said):
    refusing = status(416, Content_Range=said)
    net(until(30_000), refusing, ranged, sha256=None, hash="unknown", bytes=0)
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert site.ranges() == ["", "bytes=30000-", ""]


def test_a_complete_part_of_known_size_is_not_asked_for_again(net, site, monkeypatch):
    net(ranged)
    with monkeypatch.context() as patched:
        patched.setattr(fetching, "accepted", lambda entry, file: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fetch("net")
    assert partial().stat().st_size == 100_000
    assert fetch("net").read_bytes() == BODY
    assert len(site.asked) == 1


@pytest.mark.parametrize("spoil", ["unlink", "other address", "not json", "nested"])
def test_a_part_of_unknown_descent_is_not_continued(net, site, spoil):
    net(until(30_000), until(30_000), until(30_000), ranged)
    refusal()
    memo = partial().with_name("net.bin.part.json")
    if spoil == "unlink":
        memo.unlink()
    else:
        said = {"other address": '{"url": "https://example.org", "validator": "x"}', "nested": "[" * 100_000}
        memo.write_text(said.get(spoil, "{"))
    assert fetch("net").read_bytes() == BODY
    assert site.ranges()[-1] == ""


def test_without_hash_and_proof_of_version_nothing_is_continued(net, site):
    def cut(handler, body):
        headers(handler, 200, Content_Length=len(body))
        handler.wfile.write(body[:30_000])

    net(cut, ranged, sha256=None, hash="unknown")
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert site.ranges() == ["", ""]


def test_a_weak_tag_is_no_proof_of_version(net, site):
    def cut(handler, body):
        headers(handler, 200, Content_Length=len(body), ETag='W/"v1"', Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT")
        handler.wfile.write(body[:30_000])

    net(cut, whole)
    fetch("net", patience=IMPATIENT)
    assert site.asked[1][1]["If-Range"] == "Mon, 01 Jan 2024 00:00:00 GMT"


def test_silence_is_waited_for_and_then_reported(net, site):
    net(site.stalled(after=100))
    assert refusal(patience=HASTY) == (
        f"net can't be fetched: {site.url}/net.bin sends nothing for 0.5 s, 3 times in a row; "
        "the 100 B that came are kept, and thgeval fetch net goes on from there"
    )


def test_silence_passes(net, site):
    net(site.stalled(after=40_000), ranged)
    assert fetch("net", patience=HASTY).read_bytes() == BODY
    assert site.ranges() == ["", "bytes=40000-"]


def test_silence_before_the_answer(net, site):
    net(lambda handler, body: site.closing.wait(20) and None, ranged)
    assert fetch("net", patience=HASTY).read_bytes() == BODY


@pytest.mark.parametrize("number", [408, 429, 500, 502, 503, 504])
def test_errors_that_pass(net, site, number):
    net(status(number), status(number), whole)
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert len(site.asked) == 3


def test_errors_that_should_pass_and_do_not(net, site):
    net(status(503))
    assert refusal() == (
        f"net can't be fetched: {site.url}/net.bin answers 503 Service Unavailable, 3 times in a row; "
        "--mirror URL asks elsewhere, --from FILE takes a copy you have"
    )
    assert len(site.asked) == 3


def test_a_server_says_how_long_to_wait(net, said):
    net(status(503, Retry_After="1"), whole)
    fetch("net", patience=Patience(timeout_s=1, attempts=2, pause_s=0.01, longest_pause_s=0.05), watcher=said.watcher)
    assert said.sentences[0].endswith("answers 503 Service Unavailable; trying again in 0.05 s")


@pytest.mark.parametrize(("number", "phrase"), [(404, "404 Not Found"), (403, "403 Forbidden"), (410, "410 Gone")])
def test_errors_that_do_not_pass_are_said_at_once(net, site, number, phrase):
    net(status(number))
    assert f"{site.url}/net.bin answers {phrase}; --mirror URL" in refusal()
    assert len(site.asked) == 1


def test_other_bytes_are_refused_with_both_hashes(net, site):
    other = content(100_000, seed=1)
    net(body=other)
    assert refusal() == (
        f"net can't be fetched: {site.url}/net.bin is not the published net.bin: "
        f"its sha256 is {sha256(other)}, not {sha256(BODY)}; "
        "--mirror URL asks elsewhere, --from FILE takes a copy you have"
    )
    assert leftovers() == []
    assert len(site.asked) == 1


def test_a_length_that_cannot_be_right_is_refused_before_the_body(net, site):
    net(body=b"version https://git-lfs.github.com/spec/v1\n")
    assert "offers 43 bytes, and the published file has 100000" in refusal()


def test_a_server_that_announces_more_than_it_sends(net):
    def lying(handler, body):
        headers(handler, 200, Content_Length=2 * len(body))
        handler.wfile.write(body)

    net(lying, bytes=0)
    assert "ends after 100000 of 200000 bytes, 3 times in a row" in refusal()


def test_a_server_that_announces_less_than_it_sends(net):
    def lying(handler, body):
        headers(handler, 200, Content_Length=1000)
        handler.wfile.write(body)

    net(lying, bytes=0)
    assert "is not the published net.bin: its sha256 is" in refusal()


def test_an_answer_without_length(net):
    def until_closed(handler, body):
        headers(handler, 200)
        handler.wfile.write(body)

    net(until_closed)
    assert fetch("net").read_bytes() == BODY


def test_endless_data_is_stopped(net, monkeypatch):
    sent = []

    def endless(handler, body):
        headers(handler, 200)
        while len(sent) < 10_000:
            handler.wfile.write(body)
            sent.append(1)

    net(endless)
    assert "sends more than the 100 kB it may have" in refusal()
    assert len(sent) < 10_000
    assert leftovers() == []


def test_a_file_of_unknown_size_has_a_limit_too(net, monkeypatch):
    monkeypatch.setattr("thgeval.fetching.arrival.MOST_BYTES", 50_000)
    net(bytes=0)
    assert "offers 100 kB, more than the 50 kB it may have" in refusal()


def test_a_web_page_is_no_file(net, site):
    def page(handler, body):
        headers(handler, 200, Content_Type="text/html; charset=utf-8", Content_Length=6)
        handler.wfile.write(b"<html>")

    net(page, sha256=None, hash="unknown", bytes=0)
    assert "answers with a web page instead of the file" in refusal()


def test_an_empty_answer_is_no_file(net):
    net(body=b"", sha256=None, hash="unknown", bytes=0)
    assert "is empty" in refusal()


def test_a_file_of_unknown_hash_comes_unverified(net):
    net(sha256=None, hash="unknown")
    fetch("net")
    assert weights.standing("net") == "unverified"
    assert weights.token("net") == f"unverified-{sha256(BODY)[:8]}"


def test_nobody_listens(net, site):
    with serving() as gone:
        url = gone.url
    net(origin=f"{url}/net.bin")
    assert f"{url}/net.bin can't be reached (Connection refused), 3 times in a row" in refusal()


@pytest.mark.parametrize(
    ("number", "said"),
    [(socket.EAI_NONAME, "Name or service not known"), (socket.EAI_AGAIN, "Temporary failure in name resolution")],
)
def test_a_name_without_an_address_is_asked_for_once(net, monkeypatch, said, number):
    """Without a network each file would else be tried five times, with pauses."""
    asked = []

    def unknown(host, *args, **kwargs):
        asked.append(host)
        raise socket.gaierror(number, said)

    net(origin="https://weights.example/net.bin")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert refusal() == (
        f"net can't be fetched: https://weights.example/net.bin can't be reached ({said}); is this machine on the "
        "network?; --mirror URL asks elsewhere, --from FILE takes a copy you have"
    )
    assert asked == ["weights.example"]


def test_a_connection_that_breaks(net):
    def broken(handler, body):
        handler.wfile.write(b"HTTP/1.1 200 O")

    net(lambda handler, body: None, broken, whole)
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY


def test_redirections_are_followed(net, site):
    net(redirected("/elsewhere/x"))
    site.put("/elsewhere/x", BODY, until(30_000), ranged)
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert site.asked[-1][0] == "/elsewhere/x"
    assert site.ranges()[-1] == "bytes=30000-"


def test_redirections_do_not_go_round_for_ever(net, site):
    net(redirected("/net.bin"))
    assert "net.bin answers 302 Found" in refusal()
    assert len(site.asked) < 12


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirections_stay_on_the_web(net, target):
    net(redirected(target))
    sentence = refusal()
    assert "answers 302 Found" in sentence or f"redirects to {target}, which is not encrypted" in sentence


def test_the_body_of_a_redirection_is_not_read(net, site):
    sent = []

    def endless(handler, body):
        headers(handler, 302, Location="/elsewhere")
        while len(sent) < 10_000:
            handler.wfile.write(body)
            sent.append(1)

    net(endless)
    site.put("/elsewhere", BODY)
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert len(sent) < 10_000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody trusts, with its key."""
    openssl = program("openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 "
        "-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem"
    )
    subprocess.run([openssl, *command.split()], cwd=folder, check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return folder / "both.pem"


def test_an_unknown_certificate_is_refused_and_a_trusted_one_taken(net, certificate, monkeypatch):
    with serving(certificate) as safe:
        net(origin=safe.put("/net.bin", BODY))
        sentence = refusal()
        assert f"{safe.url}/net.bin shows a certificate that can't be trusted" in sentence
        assert "SSL_CERT_FILE" in sentence
        assert safe.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert fetch("net").read_bytes() == BODY


def test_https_is_not_left_for_http(net, site, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    plain = site.put("/net.bin", BODY)
    with serving(certificate) as safe:
        net(origin=safe.put("/net.bin", b"", redirected(plain)))
        assert f"{safe.url}/net.bin redirects to {plain}, which is not encrypted" in refusal()
    assert site.asked == []


def test_http_may_lead_to_https(net, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(certificate) as safe:
        net(redirected(safe.put("/net.bin", BODY)))
        assert fetch("net").read_bytes() == BODY


def test_authors_are_asked_over_https_alone(manifest):
    manifest(entry_text("net", origin="http://www.example.org/net.bin", hash="unknown"))
    assert addresses(weights.entry("net"), []) == ["https://www.example.org/net.bin"]


def test_a_mirror_stands_in_for_the_authors(net, site):
    net(file="net+one.bin")
    site.put("/copies/net%2Bone.bin", BODY)
    fetch("net", mirrors=[f"{site.url}/copies/"])
    assert [path for path, _ in site.asked] == ["/copies/net%2Bone.bin"]


def test_mirrors_are_tried_in_turn(net, site):
    net()
    site.put("/b/net.bin", BODY)
    assert fetch("net", mirrors=[f"{site.url}/a", f"{site.url}/b"]).read_bytes() == BODY
    assert [path for path, _ in site.asked] == ["/a/net.bin", "/b/net.bin"]


def test_every_mirror_in_vain(net, site):
    net()
    site.put("/b/net.bin", b"other")
    sentence = refusal(mirrors=[f"{site.url}/a", f"{site.url}/b"])
    assert f"{site.url}/a/net.bin answers 404 Not Found; {site.url}/b/net.bin offers 5 bytes" in sentence


def test_a_mirror_may_have_what_authors_only_share(net, site):
    net(origin=None, origin_note="on a file share")
    site.put("/net.bin", BODY)
    assert fetch("net", mirrors=[site.url]).read_bytes() == BODY


@pytest.mark.parametrize(
    "mirror",
    ["/a/folder", "file:///a", "ftp://a", "https://", "https://a?b=c", "https://a:b/", "https://u:p@a", "http://[/"],
)
def test_what_is_no_mirror(net, mirror):
    net()
    with pytest.raises(ProtocolError, match="is not a mirror; give the address of a folder"):
        fetch("net", mirrors=[mirror])


def test_a_proxy_is_asked_instead(net, site, monkeypatch):
    net()
    monkeypatch.setenv("http_proxy", site.url)
    assert fetch("net", mirrors=["http://weights.example"]).read_bytes() == BODY
    assert site.asked[0][0] == "http://weights.example/net.bin"


def test_an_archive_is_unpacked(net, site):
    net(body=bz2.compress(BODY), path="/net.bin.bz2", origin_note="packed")
    assert fetch("net").read_bytes() == BODY
    assert leftovers() == []


def test_an_archive_is_continued(net, site):
    packed = bz2.compress(BODY)
    net(until(30_000), ranged, body=packed, path="/net.bin.bz2")
    assert fetch("net", patience=IMPATIENT).read_bytes() == BODY
    assert site.ranges() == ["", "bytes=30000-"]


def test_a_mirror_may_have_it_unpacked(net, site):
    net(body=bz2.compress(BODY), path="/net.bin.bz2")
    site.put("/copies/net.bin", BODY)
    assert fetch("net", mirrors=[f"{site.url}/copies"]).read_bytes() == BODY


def test_an_archive_that_is_cut_short(net):
    net(body=bz2.compress(BODY)[:-500], path="/net.bin.bz2")
    assert "net.bin.bz2 can't be read to its end" in refusal()
    assert leftovers() == []


def test_an_archive_that_swells(net):
    net(body=bz2.compress(bytes(50_000_000)), path="/net.bin.bz2")
    assert "net.bin.bz2 holds more than the 100 kB it may have" in refusal()
    assert leftovers() == []


def test_a_local_copy(net, site, tmp_path):
    net()
    (tmp_path / "mine").write_bytes(BODY)
    assert fetch("net", source=tmp_path / "mine") == weights.folder() / "net.bin"
    assert weights.standing("net") == "present"
    assert (tmp_path / "mine").read_bytes() == BODY
    assert site.asked == []
    assert leftovers() == []


def test_a_local_copy_of_the_archive(net, tmp_path):
    net(path="/net.bin.bz2")
    (tmp_path / "net.bin.bz2").write_bytes(bz2.compress(BODY))
    assert fetch("net", source=tmp_path / "net.bin.bz2").read_bytes() == BODY


@pytest.mark.parametrize("other", [content(100_000, seed=1), b"short", content(100_001)])
def test_a_local_copy_of_something_else(net, tmp_path, other):
    net()
    kept = fetch("net")
    (tmp_path / "mine").write_bytes(other)
    with pytest.raises(WeightsError) as raised:
        fetch("net", source=tmp_path / "mine")
    assert str(raised.value).startswith(f"{tmp_path / 'mine'} ")
    assert str(raised.value).endswith("; it was not taken")
    assert kept.read_bytes() == BODY
    assert leftovers() == []


def test_a_local_copy_that_is_not_there(net, tmp_path):
    net()
    for wrong in (tmp_path / "nothing", tmp_path):
        with pytest.raises(ProtocolError, match=r"is not a file; --from takes a copy of net\.bin"):
            fetch("net", source=wrong)


def test_a_new_local_copy_replaces_one_of_unknown_hash(net, tmp_path):
    net(sha256=None, hash="unknown", bytes=0)
    for body in (b"first", b"second"):
        (tmp_path / "mine").write_bytes(body)
        assert fetch("net", source=tmp_path / "mine").read_bytes() == body
        assert weights.token("net") == f"unverified-{sha256(body)[:8]}"


def test_files_that_are_not_to_be_fetched(manifest, site, allow):
    manifest(
        entry_text("share", origin_note="on a file share", hash="unknown"),
        entry_text("seed", tier="embedded", origin_note="computed", sha256="0" * 64),
        entry_text("research", origin=f"{site.url}/x", hash="unknown", commercial_use="no"),
    )
    with pytest.raises(LeftOut, match=r"no address offers the weights share \(CC0-1.0\); get the file by hand"):
        fetch("share")
    with pytest.raises(LeftOut, match="computed from their seed; there is nothing to fetch"):
        fetch("seed")
    allow(Policy(commercial=True))
    with pytest.raises(LeftOut, match="may not be used commercially"):
        fetch("research")
    assert site.asked == []


def test_too_little_space_is_said_before_anything_comes(net, site, monkeypatch):
    net()
    usage = namedtuple("usage", "total used free")(10**9, 10**9 - 5000, 5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OutputError, match=r"net needs 100 kB, and .*partial has 5\.0 kB left; THGEVAL_HOME names"):
        fetch("net")
    assert site.asked == []


def test_a_home_that_cannot_be_written(net, tmp_path, monkeypatch):
    net()
    (tmp_path / "file").touch()
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="can't be written: Not a directory"):
        fetch("net")


def test_file_permissions_follow_the_umask(net):
    net()
    before = os.umask(0o027)
    try:
        mode = fetch("net").stat().st_mode
    finally:
        os.umask(before)
    assert mode & 0o777 == 0o640


def test_what_words_stand_for(manifest):
    known = {"origin_note": "x", "hash": "unknown"}
    manifest(
        entry_text("random-vgg16", tier="embedded", origin_note="computed", sha256="0" * 64, used_by=["fid-random"]),
        entry_text("openface-nn4", **known, used_by=["aed-euclid"]),
        entry_text("syncnet-v2", tier="canonical", **known, used_by=["csim", "sync-conf"]),
        entry_text("sfd-face", tier="canonical", **known, used_by=["lse-d"]),
        entry_text("dlib-68", tier="embedded", packaged={"package": "x", "version": "1", "path": "x/y"}, **known),
    )

    def names(*requests):
        return [(choice.name, choice.by_name) for choice in selected(requests)]

    assert names("openface-nn4") == [("openface-nn4", True)]
    assert names("light") == [("openface-nn4", False)]
    assert [name for name, _ in names("all")] == ["openface-nn4", "syncnet-v2", "sfd-face", "dlib-68"]
    assert names("aed-euclid") == [("openface-nn4", False)]
    assert names("sync-conf") == names("lse-c") == [("sfd-face", False), ("syncnet-v2", False)]
    assert names("sync-conf/all") == [("syncnet-v2", False)]
    assert names("light", "sfd-face", "openface-nn4") == [("openface-nn4", True), ("sfd-face", True)]
    for wrong, said in (
        ("openface-nn5", "no weights are called 'openface-nn5'; did you mean openface-nn4"),
        ("fid-random", "fid-random reads no weights that can be fetched$"),
        ("sync-conf/no-such-preset", "sync-conf has no preset 'no-such-preset'"),
    ):
        with pytest.raises(ProtocolError, match=said):
            selected([wrong])


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_names_its_files_or_says_why_not(name):
    """With the real manifest: what a metric's page tells people to type works."""
    try:
        chosen = [choice.name for choice in selected([name])]
    except ProtocolError as error:
        assert str(error).startswith(f"{name} reads no weights that can be fetched")
    else:
        assert chosen
        assert all(weights.entry(each) for each in chosen)
