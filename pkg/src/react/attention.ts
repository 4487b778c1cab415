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
  // React Native has a `window` that knows no events.
  document?.addEventListener?.("visibilitychange", look);
  window?.addEventListener?.("focus", look);
  window?.addEventListener?.("online", look);
  return () => {
    document?.removeEventListener?.("visibilitychange", look);
    window?.removeEventListener?.("focus", look);
    window?.removeEventListener?.("online", look);
  };
}
