import { useEffect, useState } from 'preact/hooks';
import { useText } from '../i18n';

/** Text that can be copied, with its name. */
export function CopyBlock({ label, text }: { label: string; text: string }) {
  const { t } = useText();
  const [copied, setCopied] = useState('');
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(''), 4000);
    return () => clearTimeout(timer);
  }, [copied]);
  // Absent where the page is not served securely: then the text can still be selected.
  const clipboard: Clipboard | undefined = navigator.clipboard;
  return (
    <div class="copy">
      <div class="copy-head">
        <span class="label">{label}</span>
        {clipboard && (
          <button
            type="button"
            class="button"
            aria-label={`${t.download.copy}: ${label}`}
            onClick={() => clipboard.writeText(text).then(() => setCopied(text))}
          >
            <span aria-live="polite">{copied === text ? t.download.copied : t.download.copy}</span>
          </button>
        )}
      </div>
      {/* Focusable, so that a keyboard can scroll it. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region */}
      <section class="code" tabIndex={0} aria-label={label}>
        <pre>
          <code>{text}</code>
        </pre>
      </section>
    </div>
  );
}
