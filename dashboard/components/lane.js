// The lane of a player: a measured curve, and what one or two layers predict of it. The playhead runs
// over all of them; a click plays from there. The curves are fetched when the lane is opened.
const LANE_LOOKS = [
  { colour: "--st-text-color", dash: [] },
  { colour: "--st-primary-color", dash: [] },
  { colour: "--st-orange-color", dash: [5, 3] },
];

// The choice of one lane holds for all lanes of the page, but those to which the page gives its own.
const laneChoice = (window.messLaneChoice ??= { curve: "", by: [], lanes: new Set() });

// What the address says holds for all lanes, when the page is loaded and after "back".
function takeLaneChoice() {
  const { curve, by, linked } = window.messLanes.get("") ?? { curve: "", by: [], linked: false };
  Object.assign(laneChoice, { curve, by, linked });
  for (const lane of laneChoice.lanes) if (lane.isOpen && !lane.own) lane.fetch();
}

if (!laneChoice.listens) {
  laneChoice.listens = true;
  takeLaneChoice();
  addEventListener("popstate", takeLaneChoice);
}

class Lane {
  constructor(player) {
    this.player = player;
    this.toggle = element("button", { type: "button", class: "curves", "aria-expanded": "false" }, "∿");
    this.toggle.hidden = true;
    this.toggle.onclick = () => this.open(!this.isOpen);
    this.canvas = element("canvas", { role: "slider", tabindex: "0" });
    this.canvas.onclick = (event) => player.seek(event.offsetX / this.canvas.clientWidth);
    this.canvas.onkeydown = (event) => player.onWaveKey(event);
    this.legend = element("div", { class: "legend" });
    this.notes = element("p", { class: "notes", role: "status" });
    this.selects = ["Curve", "Predicted by", "and by"].map(() => element("select"));
    const labels = ["Curve", "Predicted by", "and by"].map((text, place) =>
      element("label", {}, text, this.selects[place]));
    for (const select of this.selects) select.onchange = () => this.choose();
    // A narrow screen folds the choices; a wide one has room for them.
    this.choices = element("details", {}, element("summary", {}, "Other curves"), ...labels);
    this.narrow = matchMedia("(max-width: 640px)");
    this.unfold = () => (this.choices.open = !this.narrow.matches);
    this.narrow.addEventListener("change", this.unfold);
    this.unfold();
    this.root = element("div", { class: "lane" }, this.canvas,
      element("div", { class: "about-curves" }, this.legend, this.choices), this.notes);
    this.root.hidden = true;
    this.resized = new ResizeObserver(() => this.paint());
    this.resized.observe(this.canvas);
    laneChoice.lanes.add(this);
  }

  // A page that names a curve opens the lane with it; a rerun that names another changes it.
  show(given) {
    const before = JSON.stringify(this.given ?? null);
    this.given = given;
    this.toggle.hidden = !given;
    if (given) {
      const text = `Curves of ${this.player.data.label}: measured and predicted`;
      this.toggle.title = "Curves in time: measured, and predicted by a layer";
      this.toggle.setAttribute("aria-label", text);
      this.canvas.setAttribute("aria-label", `Position on the curves of ${this.player.data.label}`);
    }
    if (JSON.stringify(given ?? null) === before) return;
    this.data = null;
    const place = new URLSearchParams(given?.address);
    this.whose = `${place.get("track") ?? place.get("upload")}@${place.get("start")}`;
    const other = this.page && JSON.stringify(this.page) !== JSON.stringify([given?.curve, given?.by]);
    this.page = given?.curve ? [given.curve, given.by] : null;
    if (other) window.messLanes.delete(this.whose);
    this.own = this.page && { curve: given.curve, by: given.by, ...window.messLanes.get(this.whose) };
    if (!given) this.open(false);
    else if (given.curve) this.open(this.isOpen || !(given.folds && this.narrow.matches));
    else if (this.isOpen) this.fetch();
  }

  open(wanted) {
    this.isOpen = wanted;
    this.root.hidden = !wanted;
    this.toggle.setAttribute("aria-expanded", wanted);
    if (wanted) this.fetch();
    else this.stopRunning();
  }

  choice() {
    return this.own ?? laneChoice;
  }

