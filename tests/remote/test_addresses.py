"""Addresses are told from paths, shown without what is secret in them, and name nothing outside their folder."""

from pathlib import Path

import pytest

from thgeval.remote.addresses import Address, is_address, location, safe_name, scrubbed, shown


def test_paths_stay_paths():
    for text in ("clips", "/data/clips", "C:/clips", "C:\\clips", "a:b/c", "./s3", "data://".rstrip("/")):
        assert isinstance(location(text), Path), text
    assert location("file:///data/my%20clips") == Path("/data/my clips")
    assert location(Path("s3:/x")) == Path("s3:/x")
    for text in ("s3://bucket/x", "https://host/x", "hf://datasets/a/b", "simplecache::s3://bucket/x"):
        assert is_address(text)
        assert location(text) == Address(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://key:secret@bucket/x", "s3://bucket/x"),
        ("https://user:secret@host:81/x/a.mp4?X-Amz-Signature=secret&b=1", "https://host:81/x/a.mp4"),
        ("https://host/x#secret", "https://host/x"),
        ("https://host?token=secret", "https://host"),
        ("https://us@er:sec@ret@host/x", "https://host/x"),
    ],
)
def test_what_is_secret_is_never_shown(text, said):
    assert shown(text) == str(Address(text)) == said
    assert "secret" not in repr(Address(text))
    assert scrubbed(f"--out={text} failed ('{text}')") == f"--out={said} failed ('{said}')"
    assert "secret" not in f"{Address(text)} {[Address(text)]}"


def test_names_of_addresses():
    address = Address("https://host/x/my%20run.json?token=1")
    assert (address.name, address.suffix) == ("my run.json", ".json")
    assert address.with_name("b.csv").text == "https://host/x/b.csv?token=1"
    assert Address("s3://bucket/a?b.json").name == "a?b.json"
    assert Address("s3://bucket/x/").name == "x"


@pytest.mark.parametrize("name", ["a.mp4", "x/a.mp4", "ü b.mp4", ".a", "a..b"])
def test_names_that_stay_inside(name):
    assert str(safe_name(name)) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "..", "../a", "x/../../a", "/etc/passwd", "x//a", "./a"),
        *("a\\..\\b", "C:/a", "a\0", "a\nb", "x/", "n" * 256),
    ],
)
def test_names_that_lead_out_or_can_not_be(name):
    assert safe_name(name) is None


def test_what_others_say_of_an_address_is_shown_without_its_keys():
    address = Address("https://user:secret@host/x?token=t0k3n")
    said = address.without_keys("Invalid host user:secret@host; GET https://u:p@other/x?y=1, token=t0k3n was wrong")
    assert said == "Invalid host ***@host; GET https://other/x *** was wrong" or "secret" not in said
    assert "t0k3n" not in said
    assert Address("s3://bucket/x").without_keys("bucket x") == "bucket x"
