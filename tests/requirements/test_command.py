"""``thgeval fetch`` as people type it."""

import errno
import socket

import pytest
from requirements.sites import content, entry_text, sha256, status

from thgeval.errors import OutputError
from thgeval.requirements import weights

BODY = content(5000)
KNOWN = {"sha256": sha256(BODY), "bytes": 5000}


@pytest.fixture
def four(manifest, site):
    """One file of each kind: here for the asking, of unknown hash, by hand only, gone from its server."""
    manifest(
        entry_text("good", origin=site.put("/good.bin", BODY), **KNOWN),
        entry_text("odd", origin=site.put("/odd.bin", BODY), hash="unknown", commercial_use="unclear"),
        entry_text("share", tier="canonical", origin_note="on a file share", hash="unknown"),
        entry_text("gone", tier="canonical", origin=site.put("/gone.bin", b"", status(404)), **KNOWN),
        entry_text("seed", tier="embedded", origin_note="computed", sha256="0" * 64),
    )


def coming(what: str) -> str:
    return f"thgeval: fetching {what}\n"


def line(name: str, said: str) -> str:
    return f"{weights.folder() / name}.bin: {said}; CC0-1.0\n"


GOOD = f"verified {sha256(BODY)[:8]}"
ODD = f"unverified-{sha256(BODY)[:8]}, no hash was published: scoring needs --allow-unverified-weights"


def test_one_file(four, thgeval):
    answer = thgeval("fetch", "good")
    assert (answer.code, answer.out, answer.err) == (0, line("good", GOOD), coming("1 file, 5.0 kB: good (CC0-1.0)"))


def test_the_small_ones(four, thgeval):
    answer = thgeval("fetch", "light")
    assert (answer.code, answer.out, answer.err) == (
        0,
        line("good", GOOD) + line("odd", ODD),
        coming("2 files, 5.0 kB and 1 of unknown size: good, odd (CC0-1.0)"),
    )


def test_one_that_is_gone_does_not_keep_the_others(four, thgeval, site):
    answer = thgeval("fetch", "gone", "good")
    assert answer.code == 3
    assert answer.out == line("good", GOOD)
    assert answer.err == coming("2 files, 10 kB: gone, good (CC0-1.0)") + (
        f"thgeval: gone can't be fetched: {site.url}/gone.bin answers 404 Not Found; "
        "--mirror URL asks elsewhere, --from FILE takes a copy you have\n"
    )


def test_by_hand_is_a_note_in_a_group_and_a_failure_by_name(four, thgeval, site):
    note = (
        "thgeval: no address offers the weights share (CC0-1.0); "
        "get the file by hand (on a file share), then thgeval fetch share --from FILE\n"
    )
    site.put("/gone.bin", BODY)
    group = thgeval("fetch", "all")
    assert (group.code, group.err) == (
        0,
        coming("3 files, 10 kB and 1 of unknown size: good, odd, gone (CC0-1.0)") + note,
    )
    assert len(group.out.splitlines()) == 3
    single = thgeval("fetch", "share")
    assert (single.code, single.out, single.err) == (3, "", note)


def test_commercial_safe(four, thgeval):
    group = thgeval("fetch", "light", "--commercial-safe")
    assert (group.code, group.out) == (0, line("good", GOOD))
    assert group.err.startswith(
        coming("1 file, 5.0 kB: good (CC0-1.0)")
        + "thgeval: the weights odd are not clearly free for commercial use (CC0-1.0)"
    )
    assert thgeval("fetch", "odd", "--commercial-safe").code == 3
    assert weights.policy().commercial is False


def test_a_metric(manifest, site, thgeval):
    """What its defaults read, not what all its presets do; a preset, what that reads."""
    manifest(
        *(
            entry_text(name, origin=site.put(f"/{name}.bin", BODY), **KNOWN, used_by=["lpips"])
            for name in ("vgg16", "alexnet", "lpips-alex", "lpips-vgg")
        ),
        entry_text("squeezenet", origin_note="by hand", hash="unknown", used_by=["lpips"]),
    )
    answer = thgeval("fetch", "lpips")
    assert (answer.code, answer.err) == (0, coming("2 files, 10 kB: alexnet, lpips-alex (CC0-1.0)"))
    assert answer.out == line("alexnet", GOOD) + line("lpips-alex", GOOD)
    answer = thgeval("fetch", "lpips/vgg")
    assert (answer.code, answer.err) == (0, coming("2 files, 10 kB: lpips-vgg, vgg16 (CC0-1.0)"))
    assert answer.out == line("lpips-vgg", GOOD) + line("vgg16", GOOD)
    answer = thgeval("fetch", "lpips/all")
    assert answer.code == 0
    assert answer.err.startswith("thgeval: no address offers the weights squeezenet"), "and nothing else to announce"
    assert len(answer.out.splitlines()) == 4


def test_a_metric_that_reads_nothing(thgeval):
    answer = thgeval("fetch", "f-mse")
    assert (answer.code, answer.err) == (2, "thgeval: f-mse reads no weights that can be fetched\n")
    answer = thgeval("fetch", "psnr")
    assert answer.code == 2
    assert answer.err == "thgeval: psnr reads no weights that can be fetched; psnr/mouth, psnr/face do\n"


def test_a_local_copy(four, thgeval, tmp_path):
    (tmp_path / "copy").write_bytes(BODY)
    answer = thgeval("fetch", "gone", "--from", tmp_path / "copy")
    assert (answer.code, answer.out) == (0, line("gone", GOOD))


