/** A server as the teacher of a cold start. */

import { chat, createServer, type ServerOptions } from '@heddle/openai-client';
import { askedTeacher, type Teacher } from '@heddle/rl-grpo';

/** @throws E_CONFIG for an address that cannot be */
export function teacherOver(options: ServerOptions): () => Teacher {
  const server = createServer(options);
  const teacher = askedTeacher(
    async (content, signal) => (await chat(server, { messages: [{ role: 'user', content }], signal })).text,
  );
  return () => teacher;
}
