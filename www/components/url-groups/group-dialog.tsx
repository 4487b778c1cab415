"use client";

/** What is asked about a URL group. All are mounted while they are open. */
import { Plus, Send, X } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Button, IconButton } from "@/components/ui/button";
import { Copy } from "@/components/ui/copy";
import { ConfirmDialog, Dialog } from "@/components/ui/dialog";
import { TextField } from "@/components/ui/field";
import { FieldRow, FormDialog, useForm } from "@/components/ui/form";
import { Masked } from "@/components/ui/masked";
import { Fact, Facts } from "@/components/ui/page";
import { Ago } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { ask } from "@/lib/broker/transport";
import type { UrlGroup } from "@/lib/broker/types";
import { nameError, optionalNameError, urlError } from "@/lib/checks";
import { plainUrl } from "@/lib/format";

type Endpoint = UrlGroup["endpoints"][number];

const endpointsOf = (group: string): string => `/v2/topics/${encodeURIComponent(group)}/endpoints`;

const addEndpoint = (group: string, url: string, name: string): Promise<void> =>
  ask(endpointsOf(group), { method: "POST", body: { endpoints: [{ url, ...(name ? { name } : {}) }] } });

/** By its name if it has one: two may have one URL. */
const removeEndpoint = (group: string, { name, url }: Endpoint): Promise<void> =>
  ask(endpointsOf(group), { method: "DELETE", body: { endpoints: [name ? { name, url } : { url }] } });

const checkEndpoint = ({ url, endpoint }: { url: string; endpoint: string }) => ({
  url: urlError(url.trim()),
  endpoint: optionalNameError(endpoint.trim(), "the endpoint a name"),
});

interface GroupDialogProps {
  group: UrlGroup;
  onClose: () => void;
  onPublish: () => void;
  onDone: () => unknown;
  /** Dialogs that it has opened. */
  children?: ReactNode;
}

/** Its endpoints, and to add and remove some. */
export function GroupDialog({ group, onClose, onPublish, onDone, children }: GroupDialogProps) {
  const [removing, setRemoving] = useState<string>();
  const [asksForLast, setAsksForLast] = useState(false);
  const remove = async (endpoint: Endpoint) => {
    setRemoving(keyOf(endpoint));
    try {
      await removeEndpoint(group.name, endpoint);
      toast.done("Endpoint removed", endpoint.name ?? plainUrl(endpoint.url));
    } catch (reason) {
      toast.failed("The endpoint was not removed", reason);
    }
    await onDone();
    setRemoving(undefined);
  };
  const [only] = group.endpoints;
  return (
    <Dialog
      isOpen
      isWide
      onClose={onClose}
      title={group.name}
      actions={
        <>
          <Button icon={Send} onClick={onPublish}>
            Publish a message
          </Button>
          <Button kind="primary" onClick={onClose}>
            Close
          </Button>
        </>
      }
    >
      <Facts>
        <Fact name="Created">
          <Ago at={group.createdAt} />
        </Fact>
        <Fact name="Changed">
          <Ago at={group.updatedAt} />
        </Fact>
      </Facts>
      <h3 className="mt-4 mb-1 font-medium">Endpoints</h3>
      <ul className="border-b border-line">
        {group.endpoints.map((endpoint) => (
          <li key={keyOf(endpoint)} className="flex min-h-10 items-center gap-2 border-t border-line">
            <span className="min-w-0 flex-1 py-1">
              {endpoint.name && <span className="block font-medium">{endpoint.name}</span>}
              <span className="block font-mono text-xs break-all">
                <Masked text={endpoint.url} />
              </span>
            </span>
            <Copy text={endpoint.url} label="Copy the URL" />
            <IconButton
              icon={X}
              label={`Remove ${endpoint.name ?? plainUrl(endpoint.url)}`}
              isBusy={removing === keyOf(endpoint)}
              disabled={removing !== undefined}
              onClick={() => (group.endpoints.length === 1 ? setAsksForLast(true) : void remove(endpoint))}
            />
          </li>
        ))}
      </ul>
      <AddEndpoint group={group} onDone={onDone} />
      {asksForLast && only && (
        <ConfirmDialog
          isOpen
          onClose={() => setAsksForLast(false)}
          title="Remove the last endpoint?"
          action="Remove it and the group"
          onConfirm={async () => {
            await removeEndpoint(group.name, only);
            toast.done("URL group deleted", group.name);
            onClose();
            await onDone();
          }}
        >
          <p>
            A group without endpoints does not exist: {group.name} is deleted with it. What was published to it before
            is still delivered.
          </p>
        </ConfirmDialog>
      )}
      {children}
    </Dialog>
  );
}

