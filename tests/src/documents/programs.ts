/** Blocks as files: type-checked together, run document by document. */

import { fork } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { isProgram, type Block } from './blocks.js';
import { root } from '../workspace.js';

export interface Placed {
  readonly block: Block;
  /** Without its ending. */
  readonly path: string;
}

/** Blank lines before the code, so that line numbers are those of the document. */
const padded = ({ line, code }: Block): string => `${'\n'.repeat(line - 1)}${code}\nexport {};\n`;

/** Writes every program into `folder`, which lies where imports of the workspace's packages resolve. */
export function place(blocks: readonly Block[], folder: string): readonly Placed[] {
  mkdirSync(folder, { recursive: true });
  for (const name of ['runner.mjs', 'told.mjs'])
    cpSync(fileURLToPath(new URL(`../../documents/${name}`, import.meta.url)), join(folder, name));
  return blocks.filter(isProgram).map(block => {
    const path = join(folder, `${block.file.replaceAll(/[^\w]+/g, '-')}-${block.line}`);
    if (block.language === 'ts') writeFileSync(`${path}.mts`, padded(block));
    const url = join(folder, 'told.mjs').replaceAll('\\', '/');
    writeFileSync(
      `${path}.mjs`,
      `import { told as $told } from ${JSON.stringify(`file://${url.startsWith('/') ? '' : '/'}${url}`)};${transpiled(block)}`,
    );
    return { block, path };
  });
}

/** JavaScript in which every statement followed by `// -> text` says what it gives to `$told`. */
function transpiled(block: Block): string {
  const { outputText } = ts.transpileModule(padded(block), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      removeComments: false,
      inlineSourceMap: false,
    },
    fileName: `${block.file}.mts`,
    transformers: {
      before: [context => source => ts.visitEachChild(source, node => tell(node, source, context, block), context)],
    },
  });
  return outputText;
}

/** The text after `// -> ` at the end of the line on which a node ends, or null. */
function expectation(node: ts.Node, source: ts.SourceFile): string | null {
  const rest = source.text.slice(node.end, source.text.indexOf('\n', node.end));
  return /^\s*\/\/ -> (.*)$/.exec(rest)?.[1]?.trimEnd() ?? null;
}

/** The comments of a block that say what is printed. */
const expectationsOf = ({ code, line }: Block): readonly { readonly line: number; readonly text: string }[] =>
  code
    .split('\n')
    .flatMap((text, i) =>
      /\/\/ -> /.test(text) ? [{ line: line + i, text: text.split('// -> ')[1]!.trimEnd() }] : [],
    );

function tell(node: ts.Node, source: ts.SourceFile, context: ts.TransformationContext, block: Block): ts.Node {
  const visited = ts.visitEachChild(node, child => tell(child, source, context, block), context);
  if (!ts.isExpressionStatement(visited)) return visited;
  const text = expectation(node, source);
  if (text === null) return visited;
  const { factory } = context;
  const { line } = source.getLineAndCharacterOfPosition(node.end);
  const { expression } = visited;
  const printed =
    ts.isCallExpression(expression) &&
    ts.isPropertyAccessExpression(expression.expression) &&
    expression.expression.getText(source) === 'console.log';
  const values = printed ? (expression as ts.CallExpression).arguments : [expression];
  const call = factory.createCallExpression(factory.createIdentifier('$told'), undefined, [
    factory.createStringLiteral(`${block.file}:${line + 1}`),
    factory.createStringLiteral(text),
    ...values,
  ]);
  return factory.updateExpressionStatement(visited, call);
}

/** Type errors of all blocks, as `file:line: message`; one program, so that the packages' types are read once. */
export function typeErrors(placed: readonly Placed[]): readonly string[] {
  const files = placed
    .filter(({ block }) => block.language === 'ts')
    .map(({ block, path }) => [`${path}.mts`, block.file] as const);
  const config = ts.readConfigFile(join(root, 'tsconfig.base.json'), path => ts.sys.readFile(path)).config as {
    readonly compilerOptions: object;
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, noEmit: true, isolatedModules: false, erasableSyntaxOnly: false },
    join(root, 'tests'),
  );
  const program = ts.createProgram(
    files.map(([path]) => path),
    options,
  );
  const documents = new Map(files.map(([path, file]) => [ts.sys.resolvePath(path), file]));
  return files.flatMap(([path]) => {
    const source = program.getSourceFile(path)!;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ file, start, messageText }) => {
        const place = file
          ? `${documents.get(ts.sys.resolvePath(file.fileName)) ?? file.fileName}:${file.getLineAndCharacterOfPosition(start ?? 0).line + 1}`
          : path;
        return `${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n  ')}`;
      },
    );
  });
}

interface Said {
  readonly failure?: string;
  readonly seen?: string;
  readonly imported?: true;
}

/** Runs the blocks of one document in order, in one process and an empty folder. @returns one line for each thing that went wrong */
export function failuresOf(placed: readonly Placed[], folder: string, limit = 60_000): Promise<readonly string[]> {
  const cwd = join(folder, `cwd-${placed[0]!.block.file.replaceAll(/[^\w]+/g, '-')}`);
  mkdirSync(cwd);
  const blocks = placed.map(({ block, path }) => [`${path}.mjs`, `${block.file}:${block.line}`]);
  return new Promise(resolve => {
    const child = fork(join(folder, 'runner.mjs'), [JSON.stringify(blocks)], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const failures: string[] = [];
    const seen = new Set<string>();
    let printed = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
    const kill = (why: string) => (): void => {
      failures.push(`${placed[0]!.block.file}: ${why}`);
      child.kill('SIGKILL');
    };
    let timer = setTimeout(kill(`its blocks take longer than ${limit} ms`), limit);
    child.on('message', (said: Said) => {
      if (said.failure !== undefined) failures.push(said.failure);
      if (said.seen !== undefined) seen.add(said.seen);
      if (said.imported === true) {
        clearTimeout(timer);
        timer = setTimeout(kill('its programs do not end: something that they opened is still open'), 5000);
      }
    });
    child.on('close', code => {
      clearTimeout(timer);
      for (const { block } of placed) {
        for (const { line } of expectationsOf(block)) {
          if (!seen.has(`${block.file}:${line}`) && failures.length === 0)
            failures.push(`${block.file}:${line}: the line with // -> never ran, or is no statement of its own`);
        }
      }
      if (code !== 0 && failures.length === 0)
        failures.push(`${placed[0]!.block.file}: its programs ended with ${code}`);
      resolve(failures.length === 0 ? [] : [...failures, `printed:\n${printed.slice(-4000)}`]);
    });
  });
}
