// Behind the lock in the head of the page: what was loaded, what is closed, and which version it
// is.
import { version } from 'onnx-ptq';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useText } from '../i18n';
import type { EngineState } from '../state';

const build = version();

export function Facts({ engine }: { engine: EngineState }) {
  const { t, bytes } = useText();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const close = (event: Event) => {
      const isKey = event instanceof KeyboardEvent;
      if (isKey ? event.key === 'Escape' : !root.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    addEventListener('pointerdown', close);
    addEventListener('keydown', close);
    return () => {
      removeEventListener('pointerdown', close);
      removeEventListener('keydown', close);
    };
  }, [open]);
  const state =
    engine.status === 'ready'
      ? import.meta.env.PROD
        ? t.engine.locked
        : t.engine.development
      : engine.status === 'failed'
        ? t.engine.failed
        : t.engine.loading(bytes(engine.done), bytes(engine.total));
  return (
    <div class="lock" ref={root} data-status={engine.status}>
      <button
        type="button"
        class="chip"
        aria-expanded={open}
        aria-controls="facts"
        onClick={() => setOpen(!open)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M8 1l6 2.2v4.3c0 3.6-2.5 6.3-6 7.5-3.5-1.2-6-3.9-6-7.5V3.2z" />
          <path d="M5.2 8l2 2 3.6-3.8" class="tick" />
        </svg>
        <span aria-live="polite">{state}</span>
      </button>
      <div id="facts" class="popover" hidden={!open}>
        <p>{t.privacy}</p>
        <ul>
          {engine.status === 'ready' && (
            <>
              <li>{import.meta.env.PROD ? t.engine.ready : t.engine.readyDevelopment}</li>
              <li>{t.engine.webrtc}</li>
              <li>{engine.engine.offline ? t.engine.offline : t.engine.onlineOnly}</li>
              <li>
                {engine.engine.threads > 1
                  ? t.engine.threads(engine.engine.threads)
                  : t.engine.singleThread}
              </li>
            </>
          )}
        </ul>
        <p class="help">
          onnx-ptq {build.version} ({build.commit ?? __BUILD__}), {build.compiler} {build.flags}
        </p>
      </div>
    </div>
  );
}
