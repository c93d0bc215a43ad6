// A ranked list: for each track its sound, the share of every aspect in its score, and its values.
// Whoever is still in the next list keeps its place in memory, so a sound goes on over a rerun.
function signed(value) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
}

class Item {
  constructor(tell) {
    this.root = element("li");
    this.title = element("h3");
    this.score = element("span", { class: "score" });
    this.player = new Player(element("div"));
    this.bar = element("div", { class: "bar", role: "img" });
    this.about = element("span", { class: "about" });
    this.actions = element("span", { class: "actions" });
    this.values = element("dl");
    for (const [action, name, help] of [
      ["more", "More like this", "Make this track the query"],
      ["like", "+ Like", "Look for tracks that are like this one too"],
      ["unlike", "− Unlike", "Look for tracks that are unlike this one"],
      ["keep", "☆ Keep", "Put this track into the basket"],
    ]) {
      const button = element("button", { type: "button", title: help, class: action }, name);
      button.onclick = () => tell(action, this.data.id);
      this.actions.append(button);
    }
    this.root.append(
      element("div", { class: "head" }, this.title, this.score),
      this.player.root, this.bar,
      element("div", { class: "foot" }, this.about, this.actions),
      this.values
    );
  }

  show(data, rank, list) {
    this.data = data;
    this.title.textContent = `${rank}. ${data.label}`;
    this.score.textContent = data.score.toFixed(3);
    this.score.title = "Score: 1 is equal, 0 as unlike as chance";
    this.about.textContent = data.about;
    for (const button of this.actions.children)
      this.name(button, data, list);
    this.player.show(data.sound);
    this.drawBar(data.shares, list);
    this.values.replaceChildren(
      ...data.values.map(([name, own, asked]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, own),
          element("dd", {}, `query ${asked}`)))
    );
    this.values.hidden = !list.values || !data.values.length;
  }

  name(button, data, list) {
    button.hidden = !list.actions.includes(button.className);
    if (button.className === "keep") {
      button.textContent = data.kept ? "★ Kept" : "☆ Keep";
      button.setAttribute("aria-pressed", Boolean(data.kept));
    }
    button.setAttribute("aria-label", `${button.textContent}: ${data.label}`);
  }

  // Parts above 0 go to the right of the zero line, the others to the left.
  drawBar(shares, list) {
    const words = shares.map((one) => `${one.name} ${signed(one.part)}`).join(", ");
    this.bar.setAttribute("aria-label", `Shares of the score: ${words}`);
    const wide = list.low + list.high;
    const parts = [];
    let left = list.low, right = list.low;
    for (const { name, part, colour, striped } of shares) {
      const size = Math.abs(part);
      if (part < 0) left -= size;
      const piece = element("span", { title: `${name} ${signed(part)}` });
      piece.style.left = `${(100 * (part < 0 ? left : right)) / wide}%`;
      piece.style.width = `${(100 * size) / wide}%`;
      piece.style.backgroundColor = colour;
      piece.classList.toggle("striped", striped);
      if (part > 0) right += size;
      parts.push(piece);
    }
    const zero = element("i");
    zero.style.left = `${(100 * list.low) / wide}%`;
    this.bar.replaceChildren(...parts, zero);
  }

  leave() {
    this.player.leave();
    this.root.remove();
  }
}

class Results {
  constructor(root) {
    root.className = "results";
    this.root = root;
    this.items = new Map();
    this.open = remembered("results-values") === "true";
    this.legend = element("div", { class: "legend" });
    this.values = element("button", { type: "button", class: "values" }, "Values");
    this.values.title = "Show the targets behind each score, beside the query's";
    this.values.onclick = () => {
      this.open = !this.open;
      remember("results-values", this.open);
      this.show(this.data, this.tell);
    };
    this.all = element("button", { type: "button", class: "values" }, "► Play in a row");
    this.all.title = "Play all results, one after another";
    this.all.onclick = () => playInRow((this.row = this.players()));
    this.list = element("ol");
    this.tools = new PlayerTools();
    this.tools.root.append(this.values, this.all);
    root.append(element("div", { class: "top" }, this.legend, this.tools.root), this.list);
  }

  show(data, tell) {
    this.data = data;
    this.tell = tell;
    this.values.setAttribute("aria-pressed", this.open);
    this.values.hidden = !data.results.some((one) => one.values.length);
    this.legend.replaceChildren(
      ...data.legend.map(({ name, colour, striped }) => {
        const patch = element("i");
        patch.style.backgroundColor = colour;
        patch.classList.toggle("striped", striped);
        return element("span", {}, patch, name);
      })
    );
    const sums = data.results.map((one) => [-1, 1].map((sign) =>
      one.shares.reduce((sum, { part }) => sum + Math.max(0, sign * part), 0)));
    const list = {
      low: Math.max(0, ...sums.map(([low]) => low)),
      high: Math.max(1e-6, ...sums.map(([, high]) => high)),
      values: this.open,
      actions: data.actions,
    };
    const kept = new Set(data.results.map((one) => one.id));
    for (const [id, item] of this.items)
      if (!kept.has(id)) {
        item.leave();
        this.items.delete(id);
      }
    const roots = data.results.map((one, place) => {
      if (!this.items.has(one.id))
        this.items.set(one.id, new Item((action, id) => this.tell(action, id)));
      const item = this.items.get(one.id);
      item.show(one, place + 1, list);
      return item.root;
    });
    this.arrange(roots);
    this.all.hidden = roots.length < 2;
    // A row that sounds goes on through the list as it is now.
    if (this.row && window.messRow === this.row) window.messRow = this.row = this.players();
  }

  players() {
    return this.data.results.map((one) => this.items.get(one.id).player);
  }

  // An element that is moved in the page stops sounding, so the others move around it.
  arrange(roots) {
    const now = this.list.children;
    if (now.length === roots.length && roots.every((root, place) => root === now[place])) return;
    const sounding = roots.findIndex((root) => root === this.playing() && root.isConnected);
    const fixed = roots[sounding];
    roots.forEach((root, place) => {
      if (root === fixed) return;
      if (fixed && place < sounding) this.list.insertBefore(root, fixed);
      else this.list.append(root);
    });
  }

  playing() {
    for (const item of this.items.values()) if (!item.player.audio.paused) return item.root;
    return null;
  }

  leave() {
    this.tools.leave();
    for (const item of this.items.values()) item.leave();
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data], setTriggerValue }) {
  return mountOnce(
    parentElement,
    (root) => new Results(root),
    (results) => results.show(data, setTriggerValue),
  );
}
