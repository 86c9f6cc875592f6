// Where the element in focus goes away (the button that was pressed, say), a keyboard would begin
// at the top of the page again: the focus moves to the heading of the step that is next.
import { useEffect, useRef } from 'preact/hooks';

export function useFocusKeeper(step: string): void {
  const current = useRef(step);
  current.current = step;
  useEffect(() => {
    let last: Element | null = null;
    const remember = (event: FocusEvent) => {
      last = event.target as Element;
    };
    const mend = () => {
      const isLost = document.activeElement === document.body || !document.activeElement;
      if (!last || last.isConnected || !isLost) return;
      last = null;
      const heading = document.getElementById(`${current.current}-title`);
      (heading?.querySelector('button') ?? heading)?.focus({ preventScroll: true });
    };
    const watcher = new MutationObserver(mend);
    watcher.observe(document.body, { childList: true, subtree: true });
    document.addEventListener('focusin', remember);
    return () => {
      watcher.disconnect();
      document.removeEventListener('focusin', remember);
    };
  }, []);
}
