/**
 * Linux: its bzImage, and what it is given by whichever protocol.
 *
 * @module
 */

export { isBzImage } from "./bzimage.ts";
export { planLinux } from "./load.ts";
export { putCommandLine, putInitrd } from "./parameters.ts";
export { type LinuxParts, putZeroPage } from "./zero_page.ts";
