// graphiql.mjs URL: types a query and a subscription into GraphiQL, runs them,
// makes a mutation, and prints what was seen as one JSON object.
import { graphql, open } from './browser.mjs';

const url = process.argv[2];
const QUERY = '{ package(name: "bash") { size } }';
const SUBSCRIPTION = 'subscription { package(name: "bash") { installs } }';
const MUTATION = 'mutation { report(package: "bash", kind: INSTALLED) { id } }';

// Types into the query editor and presses the button's key.
async function run(page, text) {
  await page.click('.graphiql-query-editor .CodeMirror');
  await page.keyboard.down('Control');
  await page.keyboard.press('KeyA');
  await page.keyboard.up('Control');
  await page.keyboard.type(text);
  await page.keyboard.press('Escape'); // the list of completions
  await page.keyboard.down('Control');
  await page.keyboard.press('Enter');
  await page.keyboard.up('Control');
}

function textOf(page, pane) {
  return page.$eval(`${pane} .CodeMirror`, (at) => at.CodeMirror.getValue());
}

// The result pane's data, once the condition holds for it.
async function result(page, condition) {
  let text;
  for (const end = Date.now() + 15000; Date.now() < end;) {
    text = await textOf(page, '.result-window');
    const data = text.startsWith('{') && JSON.parse(text).data;
    if (data && condition(data.package)) return data.package;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
  const query = await textOf(page, '.graphiql-query-editor');
  throw new Error(`no such result of\n${query}\nbut\n${text}`);
}

async function visit(page, seen) {
  await page.goto(url);
  await page.waitForSelector('.graphiql-query-editor .CodeMirror');
  await run(page, QUERY);
  const query = await result(page, ({ size }) => size !== undefined);
  await run(page, SUBSCRIPTION);
  const before = await result(page,
    ({ installs }) => installs !== undefined);
  await graphql(url, MUTATION);
  const after = await result(page,
    ({ installs }) => installs > before.installs);
  return { query, before, after, title: await page.title(), ...seen };
}

console.log(JSON.stringify(await open(visit)));
