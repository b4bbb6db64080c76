"use strict";
// Two entries clip by clip: differences, a paired randomisation test, Holm's correction. Values come as classic scripts.
(() => {
  const $ = (id) => document.getElementById(id);
  const boards = JSON.parse($("entries").textContent);
  const body = $("differences").tBodies[0];
  const EXACT = 13, DRAWS = 10000, ALPHA = 0.05;
  $("pick").hidden = false;
  $("pick").addEventListener("submit", (event) => event.preventDefault());

  const loaded = {}, waiting = {};
  window.thgevalEntry = (id, data) => { loaded[id] = data; for (const then of waiting[id] ?? []) then(); };
  const load = (id, then) => {
    if (loaded[id]) return then();
    if (waiting[id]) return waiting[id].push(then);
    waiting[id] = [then];
    const script = document.createElement("script");
    script.src = `data/entries/${id}.js`;
    document.head.append(script);
  };

  // A small generator of random numbers, so that a page says the same each time (mulberry32).
  const random = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const quotient = (top, bottom) => top / bottom;
  const test = (first, second) => {
    const count = first.length;
    const sum = (rows, at) => rows.reduce((total, row) => total + row[at], 0);
    const observed = quotient(sum(second, 0), sum(second, 1)) - quotient(sum(first, 0), sum(first, 1));
    const bar = Math.abs(observed) - 1e-12 * Math.max(Math.abs(observed), 1e-300);
    const exact = count <= EXACT;
    const draws = exact ? 2 ** (count - 1) : DRAWS;
    const next = random(12345);
    let found = 0;
    for (let draw = 0; draw < draws; draw += 1) {
      let at = 0, ab = 0, bt = 0, bb = 0;
      for (let i = 0; i < count; i += 1) {
        const swap = exact ? (draw >> i) & 1 : next() < 0.5;
        const [one, two] = swap ? [second[i], first[i]] : [first[i], second[i]];
        at += one[0]; ab += one[1]; bt += two[0]; bb += two[1];
      }
      if (Math.abs(bt / bb - at / ab) >= bar) found += 1;
    }
    return { observed, p: exact ? found / draws : (found + 1) / (draws + 1) };
  };
  const holm = (values) => {
    const order = values.map((p, i) => [p, i]).sort((a, b) => a[0] - b[0]);
    const made = new Array(values.length);
    let worst = 0;
    order.forEach(([p, i], rank) => { worst = Math.max(worst, Math.min(1, (values.length - rank) * p)); made[i] = worst; });
    return made;
  };
  const rowsOf = (entry, metric, clips) => clips.map((clip) => {
    const [top, bottom] = metric.rows[clip];
    if (metric.better === "closer-to-zero") return [Math.abs(top / bottom), 1];
    if (metric.better === "closer-to-reference") return [Math.abs(top / bottom - metric.marks[clip]), 1];
    return [top, bottom];
  });
  const text = (value) => (Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-4) ? value.toExponential(2) : String(Number(value.toPrecision(4))));

  const show = () => {
    const [a, b] = [$("a").value, $("b").value];
    if (!a || !b) return;
    load(a, () => load(b, () => {
      const [one, two] = [loaded[a], loaded[b]];
      $("na").textContent = one.name;
      $("nb").textContent = two.name;
      const lines = [];
      const skipped = [];
      for (const [key, first] of Object.entries(one.metrics)) {
        const second = two.metrics[key];
        if (!second || first.better === "none") continue;
        if (first.part !== second.part) { skipped.push(`${first.title} (made differently)`); continue; }
        const marked = first.better !== "closer-to-reference";
        const clips = Object.keys(first.rows).filter((clip) => second.rows[clip] && (marked || (clip in first.marks && clip in second.marks)));
        if (clips.length < 2) { if (first.value !== null) skipped.push(`${first.title} (no values per clip)`); continue; }
        const found = test(rowsOf(one, first, clips), rowsOf(two, second, clips));
        const sign = first.better === "higher" ? 1 : -1;
        lines.push({ key, first, second, clips: clips.length, sign, ...found });
      }
      const corrected = holm(lines.map((line) => line.p));
      body.replaceChildren(...lines.map((line, i) => {
        const row = document.createElement("tr");
        const better = corrected[i] < ALPHA ? (Math.sign(line.observed) === line.sign ? two.name : one.name) : "";
        const cells = [line.first.title, line.first.arrow, text(line.first.value), text(line.second.value), (line.observed > 0 ? "+" : "") + text(line.observed), line.p.toFixed(4), corrected[i].toFixed(4), better ? `${better} is better` : "no difference found", line.clips];
        cells.forEach((said, at) => {
          const cell = document.createElement(at ? "td" : "th");
          if (!at) cell.scope = "row";
          if (at > 1 && at !== 7) cell.className = "n";
          cell.textContent = said;
          row.append(cell);
        });
        return row;
      }));
      $("said").textContent = skipped.length ? `Not compared: ${skipped.join(", ")}.` : "";
      history.replaceState(null, "", `#${new URLSearchParams({ board: $("where").value, a, b })}`);
    }));
  };
  const fill = (a, b) => {
    const own = boards[$("where").value] ?? [];
    for (const [name, chosen, usual] of [["a", a, 0], ["b", b, 1]]) {
      $(name).replaceChildren(...own.map(([id, said]) => new Option(said, id)));
      if (own.length) $(name).value = own.some(([id]) => id === chosen) ? chosen : own[Math.min(usual, own.length - 1)][0];
    }
    show();
  };
  const said = new URLSearchParams(location.hash.slice(1));
  if (said.get("board") in boards) $("where").value = said.get("board");
  fill(said.get("a"), said.get("b"));
  $("where").addEventListener("change", () => fill());
  for (const name of ["a", "b"]) $(name).addEventListener("change", show);
})();
