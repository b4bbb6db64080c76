"""Entries in the forms of others: what they say, and that they keep to the formats as published."""

import json
from dataclasses import replace
from pathlib import Path

import fastjsonschema
import pytest
import yaml
from support.boards import made_entry

from thgeval.metric import Better
from thgeval.statistics import Interval
from thgeval_leaderboard.site.exports import EVERY_EVAL_EVER, RELATIONS, every_eval_ever, hub_results, task

SCHEMA = Path(__file__).with_name("every_eval_ever") / "eval.schema.json"
valid = fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")))
VALUES = {
    "psnr": [30.0, 31.0, 33.0],
    "lmd": [2.0, 3.0, 2.5],
    "sync-lm-offset": [0.1, 0.2, 0.0],
    "f-mse": [1.0, 2.0, 3.0],
}

DATASET = {"id", "task_id", "revision"}
ITEM = {"dataset", "value", "verifyToken", "date", "source", "notes"}
SOURCE = {"url", "name", "user", "org"}
"""Fields that the Hub documents for a result; the first two of ``DATASET``, ``value`` and ``url`` are required."""


@pytest.fixture
def entry():
    return made_entry("wav 2 lip", VALUES)


def test_the_schema_is_of_the_version_that_is_named():
    assert json.loads(SCHEMA.read_text(encoding="utf-8"))["version"] == EVERY_EVAL_EVER
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        valid({"schema_version": EVERY_EVAL_EVER})


def test_every_model_of_a_site_is_a_valid_record(site, entries):
    records = {path.stem: json.loads(path.read_bytes()) for path in (site / "api/v1/every_eval_ever").iterdir()}
    models = {entry.id for entry in entries if entry.run and not entry.id.startswith("ctl-")}
    assert set(records) == models
    for record in records.values():
        valid(record)


def test_a_record_says_what_the_entry_does(entry):
    record = every_eval_ever(entry, entry.run)
    valid(record)
    by_id = {each["evaluation_result_id"]: each for each in record["evaluation_results"]}
    assert set(by_id) == {"psnr", "lmd"}
    assert by_id["lmd"]["metric_config"]["lower_is_better"] is True
    assert by_id["psnr"]["metric_config"]["lower_is_better"] is False
    assert by_id["psnr"]["metric_config"]["max_score"] == "Infinity"
    assert by_id["psnr"]["metric_config"]["additional_details"]["signature"] == entry.run["psnr"].signature
    assert by_id["lmd"]["score_details"]["score"] == entry.run["lmd"].value == 2.5
    said = by_id["lmd"]["score_details"]["uncertainty"]
    assert said["confidence_interval"]["lower"] == entry.run["lmd"].interval.low
    assert said["confidence_interval"]["method"] == "t"
    assert said["num_samples"] == 3
    assert (
        record["evaluation_id"] == f"synth-v1-1.self-audio.native-1/unknown/wav-2-lip/{record['retrieved_timestamp']}"
    )
    assert record["retrieved_timestamp"] == "1795824000"  # 2026-11-28


def test_what_the_schema_can_not_say_is_left_out_with_the_reason(entry):
    run = entry.run
    scores = {**run.scores, "psnr": replace(run["psnr"], value=float("inf"), interval=None)}
    record = every_eval_ever(entry, replace(run, scores=scores))
    valid(record)
    said = record["source_metadata"]["additional_details"]
    assert said["left out: psnr"] == "no finite score"
    assert said["left out: sync-lm-offset"] == "its direction is closer-to-zero, which lower_is_better can't say"
    assert said["left out: f-mse"].startswith("its direction is closer-to-reference")


def test_an_interval_without_end_is_left_out(entry):
    scores = {"lmd": replace(entry.run["lmd"], interval=Interval(0.0, float("inf")))}
    record = every_eval_ever(entry, replace(entry.run, scores=scores))
    valid(record)
    json.dumps(record, allow_nan=False)
    assert "uncertainty" not in record["evaluation_results"][0]["score_details"]


@pytest.mark.parametrize("verified", RELATIONS)
def test_who_vouches_for_it_is_said(entry, verified):
    record = every_eval_ever(replace(entry, verified=verified), entry.run)
    valid(record)
    assert record["source_metadata"]["evaluator_relationship"] == RELATIONS[verified]


def test_the_hubs_results_have_its_documented_fields_alone(site):
    found = sorted((site / "api/v1/results").glob("*.yaml"))
    assert found
    for path in found:
        for item in yaml.safe_load(path.read_text(encoding="utf-8")):
            assert {"dataset", "value"} <= set(item) <= ITEM
            assert {"id", "task_id"} <= set(item["dataset"]) <= DATASET
            assert isinstance(item["value"], float)
            assert isinstance(item["date"], str)
            assert {"url"} <= set(item["source"]) <= SOURCE


def test_the_hubs_tasks_are_those_of_the_results(site):
    board = yaml.safe_load(
        (site / "api/v1/boards/synth-v1-1.self-audio.native-1.eval.yaml").read_text(encoding="utf-8")
    )
    assert set(board) == {"name", "description", "evaluation_framework", "tasks"}
    tasks = [each["id"] for each in board["tasks"]]
    assert len(set(tasks)) == len(tasks)
    results = yaml.safe_load((site / "api/v1/results/system-1.yaml").read_text(encoding="utf-8"))
    assert {item["dataset"]["task_id"] for item in results} <= set(tasks)
    assert task("self-audio", "lmd/eat") in tasks


def test_a_result_without_an_address_has_no_source_and_no_infinite_value(entry):
    nameless = replace(entry, method=replace(entry.method, code="", paper=""))
    scores = {**entry.run.scores, "psnr": replace(entry.run["psnr"], value=float("inf"))}
    items = yaml.safe_load(hub_results(nameless, replace(entry.run, scores=scores)))
    assert all("source" not in item for item in items)
    assert {item["dataset"]["task_id"] for item in items} == {
        "self-audio.lmd",
        "self-audio.sync-lm-offset",
        "self-audio.f-mse",
    }
    assert entry.run["lmd"].better is Better.LOWER
    assert "signature lmd@" in items[0]["notes"]
