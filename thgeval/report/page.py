"""A run as one HTML file that needs nothing else: no network, no scripts, no other files.

Everything that comes from outside (file names, ids, messages, signatures) is escaped by the template engine. A content
security policy lets the browser load nothing and run only the one script of this package, by its hash; the page is
whole without it.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from thgeval.engine.provenance import decoder
from thgeval.errors import ProtocolError
from thgeval.report import sections, text
from thgeval.report.data import Collected, MetricData, collected
from thgeval.report.strips import small_strip, strip
from thgeval.report.tables import (
    by_family,
    clip_rows,
    failures,
    head,
    partial_failures,
    score_row,
    unscored,
    with_clips,
)
from thgeval.results import Run, usual_note


def page(run: Run, *, worst: int = 6, clips: Sequence[Path] = ()) -> str:
    """The report of a run as HTML, with pictures of its ``worst`` worst moments.

    Pictures come from clips below the folder of the result file, or below the folders ``clips``; no other is opened.

    Raises ProtocolError for a negative count, or a run whose clip records are damaged.
    """
    if worst < 0:
        raise ProtocolError(f"the number of worst moments must be at least 0, not {worst}")
    found = collected(run)
    return rendered(
        "report.html.j2", redecoded=_redecoded(run), **_shown(found, sections.choice_of(found, worst), clips)
    )


def rendered(template: str, **shown: Any) -> str:
    """A page of this package with its style, its script, and the policy that allows these two alone."""
    style, script = _source("style.css") + _source("report.css"), _source("script.js")
    page_template = jinja_environment().get_template(template)
    return page_template.render(policy=_policy(style, script), style=style, script=script, **shown)


def _shown(found: Collected, chosen: sections.Chosen, folders: Sequence[Path]) -> dict[str, Any]:
    curves = {data.score.key: sections.curves(found, data, chosen) for data in found.metrics}
    gallery = sections.pictures(found, chosen, folders)
    return {
        "head": head(found),
        "families": by_family([score_row(data) for data in found.metrics if data.score.value is not None]),
        "details": {data.score.key: _details(data, curves[data.score.key], chosen) for data in found.metrics},
        "unscored": unscored(found),
        "usual_note": usual_note(found.run) or "",
        "failures": failures(found.clips),
        "partial": partial_failures(found.clips),
        "notes": [(clip, note) for clip in found.clips for note in clip.result.notes],
        "keys": [data.score.key for data in with_clips(found)],
        "clips": clip_rows(found, chosen.clips),
        "ranked": any(chosen.clips.values()),
        "cards": sections.cards(found, chosen, gallery),
        "gallery": gallery,
        "data": sections.plain(found, curves.values(), chosen),
    }


def _details(data: MetricData, curves: sections.Curves, chosen: sections.Chosen) -> dict[str, Any]:
    """What a metric's row unfolds to: how clips scatter, curves of the worst, the worst frames."""
    plot = strip(data, chosen.clips[data.score.key])
    return {
        "small": small_strip(data),
        "strip": plot,
        "unplotted": "" if plot else sections.unplotted(data),
        "curves": curves,
        "worst": sections.worst(data, chosen),
    }


def _redecoded(run: Run) -> str:
    """What to say if pictures were not decoded by what the scores were made from."""
    then, now = run.environment.get("decoder"), decoder()
    return "" if then in (None, now) else f"Pictures were decoded by {now}, scores made from frames decoded by {then}."


def jinja_environment() -> Environment:
    """The template engine, which escapes whatever comes from outside."""
    environment = Environment(
        loader=PackageLoader("thgeval.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["counted"] = text.counted
    environment.filters["upright"] = text.upright
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment


def _source(name: str) -> str:
    return files("thgeval.report").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """The page may show its own pictures, and use this style and this script; nothing else."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
