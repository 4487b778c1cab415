/** Light or dark: as the system has it, unless somebody chose. */

const KEY = "orchestration.theme";

export type Theme = "light" | "dark";
export type Choice = Theme | "system";

/** Runs in the head of each page. */
export const THEME_SCRIPT = `(function(){try{var c=localStorage.getItem("${KEY}")}catch(e){}
var d=c==="dark"||(c!=="light"&&matchMedia("(prefers-color-scheme: dark)").matches);
document.documentElement.dataset.theme=d?"dark":"light"})()`;

export function choice(): Choice {
  const stored = read();
  return stored === "light" || stored === "dark" ? stored : "system";
}

export function choose(next: Choice): void {
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Where nothing may be stored, the choice lasts as long as the page.
  }
  show(next);
}

/** Follows the system while nobody has chosen. Returns the way to stop that. */
export function followSystem(): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    if (choice() === "system") show("system");
  };
  dark.addEventListener("change", follow);
  return () => dark.removeEventListener("change", follow);
}

function show(next: Choice): void {
  const theme = next === "system" ? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light") : next;
  document.documentElement.dataset.theme = theme;
  window.dispatchEvent(new Event("themechange"));
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
