/** How the types of a workflow travel to where only its id does: through a phantom member that is never there at run time. */

/** What knows the input and the output of a workflow, such as a `WorkflowDefinition`. */
export interface TypedWorkflow<TInput = unknown, TOutput = unknown> {
  /** Never set; it carries the types alone. */
  readonly "~types"?: { input: TInput; output: TOutput };
}

/** What runs of the workflow `W` are started with; `unknown` if `W` says nothing of it. */
export type InputOf<W> = TypesOf<W> extends { input: infer TInput } ? TInput : unknown;

/** What runs of the workflow `W` return; `unknown` if `W` says nothing of it. */
export type OutputOf<W> = TypesOf<W> extends { output: infer TOutput } ? TOutput : unknown;

type TypesOf<W> = W extends { readonly "~types"?: infer T } ? NonNullable<T> : unknown;
