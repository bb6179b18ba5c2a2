# nephron_add_plugin(NAME source...): a plugin as one shared object. Symbols are hidden; LibTorch is linked only when
# the sources need it. Inside nephron's own build NAME_test.cpp beside the sources becomes a test.
include_guard(GLOBAL)

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
  if(COMMAND nephron_own_plugin)
    nephron_own_plugin(${name})
  endif()
endfunction()
