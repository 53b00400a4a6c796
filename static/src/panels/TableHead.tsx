// The head of a column: a button that sorts by it, up, down and not at all.
import type { Sort } from "../rows.ts";

interface Props {
  column: { key: string; title: string; numeric: boolean };
  sort: Sort;
  setSort: (sort: Sort) => void;
}

export function TableHead({ column, sort, setSort }: Props) {
  const mine = sort?.by === column.key;
  const direction = mine ? (sort.descending ? "descending" : "ascending") : undefined;
  const next: Sort = !mine
    ? { by: column.key, descending: false }
    : sort.descending
      ? null
      : { by: column.key, descending: true };
  return (
    <th scope="col" class={column.numeric ? "number" : ""} aria-sort={direction}>
      <button type="button" onClick={() => setSort(next)}>
        {column.title}
        <span class="arrow" aria-hidden="true">
          {mine ? (sort.descending ? "↓" : "↑") : ""}
        </span>
      </button>
    </th>
  );
}
