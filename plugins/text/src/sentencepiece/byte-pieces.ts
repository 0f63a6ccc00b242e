/** Pieces that stand for one byte: `<0x00>` to `<0xFF>`. */

export const bytePiece = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;

export const isBytePiece = (text: string): boolean => /^<0x[0-9A-F]{2}>$/.test(text);

/** The byte of such a piece. */
export const byteOf = (text: string): number => Number.parseInt(text.slice(3, 5), 16);
