// A map: a point for each track or segment, drawn by the graphics card (regl-scatterplot).
const MODES = { lasso: ["lasso", "freeform"], select: ["lasso", "rectangle"], pan: ["panZoom", "freeform"] };
const NO_WEBGL = "This browser draws no WebGL, so there is no map. The list below works.";

// What a mouse would send, for fingers: regl-scatterplot listens to the mouse alone.
function followFingers(canvas, draws) {
  const asMouse = { pointerdown: "mousedown", pointermove: "mousemove", pointerup: "mouseup" };
  for (const [kind, mouse] of Object.entries(asMouse))
    canvas.addEventListener(kind, (event) => {
      if (event.pointerType === "mouse" || !draws()) return;
      const { clientX, clientY } = event;
      const told = { clientX, clientY, bubbles: true, composed: true, button: 0, buttons: mouse === "mouseup" ? 0 : 1 };
      canvas.dispatchEvent(new MouseEvent(mouse, told));
    });
}

function bytes(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

// Rows as a bit for each point: 8 kB for 50,000 points, where numbers would take 300.
function rowsOf(text) {
  const rows = [];
  bytes(text).forEach((byte, place) => {
    for (let bit = 0; byte && bit < 8; bit++) if (byte & (128 >> bit)) rows.push(8 * place + bit);
  });
  return rows;
}

function bitsOf(rows, count) {
  if (!rows.length) return "";
  const packed = new Uint8Array(Math.ceil(count / 8));
  for (const row of rows) packed[row >> 3] |= 128 >> (row & 7);
  let text = "";
  for (const byte of packed) text += String.fromCharCode(byte);
  return btoa(text);
}

class Scatter {
  constructor(root) {
    root.className = "scatter";
    this.root = root;
    this.canvas = element("canvas", { role: "img" });
    this.rings = element("div", { class: "rings" });
    this.tip = element("div", { class: "tip" });
    this.frame = element("div", { class: "frame" }, this.canvas, this.rings, this.tip);
    this.said = element("p", { role: "status" });
    this.legend = element("div", { class: "legend" });
    // What the wheel and dragging do is done by these, too.
    const zooms = { "Zoom to what is picked": () => this.zoom(this.picked), "Whole map": () => this.zoom([]) };
    const buttons = Object.entries(zooms).map(([name, act]) => {
      const button = element("button", { type: "button" }, name);
      button.onclick = act;
      return button;
    });
    root.append(this.frame, this.said, this.legend, element("div", { class: "legend" }, ...buttons));
    this.names = new Map();
    followFingers(this.canvas, () => this.data.mode !== "pan");
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.frame);
    window.messMap = this;
  }

  async show(data, tell) {
    const before = this.data;
    if (before?.picked !== data.picked) this.picked = rowsOf(data.picked);
    this.data = data;
    this.tell = tell;
    this.canvas.setAttribute("aria-label", data.label);
    this.canvas.style.touchAction = data.mode === "pan" ? "auto" : "none";
    this.drawLegend();
    // One after another: each sees what the one before has drawn.
    this.drawing = (this.drawing ?? Promise.resolve()).then(() => this.draw(before)).catch((error) => {
      this.said.textContent = this.scatter ? String(error.message ?? error) : NO_WEBGL;
    });
  }

  async draw(before) {
    const { data } = this;
    if (this.gone) return;
    await this.load();
    const scatter = this.scatter;
    const [mouseMode, lassoType] = MODES[data.mode];
    scatter.set({
      mouseMode, lassoType,
      pointColor: data.palette, pointColorActive: data.palette, pointSize: data.size,
      ...this.theme(),
    });
    const moved = this.address !== data.address;
    if (moved) {
      const answer = await fetch(data.address);
      if (!answer.ok) throw new Error(await answer.text());
      this.points = new Float32Array(await answer.arrayBuffer());
      this.names = new Map();
      this.address = data.address;
      if (before) scatter.reset();
    }
    if (moved || this.colours !== data.colours) {
      const count = this.points.length / 2;
      const half = (from) => Float32Array.from({ length: count }, (_, row) => this.points[2 * row + from]);
      this.codes = bytes(data.colours);
      this.colours = data.colours;
      await scatter.draw(
        { x: half(0), y: half(1), category: Float32Array.from(this.codes) },
        { zDataType: "categorical", select: this.picked },
      );
    }
    if (moved || this.bits(scatter.get("selectedPoints")) !== data.picked) {
      if (this.picked.length) scatter.select(this.picked, { preventEvent: true });
      else scatter.deselect({ preventEvent: true });
    }
    this.said.textContent = "";
    this.drawRings();
    this.root.dataset.drawn = this.points.length / 2;
  }

  async load() {
    if (this.scatter) return;
    const { default: create } = await import(new URL(this.data.script, location.href).href);
    const { clientWidth: width, clientHeight: height } = this.frame;
    const scatter = create({
      canvas: this.canvas, width, height, colorBy: "category", opacity: 0.8,
      opacityInactiveScale: 0.25, pointOutlineWidth: 0,
      deselectOnEscape: false, // which closes menus, too
    });
    scatter.subscribe("select", ({ points }) => this.pick(points));
    scatter.subscribe("deselect", () => this.pick([]));
    scatter.subscribe("pointOver", (row) => this.name(row));
    scatter.subscribe("pointOut", () => (this.tip.hidden = true));
    scatter.subscribe("view", () => this.drawRings());
    this.scatter = scatter;
  }

  theme() {
    const style = getComputedStyle(this.root);
    const colour = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
    return {
      backgroundColor: colour("--st-background-color", "#ffffff"),
      pointColorHover: colour("--st-text-color", "#000000"),
      lassoColor: colour("--st-primary-color", "#2166ac"),
    };
  }

  zoom(rows) {
    const [row] = rows;
    if (rows.length === 1) this.scatter?.zoomToLocation([this.points[2 * row], this.points[2 * row + 1]], 0.25);
    else if (rows.length) this.scatter?.zoomToPoints(rows, { padding: 0.3 });
    else this.scatter?.reset();
  }

  bits(rows) {
    return bitsOf(rows, this.points.length / 2);
  }

  pick(rows) {
    if (!this.points) return;
    const bits = this.bits(rows);
    if (bits !== this.data.picked) this.tell("picked", bits);
  }

  async name(row) {
    this.hovered = row;
    const { names } = this; // another map has its own
    if (!names.has(row)) {
      const answer = await fetch(`${this.data.names}&row=${row}`).catch(() => null);
      names.set(row, answer ? await answer.text() : "");
    }
    const place = this.scatter.getScreenPosition(row);
    if (this.names !== names || this.hovered !== row || !place) return;
    this.tip.textContent = names.get(row);
    this.tip.hidden = !this.tip.textContent;
    this.tip.style.left = `${Math.min(place[0] + 10, this.frame.clientWidth - this.tip.offsetWidth)}px`;
    this.tip.style.top = `${Math.max(place[1] - 30, 0)}px`;
  }

  // A ring around each point of the current recording.
  drawRings() {
    if (!this.points) return;
    this.rings.replaceChildren(
      ...this.data.rings.flatMap((row) => {
        const place = this.scatter.getScreenPosition(row);
        if (!place) return [];
        const ring = element("i");
        ring.style.transform = `translate(${place[0]}px, ${place[1]}px)`;
        return [ring];
      })
    );
  }

  drawLegend() {
    const { legend, scale, title } = this.data;
    const patch = (colour) => {
      const one = element("i");
      one.style.background = colour;
      return one;
    };
    if (scale) {
      const bar = patch(`linear-gradient(90deg, ${scale.colours.join(", ")})`);
      bar.className = "scale";
      this.legend.replaceChildren(
        element("span", {}, title), element("span", {}, scale.low), bar, element("span", {}, scale.high));
      if (scale.unknown) this.legend.append(patch(scale.unknown), element("span", {}, "unknown"));
      return;
    }
    this.legend.replaceChildren(
      ...legend.map(({ name, colour }, code) => {
        const button = element("button", { type: "button", title: `Pick ${name}` }, patch(colour), name);
        button.onclick = () => {
          const rows = [];
          this.codes?.forEach((one, row) => one === code && rows.push(row));
          this.scatter?.select(rows);
        };
        return button;
      })
    );
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.frame;
    if (!this.scatter || !width || !height) return;
    this.scatter.set({ width, height });
    this.scatter.redraw();
    requestAnimationFrame(() => this.drawRings());
  }

  leave() {
    this.gone = true;
    this.resized.disconnect();
    this.scatter?.destroy();
    if (window.messMap === this) window.messMap = null;
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data], setTriggerValue }) {
  return mountOnce(
    parentElement,
    (root) => new Scatter(root),
    (scatter) => scatter.show(data, setTriggerValue),
  );
}
