# How nephron's own targets are compiled. Tests: nephron_tests.cmake.
option(NEPHRON_WERROR "warnings are errors in nephron's own code" ON)
set(NEPHRON_SANITIZE "" CACHE STRING "address (with undefined behaviour) or thread; the asan and tsan presets set it")
set_property(CACHE NEPHRON_SANITIZE PROPERTY STRINGS "" address thread)
find_program(NEPHRON_CCACHE ccache)
find_program(NEPHRON_MOLD mold)
mark_as_advanced(NEPHRON_CCACHE NEPHRON_MOLD)
if(NEPHRON_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness lets it serve files that use a precompiled header; none of ours depends on the date. Paths relative
  # to the checkout let checkouts and build folders share what was compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
    CCACHE_NOHASHDIR=1 ${NEPHRON_CCACHE})
endif()
if(NEPHRON_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(NEPHRON_SANITIZE STREQUAL "address")
  # vptr needs the type information of classes that LibTorch keeps hidden.
  set(flags -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(NEPHRON_SANITIZE STREQUAL "thread")
  set(flags -fsanitize=thread -Wno-tsan)  # atomic_thread_fence in library headers
elseif(NEPHRON_SANITIZE)
  message(FATAL_ERROR "nephron: NEPHRON_SANITIZE is \"${NEPHRON_SANITIZE}\"; "
    "\"address\", \"thread\" or \"\" was expected")
else()
  set(flags)
endif()
if(flags)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:${flags}>")
  add_link_options(${flags})
endif()

function(nephron_own_code target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wnon-virtual-dtor
    -Woverloaded-virtual -Wshadow>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # What the optimiser says of std::string and std::vector depends on what it inlined, and so on the compiler's
    # version, the flags and the precompiled header. g++ 12 sees faults that are not there (GCC bugs 105651, 105329).
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict -Wno-error=stringop-overflow
      -Wno-error=stringop-overread -Wno-error=array-bounds -Wno-error=maybe-uninitialized -Wno-error=null-dereference
      -Wno-error=free-nonheap-object -Wno-error=dangling-pointer -Wno-error=use-after-free
      -Wno-error=nonnull>)
  endif()
  if(NEPHRON_SANITIZE)
    # Instrumented code confuses flow analysis: g++ documents false positives of -Wmaybe-uninitialized.
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
  endif()
  if(NEPHRON_WERROR)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
  endif()
endfunction()

# nephron_host_library(NAME [LINKS target...]): the folder's *.cpp as the static library nephron_host_NAME; its
# *_test.cpp are its unit tests.
function(nephron_host_library name)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  if(NOT sources)
    add_library(nephron_host_${name} INTERFACE)
    target_link_libraries(nephron_host_${name} INTERFACE ${arg_LINKS})
    return()
  endif()
  add_library(nephron_host_${name} STATIC ${sources})
  target_include_directories(nephron_host_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(nephron_host_${name} PUBLIC nephron_sdk ${arg_LINKS})
  nephron_own_code(nephron_host_${name})
  nephron_unit_tests(nephron_host_${name})
endfunction()

# First-party plugins: warnings, output folder, and NAME_test.cpp, which loads the plugin as the host does.
function(nephron_own_plugin name)
  nephron_own_code(${name})
  get_filename_component(kind ${CMAKE_CURRENT_SOURCE_DIR} DIRECTORY)
  get_filename_component(kind ${kind} NAME)
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
  set_property(GLOBAL APPEND PROPERTY NEPHRON_PLUGINS ${name})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}_test.cpp)
    nephron_test(${name}_test.cpp nephron_host_plugins)
    set(test plugins.${kind}.${name}.${name}_test)
    add_dependencies(${test} ${name})
    target_compile_definitions(${test} PRIVATE NEPHRON_PLUGIN_FILE="$<TARGET_FILE:${name}>")
    if(kind MATCHES "^(losses|encoders|decoders)$")
      set_property(TARGET ${test} PROPERTY NEPHRON_LOADS_TORCH ON)
    endif()
  endif()
endfunction()
