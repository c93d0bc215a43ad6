// Makes what a component shows once, and keeps it while its place on the page lasts. Streamlit calls
// a component again for each change. It also cleans up after a call that a later one has overtaken:
// only the cleaning after the latest call counts.
const mounted = new WeakMap();

function mountOnce(parentElement, make) {
  let held = mounted.get(parentElement);
  if (!held) {
    const root = element("div");
    parentElement.appendChild(root);
    mounted.set(parentElement, (held = { made: make(root), calls: 0 }));
  }
  const call = ++held.calls;
  const leave = () => {
    if (held.calls !== call) return;
    held.made.leave();
    mounted.delete(parentElement);
  };
  return [held.made, leave];
}
