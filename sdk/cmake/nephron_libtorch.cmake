# Finds LibTorch and makes the imported target nephron::libtorch (include folders, libtorch_cpu, libc10) with
# NEPHRON_TORCH_BUILD, the row of the plugin fingerprint. Torch's own find_package is not used: it stops on a machine
# without a CUDA toolkit. CUDA libraries are never linked here; the host loads them when a CUDA device is asked for.
#
# Looked at in this order: NEPHRON_TORCH_ROOT, Torch_DIR, CMAKE_PREFIX_PATH (each as a variable or from the environment
# of that name), the one nephron was built with, the Python torch of the supported version, the cache that
# the bootstrap script fills.
#
# As a script, `cmake -P nephron_libtorch.cmake` prints the folder that would be taken, or nothing.
include_guard(GLOBAL)
set(NEPHRON_TORCH_VERSION 2.11.0 CACHE STRING "LibTorch version that is looked for where none is named")

function(nephron_torch_try root result)
  if(EXISTS "${root}/lib/libtorch_cpu.so" AND EXISTS "${root}/include/ATen/ATen.h")
    set(${result} "${root}" PARENT_SCOPE)
  endif()
endfunction()

function(nephron_torch_root result)
  set(found)
  set(candidates ${NEPHRON_TORCH_ROOT} $ENV{NEPHRON_TORCH_ROOT})
  foreach(dir IN LISTS Torch_DIR ITEMS $ENV{Torch_DIR})
    list(APPEND candidates "${dir}/../../..")
  endforeach()
  string(REPLACE ":" ";" environment_prefixes "$ENV{CMAKE_PREFIX_PATH}")
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH environment_prefixes)
    list(APPEND candidates "${prefix}" "${prefix}/../.." "${prefix}/../../..")
  endforeach()
  list(APPEND candidates ${NEPHRON_TORCH_HINT})
  foreach(candidate IN LISTS candidates)
    nephron_torch_try("${candidate}" found)
    if(found)
      break()
    endif()
  endforeach()
  if(NOT found)
    find_program(NEPHRON_PYTHON NAMES python3)
    mark_as_advanced(NEPHRON_PYTHON)
    if(NEPHRON_PYTHON)
      execute_process(
        COMMAND ${NEPHRON_PYTHON} -c "import importlib.util as u, os, importlib.metadata as m
assert m.version('torch').split('+')[0] == '${NEPHRON_TORCH_VERSION}'
print(os.path.dirname(u.find_spec('torch').origin))"
        OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
      if(NOT failed)
        nephron_torch_try("${root}" found)
      endif()
    endif()
  endif()
  if(NOT found)
    set(cache "$ENV{XDG_CACHE_HOME}")
    if(NOT cache)
      set(cache "$ENV{HOME}/.cache")
    endif()
    foreach(part full cpu)
      if(NOT found)
        nephron_torch_try("${cache}/nephron/torch-${NEPHRON_TORCH_VERSION}-${part}/torch" found)
      endif()
    endforeach()
  endif()
  if(found)
    get_filename_component(found "${found}" REALPATH)
  endif()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  nephron_torch_root(root)
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${root}")
elseif(NOT TARGET nephron::libtorch)
  nephron_torch_root(NEPHRON_TORCH_FOUND_ROOT)
  if(NEPHRON_TORCH_FOUND_ROOT)
    set(torch_root "${NEPHRON_TORCH_FOUND_ROOT}")
    set(build)
    if(EXISTS "${torch_root}/version.py")
      file(STRINGS "${torch_root}/version.py" line REGEX "^__version__")
      string(REGEX REPLACE ".*'([^']+)'.*" "\\1" build "${line}")
    elseif(EXISTS "${torch_root}/build-version")
      file(STRINGS "${torch_root}/build-version" build LIMIT_COUNT 1)
    endif()
    if(NOT build)
      message(FATAL_ERROR "nephron: ${torch_root} holds LibTorch, but neither version.py nor build-version says which")
    endif()
    add_library(nephron::libc10 SHARED IMPORTED)
    set_target_properties(nephron::libc10 PROPERTIES IMPORTED_LOCATION "${torch_root}/lib/libc10.so")
    add_library(nephron::libtorch SHARED IMPORTED)
    set_target_properties(nephron::libtorch PROPERTIES
      IMPORTED_LOCATION "${torch_root}/lib/libtorch_cpu.so"
      INTERFACE_INCLUDE_DIRECTORIES "${torch_root}/include;${torch_root}/include/torch/csrc/api/include"
      INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${torch_root}/include;${torch_root}/include/torch/csrc/api/include"
      INTERFACE_COMPILE_DEFINITIONS "NEPHRON_TORCH_BUILD=\"${build}\";AT_PER_OPERATOR_HEADERS"
      INTERFACE_COMPILE_FEATURES cxx_std_20
      INTERFACE_LINK_LIBRARIES nephron::libc10)
    set(NEPHRON_TORCH_BUILD "${build}")
    message(STATUS "nephron: LibTorch ${build} in ${torch_root}")
  endif()
endif()
