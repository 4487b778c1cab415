/** Effects that React has no word for. */
import { useCallback, useEffect, useLayoutEffect, useRef } from "react";

/** Before the browser paints; on a server nothing, and without React 18's warning of that. */
export const useIsomorphicLayoutEffect = typeof window === "undefined" ? useEffect : useLayoutEffect;

/**
 * Calls back when the component has gone for good: not when strict mode lets it leave and come back. Returns whether it is
 * there.
 */
export function useUnmount(callback: () => void): { readonly current: boolean } {
  const newest = useRef(callback);
  const isMounted = useRef(false);
  useIsomorphicLayoutEffect(() => {
    newest.current = callback;
  });
  useIsomorphicLayoutEffect(() => {
    isMounted.current = true;
    return () => {
      isMounted.current = false;
      queueMicrotask(() => isMounted.current || newest.current());
    };
  }, []);
  return isMounted;
}

/** A function that stays the same and does what the newest one does. For event handlers, not for rendering. */
export function useHandler<A extends unknown[], R>(handler: (...args: A) => R): (...args: A) => R {
  const newest = useRef(handler);
  useIsomorphicLayoutEffect(() => {
    newest.current = handler;
  });
  return useCallback((...args: A) => newest.current(...args), []);
}
