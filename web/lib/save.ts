// Files to the user's disk: streamed to the place that is chosen where the browser can, else
// through its downloads.

interface SavePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<{
    createWritable(): Promise<WritableStream<Uint8Array>>;
  }>;
}

/** From this size on a download by address would hold the file twice. */
const large = 100e6;

/** Whether it was saved: the dialog may be closed. */
export async function save(blob: Blob, name: string): Promise<boolean> {
  const { showSaveFilePicker } = window as SavePicker;
  if (blob.size >= large && showSaveFilePicker) {
    try {
      const file = await showSaveFilePicker.call(window, { suggestedName: name });
      await blob.stream().pipeTo(await file.createWritable());
      return true;
    } catch (error) {
      if ((error as Error).name === 'AbortError') return false;
      // A frame without the right to it, or a disk that is full: the browser's downloads say so.
    }
  }
  const link = document.createElement('a');
  const url = URL.createObjectURL(blob);
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return true;
}

export const saveText = (text: string, name: string, type = 'application/json') =>
  save(new Blob([text], { type }), name);
