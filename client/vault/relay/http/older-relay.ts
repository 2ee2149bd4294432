import { RelayCallError } from './relay-call-error.ts';

/**
 * Makes a call that wishes for a key statement of format 2 (SPEC.md §9.2). A relay of before refuses the wish and stores nothing:
 * it gets the same call without it. While relays are replaced, one may hand over to such a one in between.
 */
export async function withOlderRelay<Body extends { readonly statement?: 2 }, Answer>(
  body: Body,
  call: (body: Body) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await call(body);
  } catch (error) {
    const isPerhapsOlder = error instanceof RelayCallError && error.code === 'bad-request';
    if (!isPerhapsOlder || body.statement === undefined) throw error;
    const { statement: _, ...plain } = body;
    return call(plain as Body);
  }
}
