// Makes what a component shows once, keeps it while its place on the page lasts, and shows there what
// each call brings. Streamlit calls a component again for each change, and cleans up after the last
// call when the place is gone. While it still loads the script, calls come in any order; one that a
// later change had overtaken is cleaned up as soon as it returns. So a call waits for that moment.
const mounted = new WeakMap();

function mountOnce(parentElement, make, show) {
  let over = false;
  const leave = () => {
    over = true;
    if (mounted.get(parentElement)?.latest === leave) unmount(parentElement);
  };
  setTimeout(() => {
    // Overtaken, or the last one of all: then the place went before it could show anything.
    if (over) return parentElement.isConnected || unmount(parentElement);
    if (!mounted.has(parentElement)) {
      const root = element("div");
      parentElement.appendChild(root);
      mounted.set(parentElement, { made: make(root) });
    }
    const held = mounted.get(parentElement);
    held.latest = leave;
    show(held.made);
  });
  return leave;
}

function unmount(parentElement) {
  mounted.get(parentElement)?.made.leave();
  mounted.delete(parentElement);
}
