"""Entries in the forms of others: BibTeX, Every Eval Ever, and the Hub's ``.eval_results`` with its ``eval.yaml``.

Formats: Every Eval Ever's ``eval.schema.json`` 0.3.0 (evaleval/every_eval_ever at commit
9bce4136e789ec006c62582f5f9d107d20f8b398); the Hub's ``docs/hub/eval-results.md`` and ``eval_results.yaml``
(huggingface/hub-docs at commit 242f4a1eeb867daf4ac3f44026a5df4a68908a3d), which call the feature a work in progress.
"""

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

from thgeval.about.families import title
from thgeval.metric import Better
from thgeval.results import Run, Score
from thgeval_leaderboard.board import Table
from thgeval_leaderboard.entry import Entry

EVERY_EVAL_EVER = "0.3.0"
"""The version of its schema that entries are exported under."""

RELATIONS = {"authors": "first_party", "rerun": "third_party", "none": "other"}
"""Who ran the evaluation, by what an entry's check says; ``other`` where nobody vouches for it."""

WAYS = {Better.HIGHER: False, Better.LOWER: True}
"""``lower_is_better`` of the directions that it can say."""


def is_model(entry: Entry) -> bool:
    """Whether an entry is of something that others would call a model: no control, no ground truth."""
    return entry.method.role in ("system", "reference-baseline")


