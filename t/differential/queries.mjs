// Queries that are mostly valid against a schema, with variables for them:
// aliases, merged fields, fragments, @skip and @include, arguments of all kinds.
import {
  getNamedType, getNullableType, isAbstractType, isCompositeType, isEnumType,
  isInputObjectType, isListType, isNonNullType,
} from './node_modules/graphql/index.mjs';

class Query {
  // options.leaf(type): a value of a scalar, undefined: any; options.node: the
  // interface whose types meet any other.
  constructor(random, schema, options) {
    Object.assign(this, { random, schema, options, variables: {}, declared: [], fragments: [] });
    this.budget = options.budget ?? 60;
  }

  // A literal or, as variables show, a JSON value.
  leaf(type, json) {
    const { random } = this;
    if (isEnumType(type)) {
      const name = random.pick(type.getValues()).name;
      return json ? name : name;
    }
    const given = this.options.leaf?.(type);
    if (given !== undefined) return json ? given : JSON.stringify(given);
    const pick = random.below(4);
    switch (type.name) {
      case 'Int': return [0, -7, 12, 2147483647][pick];
      case 'Float': return [0, -2.5, 3, 1e21][pick];
      case 'Boolean': return pick < 2;
      case 'ID': return pick < 2 ? (json ? 5 : 17) : json ? 'x' : '"x"';
      case 'String': return json ? ['', 'a', 'é"\\', '\u{1F600}'][pick]
        : JSON.stringify(['', 'a', 'é"\\', '\u{1F600}'][pick]);
      default: return json ? [1, 'x', { a: [null, 1.5] }, [true]][pick]
        : ['1', '"x"', '{a: [null, 1.5, E]}', '[true, {}]'][pick];
    }
  }

  json(type, depth = 0) {
    if (isNonNullType(type)) return this.present(type.ofType, depth);
    if (this.random.chance(0.15)) return null;
    return this.present(type, depth);
  }

  present(type, depth) {
    const { random } = this;
    if (isListType(type)) {
      if (random.chance(0.2)) return this.json(type.ofType, depth);
      return random.times(0, 3, () => this.json(type.ofType, depth));
    }
    if (!isInputObjectType(type)) {
      if (random.chance(0.02)) return random.pick(['nonsense', {}, 2.5, true]);
      return this.leaf(type, true);
    }
    return Object.fromEntries(this.chosenInputs(type, depth).map(
      (f) => [f.name, this.json(type.isOneOf ? getNullableType(f.type) : f.type, depth + 1)]));
  }

  chosenInputs(type, depth) {
    const fields = Object.values(type.getFields());
    if (type.isOneOf) return [this.random.pick(fields)];
    return fields.filter((f) => this.random.chance(isInputObjectType(getNamedType(f.type)) && depth > 1 ? 0 : 0.5));
  }

  literal(type, depth = 0, hasDefault = false) {
    const { random } = this;
    if (random.chance(depth ? 0.15 : 0.3)) return this.variable(type, hasDefault);
    if (isNonNullType(type)) return this.presentLiteral(type.ofType, depth);
    return random.chance(0.1) ? 'null' : this.presentLiteral(type, depth);
  }

  presentLiteral(type, depth) {
    const { random } = this;
    if (isListType(type)) {
      if (random.chance(0.2)) return this.presentLiteral(getNullableType(type.ofType), depth + 1);
      return `[${random.times(0, 3, () => this.literal(type.ofType, depth + 1)).join(', ')}]`;
    }
    if (!isInputObjectType(type)) {
      const leaf = this.leaf(type, false);
      return type.name === 'JSON' && random.chance(0.3) ? `{x: ${this.variable(type)}, y: [${leaf}]}` : String(leaf);
    }
    const fields = this.chosenInputs(type, depth).map(
      (f) => `${f.name}: ${type.isOneOf ? this.presentLiteral(getNullableType(f.type), depth + 1) : this.literal(f.type, depth + 1, f.defaultValue !== undefined)}`);
    return `{${fields.join(', ')}}`;
  }

  variable(type, hasDefault = false) {
    const { random } = this;
    const name = `v${this.declared.length}`;
    let declared = type;
    if (hasDefault && isNonNullType(type) && random.chance(0.5)) declared = type.ofType;
    if (!isNonNullType(declared) && random.chance(0.2)) declared = `${declared}!`;
    const nullable = !String(declared).endsWith('!');
    const plain = getNullableType(type);
    const isLeaf = !isListType(plain) && !isInputObjectType(plain);
    const withDefault = isLeaf && random.chance(0.2) ? ` = ${this.leaf(plain, false)}` : '';
    this.declared.push(`$${name}: ${declared}${withDefault}`);
    if (random.chance(nullable || withDefault ? 0.75 : 0.995)) {
      this.variables[name] = nullable ? this.json(plain) : this.present(plain, 0);
    }
    return `$${name}`;
  }

  condition() {
    const { random } = this;
    if (!random.chance(0.12)) return '';
    const known = this.conditions ?? (this.conditions = []);
    const value = random.chance(0.3) ? random.pick(['true', 'false'])
      : known.length && random.chance(0.6) ? random.pick(known) : this.newCondition();
    return ` @${random.pick(['skip', 'include'])}(if: ${value})`;
  }

