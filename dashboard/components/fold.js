// The line that folds and unfolds a part of the page on a narrow screen. The browser does it alone:
// the style of `phone.css` hides what is in a box without the attribute `data-open`.
class Fold {
  constructor(root) {
    this.root = root;
    this.name = element("b");
    this.summary = element("span");
    this.button = element("button", { type: "button", class: "fold" }, this.name, this.summary);
    this.button.onclick = () => this.open(!this.isOpen());
    root.append(this.button);
  }

  box() {
    return this.root.getRootNode().host?.closest("[class*='st-key-fold-']");
  }

  isOpen() {
    return this.box()?.hasAttribute("data-open") ?? false;
  }

  open(open) {
    this.box()?.toggleAttribute("data-open", open);
    this.button.setAttribute("aria-expanded", open);
  }

  show({ label, summary }) {
    this.name.textContent = label;
    this.summary.textContent = summary;
    this.button.setAttribute("aria-expanded", this.isOpen());
  }

  leave() {
    this.root.remove();
  }
}

export default function ({ parentElement, data: [data] }) {
  return mountOnce(parentElement, (root) => new Fold(root), (fold) => fold.show(data));
}
