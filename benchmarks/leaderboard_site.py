"""How the leaderboard's site scales: 1,000 entries of 60 columns are built, weighed and used in a real browser.

``python benchmarks/run.py leaderboard_site``. The browser is Chromium, on ``file://``; times are medians of five.
"""

import gzip
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright
from support.boards import made_entry

from thgeval.registry import metric_class, table
from thgeval_leaderboard.entry import Entry, Event
from thgeval_leaderboard.site.build import build

CLIPS = 12
BROWSER = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

PAINT = """() => new Promise(done => {
    const look = () => {
        const found = performance.getEntriesByType("paint").find(entry => entry.name === "first-contentful-paint");
        if (found) done(found.startTime); else requestAnimationFrame(look);
    };
    look();
})"""
CHOICE = "it.value = 'nerf'; it.dispatchEvent(new Event('input'))"
TIMED = "it => { const t = performance.now(); %s; document.body.offsetHeight; return performance.now() - t; }"


def made(count: int, columns: int) -> list[Entry]:
    """So many systems with values per clip, most of them hardly apart."""
    rng = np.random.default_rng(0)
    keys = [f"{name}/{preset}" if preset else name for name in table() for preset in ("", *metric_class(name).presets)][
        :columns
    ]
    ranges = {key: metric_class(key.partition("/")[0])().range for key in keys}
    clips = {key: rng.normal(0, 0.05, CLIPS) for key in keys}
    entries = []
    for number in range(count):
        skill = rng.normal(0, 0.1)
        values = {}
        for key, (low, high) in ranges.items():
            low, high = max(low, -100.0), min(high, 100.0)
            share = 0.5 + clips[key] + 0.5 * skill + rng.normal(0, 0.02, CLIPS)
            values[key] = low + (high - low) * np.clip(share, 0, 1)
        entry = made_entry(f"method-{number:04d}", values, paradigm=("2d", "nerf", "audio", "diffusion")[number % 4])
        entries.append(replace(entry, history=(Event(f"2026-{1 + number % 12:02d}-01", "added"),)))
    return entries


def used(site: Path) -> dict[str, float]:
    """First paint, one sort and one filter of the board in milliseconds, medians of five."""
    found: dict[str, list[float]] = {"first_paint_ms": [], "sort_ms": [], "filter_ms": []}
    (board,) = (path for path in (site / "boards").glob("*.html") if not path.name.endswith(".figures.html"))
    address = board.as_uri()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=FLAGS)
        for _ in range(5):
            page = browser.new_page()
            page.goto(address)
            found["first_paint_ms"].append(page.evaluate(PAINT))
            found["sort_ms"].append(page.locator("#board thead button").nth(2).evaluate(TIMED % "it.click()"))
            found["filter_ms"].append(page.locator("#paradigm").evaluate(TIMED % CHOICE))
            page.close()
        browser.close()
    return {name: round(median(times), 1) for name, times in found.items()}


def measurements(count: int = 1000, columns: int = 60) -> list[dict[str, Any]]:
    """One row: how long the build took, what the heaviest page weighs, how fast the browser is."""
    entries = made(count, columns)
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        begun = time.perf_counter()
        files = build(entries, site)
        seconds = time.perf_counter() - begun
        weights = {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*.html")}
        heaviest = max(weights, key=lambda address: len(weights[address]))
        row = {
            "entries": count,
            "columns": columns,
            "files": files,
            "build_s": round(seconds, 2),
            "heaviest": heaviest.partition("/")[0],
            "heaviest_kb": round(len(weights[heaviest]) / 1e3, 1),
            "heaviest_gzip_kb": round(max(len(gzip.compress(page, 6)) for page in weights.values()) / 1e3, 1),
            "script_kb": round((site / "static/board.js").stat().st_size / 1e3, 1),
            **used(site),
        }
    return [row]
