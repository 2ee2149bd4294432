/** What the browser calls us, with its port: `Host`, or HTTP/2's `:authority`, which only the URL has. */
export function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}