  newCondition() {
    const name = `$c${this.conditions.length}`;
    this.declared.push(`${name}: Boolean!`);
    this.variables[name.slice(1)] = this.random.chance(0.5);
    this.conditions.push(name);
    return name;
  }

  args(field) {
    const given = field.args.filter(
      (a) => (isNonNullType(a.type) && a.defaultValue === undefined && a.default === undefined) || this.random.chance(0.35));
    if (!given.length) return '';
    const texts = given.map((a) => `${a.name}: ${this.literal(a.type, 0, !!(a.defaultValue ?? a.default))}`);
    return `(${texts.join(', ')})`;
  }

  field(type, depth) {
    const { random } = this;
    const fields = type.getFields ? Object.values(type.getFields()) : [];
    if (!fields.length || random.chance(0.08)) return `${random.chance(0.3) ? 'kind: ' : ''}__typename${this.condition()}`;
    const usable = depth > 4 ? fields.filter((f) => !isCompositeType(getNamedType(f.type))) : fields;
    if (!usable.length) return '__typename';
    const field = random.pick(usable);
    const args = this.args(field);
    const alias = args || random.chance(0.15) ? `a${random.below(args ? 1000 : 3)}_${field.name}: ` : '';
    const named = getNamedType(field.type);
    const below = isCompositeType(named) ? ` ${this.set(named, depth + 1)}` : '';
    return `${alias}${field.name}${args}${this.condition()}${below}`;
  }

  overlapping(type) {
    const others = [...this.schema.getPossibleTypes(isAbstractType(type) ? type : this.schema.getType(this.options.node ?? 'Node'))];
    const possible = isAbstractType(type) ? others : [type];
    const all = possible.flatMap((t) => [t, ...t.getInterfaces()]);
    return this.random.pick(all);
  }

  // __type of a type of the schema's own. Of built-in ones graphql-js has
  // other descriptions, so none is asked for.
  introspection() {
    const { random } = this;
    const names = Object.keys(this.schema.getTypeMap()).filter((n) => !n.startsWith('__'));
    const all = () => random.pick(['', '(includeDeprecated: true)', '(includeDeprecated: false)']);
    const input = () => `{ name defaultValue isDeprecated deprecationReason type ${this.metaType(0)} }`;
    const parts = [
      'kind', 'specifiedByURL', 'isOneOf', '__typename', 'interfaces { name }', 'possibleTypes { kind name }',
      `enumValues${all()} { name isDeprecated deprecationReason }`, `inputFields${all()} ${input()}`,
      `fields${all()} { name isDeprecated deprecationReason args${all()} ${input()} type ${this.metaType(0)} }`,
    ];
    const chosen = parts.filter(() => random.chance(0.5));
    return `i${random.below(1000)}: __type(name: "${random.pick([...names, 'None'])}") { name ${chosen.join(' ')} }`;
  }

  metaType(depth) {
    return `{ kind name ${depth < 4 ? `ofType ${this.metaType(depth + 1)}` : ''} }`;
  }

  selection(type, depth) {
    const { random } = this;
    if (!depth && type === this.schema.getQueryType() && random.chance(0.08)) return this.introspection();
    const pick = this.budget-- > 0 ? random.next() : 0;
    if (pick < 0.8) return this.field(type, depth);
    const on = this.overlapping(type);
    if (pick < 0.93) {
      const condition = random.chance(0.2) && on === type ? '' : ` on ${on}`;
      return `...${condition}${this.condition()} ${this.set(condition ? on : type, depth + 1)}`;
    }
    const known = this.fragments.filter((f) => f.on === on);
    const fragment = known.length && random.chance(0.5) ? random.pick(known) : this.newFragment(on, depth);
    return `...${fragment.name}${this.condition()}`;
  }

  newFragment(on, depth) {
    const fragment = { name: `F${this.count = (this.count ?? 0) + 1}`, on };
    fragment.text = `fragment ${fragment.name} on ${on} ${this.set(on, depth + 1)}`;
    this.fragments.push(fragment);
    return fragment;
  }

  set(type, depth) {
    const most = this.budget <= 0 ? 1 : this.random.chance(0.05) ? 20 : depth ? 4 : 5;
    const selections = this.random.times(1, most, () => this.selection(type, depth));
    if (this.random.chance(0.1)) selections.push(this.random.pick(selections));
    const between = this.random.chance(0.2) ? '\n  ' : ' ';
    return `{${between}${selections.join(between)} }`;
  }
}

export function makeQuery(random, schema, options = {}) {
  const query = new Query(random, schema, options);
  const isMutation = random.chance(options.mutations ?? 0.15);
  const root = isMutation ? schema.getMutationType() : schema.getQueryType();
  const set = query.set(root, 0);
  const variables = query.declared.length ? `(${query.declared.join(', ')})` : '';
  const text = [`${isMutation ? 'mutation' : 'query'} Q${variables} ${set}`, ...query.fragments.map((f) => f.text)].join('\n');
  return { text, root: root.name, variables: query.variables };
}
