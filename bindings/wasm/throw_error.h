// C++ exceptions become JavaScript errors here: what leaves the module is an Error with the
// properties code, node, tensor and hint, never a WebAssembly.Exception.
#pragma once

#include <emscripten/val.h>

#include <exception>
#include <new>
#include <string>

#include "base/error.h"

namespace ptq::binding {

[[noreturn]] inline void ThrowToJs(const Error& error) {
  using emscripten::val;
  val thrown = val::global("Error").new_(error.message());
  thrown.set("code", std::string(ErrorCodeName(error.code())));
  thrown.set("node", error.node());
  thrown.set("tensor", error.tensor());
  thrown.set("hint", error.hint());
  thrown.throw_();
  __builtin_unreachable();
}

// Runs `call`. An exception that JavaScript callbacks throw passes through untouched.
template <typename Call>
auto OrThrowToJs(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const Error& error) {
    ThrowToJs(error);
  } catch (const std::bad_alloc&) {
    ThrowToJs(Error(ErrorCode::kUnsupportedModel, "The WebAssembly heap is full (4 GB at most)."));
  } catch (const std::exception& error) {
    // What onnx and protobuf throw: they found the model wrong.
    ThrowToJs(Error(ErrorCode::kInvalidModel, error.what()));
  }
}

// Binds a method so that a C++ exception reaches JavaScript as an error object:
// .function("name", &Guarded<&Class::Method>::Call).
template <auto kMethod>
struct Guarded;

template <typename Class, typename Result, typename... Args, Result (Class::*kMethod)(Args...)>
struct Guarded<kMethod> {
  static Result Call(Class& object, Args... args) {
    return OrThrowToJs([&]() -> Result { return (object.*kMethod)(args...); });
  }
};

}  // namespace ptq::binding
