/** Source code, read and coloured when the app is built: nothing of it runs in the browser. */
import "server-only";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";

type Kind = "plain" | "keyword" | "text" | "comment" | "call";

const COLOURS: Record<Kind, string | undefined> = {
  plain: undefined,
  keyword: "text-run",
  text: "text-ok",
  comment: "text-faint",
  call: "font-medium",
};

/** @param path in the folder of the app */
export async function Source({ path }: { path: string }) {
  const source = await readFile(join(/* turbopackIgnore: true */ process.cwd(), path), "utf8");
  return (
    <figure className="rounded-md border border-line bg-sunken">
      <figcaption className="border-b border-line px-3 py-1 font-mono text-xs text-faint">www/{path}</figcaption>
      {/* Focusable, for who scrolls by keyboard. */}
      <pre
        role="region"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
        aria-label={path}
        className="max-h-[40rem] overflow-auto p-3 font-mono text-xs leading-5"
      >
        <code>
          {tokensOf(source).map(({ at, text, kind }) =>
            COLOURS[kind] ? (
              <span key={at} className={COLOURS[kind]}>
                {text}
              </span>
            ) : (
              text
            ),
          )}
        </code>
      </pre>
    </figure>
  );
}

interface Token {
  at: number;
  text: string;
  kind: Kind;
}

/** All of the source, in pieces of one kind each. */
function tokensOf(source: string): Token[] {
  const file = ts.createSourceFile("sample.ts", source, ts.ScriptTarget.Latest, true);
  const tokens: Token[] = [];
  let at = 0;
  const take = (end: number, kind: Kind) => {
    if (end > at) tokens.push({ at, text: source.slice(at, end), kind });
    at = end;
  };
  const visit = (node: ts.Node) => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(file);
    if (children.length > 0) {
      for (const child of children) visit(child);
      return;
    }
    // Before a token there are blanks and comments only.
    for (const [comment] of source.slice(at, node.getStart(file)).matchAll(/\/\*[\s\S]*?\*\/|\/\/.*/g)) {
      const start = source.indexOf(comment, at);
      take(start, "plain");
      take(start + comment.length, "comment");
    }
    take(node.getStart(file), "plain");
    take(node.end, kindOf(node));
  };
  visit(file);
  return tokens;
}

function kindOf(node: ts.Node): Kind {
  const { kind, parent } = node;
  if (kind >= ts.SyntaxKind.FirstKeyword && kind <= ts.SyntaxKind.LastKeyword) return "keyword";
  if (TEXTS.has(kind)) return "text";
  if (kind !== ts.SyntaxKind.Identifier) return "plain";
  // `call(…)` and `object.call(…)`.
  const called = ts.isPropertyAccessExpression(parent) && parent.name === node ? parent : node;
  return ts.isCallExpression(called.parent) && called.parent.expression === called ? "call" : "plain";
}

const TEXTS = new Set([
  ts.SyntaxKind.StringLiteral,
  ts.SyntaxKind.NoSubstitutionTemplateLiteral,
  ts.SyntaxKind.TemplateHead,
  ts.SyntaxKind.TemplateMiddle,
  ts.SyntaxKind.TemplateTail,
  ts.SyntaxKind.RegularExpressionLiteral,
]);
