# How tests are declared. Labels: unit, integration (what runs a whole command), slow (over ten seconds);
# sanitize (the asan run), torch-free (the tsan run: LibTorch's own threads are not instrumented).
# COST makes a parallel ctest start the cheap unit tests first, so that a plain mistake shows at once.

# What is tested is compiled as ever; the test itself need not be fast, and half of a clean build is tests.
set(nephron_test_options $<$<CONFIG:Release>:-O1>)

# nephron_unit_tests(LIBRARY): every *_test.cpp of the folder and of src/ becomes a test program linked with LIBRARY.
function(nephron_unit_tests library)
  file(GLOB tests CONFIGURE_DEPENDS *_test.cpp src/*_test.cpp)
  foreach(test IN LISTS tests)
    nephron_test(${test} ${library})
  endforeach()
endfunction()

# nephron_test(FILE LINKS...): one GoogleTest program; its name is the folder's and the file's (host.util.files_test).
function(nephron_test file)
  get_filename_component(base ${file} NAME_WE)
  file(RELATIVE_PATH place ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "." place "${place}")
  set(target ${place}.${base})
  add_executable(${target} ${file})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PRIVATE ${ARGN} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE
    NEPHRON_SOURCE_DIR="${PROJECT_SOURCE_DIR}" NEPHRON_BUILD_DIR="${CMAKE_BINARY_DIR}")
  nephron_own_code(${target})
  target_compile_options(${target} PRIVATE ${nephron_test_options})
  nephron_test_pch(${target} ${file})
  set_property(GLOBAL APPEND PROPERTY NEPHRON_TESTS ${target})

  # Whether LibTorch is in the closure of what is linked shows only once all targets are known.
  set(linked $<IN_LIST:AT_PER_OPERATOR_HEADERS,$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>>)
  set(torch $<OR:${linked},$<BOOL:$<TARGET_PROPERTY:${target},NEPHRON_LOADS_TORCH>>>)
  set(torch $<AND:${torch},$<NOT:$<BOOL:$<TARGET_PROPERTY:${target},NEPHRON_CALLS_NO_TORCH>>>>)
  add_test(NAME ${target} COMMAND ${target})
  set_tests_properties(${target} PROPERTIES
    TIMEOUT $<IF:$<BOOL:${NEPHRON_SANITIZE}>,1500,300> COST 1000
    LABELS "unit;sanitize;$<IF:${torch},torch,torch-free>"
    SKIP_REGULAR_EXPRESSION "${nephron_all_skipped}")
  nephron_test_environment(${target})
endfunction()

# nephron_tests_without_torch(TEST...): tests of a folder whose library links LibTorch, which never call it: threads of
# the viewer, of processes that predict. Nothing of LibTorch runs beside them, so that ThreadSanitizer watches them too.
function(nephron_tests_without_torch)
  foreach(test IN LISTS ARGN)
    set_property(TARGET ${test} PROPERTY NEPHRON_CALLS_NO_TORCH ON)
  endforeach()
endfunction()

# nephron_program_test(TARGET): that test program starts the built nephron. The sanitizers do not run it: they would
# watch the test, and everything that nephron links would be built for them.
function(nephron_program_test target)
  set_tests_properties(${target} PROPERTIES LABELS "integration;torch" COST 10)
  set_property(TARGET ${target} PROPERTY NEPHRON_RUNS_PROGRAM ON)
  add_dependencies(${target} nephron)
endfunction()

# nephron_command_test(NAME [LABELS label...] COMMAND command...): a whole command as a test. Exit code 77 means skipped.
function(nephron_command_test name)
  cmake_parse_arguments(arg "" "" "LABELS;COMMAND" ${ARGN})
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77 LABELS "integration;${arg_LABELS}")
  nephron_test_environment(${name})
endfunction()

# GoogleTest ends with this, and nothing after it, when no test ran and none failed.
string(CONCAT nephron_all_skipped "PASSED  \\] 0 tests\\.\r?\n\\[  SKIPPED \\] [0-9]+ tests?, listed below:\r?\n"
  "(\\[  SKIPPED \\] [^\n]*\n)+[ \r\n]*$")

# LibTorch is not instrumented: it and our code see containers and inline functions of each other.
function(nephron_test_environment test)
  if(NEPHRON_SANITIZE STREQUAL "address")
    set(asan detect_leaks=0:detect_odr_violation=0:detect_container_overflow=0:allocator_may_return_null=1)
    set_tests_properties(${test} PROPERTIES ENVIRONMENT
      "ASAN_OPTIONS=${asan};UBSAN_OPTIONS=print_stacktrace=1")
  elseif(NEPHRON_SANITIZE STREQUAL "thread")
    set_tests_properties(${test} PROPERTIES ENVIRONMENT
      "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp")
  endif()
endfunction()

# Targets that build what the sanitizer runs need, and nothing else. Called once, when all tests are declared.
function(nephron_sanitizer_targets)
  get_property(tests GLOBAL PROPERTY NEPHRON_TESTS)
  list(REMOVE_DUPLICATES tests)
  set(all)
  set(torch_free)
  foreach(test IN LISTS tests)
    get_target_property(runs_program ${test} NEPHRON_RUNS_PROGRAM)
    if(runs_program)
      continue()
    endif()
    set(file $<TARGET_FILE:${test}>)
    list(APPEND all ${file})
    set(defines $<TARGET_PROPERTY:${test},COMPILE_DEFINITIONS>)
    set(loads $<BOOL:$<TARGET_PROPERTY:${test},NEPHRON_LOADS_TORCH>>)
    set(none $<BOOL:$<TARGET_PROPERTY:${test},NEPHRON_CALLS_NO_TORCH>>)
    list(APPEND torch_free
      $<$<OR:${none},$<NOT:$<OR:$<IN_LIST:AT_PER_OPERATOR_HEADERS,${defines}>,${loads}>>>:${file}>)
  endforeach()
  add_custom_target(sanitize_tests DEPENDS ${all})
  add_custom_target(torch_free_tests DEPENDS ${torch_free})
endfunction()
