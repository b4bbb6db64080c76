"use strict";
// Filters for a table that is whole without them; the address keeps what is shown.
(() => {
  const $ = (id) => document.getElementById(id);
  const rows = [...$("survey").tBodies[0].rows];
  const fields = ["find", "noted", "status"];
  $("tools").hidden = false;
  const apply = () => {
    const [find, noted, status] = fields.map((name) => $(name).value);
    let shown = 0;
    for (const row of rows) {
      const hit = (!find || row.textContent.toLowerCase().includes(find.toLowerCase()))
        && (!noted || row.dataset[noted] === "0") && (!status || row.dataset.status === status);
      row.hidden = !hit;
      shown += hit;
    }
    $("count").textContent = `${shown} of ${rows.length} cells`;
  };
  const said = new URLSearchParams(location.hash.slice(1));
  for (const name of fields) {
    $(name).value = said.get(name) ?? "";
    $(name).addEventListener("input", () => {
      apply();
      const kept = new URLSearchParams(fields.filter((each) => $(each).value).map((each) => [each, $(each).value]));
      history.replaceState(null, "", String(kept) ? `#${kept}` : location.pathname + location.search);
    });
  }
  $("tools").addEventListener("submit", (event) => event.preventDefault());
  apply();
})();