  choose() {
    const [curve, first, second] = this.selects.map((select) => select.value);
    Object.assign(this.choice(), { curve, by: [first, second], linked: false });
    keepLane(this.own ? this.whose : "", { curve, by: [first, second] });
    this.inVain = "";
    if (this.own) this.fetch();
    else for (const lane of laneChoice.lanes) if (lane.isOpen && !lane.own) lane.fetch();
  }

  async fetch() {
    const { curve, by } = this.choice();
    const asked = new URLSearchParams([...(curve ? [["curve", curve]] : []), ...by.map((one) => ["by", one])]);
    const wanted = `${this.given.address}&${asked}`;
    if (this.wanted === wanted && this.data) return;
    this.wanted = wanted;
    this.root.setAttribute("aria-busy", "true");
    const answer = await fetch(wanted).catch(() => null); // null: the page is being left
    if (!answer || this.wanted !== wanted) return;
    this.root.setAttribute("aria-busy", "false");
    const data = await answer.json().catch(() => ({ error: "the curves cannot be shown" }));
    if (this.wanted !== wanted) return;
    if (!answer.ok && this.choice().linked) return this.takeUsual(data.error);
    this.data = answer.ok ? data : null;
    this.notes.textContent = [this.inVain, ...(answer.ok ? data.notes : [data.error])].filter(Boolean).join(" ");
    this.canvas.hidden = !this.data;
    if (this.data) this.offer();
    this.describe();
    this.draw();
  }

  // A link may ask for curves that are not here.
  takeUsual(error) {
    this.inVain = `The link asks for what is not here: ${error}.`;
    const [curve, by] = this.page ?? ["", []];
    Object.assign(this.choice(), { curve, by, linked: false });
    keepLane(this.own ? this.whose : "", null);
    return this.fetch();
  }

  offer() {
    const { curves, encoders, curve } = this.data;
    const by = [...this.choice().by];
    if (!by.length && encoders.length) by.push(this.data.predicted[0]?.by ?? "none");
    const sources = Map.groupBy(curves, (one) => one.source);
    this.fill(this.selects[0], [], sources, ({ name, label }) => [name, label], curve);
    const layers = new Map(encoders.map((one) => [one.name, [
      [`${one.name}:best`, `best layer (${one.best})`],
      ...one.layers.map((layer, number) => [`${one.name}:${number}`, `layer ${layer}`]),
    ]]));
    for (const place of [0, 1])
      this.fill(this.selects[place + 1], [["none", "nothing"]], layers, (one) => one, by[place] ?? "none");
  }

  fill(select, first, groups, read, chosen) {
    const option = ([value, label]) => {
      const made = element("option", { value }, label);
      made.selected = value === chosen;
      return made;
    };
    select.replaceChildren(...first.map(option), ...[...groups].map(([name, members]) =>
      element("optgroup", { label: name }, ...members.map((one) => option(read(one))))));
  }

  // What is drawn: the measured curve first.
  lines() {
    if (!this.data) return [];
    return [{ name: "measured", values: this.data.measured }, ...this.data.predicted];
  }

  describe() {
    const unit = this.data?.unit ? ` (${this.data.unit})` : "";
    const entries = this.lines().map(({ name, r }, place) => {
      const label = element("span", {}, this.swatch(place),
        place ? `${name}: r ${r === null ? "–" : r.toFixed(2).replace("-", "−")}` : `${this.data.curve.replaceAll("_", " ")}${unit}, measured`);
      if (place) label.title = "Pearson's r with the measured curve over the whole recording; the probe never saw this work";
      else label.title = this.data.about;
      return label;
    });
    this.legend.replaceChildren(...entries);
  }

  swatch(place) {
    const name = "http://www.w3.org/2000/svg";
    const picture = document.createElementNS(name, "svg");
    const line = document.createElementNS(name, "line");
    for (const [key, value] of Object.entries({ x1: 0, x2: "100%", y1: "50%", y2: "50%", "stroke-width": 2,
      stroke: `var(${LANE_LOOKS[place].colour}, #e69f00)`, "stroke-dasharray": LANE_LOOKS[place].dash.join(" ") }))
      line.setAttribute(key, value);
    picture.setAttribute("aria-hidden", "true");
    picture.append(line);
    return picture;
  }

  now() {
    return this.player.shown().start + this.player.at();
  }

  // The value of a line at a time, in a straight line between moments; null where it is undefined.
  valueAt({ values }, time) {
    const { at } = this.data;
    const right = at.findIndex((one) => one >= time);
    if (right < 0) return values.at(-1) ?? null;
    if (right === 0) return values[0];
    const [low, high] = [values[right - 1], values[right]];
    if (low === null || high === null) return null;
    return low + ((high - low) * (time - at[right - 1])) / (at[right] - at[right - 1]);
  }

