/** How people announce an answer. */

/** From here on the answer follows; the last one in a text counts. */
export const announcements: readonly RegExp[] = [
  /####\s*/g,
  /\bfinal\s+answer\b[*\s]*(?:is|are|:|：|=)?[*:：\s]*/gi,
  /\b(?:the\s+)?(?:correct\s+)?(?:answer|option|choice|solution|result)\s*(?:is|are|:|：|=)(?:\s*(?:therefore|thus|simply|exactly|then|equal to|given by))?[*:：\s]*/gi,
  /答案(?:是|为|為|：|:|应为)\s*/g, // Chinese
  /(?:答えは|解答は|正解は|答え[:：])\s*/g, // Japanese
  /(?:정답은|답은|답[:：])\s*/g, // Korean
  /\bla\s+respuesta(?:\s+final|\s+correcta)?\s+es\s*:?\s*/gi, // Spanish
  /\bla\s+r[ée]ponse(?:\s+finale)?\s+est\s*:?\s*/gi, // French
  /\bdie\s+(?:endgültige\s+)?antwort\s+(?:ist|lautet)\s*:?\s*/gi, // German
  /\ba\s+resposta(?:\s+final|\s+correta)?\s+é\s*:?\s*/gi, // Portuguese
  /\bla\s+risposta(?:\s+finale)?\s+è\s*:?\s*/gi, // Italian
  /ответ\s*[:—-]?\s*/gi, // Russian
  /\bđáp\s+án\s+(?:là|:)\s*/gi, // Vietnamese
];

/** A word that each of them has: one quick look instead of many. */
export const anyAnnouncement =
  /####|answer|option|choice|solution|result|答|解は|解答|답|respuesta|r[ée]ponse|antwort|resposta|risposta|ответ|đáp/i;

/** What ends a reasoning: only what follows counts. */
export const reasoningEnds: readonly string[] = ['</think>', '</thinking>', '</reasoning>'];

/** Marks after which a model talks to itself about the next question. */
export const turnEnds = /<\|(?:im_end|endoftext|eot_id|end_of_text|end|im_start)\|>|<\/s>|<｜end▁of▁sentence｜>/;
