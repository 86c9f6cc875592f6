# Targets ptq::onnx (onnx and protobuf-lite) and ptq::json (headers), from the user's cache. The first configure with
# a compiler builds them there, about a minute on two cores; other presets and fresh clones reuse them.
file(REAL_PATH "~" home EXPAND_TILDE)
set(cache "${home}/.cache")
if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(cache "$ENV{XDG_CACHE_HOME}")
endif()
set(PTQ_CACHE "${cache}/onnx-ptq")

if(EMSCRIPTEN)
  set(platform wasm)
  # Assertions name their file: not where this machine keeps it, so that every machine makes the same module.
  set(same_paths -fmacro-prefix-map=${PTQ_CACHE}/=)
  set(flags "-Oz -DNDEBUG ${PTQ_WASM_FLAGS} ${same_paths}")
  set(compiler "-DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE}")
else()
  set(platform native)
  set(flags "-O1 -DNDEBUG")
  set(compiler "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}")
endif()
if(PTQ_FUZZ) # a fuzzer sees only what is instrumented
  set(platform fuzz)
  # protobuf hands empty ranges to memcpy as null pointers, which does no harm.
  set(flags "-O1 -g1 -DNDEBUG ${PTQ_FUZZ_FLAGS} -fno-sanitize=nonnull-attribute")
endif()

# Whatever changes the libraries is in their folder's name.
set(key "${flags};${CMAKE_CXX_COMPILER_ID};${CMAKE_CXX_COMPILER_VERSION};${EMSCRIPTEN_VERSION};${CMAKE_HOST_SYSTEM_PROCESSOR}")
foreach(input third_party/CMakeLists.txt third_party/lean_schemas.h third_party/supported_schemas.h
              third_party/text_stream.cc third_party/text_stream.h third_party/sources.json)
  file(SHA256 ${PROJECT_SOURCE_DIR}/${input} hash)
  string(APPEND key ";${hash}")
endforeach()
string(SHA256 key "${key}")
string(SUBSTRING ${key} 0 12 key)
set(prefix "${PTQ_CACHE}/deps/${platform}-${key}")

file(LOCK "${prefix}.lock" GUARD FILE)
if(NOT EXISTS "${prefix}/.complete")
  message(STATUS "Building protobuf and onnx (${platform}, once) into ${prefix}")
  find_program(PTQ_NODE NAMES node nodejs REQUIRED)
  find_program(PTQ_PYTHON NAMES python3 python REQUIRED)
  execute_process(COMMAND ${PTQ_NODE} ${PROJECT_SOURCE_DIR}/tools/sources.mjs
                  OUTPUT_VARIABLE sources OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  list(POP_FRONT sources protobuf onnx json protoc)
  file(REMOVE_RECURSE "${prefix}" "${prefix}.build")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -G Ninja -S ${PROJECT_SOURCE_DIR}/third_party -B ${prefix}.build ${compiler}
            -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=${flags}" -DCMAKE_INSTALL_PREFIX=${prefix}
            -DPTQ_PROTOBUF=${protobuf} -DPTQ_ONNX=${onnx} -DPTQ_JSON=${json} -DPTQ_PROTOC=${protoc}
            -DPTQ_PYTHON=${PTQ_PYTHON}
    COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${prefix}.build COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${prefix}.build OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE_RECURSE "${prefix}.build")
  file(TOUCH "${prefix}/.complete")
endif()
message(STATUS "Third-party libraries: ${prefix}")

add_library(ptq::onnx INTERFACE IMPORTED)
target_include_directories(ptq::onnx SYSTEM INTERFACE ${prefix}/include)
target_compile_definitions(ptq::onnx INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx ONNX_USE_LITE_PROTO=1 __ONNX_NO_DOC_STRINGS)
target_compile_options(ptq::onnx INTERFACE ${same_paths})
target_link_libraries(ptq::onnx INTERFACE ${prefix}/lib/libonnx_core.a ${prefix}/lib/libprotobuf-lite.a)
if(NOT EMSCRIPTEN) # which has one thread, and takes seconds to find that out
  find_package(Threads REQUIRED)
  target_link_libraries(ptq::onnx INTERFACE Threads::Threads)
endif()
add_library(ptq::json INTERFACE IMPORTED)
target_include_directories(ptq::json SYSTEM INTERFACE ${prefix}/include)
