# HEAPMARK_HAS_LIBFUZZER: libFuzzer comes with clang++ (HEAPMARK_CLANGXX) only, whatever compiles the rest; some
# installations lack its library.
find_program(HEAPMARK_CLANGXX clang++)
if(HEAPMARK_CLANGXX AND NOT DEFINED HEAPMARK_HAS_LIBFUZZER)
  file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/probe.cc"
    "#include <cstddef>\nextern \"C\" int LLVMFuzzerTestOneInput(const unsigned char*, std::size_t) { return 0; }\n")
  execute_process(COMMAND "${HEAPMARK_CLANGXX}" -std=c++20 -fsanitize=fuzzer probe.cc -o probe
    WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}" RESULT_VARIABLE probe_failed OUTPUT_QUIET ERROR_QUIET)
  if(probe_failed EQUAL 0)
    set(HEAPMARK_HAS_LIBFUZZER TRUE CACHE BOOL "clang++ -fsanitize=fuzzer links")
  else()
    set(HEAPMARK_HAS_LIBFUZZER FALSE CACHE BOOL "clang++ -fsanitize=fuzzer links")
  endif()
endif()
