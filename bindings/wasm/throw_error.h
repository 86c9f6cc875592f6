// C++ exceptions become JavaScript errors here: what leaves the module is an Error with the
// properties code, node, tensor and hint, never a WebAssembly.Exception.
#pragma once

#include <exception>

namespace ptq::binding {

// Throws the exception that is being handled as a JavaScript error.
[[noreturn]] void ThrowCurrentToJs();

// Runs `call`. An exception that JavaScript callbacks throw passes through untouched.
template <typename Call>
auto OrThrowToJs(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception&) {
    ThrowCurrentToJs();
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
