/** A document for React, before React and what builds on it are imported. Requests stay Node's. */
import { Window } from "happy-dom";

const window = new Window({ url: "http://localhost/" });
const { document, navigator, HTMLElement, HTMLIFrameElement, Element, Node, Event, MutationObserver } = window;
for (const [name, value] of Object.entries({
  ...{ window, document, navigator, HTMLElement, HTMLIFrameElement, Element, Node, Event, MutationObserver },
}))
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
