// Something that people should know: an error, a warning, a note.
import type { Blocker, Diagnostic } from 'onnx-ptq';
import type { ComponentChildren } from 'preact';
import { useText } from '../i18n';
import { Said } from './said';

interface Props {
  kind: 'error' | 'warning' | 'info';
  title: ComponentChildren;
  message?: ComponentChildren;
  /** Where: node or tensor. */
  place?: string | undefined;
  hint?: ComponentChildren;
  children?: ComponentChildren;
}

export function Notice({ kind, title, message, place, hint, children }: Props) {
  return (
    <div class={`notice ${kind}`} role={kind === 'error' ? 'alert' : undefined}>
      <p class="notice-title">{title}</p>
      {message && <p>{message}</p>}
      {place && (
        <p lang="en">
          <code>{place}</code>
        </p>
      )}
      {hint && <p class="hint">{hint}</p>}
      {children}
    </div>
  );
}

/** An error of the library with the page's own line for its code. */
export function ErrorNotice(props: {
  error: Omit<Blocker, 'cause'>;
  children?: ComponentChildren;
}) {
  const { errorTitle } = useText();
  const { code, message, messageText, node, tensor, hint, hintText } = props.error;
  return (
    <Notice
      kind="error"
      title={errorTitle(code)}
      message={<Said message={message} parts={messageText} />}
      place={[node, tensor].filter(Boolean).join(', ') || undefined}
      hint={hint && <Said message={hint} parts={hintText} />}
    >
      {props.children}
    </Notice>
  );
}

/** What the library noted, with the page's own line for its code where it has one. */
export function DiagnosticNotice({ diagnostic }: { diagnostic: Diagnostic }) {
  const { diagnosticTitle } = useText();
  const { code, message, messageText, severity, node, tensor, hint, hintText } = diagnostic;
  const title = diagnosticTitle(code);
  const said = <Said message={message} parts={messageText} />;
  // The page's own line says what can be done here, flags are for the command.
  const isForCommand = title !== undefined && hint !== undefined && /--\w/.test(hint);
  return (
    <Notice
      kind={severity}
      title={title ?? said}
      message={title && said}
      place={[node, tensor].filter(Boolean).join(', ') || undefined}
      hint={hint && !isForCommand && <Said message={hint} parts={hintText} />}
    />
  );
}
