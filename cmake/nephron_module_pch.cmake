# <torch/nn/module.h> draws in most of LibTorch: each file that includes it takes a quarter of a minute. With this one
# precompiled header, made once and used by every target that defines or holds modules, it is about four seconds.
# Only LibTorch's own headers are in it, so a change of ours never rebuilds it.
option(NEPHRON_PCH "precompile torch/nn/module.h (half a gigabyte in the build folder)" OFF)

# nephron_module_pch(TARGET...): libraries and plugins whose sources include it, directly or not.
function(nephron_module_pch)
  if(NOT NEPHRON_PCH)
    return()
  endif()
  if(NOT TARGET nephron_module_pch)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/module_pch.cpp CONTENT "// carries the precompiled header\n")
    add_library(nephron_module_pch OBJECT ${CMAKE_BINARY_DIR}/generated/module_pch.cpp)
    target_link_libraries(nephron_module_pch PRIVATE nephron::libtorch)
    target_precompile_headers(nephron_module_pch PRIVATE <torch/nn/module.h>)
    nephron_own_code(nephron_module_pch)
  endif()
  foreach(target IN LISTS ARGN)
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "INTERFACE_LIBRARY")
      target_precompile_headers(${target} REUSE_FROM nephron_module_pch)
    endif()
  endforeach()
endfunction()

# The plugins of first-party encoders and decoders.
function(nephron_module_plugins result)
  get_property(plugins GLOBAL PROPERTY NEPHRON_PLUGINS)
  set(out)
  foreach(plugin IN LISTS plugins)
    get_target_property(folder ${plugin} SOURCE_DIR)
    if(folder MATCHES "/plugins/(encoders|decoders)/")
      list(APPEND out ${plugin})
    endif()
  endforeach()
  set(${result} ${out} PARENT_SCOPE)
endfunction()
