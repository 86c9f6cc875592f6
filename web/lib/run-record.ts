// One finished run: what went in, and what came out.
import type { PartialPreprocess, PreprocessFinding, SessionResult } from 'onnx-ptq';
import { configuration, type Settings } from './settings';
import type { Verdict } from './verdict';

export interface RunInputs {
  model: File;
  externalData: Record<string, File>;
  /** All that were used; `held` of them were held out. */
  samples: readonly File[];
  held: readonly File[];
  /** The option hold_out. */
  holdOut: number;
  /** Whether `samples` are all files that were given. */
  isWhole: boolean;
  /** As far as it was clear when the run began. */
  preprocess: string | PartialPreprocess | undefined;
  /** What was found out where it was not clear, so that it is not asked twice. */
  finding: PreprocessFinding | undefined;
  settings: Settings;
}

export interface RunRecord {
  /** From 1 on. */
  id: number;
  /** Of the quantized model. */
  name: string;
  /** Its settings are what the result was made with. */
  inputs: RunInputs;
  /** The settings that were asked for: with repairs, while these are looked for. */
  asked: Settings;
  result: SessionResult<Blob>;
  /** From the press of the button to the result. */
  seconds: number;
  verdict: Verdict;
  /** Whether it is from all samples that were held out, and repaired: first it is neither. */
  isWhole: boolean;
}

/** What of the settings differs, as "name: value", under the reference's names. */
export function differences(settings: Settings, from: Settings): string[] {
  const [now, before] = [flat(settings), flat(from)];
  const names = new Set([...Object.keys(now), ...Object.keys(before)]);
  return [...names]
    .filter((name) => now[name] !== before[name])
    .map((name) => `${name}: ${now[name] ?? 'default'}`);
}

function flat(settings: Settings): Record<string, string> {
  const { extra_options: extra = {}, ...others } = configuration(settings);
  const entries = Object.entries({ ...others, ...(extra as object) });
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
