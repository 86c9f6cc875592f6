// What was loaded, and that nothing leaves the page after it.
import { useText } from '../i18n';
import type { EngineState } from '../state';

export function EngineStatus({ engine }: { engine: EngineState }) {
  const { t, bytes } = useText();
  return (
    <div class="engine" data-status={engine.status}>
      <p class="promise">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M8 1l6 2.2v4.3c0 3.6-2.5 6.3-6 7.5-3.5-1.2-6-3.9-6-7.5V3.2z" />
          <path d="M5.2 8l2 2 3.6-3.8" class="tick" />
        </svg>
        {t.privacy}
      </p>
      <p role="status">
        {engine.status === 'loading' && t.engine.loading(bytes(engine.bytes))}
        {engine.status === 'failed' &&
          `${t.engine.failed}: ${engine.message}. ${t.engine.failedHint}`}
        {engine.status === 'ready' && (
          <>
            {import.meta.env.PROD ? t.engine.ready : t.engine.readyDevelopment}{' '}
            {engine.engine.threads > 1
              ? t.engine.threads(engine.engine.threads)
              : t.engine.singleThread}
          </>
        )}
      </p>
    </div>
  );
}