  tell(value) {
    return `${Number(value.toPrecision(3))} ${this.data.unit}`.trim().replace("-", "−");
  }

  draw() {
    if (!this.isOpen || !this.player.data) return;
    const time = this.now();
    const said = this.lines().map((line) => {
      const value = this.valueAt(line, time);
      return `${line.name} ${value === null ? "undefined" : this.tell(value)}`;
    });
    this.canvas.setAttribute("aria-valuemin", 0);
    this.canvas.setAttribute("aria-valuemax", Math.round(this.player.length()));
    this.canvas.setAttribute("aria-valuenow", this.player.at().toFixed(1));
    this.canvas.setAttribute("aria-valuetext", [clock(time), ...said].join(", "));
    this.paint();
    if (!this.player.audio.paused && !this.running) this.run();
  }

  // The playhead moves with every frame of the screen while the sound plays.
  run() {
    this.running = requestAnimationFrame(() => {
      this.running = 0;
      if (!this.isOpen || this.player.audio.paused) return;
      this.paint();
      this.run();
    });
  }

  stopRunning() {
    cancelAnimationFrame(this.running);
    this.running = 0;
  }

  // The curves stand under the waveform as long as there is room beside it.
  place() {
    const { wave, root } = this.player;
    const beside = root.clientWidth > 460;
    this.canvas.style.marginLeft = beside ? `${wave.offsetLeft - this.root.offsetLeft}px` : "";
    this.canvas.style.width = beside ? `${wave.offsetWidth}px` : "";
  }

  paint() {
    if (!this.isOpen || !this.data) return;
    this.place();
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (!width || !height) return;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(this.root);
    const colour = (name) => style.getPropertyValue(name) || "#e69f00";
    const lines = this.lines();
    const known = lines.flatMap(({ values }) => values.filter((one) => one !== null));
    const low = Math.min(...known);
    const high = Math.max(...known);
    const { start } = this.player.shown();
    const x = (time) => ((time - start) / this.player.length()) * width;
    const margin = 16 * ratio;
    const y = (value) =>
      high > low ? height - margin - ((value - low) / (high - low)) * (height - 2 * margin) : height / 2;
    pen.clearRect(0, 0, width, height);
    pen.lineJoin = "round";
    pen.font = `${12 * ratio}px ${style.fontFamily}`;
    pen.fillStyle = colour("--st-text-color");
    pen.globalAlpha = 0.25;
    for (const value of [low, high]) pen.fillRect(0, y(value), width, ratio);
    pen.globalAlpha = 0.8;
    if (known.length) {
      pen.fillText(this.tell(high), 3 * ratio, margin - 4 * ratio);
      if (high > low) pen.fillText(this.tell(low), 3 * ratio, height - 3 * ratio);
    }
    lines.forEach(({ values }, place) => {
      pen.globalAlpha = place ? 1 : 0.75;
      pen.strokeStyle = colour(LANE_LOOKS[place].colour);
      pen.lineWidth = 2 * ratio;
      pen.setLineDash(LANE_LOOKS[place].dash.map((one) => one * ratio));
      pen.beginPath();
      let down = false;
      values.forEach((value, number) => {
        if (value !== null) pen[down ? "lineTo" : "moveTo"](x(this.data.at[number]), y(value));
        down = value !== null;
      });
      pen.stroke();
    });
    pen.setLineDash([]);
    const time = this.now();
    pen.globalAlpha = 0.8;
    pen.fillStyle = colour("--st-text-color");
    pen.fillRect(x(time) - ratio / 2, 0, ratio, height);
    lines.forEach((line, place) => {
      const value = this.valueAt(line, time);
      if (value === null || value === undefined) return;
      pen.globalAlpha = 1;
      pen.fillStyle = colour(LANE_LOOKS[place].colour);
      pen.beginPath();
      pen.arc(x(time), y(value), 3.5 * ratio, 0, 2 * Math.PI);
      pen.fill();
    });
  }

  leave() {
    this.stopRunning();
    this.resized.disconnect();
    this.narrow.removeEventListener("change", this.unfold);
    laneChoice.lanes.delete(this);
    if (this.own) window.messLanes.delete(this.whose);
  }
}
