import { type ErrorCode, errorCodes } from '../../../crypto/protocol/messages/error-codes.ts';

/** Shown instead of the client where a browser would not let it work: unencrypted and not on this machine. */
const needsHttps = page(
  'Sotto needs https',
  'Sotto needs https here',
  'This address is not encrypted, and browsers give pages no cryptography without it (crypto.subtle), so nothing could be kept from the network or from this server.',
  'Open Sotto on the machine that it runs on, at http://localhost, or ask whoever runs it to set TLS_CERT and TLS_KEY, or PUBLIC_URL behind an https proxy.',
);

const foreignName = page(
  'Another address',
  'Sotto is not at this address',
  'It answers under the names alone that whoever runs it has chosen: under any other, a page of somebody else could reach it through your browser.',
  'Open Sotto at the address that you were given. Whoever runs it names it with PUBLIC_URL, further ones with HOST_NAMES.',
);

const missing = page(
  'Not found',
  'There is no such page',
  'The address has a mistake in it, or is of something that Sotto does not have.',
  'Begin at the start page: <a href="/">Sotto</a>.',
);

function page(title: string, heading: string, ...paragraphs: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${title}</title></head>
<body>
<h1>${heading}</h1>
${paragraphs.map((text) => `<p>${text}</p>`).join('\n')}
</body>
</html>
`;
}

/** The API's answer with a code, as a page. */
function answer(text: string, code: ErrorCode): Response {
  const { status } = errorCodes[code];
  return new Response(text, { status, headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}

export const plainHttpPage = () => answer(needsHttps, 'https-required');
export const foreignNamePage = () => answer(foreignName, 'wrong-host');
export const missingPage = () => answer(missing, 'not-found');
