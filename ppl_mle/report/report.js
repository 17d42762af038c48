"use strict";
(function () {
  function text(cell) {
    return (cell.dataset.text || cell.textContent).trim();
  }
  const NUMBER = /^<?(-?(?:\d+\.?\d*(?:e[+\-]?\d+)?|inf))(?: \((?:[\d.]+(?:e[+\-]?\d+)?|NaN|inf|fixed)\))?$/;
  function rank(value) {
    const found = NUMBER.exec(value);
    return found ? Number(found[1].replace("inf", "Infinity")) : null;
  }
  function compare(a, b) {
    const x = rank(a), y = rank(b);
    if (x !== null && y !== null) return x === y ? 0 : x < y ? -1 : 1;
    if (x !== null || y !== null) return x !== null ? -1 : 1;
    return a.localeCompare(b);
  }
  function sortBy(table, column, header) {
    const falling = header.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    rows.sort((one, other) => compare(text(one.cells[column]), text(other.cells[column])) * (falling ? -1 : 1));
    rows.forEach((row) => body.appendChild(row));
    table.querySelectorAll("thead th").forEach((cell) => cell.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", falling ? "descending" : "ascending");
  }
  function quoted(value) {
    const inert = /^[=+@\-]/.test(value) && rank(value) === null ? "'" + value : value;
    return /[",\n]/.test(inert) ? '"' + inert.replace(/"/g, '""') + '"' : inert;
  }
  function asCsv(table) {
    return Array.from(table.rows).map((row) => Array.from(row.cells).map((cell) => quoted(text(cell))).join(",")).join("\n");
  }
  function copy(csv, button) {
    const said = (how) => { button.textContent = how; setTimeout(() => { button.textContent = "Copy as CSV"; }, 2000); };
    const area = document.createElement("textarea");
    area.value = csv;
    document.body.appendChild(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (done) { said("Copied"); return; }
    if (navigator.clipboard) navigator.clipboard.writeText(csv).then(() => said("Copied"), () => said("Not copied"));
  }
  document.querySelectorAll("table").forEach((table) => {
    table.querySelectorAll("thead th").forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      header.dataset.text = header.textContent;
      button.textContent = header.textContent;
      button.addEventListener("click", () => sortBy(table, column, header));
      header.replaceChildren(button);
    });
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy as CSV";
    button.addEventListener("click", () => copy(asCsv(table), button));
    table.parentElement.after(button);
  });
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
  window.reportAsCsv = asCsv;
})();
