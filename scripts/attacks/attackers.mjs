/**
 * One attack, run as a process of its own: `attackers.mjs NAME URL SECONDS CAPACITY`; prints what came of it as JSON.
 *
 * All come from many loopback addresses, as from many machines, and not from the visitors' (127.0.0.1).
 */
import { Agent, get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../benchmark/statistics.mjs';

const [name, address, duration, capacity] = process.argv.slice(2);
const url = new URL(address);
const seconds = Number(duration);
const endsAtMs = performance.now() + seconds * 1000;
const largePage = '/echo?pad=8000000';

const attacks = { crash, readers, streams, uploads, overload };
console.log(JSON.stringify(await attacks[name]()));
// Connections that nobody reads stay open until then.
process.exit();

/** A page that ends its process, once a second. With code 3 gunicorn would take it for a failed start, and give up. */
async function crash() {
  let asked = 0;
  for (; performance.now() < endsAtMs; asked += 1) {
    get(new URL('/crash?code=1', url), { agent: false, localAddress: attacker(asked) }, (response) =>
      response.resume(),
    ).once('error', ignore);
    await pause(1000);
  }
  return { asked };
}

/** 300 clients ask for a page of 8 MB, and read nothing. */
async function readers() {
  for (let n = 0; n < 300; n += 1) {
    rawConnection(n).write(`GET ${largePage} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }
  await pause(endsAtMs - performance.now());
  return { connections: 300 };
}

/** 8 connections of HTTP/2 with 100 streams, each of them a page of 8 MB that is not taken. */
async function streams() {
  for (let n = 0; n < 8; n += 1) {
    const session = connectHttp2(url, { localAddress: attacker(n), rejectUnauthorized: false });
    session.on('error', ignore);
    for (let stream = 0; stream < 100; stream += 1)
      session.request({ ':path': largePage }).on('error', ignore).pause();
  }
  await pause(endsAtMs - performance.now());
  return { connections: 8, streams: 800 };
}

/** 950 uploads of which a byte comes every five seconds. */
async function uploads() {
  const sockets = Array.from({ length: 950 }, (_, n) => rawConnection(n));
  for (const socket of sockets) {
    socket.write('POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n');
  }
  while (performance.now() < endsAtMs) {
    await pause(5000);
    for (const socket of sockets) if (socket.writable) socket.write('x');
  }
  return { connections: 950, open: sockets.filter(({ writable }) => writable).length };
}

/** Ten times as many pages as the application can make; those that wait for more than ten seconds give up. */
async function overload() {
  const agent = new Agent({ keepAlive: true });
  const answers = new Map();
  const asked = [];
  const everyMs = 1000 / (10 * Number(capacity));
  for (let dueAtMs = performance.now(); dueAtMs < endsAtMs; dueAtMs += everyMs) {
    const early = dueAtMs - performance.now();
    if (early > 1) await pause(early);
    asked.push(ask(agent, asked.length, answers));
  }
  await Promise.all(asked);
  const told = [...answers].map(([status, times]) => [
    status,
    { times: times.length, p50Ms: rounded(percentile(times, 50)), p99Ms: rounded(percentile(times, 99)) },
  ]);
  return { asked: asked.length, ...Object.fromEntries(told) };
}

function ask(agent, n, answers) {
  const beganAtMs = performance.now();
  return new Promise((resolve) => {
    const note = (outcome) => {
      if (!answers.has(outcome)) answers.set(outcome, []);
      answers.get(outcome).push(performance.now() - beganAtMs);
      resolve();
    };
    const options = { agent, localAddress: attacker(n), signal: AbortSignal.timeout(10_000) };
    get(new URL('/slow?ms=200', url), options, (response) => {
      response.resume().once('end', () => note(response.statusCode));
      response.once('error', () => note('cut'));
    }).once('error', ({ name: kind }) => note(kind === 'AbortError' ? 'no answer' : 'refused'));
  });
}

function rawConnection(n) {
  const socket = connect({ host: url.hostname, port: Number(url.port), localAddress: attacker(n) });
  socket.on('error', ignore);
  return socket;
}

function attacker(n) {
  return `127.0.${1 + (Math.floor(n / 250) % 4)}.${1 + (n % 250)}`;
}

/** To be cut is what an attacker expects. */
function ignore() {}

function rounded(milliseconds) {
  return Number(milliseconds.toFixed(1));
}
