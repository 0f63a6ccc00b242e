/** @param products [n][n] inner products; @returns [n][n] cosines, 0 beside a vector that is nothing */
export const cosinesOf = (products: readonly (readonly number[])[]): readonly (readonly number[])[] =>
  products.map((row, i) =>
    row.map((x, j) => {
      const size = Math.sqrt(products[i]![i]! * products[j]![j]!);
      return size === 0 ? 0 : x / size;
    }),
  );
