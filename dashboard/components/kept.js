// What this browser keeps from one visit to the next: words, numbers, yes or no, each under a name.
function remembered(name) {
  try {
    return localStorage.getItem(`mess-${name}`);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`mess-${name}`);
    else localStorage.setItem(`mess-${name}`, value);
  } catch {
    // then a reload begins anew
  }
}
