// A table of coloured cells: a click, or Enter, opens one. The arrow keys go from cell to cell.
class SmallHeatmap {
  constructor(root) {
    root.className = "small-heatmap";
    this.root = root;
    this.table = element("table");
    root.append(this.table);
    this.at = [0, 0];
    this.table.onkeydown = (event) => this.onKey(event);
  }

  show(data, tell) {
    this.tell = tell;
    const same = JSON.stringify(data) === this.shown;
    if (same) return;
    this.shown = JSON.stringify(data);
    const head = element("tr", {}, element("th", { scope: "col" }, data.corner));
    for (const layer of data.layers) head.append(element("th", { scope: "col" }, layer));
    this.buttons = data.rows.map((row) => row.cells.map((cell) => this.button(cell)));
    this.buttons.forEach((row, place) =>
      row.forEach((one, column) => (one.onfocus = () => this.move(place, column)))
    );
    const rows = data.rows.map((row, place) => {
      const name = element("th", { scope: "row", title: row.about }, row.label);
      return element("tr", {}, name, ...this.buttons[place].map((one) => element("td", {}, one)));
    });
    const caption = element("caption", {}, data.caption);
    this.table.replaceChildren(caption, element("thead", {}, head), element("tbody", {}, ...rows));
    this.move(0, 0);
  }

  button(cell) {
    const made = element("button", { type: "button", title: cell.said, "aria-label": cell.said });
    made.style.background = cell.colour;
    made.style.color = cell.ink;
    made.textContent = cell.mark;
    made.onclick = () => this.tell("cell", [cell.layer, cell.target]);
    return made;
  }

  onKey(event) {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
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
  }

  leave() {
    this.root.remove();
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  const [heatmap, leave] = mountOnce(parentElement, (root) => new SmallHeatmap(root));
  heatmap.show(data, setTriggerValue);
  return leave;
}
