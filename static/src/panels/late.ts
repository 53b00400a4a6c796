// Every part of the page that is loaded later, so that the map does not wait for it. Each is fetched when it is first shown.
import { lazyPart } from "./lazy.tsx";

export const TablePanel = lazyPart(async () => (await import("./TablePanel.tsx")).TablePanel);
export const HelpDialog = lazyPart(async () => (await import("./HelpDialog.tsx")).HelpDialog);
export const RoleDialog = lazyPart(async () => (await import("./RoleDialog.tsx")).RoleDialog);
export const Drawer = lazyPart(async () => (await import("./Drawer.tsx")).Drawer);
export const PlaceLines = lazyPart(async () => (await import("./PlaceLines.tsx")).PlaceLines);
export const Corner = lazyPart(async () => (await import("./Corner.tsx")).Corner);
export const FlowKey = lazyPart(async () => (await import("./FlowKey.tsx")).FlowKey);
export const Readout = lazyPart(async () => (await import("./Corner.tsx")).Readout);
