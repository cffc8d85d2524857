// native.mjs BASE MASTER: what Chromium's own EventSource and WebSocket make of
// us, as one JSON object. The EventSource has to live through a reload of
// nginx, whose master has that pid, and through the death of all its workers.
import { readFileSync } from 'node:fs';
import { graphql, open } from './browser.mjs';

const [base, master] = process.argv.slice(2);
const url = `${base}/graphql`;
const MUTATION
  = 'mutation { report(package: "bash", kind: INSTALLED) { id } }';

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const made = [];

// A refused one (the worker went before it answered) is asked for again.
async function report() {
  const key = `"${Math.random()}"`;
  for (;;) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify({ query: MUTATION }),
    }).then((response) => response.json()).catch(() => ({}));
    if (answer.data?.report) return made.push(answer.data.report.id);
    await pause(20);
  }
}

// Runs in the page.
function listen() {
  window.seen = { got: [], ids: [], opens: 0 };
  const query = 'subscription { reported(package: "bash") { id } }';
  const source = new EventSource(
    `/graphql?query=${encodeURIComponent(query)}`);
  source.addEventListener('open', () => { window.seen.opens += 1; });
  source.addEventListener('next', ({ data, lastEventId }) => {
    window.seen.got.push(JSON.parse(data).data.reported.id);
    window.seen.ids.push(lastEventId);
  });
}

async function eventSource(page) {
  const seen = () => page.evaluate(() => window.seen);
  const until = async (condition) => {
    for (const end = Date.now() + 20000; Date.now() < end; await pause(50)) {
      if (condition(await seen())) return;
    }
  };
  const caughtUp = ({ got }) => got.at(-1) === made.at(-1);
  const workers = () => readFileSync(
    `/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ');

  await page.evaluate(listen);
  await until(({ opens }) => opens === 1);
  await report();
  await until(caughtUp);
  // What is reported while the browser waits with coming back is not lost.
  process.kill(Number(master), 'SIGHUP');
  await pause(500);
  for (let i = 0; i < 5; i++) await report();
  await until((now) => now.opens === 2 && caughtUp(now));
  workers().forEach((pid) => process.kill(Number(pid), 'SIGKILL'));
  for (let i = 0; i < 5; i++) await report();
  await until((now) => now.opens === 3 && caughtUp(now));
  return { ...await seen(), made };
}

// Runs in the page.
function talk() {
  return new Promise((resolve) => {
    const heard = [];
    const socket = new WebSocket(
      `ws://${location.host}/graphql`, 'graphql-transport-ws');
    const say = (message) => socket.send(JSON.stringify(message));
    socket.onopen = () => say({ type: 'connection_init' });
    socket.onclose = ({ code, reason }) => resolve({ heard, code, reason });
    socket.onmessage = ({ data }) => {
      const { type, payload } = JSON.parse(data);
      heard.push(type === 'next' ? payload.data : type);
      if (type === 'connection_ack') {
        say({
          id: '1',
          type: 'subscribe',
          payload: { query: '{ package(name: "bash") { size } }' },
        });
      } else if (type === 'complete') {
        say({ type: 'nonsense' });
      }
    };
  });
}

async function visit(page) {
  await page.goto(`${base}/ok`);
  const state = await graphql(url, '{ package(name: "bash") { name } }');
  return {
    state,
    webSocket: await page.evaluate(talk),
    eventSource: await eventSource(page),
  };
}

console.log(JSON.stringify(await open(visit)));
