// Makes schemas from few names, so that definitions meet each other. `wrong`
// is the chance of each choice to be a bad one.
const SCALARS = ['Int', 'Float', 'String', 'Boolean', 'ID', 'Time'];
const OBJECTS = ['Query', 'A', 'B', 'C'];
const INTERFACES = ['Node', 'Named'];
const UNIONS = ['Either'];
const ENUMS = ['Color', 'Size'];
const INPUTS = ['Filter', 'Range', 'Choice'];
const FIELDS = ['id', 'name', 'size', 'next', 'all', 'other'];
const VALUES = { Color: ['RED', 'GREEN'], Size: ['SMALL', 'LARGE', 'HUGE'] };
const LOCATIONS = [
  'QUERY', 'FIELD', 'FRAGMENT_SPREAD', 'INLINE_FRAGMENT', 'OBJECT', 'ENUM',
  'FIELD_DEFINITION', 'ARGUMENT_DEFINITION', 'INPUT_FIELD_DEFINITION',
  'ENUM_VALUE', 'SCALAR', 'SCHEMA', 'INTERFACE', 'UNION', 'INPUT_OBJECT',
  'VARIABLE_DEFINITION', 'FRAGMENT_DEFINITION', 'MUTATION', 'SUBSCRIPTION',
];

class SchemaMaker {
  constructor(random, wrong) {
    this.random = random;
    this.wrong = wrong;
    this.oneOf = random.chance(0.7);
    this.inputs = Object.fromEntries(
      INPUTS.map((name) => [
        name,
        this.distinct(FIELDS, this.bad() ? 0 : 1, 3).map((field) => ({
          name: field,
          type: this.inputFieldType(name),
        })),
      ]),
    );
  }

  // Objects are nullable: they may hold each other.
  inputFieldType(name) {
    const type = this.inputType();
    const nullable = INPUTS.some((n) => type.includes(n)) || (name === 'Choice' && this.oneOf);
    return nullable && !this.bad() ? type.replace(/!/g, '') : type;
  }

  bad() {
    return this.random.chance(this.wrong);
  }

  distinct(list, min, max) {
    const chosen = [];
    const count = min + this.random.below(max - min + 1);
    while (chosen.length < count) {
      const name = this.random.pick(list);
      if (!chosen.includes(name) || this.bad()) chosen.push(name);
      else if (this.random.chance(0.3)) break;
    }
    return chosen;
  }

  wrap(name, depth = 0) {
    const r = this.random;
    let type = name;
    if (depth < 3 && r.chance(0.25)) type = `[${this.wrap(name, depth + 1)}]`;
    return r.chance(0.3) ? type + '!' : type;
  }

  anyName() {
    return this.random.pick([
      ...SCALARS, ...OBJECTS, ...INTERFACES, ...UNIONS, ...ENUMS, ...INPUTS,
      'Missing', 'Quer', 'Colour', '__Type', '__typo',
    ]);
  }

  outputType() {
    const r = this.random;
    return this.wrap(
      this.bad()
        ? this.anyName()
        : r.pick([...SCALARS, ...SCALARS, ...OBJECTS, ...INTERFACES, ...UNIONS, ...ENUMS]),
    );
  }

  inputType() {
    const r = this.random;
    return this.wrap(
      this.bad()
        ? this.anyName()
        : r.pick([...SCALARS, ...SCALARS, ...ENUMS, ...INPUTS]),
    );
  }

  literal(type, depth = 0, required = false) {
    const r = this.random;
    if (this.bad()) return r.pick(['1', '"s"', 'RED', '[1]', '{}', 'null', '1.5', 'true', '{id: 1, id: 2}', '99999999999']);
    if (type.endsWith('!')) return this.literal(type.slice(0, -1), depth, true);
    if (r.chance(0.1) && !required) return 'null';
    if (type.startsWith('[')) {
      const inner = type.slice(1, -1);
      if (r.chance(0.2) || depth > 3) return this.literal(inner, depth + 1);
      return `[${r.times(0, 2, () => this.literal(inner, depth + 1)).join(', ')}]`;
    }
    switch (type) {
      case 'Int': return String(r.below(100) - 50);
      case 'Float': return r.pick(['1', '1.5', '-2e3']);
      case 'String': return r.pick(['"text"', '""', '"""block"""']);
      case 'Boolean': return r.pick(['true', 'false']);
      case 'ID': return r.pick(['"id"', '7']);
      case 'Time': return r.pick(['"now"', '5', '{a: [1]}']);
      case 'Color': case 'Size': return r.pick(VALUES[type]);
      default: return depth > 6 ? '{}' : depth > 2 && !required ? 'null' : this.object(type, depth);
    }
  }

