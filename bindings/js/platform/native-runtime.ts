// onnxruntime-node, where the user has installed it beside this package. It reports how it is used
// (names of models, the machine) to its makers, unless the environment forbids that before it is
// loaded: so it is loaded here and nowhere else.

import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { QuantizeError } from '../base/errors.js';
import { say } from '../base/text.js';
import type { OrtModule } from './platform.js';

const name = 'onnxruntime-node';
/** Read by onnxruntime from the environment of the process. */
const telemetrySwitch = 'ORT_DISABLE_TELEMETRY';

// Worker threads have a copy of the environment, which native code does not see; theirs was made
// from that of the main thread.
if (isMainThread) process.env[telemetrySwitch] = '1';

/**
 * The module, or null where it is not installed. Throws RUNTIME_NOT_AVAILABLE where it is installed
 * but cannot be loaded, or could not be kept from reporting.
 */
export function loadNativeRuntime(
  // An import() would wait for V8's threads, which are compiling the core at this time.
  load: (id: string) => unknown = createRequire(import.meta.url),
): OrtModule | null {
  if (process.env[telemetrySwitch] !== '1') {
    throw new QuantizeError(
      'RUNTIME_NOT_AVAILABLE',
      say`${name} would report how it is used, which only the main thread can keep it from`,
      { hint: say`import onnx-ptq in the main thread too, or set ${telemetrySwitch}=1 before` },
    );
  }
  try {
    return load(name) as OrtModule;
  } catch (cause) {
    const { code, message = '' } = cause as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND' && message.includes(`'${name}'`)) return null;
    const why = message.split('\n')[0];
    throw new QuantizeError('RUNTIME_NOT_AVAILABLE', say`${name} is installed but broken: ${why}`, {
      hint: 'install it again, or use runtime web',
      cause,
    });
  }
}
