// A button that opens the file picker. The input itself is out of sight but can be focused and has
// the label.
interface Props {
  label: string;
  onFiles: (files: File[]) => void;
  accept?: string;
  multiple?: boolean;
  folder?: boolean;
  primary?: boolean;
}

export function FileButton({ label, onFiles, accept, multiple, folder, primary }: Props) {
  return (
    <label class={primary ? 'button primary' : 'button'}>
      <input
        type="file"
        class="hidden"
        accept={accept}
        multiple={multiple ?? false}
        {...(folder ? { webkitdirectory: true } : {})}
        onChange={(event) => {
          const input = event.currentTarget;
          onFiles([...(input.files ?? [])]);
          input.value = ''; // the same file may be chosen again
        }}
      />
      {label}
    </label>
  );
}
