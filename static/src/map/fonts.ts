// Font files of the map's names: the same files as the page's, so that each is fetched once.
import latin400 from "@fontsource/inter/files/inter-latin-400-normal.woff2?url";
import latin500 from "@fontsource/inter/files/inter-latin-500-normal.woff2?url";
import latin600 from "@fontsource/inter/files/inter-latin-600-normal.woff2?url";
import more400 from "@fontsource/inter/files/inter-latin-ext-400-normal.woff2?url";
import more500 from "@fontsource/inter/files/inter-latin-ext-500-normal.woff2?url";
import more600 from "@fontsource/inter/files/inter-latin-ext-600-normal.woff2?url";
import type { StyleSpecification } from "maplibre-gl";
import { MEDIUM, REGULAR, SEMIBOLD } from "./parts.ts";

const LATIN = ["U+0-FF", "U+2000-206F", "U+2122", "U+2212"];
/** Welsh and Gaelic letters beyond Latin-1: ŵ, ŷ and their like. */
const MORE = ["U+100-2FF", "U+1E00-1EFF"];

export function fontFaces(): NonNullable<StyleSpecification["font-faces"]> {
  const face = (latin: string, more: string): { url: string; "unicode-range": string[] }[] => [
    { url: new URL(latin, location.href).href, "unicode-range": LATIN },
    { url: new URL(more, location.href).href, "unicode-range": MORE },
  ];
  return { [REGULAR]: face(latin400, more400), [MEDIUM]: face(latin500, more500), [SEMIBOLD]: face(latin600, more600) };
}
