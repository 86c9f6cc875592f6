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

# Compiles the files of a folder eight at a time: reading headers is most of what a file costs. Files with options of
# their own are left alone. Names that a file keeps for itself are then its folder's, so they must not meet there.
function(ptq_unity target)
  if(NOT PTQ_UNITY)
    return()
  endif()
  foreach(source ${ARGN})
    get_source_file_property(options ${source} COMPILE_OPTIONS)
    if(options)
      continue()
    endif()
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE folder)
    cmake_path(GET folder PARENT_PATH folder)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    list(LENGTH files_${folder} part)
    math(EXPR part "${part} / 8")
    list(APPEND files_${folder} ${source})
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${folder}_${part})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
