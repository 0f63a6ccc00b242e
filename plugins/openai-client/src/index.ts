/** OpenAI-compatible servers: chat, and completions token by token. */

export { chat, type ChatAnswer, type ChatCall, type ChatMessage } from './chat.js';
export { completions, type Completion, type CompletionCall, type CompletionsOptions } from './completions.js';
export { dialects, type Dialect, type DialectName } from './dialects.js';
export { createServer, type Server, type ServerOptions } from './server.js';
