/** A turn of the event loop. */
export const breath = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));
