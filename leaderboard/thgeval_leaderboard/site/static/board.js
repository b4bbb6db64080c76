"use strict";
// Extras for a table that is whole without them: sorting, filters, more columns, pins, a view that its address keeps.
(() => {
  const table = document.getElementById("board");
  const tools = document.getElementById("tools");
  if (!table) return;
  const $ = (id) => document.getElementById(id);
  const head = table.tHead.rows[0];
  const rows = [...table.querySelectorAll("tbody tr:not(.part)")];
  for (const row of rows) row.dataset.id = row.querySelector("a").getAttribute("href").replace(/^.*\/|\.html$/g, "");
  const board = table.dataset.board;
  const state = { sort: "", find: "", paradigm: "", verified: "", tier: "", columns: [], pins: [] };
  tools.hidden = false;

  // A cell says its number in data-v; in a large board it is the number.
  const numberOf = (cell) => Number(cell.dataset.v ?? (cell.textContent.replace("∞", "Infinity").trim() || NaN));
  const valueOf = (row, at) => {
    const cell = row.cells[at];
    if (at < 2) return cell.textContent.trim().toLowerCase();
    return numberOf(cell);
  };
  const badness = ({ better, own }, value) => ({ higher: -value, lower: value, "closer-to-zero": Math.abs(value), "closer-to-reference": Math.abs(value - (own ?? 0)) })[better] ?? value;

  const sortBy = (at, down) => {
    const way = head.cells[at].dataset;
    for (const body of table.tBodies) {
      const own = [...body.rows].filter((row) => row.dataset.id).map((row) => [valueOf(row, at), row]);
      const named = way.better === "name";
      own.sort(([a], [b]) => {
        if (named) return (down ? -1 : 1) * (a < b ? -1 : a > b ? 1 : 0);
        if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
        return (down ? -1 : 1) * (badness(way, a) - badness(way, b));
      });
      const moved = document.createDocumentFragment();
      moved.append(...own.map(([, row]) => row));
      body.append(moved);
    }
    for (const cell of head.cells) cell.removeAttribute("aria-sort");
    head.cells[at].setAttribute("aria-sort", down ? "descending" : "ascending");
  };

  const addSorter = (cell) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "↕";
    button.setAttribute("aria-label", `Sort by ${cell.textContent.trim()}, best first`);
    button.addEventListener("click", () => {
      const name = cell.dataset.at ?? String(-1 - cell.cellIndex);
      state.sort = state.sort === name ? `!${name}` : name;
      sortNow();
      write();
    });
    cell.append(button);
  };
  [...head.cells].forEach(addSorter);

  const columnOf = (name) => [...head.cells].findIndex((cell, at) => (cell.dataset.at ?? String(-1 - at)) === name);

  const filter = () => {
    const find = state.find.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const role = row.parentNode.dataset.role;
      const always = role === "control" || role === "ground-truth";
      const hit = (always && !find) || (
        (!find || row.cells[0].textContent.toLowerCase().includes(find)) &&
        (always || ((!state.paradigm || row.cells[1].textContent === state.paradigm) && (!state.verified || row.dataset.f === state.verified)))
      );
      if (row.hidden === hit) row.hidden = !hit;
      shown += hit;
    }
    $("count").textContent = `${shown} of ${rows.length} entries`;
  };

  // Columns whose networks are others are out of sight; names and sums have none.
  const tiers = () => {
    for (const cell of head.cells) {
      const off = Boolean(state.tier && cell.dataset.tier && cell.dataset.tier !== state.tier);
      if (cell.hidden === off) continue;
      cell.hidden = off;
      for (const row of rows) row.cells[cell.cellIndex].hidden = off;
    }
  };

  // Further columns come as classic scripts that call this with {column: {entry: [text, value]}}.
  const groups = {};
  const waiting = {};
  window.thgevalColumns = (name, columns) => {
    groups[name] = columns;
    for (const then of waiting[name] ?? []) then();
  };
  const load = (name, then) => {
    if (groups[name]) return then();
    if (waiting[name]) return waiting[name].push(then);
    waiting[name] = [then];
    const script = document.createElement("script");
    script.src = `../data/${board}/${name}.js`;
    document.head.append(script);
  };
  const place = (at, group) => {
    if (columnOf(String(at)) >= 0) return;
    const column = groups[group][at];
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.className = "n added";
    cell.dataset.at = at;
    cell.dataset.better = column.better;
    if (column.own !== null) cell.dataset.own = column.own;
    cell.dataset.tier = column.tier;
    cell.textContent = `${column.title}\u00a0${column.arrow} ${column.unit}`.trim();
    head.append(cell);
    addSorter(cell);
    for (const row of rows) {
      const [text, value] = column.cells[row.dataset.id] ?? ["", null];
      const made = row.insertCell();
      made.textContent = text;
      if (value !== null) made.dataset.v = value;
    }
    tiers();
    for (const part of table.querySelectorAll(".part th")) part.colSpan = head.cells.length;
  };
  const drop = (at) => {
    const index = columnOf(String(at));
    if (index < 0) return;
    head.cells[index].remove();
    for (const row of rows) row.cells[index].remove();
    for (const part of table.querySelectorAll(".part th")) part.colSpan = head.cells.length;
  };

  const pinned = () => {
    for (const row of rows) {
      const on = state.pins.includes(row.dataset.id);
      row.classList.toggle("pinned", on);
      row.querySelector(".pin").checked = on;
    }
    $("compare").disabled = state.pins.length !== 2;
  };
  for (const row of rows) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "pin";
    box.setAttribute("aria-label", `Pin ${row.cells[0].textContent.trim()}`);
    box.addEventListener("change", () => {
      state.pins = box.checked ? [...state.pins, row.dataset.id].slice(-2) : state.pins.filter((id) => id !== row.dataset.id);
      apply();
    });
    row.cells[0].prepend(box);
  }
  $("compare").addEventListener("click", () => {
    location.href = `../compare.html#board=${encodeURIComponent(board)}&a=${encodeURIComponent(state.pins[0])}&b=${encodeURIComponent(state.pins[1])}`;
  });

  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const harmless = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
  $("csv").addEventListener("click", () => {
    const shown = (cells) => [...cells].filter((cell) => !cell.hidden);
    const names = shown(head.cells).map((cell) => cell.textContent.replace("↕", "").trim());
    const lines = [["id", ...names]];
    for (const row of table.querySelectorAll("tbody tr[data-id]")) {
      if (!row.hidden) lines.push([row.dataset.id, ...shown(row.cells).map((cell, at) => at < 2 ? harmless(cell.textContent.trim()) : Number.isNaN(numberOf(cell)) ? "" : String(numberOf(cell)))]);
    }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.map((line) => line.map(quoted).join(",")).join("\n") + "\n"], { type: "text/csv" }));
    link.download = `${board}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });

  const write = () => {
    const said = new URLSearchParams();
    for (const [name, value] of Object.entries(state)) if (value.length) said.set(name, Array.isArray(value) ? value.join(",") : value);
    history.replaceState(null, "", String(said) ? `#${said}` : location.pathname + location.search);
  };
  const read = () => {
    const said = new URLSearchParams(location.hash.slice(1));
    for (const name of Object.keys(state)) {
      const value = said.get(name) ?? "";
      state[name] = Array.isArray(state[name]) ? value.split(",").filter(Boolean) : value;
    }
    state.pins = state.pins.filter((id) => rows.some((row) => row.dataset.id === id)).slice(0, 2);
    $("find").value = state.find;
    $("paradigm").value = state.paradigm;
    $("verified").value = state.verified;
    if ($("tier")) $("tier").value = state.tier;
    for (const box of tools.querySelectorAll("[data-column]")) {
      box.checked = state.columns.includes(box.dataset.column);
      if (box.checked) load(box.dataset.group, () => { place(box.dataset.column, box.dataset.group); if (state.sort.endsWith(box.dataset.column)) sortNow(); });
    }
  };
  const sortNow = () => {
    const at = columnOf(state.sort.replace("!", ""));
    if (state.sort && at >= 0) sortBy(at, state.sort.startsWith("!"));
  };
  const apply = () => { sortNow(); filter(); pinned(); write(); };

  for (const name of ["find", "paradigm", "verified"]) {
    $(name).addEventListener("input", () => { state[name] = $(name).value; filter(); write(); });
  }
  for (const box of tools.querySelectorAll("[data-column]")) {
    box.addEventListener("change", () => {
      const { column, group } = box.dataset;
      state.columns = box.checked ? [...state.columns, column] : state.columns.filter((name) => name !== column);
      if (box.checked) load(group, () => { place(column, group); });
      else drop(column);
      write();
    });
  }
  $("tier")?.addEventListener("input", () => { state.tier = $("tier").value; tiers(); write(); });
  tools.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && $("chooser")) $("chooser").open = false; });
  read();
  sortNow();
  tiers();
  filter();
  pinned();
})();
