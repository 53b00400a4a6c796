// Modules that the build makes: addresses of built files.
declare module "virtual:land" {
  export const low: string;
  export const full: string;
}
