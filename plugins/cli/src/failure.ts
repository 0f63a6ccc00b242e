/** Errors on their way out: what is printed and with which code the process ends. */

/** 0 is success; 130 is what shells give for Ctrl-C. */
export const exitCodes = { failure: 1, usage: 2, interrupted: 130 } as const;

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly exit: number;
  /** Where it happened, for errors that nobody foresaw. */
  readonly stack: string | null;
}

/** Wrong by the command line alone. */
const usage = new Set(['E_USAGE', 'E_OPTION', 'E_CONFIG']);
const cancelled = new Set(['E_CANCELLED', 'ABORT_ERR']);

export const usageFailure = (message: string): Failure => ({
  code: 'E_USAGE',
  message,
  details: {},
  exit: exitCodes.usage,
  stack: null,
});

/** @param interrupted whether Ctrl-C was pressed: then an aborted call is no failure of its own */
export function failureOf(error: unknown, interrupted: boolean): Failure {
  const { code, message, details, stack, name } = (
    typeof error === 'object' && error !== null ? error : { message: String(error) }
  ) as Partial<{
    code: string;
    message: string;
    details: Readonly<Record<string, unknown>>;
    stack: string;
    name: string;
  }>;
  const words = message ?? String(error);
  if (interrupted && (name === 'AbortError' || cancelled.has(String(code)))) {
    return {
      code: 'E_CANCELLED',
      message: 'stopped, as asked by Ctrl-C.',
      details: {},
      exit: exitCodes.interrupted,
      stack: null,
    };
  }
  if (typeof code === 'string' && code.startsWith('E_')) {
    return {
      code,
      message: words,
      details: details ?? {},
      exit: usage.has(code) ? exitCodes.usage : exitCodes.failure,
      stack: null,
    };
  }
  const missing = missingPackage(error);
  if (missing !== null) {
    return {
      code: 'E_PLUGIN',
      message: `this command: expected the package ${missing}, received none that is installed. Install it: npm install ${missing}`,
      details: { package: missing },
      exit: exitCodes.failure,
      stack: stack ?? null,
    };
  }
  return {
    code: 'E_UNEXPECTED',
    message: `${words}${/[.!?]$/.test(words) ? '' : '.'} This is a mistake in Heddle or in a plugin: please report it with the output of DEBUG=1.`,
    details: typeof code === 'string' ? { code } : {},
    exit: exitCodes.failure,
    stack: stack ?? null,
  };
}

/** `CODE message`, and the stack where it helps. */
export const failureText = ({ code, message, stack }: Failure, debug: boolean): string =>
  `${code} ${message}${debug && stack !== null ? `\n${stack}` : ''}`;

/** One line of JSON. */
export const failureJson = ({ code, message, details }: Failure): string =>
  JSON.stringify({ type: 'error', code, message, details: plain(details) });

/** Details may hold anything: errors, circles. What JSON cannot say is said in words. */
function plain(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => {
      try {
        return [name, JSON.parse(JSON.stringify(value) ?? 'null') as unknown];
      } catch {
        return [name, String(value)];
      }
    }),
  );
}

/** The package that an import did not find, or null for any other error. */
export function missingPackage(error: unknown): string | null {
  if (!(error instanceof Error) || (error as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') return null;
  return /^Cannot find package '((?:@[^/']+\/)?[^/']+)'/.exec(error.message)?.[1] ?? null;
}
