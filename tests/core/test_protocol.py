"""Protocols: those that ship, those of the user's own, and fields on top of either."""

from fractions import Fraction

import pytest

from thgeval.errors import ProtocolError
from thgeval.protocol import Protocol, protocol, protocols, written_rate

LIST = """name = "m"
[list]
file = "{file}"
where = "w"
format = "{form}"
clips = {clips}
sha256 = "{sha256}"
"""


def test_every_protocol_that_ships_is_itself_by_name():
    for label, found in protocols().items():
        assert protocol(label) == found
        assert found.label == label
        assert found.says


def test_what_cuts_to_the_shorter_is_a_protocol_of_its_own():
    for name in ("thg256", "thg512"):
        assert protocol(f"{name}-shorter").but(lengths="strict").tokens() == protocol(name).tokens()


def test_fields_on_top_of_a_protocol_are_marked():
    changed = protocol("thg256").but(crop="centre-square", fps=None)
    assert changed.label == "thg256@1!"
    assert changed.tokens() == (
        "25fps",
        "256px",
        "crop:centre-square",
        "lengths:strict",
        "rates:strict",
        "sizes:strict",
    )
    assert protocol("thg256").but(size=256) == protocol("thg256")


def test_a_file_of_the_users_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('\ufeffname = "my-set"\nversion = 2\nfps = "30000/1001"\nsize = 96\nclips = ["a", "b"]\n')
    found = protocol(str(path))
    assert found == Protocol(name="my-set", version=2, fps=Fraction(30000, 1001), size=96, clips=("a", "b"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a protocol needs a name"),
        ("name = 3", "name can't be 3"),
        ('name = "a|b"', "is made of a-z, 0-9"),
        ('name = "m"\ncolour = "red"', "a protocol has no field 'colour'"),
        ('name = "m"\nfps = 0', "fps must be a positive number"),
        ('name = "m"\nfps = "fast"', "fps must be a number such as 25"),
        ('name = "m"\nfps = true', "fps can't be True"),
        ('name = "m"\nfps = inf', "fps must be a number"),
        ('name = "m"\nsize = "256"', "size can't be '256'"),
        ('name = "m"\nlengths = "cut"', "lengths must be one of strict, truncate"),
        ('name = "thg256"\nfps = 30', "calls itself thg256@1, which is another protocol"),
        ('name = "m"\nversion = 0', "version must be in 1..9999"),
        ('name = "m"\nversion = 99999', "version must be in 1..9999"),
        ('name = "m"\nstatus = "list"', "status is for protocols that ship"),
        ('name = "m"\nsays = "' + "x" * 5000 + '"', "says has a text of 5000 characters, more than 4000"),
        ('name = "m"\nclips = []', "clips names no clip"),
        ('name = "m"\nclips = ["a", 3]', "clips can't hold 3: it is a list of texts"),
        ('name = "m"\nclips = ["a", "a"]', "clips holds 'a' twice"),
        ('name = "m"\nclips = ["../../etc/passwd"]', "clips can't hold '../../etc/passwd': it is no name below"),
        ('name = "m"\nclips = ["/etc/passwd"]', "clips can't hold '/etc/passwd'"),
        ('name = "m"\nclips = ["a\\\\b"]', "it is no name below a folder"),
        ('name = "m"\nfirst_s = 0', "first_s must be above 0 s"),
        ('name = "m"\nfirst_s = "x"', "first_s must be a number such as 8 or 1/11, not 'x'"),
        ('name = "m"\nfirst_s = 1e300', "first_s must be above 0 s and at most 10000 s"),
        ('name = "m"\nfirst_s = 1e-300', "first_s must be a number of few digits, not a fraction finer than 1/1001000"),
        ('name = "m"\nfirst_s = "1e999999999"', "first_s must be a number such as 8 or 1/11, not '1e999999999'"),
        ('name = "m"\nfps = "1e999999999"', "fps must be a number such as 25 or 30000/1001, not '1e999999999'"),
        ('name = "m"\nlast = "1/' + "9" * 3000 + '"', "last must be a number such as 8 or 1/11, not '1/999"),
        ('name = "m"\nsiz = 256', "a protocol has no field 'siz'; did you mean size?"),
        ('name = "m"\nlast = "1/0"', "last must be a number such as 8 or 1/11"),
        ('name = "m"\nlast = 1', "last must be a share between 0 and 1"),
        ('name = "m"\nframes = 0', "frames must be in 1..250000, not 0"),
        ('name = "m"\nframes = 2.5', "frames can't be 2.5: it is a whole number"),
        ('name = "m"\nframes = 9\nfirst_s = 8', "an excerpt is one of first_s, last, frames, not first_s and frames"),
        ('name = "m"\ndataset = "hdft"', "no data set is called 'hdft'; did you mean hdtf?"),
        ('name = "m"\ndataset = "../../secret"', "no data set is called '../../secret'; there are"),
        ('name = "m"\nsetting = "magic"', "setting must be one of reconstruction, cross-identity"),
        ('name = "m"\npeople = ["M003"]', "people needs a dataset"),
        ('name = "m"\ndataset = "mead"\npeople = ["M003"]\nclips = ["a"]', "clips and people both choose the clips"),
        ('name = "m"\ncount = 0', "count must be at least 1"),
        ('name = "m"\ndriver = "a"\ncross = "next"', "driver and cross both say what drives a clip"),
        ('name = "m"\ncross = "previous"', "cross must be one of next, not 'previous'"),
        ('name = "m"\nlist = 3', "list can't be 3: it is a table"),
        ('name = "m"\n[list]\nfile = "l"', "list needs where"),
        ('name = "m"\n[list]\nurl = "l"', "list has no field 'url'"),
        (LIST.format(file="../l", form="ids", clips=1, sha256="0" * 64), "list.file must be the name of a file"),
        (LIST.format(file="l", form="xml", clips=1, sha256="0" * 64), "list.format must be one of ids, audio-video"),
        (LIST.format(file="l", form="ids", clips=0, sha256="0" * 64), "list.clips must be at least 1"),
        (LIST.format(file="l", form="ids", clips=1, sha256="0" * 63), "list.sha256 must be 64 digits"),
        (LIST.format(file="l", form="ids", clips=1, sha256="0" * 64) + "[draw]\nof = 3", "of can't be 3: it is text"),
        (
            'name = "m"\ndataset = "mead"\n[draw]\nof = "mead"\nsalt = "s"\nclips = 3',
            "draw.of can't be 'mead': no list",
        ),
        ('name = "m"\ndataset = "hdtf"\n[draw]\nof = "hdtf"\nsalt = "s"\nclips = 422', "draw.clips must be in 1..421"),
        ('name = "m"\n[draw]\nof = "hdtf"\nsalt = "s"\nclips = 3', "draw.of must be the dataset, '', not 'hdtf'"),
        ('name = "m"\n[sources]\nfps = 25', "sources can't hold 25: it is a table of texts"),
        ('name = "m"\nreports = "PSNR"', "reports can't be 'PSNR': it is a list of texts"),
        ("name = " + "[" * 2000, "is not a protocol"),
        ('name = "m"\nx = ' + '"' + "y" * 3000 + '"', "a protocol has no field 'x'"),
        ("name =", "is not a protocol"),
        ("\0", "is not a protocol"),
    ],
)
def test_files_that_are_no_protocol(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ProtocolError) as caught:
        protocol(str(path))
    assert said in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "m"\n#' + "x" * 10_000_001)
    with pytest.raises(ProtocolError, match=r"mine\.toml is not a protocol: it has more than 10000000 bytes"):
        protocol(str(path))


def test_too_many_clips_are_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "m"\nclips = [' + '"a",' * 200_001 + "]")
    with pytest.raises(ProtocolError, match="clips has 200001 items, more than 200000"):
        protocol(str(path))


def test_a_copy_of_one_that_ships_is_that_one(tmp_path):
    path = tmp_path / "copy.toml"
    path.write_text('name = "thg256"\nsays = "' + protocol("thg256").says + '"\nfps = 25\nsize = 256\n')
    assert protocol(str(path)).label == "thg256@1"


def test_a_file_that_is_not_there():
    with pytest.raises(ProtocolError, match=r"the protocol nowhere\.toml can't be read: there is no such file"):
        protocol("nowhere.toml")


@pytest.mark.parametrize(("text", "value"), [("25", Fraction(25)), ("29.97", Fraction(2997, 100)), (24, Fraction(24))])
def test_rates_as_they_are_written(text, value):
    assert written_rate(text) == value


@pytest.mark.parametrize("text", ["", "x", "1/0", "nan", "inf", float("nan"), float("inf")])
def test_rates_that_are_none(text):
    with pytest.raises(ProtocolError, match="fps must be a number"):
        written_rate(text)
