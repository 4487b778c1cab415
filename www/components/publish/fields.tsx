"use client";

import { SelectField, TextArea, TextField } from "@/components/ui/field";
/** The fields that every form has which says what is sent. */
import { FieldRow, type Form } from "@/components/ui/form";
import { bodyError, headersError, parseHeaders } from "@/lib/checks";

export const METHODS = ["POST", "GET", "PUT", "PATCH", "DELETE"] as const;

export interface Content {
  method: string;
  contentType: string;
  body: string;
  /** Lines of `Name: value`. */
  headers: string;
}

export const EMPTY_CONTENT: Content = { method: "POST", contentType: "application/json", body: "", headers: "" };

export const contentErrors = ({ contentType, body, headers }: Content) => ({
  contentType: /^[\x20-\x7e]*$/.test(contentType) ? undefined : "A media type such as application/json.",
  body: bodyError(body, contentType),
  headers: headersError(headers),
});

/** What is sent, of fields without errors. */
export const contentOf = ({ method, contentType, body, headers }: Content) => ({
  method,
  contentType: contentType.trim(),
  body,
  headers: parseHeaders(headers),
});

export function ContentFields<V extends Content & Record<string, string | boolean>>({ form }: { form: Form<V> }) {
  // The names are those of `Content`, whatever else the form has.
  const text = form.text as unknown as Form<Content & Record<string, string>>["text"];
  return (
    <>
      <FieldRow>
        <SelectField label="Method" options={METHODS} {...text("method")} />
        <TextField label="Content type" spellCheck={false} autoComplete="off" {...text("contentType")} />
      </FieldRow>
      <TextArea label="Body" rows={5} {...text("body")} />
      <TextArea
        label="Headers"
        rows={2}
        hint="For the destination, one a line: Name: value."
        placeholder="X-Tenant: 42"
        {...text("headers")}
      />
    </>
  );
}
