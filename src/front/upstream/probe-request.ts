import type { Clock } from '../../contracts/clock.js';
import type { Probe, ProbeResult } from '../../contracts/upstream.js';
import { parseAnswerHead } from './answer-head.js';
import { decodeToLatin1, isBelowMount, splitHost, toEnvironName } from './environ.js';
import { encodeFrame, IS_MULTIPROCESS, RequestKind } from './frames.js';
import type { AnswerSink, GatewayRequest, RequestCarrier } from './gateway-request.js';
import type { RequestBody } from './request-body.js';

const BODY_HEAD_BYTES = 2000;

/**
 * The health probe: one real GET as a visitor would make it, whose answer goes to the reload instead of a client. It ends by
 * itself at its deadline.
 */
export class ProbeRequest implements GatewayRequest, AnswerSink {
  /** Rejects when there is no whole answer. */
  readonly result: Promise<ProbeResult>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RequestBody = { kind: 'none' };
  readonly writer: AnswerSink = this;
  isAbandoned = false;
  hasStarted = false;
  readonly #probe: Probe;
  #carrier: RequestCarrier | undefined;
  #status = 0;
  #bodyHead = '';
  #location: string | undefined;
  #resolve!: (result: ProbeResult) => void;
  #reject!: (error: Error) => void;

  constructor(probe: Probe, clock: Clock) {
    const { host, scheme, proxyHeaders, timeoutMs } = probe;
    this.#probe = probe;
    this.headers = {
      ...proxyHeaders,
      host,
      'user-agent': 'easyserve-probe',
      accept: '*/*',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': scheme,
      'x-forwarded-host': host,
    };
    const cancel = clock.after(timeoutMs, () => this.fail(`no answer within ${timeoutMs / 1000} s`));
    this.result = new Promise<ProbeResult>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    }).finally(cancel);
  }

  encode({ isMultiprocess }: { isMultiprocess: boolean }): Buffer {
    const { path: target, scheme, host, scriptName } = this.#probe;
    const [, encodedPath = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(target) ?? [];
    const path = decodeToLatin1(encodedPath);
    const isBelow = isBelowMount(path, scriptName);
    const { serverName, serverPort } = splitHost({ host, scheme });
    const environ = {
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: isBelow ? scriptName : '',
      PATH_INFO: isBelow ? path.slice(scriptName.length) : path,
      QUERY_STRING: query,
      REQUEST_URI: target,
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_NAME: serverName,
      SERVER_PORT: serverPort,
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_PORT: '0',
      'wsgi.url_scheme': scheme,
    };
    const headers = Object.entries(this.headers).map(([name, value]) => [toEnvironName(name), value]);
    const flags = isMultiprocess ? IS_MULTIPROCESS : 0;
    return encodeFrame(
      RequestKind.request,
      flags,
      [...Object.entries(environ), ...headers].flat().join('\0'),
    );
  }

  attach(carrier: RequestCarrier): void {
    this.#carrier = carrier;
  }

  detach(): void {
    this.#carrier = undefined;
  }

  /** It has no body. */
  breakOff(): void {}

  /** Gives up: the deadline has come, or the process has died. */
  fail(message: string): void {
    this.isAbandoned = true;
    this.#carrier?.onAbandoned();
    this.#reject(new Error(message));
  }

  whole(head: string, body: Buffer): void {
    this.start(head);
    this.write(body);
    this.end();
  }

  start(head: string): void {
    this.hasStarted = true;
    try {
      const { status, headers } = parseAnswerHead(head, { takesSendfile: false });
      this.#status = status;
      const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'location');
      this.#location = at < 0 ? undefined : headers[at + 1];
    } catch (error) {
      this.#reject(new Error(`its answer is malformed: ${(error as Error).message}`));
    }
  }

  write(piece: Buffer): boolean {
    const room = BODY_HEAD_BYTES - this.#bodyHead.length;
    if (room > 0) this.#bodyHead += piece.toString('utf8', 0, room);
    return true;
  }

  /** write() never asks to wait. */
  onceDrained(): void {}

  end(): void {
    const location = this.#location === undefined ? {} : { location: this.#location };
    this.#resolve({ status: this.#status, bodyHead: this.#bodyHead, ...location });
  }

  abort(): void {
    this.#reject(new Error('the application raised an exception in the middle of its answer'));
  }

  refuse(): void {
    this.#resolve({ status: 500, bodyHead: '' });
  }

  async file(head: string): Promise<boolean> {
    this.start(head);
    return true;
  }
}
