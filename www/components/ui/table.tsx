"use client";

/** A list of any length: only the rows on screen exist. Arrow keys move between rows, Enter opens one. */
import { useVirtualizer } from "@tanstack/react-virtual";
import clsx from "clsx";
import Link from "next/link";
import { type KeyboardEvent, memo, type ReactNode, useCallback, useEffect, useId, useMemo, useRef } from "react";
import { Button } from "@/components/ui/button";
import { counted } from "@/lib/format";

export interface Column<Item> {
  title: string;
  /** A track of CSS grid: `8rem`, `minmax(0,1fr)`. */
  width: string;
  /** The track on phones; the same if absent. */
  phoneWidth?: string;
  cell: (item: Item) => ReactNode;
  align?: "end";
  /** From which width of the window on it is shown; always if absent. */
  from?: "sm" | "md" | "lg" | "xl";
}

export interface TableProps<Item> {
  /** What is listed, for who can't see it. */
  label: string;
  columns: readonly Column<Item>[];
  items: readonly Item[];
  idOf: (item: Item) => string;
  /** Where a row leads; the first column becomes the link. */
  hrefOf?: (item: Item) => string;
  /** Opens a row in place of following its link, unless that is opened elsewhere. */
  onOpen?: (item: Item) => void;
  /** What can be done with a row, at its end. */
  actions?: (item: Item) => ReactNode;
  /** A track of CSS grid for the actions: each row is a grid of its own, and they shall agree. One menu's if absent. */
  actionsWidth?: string;
  /** Rows that were picked, by id. */
  selection?: {
    ids: ReadonlySet<string>;
    toggle: (id: string, isPicked: boolean) => void;
    toggleAll: (isPicked: boolean) => void;
    /** Whether a row can be picked; all can if absent. */
    isPickable?: (item: Item) => boolean;
  };
  /** `isStuck`: the next page could not be read, and is only read again if somebody asks. */
  more?: { hasMore: boolean; isLoadingMore: boolean; loadMore: () => void; isStuck?: boolean };
  /** `one` and `many` of what is counted at the foot. */
  noun?: [one: string, many: string];
}

const ROW_PX = 40;
/** So many rows before the end the next page is asked for. */
const AHEAD = 20;
/** Tailwind's widths of the window. */
const WIDTHS = [
  ["sm", "40rem"],
  ["md", "48rem"],
  ["lg", "64rem"],
  ["xl", "80rem"],
] as const;
const SHOWN = { sm: "max-sm:hidden", md: "max-md:hidden", lg: "max-lg:hidden", xl: "max-xl:hidden" };

export function Table<Item>(props: TableProps<Item>) {
  const { label, columns, items, idOf, hrefOf, onOpen, actions, actionsWidth, selection, more, noun } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const grid = `row-${useId().replace(/\W/g, "")}`;
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    // The same function while the items are: with another one every row is measured again.
    getItemKey: useCallback((index: number) => idOf(items[index] as Item), [items, idOf]),
    overscan: 8,
  });
  const virtual = rows.getVirtualItems();
  const last = virtual.at(-1)?.index ?? 0;
  const { hasMore, isLoadingMore, loadMore, isStuck } = more ?? {};
  useEffect(() => {
    if (hasMore && !isLoadingMore && !isStuck && last >= items.length - AHEAD) loadMore?.();
  }, [hasMore, isLoadingMore, isStuck, loadMore, last, items.length]);

  const move = (event: KeyboardEvent) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
    if (!row || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    const at = Number(row.dataset.index);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key] as number;
    if (next < 0 || next >= items.length) return;
    event.preventDefault();
    rows.scrollToIndex(next);
    const focus = () =>
      scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"] :is(a, button, input)`)?.focus();
    // A row that was not on screen exists one frame later.
    focus();
    requestAnimationFrame(() => requestAnimationFrame(focus));
  };

  const isPickable = selection?.isPickable ?? anything;
  const hasPick = selection !== undefined;
  const pickable = useMemo(() => (hasPick ? items.filter(isPickable) : []), [hasPick, isPickable, items]);
  const isPicked = selection && pickable.length > 0 && pickable.every((item) => selection.ids.has(idOf(item)));
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <style>{tracks(grid, columns, Boolean(selection), actions && (actionsWidth ?? "2.5rem"))}</style>
      <div
        ref={scroller}
        role="table"
        aria-label={label}
        aria-rowcount={hasMore ? -1 : items.length + 1}
        className="table-scroller min-h-48 flex-1 overflow-y-auto border-t border-line"
        onKeyDown={move}
      >
        <div role="rowgroup" className="sticky top-0 z-10 bg-paper">
          <div
            role="row"
            aria-rowindex={1}
            className={clsx(grid, "border-b border-edge text-xs text-faint")}
            style={{ height: 32 }}
          >
            {selection && (
              <div role="columnheader">
                <input
                  type="checkbox"
                  aria-label="Pick all that are loaded"
                  className="size-4 align-middle accent-ink"
                  checked={isPicked ?? false}
                  disabled={pickable.length === 0}
                  onChange={(event) => selection.toggleAll(event.target.checked)}
                />
              </div>
            )}
            {columns.map(({ title, align, from }) => (
              <div
                key={title}
                role="columnheader"
                className={clsx("truncate font-medium", align === "end" && "text-right", from && SHOWN[from])}
              >
                {title}
              </div>
            ))}
            {actions && (
              <div role="columnheader">
                <span className="sr-only">Actions</span>
              </div>
            )}
          </div>
        </div>
        <div role="rowgroup" style={{ height: rows.getTotalSize(), position: "relative" }}>
          {virtual.map(({ index, key, start }) => {
            const item = items[index] as Item;
            return (
              <Row
                key={key}
                item={item}
                id={idOf(item)}
                index={index}
                start={start}
                grid={grid}
                columns={columns as readonly Column<unknown>[]}
                hrefOf={hrefOf as RowProps["hrefOf"]}
                onOpen={onOpen as RowProps["onOpen"]}
                actions={actions as RowProps["actions"]}
                hasPick={hasPick}
                isPicked={selection?.ids.has(idOf(item)) ?? false}
                onPick={selection && isPickable(item) ? selection.toggle : undefined}
              />
            );
          })}
        </div>
      </div>
      <div className="flex min-h-9 items-center justify-between gap-4 border-t border-line px-5 text-xs text-faint max-sm:px-4">
        <span role="status">
          {noun && counted(items.length, ...noun)}
          {hasMore && " loaded, there are more"}
        </span>
        {hasMore && (
          <Button kind="quiet" className="h-7!" isBusy={isLoadingMore ?? false} onClick={() => loadMore?.()}>
            Load more
          </Button>
        )}
      </div>
    </div>
  );
}

