import { appendFileSync } from 'node:fs';

/*
 * Loaded before a relay (`node --import`), to measure it from inside: how much processor time its main thread takes between two
 * turns of the event loop. Time that the machine gives to others does not count. Lines: when, and how many milliseconds.
 */

const file = process.env['LOOP_METER_FILE'];
const worthSayingMs = 10;

if (file !== undefined) {
  let last = process.threadCpuUsage();
  const look = () => {
    const now = process.threadCpuUsage();
    const spentMs = (now.user + now.system - last.user - last.system) / 1000;
    last = now;
    if (spentMs >= worthSayingMs) appendFileSync(file, `${Date.now()} ${spentMs.toFixed(1)}\n`);
  };
  setInterval(look, 1).unref();
}
