import type { Platform, Runtime } from './platform.js';

/**
 * What results are run and judged in. A GPU only calibrates: it rounds in its own way, and has no
 * kernels for integers.
 */
export const exactRuntime = async (
  platform: Platform<unknown>,
  runtime: Runtime,
): Promise<Runtime> =>
  runtime.kind === 'webgpu' ? platform.loadRuntime({ kind: 'web' }) : runtime;
