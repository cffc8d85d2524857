// Makes documents for a schema. `wrong` is the chance of each choice to be a
// bad one.
import {
  getNamedType, isAbstractType, isCompositeType, isEnumType,
  isInputObjectType, isListType, isNonNullType, isObjectType,
} from './node_modules/graphql/index.mjs';

const DEPTH = 4;

class DocumentMaker {
  constructor(random, schema, wrong) {
    this.random = random;
    this.schema = schema;
    this.wrong = wrong;
    this.types = Object.values(schema.getTypeMap()).filter((t) => !t.name.startsWith('__'));
    this.composite = this.types.filter(isCompositeType);
    this.fragments = random.times(0, 4, (i) => ({ name: 'FGHIJ'[i], type: random.pick(this.composite) }));
  }

  bad() {
    return this.random.chance(this.wrong);
  }

  // A variable for a place of this type, declared on the way.
  variable(type) {
    const r = this.random;
    let text = String(type);
    if (this.bad()) text = r.pick([text + '!', text.replace(/!$/, ''), `[${text}]`, 'Int', 'Missing', 'Query']).replace('!!', '!');
    const known = [...this.variables].filter(([, t]) => t === text);
    if (known.length && r.chance(0.7)) return '$' + r.pick(known)[0];
    const name = r.pick(['v', 'w', 'x', 'y', 'z', 'u', 't', 's', 'q', 'p', 'o', 'n']);
    if (this.variables.has(name) && !this.bad()) return this.value(type, false);
    if (!this.bad()) this.variables.set(name, text);
    return '$' + name;
  }

  object(type, variables, depth) {
    const r = this.random;
    const fields = Object.values(type.getFields());
    let given = type.isOneOf ? (fields.length ? [r.pick(fields)] : []) : fields.filter((f) => isNonNullType(f.type) || (depth < 3 && r.chance(0.4)));
    if (this.bad()) given = given.slice(1);
    const parts = given.map((f) => `${f.name}: ${this.value(type.isOneOf && !this.bad() && !isNonNullType(f.type) ? { required: f.type } : f.type, variables, depth + 1)}`);
    if (this.bad()) parts.push(`${r.pick(['unknown', 'nam', ...fields.map((f) => f.name)])}: 1`);
    return `{${parts.join(', ')}}`;
  }

  value(type, variables = true, depth = 0) {
    const r = this.random;
    if (type.required) {
      const text = this.value(type.required, false, depth);
      return text === 'null' ? this.value(type, variables, depth) : text;
    }
    if (this.bad()) return r.pick(['1', '-7', '"s"', 'RED', 'GREE', '[1, "x"]', '{}', 'null', '1.5', '1e50', 'true', '3000000000', '$free', '{id: $free, id: 1}', '[$v]', '"""b"""']);
    if (variables && r.chance(0.2)) return this.variable(type);
    if (isNonNullType(type)) return this.value({ required: type.ofType }, variables, depth);
    if (r.chance(0.08) && depth < 8) return 'null';
    if (isListType(type)) {
      if (r.chance(0.2) && depth < 8) return this.value(type.ofType, variables, depth + 1);
      return `[${r.times(0, 2, () => this.value(type.ofType, variables, depth + 1)).join(', ')}]`;
    }
    if (isEnumType(type)) return r.pick(type.getValues()).name;
    if (isInputObjectType(type)) return depth > 7 ? '{}' : this.object(type, variables, depth);
    switch (type.name) {
      case 'Int': return String(r.below(1000) - 500);
      case 'Float': return r.pick(['1', '-1.5', '2e10']);
      case 'Boolean': return r.pick(['true', 'false']);
      case 'ID': return r.pick(['"i"', '12']);
      case 'String': return r.pick(['"s"', '""', '"""b"""']);
      default: return r.pick(['1', '"x"', 'ANY', '{a: [1, {b: null}]}', '[]']);
    }
  }

  args(defs) {
    const r = this.random;
    const given = defs.filter((a) => (isNonNullType(a.type) && a.default === undefined ? !this.bad() : r.chance(0.4)));
    const parts = given.map((a) => `${a.name}: ${this.value(a.type)}`);
    if (this.bad()) parts.push(`${r.pick(['size', 'nmae', ...defs.map((a) => a.name)])}: ${r.pick(['1', '"x"', 'null'])}`);
    return parts.length ? `(${parts.join(', ')})` : '';
  }

  directives(location) {
    const r = this.random;
    let out = '';
    if (['FIELD', 'FRAGMENT_SPREAD', 'INLINE_FRAGMENT'].includes(location) && r.chance(0.08)) {
      const bool = this.schema.getType('Boolean');
      out += ` @${r.pick(['skip', 'include'])}(if: ${this.value({ required: bool }, false)})`;
      if (r.chance(0.3)) out = out.replace(/\(.*\)/, `(if: ${this.variable('Boolean!')})`);
    }
    const fit = this.schema.getDirectives().filter((d) => d.locations.includes(location) && !['skip', 'include', 'defer', 'stream'].includes(d.name));
    if (fit.length && r.chance(0.08)) {
      const d = r.pick(fit);
      out += ` @${d.name}${this.args(d.args)}`;
      if (d.isRepeatable && r.chance(0.5)) out += ` @${d.name}${this.args(d.args)}`;
    }
    if (this.bad() && r.chance(0.3)) out += r.pick([' @unknown', ' @skip', ' @skip(if: true) @skip(if: false)', ' @deprecated', ' @include(of: 1)', ' @mark @mark']);
    return out;
  }

