// The words of a suggestion, with its price.
import { useText } from '../i18n';
import type { Mend } from '../lib/mends';

export function useMendText() {
  const { t, bytes, decibels } = useText();
  return ({ kind, advice }: Mend): { name: string; price: string; action: string } =>
    kind !== 'layers'
      ? t.mends[kind]
      : {
          name: t.layers.adviceName(advice!.nodes.length),
          price: t.layers.advicePrice(
            decibels(advice!.gain, true),
            bytes(advice!.bytes),
            advice!.nodes.join(', '),
          ),
          action: t.layers.adviceAction(advice!.nodes.length),
        };
}
