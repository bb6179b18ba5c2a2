# nephron_add_plugin(NAME source...): a plugin as one shared object. Symbols are hidden; LibTorch is linked only when
# the sources need it. Inside nephron's own build NAME_test.cpp beside the sources becomes a test.
#
# As a script, `cmake -DPLUGIN=NAME -DOBJECTS=a.o|b.o -P nephron_add_plugin.cmake` says which macro its sources lack:
# the linker knows only a symbol that nobody wrote. A note, no failure: an object library may hold what is missing here.
include_guard(GLOBAL)

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  set(found)
  string(REPLACE "|" ";" objects "${OBJECTS}")
  foreach(object IN LISTS objects)
    file(STRINGS "${object}" names REGEX "nephron_(plugin|text)")
    string(APPEND found "${names}")
  endforeach()
  if(NOT found MATCHES "nephron_text")
    message(NOTICE "note: no source of plugin ${PLUGIN} says NEPHRON_COMPONENT(Base, Class, \"name\", \"what it is\"), "
      "which registers a component: one at least is needed")
  endif()
  if(NOT found MATCHES "nephron_plugin")
    message(NOTICE "note: no source of plugin ${PLUGIN} says NEPHRON_PLUGIN(\"name\", \"version\"), which makes it one")
  endif()
  return()
endif()

function(nephron_add_plugin name)
  if(NOT ARGN)
    message(FATAL_ERROR "nephron_add_plugin(${name}): name the sources")
  endif()
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES
    PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_options(${name} PRIVATE -Wl,--as-needed -Wl,--no-undefined)
  target_link_libraries(${name} PRIVATE nephron::sdk $<TARGET_NAME_IF_EXISTS:nephron::torch>)
  add_custom_command(TARGET ${name} PRE_LINK VERBATIM
    COMMAND ${CMAKE_COMMAND} -DPLUGIN=${name} "-DOBJECTS=$<JOIN:$<TARGET_OBJECTS:${name}>,|>"
      -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}")
  if(COMMAND nephron_own_plugin)
    nephron_own_plugin(${name})
  endif()
endfunction()
