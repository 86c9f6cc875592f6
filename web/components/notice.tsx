// Something that people should know: an error, a warning, a note. Texts of the library are English.
import type { ComponentChildren } from 'preact';
import { useText } from '../i18n';

interface Props {
  kind: 'error' | 'warning' | 'info';
  title: string;
  message?: string | undefined;
  /** Where: node or tensor. */
  place?: string | undefined;
  hint?: string | undefined;
  children?: ComponentChildren;
}

export function Notice({ kind, title, message, place, hint, children }: Props) {
  return (
    <div class={`notice ${kind}`} role={kind === 'error' ? 'alert' : undefined}>
      <p class="notice-title">{title}</p>
      {message && <p lang="en">{message}</p>}
      {place && (
        <p lang="en">
          <code>{place}</code>
        </p>
      )}
      {hint && (
        <p lang="en" class="hint">
          {hint}
        </p>
      )}
      {children}
    </div>
  );
}

/** An error of the library with the page's own line for its code. */
export function ErrorNotice(props: {
  error: { code: string; message: string; node?: string; tensor?: string; hint?: string };
  children?: ComponentChildren;
}) {
  const { errorTitle } = useText();
  const { code, message, node, tensor, hint } = props.error;
  return (
    <Notice
      kind="error"
      title={errorTitle(code)}
      message={message}
      place={[node, tensor].filter(Boolean).join(', ') || undefined}
      hint={hint}
    >
      {props.children}
    </Notice>
  );
}
