/** Whether somebody may be looking at the page. Where there is no page, somebody is. */

/** Whether the page is in the background. */
export function isHidden(): boolean {
  return globalThis.document?.visibilityState === "hidden";
}

/** Calls back when somebody comes back to the page or the network does. Returns how to stop that. */
export function onAttention(callback: () => void): () => void {
  const { document, window } = globalThis;
  const look = () => {
    if (!isHidden()) callback();
  };
  const events = [
    [document, "visibilitychange"],
    [window, "focus"],
    [window, "online"],
  ] as const;
  // React Native has a `window` that knows no events.
  for (const [target, event] of events) target?.addEventListener?.(event, look);
  return () => {
    for (const [target, event] of events) target?.removeEventListener?.(event, look);
  };
}
