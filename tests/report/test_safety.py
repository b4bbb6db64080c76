"""A page runs nothing, loads nothing, and is whole whatever clips are called."""

import base64
import hashlib
import re

import pytest
from click.testing import CliRunner

from thgeval.cli.report import command
from thgeval.errors import OutputError, ProtocolError
from thgeval.report import page, write
from thgeval.results import Run

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</script><script>alert(1)</script>",
    "</style><svg onload=alert(1)>",
    "<!-- {{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)//",
]


@pytest.fixture
def attacked(sketch):
    """A run in which everything that comes from outside is hostile, read back from its file."""
    begun = sketch("likeness", "sharpness", expected=99)
    for index, text in enumerate(ATTACKS):
        failure = {"reason": text, "message": text}
        values = {"likeness": [0.5, 0.2, index / 10], "sharpness": [0.1, 0.3]}
        begun.clip(text, values, left_out={"likeness": {text: [0]}}, notes=[text], generated=text, reference=text)
        begun.clip(f"failed {text}", {}, failure=failure, failed={"likeness": failure})
        begun.clip(f"partly {text}", {}, failed={"likeness": {"reason": text, "message": f"m {text}"}})
    path = begun.write({"sharpness": ATTACKS[0]})
    data = path.read_text().replace("0.0.7", "</code><script>alert(2)</script>")
    path.write_text(data.replace('"unit": ""', '"unit": "<b>"').replace("native@1", "<i>native@1"))
    return Run.read(path)


def test_nothing_from_outside_becomes_markup(attacked, read):
    html = read(page(attacked))
    assert [script.attributes.get("type") for script in html.all("script")] == ["application/json", None]
    known = (
        "html head meta title style body a header div p h1 span b strong dl dt dd code nav main section h2 h3 table "
        "thead tbody tr th td details summary ul ol li figure figcaption svg desc line text rect circle path script "
        "footer img bdi input label"
    )
    assert {element.tag for element in html.elements} <= set(known.split())
    names = {name for element in html.elements for name in element.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("style", "srcset")}
    for attack in ATTACKS:
        assert attack in html.text


@pytest.mark.parametrize("turn", ["\u202e", "\u2067", "\u061c", "\u2069\u202e"])
def test_names_that_turn_what_follows_keep_it_to_themselves(sketch, read, turn):
    """A right-to-left override in a name once went on to the end of its line: ``gpj.exe`` shown as ``exe.jpg``."""
    name = f"a{turn}gpj.4pm"
    failure = {"reason": name, "message": f"{name} failed"}
    begun = sketch("likeness").clip(name, {"likeness": [0.5, 0.2]}, notes=[name], generated=name)
    begun.clip(f"x{name}", {}, failure=failure, failed={"likeness": failure})
    html = read(page(Run.read(begun.write())))
    bare = [
        element
        for element in html.elements
        if turn in element.text
        and element.tag not in ("bdi", "script")
        and not any(turn in inner.text for inner in html.elements if element in inner.around)
    ]
    assert [element.tag for element in bare] == []
    for element in html.elements:
        shown = [element.attributes.get(key) or "" for key in ("title", "alt", "aria-label", "content")]
        assert turn not in "".join(shown), element.tag
    assert f"\\u{ord(turn[0]):04x}" in "".join(e.attributes.get("title") or "" for e in html.elements)
    assert name in html.text


def test_nothing_is_fetched(attacked, read):
    for html in (read(page(attacked)), read(page(Run(**{**vars(attacked), "clips": ()})))):
        for element in html.elements:
            for name in ("src", "href", "xlink:href", "action", "data", "poster", "content"):
                value = element.attributes.get(name) or ""
                assert "//" not in value or name == "content"
                if name == "src" and value:
                    assert value.startswith("data:image/")
                if name == "href" and value:
                    assert value.startswith("#")
        (style,) = html.all("style")
        assert "url(" not in style.text
        assert "@import" not in style.text


def test_the_policy_allows_this_style_and_this_script_alone(attacked, read):
    html = read(page(attacked))
    (policy,) = [m.attributes["content"] for m in html.all("meta") if "http-equiv" in m.attributes]
    hashes = [
        base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        for element in (html.all("style")[0], html.all("script")[1])
    ]
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_data_block_can_hold_any_clip_name(attacked, read):
    text = page(attacked)
    assert set(ATTACKS) <= set(read(text).data["metrics"]["likeness"]["clips"])
    assert "<script>alert" not in text


def test_ids_are_unique_and_labels_lead_somewhere(attacked, read):
    html = read(page(attacked))
    ids = [element.attributes["id"] for element in html.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in html.elements:
        for label in (element.attributes.get("aria-labelledby") or "").split():
            assert label in ids
        if (element.attributes.get("href") or "").startswith("#"):
            assert element.attributes["href"][1:] in ids


def test_every_plot_says_what_it_shows(attacked, read):
    html = read(page(attacked))
    for plot in html.all("svg", class_="plot"):
        assert html.inside(plot, "title")[0].text
        assert html.inside(plot, "desc")[0].text
    assert html.all("svg", class_="panel")
    for picture in html.all("img"):
        assert "alt" in picture.attributes


def test_equal_runs_give_equal_pages(attacked):
    assert page(attacked) == page(attacked)


def test_the_command_writes_beside_the_result_and_prints_where(sketch):
    path = sketch("likeness").clip("a", {"likeness": [0.5, 0.7]}).write()
    done = CliRunner().invoke(command, [str(path)])
    assert done.exit_code == 0
    assert done.output.strip() == str(path.with_suffix(".html"))
    assert path.with_suffix(".html").read_text(encoding="utf-8") == page(Run.read(path))


def test_the_command_takes_a_name_and_a_count(sketch, read):
    path = sketch("likeness").clip("a", {"likeness": [0.5, 0.7]}).write()
    out = path.with_name("other.html")
    for count in (1, 0):
        CliRunner().invoke(command, [str(path), "-o", str(out), "--worst", str(count)], catch_exceptions=False)
        assert len(read(out.read_text(encoding="utf-8")).all("figure", class_="card")) == count
    assert CliRunner().invoke(command, [str(path), "--worst", "-1"]).exit_code == 2


def test_the_result_file_is_never_overwritten(sketch):
    path = sketch("likeness").clip("a", {"likeness": [0.5]}).write()
    for place in (path, path.parent / "x" / ".." / path.name):
        with pytest.raises(ProtocolError, match="would overwrite the result file"):
            write(path, place)
    odd = path.rename(path.with_suffix(".html"))
    with pytest.raises(ProtocolError, match="choose another name with --out"):
        write(odd)
    assert Run.read(odd)["likeness"].value == 0.5


def test_what_cant_be_read_or_written_is_one_sentence(sketch, tmp_path):
    (tmp_path / "no.json").write_text("{}")
    with pytest.raises(ProtocolError, match="is not a thgeval result file"):
        write(tmp_path / "no.json")
    assert not (tmp_path / "no.html").exists()
    path = sketch("likeness").clip("a", {"likeness": [0.5]}).write()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't be written"):
        write(path, tmp_path / "file" / "page.html")


def test_no_address_stands_in_the_page_but_that_of_svg(attacked):
    assert set(re.findall(r"https?://[\w./]+", page(attacked))) == {"http://www.w3.org/2000/svg"}
