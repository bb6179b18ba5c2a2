# The commit that nephron is built from, looked up at every build: configuring may be long ago. Run as a script, it
# writes OUT when the commit is another than there; included, it defines nephron_commit(TARGET).
#
# A folder without a repository of its own (a tarball, perhaps unpacked inside another repository) has no commit.
if(CMAKE_SCRIPT_MODE_FILE)
  set(commit "unknown")
  if(GIT AND EXISTS "${SOURCE}/.git")
    execute_process(COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --abbrev=40 --exclude=*
      OUTPUT_VARIABLE said RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(NOT failed AND said MATCHES "^[0-9a-f]+(-dirty)?$")
      set(commit "${said}")
    endif()
  endif()
  string(CONCAT text "#include <host/runs/build.hpp>\n\nnamespace nephron::host {\n"
    "const char* built_from() { return \"${commit}\"; }\n}  // namespace nephron::host\n")
  set(old "")
  if(EXISTS "${OUT}")
    file(READ "${OUT}" old)
  endif()
  if(NOT old STREQUAL text)
    file(WRITE "${OUT}" "${text}")
  endif()
  return()
endif()

# Adds built_from() to the target.
function(nephron_commit target)
  find_package(Git QUIET)
  set(file ${CMAKE_CURRENT_BINARY_DIR}/built_from.cpp)
  add_custom_target(nephron_built_from BYPRODUCTS ${file}
    COMMAND ${CMAKE_COMMAND} -DGIT=${GIT_EXECUTABLE} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUT=${file}
      -P ${PROJECT_SOURCE_DIR}/cmake/nephron_commit.cmake
    COMMENT "" VERBATIM)
  target_sources(${target} PRIVATE ${file})
  add_dependencies(${target} nephron_built_from)
endfunction()
