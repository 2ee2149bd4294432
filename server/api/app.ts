import { Hono } from 'hono';
import { RelayError } from './route/relay-error.ts';
import { describeError, refusalOf } from './route/error-answer.ts';
import { type Bindings, dispatch, type DispatchDependencies } from './dispatch.ts';
import { type Health, livePath, readyPaths } from './pages/health.ts';
import { hostOf, type HostNames } from './guards/host-name.ts';
import { foreignNamePage, missingPage, plainHttpPage } from './pages/plain-pages.ts';
import { requireThread } from './bodies/large-messages.ts';
import type { Route } from './route/route.ts';
import { isClientPage, type StaticFiles } from './pages/static-files.ts';

export type AppDependencies = DispatchDependencies & {
  readonly routes: readonly Route[];
  readonly files: StaticFiles;
  readonly hosts: HostNames;
  readonly health: { look(): Promise<Health> };
};

export type RelayApp = Hono<{ Bindings: Bindings }>;

/** The whole relay as a function from request to response; only raw routes need a socket. */
export function createApp(dependencies: AppDependencies): RelayApp {
  const app: RelayApp = new Hono();
  app.get(livePath, () => new Response('ok\n'));
  for (const url of readyPaths) {
    app.get(url, async () => {
      const { isReady, marks } = await dependencies.health.look();
      return isReady ? new Response(['ok', ...marks, ''].join('\n')) : refusalOf('not-ready');
    });
  }
  app.use('*', async (c, next) => {
    const verdict = dependencies.hosts.judge(hostOf(c.req.raw));
    if (verdict === 'own') return next();
    if (isOfApi(c.req.path)) return refusalOf(verdict === 'foreign' ? 'wrong-host' : 'https-required');
    return verdict === 'foreign' ? foreignNamePage() : plainHttpPage();
  });
  for (const route of dependencies.routes) {
    requireThread(route);
    const url = route.url.replace(/\{(\w+)\}/g, ':$1');
    app.on(route.method, url, (c) => dispatch(c, route, dependencies));
  }
  for (const url of new Set(dependencies.routes.map((route) => route.url))) {
    const methods = dependencies.routes.filter((route) => route.url === url).map((route) => route.method);
    app.all(url.replace(/\{(\w+)\}/g, ':$1'), () => refusalOf('method-not-allowed', { Allow: methods.join(', ') }));
  }
  app.all('/v1/*', () => refusalOf('not-found'));
  app.all('/v1', () => refusalOf('not-found'));
  app.on(['GET', 'HEAD'], '/*', (c) => {
    const request = c.req.raw;
    const { path } = c.req;
    if (path.includes('.')) return dependencies.files.answer(path, request) ?? refusalOf('not-found');
    if (!isClientPage(path)) return missingPage();
    return dependencies.files.answer('/index.html', request) ?? unbuilt();
  });
  app.all('/*', () => refusalOf('method-not-allowed', { Allow: 'GET, HEAD' }));
  app.onError((error) => {
    dependencies.log.error('call-failed', { route: 'none', error });
    return refusalOf('internal-error');
  });
  return app;
}

function isOfApi(path: string): boolean {
  return path === '/v1' || path.startsWith('/v1/');
}

function unbuilt(): Response {
  const text = 'The client is not built: run `npm run build`, then start the relay again.\n';
  const { status, headers } = describeError(new RelayError('not-ready'));
  return new Response(text, { status, headers: { ...headers, 'Content-Type': 'text/plain; charset=utf-8' } });
}
