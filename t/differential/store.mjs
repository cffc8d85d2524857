// node store.mjs events SEED: rows as events, a line each.
// node store.mjs compare SDL URL SEED CASES: generated queries over these rows,
// answered by kappa at URL (its public schema is in the file SDL) and by
// graphql-js with resolvers that filter and sort all rows; prints every
// difference in data, and in the errors' paths and places.
import './node18.mjs';

import { readFileSync } from 'node:fs';

import { answersDiffer } from './answers.mjs';
import { makeQuery } from './queries.mjs';
import { Random } from './random.mjs';
import {
  GraphQLError, buildSchema, execute, parse, validate, version,
} from './node_modules/graphql/index.mjs';

const [command, ...rest] = process.argv.slice(2);

// --- the rows

const ERRORS_MAX = 100; // kappa tells so many of one answer
const KINDS = ['INSTALLED', 'REMOVED', 'BROKEN'];

function makeRows(seed) {
  const random = new Random(seed);
  const sections = ['admin', 'libs', 'net', 'non-free/net', 'x11', 'Ä', 'zz'];
  const maintainers = random.times(9, 9, (i) => `Team ${i} <t${i % 4}@example.org>`);
  const number = (i) => String(i).padStart(3, '0');
  const packages = random.times(220, 220, (i) => ({
    name: `p${number(i)}`, version: `1.${random.below(9)}-${i}`,
    size: random.pick([0, 1, 17, 1000, 1000, 70000, random.below(2 ** 31)]),
    section: random.pick(sections), maintainer: random.pick(maintainers),
    summary: random.pick([null, '', 'a "quoted" \\ one', 'é\u{1F600}\n']),
    homepage: random.chance(0.5) ? null : `https://example.org/${i}`,
  }));
  const start = Date.UTC(2026, 0, 1);
  const reports = random.times(180, 180, (i) => ({
    id: `r${number(i)}`, package: `p${number(random.below(60))}`, kind: random.pick(KINDS),
    by: null, at: new Date(start + random.below(40) * 60000).toISOString(),
  }));
  const notes = (type, count, more) => random.times(count, count, () => ({
    __typename: type, id: `n${number(random.below(200))}`, package: `p${number(random.below(12) * 30)}`,
    level: random.pick([null, -1, 0, 0, 3, 2147483647]), ...more(),
  })).filter((row, i, all) => all.findIndex((r) => r.id === row.id) === i);
  const bugs = notes('Bug', 90, () => ({ title: random.pick([null, 'broken', '']) }));
  const praises = notes('Praise', 60, () => ({
    stars: random.pick([null, 0.5, 5, -1e-7, 1e21]), tags: random.pick([null, [], ['a', 'b']]),
  }));
  return { packages, reports, bugs, praises };
}

function events({ packages, reports, bugs, praises }) {
  const line = (thing, verb, key, { __typename, ...data }) => JSON.stringify({ thing, verb, effect: 'CREATE', key, data });
  return [
    ...packages.map((p) => line('Package', 'released', p.name, p)),
    ...reports.map((r) => line('Report', 'reported', r.id, r)),
    ...[...bugs, ...praises].map((n) => line(n.__typename, 'written', n.id, n)),
  ];
}

// --- the same in graphql-js

const bytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
// Nulls first; strings by bytes.
function compareValues(a, b) {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  return typeof a === 'string' ? bytes(a, b) : a - b;
}

const TYPES = ['Bug', 'Praise'];
function sorted(rows, fields, descending) {
  const order = (a, b) => {
    for (const field of fields) {
      const by = compareValues(a[field], b[field]);
      if (by) return by;
    }
    return TYPES.indexOf(a.__typename) - TYPES.indexOf(b.__typename);
  };
  return [...rows].sort(descending ? (a, b) => order(b, a) : order);
}

function fail(message) {
  throw new GraphQLError(message);
}

// A page of a whole list, by the rules of Relay; `name` is the list's, for
// cursors. The cursors are kappa's own, learned beforehand.
class Lists {
  constructor() {
    this.cursors = new Map(); // "list index" to cursor
    this.places = new Map(); // cursor to { list, index }
  }

  learn(name, cursors) {
    cursors.forEach((cursor, index) => {
      this.cursors.set(`${name} ${index}`, cursor);
      this.places.set(cursor, { name, index });
    });
  }

  place(name, cursor) {
    if (cursor == null) return undefined;
    const place = this.places.get(cursor);
    return place?.name === name ? place.index : fail(`no cursor of ${name}`);
  }

  page(name, all, { first, last, after, before }) {
    if (first != null && last != null) fail('both');
    const limit = first ?? last ?? 100;
    if (limit < 0 || limit > 1000) fail('a bad limit');
    const from = this.place(name, after), to = this.place(name, before);
    const start = from === undefined ? 0 : from + 1;
    const left = all.slice(start, Math.max(start, to ?? all.length));
    const back = last != null;
    const rows = back ? left.slice(Math.max(0, left.length - limit)) : left.slice(0, limit);
    const at = back ? start + left.length - rows.length : start;
    const cursor = (i) => this.cursors.get(`${name} ${at + i}`);
    const more = left.length > limit;
    return {
      rows, nodes: rows, total: all.length,
      edges: rows.map((node, i) => ({ node, cursor: cursor(i) })),
      pageInfo: {
        hasNextPage: (more && !back) || to !== undefined,
        hasPreviousPage: (more && back) || from !== undefined,
        startCursor: rows.length ? cursor(0) : null,
        endCursor: rows.length ? cursor(rows.length - 1) : null,
      },
      totalCount: all.length,
    };
  }
}

