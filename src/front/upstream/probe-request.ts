import type { Probe, ProbeResult } from '../../contracts/upstream.js';
import { parseAnswerHead } from './answer-head.js';
import { encodeFrame, IS_MULTIPROCESS, RequestKind } from './frames.js';
import type { AnswerSink, GatewayRequest } from './gateway-request.js';
import { decodeToLatin1 } from './percent.js';
import type { RequestBody } from './request-body.js';

const BODY_HEAD_BYTES = 2000;

/**
 * The health probe: one real GET with the real Host, whose answer goes to the reload instead of a client.
 *
 * Made by GatewayClient.probe; the deadline is the caller's.
 */
export class ProbeRequest implements GatewayRequest, AnswerSink {
  readonly result: Promise<ProbeResult>;
  readonly body: RequestBody = { kind: 'none' };
  readonly writer: AnswerSink = this;
  onAbandoned: (() => void) | undefined;
  isAbandoned = false;
  hasStarted = false;
  readonly #probe: Probe;
  #status = 0;
  #bodyHead = '';
  #resolve!: (result: ProbeResult) => void;
  #reject!: (error: Error) => void;

  constructor(probe: Probe) {
    this.#probe = probe;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  encode(isMultiprocess: boolean): Buffer {
    const { host, path } = this.#probe;
    const mark = path.indexOf('?');
    const environ = {
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '',
      PATH_INFO: decodeToLatin1(mark < 0 ? path : path.slice(0, mark)),
      QUERY_STRING: mark < 0 ? '' : path.slice(mark + 1),
      REQUEST_URI: path,
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_NAME: host,
      SERVER_PORT: '80',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_PORT: '0',
      'wsgi.url_scheme': 'http',
      HTTP_HOST: host,
      HTTP_USER_AGENT: 'easyserve-probe',
      HTTP_ACCEPT: '*/*',
    };
    const flags = isMultiprocess ? IS_MULTIPROCESS : 0;
    return encodeFrame(RequestKind.request, flags, Object.entries(environ).flat().join('\0'));
  }

  /** It has no body. */
  breakOff(): void {}

  /** Gives up: deadline, or the process died. */
  fail(message: string): void {
    this.isAbandoned = true;
    this.onAbandoned?.();
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
      this.#status = parseAnswerHead(head, false).status;
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
