// A service beside the shop that keeps the stock up: it reads the log, keeps a
// view of its own (what is in stock), and where little is left it appends a
// delivery. It needs Node 18 and nothing else.
//
//     TOKEN=… node reorder.mjs http://127.0.0.1:8080/events STATE.json
//
// It may be killed at any moment, and so may nginx: nothing is lost and nothing
// happens twice. Two rules see to it:
//
// 1. What it decides follows from the log alone, event by event, and the id of
//    what it appends is made of the event that was the reason. Deciding again
//    gives the same id, and the log takes an id once.
// 2. Its view and its position are one file, replaced as a whole, and only after
//    what was decided up to there is in the log.

import { createHash } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const LOW = 5;       // fewer pieces than that:
const BATCH = 20;    // so many more
const RETRY_MS = 300;

const [url, file] = process.argv.slice(2);
if (!url || !file || !process.env.TOKEN) {
    console.error('usage: TOKEN=… node reorder.mjs EVENTS_URL STATE_FILE');
    process.exit(2);
}
const authorization = `Bearer ${process.env.TOKEN}`;

// --- the view: stock by sku, and the delivery that each product waits for

const nothing = () => ({ position: null, stock: {}, awaited: {} });

async function load() {
    try {
        return JSON.parse(await readFile(file, 'utf8'));
    } catch (error) {
        if (error.code === 'ENOENT') return nothing();
        throw error;
    }
}

async function save(state) {
    const out = await open(`${file}.new`, 'w');
    await out.writeFile(JSON.stringify(state));
    await out.sync();
    await out.close();
    await rename(`${file}.new`, file);
}

// What an event does to stocks, as [sku, pieces] pairs. One that was forgotten
// (`kappa forget`) has no data, and does nothing here nor in kappa's views.
function changes({ thing, verb, key, data, row }) {
    if (data === null) return [];
    switch (`${thing}.${verb}`) {
    case 'Product.offered': return [[key, data.stock ?? 0]];
    case 'Product.delivered': return [[key, data.count]];
    case 'Order.placed': return data.lines.map((l) => [l.sku, -l.count]);
    case 'Order.cancelled': return (row?.lines ?? []).map((l) => [l.sku, l.count]);
    default: return [];
    }
}

// A UUID that says: because of this event, for this product.
function idOf(event, sku) {
    const hex = createHash('sha1').update(`${event.id} ${sku}`).digest('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`,
        `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

// Takes an event into the view; returns what is to be appended.
function take(state, event) {
    const changed = changes(event);
    const wanted = [];
    for (const [sku, pieces] of changed) {
        state.stock[sku] = (state.stock[sku] ?? 0) + pieces;
        if (state.awaited[sku] === event.id) delete state.awaited[sku];
    }
    for (const sku of new Set(changed.map(([name]) => name))) {
        if (state.stock[sku] >= LOW || state.awaited[sku]) continue;
        const id = idOf(event, sku);
        state.awaited[sku] = id;
        wanted.push({ id, thing: 'Product', verb: 'delivered', key: sku,
            data: { sku, count: BATCH } });
    }
    state.position = event.position;
    return wanted;
}

// --- the log, in and out

// Until the log has them: an id that is there already counts as appended.
async function append(events) {
    const body = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    for (;;) {
        const answer = await fetch(url, { method: 'POST', body,
            headers: { authorization, 'content-type': 'application/x-ndjson' } })
            .then(async (r) => ({ status: r.status, said: await r.json() }))
            .catch((error) => ({ status: 0, said: error.message }));
        if (answer.status === 200) return answer.said;
        if (answer.status >= 400 && answer.status < 500) {
            throw new Error(`refused: ${JSON.stringify(answer.said)}`);
        }
        await sleep(RETRY_MS);
    }
}

// The events of a stream, as many at a time as have come.
async function* batches(stream) {
    const decoder = new TextDecoder();
    let text = '';
    for await (const bytes of stream) {
        text += decoder.decode(bytes, { stream: true });
        const messages = text.split('\n\n');
        text = messages.pop();
        const events = messages
            .map((message) => message.split('\n')
                .filter((line) => line.startsWith('data:'))
                .map((line) => line.slice(5)).join('\n'))
            .filter((data) => data !== '')
            .map((data) => JSON.parse(data));
        if (events.length) yield events;
    }
}

async function follow(state) {
    const headers = { authorization, accept: 'text/event-stream' };
    if (state.position) headers['last-event-id'] = state.position;
    const answer = await fetch(url, { headers });
    if (answer.status === 410) {
        console.log('this is another log: beginning anew');
        return nothing();
    }
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    for await (const events of batches(answer.body)) {
        const wanted = events.flatMap((event) => take(state, event));
        if (wanted.length) {
            const { appended } = await append(wanted);
            for (const { key, data } of wanted) {
                console.log(`${key}: low, ${data.count} more`
                    + (appended ? '' : ' (known already)'));
            }
        }
        await save(state);
    }
    return state;
}

for (;;) {
    // After a break from what was saved: what was read since is read again.
    const state = await load();
    try {
        const next = await follow(state);
        if (!next.position) await save(next);
    } catch (error) {
        console.error(error.cause?.code ?? error.message);
    }
    await sleep(RETRY_MS);
}
