# Emscripten's toolchain, found or set up by tools/emscripten.mjs (PATH, $EMSDK, or a private prefix on Debian 12).
if(NOT DEFINED ENV{PTQ_EMSCRIPTEN})
  find_program(PTQ_NODE NAMES node nodejs REQUIRED)
  execute_process(COMMAND ${PTQ_NODE} ${CMAKE_CURRENT_LIST_DIR}/../tools/emscripten.mjs
                  OUTPUT_VARIABLE emscripten OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(ENV{PTQ_EMSCRIPTEN} ${emscripten})
endif()
include($ENV{PTQ_EMSCRIPTEN}/cmake/Modules/Platform/Emscripten.cmake)
