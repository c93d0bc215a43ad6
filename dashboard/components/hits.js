// A list of parts of recordings. What is still in the next list keeps its element, so it goes on sounding.
class Hit {
  constructor(tell) {
    this.root = element("li");
    this.title = element("h3");
    this.score = element("span", { class: "score" });
    this.player = new Player(element("div"));
    this.about = element("span", { class: "said" });
    this.button = element("button", { type: "button" });
    this.button.onclick = () => tell(this.data.id);
    this.root.append(
      element("div", { class: "head" }, this.title, this.score),
      this.player.root,
      element("div", { class: "foot" }, this.about, element("span", { class: "actions" }, this.button))
    );
  }

  show(data, rank, action) {
    this.data = data;
    this.title.textContent = `${rank}. ${data.label}`;
    this.score.textContent = data.score;
    this.about.textContent = data.about;
    this.button.textContent = action;
    this.button.setAttribute("aria-label", `${action}: ${data.label}`);
    this.player.show(data.sound);
  }

  leave() {
    this.player.leave();
    this.root.remove();
  }
}

class Hits {
  constructor(root) {
    root.className = "results hits";
    this.root = root;
    this.items = new Map();
    this.list = element("ol");
    this.all = element("button", { type: "button", class: "all" }, "► Play in a row");
    this.all.onclick = () => playInRow([...this.players()]);
    this.tools = new PlayerTools();
    root.append(element("div", { class: "top" }, this.all, this.tools.root), this.list);
  }

  *players() {
    for (const one of this.data.hits) yield this.items.get(one.id).player;
  }

  show(data, tell) {
    this.tell = tell;
    this.data = data;
    this.all.hidden = !data.row;
    const kept = new Set(data.hits.map((one) => one.id));
    for (const [id, item] of this.items)
      if (!kept.has(id)) {
        item.leave();
        this.items.delete(id);
      }
    const roots = data.hits.map((one, place) => {
      if (!this.items.has(one.id)) this.items.set(one.id, new Hit((id) => this.tell("chosen", id)));
      const item = this.items.get(one.id);
      item.show(one, place + 1, data.action);
      return item.root;
    });
    const now = this.list.children;
    if (now.length !== roots.length || roots.some((root, place) => root !== now[place]))
      this.list.replaceChildren(...roots);
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
    (root) => new Hits(root),
    (hits) => hits.show(data, setTriggerValue),
  );
}
