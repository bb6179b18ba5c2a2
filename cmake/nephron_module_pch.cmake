# <torch/nn/module.h> draws in most of LibTorch: each file that includes it takes a quarter of a minute. Precompiled
# once and used by every target that defines or holds modules, it is about four seconds. Only headers of LibTorch and
# GoogleTest are in it, so a change of ours never rebuilds it. Programs are compiled with other flags than libraries:
# tests have one of their own.
option(NEPHRON_PCH "precompile torch/nn/module.h (a gigabyte in the build folder)" OFF)

if(NEPHRON_PCH)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/module_pch.cpp CONTENT "// carries the precompiled header\n")
  add_library(nephron_module_pch OBJECT ${CMAKE_BINARY_DIR}/generated/module_pch.cpp)
  target_link_libraries(nephron_module_pch PRIVATE nephron::libtorch)
  target_precompile_headers(nephron_module_pch PRIVATE <torch/nn/module.h>)
  nephron_own_code(nephron_module_pch)

  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/test_pch.cpp CONTENT "int main() {}\n")
  add_executable(nephron_test_pch EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/generated/test_pch.cpp)
  target_link_libraries(nephron_test_pch PRIVATE nephron::libtorch GTest::gtest GTest::gmock)
  target_precompile_headers(nephron_test_pch PRIVATE <torch/nn/module.h> <gmock/gmock.h> <gtest/gtest.h>)
  nephron_own_code(nephron_test_pch)
  target_compile_options(nephron_test_pch PRIVATE ${nephron_test_options})
endif()

# nephron_module_pch(TARGET...): libraries and plugins whose sources include it, directly or not.
function(nephron_module_pch)
  if(NOT NEPHRON_PCH)
    return()
  endif()
  foreach(target IN LISTS ARGN)
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
      target_precompile_headers(${target} REUSE_FROM nephron_module_pch)
    endif()
  endforeach()
endfunction()

# nephron_test_pch(TARGET FILE): for a test that includes something of LibTorch, to go by its include lines.
function(nephron_test_pch target file)
  set(ours "nephron/(torch|encoder|decoder|loss|nn/)|host/(model|train|weights)/|tests/parity/models/")
  file(STRINGS ${file} includes REGEX "^#include <(torch/|ATen/|${ours})")
  if(NEPHRON_PCH AND includes)
    target_precompile_headers(${target} REUSE_FROM nephron_test_pch)
  endif()
endfunction()

# First-party encoders and decoders; and losses, which need a third of that header and so take two thirds of their time.
function(nephron_module_plugins result)
  get_property(plugins GLOBAL PROPERTY NEPHRON_PLUGINS)
  set(out)
  foreach(plugin IN LISTS plugins)
    get_target_property(folder ${plugin} SOURCE_DIR)
    if(folder MATCHES "/plugins/(encoders|decoders|losses)/")
      list(APPEND out ${plugin})
    endif()
  endforeach()
  set(${result} ${out} PARENT_SCOPE)
endfunction()
