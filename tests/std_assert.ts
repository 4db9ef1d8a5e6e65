/**
 * The assertions of Deno's standard library, from their mirror on npm, which has no types: those of
 * the functions used here stand in the declaration file beside this one.
 *
 * @module
 */

// @ts-types="./std_assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
