# Build settings shared by all rooms, and the two functions they use:
#   heapmark_harness_library(name sources...)   a library of the parent: sanitized where the preset says so
#   heapmark_test(name LABELS l SOURCES s LIBS l [SKIP])   one Catch2 program = one ctest entry
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")

set(HEAPMARK_SANITIZE "" CACHE STRING "address, undefined or thread: for the harness and the tests of pure code")

# -Wrestrict: g++ 12 sees overlaps in std::string that are not there (GCC bug 105651).
add_compile_options(-Wall -Wextra $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> -Wno-restrict -Werror=return-type)

# Everything that may be sanitized links this; the measured process and the allocators do not.
add_library(heapmark_sanitize INTERFACE)
if(HEAPMARK_SANITIZE)
  target_compile_options(heapmark_sanitize INTERFACE
    -fsanitize=${HEAPMARK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(heapmark_sanitize INTERFACE -fsanitize=${HEAPMARK_SANITIZE})
endif()

function(heapmark_harness_library name)
  add_library(${name} STATIC ${ARGN})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC heapmark_sanitize)
endfunction()

find_package(Catch2 2 REQUIRED)
add_library(heapmark_catch_main OBJECT "${PROJECT_SOURCE_DIR}/cmake/catch_main.cc")
target_link_libraries(heapmark_catch_main PUBLIC Catch2::Catch2 heapmark_sanitize)

function(heapmark_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "LABELS;SOURCES;LIBS;ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)  # a machine under a load of four tests must keep it
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE heapmark_catch_main ${ARG_LIBS})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "HEAPMARK_BUILD_DIR=${CMAKE_BINARY_DIR};HEAPMARK_SOURCE_DIR=${PROJECT_SOURCE_DIR};${ARG_ENVIRONMENT}")
endfunction()
