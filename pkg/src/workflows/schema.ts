/** What a validator has to offer: Standard Schema (https://standardschema.dev), as zod, valibot and arktype do; or `parse`. */

/** The part of Standard Schema 1 that is used here. */
export interface StandardSchema<TOutput> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<TOutput> | Promise<StandardResult<TOutput>>;
    readonly types?: { readonly input: unknown; readonly output: TOutput } | undefined;
  };
}

/** What a validation gives. */
export type StandardResult<TOutput> =
  | { readonly value: TOutput; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** What is wrong with a value, and where. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A validator that throws, such as that of zod 3. */
export interface ParsingSchema<TOutput> {
  parse(payload: unknown): TOutput | Promise<TOutput>;
}

export type PayloadSchema<TOutput> = StandardSchema<TOutput> | ParsingSchema<TOutput>;
