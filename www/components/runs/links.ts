/** The page of a run; the time tells runs of the same id apart. */
export const runHref = (id: string, createdAt?: number): string =>
  `/run?id=${encodeURIComponent(id)}${createdAt === undefined ? "" : `&at=${createdAt}`}`;
