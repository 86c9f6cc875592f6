// What is left of onnxruntime's messages: the facts, at their end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOutOfMemory, reason } from '#dist/runtime/reason.js';

const guarantees =
  'ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 99 is under development and support for this is limited. The operator schemas and or other functionality may change before next ONNX release and in this case ONNX Runtime will not guarantee backward compatibility. Current official support for domain ai.onnx.ml is till opset 5.';

test('of a long message the end is kept, without the signature of a C++ function', () => {
  for (const before of [
    '/onnxruntime_src/onnxruntime/core/graph/model_load_utils.h:46 void onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string<char>, int>&, const onnxruntime::logging::Logger&, bool, const std::string&, int) ',
    "Can't create a session. ERROR_CODE: 1, ERROR_MESSAGE: /mnt/azure_nvme_temp/_work/1/s/onnxruntime/core/graph/model_load_utils.h:56 void onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::string, int> &, const logging::Logger &, bool, const std::string &, int) ",
  ]) {
    const text = reason(new Error(`${before}${guarantees}\n`));
    assert.match(text, /^ONNX Runtime only \*guarantees\*/);
    assert.equal(text, guarantees);
  }
  const long = reason(`${'word '.repeat(200)}the fact`);
  assert.match(long, /^(word )+… (word )+the fact$/);
  assert.ok(long.length <= 402, long);
});

test('the node and the shapes are kept', () => {
  const facts =
    'input_shape_size == requested_shape_size was false. The input tensor cannot be reshaped to the requested shape. Input shape:{12,8,1,1}, requested shape:{1,8}';
  assert.equal(
    reason(
      `Non-zero status code returned while running Reshape node. Name:'node_view' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:91 onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, bool) ${facts}\n`,
    ),
    `Non-zero status code returned while running Reshape node. Name:'node_view' Status Message: ${facts}`,
  );
  assert.equal(
    reason(
      `failed to call OrtRun(). ERROR_CODE: 1, ERROR_MESSAGE: /mnt/azure_nvme_temp/_work/1/s/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:93 onnxruntime::ReshapeHelper::ReshapeHelper(const TensorShape &, TensorShapeVector &, bool) ${facts}\n`,
    ),
    facts,
  );
});

test('colours, source places and nested statuses are dropped', () => {
  assert.equal(
    reason(
      '\x1b[1;31m2026-01-01 [E:onnxruntime:, sequential_executor.cc:572 ExecuteKernel]\x1b[m Tensor shape',
    ),
    '2026-01-01 [E:onnxruntime:, ExecuteKernel] Tensor shape',
  );
  assert.equal(
    reason(
      'failed to call OrtRun(). ERROR_CODE: 2, ERROR_MESSAGE: /mnt/azure_nvme_temp/_work/1/s/onnxruntime/core/framework/op_kernel.cc:83 virtual OrtValue *onnxruntime::OpKernelContext::OutputMLValue(int, const TensorShape &) [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Tensor shape is too large\n',
    ),
    'Tensor shape is too large',
  );
  assert.equal(reason('/tmp/x.cc:1 status == ok (was 3)'), 'status == ok (was 3)');
  assert.equal(reason(new Error('Failed to load model.')), 'Failed to load model.');
});

test('an exhausted memory is told from other failures', () => {
  for (const text of [
    "Can't create a session. ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc",
    'Status Message: bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 40000000000000',
    'failed to call OrtRun(). ERROR_MESSAGE: safeint.h:17 static void SafeIntExceptionHandler<onnxruntime::OnnxRuntimeException>::SafeIntOnOverflow() Integer overflow',
    'Array buffer allocation failed',
  ]) {
    assert.ok(isOutOfMemory(text), text);
  }
  assert.ok(!isOutOfMemory('The input tensor cannot be reshaped to the requested shape.'));
});
