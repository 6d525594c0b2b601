/** What joins the application to easyserve: the other end is app/app-control. */
export interface Link {
  /** Also when the application ends in the same moment. */
  tell(event: LinkEvent): void;
}

export type LinkCommand = 'stop' | 'stacks';

export type LinkEvent =
  | { readonly event: 'ready' }
  /** It will never be ready; the sentence has no full stop. */
  | { readonly event: 'failed'; readonly reason: string; readonly hint?: string | undefined }
  | { readonly event: 'terminated' }
  | { readonly event: 'stacks'; readonly stacks: Readonly<Record<string, string>> };

/** `{"command": "stop"}` -> `stop`. */
export function readCommand(line: string): LinkCommand {
  return (JSON.parse(line) as { command: LinkCommand }).command;
}
