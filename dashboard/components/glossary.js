// A button that opens the words of the pages over the page. Typing leaves the words that hold what
// was typed; Escape closes.
class Glossary {
  constructor(root) {
    root.className = "glossary";
    this.root = root;
    this.button = element("button", { type: "button", "aria-haspopup": "dialog" }, "Glossary");
    this.dialog = element("dialog", { "aria-label": "Glossary" });
    this.field = element("input", { type: "text", role: "searchbox", "aria-label": "Find a word", placeholder: "Find a word" });
    this.close = element("button", { type: "button" }, "Close");
    this.count = element("p", { role: "status" });
    this.list = element("div", { class: "words", tabindex: "0", role: "region", "aria-label": "Words" });
    this.dialog.append(element("div", { class: "top" }, this.field, this.close), this.count, this.list);
    this.button.onclick = () => this.open();
    this.close.onclick = () => this.dialog.close();
    this.dialog.onclick = (event) => event.target === this.dialog && this.dialog.close(); // beside it
    this.field.oninput = () => this.find();
    // What is typed here is no key of a player.
    this.dialog.onkeydown = (event) => event.stopPropagation();
    root.append(this.button, this.dialog);
  }

  open() {
    if (!this.rows) this.draw();
    this.field.value = "";
    this.find();
    this.dialog.showModal();
    this.field.focus();
  }

  draw() {
    this.rows = [];
    for (const { title, rows } of this.parts) {
      const list = element("dl");
      const part = element("section", {}, element("h2", {}, title), list);
      for (const [word, meaning, more] of rows) {
        const row = element("div", {}, element("dt", {}, word), element("dd", {}, meaning));
        if (more) row.lastChild.append(element("small", {}, more));
        list.append(row);
        this.rows.push([row, part, word.toLowerCase(), `${word} ${meaning} ${more}`.toLowerCase()]);
      }
      this.list.append(part);
    }
  }

  // Words that begin with what was typed are enough, where there are any; else it may stand anywhere.
  find() {
    const wanted = this.field.value.trim().toLowerCase();
    const named = this.rows.filter(([, , word]) => word.includes(wanted));
    const found = new Set(named.length ? named : this.rows.filter(([, , , text]) => text.includes(wanted)));
    for (const one of this.rows) one[0].hidden = !found.has(one);
    for (const part of this.list.children) part.hidden = !part.querySelector("dl > div:not([hidden])");
    this.count.textContent = `${found.size} of ${this.rows.length} words`;
  }

  leave() {
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data] }) {
  return mountOnce(parentElement, (root) => new Glossary(root), (glossary) => {
    glossary.parts = data.parts;
  });
}