@pytest.mark.parametrize("names", [["light"], ["good", "odd"]])
def test_a_local_copy_is_of_one_file(four, thgeval, tmp_path, names):
    answer = thgeval("fetch", *names, "--from", tmp_path / "copy")
    assert answer.code == 2
    assert "--from FILE goes with the name of one weight file" in answer.err


def test_mirrors_from_the_environment(four, thgeval, site, monkeypatch):
    site.put("/b/gone.bin", BODY)
    monkeypatch.setenv("THGEVAL_MIRROR", f"{site.url}/a {site.url}/b")
    assert thgeval("fetch", "gone").code == 0
    assert [path for path, _ in site.asked] == ["/a/gone.bin", "/b/gone.bin"]


def test_force(four, thgeval, site):
    thgeval("fetch", "good")
    thgeval("fetch", "good")
    thgeval("fetch", "good", "--force")
    assert len(site.asked) == 2


@pytest.mark.parametrize("arguments", [["fetch", "nonsense"], ["fetch", "good", "--mirror", "x"]])
def test_requests_that_make_no_sense(four, thgeval, arguments):
    answer = thgeval(*arguments)
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_a_full_disk_ends_everything(four, thgeval, monkeypatch, site):
    def full(entry, part):
        raise OutputError("no space")

    monkeypatch.setattr("thgeval.fetching._check_space", full)
    answer = thgeval("fetch", "good", "odd")
    assert (answer.code, answer.err) == (
        4,
        coming("2 files, 5.0 kB and 1 of unknown size: good, odd (CC0-1.0)") + "thgeval: no space\n",
    )


def test_a_terminal_sees_progress_and_a_pipe_gets_the_lines(four, thgeval, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    answer = thgeval("fetch", "good")
    assert answer.out == line("good", GOOD)
    assert "good" in answer.err
    assert "5.0/5.0 kB" in answer.err


def test_without_a_name_what_the_default_metrics_read(manifest, site, thgeval, monkeypatch):
    manifest(
        *(
            entry_text(name, origin=site.put(f"/{name}.bin", BODY), **KNOWN, used_by=["lpips"])
            for name in ("vgg16", "alexnet", "lpips-alex", "lpips-vgg")
        )
    )
    monkeypatch.setattr("thgeval.fetching.selection.DEFAULT", ("f-mse",))
    nothing = thgeval("fetch")
    assert (nothing.code, nothing.out) == (0, "")
    assert "the default metrics read no weights that can be fetched" in nothing.err
    monkeypatch.setattr("thgeval.fetching.selection.DEFAULT", ("f-mse", "lpips"))
    answer = thgeval("fetch")
    assert (answer.code, answer.err) == (0, coming("2 files, 10 kB: alexnet, lpips-alex (CC0-1.0)"))
    assert thgeval("fetch", "default").out == answer.out


def test_licences_are_said_before_anything_comes(manifest, site, thgeval):
    free = entry_text("free", origin=site.put("/free.bin", BODY), **KNOWN)
    bound = entry_text("bound", origin=site.put("/bound.bin", BODY), **KNOWN).replace("CC0-1.0", "research only")
    manifest(free, bound)
    assert thgeval("fetch", "free", "bound").err == coming("2 files, 10 kB: free (CC0-1.0); bound (research only)")


@pytest.mark.parametrize(("answered", "options", "comes"), [("n", [], 0), ("y", [], 1), ("n", ["--yes"], 1)])
def test_a_terminal_is_asked_once(four, thgeval, site, monkeypatch, answered, options, comes):
    monkeypatch.setattr("thgeval.cli.fetch._is_dialogue", lambda: True)
    asked = []
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda text: asked.append(text) or answered)
    answer = thgeval("fetch", "good", *options)
    assert answer.code == 0
    assert len(site.asked) == comes
    assert len(asked) == (0 if options else 1)
    assert ("nothing was fetched" in answer.err) is (not comes)


def test_what_is_here_is_not_asked_about(four, thgeval, monkeypatch):
    thgeval("fetch", "good")
    monkeypatch.setattr("thgeval.cli.fetch._is_dialogue", lambda: True)
    assert thgeval("fetch", "good").out == line("good", GOOD)


def test_without_a_network_it_gives_up_at_once(manifest, thgeval, monkeypatch):
    """One question a host, however many files it has, and none of them twice."""
    manifest(*(entry_text(f"n{at}", origin=f"https://nowhere.invalid/{at}.bin", **KNOWN) for at in range(7)))
    looked_up = []

    def unknown(*address, **named):
        looked_up.append(address[0])
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail(f"it waits {seconds} s"))
    answer = thgeval("fetch", "all")
    assert answer.code == 3
    assert looked_up == ["nowhere.invalid"]
    assert answer.err.count("is this machine on the network?") == 1
    assert "not tried, as nowhere.invalid can't be reached: n1, n2, n3, n4, n5, n6" in answer.err


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH])
def test_no_way_to_a_host_is_no_silence(manifest, thgeval, monkeypatch, number):
    manifest(*(entry_text(f"n{at}", origin=f"https://127.0.0.1/{at}.bin", **KNOWN) for at in range(2)))

    def no_way(*address, **named):
        raise OSError(number, "no way")

    monkeypatch.setattr(socket, "create_connection", no_way)
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail(f"it waits {seconds} s"))
    answer = thgeval("fetch", "n0", "n1")
    assert answer.code == 3
    assert "not tried, as 127.0.0.1 can't be reached: n1" in answer.err
