/** Which client the hooks use. */
import { createContext, createElement, type ReactElement, type ReactNode, useContext, useMemo, useRef } from "react";

import { createWorkflowClient, type WorkflowApiClient, type WorkflowClientOptions } from "./client.js";
import { useIsomorphicLayoutEffect } from "./effects.js";

/** A client, or the options of one. Headers and `fetch` may be other ones at each rendering; the newest are used. */
export type WorkflowProviderProps = { children?: ReactNode } & (
  | { client: WorkflowApiClient }
  | ({ client?: undefined } & WorkflowClientOptions)
);

const Context = createContext<WorkflowApiClient | undefined>(undefined);

/** Gives the hooks below it their client. Without it they use `/api/orchestration` of their origin. */
export function WorkflowProvider(props: WorkflowProviderProps): ReactElement {
  const own = useOwnClient(props.client === undefined ? props : {});
  return createElement(Context.Provider, { value: props.client ?? own }, props.children);
}

/** The client of the nearest {@link WorkflowProvider}, for calls that no hook makes. */
export function useWorkflowClient(): WorkflowApiClient {
  const given = useContext(Context);
  if (given) return given;
  standard ??= createWorkflowClient();
  return standard;
}

let standard: WorkflowApiClient | undefined;

/** A client that stays the same while only headers and `fetch` change. */
function useOwnClient(options: WorkflowClientOptions): WorkflowApiClient {
  const { baseUrl, credentials, timeoutMs, pollIntervalMs, reconnectMs } = options;
  const newest = useRef(options);
  useIsomorphicLayoutEffect(() => {
    newest.current = options;
  });
  return useMemo(
    () =>
      createWorkflowClient({
        ...{ baseUrl, credentials, timeoutMs, pollIntervalMs, reconnectMs },
        headers: () => {
          const { headers } = newest.current;
          return (typeof headers === "function" ? headers() : headers) ?? {};
        },
        fetch: (input, init) => (newest.current.fetch ?? globalThis.fetch)(input, init),
      }),
    [baseUrl, credentials, timeoutMs, pollIntervalMs, reconnectMs],
  );
}
