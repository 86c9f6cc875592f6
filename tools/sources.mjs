// Prints the folders of the third-party sources as a CMake list, fetching them first where needed
// (cmake/Dependencies.cmake asks).

import { sources } from './lib/sources.mjs';
import { main } from './lib/steps.mjs';

main(async () => {
  const { protobuf, onnx, json, protoc } = await sources();
  console.log([protobuf, onnx, json, protoc].join(';'));
});
