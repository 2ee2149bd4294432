/** Shown instead of the client where a browser would not let it work: unencrypted and not on this machine. */
const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sotto needs https</title></head>
<body>
<h1>Sotto needs https here</h1>
<p>This address is not encrypted, and browsers give pages no cryptography without it (crypto.subtle), so nothing could be kept from the network or from this server.</p>
<p>Open Sotto on the machine that it runs on, at http://localhost, or ask whoever runs it to set TLS_CERT and TLS_KEY, or PUBLIC_URL behind an https proxy.</p>
</body>
</html>
`;

/** Whether a page under this name is a secure context although it came over plain http. */
export function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(name);
}

export function plainHttpPage(): Response {
  return new Response(page, { status: 403, headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}