interface RowProps {
  item: unknown;
  id: string;
  index: number;
  start: number;
  grid: string;
  columns: readonly Column<unknown>[];
  hrefOf: ((item: unknown) => string) | undefined;
  onOpen: ((item: unknown) => void) | undefined;
  actions: ((item: unknown) => ReactNode) | undefined;
  hasPick: boolean;
  isPicked: boolean;
  /** None if this row can't be picked. */
  onPick: ((id: string, isPicked: boolean) => void) | undefined;
}

const anything = (): boolean => true;

/** While somebody scrolls, rows that stay are left as they are. */
const Row = memo(function Row(props: RowProps) {
  const { item, id, index, start, grid, columns, hrefOf, onOpen, actions, hasPick, isPicked, onPick } = props;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      data-id={id}
      className={clsx(
        grid,
        "group absolute inset-x-0 contain-strict border-b border-line text-sm hover:bg-sunken focus-within:bg-sunken",
      )}
      style={{ height: ROW_PX, transform: `translateY(${start}px)` }}
    >
      {hasPick && (
        <div role="cell">
          {onPick && (
            <input
              type="checkbox"
              aria-label={`Pick ${id}`}
              // Above the link that covers the row.
              className="relative z-1 size-4 align-middle accent-ink"
              checked={isPicked}
              onChange={(event) => onPick(id, event.target.checked)}
            />
          )}
        </div>
      )}
      {columns.map(({ title, cell, align, from }, place) => (
        <div key={title} role="cell" className={clsx("truncate", align === "end" && "text-right", from && SHOWN[from])}>
          {place === 0 && hrefOf ? (
            // The link covers the row, so that it can be pressed anywhere.
            <Link
              href={hrefOf(item)}
              prefetch={false}
              className="after:absolute after:inset-0"
              onClick={(event) => {
                if (!onOpen || event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                onOpen(item);
              }}
            >
              {cell(item)}
            </Link>
          ) : (
            cell(item)
          )}
        </div>
      ))}
      {actions && (
        <div role="cell" className="relative z-1 flex justify-end">
          {actions(item)}
        </div>
      )}
    </div>
  );
});

/** The grid's tracks: a column that is hidden has none. */
function tracks(
  grid: string,
  columns: readonly Pick<Column<unknown>, "width" | "phoneWidth" | "from">[],
  picks: boolean,
  actions: string | undefined,
): string {
  const at = (shown: readonly string[]) =>
    [
      ...(picks ? ["1.25rem"] : []),
      ...columns
        .filter(({ from }) => from === undefined || shown.includes(from))
        .map(({ width, phoneWidth = width }) => (shown.length === 0 ? phoneWidth : width)),
      ...(actions ? [actions] : []),
    ].join(" ");
  const wider = WIDTHS.map(
    ([, width], index) =>
      `@media(width>=${width}){.${grid}{column-gap:1rem;padding-inline:1.25rem;grid-template-columns:${at(WIDTHS.slice(0, index + 1).map(([each]) => each))}}}`,
  );
  return `.${grid}{display:grid;align-items:center;column-gap:.75rem;padding-inline:1rem;grid-template-columns:${at([])}}${wider.join("")}`;
}
