/** A verdict for people: the sentence, the rules, both trees. */

import { sentences, type MathVerdict } from '../grade.js';
import { childrenOf, type Node } from '../tree.js';
import { show } from '../exact/rational.js';

export function explain(verdict: MathVerdict): string {
  const lines = [`${verdict.verdict.toUpperCase()}  ${verdict.reason}`, ''];
  if (verdict.rules.length > 0)
    lines.push('rules', ...verdict.rules.map(rule => `  ${rule.padEnd(20)} ${sentences[rule]}`), '');
  for (const [name, side] of [
    ['reference', verdict.gold],
    ['answer', verdict.answer],
  ] as const) {
    lines.push(`${name}  ${side.text}${side.how === null ? '' : `  (found: ${side.how})`}`);
    if (side.node !== null) lines.push(...treeLines(side.node).map(line => `  ${line}`));
  }
  if (verdict.canonical !== null) lines.push('', `normal form of the answer  ${verdict.canonical}`);
  return lines.join('\n');
}

const mostLines = 60;

function treeLines(node: Node): readonly string[] {
  const lines: string[] = [];
  const visit = (here: Node, indent: string): void => {
    if (lines.length >= mostLines) return;
    lines.push(`${indent}${labelOf(here)}`);
    for (const child of childrenOf(here)) visit(child, `${indent}  `);
  };
  visit(node, '');
  return lines.length >= mostLines ? [...lines, '…'] : lines;
}

function labelOf(node: Node): string {
  switch (node.kind) {
    case 'number':
      return `number ${show(node.value)}${node.decimals === null ? '' : ` (${node.decimals} decimals)`}`;
    case 'symbol':
    case 'constant':
    case 'namedSet':
    case 'call':
    case 'apply':
      return `${node.kind} ${node.name}`;
    case 'text':
      return `text '${node.text}'`;
    case 'quantity':
      return `quantity in ${node.unit}`;
    case 'tuple':
      return `tuple ${node.open} ${node.close}`;
    case 'relation':
      return `relation ${node.ops.join(' ')}`;
    case 'big':
      return `${node.op} over ${node.variable}`;
    case 'based':
      return `${node.digits} in base ${node.base}`;
    case 'setOperation':
      return node.op;
    default:
      return node.kind;
  }
}
