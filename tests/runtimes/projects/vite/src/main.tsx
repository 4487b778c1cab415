import { WorkflowProvider } from "@repo/orchestration/client/next";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { OrderForm } from "./order-form.tsx";
import { SignatureCheck } from "./signature-check.tsx";

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <WorkflowProvider baseUrl="/api/orchestration">
      <OrderForm />
      <SignatureCheck />
    </WorkflowProvider>
  </StrictMode>,
);