function makeResolvers(rows, lists) {
  const byName = new Map(rows.packages.map((p) => [p.name, p]));
  const allNotes = [...rows.bugs, ...rows.praises];
  const groupsBy = (field) => {
    const names = [...new Set(rows.packages.map((p) => p[field]))];
    return new Map(names.map((name) => {
      const members = rows.packages.filter((p) => p[field] === name);
      return [name, {
        name, members, packages: members.length,
        bytes: String(members.reduce((n, p) => n + p.size, 0)),
        largest: Math.max(...members.map((p) => p.size)),
      }];
    }));
  };
  const sections = groupsBy('section'), maintainers = groupsBy('maintainer');

  const packageOrders = { NAME: ['name'], SIZE: ['size', 'name'], SIZE_DESC: ['size', 'name'] };
  const packagesOf = (of) => (members, filter, args) => {
    const order = args.orderBy ?? 'NAME';
    return lists.page(`${of} ${order} ${filter}`,
      sorted(members, packageOrders[order], order === 'SIZE_DESC'), args);
  };
  const notesOf = (of) => (members, filter, args) => {
    const fields = args.orderBy ? ['level', 'id'] : ['id'];
    return lists.page(`${of} ${args.orderBy ?? 'ID'} ${filter}`,
      sorted(members, fields, args.orderBy === 'LEVEL_DESC'), args);
  };
  const queryPackages = packagesOf('Query.packages'), sectionList = packagesOf('Section.list');
  const maintainerList = packagesOf('Maintainer.list');
  const queryNotes = notesOf('Query.notes'), packageNotes = notesOf('Package.notes');

  return {
    Query: {
      package: (_, { name }) => byName.get(name) ?? null,
      section: (_, { name }) => sections.get(name) ?? null,
      maintainer: (_, { name }) => maintainers.get(name) ?? null,
      packages: (_, args) => queryPackages(sections.get(args.section)?.members ?? [], args.section, args),
      sections: (_, args) => lists.page('sections', sorted([...sections.values()], ['name']), args).rows,
      maintainers: (_, args) => {
        const order = args.orderBy ?? 'NAME';
        const all = sorted([...maintainers.values()], order === 'NAME' ? ['name'] : ['packages', 'name'], order !== 'NAME');
        return lists.page(`Query.maintainers ${order}`, all, args);
      },
      reports: (_, args) => lists.page('reports', sorted(rows.reports,
        args.orderBy ? ['at', 'id'] : ['id'], args.orderBy === 'AT_DESC'), args).rows,
      note: (_, { id }) => allNotes.find((n) => n.id === id) ?? null,
      // A union's order: Praise before Bug.
      word: (_, { id }) => [...rows.praises, ...rows.bugs].find((n) => n.id === id) ?? null,
      notes: (_, args) => queryNotes(allNotes.filter((n) => args.package == null || n.package === args.package),
        args.package ?? '', args),
      words: (_, args) => lists.page('words', [...allNotes].sort((a, b) => bytes(a.id, b.id)
        || TYPES.indexOf(b.__typename) - TYPES.indexOf(a.__typename)), args).rows,
    },
    Package: {
      sectionInfo: (p) => sections.get(p.section),
      maintainerInfo: (p) => maintainers.get(p.maintainer),
      reports: (p, args) => lists.page('reports of', sorted(rows.reports.filter((r) => r.package === p.name), ['at', 'id']), args).rows,
      installs: (p) => rows.reports.filter((r) => r.package === p.name && r.kind === 'INSTALLED').length,
      notes: (p, args) => packageNotes(allNotes.filter((n) => n.package === p.name), p.name, args),
    },
    Section: { list: (s, args) => sectionList(s.members, s.name, args) },
    Maintainer: { list: (m, args) => maintainerList(m.members, m.name, args) },
    Report: {
      by: () => fail('not without a token'),
      packageInfo: (r) => byName.get(r.package) ?? null,
    },
    Bug: { packageInfo: (n) => byName.get(n.package) ?? null },
    Praise: { packageInfo: (n) => byName.get(n.package) ?? null },
  };
}

// --- kappa

