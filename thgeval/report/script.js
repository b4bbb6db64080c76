"use strict";
// Extras for a page that is whole without them: metrics to filter, tables that sort, signatures that copy, curves that
// tell their values.

const filtered = document.querySelectorAll(".scores .metric");
if (filtered.length > 8) {
  const tools = document.createElement("p"), field = document.createElement("input"), told = document.createElement("output");
  tools.className = "tools";
  field.type = "search";
  field.placeholder = "Filter metrics: sync, csim, pixels …";
  field.setAttribute("aria-label", "Filter metrics");
  tools.append(field, told);
  document.querySelector(".scores").closest(".scroll").before(tools);
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = new Set();
    let family = null, any = 0;
    for (const body of document.querySelectorAll(".scores tbody")) {
      if (body.classList.contains("family")) {
        if (family) family.hidden = !any;
        [family, any] = [body, 0];
        continue;
      }
      const text = `${body.dataset.metric} ${body.dataset.says}`.toLowerCase();
      body.hidden = !words.every((word) => text.includes(word));
      if (!body.hidden) { shown.add(body.dataset.metric); any += 1; }
    }
    if (family) family.hidden = !any;
    told.textContent = words.length ? `${shown.size} of ${filtered.length} metrics` : "";
    for (const table of document.querySelectorAll("table.clips")) {
      [...table.tHead.rows[0].cells].forEach((head, column) => {
        const hidden = "metric" in head.dataset && !shown.has(head.dataset.metric);
        for (const row of table.rows) row.cells[column].hidden = hidden;
      });
    }
  });
}

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      const key = (row) => row.cells[column].dataset.sort;
      const number = (text) => Number(text.replace("inf", "Infinity"));
      const order = column === 0 ? (a, b) => a.localeCompare(b, "en", { numeric: true }) : (a, b) => number(a) - number(b);
      const rows = [...body.rows];
      const filled = rows.filter((row) => key(row) !== "").sort((a, b) => (up ? 1 : -1) * order(key(a), key(b)));
      body.append(...filled, ...rows.filter((row) => key(row) === ""));
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
    });
  });
}

for (const box of document.querySelectorAll(".signature")) {
  const code = box.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", () => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
  });
  box.append(button);
}

const data = JSON.parse(document.getElementById("data").textContent);
const element = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};
for (const plot of document.querySelectorAll(".panel")) {
  const { metric, index, left, right, top, bottom } = plot.dataset;
  const curve = data.metrics[metric].curves[index];
  const line = element("line", { class: "cursor", y1: top, y2: bottom });
  const text = element("text", { class: "reading", x: right, y: 12, "text-anchor": "end" });
  const first = curve.frames[0], last = Math.max(curve.frames.at(-1), first + 1);
  const place = (frame) => +left + ((frame - first) / (last - first)) * (right - left);
  plot.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, 0).matrixTransform(plot.getScreenCTM().inverse()).x;
    let near = 0;
    curve.frames.forEach((frame, i) => {
      if (Math.abs(place(frame) - at) < Math.abs(place(curve.frames[near]) - at)) near = i;
    });
    const x = place(curve.frames[near]), value = curve.values[near];
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    text.textContent = `${curve.frames[near]}: ${value === null ? "left out" : value}`;
    plot.append(line, text);
  });
  plot.addEventListener("pointerleave", () => { line.remove(); text.remove(); });
}
