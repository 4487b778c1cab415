"use client";

import { Play } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { CheckField, SelectField, TextArea, TextField } from "@/components/ui/field";
import { toast } from "@/components/ui/toast";
import { askSamples } from "@/lib/samples";
import { type Field, misfit, RUNTIMES, type Runtime, type Sample, type Values } from "@/samples/catalogue";

/** As they are typed. */
type Typed = Record<string, string | boolean>;

const NAMES: Record<Runtime, string> = { nodejs: "Node.js", edge: "Edge" };
const OPTIONS = RUNTIMES.map((value) => ({ value, label: NAMES[value] }));

/** What a sample is started with, and the start. */
export function StartForm({ sample }: { sample: Sample }) {
  const { name, fields, action } = sample;
  const [typed, setTyped] = useState<Typed>(() =>
    Object.fromEntries(fields.map((field) => [field.name, field.kind === "check" ? false : String(field.initial)])),
  );
  const [runtime, setRuntime] = useState<Runtime>("nodejs");
  const [isChecked, setChecked] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const errorOf = (field: Field) =>
    isChecked ? misfit(field, inputOf(field, typed))?.replace(/^.*?: /, "") : undefined;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    const wrong = fields.find((field) => misfit(field, inputOf(field, typed)));
    if (wrong) {
      form.current?.querySelector<HTMLElement>(`[name=${wrong.name}]`)?.focus();
      return;
    }
    setBusy(true);
    try {
      const input: Values = Object.fromEntries(fields.map((field) => [field.name, inputOf(field, typed)]));
      const body = { sample: name, runtime, input };
      const { workflowRunId } = await askSamples<{ workflowRunId: string }>("start", { method: "POST", body });
      toast.done("Started", workflowRunId);
    } catch (error) {
      toast.failed("It was not started", error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        {fields.map((field) => (
          <div key={field.name} className={field.kind === "long" ? "sm:col-span-2" : undefined}>
            <Control
              field={field}
              value={typed[field.name] as string | boolean}
              error={errorOf(field)}
              onChange={(value) => setTyped((former) => ({ ...former, [field.name]: value }))}
            />
          </div>
        ))}
        <SelectField
          label="Runtime"
          options={OPTIONS}
          value={runtime}
          onChange={(event) => setRuntime(event.target.value as Runtime)}
        />
      </div>
      <div>
        <Button kind="primary" type="submit" icon={Play} isBusy={isBusy}>
          {action}
        </Button>
      </div>
    </form>
  );
}

interface ControlProps {
  field: Field;
  value: string | boolean;
  error: string | undefined;
  onChange: (value: string | boolean) => void;
}

function Control({ field: { name, label, hint, kind, options = [] }, value, error, onChange }: ControlProps) {
  if (kind === "check")
    return (
      <CheckField
        name={name}
        label={label}
        hint={hint}
        checked={value === true}
        onChange={(event) => onChange(event.target.checked)}
      />
    );
  const shared = {
    ...{ name, label, hint, error, value: String(value) },
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  if (kind === "choice") return <SelectField {...shared} options={options} />;
  if (kind === "long") return <TextArea {...shared} rows={7} className="font-sans!" />;
  return <TextField {...shared} inputMode={kind === "number" ? "numeric" : "text"} autoComplete="off" />;
}

function inputOf({ name, kind }: Field, typed: Typed): string | number | boolean {
  const value = typed[name] ?? "";
  if (kind !== "number") return value;
  return String(value).trim() === "" ? Number.NaN : Number(value);
}
