import { djangoFactsOf } from '../contracts/project-facts.js';
import { isLocalHost } from '../settings/cross-checks.js';
import { wantsHttps } from '../settings/settings.js';
import type { DjangoSubject, Subject } from './check.js';

/** Whether the word of a proxy counts here, as `trustedProxies` says: its X-Forwarded-Proto makes a request one of https. */
export function believesProxies(subject: Pick<Subject, 'settings' | 'project'>): boolean {
  const { trustedProxies } = subject.settings;
  return trustedProxies === 'auto' ? isLocal(subject) : trustedProxies.length > 0;
}

/** Only this machine reaches the site. */
export function isLocal({ settings: { host }, project }: Pick<Subject, 'settings' | 'project'>): boolean {
  // Unset: 127.0.0.1 with DEBUG on.
  return host === null ? djangoFactsOf(project)?.isDebug === true : isLocalHost(host);
}

/** Visitors come by https: to easyserve, or to a proxy that the settings speak of. */
export function isServedByHttps({ settings, project: { django } }: DjangoSubject): boolean {
  const { trustedProxies } = settings;
  const namesProxy = trustedProxies !== 'auto' && trustedProxies.length > 0;
  const { hasProxyHeader = false } = django.deployment?.security ?? {};
  return wantsHttps(settings) || namesProxy || hasProxyHeader || django.redirectsToHttps;
}
