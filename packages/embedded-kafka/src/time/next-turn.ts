/** Runs it a turn of the event loop later: not time, but sockets come first. */
export function nextTurn(run: () => void): void {
  setImmediate(run);
}
