// A headless Chromium that can reach this machine only, and tells what it was
// asked for.
import puppeteer from 'puppeteer-core';

export async function open(visit) {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
  const seen = { requests: [], complaints: [] };
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(15000);
    page.on('request', (request) => seen.requests.push(request.url()));
    page.on('console', (message) => {
      if (message.type() === 'error') seen.complaints.push(message.text());
    });
    page.on('pageerror', (error) => seen.complaints.push(String(error)));
    return await visit(page, seen);
  } finally {
    await browser.close();
  }
}

export async function graphql(url, query) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return response.json();
}
