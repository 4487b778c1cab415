"use client";

/** Keys that work on every page: `g` and a letter go to a page, `/` to the search; two open dialogs. */
import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { PLACES } from "@/components/shell/navigation";

const PAUSE_MS = 1_200;

/** `open` is constant. */
export function useShortcuts(open: (dialog: "jump" | "keys") => void): void {
  const router = useRouter();
  useEffect(() => {
    let goes = 0;
    const press = (event: KeyboardEvent) => {
      if (isInDialog(event.target)) return;
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open("jump");
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("input[data-search]");
        if (!search) return;
        event.preventDefault();
        search.focus();
        return;
      }
      if (event.key === "?") {
        open("keys");
        return;
      }
      if (event.key === "g") {
        goes = Date.now();
        return;
      }
      const place = PLACES.flat().find(({ key }) => key === event.key);
      if (place && Date.now() - goes < PAUSE_MS) {
        event.preventDefault();
        router.push(place.href);
      }
      goes = 0;
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [router, open]);
}

/** What is begun there is finished or closed first. */
const isInDialog = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('[role="dialog"], [role="menu"]') !== null;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
