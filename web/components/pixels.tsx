import { useEffect, useRef } from 'preact/hooks';

interface Props {
  width: number;
  height: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
  label: string;
}

/** A picture from its pixels. */
export function Pixels({ width, height, pixels, label }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    canvas.current?.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
  }, [pixels, width, height]);
  return (
    <canvas ref={canvas} class="pixels" {...{ width, height }} role="img" aria-label={label} />
  );
}
