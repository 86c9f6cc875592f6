// Prints the folder that holds emcc, setting Emscripten up first where needed
// (cmake/toolchain-wasm.cmake asks).
import { emscripten } from './lib/emscripten.mjs';
import { main } from './lib/steps.mjs';

main(async () => console.log(await emscripten()));
