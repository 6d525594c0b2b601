import { EventEmitter } from 'node:events';
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ProxyServer } from 'http-proxy';
import type { SocketPlace } from '../../contracts/upstream.js';
import type { ClientResponse } from '../client-message.js';

/** A request as it is to reach the application server. */
export interface ProxiedHead {
  readonly method: string;
  /** Path and query, as the client sent them. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
}

/** Where a request goes, and who hears of its answer. */
interface Forward {
  readonly head: ProxiedHead;
  readonly place: SocketPlace;
  readonly agent: Agent;
  readonly onAnswer: (answer: IncomingMessage) => void;
  readonly onError: (error: Error) => void;
}

export interface WebForward extends Forward {
  /** When it closes unfinished, the connection to the application server is closed too. */
  readonly response: ClientResponse;
  /** An interim answer, such as 103 Early Hints (RFC 9110 section 15.2). */
  readonly onInformation: (status: number, headers: NodeJS.Dict<string | string[]>) => void;
}

export interface TunnelForward extends Forward {
  readonly socket: Socket;
  /** Added to those of the application server's 101, names in lower case. */
  readonly openingHeaders: Readonly<Record<string, string>>;
  /** The application server has switched protocols. From then on only the event `close` of this socket tells anything. */
  readonly onOpen: (upstream: Socket) => void;
}

/**
 * http-proxy, and what it lacks. The only file that knows it; one object for each application process (HttpClient).
 *
 *   - Its step `deleteLength` would announce no body for a chunked DELETE or OPTIONS, and send it all the same: the next
 *     request on that connection would begin with it. It never sees such a method, which goes in as an option.
 *   - The request it gets is one of our own: headers already chosen (request-headers), the target untouched but for a
 *     question mark with nothing behind it. Its own forwarded headers, which add to what the client sent, stay off.
 *   - Answers are handed on and not piped: whoever writes them sees when one breaks off (AnswerWriter).
 *   - A request for a WebSocket that fails is the caller's to answer; it would close the connection.
 *   - A tunnel ends on both sides when it ends on one, without waiting for the other to agree, and also when the client
 *     leaves before it is open.
 */
export class HttpProxy {
  readonly #proxy = new ProxyServer({ selfHandleResponse: true, toProxy: true, prependPath: false });

  constructor() {
    this.#proxy.on('proxyReqWs', (clientRequest, request) => {
      asProxied(request).clientRequest = clientRequest;
    });
    this.#proxy.on('proxyRes', (answer, request) => asProxied(request).onAnswer(answer));
    // http-proxy throws where nobody listens; every error comes by onError as well.
    this.#proxy.on('error', () => {});
  }

  /** The request on its way, whose body the caller writes and ends. Throws on a head that Node does not send. */
  forward(forward: WebForward): ClientRequest {
    const request = new ProxiedRequest(forward.head, forward.onAnswer);
    // http-proxy takes this for the source of the body, and pipes it at once.
    const buffer = {
      pipe: (clientRequest: ClientRequest) => {
        request.clientRequest = clientRequest;
      },
    };
    this.#proxy.web(
      request as unknown as IncomingMessage,
      forward.response as ServerResponse,
      {
        target: targetOf(forward.place),
        method: forward.head.method,
        agent: forward.agent,
        buffer: buffer as never,
      },
      forward.onError,
    );
    const clientRequest = request.clientRequest as ClientRequest;
    clientRequest.on('information', ({ statusCode, headers }) => forward.onInformation(statusCode, headers));
    return clientRequest;
  }

  /** The request on its way. Throws on a head that Node does not send. */
  tunnel(forward: TunnelForward): ClientRequest {
    const { socket, openingHeaders } = forward;
    const request = new ProxiedRequest(forward.head, forward.onAnswer);
    this.#proxy.ws(
      request as unknown as IncomingMessage,
      socket,
      Buffer.alloc(0),
      { target: targetOf(forward.place), agent: forward.agent },
      forward.onError,
    );
    const clientRequest = request.clientRequest as ClientRequest;
    // http-proxy's own answers to a refusal and to a failure lack our headers and error pages.
    clientRequest.removeAllListeners('response').once('response', forward.onAnswer);
    clientRequest.removeAllListeners('error').on('error', forward.onError);
    const leave = (): void => void socket.destroy();
    socket.once('end', leave);
    clientRequest.prependOnceListener('upgrade', (answer) =>
      Object.assign(answer.headers, { ...openingHeaders, ...answer.headers }),
    );
    clientRequest.once('upgrade', (_answer, upstream: Socket) => {
      socket.off('end', leave);
      joinEnds(socket, upstream);
      forward.onOpen(upstream);
    });
    socket.once('close', () => clientRequest.destroy());
    return clientRequest;
  }
}

// Private

/** What http-proxy takes for the client's request: it reads these fields, and listens for errors. */
class ProxiedRequest extends EventEmitter {
  /** A WebSocket has no other; that of any other request goes in as an option. */
  readonly method = 'GET';
  readonly url: string;
  readonly headers: OutgoingHttpHeaders;
  readonly httpVersionMajor = 1;
  /** http-proxy hides a reset from its caller where the client's socket is destroyed; we want to hear of each. */
  readonly socket = { destroyed: false };
  readonly onAnswer: (answer: IncomingMessage) => void;
  /** Set while http-proxy is called. */
  clientRequest: ClientRequest | undefined;

  constructor(head: ProxiedHead, onAnswer: (answer: IncomingMessage) => void) {
    super();
    this.url = head.target;
    this.headers = head.headers;
    this.onAnswer = onAnswer;
  }
}

function asProxied(request: IncomingMessage): ProxiedRequest {
  return request as unknown as ProxiedRequest;
}

function targetOf(place: SocketPlace): { host: string; port: number; socketPath?: string } {
  return 'path' in place ? { host: 'localhost', port: 80, socketPath: place.path } : place;
}

/** A WebSocket is never half closed (RFC 6455 section 7.1.1); what came before the end is still passed on. */
function joinEnds(socket: Socket, upstream: Socket): void {
  socket.once('end', () => upstream.destroySoon());
  socket.once('close', () => upstream.destroy());
  upstream.once('close', () => socket.destroySoon());
}
