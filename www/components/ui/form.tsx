"use client";

/** Forms in dialogs: checked before they are sent, the first error gets the focus, the broker's refusal is shown as it is. */
import { type ChangeEvent, type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";

type Values = Record<string, string | boolean>;
export type Errors<V> = { [Name in keyof V]?: string | undefined };
type NamesOf<V, Kind> = { [Name in keyof V]: V[Name] extends Kind ? Name : never }[keyof V] & string;

export interface FormOptions<V extends Values> {
  initial: V;
  /** What is wrong, by field; nothing if it may be sent. */
  check: (values: V) => Errors<V>;
  /** Sends it; a rejection is shown. */
  submit: (values: V) => Promise<unknown>;
}

export interface Form<V extends Values> {
  values: V;
  errors: Errors<V>;
  set: (change: Partial<V>) => void;
  /** The props of a field of text. */
  text: (name: NamesOf<V, string>) => {
    name: string;
    value: string;
    error: string | undefined;
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>) => void;
  };
  /** The props of a box to check. */
  box: (name: NamesOf<V, boolean>) => {
    name: string;
    checked: boolean;
    onChange: (event: ChangeEvent<HTMLInputElement>) => void;
  };
  isBusy: boolean;
  /** What the broker said. */
  failure: string | undefined;
  /** How often it could not be sent for its errors. */
  refusals: number;
  /** Resolves with whether it was sent and accepted. */
  send: () => Promise<boolean>;
  /** Back to what it was at first. */
  reset: () => void;
}

export function useForm<V extends Values>({ initial, check, submit }: FormOptions<V>): Form<V> {
  const [values, setValues] = useState(initial);
  const [refusals, setRefusals] = useState(0);
  const [failure, setFailure] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  // Nobody is told of errors in what they have not finished; once told, each correction counts at once.
  let found: Errors<V> | undefined;
  const errors = (): Errors<V> => {
    found ??= refusals > 0 ? check(values) : {};
    return found;
  };
  const set = (change: Partial<V>) => setValues((former) => ({ ...former, ...change }));
  return {
    values,
    // When it is read: `check` may look at what comes after this hook.
    get errors() {
      return errors();
    },
    set,
    text: (name) => ({
      name,
      value: values[name] as string,
      error: errors()[name],
      onChange: (event) => set({ [name]: event.target.value } as Partial<V>),
    }),
    box: (name) => ({
      name,
      checked: values[name] as boolean,
      onChange: (event) => set({ [name]: event.target.checked } as Partial<V>),
    }),
    isBusy,
    failure,
    refusals,
    reset: () => {
      setValues(initial);
      setRefusals(0);
      setFailure(undefined);
    },
    send: async () => {
      if (isBusy) return false;
      setFailure(undefined);
      if (Object.values(check(values)).some(Boolean)) {
        setRefusals((former) => former + 1);
        return false;
      }
      setBusy(true);
      try {
        await submit(values);
        return true;
      } catch (error) {
        setFailure((error as Error).message);
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}

/** Mounted while it is open; closes once the form was accepted. */
export function FormDialog<V extends Values>({
  form,
  title,
  action,
  onClose,
  isWide,
  children,
}: {
  form: Form<V>;
  title: ReactNode;
  /** What the button says: a verb. */
  action: string;
  onClose: () => void;
  isWide?: boolean;
  children: ReactNode;
}) {
  const id = useId();
  const element = useRef<HTMLFormElement>(null);
  const { refusals, failure } = form;
  useEffect(() => {
    if (refusals > 0) element.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [refusals]);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (await form.send()) onClose();
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={title}
      isWide={isWide ?? false}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" form={id} isBusy={form.isBusy}>
            {action}
          </Button>
        </>
      }
    >
      <form id={id} ref={element} noValidate onSubmit={(event) => void send(event)} className="flex flex-col gap-4">
        {children}
        {failure && (
          <p role="alert" className="border-l-4 border-bad bg-bad-wash px-3 py-2 break-words">
            {failure}
          </p>
        )}
      </form>
    </Dialog>
  );
}

/** Fields side by side where there is room. */
export function FieldRow({ children }: { children: ReactNode }) {
  return <div className="grid gap-4 sm:auto-cols-fr sm:grid-flow-col">{children}</div>;
}
