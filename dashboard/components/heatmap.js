// A table of coloured cells: a click, or Enter, chooses one. The arrow keys go from cell to cell. On a
// narrow screen a list stands in its place: a line for each row.
class Heatmap {
  constructor(root) {
    root.className = "heatmap";
    this.root = root;
    this.table = element("table");
    this.caption = element("p");
    this.said = element("p", { class: "said", "aria-hidden": "true" });
    this.list = element("div", { class: "list" });
    this.heard = element("div", { class: "heard", role: "status" });
    root.append(this.caption, this.said, element("div", { class: "scroll" }, this.table), this.list, this.heard);
    this.at = [0, 0];
    this.table.onkeydown = (event) => this.onKey(event);
  }

  show({ table, chosen, detail, awaited }, tell) {
    this.tell = tell;
    this.detail = detail;
    const now = JSON.stringify(table);
    if (now !== this.shown) {
      this.shown = now;
      this.drawTable(table);
      this.drawList(table);
      this.move(0, 0);
    }
    this.mark(chosen);
    // A frame later it is painted.
    if (awaited) requestAnimationFrame(() => setTimeout(() => this.tell("painted", true)));
  }

  drawTable(table) {
    const apart = (column) => (column === table.layers ? { class: "apart" } : {});
    const head = element("tr", {}, element("th", { scope: "col" }, table.corner));
    table.columns.forEach((name, column) => {
      const label = element("span", name.length > 3 ? { class: "long" } : {}, name);
      head.append(element("th", { scope: "col", ...apart(column) }, label));
    });
    this.cells = table.rows.map((row) => row.cells);
    this.buttons = this.cells.map((cells) => cells.map((cell) => this.button(cell)));
    const bodies = [];
    table.rows.forEach((row, place) => {
      this.buttons[place].forEach((one, column) => (one.onfocus = () => this.move(place, column)));
      if (!place || row.family !== table.rows[place - 1].family) {
        bodies.push(element("tbody"));
        const across = { scope: "rowgroup", colspan: table.columns.length + 1 };
        if (row.family) bodies.at(-1).append(element("tr", {}, element("th", across, row.family)));
      }
      const cells = this.buttons[place].map((one, column) => element("td", apart(column), one));
      const name = element("th", { scope: "row", title: row.about }, row.label);
      name.onmouseenter = () => (this.said.textContent = `${row.label}: ${row.about}`);
      bodies.at(-1).append(element("tr", {}, name, ...cells));
    });
    this.caption.textContent = table.caption;
    this.table.setAttribute("aria-label", table.caption);
    this.table.replaceChildren(element("thead", {}, head), ...bodies);
  }

  button(cell) {
    const made = element("button", { type: "button", "aria-label": cell.said });
    made.style.background = cell.colour;
    made.style.color = cell.ink;
    made.append(cell.text);
    if (!cell.text) made.className = "plain";
    if (cell.mark) made.append(element("i", {}, cell.mark));
    if (cell.layer === null) made.setAttribute("aria-disabled", "true");
    else made.onclick = () => this.choose(cell);
    made.onmouseenter = () => (this.said.textContent = cell.said);
    return made;
  }

  drawList(table) {
    this.list.replaceChildren();
    this.lines = table.rows.map((row, place) => {
      if (!place || row.family !== table.rows[place - 1].family) {
        if (row.family) this.list.append(element("p", {}, row.family));
        this.list.append(element("ul"));
      }
      const strip = element("span", { class: "strip", "aria-hidden": "true" });
      row.cells.slice(0, table.layers).forEach((cell, column) => {
        const part = element("i", column === row.best ? { class: "best" } : {});
        part.style.background = cell.colour;
        strip.append(part);
      });
      const line = element("button", { type: "button" }, element("b", {}, row.label), element("span", {}, row.best_said), strip);
      line.onclick = () => this.choose(row.cells[row.best]);
      this.list.lastChild.append(element("li", {}, line));
      return line;
    });
  }

  choose(cell) {
    this.mark([cell.layer, cell.target]);
    this.heard.textContent = `Chosen: ${cell.said}`;
    this.tell("cell", [cell.layer, cell.target]);
    // Below the heatmap the detail comes to the top, beside it only as far as it is out of sight.
    const place = document.querySelector(`.st-key-${CSS.escape(this.detail || "none")}`);
    const block = this.list.offsetParent ? "start" : "nearest";
    (place?.querySelector("h2") ?? place)?.scrollIntoView({ block });
  }

  // Puts a frame around the chosen cell; nothing else changes.
  mark(chosen) {
    const is = (cell) => chosen && cell.layer === chosen[0] && cell.target === chosen[1];
    const put = (button, on) => (on ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current"));
    this.cells.forEach((cells, row) => {
      cells.forEach((cell, column) => put(this.buttons[row][column], is(cell)));
      const column = cells.findIndex(is);
      put(this.lines[row], column >= 0);
      if (column >= 0 && !this.table.contains(this.root.getRootNode().activeElement)) this.move(row, column);
    });
  }

  onKey(event) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(this.at[0] + step[0], this.at[1] + step[1]);
    this.buttons[this.at[0]][this.at[1]].focus();
  }

  // One cell at a time can be reached by Tab.
  move(row, column) {
    const rows = this.buttons;
    if (!rows.length || !rows[0].length) return;
    this.at = [Math.min(Math.max(row, 0), rows.length - 1), Math.min(Math.max(column, 0), rows[0].length - 1)];
    rows.flat().forEach((one) => (one.tabIndex = -1));
    rows[this.at[0]][this.at[1]].tabIndex = 0;
    this.said.textContent = this.cells[this.at[0]][this.at[1]].said;
  }

  leave() {
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data], setTriggerValue }) {
  const [heatmap, leave] = mountOnce(parentElement, (root) => new Heatmap(root));
  heatmap.show(data, setTriggerValue);
  return leave;
}
