import type { Clock } from '../../contracts/clock.js';
import type { Probe, ProbeResult } from '../../contracts/upstream.js';
import { parseAnswerHead } from './answer-head.js';
import { decodeToLatin1, toEnvironName } from './environ.js';
import { encodeFrame, IS_MULTIPROCESS, RequestKind } from './frames.js';
import type { AnswerSink, GatewayRequest, RequestCarrier } from './gateway-request.js';
import type { RequestBody } from './request-body.js';

const BODY_HEAD_BYTES = 2000;

/**
 * The health probe: one real GET with the real Host, whose answer goes to the reload instead of a client. It ends by itself
 * at its deadline.
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
  readonly #path: string;
  #carrier: RequestCarrier | undefined;
  #status = 0;
  #bodyHead = '';
  #resolve!: (result: ProbeResult) => void;
  #reject!: (error: Error) => void;

  constructor({ path, host, timeoutMs }: Probe, clock: Clock) {
    this.#path = path;
    this.headers = {
      host,
      'user-agent': 'easyserve-probe',
      accept: '*/*',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': host,
    };
    const cancel = clock.after(timeoutMs, () => this.fail(`no answer within ${timeoutMs / 1000} s`));
    this.result = new Promise<ProbeResult>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    }).finally(cancel);
  }

  encode({ isMultiprocess }: { isMultiprocess: boolean }): Buffer {
    const [, path = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(this.#path) ?? [];
    const environ = {
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '',
      PATH_INFO: decodeToLatin1(path),
      QUERY_STRING: query,
      REQUEST_URI: this.#path,
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_NAME: this.headers.host,
      SERVER_PORT: '80',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_PORT: '0',
      'wsgi.url_scheme': 'http',
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
      this.#status = parseAnswerHead(head, { takesSendfile: false }).status;
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
    this.#resolve({ status: this.#status, bodyHead: this.#bodyHead });
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
