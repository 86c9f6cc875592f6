// The quantized weight of a layer by channel: a chart of all of them, and a table of those that are
// most unlike each other.
import type { WeightChannels as Channels } from 'onnx-ptq';
import { ChannelRanges } from '../charts/channel-ranges';
import { useText } from '../i18n';

/** Of the widest, and of the narrowest. */
const shown = 3;

export function WeightChannels({ channels }: { channels: Channels }) {
  const { t, number } = useText();
  const { tensor, lowest, highest, perChannel } = channels;
  const width = (channel: number) => highest[channel]! - lowest[channel]!;
  const sorted = lowest.map((_, channel) => channel).sort((a, b) => width(b) - width(a));
  const chosen =
    sorted.length <= 2 * shown ? sorted : [...sorted.slice(0, shown), ...sorted.slice(-shown)];
  // All with the digits that the whole of it needs; what they do not show is 0, without a sign.
  const span = Math.max(...highest.map(Math.abs), ...lowest.map(Math.abs), 1e-9);
  const digits = Math.max(1, Math.min(6, 2 - Math.floor(Math.log10(span))));
  const precise = (value: number) =>
    number(Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value, digits);
  return (
    <div class="stack-8">
      <p>{t.layers.channels(number(lowest.length))}</p>
      <ChannelRanges
        label={t.layers.channelsOf(tensor)}
        {...{ lowest, highest, format: precise }}
      />
      <p class="help">{perChannel ? t.layers.ownScales : t.layers.oneScale}</p>
      <table class="methods">
        <caption class="hidden">{t.layers.unlike}</caption>
        <thead>
          <tr>
            <th scope="col">{t.layers.channel}</th>
            <th scope="col">{t.layers.rangeOnly}</th>
          </tr>
        </thead>
        <tbody>
          {chosen.map((channel) => (
            <tr key={channel}>
              <th scope="row">{channel}</th>
              <td>{t.layers.fromTo(precise(lowest[channel]!), precise(highest[channel]!))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {chosen.length < sorted.length && <p class="help">{t.layers.mostUnlike}</p>}
    </div>
  );
}