  object(type, depth) {
    const all = this.inputs[type] ?? [];
    const one = type === 'Choice' && this.oneOf && !this.bad() && all.length;
    const given = one
      ? [this.random.pick(all)]
      : all.filter((f) => f.type.endsWith('!') || (depth < 3 && this.random.chance(0.4)));
    return `{${given.map((f) => `${f.name}: ${this.literal(f.type, depth + 1, Boolean(one))}`).join(', ')}}`;
  }

  directives(location) {
    const r = this.random;
    let out = '';
    if (location === 'FIELD_DEFINITION' && r.chance(0.05)) out += ' @deprecated';
    if (location === 'ENUM_VALUE' && !out && r.chance(0.05)) out += ` @deprecated(reason: ${this.literal('String!')})`;
    if (location !== 'ENUM_VALUE' && this.bad()) out += ` @deprecated(reason: ${this.literal('String!')})`;
    if (location === 'SCALAR' && r.chance(0.3)) out += ' @specifiedBy(url: "https://x.test")';
    if (['OBJECT', 'ENUM_VALUE'].includes(location) && r.chance(0.08)) out += r.pick([' @mark', ' @mark(level: 1)']);
    if (location === 'FIELD_DEFINITION' && r.chance(0.08)) out += ' @tag(name: "t") @tag(name: "u")';
    if (this.bad() && r.chance(0.3)) out += r.pick([' @mark', ' @mark(level: 1, level: 2)', ' @tag(name: "t")', ' @tag']);
    if (this.bad() && r.chance(0.3)) out += r.pick([' @unknown', ' @mark @mark', ' @deprecated(why: 1)', ' @oneOf', ' @skip(if: true)', ' @specifiedBy', ' @tag(name: {a: 1, a: 2})']);
    return out;
  }

  description() {
    return this.random.chance(0.08) ? this.random.pick(['"words" ', '"""\n  block\n    more\n"""\n']) : '';
  }

  input(name, location, owner) {
    const given = this.inputs[owner]?.find((f) => f.name === name);
    const type = given?.type ?? this.inputType();
    const objects = given && INPUTS.some((n) => type.includes(n));
    const may = this.bad() || !(objects || (owner === 'Choice' && this.oneOf));
    const value = may && this.random.chance(0.3) ? ` = ${this.literal(type)}` : '';
    return `${this.description()}${name}: ${type}${value}${this.directives(location)}`;
  }

  args() {
    if (this.random.chance(0.6)) return '';
    return `(${this.distinct(FIELDS, 1, 3).map((n) => this.input(n, 'ARGUMENT_DEFINITION')).join(', ')})`;
  }

  field(name) {
    return `${this.description()}${name}${this.args()}: ${this.outputType()}${this.directives('FIELD_DEFINITION')}`;
  }

  block(lines) {
    return lines.length ? ` {\n${lines.map((l) => '  ' + l).join('\n')}\n}` : '';
  }

  // Interfaces have fixed fields, so that implementations can be right.
  implemented(name) {
    const r = this.random;
    if (name === 'Node') return { names: [], fixed: ['id: ID!'] };
    if (this.bad()) return { names: this.distinct([...INTERFACES, 'A', 'Missing'], 1, 3), fixed: ['id: ID!'] };
    if (name === 'Named') return { names: ['Node'], fixed: ['id: ID!', 'name(size: Int): Node'] };
    const names = r.pick([[], ['Node'], ['Node', 'Named'], ['Named', 'Node']]);
    const fixed = ['id: ID!'];
    if (names.length === 2) fixed.push(r.pick(['name(size: Int): Node', 'name(size: Int, id: ID): Node!', 'name(size: Int): Named']));
    return { names, fixed };
  }

