"use client";

import dynamic from "next/dynamic";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { SkeletonBlock } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";
import { Tabs } from "@/components/ui/tabs";

const loading = () => <SkeletonBlock height="24rem" />;
const Signature = dynamic(() => import("@/components/playground/signature").then((it) => it.Signature), { loading });
const Times = dynamic(() => import("@/components/playground/times").then((it) => it.Times), { loading });
const History = dynamic(() => import("@/components/playground/history").then((it) => it.History), { loading });

const TABS = ["signature", "times", "history"] as const;

export function Playground() {
  const [tab, setTab] = useQueryState("tab", parseAsStringLiteral(TABS).withDefault("signature"));
  return (
    <>
      <PageHeader title="Playground">
        Signatures, schedules, delays and histories, as the core reads them: it runs in this browser, and nothing that
        is entered here leaves it.
      </PageHeader>
      <div className="px-5 pb-8 max-sm:px-4">
        <Tabs
          label="What to try"
          value={tab}
          onChange={(id) => void setTab(id as (typeof TABS)[number])}
          tabs={[
            { id: "signature", title: "Signature", content: tab === "signature" && <Signature /> },
            { id: "times", title: "Cron and delays", content: tab === "times" && <Times /> },
            { id: "history", title: "History", content: tab === "history" && <History /> },
          ]}
        />
      </div>
    </>
  );
}
