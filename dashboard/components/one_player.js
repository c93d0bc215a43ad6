// A component that is one player.
export default function ({ parentElement, data: [data] }) {
  return mountOnce(parentElement, (root) => new Player(root), (player) => player.show(data));
}
