// crowd.mjs URL MASTER COUNT: COUNT subscribers of each of two clients to
// events (none may be lost or doubled) and as many to a live field (it must
// come to its last value), while nginx, whose master has that pid, is reloaded and one
// of its workers is killed. Prints what they missed as one JSON object.
import { readFileSync } from 'node:fs';
import { events, socket } from './kinds.mjs';
import { graphql } from './browser.mjs';
import { resumable } from '../../examples/clients/resume.mjs';

const [url, master, count] = process.argv.slice(2);
const EVENTS = 'subscription { reported(package: "bash") { id } }';
const LIVE = 'subscription { package(name: "bash") { installs } }';
const MUTATION
  = 'mutation { report(package: "bash", kind: INSTALLED) { id } }';
const MUTATIONS = 60;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const made = []; // ids, in order
const errors = [];
let last = 0; // installs
const crowd = [];

function join(kind, make, live) {
  const member = { kind, live, got: [], reconnects: 0 };
  const plain = make(url);
  plain.on?.('connected', (_, __, retry) => { member.reconnects += !!retry; });
  // A live field needs no help of ours.
  (live ? plain : resumable(plain)).subscribe({ query: live ? LIVE : EVENTS }, {
    next({ data, errors: bad }) {
      if (bad) errors.push(bad);
      else if (live) member.got = [data.package.installs];
      else member.got.push(data.reported.id);
    },
    error: (error) => errors.push(
      `${kind}: ${JSON.stringify(error)} ${error?.message ?? error}`),
    complete: () => errors.push(`${kind}: completed`),
  });
  member.close = () => plain.dispose();
  crowd.push(member);
}

// A mutation of ours must not be lost or made twice either: its key says which
// it is when the answer does not come.
async function report() {
  const key = `"${Math.random()}"`;
  for (;;) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
        body: JSON.stringify({ query: MUTATION }),
      });
      const { data, errors: bad } = await response.json();
      if (data?.report) {
        made.push(data.report.id);
        return;
      }
      if (response.status !== 503) errors.push(JSON.stringify(bad));
    } catch { /* the worker went */ }
    await pause(20);
  }
}

const workers = () => readFileSync(`/proc/${master}/task/${master}/children`,
  'utf8').trim().split(' ').map(Number);

async function until(condition, seconds) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (condition()) return true;
    await pause(20);
  }
  return false;
}

// What a member of the events has is the end of all of them, in order.
const whole = ({ live, got }) => (live ? got[0] === last
  : got.length > 0 && got.join() === made.slice(-got.length).join());

for (let i = 0; i < count; i++) {
  for (const live of [false, true]) {
    join('graphql-ws', socket, live);
    join('graphql-sse', events, live);
  }
}
// All have joined when all have heard of something.
for (let i = 0; i < 100 && !crowd.every(({ got }) => got.length > 0); i++) {
  await report();
  await pause(50);
}
const joined = crowd.filter(({ got }) => got.length > 0).length;
for (let i = 0; i < MUTATIONS; i++) {
  if (i === 15) process.kill(Number(master), 'SIGHUP');
  if (i === 40) process.kill(workers().at(-1), 'SIGKILL');
  await report();
  await pause(25);
}
const state = await graphql(url, '{ package(name: "bash") { installs } }');
last = state.data.package.installs;
await until(() => crowd.every(whole), 20);
const wrong = crowd.filter((member) => !whole(member));
console.log(JSON.stringify({
  members: crowd.length,
  joined,
  made: made.length,
  installs: last,
  reconnects: crowd.reduce((sum, member) => sum + member.reconnects, 0),
  wrong: wrong.map(({ kind, live, got }) => `${kind} ${live ? 'live' : 'events'}`
    + ` has ${got.length}: ${live ? got : got.filter(
      (id, i, all) => all.indexOf(id) !== i).length + ' twice, ' + made.slice(
      made.indexOf(got[0])).filter((id) => !got.includes(id)).length
      + ' missing'}`).slice(0, 10),
  errors: errors.slice(0, 5),
}));
crowd.forEach(({ close }) => close());
process.exit(0);
