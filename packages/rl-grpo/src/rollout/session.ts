/** What rollouts ask of an engine: paths in a cache that fork and join. The sessions of `@heddle/transformer` are such. */

export interface SessionPath {
  readonly slot: number;
}

export interface SessionFeed<P extends SessionPath> {
  readonly path: P;
  readonly ids: readonly number[];
}

/** What the model expects after a path's last token. */
export interface SessionOutlook {
  /** f32[V] */
  readonly logits: Float32Array;
}

export interface PathSession<P extends SessionPath = SessionPath> {
  readonly slots: number;
  open(slot: number): P;
  /** Another path with the same text so far. */
  fork(path: P): P;
  /** A path that sees what any of these sees, and goes on after the furthest of them. */
  join(paths: readonly P[]): P;
  release(path: P): void;
  feed(feeds: readonly SessionFeed<P>[], signal?: AbortSignal): Promise<readonly SessionOutlook[]>;
}
