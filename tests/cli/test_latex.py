"""Tables for papers: what pdflatex makes of them, and how names and numbers are written."""

import pytest
from support.clips import moving, write_clip
from support.latex import typeset

from thgeval.results import latex

NASTY = [
    "50%_of $5 & #1 {x} ~^\\ <a|b> \"q\" `q'", "[x]", "*", "--brief---", "\u201cgro\u00df\u201d \u2013 \u2014 \u2026",
    "\u00e9\u00f1\u00fc\u00c5\u0151\u010d\u0142\u00f8\u015b i\u0308", "\u4e2d\u6587 \U0001f600 \u0416 \u0105",
    "e\u0301", "a\tb\nc",
    "\u2191\u2193\u2248\u00b7\u00d7\u00b1\u2264\u2265\u2212\u00b0\u00b2\u00b5",
]  # fmt: skip


@pytest.fixture
def compiled(tmp_path):
    """A function that typesets a table by pdflatex and says what it complained about."""
    return lambda table: typeset(table, tmp_path)


def test_scores_compile(thgeval, folders, compiled):
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr,lse-d,f-mse,lpips,cpbd", "-f", "latex")
    assert compiled(answer.out) == []
    assert answer.out.isascii()
    assert answer.out.startswith(r"\begin{tabular}{lrrr}")
    assert r"System & psnr $\uparrow$ & f-mse $\approx$ & cpbd $\uparrow$ \\" in answer.out
    assert "not scored by any: lse-d, lpips" in answer.out
    assert "\n% psnr: psnr@" in answer.out


def test_comparisons_compile(thgeval, folders, tmp_path, compiled):
    for name, noise in (("50%_base", 3.0), ("m\u00ecne_\u4e2d", 1.0)):
        (tmp_path / name).mkdir()
        for path in folders.reference.glob("*.mp4"):
            write_clip(tmp_path / name / path.name, moving(seed=ord(path.stem) - ord("a"), noise=noise))
        thgeval("score", tmp_path / name, folders.reference, "-m", "psnr,f-mse,l1", "-o", tmp_path / f"{name}.json")
    answer = thgeval("compare", *sorted(tmp_path.glob("*.json")), "-f", "latex")
    assert compiled(answer.out) == []
    assert r"m{\`i}ne\_U+4E2D" in answer.out
    assert "$+" in answer.out


def test_any_name_compiles(compiled):
    rows = [[name, "1.0"] for name in NASTY]
    assert compiled(latex.table(("name & such", "95 %"), rows)) == []


def test_only_numbers_are_set_to_the_right():
    rows = [
        ["a", "1.5", "1.0 .. 2.0", "3/3", "-", "inf", "1e-05", "two"],
        ["b", "-2", "", "10/10", "+1", "nan", "", "2"],
    ]
    assert latex.table([""] * 8, rows).startswith(r"\begin{tabular}{lrrrrrrl}")
    assert latex.table(["metric"], []).startswith(r"\begin{tabular}{l}")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a_b", r"a\_b"),
        ("\\", r"\textbackslash{}"),
        ("---", "-{}-{}-"),
        ("\u00e9e\u0301", r"{\'e}{\'e}"),
        ("\u4e2d", "U+4E2D"),
        ("-1.5", "-1.5"),
    ],
)
def test_characters_are_written(text, written):
    assert latex.escaped(text) == written


def test_signed_numbers_have_a_minus():
    assert latex.table(["a"], [["-1.5"]]).splitlines()[-3] == r"$-1.5$ \\"


def test_signatures_are_comments():
    assert latex.comment("psnr@1|x\nssim@1|y") == "% psnr@1|x\n% ssim@1|y"
