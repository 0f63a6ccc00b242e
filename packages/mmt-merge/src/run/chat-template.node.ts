/** Chat templates: what the recipe says, or what most inputs have. */

import { fail } from '@heddle/core';
import type { Checkpoint } from '../checkpoint/open.node.js';
import { templateOf } from './template-of.node.js';
import type { Step } from './prepare.node.js';

/** The formats of well-known chat models, written for this project in Jinja. */
const known: Readonly<Record<string, string>> = {
  chatml: "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
  alpaca: "{% for message in messages %}{% if message['role'] == 'user' %}### Instruction:\n{{ message['content'] }}\n\n{% elif message['role'] == 'assistant' %}### Response:\n{{ message['content'] }}{{ eos_token }}\n\n{% else %}{{ message['content'] }}\n\n{% endif %}{% endfor %}{% if add_generation_prompt %}### Response:\n{% endif %}",
  llama3: "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n{{ message['content'] | trim }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
  mistral: "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %} {{ message['content'] }}{{ eos_token }}{% else %}[INST] {{ message['content'] }} [/INST]{% endif %}{% endfor %}",
  exaone: "{% for message in messages %}[|{{ message['role'] }}|]{{ message['content'] }}{% if message['role'] == 'user' %}\n{% else %}[|endofturn|]\n{% endif %}{% endfor %}{% if add_generation_prompt %}[|assistant|]{% endif %}",
}; // prettier-ignore

/** @returns null where the files of the donor are left as they are */
export async function chatTemplate(
  { recipe, at, titles }: Step,
  checkpoints: ReadonlyMap<string, Checkpoint>,
): Promise<string | null> {
  const said = recipe.chat_template;
  if (said === undefined || said === null) return null;
  if (said === 'auto') {
    const counts = new Map<string, number>();
    for (const title of titles) {
      const folder = checkpoints.get(title)?.folder;
      const template = folder ? await templateOf(folder) : null;
      if (template !== null) counts.set(template, (counts.get(template) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
  }
  if (Object.hasOwn(known, said)) return known[said]!;
  if (said.length >= 20 && said.includes('{')) return said;
  return fail('E_RECIPE', `${at(['chat_template'])}: chat_template: expected auto, ${Object.keys(known).join(', ')} or Jinja, received ${JSON.stringify(said)}. Correct the recipe.`, { value: said }); // prettier-ignore
}
