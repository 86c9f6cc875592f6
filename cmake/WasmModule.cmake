# The WebAssembly module ptq_core.{mjs,wasm}, Embind over the core, in wasm/ of the build folder; tools/lib/build.mjs
# puts one into dist. ptq_wasm is what is shipped. ptq_wasm_dev links in a second instead of 25: large, a little slower,
# with the names of functions in stacks.
add_library(ptq_bindings OBJECT ${wasm_sources})
target_link_libraries(ptq_bindings PUBLIC ptq_core embind)
ptq_precompile(ptq_bindings REUSE_FROM ptq_core)
ptq_unity(ptq_bindings ${wasm_sources})

function(ptq_module target folder)
  add_executable(${target} $<TARGET_OBJECTS:ptq_bindings>)
  target_link_libraries(${target} PRIVATE ptq_core embind)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ptq_core SUFFIX .mjs
                        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${folder})
  # DYNAMIC_EXECUTION=0: no `new Function`, which a page with a strict content security policy does not allow.
  target_link_options(
    ${target} PRIVATE ${ARGN} -sDYNAMIC_EXECUTION=0 -sMODULARIZE=1 -sEXPORT_ES6=1 -sEXPORT_NAME=createPtqCore -sENVIRONMENT=web,worker,node
    -sALLOW_MEMORY_GROWTH=1 -sINITIAL_MEMORY=16MB -sMAXIMUM_MEMORY=4GB -sSTACK_SIZE=1MB -sWASM_BIGINT=1 -sFILESYSTEM=0
    -sAUTO_NATIVE_LIBRARIES=0 -sEXPORTED_FUNCTIONS=_malloc,_free)
endfunction()

set(exports -sEXPORTED_RUNTIME_METHODS=HEAPU8,HEAPF32,HEAPF64,HEAP32,stackSave,stackRestore)

if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  ptq_module(ptq_wasm wasm -O0 -sASSERTIONS=1 ${exports})
else()
  ptq_module(ptq_wasm wasm -Oz ${exports})
  ptq_module(ptq_wasm_dev wasm-dev -O1 --profiling-funcs ${exports})
  set_target_properties(ptq_wasm_dev PROPERTIES EXCLUDE_FROM_ALL ON)
  # What Embind exposes, as TypeScript, for tools/lint/wasm-types.mjs.
  ptq_module(ptq_wasm_types wasm-types -O0 --emit-tsd ${CMAKE_BINARY_DIR}/wasm-types/ptq_core.d.ts)
  set_target_properties(ptq_wasm_types PROPERTIES RULE_LAUNCH_LINK
                        "${CMAKE_COMMAND} -E env \"PATH=${PROJECT_SOURCE_DIR}/cmake/emit-tsd:$ENV{PATH}\"")
endif()
