// The calibration samples: where to drop them, how many there are, what the first look like.
import { useEffect, useState } from 'preact/hooks';
import { useText } from '../i18n';
import { acceptedSamples, countOthers, isImage } from '../lib/files';
import type { Quantizer } from '../state';
import { Card } from './card';
import { FileButton } from './file-button';

const shownImages = 11;

export function SamplesCard({ quantizer }: { quantizer: Quantizer }) {
  const { t } = useText();
  const { samples, settings, add, change, clearSamples } = quantizer;
  const images = samples.filter(isImage);
  const kinds = [
    images.length > 0 ? t.samples.images(images.length) : '',
    ...countOthers(samples).map(([extension, count]) => t.samples.files(count, extension)),
  ].filter(Boolean);
  // Other files may have many samples each.
  const mostSamples = images.length === samples.length ? samples.length : undefined;
  const pickers = (
    <>
      <FileButton
        quiet={samples.length > 0}
        label={t.drop.chooseFiles}
        accept={acceptedSamples}
        onFiles={add}
        multiple
      />
      <FileButton quiet label={t.drop.chooseFolder} onFiles={add} folder />
    </>
  );
  if (samples.length === 0) {
    return (
      <Card id="samples" title={t.samples.title}>
        <div class="drop">
          <p>{t.drop.samples}</p>
          <div class="buttons">{pickers}</div>
          <p class="help">{t.samples.help}</p>
        </div>
      </Card>
    );
  }
  return (
    <Card
      id="samples"
      title={t.samples.title}
      done
      aside={
        <button type="button" class="button quiet" onClick={clearSamples}>
          {t.samples.clear}
        </button>
      }
    >
      <p class="file">
        <strong>{kinds.join(' + ')}</strong> <span class="buttons">{pickers}</span>
      </p>
      {images.length > 0 && <Thumbnails images={images} />}
      {mostSamples !== 1 && (
        <label class="limit">
          {t.samples.limit}{' '}
          <input
            type="number"
            min={1}
            max={mostSamples}
            placeholder={mostSamples?.toString()}
            value={settings.limit ?? ''}
            onInput={(event) => {
              const value = event.currentTarget.valueAsNumber;
              change({ limit: value >= 1 ? Math.floor(value) : null });
            }}
          />
          <span class="help">{t.samples.limitHelp}</span>
        </label>
      )}
    </Card>
  );
}

function Thumbnails({ images }: { images: File[] }) {
  const { t } = useText();
  const [urls, setUrls] = useState<string[]>([]);
  useEffect(() => {
    const made = images.slice(0, shownImages).map((image) => URL.createObjectURL(image));
    setUrls(made);
    return () => {
      for (const url of made) URL.revokeObjectURL(url);
    };
    // A new list of the same files is no reason to make them again.
  }, [images[0], images.length]);
  return (
    <ul class="thumbnails" aria-label={t.samples.thumbnails}>
      {urls.map((url, i) => (
        <li key={url}>
          <img src={url} alt={images[i]?.name ?? ''} loading="lazy" />
        </li>
      ))}
      {images.length > shownImages && (
        <li class="more">{t.samples.more(images.length - shownImages)}</li>
      )}
    </ul>
  );
}
