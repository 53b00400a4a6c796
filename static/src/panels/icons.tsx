// Line icons of 16 px, drawn here so that no icon font or kit is needed. All are decoration: names are in the text.
import type { ComponentChildren } from "preact";

export function icon(children: ComponentChildren) {
  return () => (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const CloseIcon = icon(<path d="M3.5 3.5l9 9m0-9l-9 9" />);
export const PlusIcon = icon(<path d="M8 2.5v11M2.5 8h11" />);
export const MinusIcon = icon(<path d="M2.5 8h11" />);
export const SearchIcon = icon(<path d="M7 2.500a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.300L14 14" />);
export const TableIcon = icon(<path d="M2 3h12v10H2zM2 6.500h12M2 9.800h12M6 6.500V13" />);
export const LinkIcon = icon(
  <path d="M6.8 9.200a2.6 2.6 0 0 0 3.7 0l2.3-2.300a2.6 2.6 0 0 0-3.7-3.700L8 4.300M9.2 6.800a2.6 2.6 0 0 0-3.7 0L3.2 9.100a2.6 2.6 0 0 0 3.7 3.700L8 11.7" />,
);
export const LayersIcon = icon(<path d="M8 2L14 5.3 8 8.6 2 5.300zM2.6 8.200L8 11.100l5.4-2.900M2.6 11L8 13.900l5.4-2.9" />);
export const FitIcon = icon(<path d="M2.5 5.500v-3h3M10.5 2.500h3v3M13.5 10.500v3h-3M5.5 13.500h-3v-3" />);
export const HomeIcon = icon(<path d="M2.5 7.500L8 2.800l5.5 4.700M4 6.500v7h8v-7M6.7 13.500V9.800h2.600v3.7" />);
export const FoldIcon = icon(<path d="M2.5 2.500h11v11h-11zM6.5 2.500v11M11 6L9 8l2 2" />);
export const UnfoldIcon = icon(<path d="M2.5 2.500h11v11h-11zM6.5 2.500v11M9 6l2 2-2 2" />);
export const HelpIcon = icon(
  <path d="M8 1.800a6.2 6.2 0 1 0 0 12.400A6.2 6.2 0 0 0 8 1.800zM6.2 6.300a1.8 1.8 0 1 1 2.7 1.500c-.6.4-.9.7-.9 1.400M8 11.400v.2" />,
);
export const PersonIcon = icon(<path d="M8 2.300a2.800 2.800 0 1 0 0 5.600 2.800 2.800 0 0 0 0-5.600zM2.800 13.700c.6-2.600 2.700-4 5.200-4s4.600 1.400 5.200 4" />);
export const ThemeIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.7" />
    <path class="filled" d="M8 2.300a5.7 5.7 0 0 1 0 11.400z" />
  </>,
);
