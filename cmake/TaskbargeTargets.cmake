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

# Most of a compiler's time here goes into the same templates of Boost.Asio, fmt, the standard library and GoogleTest, again
# in each file. (Precompiled headers hardly help: GCC 12 takes as long to map 120 MB as to read the headers, and what it
# instantiates and generates is not in them.) So the files of a module or a test program are compiled together, a few to a
# unit. The preset debug compiles each alone, and so does scripts/tidy.sh: there an #include that is missing is found.
# Within a module or a program, names in unnamed namespaces must therefore differ; a file for which that is too much to
# ask is named under SEPARATE.
option(TASKBARGE_TOGETHER "Compile the files of a module or a test program a few at a time" ON)
set(taskbarge_files_a_unit 8)

function(taskbarge_compile_together target)
  cmake_parse_arguments(ARG "" "" "SEPARATE" ${ARGN})
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${taskbarge_files_a_unit})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It takes what is local to an included source for what a header would share.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
  if(ARG_SEPARATE)
    set_source_files_properties(${ARG_SEPARATE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# taskbarge_module(<name> SOURCES <file>... [SEPARATE <file>...] USES <library>... [PRIVATE_USES <library>...])
# A static library taskbarge_<name> with its public headers under include/taskbarge/<name>/. SEPARATE: those of the
# sources that are compiled alone in any build.
function(taskbarge_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;SEPARATE;USES;PRIVATE_USES" ${ARGN})
  add_library(taskbarge_${name} STATIC ${ARG_SOURCES})
  target_include_directories(taskbarge_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include"
                                               PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(taskbarge_${name} PUBLIC ${ARG_USES} PRIVATE ${ARG_PRIVATE_USES} taskbarge_flags)
  if(TASKBARGE_TOGETHER)
    taskbarge_compile_together(taskbarge_${name} SEPARATE ${ARG_SEPARATE})
  endif()
endfunction()

# What is tested is optimised, and checked by every sanitizer that is chosen; the tests themselves compile in a third of
# the time when they are not optimised, and without the checks that put a branch before each use of a pointer. Named after
# taskbarge_flags: the last word counts.
add_library(taskbarge_test_flags INTERFACE)
if(TASKBARGE_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(taskbarge_test_flags INTERFACE -O0)
endif()
if(TASKBARGE_SANITIZE MATCHES "undefined")
  target_compile_options(taskbarge_test_flags INTERFACE -fno-sanitize=null,alignment,object-size,vptr)
endif()
target_include_directories(taskbarge_test_flags INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/tests")

# taskbarge_test(<name> SOURCES <file>... [SEPARATE <file>...] USES <library>... [LABELS <label>...] [TIMEOUT <seconds>])
# A GoogleTest program whose tests ctest finds by name. SEPARATE: as above.
function(taskbarge_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;SEPARATE;USES;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_definitions(${name} PRIVATE TASKBARGE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_USES} taskbarge_flags taskbarge_test_flags GTest::gmock GTest::gtest_main)
  if(TASKBARGE_TOGETHER)
    taskbarge_compile_together(${name} SEPARATE ${ARG_SEPARATE})
  endif()
  gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
