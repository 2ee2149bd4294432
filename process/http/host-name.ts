/** @returns a host's name in one spelling, without port and without the dot of the root; null for what is none. */
export function hostNameOf(host: string): string | null {
  if (!/^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,255})(:\d{1,5})?$/i.test(host)) return null;
  const name = URL.parse(`http://${host}`)?.hostname.replace(/\.$/, '') ?? '';
  return name === '' ? null : name;
}
