// Line icons that only the details use: loaded with them.
import { icon } from "./icons.tsx";

export const CopyIcon = icon(<path d="M5.5 5.500h8v8h-8zM10.5 5.500v-3h-8v8h3" />);
export const OpenIcon = icon(<path d="M6.5 3h-4v10.500H13V9.500M9 2.500h4.500V7M13.5 2.500L7.5 8.5" />);
export const BackIcon = icon(<path d="M10 3L5 8l5 5" />);
export const NextIcon = icon(<path d="M6 3l5 5-5 5" />);
