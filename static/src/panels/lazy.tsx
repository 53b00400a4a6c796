// A part of the page that is loaded when it is first shown.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { fail, recover, track } from "../actions.ts";

export function lazyPart(load: () => Promise<ComponentType>): ComponentType {
  let found: ComponentType | null = null;
  return function Lazy() {
    const [, redraw] = useState(false);
    useEffect(() => {
      if (found) return;
      track(load()).then(
        (part) => {
          found = part;
          recover("part");
          redraw(true);
        },
        () => fail("part", "A part of this page could not be loaded. Load the page again to get it."),
      );
    }, []);
    const Part = found;
    return Part ? <Part /> : null;
  };
}
