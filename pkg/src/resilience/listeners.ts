/** Calling those who are told of something, and have no say in it. */

/** Calls a listener. What it throws does not touch the caller: it is reported as uncaught. */
export function unharmed(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
