// The cache of this build: another build has another, so that files of two are never mixed.
export const cacheName = `onnx-ptq-${__BUILD__}`;