const keyOf = ({ name, url }: Endpoint): string => `${name ?? ""} ${url}`;

function AddEndpoint({ group, onDone }: { group: UrlGroup; onDone: () => unknown }) {
  const form = useForm({
    initial: { url: "", endpoint: "" },
    check: checkEndpoint,
    submit: async ({ url, endpoint }) => {
      await addEndpoint(group.name, url.trim(), endpoint.trim());
      toast.done("Endpoint added", url.trim());
      await onDone();
    },
  });
  const element = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (form.refusals > 0) element.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [form.refusals]);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (await form.send()) form.reset();
  };
  return (
    <form ref={element} noValidate onSubmit={(event) => void send(event)} className="mt-4 flex flex-col gap-3">
      <h3 className="font-medium">Add an endpoint</h3>
      <EndpointFields form={form} />
      {form.failure && (
        <p role="alert" className="border-l-4 border-bad bg-bad-wash px-3 py-2 break-words">
          {form.failure}
        </p>
      )}
      <Button type="submit" icon={Plus} isBusy={form.isBusy} className="self-start">
        Add
      </Button>
    </form>
  );
}

function EndpointFields({
  form,
}: {
  form: Pick<ReturnType<typeof useForm<{ url: string; endpoint: string }>>, "text">;
}) {
  return (
    <FieldRow>
      <TextField
        label="URL"
        inputMode="url"
        placeholder="https://example.com/api/task"
        spellCheck={false}
        autoComplete="off"
        {...form.text("url")}
      />
      <TextField
        label="Name"
        hint="Or empty. An endpoint of the same name is replaced."
        spellCheck={false}
        autoComplete="off"
        {...form.text("endpoint")}
      />
    </FieldRow>
  );
}

export function CreateGroupDialog({
  names,
  onClose,
  onDone,
}: {
  names: readonly string[];
  onClose: () => void;
  onDone: () => unknown;
}) {
  const form = useForm({
    initial: { name: "", url: "", endpoint: "" },
    check: ({ name, ...endpoint }) => ({
      name:
        nameError(name.trim(), "the group a name") ??
        (names.includes(name.trim()) ? "There is a group with this name; add the endpoint there." : undefined),
      ...checkEndpoint(endpoint),
    }),
    submit: async ({ name, url, endpoint }) => {
      await addEndpoint(name.trim(), url.trim(), endpoint.trim());
      toast.done("URL group created", name.trim());
      await onDone();
    },
  });
  return (
    <FormDialog form={form} title="Create a URL group" action="Create" onClose={onClose}>
      <TextField
        label="Name of the group"
        hint="Letters, digits, “-”, “_” and “.”. Messages are published to it."
        spellCheck={false}
        autoComplete="off"
        {...form.text("name")}
      />
      <p className="text-soft">Its first endpoint; more can be added afterwards.</p>
      <EndpointFields
        form={{ text: form.text as ReturnType<typeof useForm<{ url: string; endpoint: string }>>["text"] }}
      />
    </FormDialog>
  );
}

export function DeleteGroupDialog({
  name,
  onClose,
  onDone,
}: {
  name: string;
  onClose: () => void;
  onDone: () => unknown;
}) {
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete ${name}?`}
      action="Delete"
      onConfirm={async () => {
        await ask(`/v2/topics/${encodeURIComponent(name)}`, { method: "DELETE" });
        toast.done("URL group deleted", name);
        await onDone();
      }}
    >
      <p>
        What was published to it before is still delivered. Whoever publishes to it from now on is refused, and so are
        schedules that name it, until there is a group of this name again.
      </p>
    </ConfirmDialog>
  );
}
