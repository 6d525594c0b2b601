import type { RequestBody } from './request-body.js';
import type { UploadFailure } from './upload-stream.js';

/** A file that the application hands over instead of reading it (wsgi.file_wrapper). */
export interface FileTarget {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly device: number;
  readonly inode: number;
}

/** Takes the answer to one request, in the order of the protocol (frames.ts). */
export interface AnswerSink {
  readonly hasStarted: boolean;
  /** A complete answer. */
  whole(head: string, body: Buffer): void;
  /** Pieces follow; `bodyBytes` where their sum is known. */
  start(head: string, bodyBytes: number | undefined): void;
  /** False: enough for now, go on when onceDrained calls back. */
  write(piece: Buffer): boolean;
  onceDrained(callback: () => void): void;
  end(): void;
  /** The answer broke off: the client must see that. */
  abort(): void;
  /** The application raised before its answer. */
  refuse(): void;
  /** True once the file is open; false when the application has to read it itself. */
  file(head: string, target: FileTarget): Promise<boolean>;
}

/** What takes a request to the application: a connection to a gateway, or a forwarding to an HTTP server. */
export interface RequestCarrier {
  /** Nobody waits for the answer any more. */
  onAbandoned(): void;
}

/** What a connection to a gateway can carry: a client's request (AppRequest), or a probe (ProbeRequest). */
export interface GatewayRequest {
  readonly body: RequestBody;
  readonly writer: AnswerSink;
  readonly isAbandoned: boolean;
  encode(options: { isMultiprocess: boolean }): Buffer;
  /** From here on the carrier hears when the request is abandoned. */
  attach(carrier: RequestCarrier): void;
  detach(): void;
  /** Its streamed body comes too slowly, or is too large: the client is told, and the thread gets no more of it. */
  breakOff(failure: UploadFailure): void;
}
