import type { Clock } from '../../contracts/clock.js';
import type { Probe, ProbeResult } from '../../contracts/upstream.js';

/** An application process that answers one GET. */
export interface Probed {
  probe(probe: Probe): Promise<ProbeResult>;
}

/** To https, to www, to a language, to the page for logging in, and one more. */
const MAX_REDIRECTS = 5;

/**
 * Asks for a page as a browser does: a redirect to another address of the same site is followed, because only what stands there
 * says whether the site works. Resolves with the last answer; rejects where one fails to come within the time of the probe.
 */
export async function askAsVisitor(upstream: Probed, first: Probe, clock: Clock): Promise<ProbeResult> {
  const deadlineMs = clock.now() + first.timeoutMs;
  const asked = new Set<string>();
  let probe = first;
  for (;;) {
    asked.add(addressOf(probe));
    const result = await upstream.probe(probe);
    const next = followRedirect(result, probe);
    if (next === undefined || asked.has(addressOf(next)) || asked.size > MAX_REDIRECTS) return result;
    const timeoutMs = Math.max(1, deadlineMs - clock.now());
    probe = { ...next, timeoutMs };
  }
}

// Private

function addressOf({ scheme, host, path }: Probe): string {
  return `${scheme}://${host}${path}`;
}

/** Undefined where the answer leads nowhere, or to another site. */
function followRedirect({ status, location }: ProbeResult, probe: Probe): Probe | undefined {
  if (status < 300 || status > 399 || location === undefined) return undefined;
  const base = addressOf(probe);
  if (!URL.canParse(location, base)) return undefined;
  const { protocol, hostname, host, pathname, search } = new URL(location, base);
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  if (withoutWww(hostname) !== withoutWww(new URL(base).hostname)) return undefined;
  // What lies outside is another application's.
  if (!`${pathname}/`.startsWith(`${probe.scriptName}/`)) return undefined;
  return { ...probe, scheme: protocol === 'https:' ? 'https' : 'http', host, path: pathname + search };
}

function withoutWww(name: string): string {
  return name.replace(/^www\./, '');
}
