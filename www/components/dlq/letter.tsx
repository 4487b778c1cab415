"use client";

/** One dead letter: why it was given up, what was sent, what was answered last. */
import { AnswerStatus, Body, ErrorTold, errorIn, Headers } from "@/components/messages/exchange";
import { SourceFacts, To } from "@/components/messages/source";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Masked } from "@/components/ui/masked";
import { Failure, SkeletonBlock } from "@/components/ui/notice";
import { Fact, Facts } from "@/components/ui/page";
import { Tabs } from "@/components/ui/tabs";
import { Ago } from "@/components/ui/time";
import { ACTIONS, DEAD_LETTERS, isOfRun, type Kind, type LetterAction } from "@/lib/broker/dead-letters";
import type { DeadLetter } from "@/lib/broker/types";
import { useBroker } from "@/lib/broker/use";
import { dateTime } from "@/lib/format";
import { messageAt } from "@/lib/places";

const NOT_FOUND = 404;

export interface LetterDialogProps {
  id: string;
  kind: Kind;
  /** Absent if the list hasn't come to it: then it is read by its id. */
  known: DeadLetter | undefined;
  onClose: () => void;
  onAct: (action: LetterAction, letter: DeadLetter) => void;
}

export function LetterDialog({ id, kind, known, onClose, onAct }: LetterDialogProps) {
  const { data, error, reload } = useBroker<DeadLetter>(
    known ? null : `${DEAD_LETTERS[kind].path}/${encodeURIComponent(id)}`,
  );
  const letter = known ?? data;
  const isGone = error?.status === NOT_FOUND;
  // The address may name one of the other kind.
  const actions = letter ? ACTIONS[isOfRun(letter) ? "runs" : "messages"] : [];
  return (
    <Dialog
      isOpen
      isWide
      onClose={onClose}
      title="Dead letter"
      actions={
        letter &&
        actions.toReversed().map((action) => (
          <Button
            key={action.id}
            kind={action.isDangerous ? "danger" : action === actions[0] ? "primary" : "plain"}
            className={action.isDangerous ? "mr-auto" : ""}
            onClick={() => onAct(action, letter)}
          >
            {action.verb}
          </Button>
        ))
      }
    >
      {isGone && !letter && <p>It is no longer there: it was retried, resumed or deleted, or is too old.</p>}
      {error && !isGone && !letter && <Failure error={error} retry={reload} what="The dead letter" />}
      {!letter && !error && <SkeletonBlock height="16rem" />}
      {letter && <Letter letter={letter} />}
    </Dialog>
  );
}

function Letter({ letter }: { letter: DeadLetter }) {
  const { messageId, method, url, failedAt, createdAt, maxRetries, responseStatus, error } = letter;
  const told = errorIn(letter.responseBody);
  const tabs = [
    {
      id: "answer",
      title: "Last answer",
      content: <Body text={letter.responseBody} base64={letter.responseBodyBase64} label="Last answer" />,
    },
    {
      id: "answer-headers",
      title: "Its headers",
      content: <Headers headers={letter.responseHeader} label="Headers of the last answer" />,
    },
    { id: "body", title: "Body", content: <Body text={letter.body} base64={letter.bodyBase64} label="Body" /> },
    { id: "headers", title: "Headers", content: <Headers headers={letter.header} label="Headers" /> },
  ];
  return (
    <div className="flex flex-col gap-4">
      {(told || error) && <ErrorTold error={told?.message ?? error ?? ""} name={told?.name} stack={told?.stack} />}
      <Facts>
        <Fact name="Destination">
          <code className="font-mono text-xs break-all">
            {method ?? "POST"} <Masked text={url} />
          </code>
        </Fact>
        <Fact name="Answer">
          {responseStatus === undefined || responseStatus === 0 ? (
            "none came"
          ) : (
            <AnswerStatus status={responseStatus} />
          )}
        </Fact>
        <Fact name="Failed">
          {failedAt !== undefined && (
            <>
              {dateTime(failedAt)} (<Ago at={failedAt} />)
            </>
          )}
        </Fact>
        <Fact name="Created">{dateTime(createdAt)}</Fact>
        <Fact name="Attempts">{maxRetries !== undefined && `at most ${maxRetries + 1}`}</Fact>
        <Fact name="Message">
          <To href={messageAt(messageId)}>{messageId}</To>
        </Fact>
        <SourceFacts of={letter} />
        <Fact name="Failure callback">{letter.failureCallback && <Masked text={letter.failureCallback} />}</Fact>
        <Fact name="Failure function">{failureFunction(letter)}</Fact>
        <Fact name="Published from">{letter.callerIp}</Fact>
      </Facts>
      <Tabs label="What was sent and answered" tabs={tabs} />
    </div>
  );
}

const FAILURE_STATES: Record<string, string> = {
  CALLBACK_INPROGRESS: "under way",
  CALLBACK_SUCCESS: "succeeded",
  CALLBACK_FAIL: "failed",
  CALLBACK_CANCELED: "canceled",
};

const failureFunction = ({ failureFunctionState: state }: DeadLetter): string | undefined =>
  state && (FAILURE_STATES[state] ?? state);
