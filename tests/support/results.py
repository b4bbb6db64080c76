"""Result files written by hand, for what reads them."""

import numpy as np

from thgeval.schema import SCHEMA, encoded
from thgeval.statistics import groups_of

EMPTY = {
    "generated": None, "reference": None, "content": {}, "states": "", "frames": 1, "failure": None, "failed": {},
    "notes": [], "media": {}, "scores": {},
}  # fmt: skip
NAMES = [f"clip{at:02}" for at in range(10)]


def writer(folder):
    """A function that writes result files of hand-made metrics: values per clip, the references' own, or sets.

    ``unscored`` is why a metric has no value; ``missing`` are clips that were expected and have none.
    """

    def write(name, metrics, *, limit=None, tokens="fps:native", missing=0):
        ids = dict.fromkeys(
            clip for metric in metrics.values() for clip in metric.get("values", metric.get("sets", {}))
        )
        scores = {key: _score(key, metric, tokens) for key, metric in metrics.items()}
        clips = [
            {
                **EMPTY,
                "id": clip,
                "contributions": _rows(metrics, "values", clip),
                "reference_contributions": _rows(metrics, "own", clip),
            }
            for clip in ids
        ]
        options = {"metrics": list(metrics), "limit": limit, "bootstrap": {"draws": 1000, "seed": 1}}
        data = {
            "schema": SCHEMA,
            "scores": scores,
            "expected": len(ids) + missing,
            "protocol": {"name": "native@1", "fields": [tokens]},
            "options": options,
            "clips": clips,
            "run": {"environment": {"thgeval": "0", "decoder": "none"}},
        }
        path = folder / f"{name}.json"
        path.write_bytes(encoded(data))
        return path

    return write


def _rows(metrics, of, clip):
    return {key: [metric[of][clip], 1] for key, metric in metrics.items() if clip in metric.get(of, {})}


def _score(key, metric, tokens):
    sets, own = metric.get("sets", {}), metric.get("own", {})
    unscored = metric.get("unscored")
    value = None if unscored else float(np.mean(list(metric.get("values", sets).values())))
    groups = [
        {"clips": names, "without": float(np.mean([one for clip, one in sets.items() if clip not in names]))}
        for names in groups_of(list(sets))
    ]
    reference = {"value": float(np.mean(list(own.values()))), "interval": None, "clips": len(own)} if own else None
    return {
        "value": value,
        "interval": metric.get("interval"),
        "unit": metric.get("unit", ""),
        "direction": metric.get("better", "higher"),
        "range": ["-inf", "inf"],
        "clips": len(metric.get("values", sets)),
        "frames": 1,
        "left_out": metric.get("left_out", {}),
        "frames_left_out": {},
        "unscored": unscored,
        "note": metric.get("note"),
        "reference": reference,
        "signature": f"{key}@1|a:1|{tokens}||n:1/1",
        "groups": groups,
        "controls": {
            name: {"value": value, "interval": None, "clips": 10} for name, value in metric.get("controls", {}).items()
        },
    }


def of(values, names=NAMES, **more):
    return {"values": dict(zip(names, map(float, values), strict=False))} | {
        key: dict(zip(names, map(float, value), strict=False)) if key == "own" else value for key, value in more.items()
    }
