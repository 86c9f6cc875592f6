# The WebAssembly module dist/wasm/ptq_core.{mjs,wasm}: Embind over the core.
add_executable(ptq_wasm ${wasm_sources})
target_link_libraries(ptq_wasm PRIVATE ptq_core embind)
set(output ${PROJECT_SOURCE_DIR}/dist/wasm)
set(link_mode -Oz)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(output ${CMAKE_BINARY_DIR}/wasm)
  set(link_mode -O0 -sASSERTIONS=1)
endif()
set_target_properties(ptq_wasm PROPERTIES OUTPUT_NAME ptq_core SUFFIX .mjs RUNTIME_OUTPUT_DIRECTORY ${output})

set(runtime_methods HEAPU8,HEAPF32,HEAPF64,HEAP32)
if(EMSCRIPTEN_VERSION VERSION_LESS 4.0.0)
  target_link_options(ptq_wasm PRIVATE -sEXPORT_EXCEPTION_HANDLING_HELPERS=1)
else() # there the setting above is deprecated and the helpers are named
  string(APPEND runtime_methods ,getExceptionMessage,decrementExceptionRefcount,incrementExceptionRefcount)
endif()
# DYNAMIC_EXECUTION=0: no `new Function`, which a page with a strict content security policy does not allow.
target_link_options(
  ptq_wasm PRIVATE ${link_mode} -sDYNAMIC_EXECUTION=0 -sMODULARIZE=1 -sEXPORT_ES6=1 -sEXPORT_NAME=createPtqCore -sENVIRONMENT=web,worker,node
  -sALLOW_MEMORY_GROWTH=1 -sINITIAL_MEMORY=16MB -sMAXIMUM_MEMORY=4GB -sSTACK_SIZE=1MB -sWASM_BIGINT=1 -sFILESYSTEM=0
  -sAUTO_NATIVE_LIBRARIES=0 -sEXPORTED_FUNCTIONS=_malloc,_free -sEXPORTED_RUNTIME_METHODS=${runtime_methods})