def bibtex(entry: Entry) -> str:
    """How an entry is cited: the method as the board names it, with its addresses."""
    fields = {
        "title": f"{{{_tex(entry.method.name)}}} on {_tex(entry.board.dataset)} ({_tex(entry.board.setting)})",
        "howpublished": "thgeval leaderboard",
        "year": entry.history[0].date[:4],
        "url": entry.method.paper or entry.method.code,
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "@misc{" + entry.id.replace(".", "-") + ",\n" + "\n".join(lines) + "\n}\n"


def hub_results(entry: Entry, run: Run) -> str:
    """The scores for a model repository's ``.eval_results``: one list item a metric, in YAML that is also JSON.

    The Hub gives each task one value, so that a task is a metric in a setting. ``dataset.id`` is ours: it must be
    replaced by that of the data set's repository on the Hub, whose ``eval.yaml`` names these tasks.
    """
    items = [
        {
            "dataset": {"id": entry.board.dataset, "task_id": task(entry.board.setting, key)},
            "value": score.value,
            "date": entry.history[-1].date,
            **_source(entry),
            "notes": _note(score),
        }
        for key, score in run.scores.items()
        if score.value is not None and math.isfinite(score.value)
    ]
    return "".join(f"- {json.dumps(item, ensure_ascii=False)}\n" for item in items) or "[]\n"


def hub_tasks(table: Table) -> str:
    """The ``eval.yaml`` of a board's data set on the Hub: a task for every metric that is compared."""
    named = {head.key: head for head in table.heads if not head.apart}
    data = {
        "name": f"{table.board.dataset} {table.board.setting}",
        "description": f"Talking heads on {table.board.dataset} under the protocol {table.board.protocol}.",
        "evaluation_framework": "thgeval",
        "tasks": [{"id": task(table.board.setting, key)} for key in named],
    }
    return "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in data.items())


def task(setting: str, key: str) -> str:
    """What a metric in a setting is called as a task of the Hub: ``self-audio.lmd.eat``."""
    return re.sub(r"[^A-Za-z0-9._-]+", ".", f"{setting}.{key}")


def _source(entry: Entry) -> dict[str, Any]:
    """Where a result comes from, as the Hub wants it: nothing without an address."""
    address = entry.method.code or entry.method.paper
    return {"source": {"url": address, "name": entry.method.name}} if address else {}


def _note(score: Score) -> str:
    bounds = "" if score.interval is None else f"95 % interval {score.interval.low:.6g} .. {score.interval.high:.6g}; "
    return f"{bounds}thgeval signature {score.signature}"


def every_eval_ever(entry: Entry, run: Run) -> dict[str, Any]:
    """An entry as a record of Every Eval Ever 0.3.0.

    Left out are scores that are infinite, and those of metrics whose better end is neither higher nor lower, as the
    schema must be told which; ``source_metadata.additional_details`` names them with the reason.
    """
    taken: dict[str, Score] = {}
    left_out: dict[str, str] = {}
    for key, score in run.scores.items():
        if score.better not in WAYS:
            left_out[key] = f"its direction is {score.better.value}, which lower_is_better can't say"
        elif score.value is None or not math.isfinite(score.value):
            left_out[key] = "no finite score"
        else:
            taken[key] = score
    date = datetime.fromisoformat(entry.history[-1].date).replace(tzinfo=UTC)
    model = f"unknown/{re.sub(r'[^A-Za-z0-9._-]+', '-', entry.method.name).strip('-') or 'method'}"
    return {
        "schema_version": EVERY_EVAL_EVER,
        "evaluation_id": f"{entry.board.id}/{model}/{int(date.timestamp())}",
        "retrieved_timestamp": str(int(date.timestamp())),
        "source_metadata": {
            "source_name": "thgeval leaderboard",
            "source_type": "evaluation_run",
            "source_organization_name": "thgeval leaderboard",
            "evaluator_relationship": RELATIONS[entry.verified],
            "additional_details": {"entry": entry.id, **{f"left out: {key}": why for key, why in left_out.items()}},
        },
        "eval_library": {"name": "thgeval", "version": run.environment.get("thgeval", "unknown")},
        "model_info": {
            "name": entry.method.name,
            "id": model,
            "additional_details": {
                "deployment_type": "unknown",
                "model_availability": "unknown",
                **{name: text for name, text in _about(entry).items() if text},
            },
        },
        "evaluation_results": [_result(entry, key, score) for key, score in taken.items()],
    }


def _about(entry: Entry) -> dict[str, str]:
    method = entry.method
    return {
        "paradigm": method.paradigm,
        "role": method.role,
        "version": method.version,
        "paper": method.paper,
        "code": method.code,
        "licence": method.licence,
        "withdrawn": entry.withdrawn,
        "unreliable": entry.unreliable,
    }


def _result(entry: Entry, key: str, score: Score) -> dict[str, Any]:
    name, _, preset = key.partition("/")
    how = next((token[3:] for token in score.run_tokens if token.startswith("ci:")), "")
    interval = {} if score.interval is None or not all(map(math.isfinite, score.interval)) else _interval(score, how)
    return {
        "evaluation_result_id": key,
        "evaluation_name": f"{entry.board.dataset} {entry.board.setting}",
        "source_data": {
            "dataset_name": entry.board.dataset,
            "source_type": "other",
            "additional_details": {"protocol": entry.board.protocol, "status": entry.board.status},
        },
        "metric_config": {
            "metric_id": f"thgeval.{key}",
            "metric_name": title(name) + (f" / {preset}" if preset else ""),
            **({"metric_unit": score.unit} if score.unit else {}),
            "lower_is_better": WAYS[score.better],
            "score_type": "continuous",
            "min_score": _end(score.range[0]),
            "max_score": _end(score.range[1]),
            "additional_details": {"signature": score.signature},
        },
        "score_details": {"score": score.value, **interval},
    }


def _interval(score: Score, how: str) -> dict[str, Any]:
    assert score.interval is not None  # noqa: S101  # asked for by scores that have one
    bounds = {"lower": score.interval.low, "upper": score.interval.high, "confidence_level": 0.95}
    return {
        "uncertainty": {
            "confidence_interval": bounds | ({"method": how} if how else {}),
            "num_samples": score.clips,
        }
    }


def _end(value: float) -> float | str:
    """An end of a range as the schema spells it."""
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def _tex(text: str) -> str:
    return "".join(f"\\{mark}" if mark in "&%$#_{}" else mark for mark in text)
