// A sentence of the library in the language of the page.
import type { TextParts } from 'onnx-ptq';
import { useText } from '../i18n';

export function Said({ message, parts }: { message: string; parts?: TextParts | undefined }) {
  const { text, lang } = useText().said(message, parts);
  return <span lang={lang}>{text}</span>;
}
