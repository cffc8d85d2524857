// What graphql-js 17 needs and Debian 12's Node 18 has not.
Array.prototype.toSorted ??= function toSorted(compare) {
  return [...this].sort(compare);
};
