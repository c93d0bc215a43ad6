// The button that copies the address of the page. A browser lets a page write to the clipboard by
// its API only where the page is secure: by https, or on this machine. Elsewhere an older way works.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = element("textarea", { readonly: "", "aria-hidden": "true" });
    field.value = text;
    field.style.position = "fixed";
    field.style.opacity = 0;
    document.body.append(field);
    const focused = document.activeElement;
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    focused?.focus?.();
    return done;
  }
}

class CopyLink {
  constructor(root) {
    root.className = "copy-link";
    this.root = root;
    this.button = element("button", { type: "button" }, "Copy link");
    this.button.title = "The link shows this page as it is now, in any browser that reaches the server";
    this.said = element("span", { role: "status" });
    this.button.onclick = () => this.onClick();
    root.append(this.said, this.button);
  }

  async onClick() {
    const done = await copy(location.href);
    this.said.textContent = done ? "Link copied" : "Copy it from the address bar";
    clearTimeout(this.clearing);
    this.clearing = setTimeout(() => (this.said.textContent = ""), 4000);
  }

  leave() {
    clearTimeout(this.clearing);
    this.root.remove();
  }
}

export default function ({ parentElement }) {
  return mountOnce(parentElement, (root) => new CopyLink(root), () => null);
}
