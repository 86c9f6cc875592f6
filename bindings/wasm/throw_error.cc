#include "throw_error.h"

#include <emscripten/val.h>

#include <new>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "session_json.h"

namespace ptq::binding {
namespace {

[[noreturn]] void ThrowToJs(const Error& error) {
  using emscripten::val;
  val thrown = val::global("Error").new_(error.message().str());
  thrown.set("code", std::string(ErrorCodeName(error.code())));
  thrown.set("node", error.node());
  thrown.set("tensor", error.tensor());
  thrown.set("hint", error.hint().str());
  thrown.set("messageText", TextJson(error.message()));
  thrown.set("hintText", TextJson(error.hint()));
  thrown.throw_();
  __builtin_unreachable();
}

}  // namespace

void ThrowCurrentToJs() {
  try {
    throw;
  } catch (const Error& error) {
    ThrowToJs(error);
  } catch (const std::bad_alloc&) {
    ThrowToJs(Error(ErrorCode::kOutOfMemory, "The WebAssembly heap is full (4 GB at most)."));
  } catch (const nlohmann::json::exception& error) {
    // JSON that users write is checked where it is read: this is the library's own.
    ThrowToJs(Error(ErrorCode::kInternal, error.what()));
  } catch (const std::exception& error) {
    // What onnx and protobuf throw: they found the model wrong.
    ThrowToJs(Error(ErrorCode::kInvalidModel, error.what()));
  }
}

}  // namespace ptq::binding
