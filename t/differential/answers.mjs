// What two answers must have in common.

function placesOf(error) {
  return (error.locations ?? []).map((l) => `${l.line}:${l.column}`).join(' ');
}

// Members in order; of errors what both must agree on. Without data the
// request was refused, and each says so in its own words.
export function keyOf(answer) {
  const { data, errors = [] } = answer;
  if (data === undefined) return ['refused', ...errors.map(placesOf)].join(' | ');
  const shown = errors.map((e) => {
    const message = /^Cannot return null/.test(e.message) ? e.message : '';
    return `${placesOf(e)} ${JSON.stringify(e.path)} ${message}`;
  });
  return [JSON.stringify(data), ...shown].join('\n    ');
}

// Text that shows both, or undefined where they agree.
export function answersDiffer(got, expected) {
  const kappa = keyOf(got), reference = keyOf(expected);
  return kappa === reference ? undefined
    : `  kappa:\n    ${JSON.stringify(got)}\n    ${kappa}\n  graphql-js:\n    ${JSON.stringify(expected)}\n    ${reference}`;
}
