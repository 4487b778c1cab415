// The verdict can fail: each doctored piece of evidence is found, and the reason names it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { judge, SLEEP } from "../../demo/lib/verdict.mjs";

const RUN = "wfr_order-rust";

/** What the two witnesses tell of a run in which all went well; times in ms. */
function evidence() {
  let entry = 0;
  const executed = (step, at, status = 200) => {
    entry += 1;
    return { entry, at, runId: RUN, step, attempt: 1, language: "rust", status };
  };
  const remembered = (name, acceptedAt, out) => ({ name, type: "Run", out, acceptedAt, attempts: 1 });
  const ledger = [
    executed("validate", 100),
    executed("charge", 200, 500),
    executed("charge", 1300, 500),
    executed("charge", 3400),
    executed("reserve", 3500),
    executed("email", 3510),
    executed("ship", 6700),
  ];
  const steps = [
    remembered("validate", 110, { entry: 1 }),
    remembered("charge", 3410, { entry: 4 }),
    remembered("reserve", 3520, { entry: 5 }),
    remembered("email", 3530, { entry: 6 }),
    remembered(SLEEP, 3600, undefined),
    remembered("ship", 6710, { entry: 7 }),
  ];
  const deliveries = [
    { messageId: "msg_1", beganAt: 90, endedAt: 112 },
    { messageId: "msg_2", beganAt: 190, endedAt: 210 },
    { messageId: "msg_2", beganAt: 1290, endedAt: 1310 },
    { messageId: "msg_2", beganAt: 3390, endedAt: 3412 },
    { messageId: "msg_8", beganAt: 6690, endedAt: 6712 },
  ];
  const result = { orderId: "order-rust", receipt: "receipt-4", shipped: true };
  return {
    orders: [{ runId: RUN, language: "rust", orderId: "order-rust", sleepSeconds: 3 }],
    ledger,
    logs: [{ runId: RUN, state: "RUN_SUCCESS", result, steps, deliveries }],
    crashes: 0,
    executed,
  };
}

/** The faults of the evidence after `doctor` changed it. */
function faultsOf(doctor) {
  const doctored = evidence();
  doctor(doctored);
  const { pass, faults } = judge(doctored);
  assert.equal(pass, faults.length === 0);
  return faults;
}

function finds(name, doctor, ...expected) {
  test(`finds ${name}`, () => {
    const faults = faultsOf(doctor);
    assert.equal(faults.length, expected.length, faults.join("\n"));
    for (const [i, pattern] of expected.entries()) assert.match(faults[i], pattern);
  });
}

function accepts(name, doctor) {
  test(`accepts ${name}`, () => assert.deepEqual(faultsOf(doctor), []));
}

accepts("a run in which all went well", () => {});

finds(
  "a remembered step that was executed again after a crash",
  (e) => {
    e.crashes = 1;
    e.ledger.push(e.executed("reserve", 4000));
  },
  /reserve: executed again \(ledger entry 8\), 480 ms after its result was accepted/,
);

finds(
  "a remembered step that was executed again and refused",
  (e) => {
    e.ledger.push(e.executed("ship", 6800, 500));
  },
  /ship: expected 0 refused executions, found 1/,
  /ship: executed again/,
);

accepts("a step that was executed again because a crash came before its acceptance", (e) => {
  e.crashes = 1;
  e.ledger.splice(4, 0, e.executed("reserve", 3450));
});

finds(
  "more executions than crashes explain, though all come before the acceptance",
  (e) => {
    e.ledger.splice(4, 0, e.executed("reserve", 3450));
  },
  /reserve: executed 2 times, more often than 0 crashes explain/,
);

accepts("an execution after the acceptance whose delivery overlapped the one that was accepted", (e) => {
  e.crashes = 1;
  e.logs[0].deliveries.push(
    { messageId: "msg_5", beganAt: 3495 },
    { messageId: "msg_5", beganAt: 3515, endedAt: 3540 },
  );
  e.ledger.push(e.executed("reserve", 3525));
});

finds(
  "an execution after the acceptance if only the delivery that was accepted was open",
  (e) => {
    e.crashes = 1;
    e.logs[0].deliveries.push({ messageId: "msg_5", beganAt: 3495, endedAt: 3540 });
    e.ledger.push(e.executed("reserve", 3525));
  },
  /reserve: executed again/,
);

finds(
  "a step whose result was lost",
  (e) => {
    e.logs[0].steps = e.logs[0].steps.filter(({ name }) => name !== "email");
  },
  /email: expected one remembered result, found 0/,
);

finds(
  "a step that was remembered twice",
  (e) => {
    e.logs[0].steps.push(e.logs[0].steps[0]);
  },
  /validate: expected one remembered result, found 2/,
);

finds(
  "a step that the ledger has not seen",
  (e) => {
    e.ledger = e.ledger.filter(({ step }) => step !== "email");
  },
  /email: expected an execution, the ledger has none/,
  /email: the remembered result \{"entry":6\} is of no execution in the ledger/,
);

finds(
  "a remembered result that is of a refused execution",
  (e) => {
    e.logs[0].steps[1].out = { entry: 3 };
    e.logs[0].result.receipt = "receipt-3";
  },
  /charge: the remembered result \{"entry":3\} is of no execution/,
);

finds(
  "a charge that was retried once only",
  (e) => {
    e.ledger.splice(1, 1);
  },
  /charge: expected 2 refused executions, found 1/,
);

finds("a run that has not ended", (e) => Object.assign(e.logs[0], { state: "RUN_STARTED" }), /found RUN_STARTED/);

finds("a run that failed", (e) => Object.assign(e.logs[0], { state: "RUN_FAILED" }), /found RUN_FAILED/);

finds("a run that the broker does not know", (e) => e.logs.pop(), /log does not know it/);

finds(
  "a result that is not made of what was remembered",
  (e) => {
    e.logs[0].result.receipt = "receipt-5";
  },
  /expected the result .*receipt-4.*found .*receipt-5/,
);

finds(
  "a sleep that was cut short",
  (e) => {
    e.ledger[6].at = 6500;
  },
  /ship: began \(ledger entry 7\) before 'wait for the parcel' had ended/,
);

finds(
  "a sleep that began before the parallel steps in front of it had ended",
  (e) => {
    e.logs[0].steps[3].acceptedAt = 3650;
  },
  /wait for the parcel: began before 'reserve' and 'email' had ended/,
);

finds("an execution in an unknown run", (e) => e.ledger.push({ ...e.ledger[0], entry: 8, runId: "wfr_x" }), /wfr_x/);

finds(
  "a step that the workflow does not have",
  (e) => e.ledger.push({ ...e.ledger[0], entry: 8, step: "refund" }),
  /ledger entry 8 is of an unknown step 'refund'/,
);
