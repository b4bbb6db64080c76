"""Write the pages of the documentation that are made from the code or from figures, the side bar, and README's metrics.

python docs/generate.py           write them
python docs/generate.py --check   fail if a committed page is not what would be written

A page ``X.md`` beside an ``X.in.md`` is that text with ``{{name}}`` replaced; ``INSERTED`` says by what.
"""

import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from making import figures, first_results, generators, python_page, tables, training_page
from making.markdown import MADE
from making.metric_pages import metric_entries, metric_index, metric_names, metric_page

import thgeval
from thgeval.features.faces import meshes, supplied
from thgeval.features.frames import views
from thgeval.media import image
from thgeval.metrics import METRICS
from thgeval.registry import metric_class

DOCS = Path(__file__).parent
SITE = DOCS.parent / "mkdocs.yml"
README = DOCS.parent / "README.md"
PARADIGMS = frozenset(path.name.removesuffix(".in.md") for path in (DOCS / "baselines").glob("*.in.md"))
"""Of baselines, those that have a page."""

INSERTED: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "protocols": {
        "protocols": tables.protocol_table,
        "ranked": partial(tables.benchmark_table, ranked=True),
        "experimental": partial(tables.benchmark_table, ranked=False),
        "datasets": tables.dataset_table,
    },
    "precision": {"tolerances": tables.ceilings, "parity": tables.parity, "originals": tables.originals},
    "faces": {
        "truth": figures.face_truth,
        "costs": figures.face_costs,
        "rigged_poses": figures.rigged_poses,
        "rigged_units": figures.rigged_units,
        "rigged_actions": figures.rigged_actions,
        "rigged_identity": figures.rigged_identity,
        "rigged_views": figures.rigged_views,
    },
    "lip-sync": {"stages": figures.sync_stages},
    "inputs": {
        "formats": tables.format_table,
        "images": lambda: ", ".join(image.FORMATS),
        "limits": tables.limit_table,
    },
    "baselines/audio": {
        "compared": figures.heard_lips,
        "voices": figures.heard_sentences,
        "lags": figures.heard_lags,
        "costs": figures.heard_costs,
        "picture": partial(generators.picture, "ref-audio"),
    },
    "baselines/index": {
        "generators": lambda: generators.generator_table(PARADIGMS),
        "measured": generators.measured_generators,
        "repeats": generators.repeated,
    },
    **{
        f"baselines/{name}": {
            "picture": partial(generators.picture, f"ref-{name}"),
            "measured": partial(generators.measured_generator, f"ref-{name}"),
            "fit": partial(generators.fitted_in, f"ref-{name}"),
            "bars": partial(generators.bars, f"ref-{name}"),
            "sentences": figures.stitched_sentences,
        }
        for name in sorted(PARADIGMS - {"index", "audio"})
    },
    "first-results": {
        "synth": lambda: first_results.generators("synth-v1-short@1"),
        "synth3d": lambda: first_results.generators("synth3d-v1-short@1"),
        "controls": lambda: first_results.controls("synth-v1-short@1"),
        "controls3d": lambda: first_results.controls("synth3d-v1-short@1"),
    },
    "training": {
        "metrics": training_page.metrics,
        "keywords": training_page.keywords,
        "losses": training_page.losses,
        "validation": training_page.validation,
        "meter": training_page.meter,
        "costs": figures.training_costs,
    },
    "results": {"coverage": figures.interval_coverage, "trained_features": figures.trained_features},
    "interchange": {
        "faces": lambda: tables.layouts(supplied.LAYOUTS),
        "meshes": lambda: tables.layouts(meshes.LAYOUTS),
        "views": lambda: tables.layouts(views.LAYOUTS),
    },
    "index": {"install": lambda: install()},
    "first-steps": {"install": lambda: install()},
    "python": {
        "score": lambda: python_page.call(thgeval.score),
        "evaluate": lambda: python_page.call(thgeval.evaluate),
        "options": lambda: python_page.options(thgeval.Options),
        "protocol": lambda: python_page.options(thgeval.Protocol),
        "errors": python_page.errors,
        "naming": lambda: python_page.options(thgeval.Naming),
        "run": lambda: python_page.reading(thgeval.Run),
    },
}


def pages() -> dict[Path, str]:
    """Every generated text by its path."""
    made = {DOCS / "metrics" / f"{name}.md": metric_page(metric_class(name)) for name in METRICS}
    made[DOCS / "metrics" / "index.md"] = metric_index()
    for name, pieces in INSERTED.items():
        text = (DOCS / f"{name}.in.md").read_text(encoding="utf-8")
        for mark, piece in pieces.items():
            text = text.replace(f"{{{{{mark}}}}}", piece())
        made[DOCS / f"{name}.md"] = MADE + text
    made[SITE] = side_bar(
        SITE.read_text(encoding="utf-8"), {"metrics": metric_entries(), "decisions": decision_entries()}
    )
    made[README] = with_metrics(README.read_text(encoding="utf-8"))
    return made


def with_metrics(readme: str) -> str:
    """README.md with the table of metrics between its two marks renewed."""
    before, opens, rest = readme.partition("<!-- metrics: made by docs/generate.py -->\n")
    _, closes, after = rest.partition("<!-- end -->\n")
    assert closes, "README.md has no place for metrics"
    return f"{before}{opens}\n{metric_names()}\n{closes}{after}"


def side_bar(site: str, parts: Mapping[str, list[str]]) -> str:
    """mkdocs.yml with the entries between ``# name: made by`` and ``# end`` renewed, indented as the marks are."""
    for name, entries in parts.items():
        opens, closes = re.compile(rf"^( *)# {name}: made by docs/generate\.py\n", re.MULTILINE), "# end\n"
        mark = opens.search(site)
        assert mark is not None, f"mkdocs.yml has no place for {name}"
        inserted = "".join(f"{mark[1]}{entry}\n" for entry in entries)
        site = site[: mark.end()] + inserted + mark[1] + closes + site[mark.end() :].partition(closes)[2]
    return site


def decision_entries() -> list[str]:
    """The decisions' part of the side bar."""
    found = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    titles = (path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for path in found)
    return [f'- "{title}": decisions/{path.name}' for path, title in zip(found, titles, strict=True)]


def install() -> str:
    """How to install, as the README says it: the one place that does."""
    readme = README.read_text(encoding="utf-8")
    return re.split(r"^## ", readme.partition("\n## Install\n\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def main() -> int:
    """Write the pages, or say which are stale."""
    made = pages()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stray = sorted(set((DOCS / "metrics").glob("*.md")) - made.keys())
    if "--check" in sys.argv[1:]:
        for path in [*stale, *stray]:
            print(f"{path.relative_to(DOCS.parent)} is not what the code says: run make docs", file=sys.stderr)
        return 1 if stale or stray else 0
    for path in stale:
        path.write_text(made[path], encoding="utf-8")
    for path in stray:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
