/**
 * The time in a clock's registers (MC146818A data sheet, "Time, calendar, and alarm locations").
 *
 * @module
 */

import { RTC, RTC_B } from "./rtc_registers.ts";

/** Milliseconds of a second. */
export const SECOND = 1000;
const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3600;
const MINUTE_SECONDS = 60;
/** Alarm bytes from here on match every value. */
const DONT_CARE = 0xc0;
const AFTERNOON = 0x80;

// A Date to compute with: what it holds between two calls does not matter.
const scratch = new Date(0);

/** A register of the time at so many milliseconds since 1970, by the modes in register B. */
export function timeRegister(index: number, time: number, b: number): number {
  scratch.setTime(time);
  switch (index) {
    case RTC.SECONDS:
      return encode(scratch.getUTCSeconds(), b);
    case RTC.MINUTES:
      return encode(scratch.getUTCMinutes(), b);
    case RTC.HOURS:
      return encodeHours(scratch.getUTCHours(), b);
    case RTC.DAY_OF_WEEK:
      return encode(scratch.getUTCDay() + 1, b);
    case RTC.DAY_OF_MONTH:
      return encode(scratch.getUTCDate(), b);
    case RTC.MONTH:
      return encode(scratch.getUTCMonth() + 1, b);
    case RTC.YEAR:
      return encode(modulo(scratch.getUTCFullYear(), 100), b);
    default:
      return encode(modulo(Math.floor(scratch.getUTCFullYear() / 100), 100), b);
  }
}

/** Whether a register holds a part of the time. */
export function isTime(index: number): boolean {
  return index === RTC.CENTURY ||
    (index <= RTC.YEAR && index !== RTC.SECONDS_ALARM && index !== RTC.MINUTES_ALARM &&
      index !== RTC.HOURS_ALARM);
}

/** The registers that together make the time; the day of the week follows from them. */
export const timeIndices: readonly number[] = [
  RTC.SECONDS,
  RTC.MINUTES,
  RTC.HOURS,
  RTC.DAY_OF_WEEK,
  RTC.DAY_OF_MONTH,
  RTC.MONTH,
  RTC.YEAR,
  RTC.CENTURY,
];

/**
 * The time that the registers say, in milliseconds since 1970, whole seconds. What can't be, a 31st
 * of February, runs over into what follows.
 */
export function timeOf(registers: Uint8Array, b: number): number {
  const value = (index: number) => decode(registers[index]!, b);
  scratch.setTime(0);
  scratch.setUTCFullYear(
    value(RTC.CENTURY) * 100 + value(RTC.YEAR),
    value(RTC.MONTH) - 1,
    value(RTC.DAY_OF_MONTH),
  );
  const hours = decodeHours(registers[RTC.HOURS]!, b);
  return scratch.getTime() +
    ((hours * 60 + value(RTC.MINUTES)) * 60 + value(RTC.SECONDS)) * SECOND;
}

/**
 * The first second after a given one, both since 1970, that the alarm's registers match; Infinity if
 * they match none.
 */
export function nextAlarm(second: number, registers: Uint8Array, b: number): number {
  const hours = registers[RTC.HOURS_ALARM]!;
  const minutes = registers[RTC.MINUTES_ALARM]!;
  const seconds = registers[RTC.SECONDS_ALARM]!;
  const midnight = Math.floor((second + 1) / DAY_SECONDS) * DAY_SECONDS;
  let at = second + 1 - midnight;
  // Each step ends an hour, a minute or a second that does not match: some 150 at most.
  for (const end = at + DAY_SECONDS; at < end;) {
    const hour = Math.floor(at / HOUR_SECONDS);
    const minute = Math.floor(at / MINUTE_SECONDS);
    if (hours < DONT_CARE && hours !== encodeHours(hour % 24, b)) at = (hour + 1) * HOUR_SECONDS;
    else if (minutes < DONT_CARE && minutes !== encode(minute % 60, b)) {
      at = (minute + 1) * MINUTE_SECONDS;
    } else if (seconds < DONT_CARE && seconds !== encode(at % 60, b)) at++;
    else return midnight + at;
  }
  return Infinity;
}

/** The remainder that has the divisor's sign. */
export function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

function encode(value: number, b: number): number {
  return (b & RTC_B.BINARY) !== 0 ? value : Math.floor(value / 10) << 4 | value % 10;
}

function decode(byte: number, b: number): number {
  return (b & RTC_B.BINARY) !== 0 ? byte : (byte >> 4) * 10 + (byte & 0x0f);
}

function encodeHours(hours: number, b: number): number {
  if ((b & RTC_B.HOURS_24) !== 0) return encode(hours, b);
  return encode(hours % 12 === 0 ? 12 : hours % 12, b) | (hours >= 12 ? AFTERNOON : 0);
}

function decodeHours(byte: number, b: number): number {
  if ((b & RTC_B.HOURS_24) !== 0) return decode(byte, b);
  return decode(byte & ~AFTERNOON, b) % 12 + ((byte & AFTERNOON) !== 0 ? 12 : 0);
}
