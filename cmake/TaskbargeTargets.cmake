# The one set of warnings and sanitizer flags, and the two kinds of target that this project has.

add_library(taskbarge_flags INTERFACE)
target_compile_options(taskbarge_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these falsely inside inlined standard library and Boost code when it optimises.
  target_compile_options(taskbarge_flags INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
                                                   -Wno-restrict -Wno-dangling-reference)
  target_compile_options(taskbarge_flags INTERFACE -fcoroutines)
endif()
if(TASKBARGE_SANITIZE)
  target_compile_options(taskbarge_flags INTERFACE -fsanitize=${TASKBARGE_SANITIZE} -fno-omit-frame-pointer
                                                   -fno-sanitize-recover=all)
  target_link_options(taskbarge_flags INTERFACE -fsanitize=${TASKBARGE_SANITIZE})
  if(TASKBARGE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(taskbarge_flags INTERFACE -Wno-tsan)
  endif()
endif()

# taskbarge_module(<name> SOURCES <file>... USES <library>... [PRIVATE_USES <library>...])
# A static library taskbarge_<name> with its public headers under include/taskbarge/<name>/.
function(taskbarge_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;PRIVATE_USES" ${ARGN})
  add_library(taskbarge_${name} STATIC ${ARG_SOURCES})
  target_include_directories(taskbarge_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include"
                                               PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(taskbarge_${name} PUBLIC ${ARG_USES} PRIVATE ${ARG_PRIVATE_USES} taskbarge_flags)
endfunction()

# taskbarge_test(<name> SOURCES <file>... USES <library>... [LABELS <label>...] [TIMEOUT <seconds>])
# A GoogleTest program whose tests ctest finds by name.
function(taskbarge_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;USES;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${name} PRIVATE TASKBARGE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_USES} taskbarge_flags GTest::gmock GTest::gtest_main)
  # What is tested is optimised; the tests themselves compile in little more than half the time when they are not.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O0>)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