  // An alias makes most fields unique; conflicts come by chance or fault.
  alias(name, field, args) {
    const r = this.random;
    if (this.bad()) return r.pick(['id: ', 'name: ', 'a: ']);
    if (args === '' && field && r.chance(0.6)) return '';
    return `${r.pick('abcdefghijklmnopqrstuvw'.split(''))}${r.below(9)}${String(field?.type ?? '').replace(/\W/g, '')}: `;
  }

  field(parent, depth) {
    const r = this.random;
    const fields = isAbstractType(parent) && !parent.getFields ? [] : Object.values(parent.getFields?.() ?? {});
    if (this.bad()) return r.pick(['unknown', 'nam', 'id', 'size', 'name', 'all', '__typename', '__type', 'id { x }', 'next { id }']);
    const usable = depth < DEPTH ? fields : fields.filter((f) => !isCompositeType(getNamedType(f.type)));
    if (!usable.length || r.chance(0.15)) return `${r.chance(0.2) ? 't: ' : ''}__typename`;
    const field = r.pick(usable);
    const args = this.args(field.args);
    const type = getNamedType(field.type);
    const selection = isCompositeType(type) !== this.bad() ? ' ' + this.selections(isCompositeType(type) ? type : parent, depth + 1) : '';
    return `${this.alias(field.name, field, args)}${field.name}${args}${this.directives('FIELD')}${selection}`;
  }

  overlapping(parent) {
    return this.composite.filter((t) => {
      const all = (x) => (isObjectType(x) ? [x] : this.schema.getPossibleTypes(x));
      return all(t).some((x) => all(parent).includes(x));
    });
  }

  selection(parent, depth) {
    const r = this.random;
    if (depth < DEPTH && r.chance(0.15)) {
      const type = this.bad() ? r.pick(this.types) : r.pick(this.overlapping(parent));
      const on = r.chance(0.2) ? '' : ` on ${this.bad() ? 'Missing' : type}`;
      return `...${on}${this.directives('INLINE_FRAGMENT')} ${this.selections(on && isCompositeType(type) ? type : parent, depth + 1)}`;
    }
    if (r.chance(0.2)) {
      const later = this.fragments.filter((f) => this.bad() || ((f.name > (this.current ?? '')) && this.overlapping(parent).includes(f.type)));
      if (later.length) {
        const fragment = r.pick(later);
        this.used.add(fragment.name);
        return `...${fragment.name}${this.directives('FRAGMENT_SPREAD')}`;
      }
    }
    return this.field(parent, depth);
  }

  selections(parent, depth) {
    const items = this.random.times(1, 4, () => this.selection(parent, depth));
    if (this.bad()) items.push('...' + this.random.pick(['F', 'G', 'Missing']));
    return `{ ${items.join(' ')} }`;
  }

  operation(kind, root, name) {
    const r = this.random;
    const body = this.selections(root, 0);
    const declared = [...this.variables].map(([n, t]) => {
      let out = `$${n}: ${t}`;
      const type = this.types.find((x) => x.name === t.replace(/[[\]!]/g, ''));
      if (r.chance(0.2) && type && t === type.name && !isCompositeType(type)) out += ` = ${this.value(type, false)}`;
      return (r.chance(0.05) ? '"about" ' : '') + out + this.directives('VARIABLE_DEFINITION').replace(/\$\w+/g, '1');
    });
    if (this.bad()) declared.push('$unused: Int');
    if (this.bad()) declared.push(`$v: ${r.pick(['Int', 'A', 'Mising', '[Filter!]'])}`);
    const head = declared.length ? `(${declared.join(', ')})` : '';
    if (kind === 'query' && name === '' && !head && r.chance(0.5)) return body;
    return `${r.chance(0.05) ? '"words" ' : ''}${kind} ${name}${head}${this.directives(kind.toUpperCase())} ${body}`;
  }

  make() {
    const r = this.random;
    const parts = [];
    this.variables = new Map();
    this.used = new Set();
    const roots = { query: this.schema.getQueryType(), mutation: this.schema.getMutationType(), subscription: this.schema.getSubscriptionType() };
    const kinds = Object.keys(roots).filter((k) => roots[k] || this.bad());
    // Fragments first: the variables that they use are declared by all.
    for (const fragment of this.fragments) {
      this.current = fragment.name;
      const type = this.bad() ? r.pick(this.types) : fragment.type;
      parts.push(`fragment ${fragment.name} on ${type}${this.directives('FRAGMENT_DEFINITION')} ${this.selections(fragment.type, 1)}`);
    }
    this.current = '';
    const count = this.bad() || r.chance(0.1) ? 2 : 1;
    for (let i = 0; i < count; i++) {
      const kind = r.pick(kinds);
      const name = count > 1 && !this.bad() ? 'AB'[i] : r.pick(['', 'A']);
      parts.push(this.operation(kind, roots[kind] ?? this.schema.getQueryType(), name));
    }
    const unused = this.fragments.filter((f) => !this.used.has(f.name));
    const kept = this.bad() ? parts : parts.filter((p) => !unused.some((f) => p.startsWith(`fragment ${f.name} `)));
    if (this.bad()) kept.push(r.pick(['fragment F on Query { __typename }', 'type T { a: Int }', 'query A { __typename }', '{ __typename }', 'extend schema { query: Q }', '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }']));
    return kept.map((p) => [r.next(), p]).sort((a, b) => a[0] - b[0]).map(([, p]) => p).join('\n');
  }
}

export function makeDocument(random, schema, wrong) {
  return new DocumentMaker(random, schema, wrong).make();
}
