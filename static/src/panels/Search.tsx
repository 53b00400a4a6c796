// Search over places, stations and grid references: a combobox with a list (ARIA 1.2).
import { useEffect, useRef, useState } from "preact/hooks";
import { choose, reason, say, track } from "../actions.ts";
import { type SearchResult, search } from "../api/client.ts";
import { plural } from "../format.ts";
import { CloseIcon, SearchIcon } from "./icons.tsx";

const ASK_AFTER_MS = 120;

interface Found {
  text: string;
  results: SearchResult[];
  failure: string | null;
}

export function Search() {
  const input = useRef<HTMLInputElement>(null);
  const asking = useRef<AbortController | null>(null);
  const [text, setText] = useState("");
  const [found, setFound] = useState<Found | null>(null);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  // What was taken from the list: it is an answer and no question.
  const taken = useRef("");
  const wanted = text.trim();

  useEffect(() => {
    asking.current?.abort();
    if (!wanted || wanted === taken.current) {
      setFound(null);
      return undefined;
    }
    const timer = setTimeout(() => void ask(wanted), ASK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [wanted]);

  async function ask(words: string): Promise<SearchResult[]> {
    asking.current?.abort();
    const mine = new AbortController();
    asking.current = mine;
    try {
      const results = await track(search(words, mine.signal));
      setFound({ text: words, results, failure: null });
      setActive(-1);
      say(results.length === 0 ? `Nothing found for ${words}` : plural(results.length, "result"));
      return results;
    } catch (fault) {
      if (!mine.signal.aborted) {
        setFound({ text: words, results: [], failure: reason(fault) });
        say("The search failed");
      }
      return [];
    }
  }

  function take(result: SearchResult, byKeyboard: boolean): void {
    taken.current = result.label;
    setText(result.label);
    setOpen(false);
    setActive(-1);
    choose(result, byKeyboard);
    if (!byKeyboard) input.current?.blur();
  }

  async function enter(): Promise<void> {
    const here = found?.text === wanted ? found.results : await ask(wanted);
    const result = here[Math.max(active, 0)];
    if (result) take(result, true);
    else setOpen(true);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const results = found?.results ?? [];
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && results.length > 0) {
      event.preventDefault();
      setOpen(true);
      // One place more than there are results: the input itself.
      const places = results.length + 1;
      setActive((at) => ((at + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter" && wanted) {
      event.preventDefault();
      void enter();
    } else if (event.key === "Escape" && (text !== "" || open)) {
      event.preventDefault();
      if (open && found) setOpen(false);
      else setText("");
    }
  }

  const shown = open && wanted !== "" && found !== null;
  return (
    <search class="search">
      <SearchIcon />
      <input
        ref={input}
        id="search"
        type="text"
        role="combobox"
        aria-label="Search"
        aria-autocomplete="list"
        aria-expanded={shown && found.results.length > 0}
        aria-controls="search-results"
        aria-activedescendant={shown && active >= 0 ? `search-result-${active}` : undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder="Place, station, code or grid reference"
        value={text}
        onInput={(event) => {
          taken.current = "";
          setText(event.currentTarget.value);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      {text !== "" && (
        <button
          type="button"
          class="bare"
          aria-label="Clear the search"
          onClick={() => {
            setText("");
            input.current?.focus();
          }}
        >
          <CloseIcon />
        </button>
      )}
      <div class="results" hidden={!shown}>
        <ul id="search-results" role="listbox" aria-label="Results">
          {found?.results.map((result, index) => (
            <li
              key={`${result.collection}:${result.id ?? result.label}`}
              id={`search-result-${index}`}
              role="option"
              aria-selected={index === active}
              // Not on click: the input would lose the focus before, and the list would be gone.
              onPointerDown={(event) => {
                event.preventDefault();
                take(result, false);
              }}
            >
              <span class="label">{emphasised(result.label, wanted)}</span>
              <span class="detail">{result.detail}</span>
            </li>
          ))}
        </ul>
        {found && found.results.length === 0 && <p class="none">{nothing(found)}</p>}
      </div>
    </search>
  );
}

function nothing(found: Found): string {
  if (found.failure) return `The search failed: ${found.failure}. The map and the table still work.`;
  return `Nothing is called “${found.text}”. Try a shorter word, a station code such as WAT, or a grid reference such as SU 64 00.`;
}

/** The label with the part that was typed set apart. */
function emphasised(label: string, typed: string) {
  const at = label.toLowerCase().indexOf(typed.toLowerCase());
  if (at < 0) return label;
  const end = at + typed.length;
  return (
    <>
      {label.slice(0, at)}
      <b>{label.slice(at, end)}</b>
      {label.slice(end)}
    </>
  );
}
