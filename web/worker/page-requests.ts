// Answers the page's own requests, before the library's listener sees them.
import { Zip, ZipPassThrough } from 'fflate';
import {
  browserDecodePlatform,
  datasetReader,
  errorToData,
  QuantizeError,
  setCoreModule,
  setDecodePlatform,
} from 'onnx-ptq';
import type { PageAnswers, WorkRequest } from './page-protocol';
import { tensorView } from './tensor-view';

addEventListener('message', async (event: MessageEvent<WorkRequest>) => {
  if (!String(event.data?.kind).startsWith('page:')) return;
  event.stopImmediatePropagation();
  try {
    postMessage({ answer: await answer(event.data) });
  } catch (cause) {
    postMessage({ error: errorToData(cause) });
  }
});

async function answer(request: WorkRequest): Promise<PageAnswers[WorkRequest['kind']]> {
  const { core, jpegDecoder } = request.modules;
  if (core) setCoreModule(core);
  if (jpegDecoder) {
    setDecodePlatform({ ...browserDecodePlatform, compileJpegDecoder: async () => jpegDecoder });
  }
  switch (request.kind) {
    case 'page:views':
      return Promise.all(request.options.map((option) => viewOf(request, option)));
    case 'page:check':
      return unusable(request);
    case 'page:zip':
      return zip(request.files);
  }
}

async function viewOf(
  { files, model }: WorkRequest & { kind: 'page:views' },
  preprocess: (WorkRequest & { kind: 'page:views' })['options'][number],
) {
  try {
    for await (const feeds of datasetReader(files, { preprocess }).open(model)) {
      const tensor = Object.values(feeds)[0];
      if (tensor) return tensorView(tensor);
    }
    return { problem: { message: '' } };
  } catch (error) {
    return { problem: errorToData(error) };
  }
}

async function unusable({ files, model }: WorkRequest & { kind: 'page:check' }) {
  const bad: PageAnswers['page:check'] = [];
  for (const file of files) {
    try {
      for await (const _ of datasetReader([file]).open(model)) break;
    } catch (error) {
      // What is wrong with the model's input is no fault of the file.
      if (error instanceof QuantizeError && error.code === 'INVALID_IMAGE') {
        bad.push({ name: file.name, why: errorToData(error) });
      }
    }
  }
  return bad;
}

/** Stored, not deflated: weights do not get smaller. Parts go to the Blob as they come. */
async function zip(files: readonly { name: string; blob: Blob }[]): Promise<Blob> {
  const parts: Blob[] = [];
  const archive = new Zip((error, chunk) => {
    if (error) throw error;
    parts.push(new Blob([chunk as Uint8Array<ArrayBuffer>]));
  });
  for (const { name, blob } of files) {
    const entry = new ZipPassThrough(name);
    archive.add(entry);
    const reader = blob.stream().getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      entry.push(value);
    }
    entry.push(new Uint8Array(), true);
  }
  archive.end();
  return new Blob(parts, { type: 'application/zip' });
}
