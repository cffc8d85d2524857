// Breaks documents: token by token (most results still parse) or character
// by character.
const TOKEN =
  /"""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n])*"|[A-Za-z_]\w*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\.\.|#.*|\s+|[^]/gu;

const VOCABULARY =
  '{ } ( ) [ ] : ! = | & @ $ ... query mutation subscription fragment on type interface union enum input scalar directive schema extend implements repeatable true false null a b id name Int String Boolean "x" """y""" 1 -2 3.5 1e3 $x @skip @include @deprecated'.split(
    ' ',
  );

const CHARACTERS = [
  ...'"\'\\{}()[]!@#$&*.,:;=|-+0123456789aefux_ \n\r\t',
  '\u0000', '\u0007', '\u007f', '\u0085', '\u00e9', '\u2028', '\ufeff',
  '\uffff', '\u{1f600}', '\\u', '\\u{', '\\u{1F600}', '\\u{110000}',
  '\\uD83D\\uDE00', '\\uD83D', '\\uDE00', '\\n', '"""', '\\"""', '\r\n', '..',
  '0x1', '00', '1.', '.5', '1e', '-', '1a', '1.2.3',
];

export function tokensOf(text) {
  return text.match(TOKEN) ?? [];
}

function isBlank(token) {
  return /^\s*$/.test(token);
}

function mutateTokens(random, text) {
  const tokens = tokensOf(text);
  const solid = tokens.flatMap((t, i) => (isBlank(t) ? [] : [i]));
  if (solid.length === 0) return text;
  const at = random.pick(solid);
  const other = random.pick(solid);
  switch (random.below(7)) {
    case 0: tokens[at] = ' '; break;
    case 1: tokens[at] += ' ' + tokens[at]; break;
    case 2: [tokens[at], tokens[other]] = [tokens[other], tokens[at]]; break;
    case 3: tokens[at] = ' ' + random.pick(VOCABULARY) + ' '; break;
    case 4: tokens[at] += ' ' + random.pick(VOCABULARY) + ' '; break;
    default: swapNames(random, tokens, solid); // the likeliest to parse
  }
  return tokens.join('');
}

function swapNames(random, tokens, solid) {
  const names = solid.filter((i) => /^[A-Za-z_]/.test(tokens[i]));
  if (names.length > 1) tokens[random.pick(names)] = tokens[random.pick(names)];
}

function mutateCharacters(random, text) {
  const points = [...text];
  const at = random.below(points.length + 1);
  switch (random.below(4)) {
    case 0: points.splice(at, 1); break;
    case 1: points.splice(at, 1, random.pick(CHARACTERS)); break;
    case 2: points.length = at; break;
    default: points.splice(at, 0, random.pick(CHARACTERS));
  }
  return points.join('');
}

export function mutate(random, text, characters = 0.3) {
  do {
    text = random.chance(characters)
      ? mutateCharacters(random, text)
      : mutateTokens(random, text);
  } while (random.chance(0.4));
  return text;
}
