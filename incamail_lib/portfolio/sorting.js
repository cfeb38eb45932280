"use strict";
(() => {
  const words = {"words": 0};
  const value = (row, column) => row.cells[column].textContent.trim();
  const compare = (a, b) => {
    const numbers = [Number(a), Number(b)];
    return a !== "" && b !== "" && numbers.every(Number.isFinite)
      ? numbers[0] - numbers[1]
      : a.localeCompare(b, document.documentElement.lang);
  };
  const sort = (table, column, down) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => compare(value(a, column), value(b, column)));
    body.append(...(down ? rows.reverse() : rows));
  };
  const head = (table, cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    button.addEventListener("click", () => {
      const down = cell.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(table, column, down);
    });
    cell.append(button);
  };
  const filter = (table) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("output");
    input.type = "search";
    label.className = "im-filter";
    label.append(words.filter + " ", input);
    input.addEventListener("input", () => {
      const wanted = input.value.toLocaleLowerCase();
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
        shown += row.hidden ? 0 : 1;
      }
      const form = words.shown[Math.min(shown, words.shown.length - 1)];
      count.textContent = wanted ? ` ${form.replace("{n}", shown)}` : "";
    });
    label.append(count);
    table.closest(".im-scroll").before(label);
  };
  for (const table of document.querySelectorAll("table.im-rows")) {
    if (!table.tHead) continue;
    [...table.tHead.rows[0].cells].forEach((cell, column) => head(table, cell, column));
    if (table.tBodies[0].rows.length > 5) filter(table);
  }
})();
