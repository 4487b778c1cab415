import type { Metadata } from "next";
import type { ReactNode } from "react";
import { Samples } from "@/components/samples/samples";
import { Source } from "@/components/samples/source";
import { Tabs } from "@/components/ui/tabs";
import { SAMPLES, type SampleName } from "@/samples/catalogue";

export const metadata: Metadata = { title: "Samples" };
/** The sources are read while the app is built. */
export const dynamic = "force-static";

export default function Page() {
  const sources = SAMPLES.map(({ name, title, files, route, edgeRoute = route }) => {
    const routes = [route, `edge/${edgeRoute}`];
    const paths = [...files.map((file) => `samples/${file}`), ...routes.map((each) => `app/api/samples/${each}`)];
    const tabs = paths.map((path) => ({
      id: path,
      title: (path.includes("/edge/") ? "edge " : "") + path.slice(path.lastIndexOf("/") + 1),
      content: <Source path={path} />,
    }));
    return [name, <Tabs key={name} label={`Source of ${title}`} tabs={tabs} />];
  });
  return <Samples sources={Object.fromEntries(sources) as Record<SampleName, ReactNode>} />;
}
