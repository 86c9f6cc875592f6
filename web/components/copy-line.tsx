import { useState } from 'preact/hooks';
import { useText } from '../i18n';

/** A term of a description list whose text can be copied. */
export function CopyLine({ label, text }: { label: string; text: string }) {
  const { t } = useText();
  const [copied, setCopied] = useState(false);
  // Absent where the page is not served securely: then the text can still be selected.
  const clipboard: Clipboard | undefined = navigator.clipboard;
  return (
    <>
      <dt>{label}</dt>
      <dd class="copy">
        <code>{text}</code>
        {clipboard && (
          <button
            type="button"
            class="button quiet"
            aria-label={`${t.result.copy}: ${label}`}
            onClick={() => clipboard.writeText(text).then(() => setCopied(true))}
          >
            {copied ? t.result.copied : t.result.copy}
          </button>
        )}
      </dd>
    </>
  );
}
