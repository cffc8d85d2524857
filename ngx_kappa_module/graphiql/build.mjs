// build.mjs DIRECTORY: writes index.html, graphiql.js and graphiql.css, which
// need nothing from anywhere else.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const directory = process.argv[2];

const { outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: { graphiql: 'main.jsx' },
  bundle: true,
  minify: true,
  write: false,
  outdir: directory,
  nodePaths: [`${here}node_modules`],
  target: 'es2020',
  jsx: 'automatic',
  legalComments: 'eof',
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"' },
});

const hash = createHash('sha256');
mkdirSync(directory, { recursive: true });
for (const { path, contents } of outputFiles) {
  hash.update(contents);
  writeFileSync(path, contents);
}
// A browser keeps the two files for ever: their name changes with them.
const version = hash.digest('hex').slice(0, 16);
const page = readFileSync(`${here}index.html`, 'utf8');
writeFileSync(`${directory}/index.html`, page.replaceAll('@VERSION@', version));
