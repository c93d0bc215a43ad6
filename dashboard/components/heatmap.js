// A table of coloured cells: a click, or Enter, chooses one. The arrow keys go from cell to cell, Home
// and End to the ends of a row, with Ctrl to the first and the last cell. On a narrow screen a list
// stands in its place: a line for each row.
const HEAT_STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
const HEAT_WIDE = 29; // pixels of a cell in which "-0.04" stands, and of the gap beside it
const HEAT_NARROW = 21; // in which "-.04" stands in the usual size; below it is smaller

class Heatmap {
  constructor(root) {
    root.className = "heatmap";
    this.root = root;
    this.table = element("table");
    this.caption = element("p");
    this.said = element("p", { class: "said", "aria-hidden": "true" });
    this.scale = element("p", { class: "scale" });
    this.list = element("div", { class: "list" });
    this.heard = element("div", { class: "heard", role: "status" });
    this.scroll = element("div", { class: "scroll" }, this.table);
    this.more = element("p", { class: "more", hidden: "" }, "There are more columns: scroll sideways, or walk there by the arrow keys.");
    root.append(this.caption, this.said, this.scroll, this.more, this.list, this.scale, this.heard);
    this.at = [0, 0];
    this.table.onkeydown = (event) => this.onKey(event);
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(this.scroll);
  }

  show({ table, chosen, detail, awaited }, tell) {
    this.tell = tell;
    this.detail = detail;
    const now = JSON.stringify(table);
    if (now !== this.shown) {
      this.shown = now;
      this.drawTable(table);
      this.drawList(table);
      this.drawScale(table.scale);
      this.move(0, 0);
    }
    this.mark(chosen);
    // A frame later it is painted.
    if (awaited) requestAnimationFrame(() => setTimeout(() => this.tell("painted", true)));
  }

  drawTable(table) {
    const apart = (column) => (column === table.apart ? { class: "apart" } : {});
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
      const name = element("th", row.about ? { scope: "row", title: row.about } : { scope: "row" }, row.label);
      if (row.about) name.onmouseenter = () => (this.said.textContent = `${row.label}: ${row.about}`);
      bodies.at(-1).append(element("tr", {}, name, ...cells));
    });
    this.caption.textContent = table.caption;
    this.table.setAttribute("aria-label", table.caption);
    this.table.replaceChildren(element("thead", {}, head), ...bodies);
    this.fit();
  }

  // Many columns get narrow cells and numbers without the 0 before the point, so that all are in sight.
  fit() {
    const columns = this.buttons?.[0]?.length;
    const room = this.scroll.clientWidth;
    if (!columns || !room) return; // it is not shown, or a list stands in its place
    const each = (room - this.table.querySelector("th").offsetWidth - 12) / columns;
    this.table.classList.toggle("narrow", each < HEAT_WIDE);
    this.table.classList.toggle("narrowest", each < HEAT_NARROW);
    this.more.hidden = this.scroll.scrollWidth <= room + 1;
  }

  button(cell) {
    const made = element("button", { type: "button", "aria-label": cell.said });
    made.style.background = cell.colour;
    made.style.color = cell.ink;
    const [, sign, nought, rest] = /^(\D?)(0?)(.*)$/.exec(cell.text);
    if (nought && rest.startsWith(".")) made.append(sign, element("span", { class: "nought" }, nought), rest);
    else made.append(cell.text);
    if (!cell.text) made.className = "plain";
    if (cell.mark) made.append(element("i", {}, cell.mark));
    if (!cell.choice) made.setAttribute("aria-disabled", "true");
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
      row.cells.slice(0, table.apart).forEach((cell, column) => {
        const part = element("i", column === row.strongest ? { class: "best" } : {});
        part.style.background = cell.colour;
        strip.append(part);
      });
      const cell = row.cells[row.strongest];
      const line = cell?.choice ? element("button", { type: "button" }) : element("div", { class: "line" });
      line.append(element("b", {}, row.label), element("span", {}, row.strongest_said), strip);
      if (cell?.choice) line.onclick = () => this.choose(cell);
      this.list.lastChild.append(element("li", {}, line));
      return line;
    });
  }

  drawScale({ title, low, high, steps, grey }) {
    const patch = (colours) => {
      const made = element("i", { "aria-hidden": "true" });
      made.style.background = colours.length > 1 ? `linear-gradient(90deg, ${colours.join(", ")})` : colours[0];
      if (colours.length > 1) made.className = "bar";
      return made;
    };
    this.scale.replaceChildren(element("span", {}, title), element("span", {}, low), patch(steps), element("span", {}, high));
    if (grey) this.scale.append(patch([grey.colour]), element("span", {}, grey.name));
  }

  choose(cell) {
    this.mark(cell.choice);
    this.heard.textContent = `Chosen: ${cell.said}`;
    this.tell("cell", cell.choice);
    // Below the heatmap the detail comes to the top, beside it only as far as it is out of sight.
    const place = document.querySelector(`.st-key-${CSS.escape(this.detail || "none")}`);
    const below = place?.getBoundingClientRect().top >= this.root.getBoundingClientRect().bottom;
    const block = below ? "start" : "nearest";
    (place?.querySelector("h2") ?? place)?.scrollIntoView({ block });
  }

  // Puts a frame around the chosen cell; nothing else changes.
  mark(chosen) {
    const is = ({ choice }) => chosen && choice && choice[0] === chosen[0] && choice[1] === chosen[1];
    const put = (button, on) => (on ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current"));
    this.cells.forEach((cells, row) => {
      cells.forEach((cell, column) => put(this.buttons[row][column], is(cell)));
      const column = cells.findIndex(is);
      put(this.lines[row], column >= 0);
      if (column >= 0 && !this.table.contains(this.root.getRootNode().activeElement)) this.move(row, column);
    });
  }

  onKey(event) {
    const [row, column] = this.at;
    const [down, right] = HEAT_STEPS[event.key] ?? [];
    const rows = event.ctrlKey ? Infinity : 0;
    if (down !== undefined) this.move(row + down, column + right);
    else if (event.key === "Home") this.move(row - rows, 0);
    else if (event.key === "End") this.move(row + rows, Infinity);
    else return;
    event.preventDefault();
    event.stopPropagation();
    // The names of the rows stay where they are: what is to be seen ends where they end.
    this.table.style.setProperty("--labels", `${this.table.querySelector("th").offsetWidth + 4}px`);
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
    this.watch.disconnect();
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data], setTriggerValue }) {
  return mountOnce(parentElement, (root) => new Heatmap(root), (heatmap) => {
    heatmap.show(data, setTriggerValue);
    document.getElementById("first-view")?.remove(); // `dashboard/first_view/` showed it meanwhile
  });
}
