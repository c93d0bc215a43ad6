// Sliders in rows, with presets. The page hears of a move at once, and of "settled" once it rests.
const SETTLE_MS = 400;
const PAUSE_MS = 60; // while a slider is dragged, the page is asked at most so often

class Sliders {
  constructor(root) {
    this.root = root;
    this.inputs = new Map();
  }

  show(data, send) {
    this.send = send;
    const shape = JSON.stringify([data.rows, data.presets]);
    const built = shape !== this.shape;
    const values = data.stamp === this.stamp ? { ...data.values, ...this.values() } : data.values;
    if (built) this.build(data);
    this.shape = shape;
    if (built || data.stamp !== this.stamp) this.set(values);
    this.stamp = data.stamp;
  }

  build(data) {
    this.root.replaceChildren();
    this.inputs.clear();
    this.root.className = "sliders";
    if (data.presets.length) {
      const bar = element("div", { class: "presets", role: "group", "aria-label": "Presets" });
      for (const preset of data.presets) {
        const button = element("button", { type: "button" }, preset.name);
        button.onclick = () => {
          this.set(preset.values);
          this.tell(true);
        };
        bar.append(button);
      }
      this.root.append(bar);
    }
    let group = this.root;
    for (const row of data.rows) {
      if (row.group && group.dataset?.name !== row.group) {
        group = element("details", {}, element("summary", {}, row.group));
        group.dataset.name = row.group;
        this.root.append(group);
      }
      group.append(this.row(row));
    }
  }

  row(row) {
    const input = element("input", {
      type: "range", min: row.min, max: row.max, step: row.step, value: 0,
      "aria-label": row.note ? `${row.label}, ${row.note}` : row.label,
    });
    const value = element("output", {});
    input.oninput = () => {
      this.paint(row.name);
      this.tell(false);
    };
    input.ondblclick = () => {
      input.value = 0;
      this.paint(row.name);
      this.tell(true);
    };
    this.inputs.set(row.name, { input, value });
    return element(
      "label", { class: "row", title: row.help },
      element("span", { class: "name" }, row.label, element("small", {}, row.note)),
      input, value
    );
  }

  paint(name) {
    const { input, value } = this.inputs.get(name);
    const at = Number(input.value);
    value.textContent = (at > 0 ? "+" : at < 0 ? "−" : "") + Math.abs(at).toFixed(2);
    const low = Number(input.min), width = Number(input.max) - low;
    const from = (Math.min(0, at) - low) / width, to = (Math.max(0, at) - low) / width;
    input.style.setProperty("--from", `${100 * from}%`);
    input.style.setProperty("--to", `${100 * to}%`);
    input.parentElement?.classList.toggle("off", at === 0);
  }

  set(values) {
    for (const [name, { input }] of this.inputs) {
      input.value = values[name] ?? 0;
      this.paint(name);
    }
  }

  tell(settled) {
    clearTimeout(this.settling);
    if (settled) this.deliver(true);
    else {
      const wait = PAUSE_MS - (performance.now() - (this.told ?? 0));
      clearTimeout(this.waiting);
      if (wait <= 0) this.deliver(false);
      else this.waiting = setTimeout(() => this.deliver(false), wait);
      this.settling = setTimeout(() => this.deliver(true), SETTLE_MS);
    }
  }

  deliver(settled) {
    clearTimeout(this.waiting);
    this.told = performance.now();
    this.send("moved", { values: this.values(), settled, stamp: this.stamp });
  }

  values() {
    const values = {};
    for (const [name, { input }] of this.inputs) values[name] = Number(input.value);
    return values;
  }

  leave() {
    clearTimeout(this.waiting);
    clearTimeout(this.settling);
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data], setStateValue }) {
  return mountOnce(
    parentElement,
    (root) => new Sliders(root),
    (sliders) => sliders.show(data, setStateValue),
  );
}