  fieldsType(keyword, name, extension) {
    const { names, fixed } = this.implemented(name);
    const free = FIELDS.filter((f) => this.bad() || !fixed.some((l) => l.startsWith(f)));
    const own = this.distinct(free, this.bad() ? 0 : 1, 4).map((f) => this.field(f));
    const head = `${keyword} ${name}${names.length ? ' implements ' + names.join(' & ') : ''}`;
    const keep = fixed.filter(() => !this.bad());
    const body = extension ? own.slice(0, 1) : name === 'Node' ? keep : [...keep, ...(keyword === 'interface' ? [] : own)];
    return `${head}${this.directives(keyword === 'type' ? 'OBJECT' : 'INTERFACE')}${this.block(body)}`;
  }

  definition(name, extension) {
    if (SCALARS.includes(name)) return `scalar ${name}${this.directives('SCALAR')}`;
    if (OBJECTS.includes(name)) return this.fieldsType('type', name, extension);
    if (INTERFACES.includes(name)) return this.fieldsType('interface', name, extension);
    if (UNIONS.includes(name)) {
      const members = this.bad() ? this.distinct([...OBJECTS, 'Int', 'Node', 'Missing'], 0, 3) : ['A', 'B'];
      return `union ${name}${this.directives('UNION')}${members.length ? ' = ' + members.join(' | ') : ''}`;
    }
    if (ENUMS.includes(name)) {
      const values = this.bad() ? this.distinct([...VALUES[name], 'RED', '__x'], 0, 3) : VALUES[name];
      return `enum ${name}${this.directives('ENUM')}${this.block(values.map((v) => this.description() + v + this.directives('ENUM_VALUE')))}`;
    }
    const fields = this.inputs[name].map((f) => this.input(f.name, 'INPUT_FIELD_DEFINITION', name));
    const oneOf = name === 'Choice' && this.oneOf ? ' @oneOf' : '';
    return `input ${name}${oneOf}${this.directives('INPUT_OBJECT')}${this.block(fields)}`;
  }

  directiveDefinitions() {
    const r = this.random;
    const places = (extra) => [...new Set([...r.times(2, 8, () => r.pick(LOCATIONS)), ...extra])].join(' | ');
    return [
      `directive @mark(level: Int${r.chance(0.3) ? ' = 1' : ''}) on ${places(['FIELD', 'OBJECT', 'ENUM_VALUE'])}`,
      `directive @tag(name: ${r.pick(['String!', 'String', 'String! = "d"'])}) repeatable on ${places(['FIELD', 'FIELD_DEFINITION'])}`,
    ];
  }

  schemaDefinition() {
    const r = this.random;
    const out = [];
    if (r.chance(0.3)) {
      const roots = this.bad() ? r.times(1, 3, () => `${r.pick(['query', 'mutation', 'subscription'])}: ${this.anyName()}`) : ['query: Query', ...(r.chance(0.5) ? ['mutation: A'] : []), ...(r.chance(0.5) ? ['subscription: B'] : [])];
      out.push(`${this.description()}schema${this.directives('SCHEMA')} {\n  ${roots.join('\n  ')}\n}`);
      if (this.bad()) out.push('extend schema { mutation: A }');
      if (this.bad() && r.chance(0.3)) out.push('schema { query: Query }');
    }
    return out;
  }

  make() {
    const r = this.random;
    const all = ['Time', ...OBJECTS, ...INTERFACES, ...UNIONS, ...ENUMS, ...INPUTS];
    const names = this.bad() ? all.filter(() => !r.chance(0.1)) : all;
    const parts = [...this.schemaDefinition(), ...names.map((n) => this.description() + this.definition(n, false))];
    if (!this.bad() || r.chance(0.7)) parts.push(...this.directiveDefinitions());
    if (this.bad()) parts.push(this.definition(r.pick(all), false));
    if (this.bad()) parts.push('extend ' + this.definition(r.pick(all), true));
    if (this.bad() && r.chance(0.2)) parts.push('extend type Missing { x: Int }');
    return parts.map((p) => [r.next(), p]).sort((a, b) => a[0] - b[0]).map(([, p]) => p).join('\n\n') + '\n';
  }
}

export function makeSchema(random, wrong) {
  return new SchemaMaker(random, wrong).make();
}