async function ask(url, query, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

// Every list as a whole, for its cursors.
async function learnCursors(url, rows, lists) {
  const quote = JSON.stringify;
  const sections = [...new Set(rows.packages.map((p) => p.section))];
  const maintainers = [...new Set(rows.packages.map((p) => p.maintainer))];
  const packages = [...new Set([...rows.bugs, ...rows.praises].map((n) => n.package))];
  const asked = [];
  const add = (name, field, parent = '') => asked.push({ name, text: parent ? `{ p: ${parent} { ${field} } }` : `{ ${field} }` });
  for (const order of ['NAME', 'SIZE', 'SIZE_DESC']) {
    for (const s of sections) {
      add(`Query.packages ${order} ${s}`, `l: packages(section: ${quote(s)}, orderBy: ${order}, first: 1000) { edges { cursor } }`);
      add(`Section.list ${order} ${s}`, `l: list(orderBy: ${order}, first: 1000) { edges { cursor } }`, `section(name: ${quote(s)})`);
    }
  }
  for (const m of maintainers) {
    add(`Maintainer.list NAME ${m}`, 'l: list(first: 1000) { edges { cursor } }', `maintainer(name: ${quote(m)})`);
  }
  for (const order of ['NAME', 'PACKAGES_DESC']) {
    add(`Query.maintainers ${order}`, `l: maintainers(orderBy: ${order}, first: 1000) { edges { cursor } }`);
  }
  for (const order of ['null', 'LEVEL', 'LEVEL_DESC']) {
    const name = order === 'null' ? 'ID' : order;
    for (const p of [null, ...packages]) {
      add(`Query.notes ${name} ${p ?? ''}`, `l: notes(package: ${quote(p)}, orderBy: ${order}, first: 1000) { edges { cursor } }`);
    }
    for (const p of packages) {
      add(`Package.notes ${name} ${p}`, `l: notes(orderBy: ${order}, first: 1000) { edges { cursor } }`, `package(name: ${quote(p)})`);
    }
  }
  for (const { name, text } of asked) {
    const { data, errors } = await ask(url, text);
    if (errors || !data) throw new Error(`${text}: ${JSON.stringify(errors)}`);
    const { l } = data.p === undefined ? data : data.p ?? {}; // no such package
    lists.learn(name, (l?.edges ?? []).map((e) => e.cursor));
  }
}

// --- both

// A default of first gives way to last, and the other way round.
function oneEnd({ first, last, ...more }, { parentType, fieldName }) {
  if (first == null || last == null) return { first, last, ...more };
  const said = (name, value) => parentType.getFields()[fieldName].args
    .find((arg) => arg.name === name).default?.literal.value === String(value);
  const [defaultFirst, defaultLast] = [said('first', first), said('last', last)];
  if (defaultFirst === defaultLast) fail('both');
  return { ...(defaultFirst ? { last } : { first }), ...more };
}

async function compare(sdlFile, url, seedText, countText) {
  const seed = Number(seedText);
  const random = new Random(seed + 1);
  const rows = makeRows(seed);
  const schema = buildSchema(readFileSync(sdlFile, 'utf8'));
  const lists = new Lists();
  const resolvers = makeResolvers(rows, lists);
  await learnCursors(url, rows, lists);

  const ids = [
    ...rows.packages, ...[...rows.bugs, ...rows.praises],
  ].map((r) => r.name ?? r.id).concat(rows.packages.map((p) => p.section), rows.packages.map((p) => p.maintainer), ['none']);
  const cursors = [...lists.places.keys()];
  const leaf = (type) => {
    if (type.name === 'ID') return random.pick(ids);
    if (type.name === 'Int') return random.pick([0, 1, 2, 3, 5, 8, 100, 1000, -1, 1001]);
    if (type.name === 'String') return random.pick([random.pick(cursors), random.pick(cursors), 'AA', '']);
    return undefined;
  };
  let errors = 0, wrong = 0, count = 0, refused = 0, limited = 0;
  while (count < Number(countText)) {
    const c = makeQuery(random, schema, { leaf, node: 'Note', mutations: 0, budget: 25 });
    const document = parse(c.text);
    if (validate(schema, document).length) {
      if (++refused > countText * 20) throw new Error(`hardly a query is valid: ${c.text}`);
      continue;
    }
    const got = await ask(url, c.text, c.variables);
    if (!got.data && got.errors?.[0].extensions.code === 'LIMIT_EXCEEDED') {
      limited++; // it may cost too much: lists in lists
      continue;
    }
    count++;
    const expected = await execute({
      schema, document, variableValues: c.variables,
      fieldResolver: (source, args, context, info) => {
        const resolver = resolvers[info.parentType.name]?.[info.fieldName];
        return resolver ? resolver(source, oneEnd(args, info)) : source[info.fieldName];
      },
    });
    errors += expected.errors !== undefined;
    // Both tell more errors than anybody reads, kappa a bounded number.
    expected.errors = expected.errors?.slice(0, got.errors?.length === ERRORS_MAX ? ERRORS_MAX : undefined);
    const difference = answersDiffer(got, expected);
    if (difference && ++wrong <= 3) {
      console.log(`# ${c.text}\n# ${JSON.stringify(c.variables)}\n${difference}`);
    }
  }
  console.log(`${wrong ? 'not ok' : 'ok'} - graphql-js ${version}, seed ${seed}: ${count} queries, ${cursors.length} cursors, ${errors} with errors, ${limited} more cost too much, ${wrong} differ`);
  process.exit(wrong ? 1 : 0);
}

if (command === 'events') console.log(events(makeRows(Number(rest[0]))).join('\n'));
else await compare(...rest);
