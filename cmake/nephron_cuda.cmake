# Turns CUDA on where nvcc is found. Sets NEPHRON_CUDA to ON or OFF; host/cuda is added when it is ON.
# nvcc is looked for at CMAKE_CUDA_COMPILER and CUDACXX, on PATH, in /usr/local/cuda, and in the cache where the
# bootstrap script unpacks NVIDIA's wheels on a machine that has a driver and no toolkit. No GPU is needed to build.
set(NEPHRON_CUDA AUTO CACHE STRING "ON, OFF, or AUTO: on where nvcc is found")
set_property(CACHE NEPHRON_CUDA PROPERTY STRINGS AUTO ON OFF)

function(nephron_find_nvcc result)
  set(cache "$ENV{XDG_CACHE_HOME}")
  if(NOT cache)
    set(cache "$ENV{HOME}/.cache")
  endif()
  file(GLOB wheels "${cache}/nephron/cuda-*/nvidia/cu*/bin")
  find_program(NEPHRON_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda/bin ${wheels}
    PATH_SUFFIXES bin)
  mark_as_advanced(NEPHRON_NVCC)
  set(${result} "${NEPHRON_NVCC}" PARENT_SCOPE)
endfunction()

set(nephron_cuda_wanted "${NEPHRON_CUDA}")
set(NEPHRON_CUDA OFF)
if(nephron_cuda_wanted)  # AUTO and ON
  if(NOT CMAKE_CUDA_COMPILER)
    unset(CMAKE_CUDA_COMPILER CACHE)  # what an earlier configure did not find may be there by now
    if(NOT DEFINED ENV{CUDACXX})
      nephron_find_nvcc(nephron_nvcc)
      if(nephron_nvcc)
        set(ENV{CUDACXX} "${nephron_nvcc}")
      endif()
    endif()
  endif()
  if(NOT nephron_cuda_wanted STREQUAL "AUTO")
    set(NEPHRON_CUDA ON)  # enable_language says what is missing
  elseif(CMAKE_CUDA_COMPILER)
    set(NEPHRON_CUDA ON)
  elseif(DEFINED ENV{CUDACXX})
    include(CheckLanguage)  # half a toolkit, such as nvcc without its runtime, must not stop a build for the CPU
    check_language(CUDA)
    if(CMAKE_CUDA_COMPILER)
      set(NEPHRON_CUDA ON)
    else()
      message(STATUS "nephron: $ENV{CUDACXX} does not compile, so no CUDA part; -DNEPHRON_CUDA=ON shows why")
    endif()
  else()
    message(STATUS "nephron: no nvcc, so no CUDA part (./nephron build fetches one where an NVIDIA driver is)")
  endif()
  if(NEPHRON_CUDA)
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 80-real 90)  # 90 without a suffix: machine code and PTX for newer devices
    endif()
    set(CMAKE_CUDA_STANDARD 17)  # CMake 3.25 knows no CUDA20
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    enable_language(CUDA)
  endif()
endif()
