// Files may be dropped anywhere on the page, or pasted; while they hover, it says so.
import { useEffect, useRef, useState } from 'preact/hooks';
import { useText } from '../i18n';
import { droppedFiles } from '../lib/files';

export function PageDrop({ onFiles }: { onFiles: (files: File[]) => void }) {
  const { t } = useText();
  const [hovering, setHovering] = useState(false);
  const receive = useRef(onFiles);
  receive.current = onFiles;

  useEffect(() => {
    const listening = new AbortController();
    const on = <Name extends 'dragover' | 'dragleave' | 'drop'>(
      name: Name,
      listener: (event: DragEvent) => void,
    ) => addEventListener(name, listener, { signal: listening.signal });
    on('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      setHovering(true);
    });
    on('dragleave', (event) => {
      if (!event.relatedTarget) setHovering(false);
    });
    document.addEventListener(
      'paste',
      (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length > 0) receive.current(files.map(renamed));
      },
      { signal: listening.signal },
    );
    on('drop', async (event) => {
      setHovering(false);
      if (!event.dataTransfer) return;
      event.preventDefault();
      receive.current(await droppedFiles(event.dataTransfer));
    });
    return () => listening.abort();
  }, []);

  return hovering ? (
    <div class="curtain" aria-hidden="true">
      {t.drop.anywhere}
    </div>
  ) : null;
}

let pasted = 0;

/** Each pasted picture is "image.png": with a name of its own none replaces another. */
function renamed(file: File): File {
  if (!/^image\.\w+$/.test(file.name)) return file;
  return new File([file], file.name.replace('image', `pasted-${++pasted}`), { type: file.type });
}
