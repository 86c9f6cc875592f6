// Text files that the page can use beside a model: ranges, a configuration, labels.

export type KnownText =
  | { kind: 'ranges'; text: string }
  | { kind: 'configuration'; values: Record<string, unknown> }
  | { kind: 'labels'; labels: string[] };

const mostBytes = 50e6;

/** null: nothing that the page knows. */
export async function knownText(file: File): Promise<KnownText | null> {
  if (file.size > mostBytes) return null;
  if (/\.json$/i.test(file.name)) return knownJson(await file.text());
  if (/\.(txt|names|csv)$/i.test(file.name)) {
    const labels = (await file.text()).split(/\r?\n/).map((line) => line.trim());
    while (labels.at(-1) === '') labels.pop();
    return labels.length > 1 ? { kind: 'labels', labels } : null;
  }
  return null;
}

function knownJson(text: string): KnownText | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return { kind: 'labels', labels: value };
  }
  if (typeof value !== 'object' || value === null) return null;
  if ('CLS' in value || 'calibration_method' in value) return { kind: 'ranges', text };
  const { model_input: _, model_output: _2, ...values } = value as Record<string, unknown>;
  const isConfiguration = ['quant_format', 'activation_type', 'weight_type', 'per_channel'].some(
    (name) => name in values,
  );
  return isConfiguration ? { kind: 'configuration', values } : null;
}
