# Compile options of our own code. Numbers must be the same bits on every platform: no fused multiply-add that the
# source does not spell, no fast-math.
add_library(ptq_options INTERFACE)
target_compile_features(ptq_options INTERFACE cxx_std_20)
# Aggregates are often given their first members only: the rest have defaults.
target_compile_options(ptq_options INTERFACE -Wall -Wextra -Wno-missing-field-initializers -ffp-contract=off)
if(PTQ_WERROR)
  target_compile_options(ptq_options INTERFACE -Werror)
endif()
if(PTQ_SANITIZE)
  set(sanitize -fsanitize=${PTQ_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(ptq_options INTERFACE ${sanitize})
  target_link_options(ptq_options INTERFACE ${sanitize})
endif()
if(PTQ_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "Fuzzers need clang: `npm run fuzz` sets it up, or set CXX for a new build folder")
  endif()
  # Ours and third-party code (Dependencies.cmake) are seen by the fuzzer and the sanitizers alike.
  set(PTQ_FUZZ_FLAGS "-fsanitize=fuzzer-no-link,${PTQ_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer")
  target_compile_options(ptq_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Headers that cost seconds in each file that includes them, compiled once for a target. Our files include what they
# use all the same: lint compiles them without this.
function(ptq_precompile target)
  if(CMAKE_DISABLE_PRECOMPILE_HEADERS)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU") # both for compiler caches
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  else()
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endfunction()
