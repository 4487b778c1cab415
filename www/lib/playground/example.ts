/** A recorded run, as `/v2/workflows/logs` tells it, for who has none at hand. */
const started = 1_764_000_000_000;

const step = (stepId: number, stepName: string, stepType: string, seconds: number, more: object = {}) => ({
  stepId,
  stepName,
  stepType,
  callType: "step",
  concurrent: 1,
  createdAt: started + seconds * 1_000,
  messageId: `msg_example_${stepId}`,
  retries: 0,
  state: "STEP_SUCCESS",
  headers: {},
  ...more,
});

export const EXAMPLE = {
  workflowRunId: "wfr_example",
  workflowUrl: "https://shop.example/api/order",
  workflowState: "RUN_SUCCESS",
  workflowRunCreatedAt: started,
  workflowRunCompletedAt: started + 64_000,
  workflowRunResponse: '{"order":42,"approvedBy":"ada","charged":200}',
  steps: [
    { type: "sequential", steps: [step(0, "init", "Initial", 0, { out: '{"orderId":42,"items":["book","lamp"]}' })] },
    { type: "sequential", steps: [step(1, "price the basket", "Run", 1, { out: '{"cents":5200}' })] },
    {
      type: "parallel",
      steps: [
        step(2, "reserve stock", "Run", 2, { concurrent: 2, out: '{"warehouse":"north"}' }),
        step(3, "check risk", "Run", 3, { concurrent: 2, out: '{"score":12}' }),
      ],
    },
    { type: "sequential", steps: [step(4, "cool off", "SleepFor", 13, { sleepFor: 10 })] },
    {
      type: "sequential",
      steps: [
        step(5, "approval", "Wait", 60, {
          out: '{"by":"ada"}',
          waitEventId: "order-42",
          waitTimeoutDuration: "86400s",
          waitTimeout: false,
        }),
      ],
    },
    {
      type: "sequential",
      steps: [
        step(6, "charge the card", "Call", 63, {
          callUrl: "https://payments.example/charges",
          callMethod: "POST",
          callResponseStatus: 200,
          out: '{"status":200,"body":"{\\"charge\\":\\"ch_1\\"}","header":{"Content-Type":["application/json"]}}',
        }),
      ],
    },
  ],
};
