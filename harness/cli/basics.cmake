# The verbs that measure nothing: where things lie, list, doctor, exec. Their own library, so that tests can link
# them without the program.
find_package(fmt REQUIRED)
find_package(nlohmann_json 3 REQUIRED)
heapmark_harness_library(heapmark_known known.cc)
target_link_libraries(heapmark_known PUBLIC heapmark_plan heapmark_machine PRIVATE heapmark_trace_format fmt::fmt)
heapmark_test(catalog_files_test LABELS integration SOURCES catalog_files_test.cc LIBS heapmark_known)

heapmark_harness_library(heapmark_cli_basics doctor.cc exec.cc list.cc list_json.cc list_text.cc own_malloc.cc paths.cc tune.cc)
target_compile_definitions(heapmark_cli_basics PRIVATE HEAPMARK_CATALOG_DIR="${PROJECT_SOURCE_DIR}/allocators/catalog"
  HEAPMARK_SCRIPTS_DIR="${PROJECT_SOURCE_DIR}/scripts")
target_link_libraries(heapmark_cli_basics PUBLIC heapmark_known heapmark_trial fmt::fmt nlohmann_json::nlohmann_json)
heapmark_test(cli_basics_test LABELS unit SOURCES basics_test.cc LIBS heapmark_cli_basics)
