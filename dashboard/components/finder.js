// A field in which a name is typed: the server sends the dozen tracks that it may mean.
const REST_MS = 60;
let finders = 0;

class Finder {
  constructor(root) {
    const id = `finder-${++finders}`;
    root.className = "finder";
    this.root = root;
    this.label = element("label", { for: `${id}-input` });
    this.input = element("input", {
      id: `${id}-input`, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`,
    });
    this.list = element("ul", { id: `${id}-list`, role: "listbox" });
    this.list.hidden = true;
    this.status = element("div", { class: "status", role: "status" });
    this.chips = element("div", { class: "chips" });
    this.id = id;
    root.append(this.label, this.input, this.list, this.status, this.chips);
    this.input.onfocus = () => {
      // The keyboard of a phone covers the lower half: the list needs the room above it.
      if (matchMedia("(max-width: 640px)").matches) this.root.scrollIntoView({ block: "start" });
      this.input.select();
      this.ask();
    };
    // As after Escape, which closes the list and leaves the focus: typing replaces what is shown.
    this.input.onclick = () => {
      if (!this.list.hidden || this.input.value !== this.data.shown) return;
      this.input.select();
      this.ask();
    };
    this.input.oninput = () => {
      this.waits = true; // the list is still that of the words before
      this.entered = false;
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.ask(), REST_MS);
    };
    this.input.onkeydown = (event) => this.onKey(event);
    this.input.onblur = () => this.close();
    // Pressing must not take the focus away before the click is known.
    this.list.onmousedown = (event) => event.preventDefault();
  }

  show(data, tell) {
    if (this.data?.address !== data.address) this.found = [];
    const other = this.data?.shown !== data.shown || this.data?.address !== data.address;
    this.data = data;
    if (other || !this.hasFocus()) this.input.value = data.shown;
    this.tell = tell;
    this.label.textContent = data.label;
    this.root.classList.toggle("keeps", data.keeps);
    this.input.placeholder = data.placeholder;
    this.chips.replaceChildren(
      ...data.chips.map(({ id, label }) => {
        const button = element("button", { type: "button", "aria-label": `Remove ${label}` }, "✕");
        button.onclick = () => this.tell("removed", id);
        return element("span", {}, label, button);
      })
    );
  }

  async ask() {
    const text = this.input.value === this.data.shown ? "" : this.input.value;
    const number = (this.asked = (this.asked ?? 0) + 1);
    const url = `${this.data.address}&text=${encodeURIComponent(text)}`;
    const answer = await fetch(url).catch(() => null);
    if (number !== this.asked || !this.hasFocus()) return;
    const found = answer ? await answer.json() : { error: "The server does not answer" };
    if (number !== this.asked) return;
    this.found = Array.isArray(found) ? found : [];
    this.at = text && this.found.length ? 0 : -1;
    this.list.replaceChildren(
      ...this.found.map((one, place) => {
        const option = element(
          "li", { id: `${this.id}-${place}`, role: "option" }, one.label, element("small", {}, one.id));
        option.onclick = () => this.choose(place);
        return option;
      })
    );
    this.status.textContent = found.error ?? (this.found.length ? "" : "No track has all these words");
    this.list.hidden = !this.found.length;
    this.input.setAttribute("aria-expanded", !this.list.hidden);
    this.mark();
    this.waits = false;
    if (this.entered && this.at >= 0) this.choose(this.at);
    this.entered = false;
  }

  hasFocus() {
    return this.input.getRootNode().activeElement === this.input;
  }

  mark() {
    [...this.list.children].forEach((option, place) => {
      option.setAttribute("aria-selected", place === this.at);
      if (place === this.at) option.scrollIntoView({ block: "nearest" });
    });
    if (this.at >= 0) this.input.setAttribute("aria-activedescendant", `${this.id}-${this.at}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  onKey(event) {
    const count = this.found?.length ?? 0;
    if (event.key === "Escape") {
      this.close();
      this.input.value = this.data.shown;
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.at = (Math.max(this.at, step > 0 ? -1 : 0) + step + count) % count;
      this.list.hidden = false;
      this.mark();
    } else if (event.key === "Enter" && this.waits) this.entered = true;
    else if (event.key === "Enter" && this.at >= 0 && !this.list.hidden) this.choose(this.at);
    else return;
    event.preventDefault();
  }

  choose(place) {
    const chosen = this.found[place];
    this.input.blur();
    this.input.value = this.data.keeps ? chosen.label : "";
    this.tell("chosen", chosen.id);
  }

  close() {
    clearTimeout(this.resting);
    this.waits = this.entered = false;
    this.asked = (this.asked ?? 0) + 1;
    this.list.hidden = true;
    this.status.textContent = "";
    this.input.setAttribute("aria-expanded", "false");
    // Words that chose nothing are no query: what the field shows is what is searched with.
    if (!this.hasFocus()) this.input.value = this.data.shown;
  }

  leave() {
    clearTimeout(this.resting);
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data], setTriggerValue }) {
  return mountOnce(
    parentElement,
    (root) => new Finder(root),
    (finder) => finder.show(data, setTriggerValue),
  );
}
